"""A bind at an SMSC, tried and given back."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import Final

from sms_milter.config.schema import Smsc
from sms_milter.errors import GatewayError
from sms_milter.smpp.dialling import Tls, connect
from sms_milter.smpp.events import BindRefused, Bound, Broken, Unbound
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.session import Session
from sms_milter.smpp.status import classify

_CONNECT_SECONDS: Final = 10.0


def try_bind(smsc: Smsc) -> str:
    """Bind as transmitter, so that nothing is delivered to us, and unbind; why not, "" if it went well."""
    tls = Tls(smsc.tls_ca_file, smsc.tls_certificate_file, smsc.tls_key_file, smsc.tls_server_name)
    failures = []
    for one in (smsc.host, *smsc.other_hosts):
        try:
            link = connect(one, smsc.port, tls if smsc.tls else None, _CONNECT_SECONDS)
            with contextlib.closing(link):
                return _bind_and_unbind(link, smsc)
        except (OSError, GatewayError) as error:
            failures.append(str(error))
    return "; ".join(failures)


def _bind_and_unbind(link: socket.socket, smsc: Smsc) -> str:
    session = Session(
        SessionOptions(
            system_id=smsc.system_id,
            password=smsc.password,
            longest_password=64 if smsc.long_password else 8,
            system_type=smsc.system_type,
            kind="transmitter",
        )
    )
    session.connected(time.monotonic())
    bound = False
    while not session.finished:
        try:
            events = _exchange(link, session)
        except OSError:
            if bound:  # it closed instead of answering our unbind
                return ""
            raise
        for event in events:
            match event:
                case Bound():
                    bound = True
                    session.unbind(time.monotonic())
                case BindRefused(status):
                    return str(classify(status))
                case Broken(why) | Unbound(why) if not bound:
                    return why
                case _:
                    pass
    return ""


def _exchange(link: socket.socket, session: Session) -> list[object]:
    """Write what waits, read what comes within a moment."""
    octets = session.outbound()
    link.settimeout(_CONNECT_SECONDS)
    link.sendall(octets)
    now = time.monotonic()
    events: list[object] = list(session.tick(now))
    pending = getattr(link, "pending", int)()  # TLS may hold octets that no poll shows
    if pending or select.select([link], [], [], 0.2)[0]:
        data = link.recv(65536)
        if not data:
            raise OSError("connection closed by the SMSC")
        events += session.receive(data, now)
    return events
