"""Ringtones: from RTTTL, as people write melodies, to the binary form of Smart Messaging (ENC §9.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sms_milter.errors import ContentFault
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh

_PORT = 5505
_LONGEST = 384  # octets: three SMS
_MOST_INSTRUCTIONS = 255
_LONGEST_TITLE = 15  # characters
_MOST_LOOPS = 15

# setting  = "d=" duration / "o=" octave / "b=" 1*3DIGIT / "s=" ( "n" / "c" / "s" ) / "l=" 1*2DIGIT
_SETTING = re.compile(r"(d)=(1|2|4|8|16|32)|(o)=([4-7])|(b)=([0-9]{1,3})|(s)=([ncs])|(l)=([0-9]{1,2})")
# note     = [ duration ] [ "." ] pitch [ "." ] [ octave ] [ "." ]
_NOTE = re.compile(r"(1|2|4|8|16|32)?(\.?)(p|[cdfga]#?|[ebh])(\.?)([4-7])?(\.?)")

_PITCHES = {
    name: value
    for value, names in enumerate(
        ("p", "c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b h"),
    )
    for name in names.split()
}
_DURATIONS = {"1": 0, "2": 1, "4": 2, "8": 3, "16": 4, "32": 5}
_STYLES = {"n": 0, "c": 1, "s": 2}
_LOWEST_OCTAVE = 4
_BEATS_PER_MINUTE = (
    25, 28, 31, 35, 40, 45, 50, 56, 63, 70, 80, 90, 100, 112, 125, 140,
    160, 180, 200, 225, 250, 285, 320, 355, 400, 450, 500, 565, 635, 715, 800, 900,
)  # fmt: skip

Field = tuple[int, int]
"""A value and how many bits it takes, most significant first."""

_RINGING_TONE, _SOUND, _BASIC_SONG = (0b0100101, 7), (0b0011101, 7), (0b001, 3)
_PATTERN_HEADER, _PATTERN_A = (0b000, 3), (0b00, 2)
_NOTE_ID, _SCALE_ID, _STYLE_ID, _TEMPO_ID = (0b001, 3), (0b010, 3), (0b011, 3), (0b100, 3)


@dataclass(frozen=True, slots=True)
class _Note:
    """One event of a melody; `pitch` 0 is a pause."""

    pitch: int
    duration: int
    dotted: bool
    octave: int


def ringtone(rtttl: str) -> Binary:
    """The ringtone that `rtttl` writes down, such as `Test:d=4,o=5,b=63:c,d,e,8f.,p,16c#6`.

    A title is cut to 15 characters. Raises ContentFault for what is no RTTTL, or more than three SMS hold.
    """
    # rtttl    = name ":" [ setting *( "," setting ) ] ":" note *( "," note ) [ "," ]
    title, colon, rest = rtttl.partition(":")
    settings, second_colon, melody = "".join(rest.lower().split()).partition(":")
    if not (colon and second_colon):
        raise ContentFault("a ringtone has three sections with colons between them: name, settings, notes")
    chosen = {"d": "4", "o": "6", "b": "63", "s": "n", "l": "0"} | _settings(settings)
    if int(chosen["l"]) > _MOST_LOOPS:
        raise ContentFault(f"a ringtone is repeated at most {_MOST_LOOPS} times")
    notes = tuple(_notes(melody.removesuffix(","), chosen))
    style, tempo = _STYLES[chosen["s"]], _tempo(int(chosen["b"]))
    octets = _composed(_title(title), int(chosen["l"]), list(_instructions(notes, style, tempo)))
    if len(octets) > _LONGEST:
        raise ContentFault(f"a ringtone has at most {_LONGEST} octets, this one {len(octets)}")
    return _addressed(octets)


def ready_ringtone(octets: bytes) -> Binary:
    """A ringtone that is in the binary form already. Raises ContentFault when it does not look like one."""
    if not octets.startswith(b"\x02\x4a"):
        raise ContentFault("a ringtone in binary form begins with 02 4A")
    return _addressed(octets)


def _addressed(octets: bytes) -> Binary:
    return Binary(octets, udh=udh.ports(_PORT), kind=Kind.RINGTONE)


# --- what is written ----------------------------------------------------------------------------------------


def _title(name: str) -> bytes:
    name = name.strip()[:_LONGEST_TITLE]
    if not name.isprintable():
        raise ContentFault("the name of a ringtone holds printable characters only")
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        raise ContentFault("the name of a ringtone holds ISO-8859-1 characters only") from None


def _settings(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, setting in enumerate(written.split(",") if written else (), start=1):
        match = _SETTING.fullmatch(setting)
        if match is None:
            raise ContentFault(f"setting {number} of the ringtone cannot be read")
        name, value = filter(None, match.groups())
        found[name] = value
    return found


def _notes(written: str, settings: dict[str, str]) -> Iterator[_Note]:
    if not written:
        raise ContentFault("a ringtone without notes")
    for number, note in enumerate(written.split(","), start=1):
        match = _NOTE.fullmatch(note)
        if match is None:
            raise ContentFault(f"note {number} of the ringtone cannot be read")
        duration, before, pitch, after, octave, last = match.groups()
        yield _Note(
            _PITCHES[pitch],
            _DURATIONS[duration or settings["d"]],
            bool(before or after or last),
            int(octave or settings["o"]),
        )


def _tempo(beats: int) -> int:
    """The index of the slowest tempo that is no slower than `beats` per minute; of the fastest beyond it."""
    fast_enough = (index for index, known in enumerate(_BEATS_PER_MINUTE) if known >= beats)
    return next(fast_enough, len(_BEATS_PER_MINUTE) - 1)


# --- the binary form ----------------------------------------------------------------------------------------


def _instructions(notes: Sequence[_Note], style: int, tempo: int) -> Iterator[tuple[Field, ...]]:
    """Scale, style, tempo and notes; a scale only where the octave changes, style and tempo once."""
    octave = None
    for at, note in enumerate(notes):
        if note.pitch and note.octave != octave:
            octave = note.octave
            yield _SCALE_ID, (octave - _LOWEST_OCTAVE, 2)
        if at == 0:
            yield _STYLE_ID, (style, 2)
            yield _TEMPO_ID, (tempo, 5)
        yield _NOTE_ID, (note.pitch, 4), (note.duration, 3), (int(note.dotted), 2)


def _composed(title: bytes, loop: int, instructions: Sequence[tuple[Field, ...]]) -> bytes:
    if len(instructions) > _MOST_INSTRUCTIONS:
        raise ContentFault(f"a ringtone has at most {_MOST_INSTRUCTIONS} instructions: too many notes")
    fields = [
        (2, 8),  # commands
        (_RINGING_TONE[0] << 1, 8),  # to the border of an octet
        _SOUND,
        _BASIC_SONG,
        (len(title), 4),
        *((character, 8) for character in title),
        (1, 8),  # song patterns
        _PATTERN_HEADER,
        _PATTERN_A,
        (loop, 4),
        (len(instructions), 8),
        *(field for instruction in instructions for field in instruction),
    ]
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    octets = -(-len(bits) // 8)
    return int(bits.ljust(8 * octets, "0"), 2).to_bytes(octets, "big") + b"\0"
