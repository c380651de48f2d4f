"""Dates as mail writes them."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.observation.when import believed, read_date


def utc(*fields: int) -> dt.datetime:
    return dt.datetime(*fields, tzinfo=dt.UTC)  # type: ignore[arg-type]  # a date in full


@pytest.mark.parametrize(
    ("text", "at", "zone"),
    [
        ("Tue, 6 Apr 2010 10:11:12 +0200", utc(2010, 4, 6, 8, 11, 12), "+0200"),
        ("6 Apr 2010 10:11 GMT", utc(2010, 4, 6, 10, 11), "GMT"),
        ("Tue,  6 Apr 2010 03:11:12 -0700 (PDT)", utc(2010, 4, 6, 10, 11, 12), "-0700"),
        ("Tue, 06 Apr 10 10:11:12 EDT", utc(2010, 4, 6, 14, 11, 12), "EDT"),
        ("Tue, 6-Apr-2010 10:11:12 +0000", utc(2010, 4, 6, 10, 11, 12), "+0000"),
        ("Tue Apr  6 10:11:12 2010", utc(2010, 4, 6, 10, 11, 12), ""),
        ("Tue, 6 Apr 2010 10.11.12 +0530", utc(2010, 4, 6, 4, 41, 12), "+0530"),
        ("Tue, 6 April 2010 10:11:60 +0000", utc(2010, 4, 6, 10, 11, 59), "+0000"),
        ("6 Apr 2010 10:11:12 PM", utc(2010, 4, 6, 10, 11, 12), ""),
        ("Tue, 6 Apr 2010 10:11:12 -1900", utc(2010, 4, 7, 5, 11, 12), "-1900"),
        ("Sun, 25 Aug 0102 02:03:20 +0500", None, "+0500"),
        ("Thu, 34 Sep 2009 10:11:12 +0000", None, ""),
        ("Tue, 6 Apr 2210 10:11:12 +0000", None, "+0000"),
        ("09-09-2022", None, ""),
        ("", None, ""),
    ],
)
def test_dates(text: str, at: dt.datetime | None, zone: str) -> None:
    """Known forms give their instant and their zone as written; impossible ones give none."""
    assert read_date(text) == (at, zone)


@given(st.datetimes(min_value=dt.datetime(1990, 1, 2), max_value=dt.datetime(2099, 12, 30)))  # noqa: DTZ001 - naive by hypothesis' contract
def test_dates_round_trip(naive: dt.datetime) -> None:
    """What the standard library writes is read back to the second."""
    at = naive.replace(microsecond=0, tzinfo=dt.UTC)
    assert read_date(format_datetime(at)) == (at, "+0000")


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Any text gives a believable instant or none."""
    at, _ = read_date(text)
    assert at is None or 1990 <= at.year < 2100


@pytest.mark.parametrize("year", [1, 1904, 2106, 9998])
def test_a_time_of_reception_that_cannot_be_is_not_believed(year: int) -> None:
    """A From_ line in a body, where an mbox does not quote it: days up to then would be counted."""
    assert believed(utc(year, 1, 1)) is None


def test_a_time_of_reception_is_in_utc() -> None:
    east = dt.timezone(dt.timedelta(hours=2))
    assert believed(dt.datetime(2010, 10, 4, 10, tzinfo=east)) == utc(2010, 10, 4, 8)
    assert believed(utc(2010, 10, 4, 10).replace(tzinfo=None)) == utc(2010, 10, 4, 10)
    assert believed(None) is None
