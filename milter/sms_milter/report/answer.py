"""A dialect's answer as a plain mail."""

from __future__ import annotations

from sms_milter.model import Answer
from sms_milter.report.letter import Frame, begin, set_text


def compose(answer: Answer, frame: Frame) -> bytes:
    """The mail, with CR LF."""
    mail = begin(frame, answer.subject)
    set_text(mail, answer.body)
    return mail.as_bytes()
