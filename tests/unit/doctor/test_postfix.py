"""Rules about Postfix, from what its postconf printed: recorded once, then changed line by line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding
from sms_milter.doctor.postfix import findings
from sms_milter.doctor.postfix.facts import items, milters, parse
from sms_milter.doctor.postfix.listeners import for_postfix
from sms_milter.doctor.times import seconds

# Postfix 3.7.11, `postconf -x` (the lines that matter), `postconf -M` and `postconf -Px`.
MAIN = """
always_bcc =
cleanup_service_name = cleanup
compatibility_level = 3.6
enable_original_recipient = yes
in_flow_delay = 1s
mail_version = 3.7.11
message_size_limit = 10240000
milter_command_timeout = 30s
milter_content_timeout = 300s
milter_default_action = tempfail
milter_protocol = 6
mydestination =
non_smtpd_milters =
queue_directory = /var/spool/postfix
recipient_bcc_maps =
sender_bcc_maps =
smtpd_milters =
soft_bounce = no
transport_maps = inline:{ { sms.example.com = sms-unclaimed: } }
"""
MASTER = """\
smtp       inet  n       -       y       -       -       smtpd
2525       inet  n       -       n       -       -       smtpd -o smtpd_milters=$sms_milter
pickup     unix  n       -       y       60      1       pickup
cleanup    unix  n       -       y       -       0       cleanup
sms-cleanup unix n       -       n       -       0       cleanup -o in_flow_delay=0s
127.0.0.1:10026 inet n   -       n       -       -       smtpd -o smtpd_milters=
smtp       unix  -       -       y       -       -       smtp
sms-unclaimed unix -     n       n       -       2       pipe flags=q user=nobody argv=/bin/sh -c {exit 75}
"""
ENTRY = "{ inet:127.0.0.1:8891, content_timeout=120s, default_action=tempfail }"
SERVICES = f"""\
2525/inet/cleanup_service_name = sms-cleanup
2525/inet/message_size_limit = 10600000
2525/inet/smtpd_milters = {ENTRY}
sms-cleanup/unix/in_flow_delay = 0s
sms-cleanup/unix/message_size_limit = 10600000
127.0.0.1:10026/inet/smtpd_milters =
"""
DOMAIN = "sms.example.com"


def ours(**milter: Any) -> Configuration:
    return Configuration.model_validate(
        {
            "domains": {DOMAIN: {"dialect": "hsl"}},
            "milter": milter,
            "reports": {"submit_to": "127.0.0.1:10026"},
        }
    )


def examine(
    change: tuple[str, str] = ("", ""),
    *,
    route: str = "sms-unclaimed:",
    classes: tuple[str, ...] = (),
    **milter: Any,
) -> list[Finding]:
    """With the first text replaced by the second, wherever it was printed."""
    old, new = change
    printed = (MAIN, MASTER, SERVICES)
    assert not old or any(old in one for one in printed), f"{old!r} was never printed"
    facts = parse("/etc/postfix", *(one.replace(old, new) if old else one for one in printed))
    facts = replace(facts, routes={DOMAIN: route}, classes={DOMAIN: classes})
    return findings(facts, ours(**milter))


def test_a_good_one_is_left_in_peace() -> None:
    assert examine() == []


MISTAKES = {
    ("in_flow_delay = 0s", "in_flow_delay = 1s"): ["flow-delay"],
    ("sms-cleanup/unix/in_flow_delay = 0s\n", ""): ["flow-delay"],
    ("cleanup_service_name = sms-cleanup", "cleanup_service_name = gone"): ["no-cleanup"],
    ("cleanup_service_name = sms-cleanup", "cleanup_service_name = cleanup"): ["flow-delay", "size-limit"],
    (ENTRY, f"{ENTRY}, inet:127.0.0.1:11332"): ["milter-order"],
    (ENTRY, "inet:127.0.0.1:11332"): ["not-asked"],
    (ENTRY, "inet:127.0.0.1:8892"): ["not-asked"],
    (ENTRY, "unix:/run/sms-milter/milter.sock"): ["not-asked"],
    ("default_action=tempfail", "default_action=accept"): ["default-action"],
    ("default_action=tempfail", "default_action=reject"): ["default-action"],
    ("default_action=tempfail", "default_action=quarantine"): ["default-action"],
    ("default_action=tempfail", "default_action=shutdown"): ["default-action"],
    ("mail_version = 3.7.11", "mail_version = 3.11.0"): ["default-action"],
    ("content_timeout=120s", "content_timeout=20s"): ["content-timeout"],
    ("milter_command_timeout = 30s", "milter_command_timeout = 10s"): ["command-timeout"],
    ("milter_protocol = 6", "milter_protocol = 4"): ["protocol"],
    ("message_size_limit = 10600000", "message_size_limit = 10240000"): ["size-limit", "size-limit"],
    ("message_size_limit = 10600000", "message_size_limit = 0"): [],
    ("enable_original_recipient = yes", "enable_original_recipient = no"): ["original-recipient"],
    ("soft_bounce = no", "soft_bounce = yes"): ["soft-bounce"],
    ("always_bcc =", "always_bcc = archive@example.com"): ["copies"],
    ("recipient_bcc_maps =", "recipient_bcc_maps = hash:/etc/postfix/bcc"): ["copies"],
    ("2525/inet/smtpd_milters", "2525/inet/smtpd_proxy_filter = x\n2525/inet/smtpd_milters"): [
        "proxy-filter"
    ],
    (
        "2525/inet/smtpd_milters",
        "2525/inet/receive_override_options = no_milters\n2525/inet/smtpd_milters",
    ): ["no-milters"],
}


@pytest.mark.parametrize("change", MISTAKES, ids=" → ".join)
def test_each_mistake(change: tuple[str, str]) -> None:
    assert [one.name for one in examine(change)] == MISTAKES[change]


@pytest.mark.parametrize(
    ("route", "says"),
    [
        ("", "has no fail-safe route"),
        ("error:5.1.1 no", "refuses mail for sms.example.com at RCPT"),
        ("retry:later", "refuses mail for sms.example.com at RCPT"),
        ("discard:", "in silence"),
        ("gone:", "not in master.cf"),
        ("smtp:[192.0.2.1]", "is delivered by smtp"),
    ],
)
def test_routes_that_are_not_safe(route: str, says: str) -> None:
    [found] = examine(route=route)
    assert (found.name, found.severity) == ("fail-safe-route", "critical")
    assert says in found.says


@pytest.mark.parametrize(
    ("parameter", "severity"), [("mydestination", "critical"), ("relay_domains", "warning")]
)
def test_domains_that_postfix_takes_for_its_own(parameter: str, severity: str) -> None:
    [found] = examine(("mydestination =", f"{parameter} = localhost {DOMAIN}"), classes=(parameter,))
    assert (found.name, found.severity) == ("domain-class", severity)
    assert found.mend == f"postconf -e {parameter}=localhost && postfix reload"


def test_the_right_action_depends_on_the_version() -> None:
    [old] = examine(("default_action=tempfail", "default_action=shutdown"))
    [new] = examine(("mail_version = 3.7.11", "mail_version = 3.11.0"))
    assert (old.severity, new.severity) == ("critical", "warning")
    assert "default_action=tempfail" in old.mend
    assert "default_action=shutdown" in new.mend
    listener = ("mail_version = 3.7.11", "mail_version = 3.12-20260821")
    assert [one.name for one in examine(listener)] == ["default-action"]


def test_timeouts_are_measured_by_our_patience() -> None:
    assert [one.name for one in examine(decision_timeout="30s")] == ["command-timeout"]
    assert [one.name for one in examine(decision_timeout="2m")] == ["content-timeout", "command-timeout"]


def test_sizes_are_measured_by_our_limit() -> None:
    assert (
        examine(("message_size_limit = 10600000", "message_size_limit = 2000000"), max_message_size="1MB")
        == []
    )


SOCKETS = {
    "inet:8891@127.0.0.1": ("inet:localhost:8891", True),
    "inet6:8891@::1": ("inet:[::1]:8891", True),
    "inet:8891@0.0.0.0": ("inet:192.0.2.1:8891", True),
    "inet:8891@192.0.2.7": ("inet:192.0.2.7:8891", True),
    "inet:8891@192.0.2.8": ("inet:127.0.0.1:8891", False),
    "unix:/run/sms.sock": ("unix:/run/sms.sock", True),
    "unix:/var/spool/postfix/private/sms": ("unix:private/sms", True),
    "unix:/run/other.sock": ("unix:/run/sms.sock", False),
}


@pytest.mark.parametrize("socket", SOCKETS)
def test_which_milter_is_ours(socket: str) -> None:
    address, is_ours = SOCKETS[socket]
    change = ("inet:127.0.0.1:8891", address)
    assert [one.name for one in examine(change, socket=socket)] == ([] if is_ours else ["not-asked"])


def test_a_chrooted_listener_looks_below_the_queue_directory() -> None:
    listener = "2525       inet  n       -       "
    change = (f"{listener}n", f"{listener}y")
    assert examine(change) == []  # over TCP it does not matter
    facts = parse(
        "/etc/postfix",
        MAIN,
        MASTER.replace(*change),
        SERVICES.replace("inet:127.0.0.1:8891", "unix:/run/sms"),
    )
    facts = replace(facts, routes={DOMAIN: "sms-unclaimed:"})
    [found] = findings(facts, ours(socket="unix:/run/sms"))
    assert found.name == "chroot"
    assert "looks for unix:/run/sms at /var/spool/postfix/run/sms" in found.says
    assert found.mend == "postconf -F 2525/inet/chroot=n && postfix reload"
    assert findings(facts, ours(socket="unix:/var/spool/postfix/run/sms")) == []


@pytest.mark.parametrize(("level", "jailed"), [("0", True), ("1", False), ("3.6", False)])
def test_what_master_cf_leaves_out_depends_on_the_compatibility_level(level: str, jailed: bool) -> None:
    line = "smtp       inet  n       -       -       -       -       smtpd\n"
    assert parse("", f"compatibility_level = {level}\n", line, "").services[0].chroot is jailed


def test_the_sendmail_command_is_a_listener_too() -> None:
    names = [one.name for one in examine(("non_smtpd_milters =", "non_smtpd_milters = inet:127.0.0.1:8891"))]
    assert names == ["flow-delay", "size-limit"]


def test_the_command_changes_what_the_entry_comes_from() -> None:
    change = ("default_action=tempfail", "default_action=accept")
    in_main = MAIN + f"sms_milter = {ENTRY}\n"
    facts = parse("/etc/postfix", in_main.replace(*change), MASTER, SERVICES.replace(*change))
    [found] = findings(replace(facts, routes={DOMAIN: "sms-unclaimed:"}), ours())
    assert found.mend == (
        "postconf -e 'sms_milter={ inet:127.0.0.1:8891, content_timeout=120s, default_action=tempfail }'"
        " && postfix reload"
    )
    other = parse("/etc/postfix-sms", MAIN, MASTER, SERVICES.replace(*change))
    [found] = findings(replace(other, routes={DOMAIN: "sms-unclaimed:"}), ours())
    assert found.mend.startswith(
        "postconf -c /etc/postfix-sms -P '2525/inet/smtpd_milters={inet:127.0.0.1:8891,"
    )


def test_no_command_undoes_another() -> None:
    wrong = ENTRY.replace("120s", "5s").replace("tempfail", "accept")
    facts = parse("/etc/postfix", MAIN, MASTER, SERVICES.replace(ENTRY, f"{wrong}, inet:127.0.0.1:11332"))
    found = findings(replace(facts, routes={DOMAIN: "sms-unclaimed:"}), ours())
    assert [one.name for one in found] == ["milter-order", "default-action", "content-timeout"]
    [mend] = {one.mend for one in found}
    entry = "{inet:127.0.0.1:8891,content_timeout=120s,default_action=tempfail}"
    assert f"smtpd_milters=inet:127.0.0.1:11332,{entry}'" in mend


def test_one_command_for_the_routes_of_all_domains() -> None:
    two = {"a.example": {"dialect": "hsl"}, "b.example": {"dialect": "hsl"}}
    facts = parse(
        "/etc/postfix",
        MAIN.replace("mydestination =", "mydestination = a.example b.example x"),
        MASTER,
        SERVICES,
    )
    facts = replace(facts, classes=dict.fromkeys(two, ("mydestination",)))
    found = findings(facts, Configuration.model_validate({"domains": two}))
    assert [(one.name, one.where) for one in found] == [
        ("fail-safe-route", "a.example"),
        ("fail-safe-route", "b.example"),
        ("domain-class", "a.example"),
        ("domain-class", "b.example"),
    ]
    [routes, classes] = dict.fromkeys(one.mend for one in found)
    assert "{ { a.example = sms-unclaimed: }, { b.example = sms-unclaimed: } }" in routes
    assert classes == "postconf -e mydestination=x && postfix reload"


def test_how_lists_and_times_are_written() -> None:
    assert items(" a, b\tc,,{ d, e { f } } ") == ["a", "b", "c", "{ d, e { f } }"]
    assert [(one.address, dict(one.own)) for one in milters("unix:/x, { inet:h:1, protocol=6 }")] == [
        ("unix:/x", {}),
        ("inet:h:1", {"protocol": "6"}),
    ]
    assert [seconds(one) for one in ("30s", "5m", "300", "0", "1w", "soon")] == [
        30,
        300,
        300,
        0,
        604800,
        None,
    ]


def test_our_socket_as_postfix_writes_it() -> None:
    assert for_postfix("inet:8891@127.0.0.1") == "inet:127.0.0.1:8891"
    assert for_postfix("inet6:8891@::1") == "inet:[::1]:8891"
    assert for_postfix("inet:8891@0.0.0.0") == "inet:127.0.0.1:8891"
    assert for_postfix("unix:/run/x") == "unix:/run/x"
