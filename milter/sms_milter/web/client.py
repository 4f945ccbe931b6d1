"""Asks a web service: one request, one answer, on a connection of its own. A door to http.client.

No redirects, no proxies, no cookies. Knows apart what certainly never left from what may have arrived.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from sms_milter.errors import NoAnswer, NotSent
from sms_milter.logline import clean
from sms_milter.model import WebAnswer
from sms_milter.web.deadline import until

_MOST_OCTETS = 64 * 1024  # of an answer; what is longer is not read to its end
_CUT_OFF = (OSError, http.client.HTTPException)


class WebClient:
    """`ports.Web`. Any thread may ask; `timeout_seconds` is for a whole request but the look-up of its host.

    `private`: whether hosts may be asked that are not in the public internet, such as 127.0.0.1; where a
    stranger chooses the URL they must not.
    """

    def __init__(self, *, timeout_seconds: float, private: bool = False) -> None:
        self._timeout_seconds, self._private = timeout_seconds, private
        self._tls = ssl.create_default_context()

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> WebAnswer:
        """See `ports.Web.ask`."""
        host, port, tls, target = _taken_apart(url)
        addresses = self._addresses(host, port)
        deadline = time.monotonic() + self._timeout_seconds
        connection = _connection(host, port)
        try:
            try:
                connection.sock = self._connected(addresses, host if tls else "", deadline)
                with until(deadline, connection.sock):
                    _write_head(connection, method, target, headers or {}, body, tls)
            except ValueError as error:  # http.client's own: a line end or a letter outside ASCII
                raise NotSent(f"no request: {clean(error)}") from error
            except _CUT_OFF as error:
                raise NotSent(clean(f"{host}:{port}: {_said(error, deadline)}")) from error
            try:
                with until(deadline, connection.sock):
                    return _exchanged(connection, body)
            except _CUT_OFF as error:
                raise NoAnswer(clean(f"{host}:{port}: {_said(error, deadline)}")) from error
        finally:
            connection.close()

    def _addresses(self, host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        """Where the host is. It is connected to what was looked at here, whatever its name means later."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NotSent(clean(f"{host}: {error}")) from error
        addresses = [
            (family, sockaddr)
            for family, _, _, _, sockaddr in found
            if self._private or is_public(str(sockaddr[0]))
        ]
        if not addresses:
            raise NotSent(clean(f"{host} is not in the public internet"))
        return addresses  # type: ignore[return-value]  # of IPv6 with scope, which connect takes as well

    def _connected(
        self, addresses: list[tuple[socket.AddressFamily, tuple[str, int]]], tls_host: str, deadline: float
    ) -> socket.socket:
        """A connection to the first address that answers. Raises OSError."""
        why: OSError = OSError("no address")
        for family, address in addresses:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(left)
            try:
                plain.connect(address)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self._tls.wrap_socket(plain, server_hostname=tls_host) if tls_host else plain
            except OSError as error:
                plain.close()
                why = error
        raise why


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; one that hides another is judged by that."""
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):
        hidden = one.ipv4_mapped or one.sixtofour or (one.teredo and one.teredo[1])
        if hidden:
            one = hidden
    return one.is_global and not one.is_multicast


def _taken_apart(url: str) -> tuple[str, int, bool, str]:
    """Host, port, whether it is https, and what to ask for there. Raises NotSent."""
    try:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        if not (tls or parts.scheme == "http") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("expected http or https and a host")
        port = parts.port or (443 if tls else 80)
    except ValueError as error:
        raise NotSent(f"no URL: {clean(error)}") from error
    return parts.hostname, port, tls, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _connection(host: str, port: int) -> http.client.HTTPConnection:
    try:
        return http.client.HTTPConnection(host, port)
    except http.client.HTTPException as error:
        raise NotSent(f"no host: {clean(error)}") from error


def _write_head(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
    tls: bool,
) -> None:
    """All but the body, without which the service cannot begin; a request without body leaves later."""
    connection.default_port = 443 if tls else 80  # another one stands in the field Host
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in {"User-Agent": "sms-milter", "Connection": "close", **headers}.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()


def _exchanged(connection: http.client.HTTPConnection, body: bytes | None) -> WebAnswer:
    if body is None:
        connection.endheaders()
    else:
        connection.send(body)
    response = connection.getresponse()
    octets = response.read(_MOST_OCTETS)
    return WebAnswer(response.status, clean(response.reason), octets, response.getheader("Retry-After", ""))


def _said(error: BaseException, deadline: float) -> str:
    if time.monotonic() >= deadline or isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
