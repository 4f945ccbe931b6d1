"""The options of a domain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sms_milter.dialects.smscentre import SmscentreOptions


def test_the_default_zone_is_moscow_as_tz_counts_it() -> None:
    offset = datetime(2012, 7, 1, tzinfo=UTC).astimezone(SmscentreOptions().timezone).utcoffset()
    assert offset == timedelta(hours=3)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "", 3])
def test_a_zone_has_a_known_name(name: object) -> None:
    with pytest.raises(ValidationError):
        SmscentreOptions.model_validate({"timezone": name})
