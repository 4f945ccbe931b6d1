"""The way of our own mails to the MTA: an SMTP client. The one door to smtplib."""

from __future__ import annotations

import contextlib
import smtplib

from sms_milter.errors import OutboxSilent, OutboxUnavailable, ReportDeferred, ReportRefused
from sms_milter.logline import clean

_CONNECT_SECONDS = 10.0
_REPLY_SECONDS = 300.0  # RFC 5321 §4.5.3.2; giving up early after the final dot means a second copy
_CLOSING = 421


class SmtpOutbox:
    """`ports.Outbox` on the SMTP server at `host`:`port`; `host_name` is what we call ourselves.

    One connection carries mails until `close`.
    """

    def __init__(self, host: str, port: int, host_name: str) -> None:
        self._host, self._port, self._host_name = host, port, host_name
        self._client: smtplib.SMTP | None = None

    def submit(self, recipient: str, mail: bytes, sender: str = "") -> str:
        """See `ports.Outbox.submit`."""
        try:
            return self._hand_over(self._connected(), recipient, mail, sender)
        except ValueError as error:  # smtplib's own: a line end in a command, a letter outside ASCII
            self._drop()
            raise ReportRefused(f"no address: {clean(error)}") from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise OutboxUnavailable(clean(f"{self._host}:{self._port}: {_said(error)}")) from error

    def close(self) -> None:
        """See `ports.Outbox.close`."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()

    def _connected(self) -> smtplib.SMTP:
        if self._client is None:
            client = smtplib.SMTP(self._host, self._port, self._host_name, timeout=_CONNECT_SECONDS)
            self._client = client
            assert client.sock is not None
            client.sock.settimeout(_REPLY_SECONDS)
            client.ehlo_or_helo_if_needed()
        return self._client

    def _hand_over(self, client: smtplib.SMTP, recipient: str, mail: bytes, sender: str) -> str:
        options = []
        if not (recipient + sender).isascii():
            if not client.has_extn("smtputf8"):
                raise ReportRefused("the MTA takes no address outside ASCII")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        self._expect(client.mail(sender, options))
        # Not client.rcpt: it would read the address in its own way.
        self._expect(client.docmd("RCPT", f"TO:<{recipient}>"))
        try:
            reply: tuple[int, bytes | str] = client.data(mail)
        except smtplib.SMTPDataError as error:
            reply = error.smtp_code, error.smtp_error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise OutboxSilent(clean(f"{self._host}:{self._port}: {_said(error)}")) from error
        return self._expect(reply)

    def _expect(self, reply: tuple[int, bytes | str]) -> str:
        """What the MTA said; raises unless it was content."""
        code, text = reply
        words = clean(f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}")
        if 200 <= code <= 299:
            return words
        if code == _CLOSING:
            raise smtplib.SMTPServerDisconnected(words)
        self._reset()
        raise (ReportRefused if code >= 500 else ReportDeferred)(words)

    def _reset(self) -> None:
        """Ready for the next mail; a connection that is not goes."""
        assert self._client is not None
        try:
            if self._client.rset()[0] != 250:
                self._drop()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {error.smtp_error!r}"
    return str(error) or type(error).__name__
