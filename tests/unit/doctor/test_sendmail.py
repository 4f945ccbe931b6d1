"""Rules about Sendmail, from a sendmail.cf made of the shipped snippet (the lines that matter)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sms_milter.config.schema import Configuration
from sms_milter.doctor.sendmail import findings, parse
from support.places import DEPLOY

# As m4 writes it, Sendmail 8.17.1.9.
CF = """
O InputMailFilters=clamav,sms-milter
#O MaxMessageSize=0
Xclamav, S=local:/run/clamav.sock, F=T, T=S:4m;R:4m
Xsms-milter, S=inet:8891@127.0.0.1, F=T, T=C:10s;S:30s;R:30s;E:2m
Cwlocalhost
C{SmsDomains} sms.example.com
R$* < @ $={SmsDomains} . > $*	$#sms-unclaimed $@ $2 $: $1 < @ $2 . > $3
R$* < @ $=w . > $*	$#local $: $1
Msms-unclaimed,	P=/etc/mail/sms-unclaimed, F=lsDFMqnu9,
		T=DNS/RFC822/X-Unix, U=nobody, A=sms-unclaimed $u
"""


def names(text: str = CF, **milter: Any) -> list[tuple[str, str]]:
    ours = Configuration.model_validate(
        {"domains": {"sms.example.com": {"dialect": "hsl"}}, "milter": milter}
    )
    return [(one.name, one.severity.value) for one in findings(parse("/etc/mail/sendmail.cf", text), ours)]


def test_a_good_one_is_left_in_peace() -> None:
    assert names() == []


MISTAKES = {
    ("clamav,sms-milter", "sms-milter,clamav"): [("milter-order", "critical")],
    ("clamav,sms-milter", "clamav"): [("not-asked", "critical")],
    ("8891@", "8892@"): [("not-asked", "critical")],
    ("127.0.0.1, F=T,", "127.0.0.1,"): [("default-action", "critical")],
    ("127.0.0.1, F=T", "127.0.0.1, F=R"): [("default-action", "critical")],
    ("127.0.0.1, F=T", "127.0.0.1, F=4"): [],
    ("R:30s", "R:20s"): [("timeout-R", "critical")],
    (", T=C:10s;S:30s;R:30s;E:2m", ""): [("timeout-R", "critical")],
    ("E:2m", "E:10s"): [("timeout-E", "critical")],
    ("#O MaxMessageSize=0", "O MaxMessageSize=1000000"): [("size-limit", "warning")],
    ("#O MaxMessageSize=0", "O MaxMessageSize=20000000"): [],
    ("C{SmsDomains} sms", "C{SmsDomains} other"): [("fail-safe-route", "critical")],
    ("$#sms-unclaimed", "$#error"): [("fail-safe-route", "critical")],
    ("Cwlocalhost", "Kmailertable hash /etc/mail/mailertable"): [],
}


@pytest.mark.parametrize("change", MISTAKES, ids=" → ".join)
def test_each_mistake(change: tuple[str, str]) -> None:
    assert change[0] in CF
    assert names(CF.replace(*change)) == MISTAKES[change]


def test_what_a_mailertable_says_is_not_known() -> None:
    text = (
        CF.replace("C{SmsDomains} sms", "C{SmsDomains} other") + "Kmailertable hash /etc/mail/mailertable\n"
    )
    assert names(text) == [("fail-safe-route", "unknown")]


def test_timeouts_are_measured_by_our_patience() -> None:
    assert names(decision_timeout="1m") == [("timeout-R", "critical")]


def test_the_shipped_filter_is_the_one_of_this_test() -> None:
    shipped = re.search(
        r"INPUT_MAIL_FILTER\(`sms-milter', `(.*)'\)", (DEPLOY / "sendmail/sms-milter.m4").read_text()
    )
    assert shipped is not None
    assert f"Xsms-milter, {shipped[1]}\n" in CF
