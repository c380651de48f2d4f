"""Dates of mail to instants in UTC: one pattern for what mail holds, the standard library for the rest.

Source: RFC 5322 section 3.3, with the obsolete zones of section 4.3.
"""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_tz
from functools import lru_cache

from spamtide.compiled import native

EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
"""Times outside are not believed."""
_SURELY = (1990, 2099)
"""Years between which every time is inside, whatever its zone."""

ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "met": 60,
    "cest": 120, "mest": 120, "eet": 120, "eest": 180, "msk": 180, "msd": 240, "jst": 540, "kst": 540,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip
"""Zone names and their offsets in minutes."""

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DATE = re.compile(
    r"\b(\d{1,2})[ -]+([A-Za-z]{3})[a-z]*[ -]+(\d{4}|\d\d)[ ,]+(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?:\.\d+)?"
    r"\s*(?:([+-]\d{4})|\(?([A-Za-z]{1,5})\b)?"
)
_DATE_CHARS = 200


def believed(at: dt.datetime | None) -> dt.datetime | None:
    """A time in UTC (which one without a zone is in); None for one that is not believed."""
    if at is None:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return at.astimezone(dt.UTC) if EARLIEST <= at < LATEST else None


def read_date(value: str) -> tuple[dt.datetime | None, str]:
    """Instant in UTC and the zone as written; (None, '') when there is no believable date in `value`."""
    known_form = native.read_date(value) if native else None
    if known_form:
        return known_form
    match = _DATE.search(value, 0, _DATE_CHARS)
    if match is None:
        return _read_otherwise(value[:_DATE_CHARS])
    day, month, year, hour, minute, second, offset, name = match.groups()
    number = _MONTHS.get(month.lower())
    if number is None:
        return None, ""
    full = int(year)
    if len(year) != 4:  # noqa: PLR2004 - RFC 5322 4.3
        full += 2000 if full < 70 else 1900  # noqa: PLR2004 - as above
    known = ZONES.get(name.lower()) if name else None
    east = _offset(offset) if offset else known and dt.timedelta(minutes=known)
    try:
        at = dt.datetime(full, number, int(day), int(hour), int(minute), min(int(second or 0), 59), 0, dt.UTC)
        if east:
            at -= east
    except (ValueError, OverflowError):
        return None, ""
    zone = offset or (name if name and known is not None else "")
    return (at if _SURELY[0] < full < _SURELY[1] or EARLIEST <= at < LATEST else None), zone


@lru_cache(maxsize=256)
def _offset(zone: str) -> dt.timedelta:
    """How far east of Greenwich a zone like '+0530' is; 0 for one that no place has."""
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    if minutes > 24 * 60:
        minutes = 0
    return dt.timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def _read_otherwise(value: str) -> tuple[dt.datetime | None, str]:
    """Dates that the pattern does not know, such as asctime's."""
    try:
        fields = parsedate_tz(value)
        if fields is None:
            return None, ""
        at = dt.datetime(*fields[:6], tzinfo=dt.UTC) - dt.timedelta(seconds=fields[9] or 0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None, ""
    return (at if EARLIEST <= at < LATEST else None), ""
