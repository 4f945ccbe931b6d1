"""Listening sockets, and the account to run as."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
import threading
from pathlib import Path

import pytest

from sms_milter.errors import ConfigError
from sms_milter.listening import Place, Sockets, http_place, listen, milter_place
from sms_milter.privileges import account, socket_group


def milter_socket(where: str, mode: int = 0, user: str = "", group: str = "") -> socket.socket:
    return listen(milter_place(where, mode, user, group))


def test_a_unix_socket_has_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    with milter_socket(f"unix:{path}", 0o660) as fresh:
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


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    milter_socket(f"unix:{path}", 0o660).close()
    with milter_socket(f"unix:{path}", 0o660):
        with pytest.raises(OSError, match="in use"):
            milter_socket(f"unix:{path}", 0o660)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_at_the_start_an_address_is_waited_for() -> None:
    with milter_socket("inet:0@127.0.0.1") as first:
        place = milter_place(f"inet:{first.getsockname()[1]}@127.0.0.1", 0, "", "")
        with pytest.raises(OSError, match="in use"):
            listen(place)
        soon = threading.Timer(0.3, first.close)
        soon.start()
        sockets = Sockets()
        assert sockets.change([place])[place].getsockname() == place.address
        soon.join()
        sockets.change([])


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_inet6_listens_on_ipv6() -> None:
    with milter_socket("inet6:0@::1") as fresh:
        assert fresh.family == socket.AF_INET6


def test_a_missing_account_or_group_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"user: no account 'no-such-user'"):
        account("no-such-user")
    with pytest.raises(ConfigError, match=r"milter\.socket_group: no group 'no-such-group'"):
        socket_group("no-such-group")


def test_http_is_listened_for_at_host_and_port() -> None:
    with listen(http_place("127.0.0.1:0")) as fresh:
        assert fresh.getsockname()[0] == "127.0.0.1"
        assert not fresh.getblocking()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_http_may_be_listened_for_on_ipv6() -> None:
    with listen(http_place("[::1]:0")) as fresh:
        assert fresh.getsockname()[0] == "::1"


def unix(path: Path, mode: int = 0o660) -> Place:
    return milter_place(f"unix:{path}", mode, "", "")


def test_an_address_keeps_its_socket_whatever_else_changes(tmp_path: Path) -> None:
    sockets = Sockets()
    first = sockets.change([unix(tmp_path / "one")])[unix(tmp_path / "one")]
    after = sockets.change([unix(tmp_path / "two"), unix(tmp_path / "one", 0o666)])
    assert after[unix(tmp_path / "one", 0o666)] is first
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o666
    sockets.change([unix(tmp_path / "two")])
    assert first.fileno() == -1, "nobody asks for it any more"
    sockets.change([])


def test_all_change_or_none(tmp_path: Path) -> None:
    sockets = Sockets()
    kept = sockets.change([unix(tmp_path / "one")])[unix(tmp_path / "one")]
    with milter_socket("inet:0@127.0.0.1") as taken:
        busy = milter_place(f"inet:{taken.getsockname()[1]}@127.0.0.1", 0, "", "")
        with pytest.raises(OSError, match="in use"):
            sockets.change([unix(tmp_path / "two"), busy])
    assert list(sockets) == [kept]
    assert kept.fileno() >= 0
    with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "two"))
    sockets.change([])


@pytest.mark.parametrize("kind", ["unix", "inet"])
def test_an_inherited_socket_serves_its_address_and_no_other_is_kept(tmp_path: Path, kind: str) -> None:
    wanted, stranger = unix(tmp_path / "wanted"), unix(tmp_path / "stranger")
    if kind == "inet":
        with milter_socket("inet:0@127.0.0.1") as probe:
            port = probe.getsockname()[1]
        wanted = milter_place(f"inet:{port}@localhost", 0, "", "")
    given = [listen(stranger), listen(wanted)]
    sockets = Sockets(given)
    assert sockets.change([wanted])[wanted] is given[1]
    assert given[0].fileno() == -1
    sockets.change([])
