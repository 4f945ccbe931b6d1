"""Listening sockets, and the account to run as."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
from pathlib import Path

import pytest

from sms_milter import listening
from sms_milter.errors import ConfigError
from sms_milter.listening import http_socket, milter_socket
from sms_milter.privileges import account, socket_group


def test_a_unix_socket_has_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    with milter_socket(f"unix:{path}", 0o660, "", "") as fresh:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert not fresh.getblocking()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_unix_socket_belongs_to_the_service_and_the_mtas_group(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    with milter_socket(f"unix:{path}", 0o660, "nobody", "daemon"):
        status = path.stat()
    assert status.st_uid == pwd.getpwnam("nobody").pw_uid
    assert status.st_gid == grp.getgrnam("daemon").gr_gid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_member_may_give_the_socket_to_the_mtas_group_and_others_may_not(tmp_path: Path) -> None:
    nobody, mtas, others = pwd.getpwnam("nobody"), grp.getgrnam("daemon"), grp.getgrnam("mail")
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o711)
    child = os.fork()
    if child == 0:
        os.setgroups([mtas.gr_gid])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        os.chdir(tmp_path)
        milter_socket("unix:member.sock", 0o660, "", mtas.gr_name).close()
        try:
            milter_socket("unix:stranger.sock", 0o660, "", others.gr_name).close()
        except ConfigError as error:
            Path("refused").write_text(str(error))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert (tmp_path / "member.sock").stat().st_gid == mtas.gr_gid
    assert "milter.socket_group: only root and members of 'mail'" in (tmp_path / "refused").read_text()


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_BIND_PATIENCE_SECONDS", 0.1)
    path = tmp_path / "milter.sock"
    milter_socket(f"unix:{path}", 0o660, "", "").close()
    with milter_socket(f"unix:{path}", 0o660, "", ""):
        with pytest.raises(OSError, match="in use"):
            milter_socket(f"unix:{path}", 0o660, "", "")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_an_address_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_BIND_PATIENCE_SECONDS", 0.1)
    with milter_socket("inet:0@127.0.0.1", 0, "", "") as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            milter_socket(f"inet:{port}@127.0.0.1", 0, "", "")
    milter_socket(f"inet:{port}@127.0.0.1", 0, "", "").close()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_inet6_listens_on_ipv6() -> None:
    with milter_socket("inet6:0@::1", 0, "", "") as fresh:
        assert fresh.family == socket.AF_INET6


def test_a_missing_account_or_group_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"user: no account 'no-such-user'"):
        account("no-such-user")
    with pytest.raises(ConfigError, match=r"milter\.socket_group: no group 'no-such-group'"):
        socket_group("no-such-group")


def test_http_is_listened_for_at_host_and_port() -> None:
    with http_socket("127.0.0.1:0") as fresh:
        assert fresh.getsockname()[0] == "127.0.0.1"
        assert not fresh.getblocking()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_http_may_be_listened_for_on_ipv6() -> None:
    with http_socket("[::1]:0") as fresh:
        assert fresh.getsockname()[0] == "::1"
