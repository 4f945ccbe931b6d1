"""The account of this machine that the service runs as."""

from __future__ import annotations

import encodings.idna  # noqa: F401 -- see give_up_privileges
import grp
import os
import pwd

from sms_milter.errors import ConfigError, Fault


def give_up_privileges(user: str) -> None:
    """Become `user` for good, when started as root and asked to; later files are for it and its group.

    Its home is ours from then on: libraries look there for files of their own (libpq for certificates), and
    give up where they may not look.

    Modules, codecs and SQL must be loaded before, for the account may not read where they lie; getaddrinfo
    loads encodings.idna late. Raises ConfigError when there is no such account.
    """
    os.umask(0o007)
    if not user or os.geteuid() != 0:
        return
    entry = account(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)


def account(user: str) -> pwd.struct_passwd:
    """The account of that name. Raises ConfigError."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise ConfigError([Fault("", 0, "user", f"no account {user!r} on this machine")]) from None


def socket_group(group: str) -> grp.struct_group:
    """The group that a unix socket is given to. Raises ConfigError."""
    try:
        return grp.getgrnam(group)
    except KeyError:
        fault = Fault("", 0, "milter.socket_group", f"no group {group!r} on this machine")
        raise ConfigError([fault]) from None
