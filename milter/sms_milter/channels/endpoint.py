"""The outlet `http`: an errand becomes a POST with a JSON object, its answer what came of it.

docs/channels.md tells the service's side.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sms_milter.channels.errand import id_of, identity, read, shown
from sms_milter.config.schema import HttpChannel
from sms_milter.errors import NoAnswer, NotSent
from sms_milter.model import Errand, Handed, LeasedPart, PartState, WebAnswer
from sms_milter.ports import Web

# The same request later: RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4.
_AGAIN = (408, 425, 429)
_CLOSED = (429, 503)  # it is not this request that is the trouble


class Endpoint:
    """A web service that takes the errands of one channel. Any thread may hand over."""

    def __init__(self, settings: HttpChannel, web: Web) -> None:
        self._settings, self._web = settings, web
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if settings.token:
            bearer = "Bearer " if settings.token_header.lower() == "authorization" else ""
            self._headers[settings.token_header] = bearer + settings.token

    def hand(self, part: LeasedPart) -> Handed:
        """Ask the service to take it, and wait for its answer."""
        try:
            errand = read(part.body)
        except ValueError:
            return Handed(part, PartState.FAILED, "no errand")
        ours = identity(part)
        headers = {**self._headers, "Idempotency-Key": f'"{ours}"'}
        try:
            answer = self._web.ask("POST", self._settings.url, headers, request(errand, part))
        except NotSent as error:
            return Handed(part, PartState.QUEUED, str(error), closed=True)
        except NoAnswer as error:
            return Handed(part, PartState.UNCERTAIN, str(error), key=self._key(ours))
        return self._meaning(part, ours, answer)

    def _meaning(self, part: LeasedPart, ours: str, answer: WebAnswer) -> Handed:
        status, said = answer.status, f"HTTP {answer.status} {answer.reason}".rstrip()
        if 200 <= status <= 299:
            theirs = _id_in(answer.body)
            return Handed(part, PartState.ACCEPTED, outlet_id=theirs or ours, key=self._key(theirs or ours))
        if 400 <= status <= 499 and status not in _AGAIN:
            return Handed(part, PartState.FAILED, said)
        pause = float(answer.retry_after) if answer.retry_after.isdecimal() else 0.0
        # A redirect leads where nobody has allowed us to go: closed until somebody mends it.
        closed = status in _CLOSED or status < 400
        return Handed(part, PartState.QUEUED, said, closed=closed, pause_seconds=pause)

    def _key(self, identity: str) -> str:
        return identity if self._settings.call_back else ""


def request(errand: Errand, part: LeasedPart) -> bytes:
    """The JSON object that a service gets."""
    asked = {
        "id": identity(part),
        **shown(errand),
        "account": part.account,
        "received_at": _iso(part.received_at),
        "expires_at": _iso(part.expires_at),
    }
    return json.dumps(asked, ensure_ascii=False).encode("utf-8", "replace")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _id_in(octets: bytes) -> str:
    """The id that a JSON object in an answer holds; "" without one, or if it cannot be one."""
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        return ""
    return id_of(said.get("id")) if isinstance(said, dict) else ""
