"""ENC §9.2 and its vectors 26 to 29."""

import pytest

from sms_milter.errors import ContentFault
from sms_milter.model import Kind
from sms_milter.sms import udh
from sms_milter.sms.smart import ready_ringtone, ringtone
from support.smart import tune

SIMPSONS = (
    "Simpsons:d=8,o=5,b=160:c.6,e6,f#6,a6,g.6,e6,c6,a,f#,f#,f#,2g,p,p,f#,f#,f#,g,a#.,c6,c6,c6",
    "024A3A614DA5B5C1CDBDB9CC040036A6481169561761A618695611624D30BB0BB0BB0C10830830BB0BB0BB0C30DB54458458458000",
)
TEST = ("Test:d=4,o=5,b=63:c,d,e,8f.,p,16c#6", "024A3A515195CDD004001496441141341541669042894000")
TEST_FIVE_TIMES = (
    "Test:d=4,o=5,b=63,l=5:c,d,e,8f.,p,16c#6",
    "024A3A515195CDD0040A1496441141341541669042894000",
)
PUBLISHED = (
    "024A3A5585E195B198040042D9049741A69761781B6176156174288B525D85E0A26C24C49A617628930BB125E0558560498658"
    "85D200"
)


def notes(melody: str, settings: str = "") -> list[tuple[str, tuple[int, ...]]]:
    return tune(ringtone(f"x:{settings}:{melody}").octets).instructions


def fault(rtttl: str) -> str:
    with pytest.raises(ContentFault) as raised:
        ringtone(rtttl)
    return str(raised.value)


@pytest.mark.parametrize(("rtttl", "octets"), [TEST, TEST_FIVE_TIMES, SIMPSONS])
def test_vectors(rtttl: str, octets: str) -> None:
    assert ringtone(rtttl).octets.hex().upper() == octets


def test_a_whole_submit() -> None:
    tone = ringtone(TEST[0])
    assert (udh.compose(tone.udh) + tone.octets).hex().upper() == "06050415810000" + TEST[1]
    assert (tone.kind, tone.data_coding, tone.esm_class) == (Kind.RINGTONE, 4, 0)


def test_a_published_ringtone_reads_as_it_should() -> None:
    axelf = tune(bytes.fromhex(PUBLISHED))
    assert (axelf.title, axelf.loop, len(axelf.instructions)) == ("axelf", 0, 33)
    assert axelf.instructions[:5] == [
        ("style", (1,)),
        ("tempo", (16,)),
        ("scale", (1,)),
        ("note", (7, 2, 0)),
        ("note", (10, 3, 1)),
    ]
    assert axelf.instructions[-2:] == [("scale", (0,)), ("scale", (3,))]
    assert ready_ringtone(bytes.fromhex(PUBLISHED)).octets.hex().upper() == PUBLISHED


def test_what_is_not_in_binary_form() -> None:
    with pytest.raises(ContentFault, match="02 4A"):
        ready_ringtone(b"Test")


def test_defaults() -> None:
    assert notes("c") == [("scale", (2,)), ("style", (0,)), ("tempo", (8,)), ("note", (1, 2, 0))]


def test_case_and_blanks_mean_nothing() -> None:
    assert ringtone("Test: D=4, O=5,\n b=63 :C, d,E,8F .,P,\t16C#6 ,").octets == ringtone(TEST[0]).octets


@pytest.mark.parametrize(
    ("note", "values"),
    [
        ("c", (1, 2, 0)),
        ("c#", (2, 2, 0)),
        ("e", (5, 2, 0)),
        ("a#", (11, 2, 0)),
        ("b", (12, 2, 0)),
        ("h", (12, 2, 0)),
        ("p", (0, 2, 0)),
        ("1p", (0, 0, 0)),
        ("2c", (1, 1, 0)),
        ("8c", (1, 3, 0)),
        ("16c", (1, 4, 0)),
        ("32c", (1, 5, 0)),
        ("8.c", (1, 3, 1)),
        ("8c.", (1, 3, 1)),
        ("8c6.", (1, 3, 1)),
        ("8.c.6.", (1, 3, 1)),
    ],
)
def test_notes(note: str, values: tuple[int, ...]) -> None:
    assert notes(note)[-1] == ("note", values)


def test_a_scale_comes_with_a_change_of_octave_only() -> None:
    assert " ".join(name for name, _ in notes("p,c,p,d,e7,p7,p,f7,c4")) == (
        "style tempo note scale note note note scale note note note note scale note"
    )
    assert [values for name, values in notes("c4,c5,c6,c7") if name == "scale"] == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("beats", "index"),
    [(0, 0), (25, 0), (26, 1), (63, 8), (64, 9), (160, 16), (161, 17), (900, 31), (999, 31)],
)
def test_tempo(beats: int, index: int) -> None:
    assert ("tempo", (index,)) in notes("c", f"b={beats}")


@pytest.mark.parametrize(("letter", "style"), [("n", 0), ("c", 1), ("s", 2)])
def test_style(letter: str, style: int) -> None:
    assert ("style", (style,)) in notes("c", f"s={letter}")


@pytest.mark.parametrize(
    ("name", "title"),
    [("", ""), (" Für Elise ", "Für Elise"), ("A very long name indeed", "A very long nam")],
)
def test_titles(name: str, title: str) -> None:
    assert tune(ringtone(f"{name}::c").octets).title == title


@pytest.mark.parametrize("loop", [0, 1, 15])
def test_loops(loop: int) -> None:
    assert tune(ringtone(f"x:l={loop}:c").octets).loop == loop


@pytest.mark.parametrize(
    ("rtttl", "words"),
    [
        ("", "three sections"),
        ("Test", "three sections"),
        ("Test:d=4", "three sections"),
        ("Test::", "without notes"),
        ("Test:: , ", "without notes"),
        ("Test::,,", "note 1"),
        ("Test::c,,d", "note 2"),
        ("Test::c,d,,", "note 3"),
        ("Test::x", "note 1"),
        ("Test::c8", "note 1"),
        ("Test::e#", "note 1"),
        ("Test::p#", "note 1"),
        ("Test::64c", "note 1"),
        ("Test::c3", "note 1"),
        ("Test::c:d", "note 1"),
        ("Test::٤c", "note 1"),
        ("Test:d=3:c", "setting 1"),
        ("Test:d=4,,o=5:c", "setting 2"),
        ("Test:o=8:c", "setting 1"),
        ("Test:b=1000:c", "setting 1"),
        ("Test:s=x:c", "setting 1"),
        ("Test:v=5:c", "setting 1"),
        ("Test:l=16:c", "at most 15"),
        ("T\nst::c", "printable"),
        ("Жук::c", "ISO-8859-1"),
    ],
)
def test_what_is_no_ringtone(rtttl: str, words: str) -> None:
    assert words in fault(rtttl)


def test_as_many_instructions_as_can_be_counted() -> None:
    up_and_down = ",".join(["c5,c6"] * 63)  # with its scales, style and tempo: 254
    assert len(tune(ringtone(f"::{up_and_down},p").octets).instructions) == 255
    assert "at most 255 instructions" in fault(f"::{up_and_down},p,p")


def test_three_sms_are_the_most() -> None:
    # 252 notes of 12 bits, scale, style, tempo and the longest title come to 397 octets.
    assert "at most 384 octets" in fault("123456789012345::" + ",".join("c" * 252))
