"""Whatever a mail, a phone or an SMSC brings: a line says the same to a program as to a person."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sms_milter.logline import as_record, clean, line, of_record, read

NAMES = st.sampled_from(["to", "from_", "account", "queue", "message_id", "reply"])
ANYTHING = st.one_of(st.text(), st.text(alphabet=", =<>status()", max_size=40))


@given(st.from_regex(r"[A-Za-z0-9]{0,12}", fullmatch=True), st.dictionaries(NAMES, ANYTHING), ANYTHING)
def test_a_line_is_read_back_as_it_was_meant(name: str, values: dict[str, str], status: str) -> None:
    text = line(name, status=clean(status), **{key: clean(value) for key, value in values.items()})
    said = read(text)
    meant = {key.rstrip("_"): clean(value).replace(", ", ",") for key, value in values.items()}
    assert (said.severity, said.pairs, said.status) == ("info", meant, clean(status))
    assert said.mta_queue_id == ("" if name == "NOQUEUE" else name)
    assert of_record(as_record(text)) == text
