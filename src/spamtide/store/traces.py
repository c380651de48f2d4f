"""Whether what fell goes on without its name: its addresses, campaigns and engines in mail of `unknown`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection
from typing import Any

import pyarrow as pa

from spamtide.model import UNKNOWN, Carried, SubjectKind, Trace
from spamtide.schema import SCHEMA_VERSION
from spamtide.store.lake import Lake
from spamtide.version import VERSION

KNOWN, WEEK = 14, 7
"""Days whose addresses and campaigns are known, and days that are then looked at."""
MOST_HELD = 12_000_000
"""Messages of some weeks that are kept between two falls: 44 bytes each."""
CARRIED: tuple[Carried, ...] = ("addresses", "campaigns", "engines")
"""What is looked for, one trace each."""
OF_ENGINES = "_skeleton_", "_dialect_"
"""What is in the name of a learned rule that is about what makes the mail, and not about its text."""
EPOCH = dt.date(1970, 1, 1)
MICROSECONDS_A_DAY = 86_400_000_000
"""Days are counted by it: for a date DuckDB asks a calendar of zones, which costs as much as an address."""
NAMED: frozenset[SubjectKind] = frozenset({"botnet", "programme"})
"""Kinds that messages are given names of."""

Subject = tuple[SubjectKind, str]


class Remembered:
    """Traces, those of weeks whose files are the same as when they were counted from the table `changes`.

    A fall is asked about at each update for as long as it is in the series, mostly of weeks long past. The
    commit of `changes` says what was asked; files never change, so that the same ones say the same. Falls of
    the same weeks have their mail read once.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._held: list[tuple[frozenset[int], pa.Table]] = []
        """Mail of some weeks, none of which is in two of them."""
        self._known: dict[str, Any] = lake.note("changes").get("traces", {})
        self._asked: dict[str, Any] = {}

    def __call__(self, subject: Subject, first: dt.date, last: dt.date, until: dt.date) -> tuple[Trace, ...]:
        """As `traces`."""
        weeks = _weeks(_edges(first, last, until))
        files = [self._lake.files_of_weeks(table, weeks) for table in ("evidence", "attributions")]
        question = subject, first, last, until < last, _days(last, until)
        asked = repr((VERSION, SCHEMA_VERSION, CARRIED, *question, files))
        key = hashlib.sha256(asked.encode()).hexdigest()[:32]
        if key in self._known:
            found = tuple(
                Trace(of, *((one, other) for one, other in counts)) for of, *counts in self._known[key]
            )
        else:
            found = traces(self._lake, subject, first, last, until, self._mail)
        # Lists, as a note gives them back: the same traces keep the table's version.
        self._asked[key] = [
            [one.of, *map(list, (one.own, one.before, one.after, one.since, one.elsewhere))] for one in found
        ]
        return found

    def _mail(self, lake: Lake, weeks: Collection[int]) -> pa.Table:
        """As `mail`, with weeks besides; some millions of messages are kept."""
        missing = frozenset(weeks).difference(*(of for of, _ in self._held))
        if missing:
            self._held.append((missing, mail(lake, missing)))
        found = [(of, rows) for of, rows in self._held if not of.isdisjoint(weeks)]
        rest = [one for one in self._held if one[0].isdisjoint(weeks)]
        while rest and sum(rows.num_rows for _, rows in (*rest, *found)) > MOST_HELD:
            del rest[0]
        self._held = [*rest, *found]
        return pa.concat_tables(rows for _, rows in found)

    def note(self) -> dict[str, Any]:
        """What the commit of `changes` is to say."""
        return {"traces": self._asked} if self._asked else {}


def mail(lake: Lake, weeks: Collection[int]) -> pa.Table:
    """Wild spam of some weeks: address, campaign, engine, botnet and programme as hashes, and its day.

    An engine is what rules of engines its mail fits; of none, it is none.
    """
    inside = f"week IN ({', '.join(map(str, sorted(weeks)))})"
    named = " OR ".join(f"contains(rule, '{part}')" for part in OF_ENGINES)
    engines = f"list_filter(rules, lambda rule: {named})"  # half the price of a pattern over all of them
    return lake.query(
        f"""
        SELECT e.address, e.campaign, e.engine, e.day, a.botnet, a.programme
        FROM (SELECT CASE WHEN source_ip IS NOT NULL THEN hash(source_ip) END AS address,
                     CASE WHEN campaign IS NOT NULL THEN hash(campaign) END AS campaign,
                     CASE WHEN len({engines}) > 0 THEN hash({engines}) END AS engine,
                     DATE '{EPOCH}' + (epoch_us(received_at) // {MICROSECONDS_A_DAY})::INTEGER AS day,
                     hash(sha256, sensor) AS message
              FROM evidence WHERE {inside} AND label = 'spam' AND lab IS NULL) e
        JOIN (SELECT hash(botnet) AS botnet, hash(programme) AS programme, hash(sha256, sensor) AS message
              FROM attributions WHERE {inside}) a USING (message)
        """  # noqa: S608 - numbers
    )


def traces(
    lake: Lake,
    subject: Subject,
    first: dt.date,
    last: dt.date,
    until: dt.date,
    of_weeks: Callable[[Lake, Collection[int]], pa.Table] = mail,
) -> tuple[Trace, ...]:
    """What is left of a botnet or programme in mail without a name of its kind (see model.Trace).

    The week before is held against the two weeks before that, so that its addresses had as much time to
    change as those of the week since. Reads the evidence of the weeks around alone.

    Args:
        lake: the observatory's.
        subject: its kind and name.
        first: first day on which it may have begun to fall.
        last: first day at the new level.
        until: first day that is not known yet. Before `last`, time is read backwards, in which a rise is a
            fall: its last day, the last at the level before it, and the last that is too early.
        of_weeks: reads some weeks, as `mail` does; more of them do no harm.
    """
    kind, name = subject
    days = _days(last, until)
    if days < 1 or kind not in NAMED:
        return ()
    edges = _edges(first, last, until)
    begin, end = _weeks(edges)
    asked = pa.table({"name": [name], "first": [first], "last": [last]})
    way = "-" if until < last else ""
    # Whose machines turn to another botnet is not asked; which programme they turn to is.
    others = f"AND m.botnet IN (hash(q.name), hash('{UNKNOWN}'))" if kind == "botnet" else ""
    rows = lake.query(
        f"""
        WITH mail AS (
            SELECT m.address, m.campaign, m.engine,
                   CASE m.{kind} WHEN hash(q.name) THEN 'own' WHEN hash('{UNKNOWN}') THEN 'none' ELSE '' END
                   AS whose,
                   {way}(m.day - q.first) AS off, {way}(m.day - q.last) AS since
            FROM held m CROSS JOIN asked q
            WHERE m.day >= DATE '{edges[0]}' AND m.day < DATE '{edges[1]}' {others}),
        sides AS (
            SELECT address, campaign, engine, whose, off >= 0 AS after FROM mail
            WHERE off BETWEEN -{WEEK} AND -1 OR since BETWEEN 0 AND {days - 1}),
        known AS (
            SELECT address, campaign, engine, false AS after FROM mail
            WHERE whose = 'own' AND off BETWEEN -{KNOWN + WEEK} AND -{WEEK + 1}
            UNION ALL
            SELECT address, campaign, engine, true FROM mail
            WHERE whose = 'own' AND off BETWEEN -{KNOWN} AND -1),
        addresses AS (SELECT DISTINCT address, after FROM known),
        campaigns AS (SELECT DISTINCT campaign, after FROM known),
        engines AS (SELECT DISTINCT engine, after FROM known)
        SELECT s.whose, s.after, count(*) AS messages, count(a.address) AS addresses,
               count(c.campaign) AS campaigns, count(e.engine) AS engines
        FROM sides s
        LEFT JOIN addresses a ON a.address = s.address AND a.after = s.after
        LEFT JOIN campaigns c ON c.campaign = s.campaign AND c.after = s.after
        LEFT JOIN engines e ON e.engine = s.engine AND e.after = s.after
        GROUP BY ALL
        """,  # noqa: S608 - the numbers are numbers
        asked=asked,
        held=of_weeks(lake, range(begin, end + 1)),
    )
    found = {(row["whose"], row["after"]): row for row in rows.to_pylist()}
    none = dict.fromkeys(("messages", *CARRIED), 0)
    (own, since), (before, after), (others, turned) = (
        [found.get((whose, after), none) for after in (False, True)] for whose in ("own", "none", "")
    )
    return tuple(
        Trace(
            of,
            (own[of], own["messages"]),
            (before[of], WEEK),
            (after[of], days),
            (since[of], since["messages"]),
            (others[of], turned[of]),
        )
        for of in CARRIED
    )


def _days(last: dt.date, until: dt.date) -> int:
    """Days since a fall, or before a rise, that are looked at."""
    return min(abs((until - last).days), WEEK)


def _edges(first: dt.date, last: dt.date, until: dt.date) -> tuple[dt.date, dt.date]:
    """First day of which mail is read, and the day after the last."""
    day = dt.timedelta(days=1)
    if until < last:
        return last - (_days(last, until) - 1) * day, first + (KNOWN + WEEK + 1) * day
    return first - (KNOWN + WEEK) * day, last + _days(last, until) * day


def _weeks(edges: tuple[dt.date, dt.date]) -> tuple[int, int]:
    """First and last week in which these days are."""
    first, last = ((day - EPOCH).days // 7 for day in edges)
    return first, last
