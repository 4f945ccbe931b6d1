"""The outlet `email`: an errand becomes a plain mail from the address that it names (SMSCentre §7.7).

The MTA's 250 is the end of it for us; a bounce goes to that address.
"""

from __future__ import annotations

from collections.abc import Callable

from sms_milter.channels.errand import identity, read
from sms_milter.errors import OutboxSilent, OutboxUnavailable, ReportDeferred, ReportRefused
from sms_milter.model import Errand, Handed, LeasedPart, PartState
from sms_milter.ports import Outbox
from sms_milter.report.letter import Frame, begin, set_text


class Mailing:
    """The MTA as an outlet; `outbox` makes one for each mail. Any thread may hand over."""

    def __init__(self, outbox: Callable[[], Outbox], host_name: str) -> None:
        self._outbox, self._host_name = outbox, host_name

    def hand(self, part: LeasedPart) -> Handed:
        """Give the mail to the MTA, and wait for its answer."""
        try:
            errand = read(part.body)
        except ValueError:
            return Handed(part, PartState.FAILED, "no errand")
        message_id = f"<{identity(part)}@{self._host_name}>"
        outbox = self._outbox()
        try:
            outbox.submit(errand.destination, letter(errand, part, message_id), errand.originator)
        except ReportRefused as error:
            return Handed(part, PartState.FAILED, str(error))
        except ReportDeferred as error:
            return Handed(part, PartState.QUEUED, str(error))
        except OutboxSilent as error:
            return Handed(part, PartState.UNCERTAIN, str(error))
        except OutboxUnavailable as error:
            return Handed(part, PartState.QUEUED, str(error), closed=True)
        finally:
            outbox.close()
        return Handed(part, PartState.ACCEPTED, outlet_id=message_id)


def letter(errand: Errand, part: LeasedPart, message_id: str) -> bytes:
    """The mail, with CR LF; the same at every try."""
    frame = Frame(
        errand.originator,
        errand.destination,
        message_id,
        part.received_at,
        author_name="",
        unasked=True,
    )
    mail = begin(frame, dict(errand.fields).get("subject", ""))
    set_text(mail, errand.text + "\n")
    return mail.as_bytes()
