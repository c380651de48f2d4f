"""Whether what fell goes on without its name: its addresses, campaigns and engines in mail of `unknown`.

Where dates of a fall are told anew, they move by a day now and then. What is counted is counted for the days
beside them too: reading the mail costs ten times as much.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from spamtide.model import UNKNOWN, Carried, Counts, SubjectKind, Trace
from spamtide.store.lake import Lake

KNOWN, WEEK = 14, 7
"""Days whose addresses and campaigns are known, and days that are then looked at."""
BESIDE = 1
"""Days by which either date of a fall may move for what was counted to hold for it."""
SHIFTS = range(-BESIDE, BESIDE + 1)
CARRIED: dict[SubjectKind, tuple[Carried, ...]] = {
    "botnet": ("addresses", "campaigns", "engines"),
    "programme": ("addresses", "campaigns"),
}
"""What is looked for, one trace each, by the kind of what fell: engines outlive programmes."""
COLUMN: dict[Carried, str] = {"addresses": "address", "campaigns": "campaign", "engines": "engine"}
OF_ENGINES = "_skeleton_", "_dialect_"
"""What is in the name of a learned rule that is about what makes the mail, and not about its text."""
EPOCH = dt.date(1970, 1, 1)
MICROSECONDS_A_DAY = 86_400_000_000
"""Days are counted by it: for a date DuckDB asks a calendar of zones, which costs as much as an address."""
OWN, NAMELESS, OTHERS = range(3)
"""Whose mail is: of what fell, of nobody, or of another."""

Subject = tuple[SubjectKind, str]


@dataclass(frozen=True, slots=True)
class Fall:
    """What fell, and when; a rise is a fall in reversed time."""

    subject: Subject
    first: dt.date
    """First day on which it may have begun to fall; of a rise, its last day."""
    last: dt.date
    """First day at the new level; of a rise, the last one at the level before it."""
    back: bool
    """Whether time is read backwards."""

    def beside(self, other: Fall) -> tuple[int, int] | None:
        """Days by which the dates of another fall lie later than these; None where that is too much."""
        way = -1 if self.back else 1
        later = way * (other.first - self.first).days, way * (other.last - self.last).days
        alike = (self.subject, self.back) == (other.subject, other.back)
        return later if alike and all(days in SHIFTS for days in later) else None

    def edges(self) -> tuple[dt.date, dt.date]:
        """First day of which mail is read, and the day after the last."""
        day = dt.timedelta(days=1)
        known, seen = (KNOWN + WEEK + BESIDE) * day, (WEEK + BESIDE) * day
        if self.back:
            return self.last - seen + day, self.first + known + day
        return self.first - known, self.last + seen

    def weeks(self) -> tuple[int, int]:
        """First and last week in which these days are."""
        first, last = ((day - EPOCH).days // 7 for day in self.edges())
        return first, last


def fall_of(subject: Subject, first: dt.date, last: dt.date, until: dt.date) -> tuple[Fall, int] | None:
    """A fall, and the days since, or before a rise, that are looked at; None where there is nothing to ask.

    Args:
        subject: its kind and name.
        first: first day on which it may have begun to fall.
        last: first day at the new level.
        until: first day that is not known yet. Before `last`, time is read backwards, in which a rise is a
            fall: its last day, the last at the level before it, and the last that is too early.
    """
    days = min(abs((until - last).days), WEEK)
    return (Fall(subject, first, last, until < last), days) if days and subject[0] in CARRIED else None


def mail(lake: Lake, weeks: Collection[int], *, engines: bool = True) -> pa.Table:
    """Wild spam of some weeks: address, campaign, engine, botnet and programme as hashes, and its day.

    An engine is what rules of engines its mail fits; of none, it is none. They are told with `engines` alone.
    """
    inside = f"week IN ({', '.join(map(str, sorted(weeks)))})"
    named = " OR ".join(f"contains(rule, '{part}')" for part in OF_ENGINES)
    fitting = f"list_filter(rules, lambda rule: {named})"  # half the price of a pattern over all of them
    engine = f"CASE WHEN len({fitting}) > 0 THEN hash({fitting}) END AS engine," if engines else ""
    return lake.query(
        f"""
        SELECT e.* EXCLUDE message, a.botnet, a.programme
        FROM (SELECT CASE WHEN source_ip IS NOT NULL THEN hash(source_ip) END AS address,
                     CASE WHEN campaign IS NOT NULL THEN hash(campaign) END AS campaign,
                     {engine}
                     DATE '{EPOCH}' + (epoch_us(received_at) // {MICROSECONDS_A_DAY})::INTEGER AS day,
                     hash(sha256, sensor) AS message
              FROM evidence WHERE {inside} AND label = 'spam' AND lab IS NULL) e
        JOIN (SELECT hash(botnet) AS botnet, hash(programme) AS programme, hash(sha256, sensor) AS message
              FROM attributions WHERE {inside}) a USING (message)
        """  # noqa: S608 - numbers and our own words
    )


Mail = Callable[[Lake, Collection[int], bool], pa.Table]
"""Reads some weeks, as `mail` does, with engines or without; more of them do no harm."""


def read_mail(lake: Lake, weeks: Collection[int], engines: bool) -> pa.Table:  # noqa: FBT001 - as Mail
    """`mail`."""
    return mail(lake, weeks, engines=engines)


def traces(
    lake: Lake, subject: Subject, first: dt.date, last: dt.date, until: dt.date, of_weeks: Mail = read_mail
) -> tuple[Trace, ...]:
    """What is left of a botnet or programme in mail without a name of its kind (see model.Trace).

    The week before is held against the two weeks before that, so that its addresses had as much time to
    change as those of the week since. Reads the evidence of the weeks around alone. Arguments as for
    `fall_of` and `count`.
    """
    asked = fall_of(subject, first, last, until)
    if asked is None:
        return ()
    fall, days = asked
    return told(fall, count(lake, fall, of_weeks), (0, 0), days)


def count(lake: Lake, fall: Fall, of_weeks: Mail = read_mail) -> Counts:
    """Messages around a fall: all, and those that carry each of CARRIED.

    Args:
        lake: the observatory's.
        fall: what fell, and when.
        of_weeks: reads its weeks.

    Returns:
        By whose they are; of the week before, then of each day since, from BESIDE days before its last on;
        by the day that is taken for its first.
    """
    kind, name = fall.subject
    columns = [COLUMN[of] for of in CARRIED[kind]]
    way = "-" if fall.back else ""
    begin, end = fall.weeks()
    edges = fall.edges()
    # Whose machines turn to another botnet is not asked; which programme they turn to is.
    others = f"AND m.botnet IN (hash(q.name), hash('{UNKNOWN}'))" if kind == "botnet" else ""
    # A number has a bit for each day on which its own mail carried something, the earliest first.
    earliest = -(KNOWN + WEEK + BESIDE)
    seen = [
        f"{column}s AS (SELECT {column}, bit_or(1 << (off - {earliest})) AS days FROM own GROUP BY {column})"  # noqa: S608 - our own words
        for column in columns
    ]
    known = [
        f"count(*) FILTER (({column}s.days & {_bits(shift - far, shift - far + KNOWN, earliest)}) <> 0)"
        for far in (KNOWN + WEEK, KNOWN)
        for shift in SHIFTS
        for column in columns
    ]
    rows = lake.query(
        f"""
        WITH mail AS (
            SELECT {", ".join(f"m.{column}" for column in columns)},
                   CASE m.{kind} WHEN hash(q.name) THEN {OWN} WHEN hash('{UNKNOWN}') THEN {NAMELESS}
                   ELSE {OTHERS} END AS whose,
                   {way}(m.day - q.first) AS off, {way}(m.day - q.last) AS since
            FROM held m CROSS JOIN asked q
            WHERE m.day >= DATE '{edges[0]}' AND m.day < DATE '{edges[1]}' {others}),
        own AS (SELECT * FROM mail WHERE whose = {OWN} AND off BETWEEN {earliest} AND {BESIDE - 1}),
        {", ".join(seen)}
        SELECT whose, off, since, count(*) AS messages, {", ".join(known)}
        FROM mail {" ".join(f"LEFT JOIN {column}s USING ({column})" for column in columns)}
        WHERE off BETWEEN {-WEEK - BESIDE} AND {BESIDE - 1} OR since BETWEEN {-BESIDE} AND {WEEK + BESIDE - 1}
        GROUP BY ALL
        """,  # noqa: S608 - the numbers are numbers
        asked=pa.table({"name": [name], "first": [fall.first], "last": [fall.last]}),
        held=of_weeks(lake, range(begin, end + 1), "engine" in columns),
    )
    counted = np.zeros((3, 1 + WEEK + 2 * BESIDE, len(SHIFTS), 1 + len(columns)), dtype=np.int64)
    for whose, off, since, messages, *carried in zip(*(column.to_pylist() for column in rows), strict=True):
        before, after = np.reshape(carried, (2, len(SHIFTS), len(columns)))
        for place, shift in enumerate(SHIFTS):
            if -WEEK <= off - shift < 0:
                counted[whose, 0, place] += [messages, *before[place]]
        if -BESIDE <= since < WEEK + BESIDE:
            counted[whose, 1 + since + BESIDE, :, 0] += messages
            counted[whose, 1 + since + BESIDE, :, 1:] += after
    return counted


def told(fall: Fall, counted: Counts, later: tuple[int, int], days: int) -> tuple[Trace, ...]:
    """Traces of a fall.

    Args:
        fall: what was counted for.
        counted: by `count`.
        later: days by which its dates lie later than then, SHIFTS at most.
        days: days since it that are looked at.
    """
    shift, start = later[0] + BESIDE, 1 + later[1] + BESIDE
    before = counted[:, 0, shift].tolist()
    after = counted[:, start : start + days, shift].sum(axis=1).tolist()
    return tuple(
        Trace(
            of,
            (before[OWN][place], before[OWN][0]),
            (before[NAMELESS][place], WEEK),
            (after[NAMELESS][place], days),
            (after[OWN][place], after[OWN][0]),
            (before[OTHERS][place], after[OTHERS][place]),
        )
        for place, of in enumerate(CARRIED[fall.subject[0]], 1)
    )


def _bits(first: int, end: int, earliest: int) -> int:
    """A number with a bit for each day from the first to the one before the end."""
    return sum(1 << (day - earliest) for day in range(first, end))
