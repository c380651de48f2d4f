"""The From_ line: what stands in front of each message of an mbox, and what it knows of the reception."""

from __future__ import annotations

import datetime as dt
import re

from spamtide.model import NO_ENVELOPE, Envelope

FROM_LINE_BYTES = 998
"""Longest From_ line (RFC 5322, 2.1.1)."""
_NAME_BYTES = 76
"""Longest field name that is looked for below a From_ line."""
AHEAD_BYTES = len("\nFrom ") + FROM_LINE_BYTES + _NAME_BYTES + 16
"""Bytes that must be seen before a line can be judged."""
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DATE = re.compile(
    rb"[ \t](?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ \t]{1,4}"
    rb"(?:(?P<month>" + b"|".join(_MONTHS) + rb")[ \t]{1,4}(?P<day>[0-9]{1,2})"
    rb"|(?P<day_first>[0-9]{1,2})[ \t]{1,4}(?P<month_second>" + b"|".join(_MONTHS) + rb")"
    rb"(?:[ \t]{1,4}(?P<year_third>[0-9]{4}))?)[ \t]{1,4}"
    rb"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    rb"(?:[ \t]{1,4}(?P<zone>[A-Z]{1,5}|[+-][0-9]{4}))?"
    rb"(?:[ \t]{1,4}(?P<year>[0-9]{4}))?(?:[ \t]{1,4}(?P<zone_last>[+-][0-9]{4}))?"
)
"""asctime's `Wed Jul  3 12:34:56 2002`, with a zone before or after the year, or in the order of RFC 5322."""
FIELD = re.compile(rb">?[!-9;-~]{1,%d}[ \t]{0,8}:|>From " % _NAME_BYTES)

ZONES: dict[bytes, int] = {
    b"GMT": 0,
    b"UTC": 0,
    b"UT": 0,
    b"Z": 0,
    b"EST": -5,
    b"EDT": -4,
    b"CST": -6,
    b"CDT": -5,
    b"MST": -7,
    b"MDT": -6,
    b"PST": -8,
    b"PDT": -7,
}
"""Zone names of RFC 822 -> hours; a From_ line without a zone is in UTC (RFC 4155)."""

PLACEHOLDER_SENDERS = frozenset({"-", "MAILER-DAEMON", "mboxrd@z", "???@???"})
"""What writers put where they know no sender."""
PLACEHOLDER_TIMES = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2001, 9, 17, tzinfo=dt.UTC))
"""What public-inbox and git write where they know no time of reception."""


def from_line(head: bytes) -> bytes | None:
    """Return the From_ line, without its end, that `head` begins with; None when it begins otherwise."""
    line, _, below = head[:AHEAD_BYTES].partition(b"\n")
    line = line.rstrip(b"\r")
    if not line.startswith(b"From ") or len(line) > FROM_LINE_BYTES:
        return None
    return line if dated(line) or FIELD.match(below) else None


def dated(line: bytes) -> bool:
    """Whether a From_ line holds a date."""
    match = _DATE.search(line)
    return match is not None and (match["year"] or match["year_third"]) is not None


def read_from_line(line: bytes) -> Envelope:
    """Say what a From_ line knows of the reception: the sender and the time."""
    if not line:
        return NO_ENVELOPE
    match = _DATE.search(line)
    sender = (
        line[len(b"From ") : match.start() if match else len(line)]
        .strip()
        .decode("utf-8", "backslashreplace")
    )
    plain = sender[1:-1] if sender.startswith("<") and sender.endswith(">") else sender
    known = sender not in PLACEHOLDER_SENDERS and plain and not plain.count(" ")
    mail_from = plain if known or sender == "<>" else None
    return Envelope(mail_from=mail_from, received_at=_time(match) if match else None)


def _time(match: re.Match[bytes]) -> dt.datetime | None:
    """Time of a From_ line in UTC; None for one that is none or only fills the place."""
    year = match["year"] or match["year_third"]
    if year is None:
        return None
    zone = match["zone_last"] or match["zone"] or b"UTC"
    if zone[:1] in b"+-":
        offset = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) * (-1 if zone[:1] == b"-" else 1)
    else:
        offset = dt.timedelta(hours=ZONES.get(zone, 0))
    try:
        local = dt.datetime(
            int(year),
            _MONTHS.index(match["month"] or match["month_second"]) + 1,
            int(match["day"] or match["day_first"]),
            int(match["hour"]),
            int(match["minute"]),
            int(match["second"] or 0),
            tzinfo=dt.UTC,
        )
        at = local - offset
    except (ValueError, OverflowError):
        return None
    return None if at in PLACEHOLDER_TIMES else at
