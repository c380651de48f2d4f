"""Which unknown engines made the mail of some days that no botnet is named for."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.model import UNKNOWN
from spamtide.schema import UNDATED
from spamtide.statement import Maker
from spamtide.store.lake import Lake
from spamtide.store.rollup import ENGINE

MOST = 200
"""Engines that are told of: one that is left out has under half a percent of the mail."""
EPOCH = dt.date(1970, 1, 1)


def makers(lake: Lake, programme: str | None, first: dt.date, last: dt.date) -> tuple[Maker, ...]:
    """The engines behind most wild mail without a botnet's name in some days, the most frequent first.

    Reads these days, and for an engine's first day those before, from the first on.

    Args:
        lake: the observatory's.
        programme: only mail for this one; None for all mail.
        first: first day.
        last: last day.
    """
    weeks = [(day - EPOCH).days // 7 for day in (first, last)]
    asked = pa.table({"programme": pa.array([programme], pa.string())})
    found = lake.query(
        f"""
        WITH mail AS (
            SELECT {ENGINE} AS engine, o.source_ip, o.skeleton
            FROM (SELECT * FROM observations WHERE received_at >= TIMESTAMPTZ '{first}'
                  AND received_at < TIMESTAMPTZ '{last + dt.timedelta(days=1)}') o
            JOIN (SELECT * FROM attributions WHERE week BETWEEN {weeks[0]} AND {weeks[1]}) a
                 ON a.sha256 = o.sha256 AND a.sensor = o.sensor
            CROSS JOIN asked q
            WHERE a.botnet = '{UNKNOWN}' AND (q.programme IS NULL OR a.programme = q.programme))
        SELECT engine, count(*) AS messages, count(DISTINCT source_ip) AS sources, min(skeleton) AS skeleton
        FROM mail WHERE engine IS NOT NULL GROUP BY engine ORDER BY messages DESC, engine LIMIT {MOST}
        """,  # noqa: S608 - days, numbers and our own words
        asked=asked,
    )
    if not found.num_rows:
        return ()
    days = _first_days(lake, found)
    return tuple(
        Maker(row["engine"], row["messages"], row["sources"], days[row["engine"]])
        for row in found.to_pylist()
    )


def _first_days(lake: Lake, found: pa.Table) -> dict[str, dt.date]:
    """The first day of each engine, looked for from the first week on until all are found.

    Most engines are as old as the lake. Only one that is new has all weeks read, and of these the few
    messages with its header order.
    """
    known = lake.query(f"SELECT DISTINCT week FROM daily WHERE week <> {UNDATED} ORDER BY week")  # noqa: S608 - a number
    weeks, days = known["week"].to_pylist(), dict[str, dt.date]()
    first, many = 0, 1
    while first < len(weeks) and found.num_rows:
        low, high = weeks[first], weeks[min(first + many, len(weeks)) - 1]
        since, until = (EPOCH + dt.timedelta(weeks=week) for week in (low, high + 1))
        rows = lake.query(
            f"""
            SELECT {ENGINE} AS engine, min(o.received_at)::DATE AS day
            FROM (SELECT * FROM observations WHERE received_at >= TIMESTAMPTZ '{since}'
                  AND received_at < TIMESTAMPTZ '{until}') o
            SEMI JOIN found f ON f.skeleton = o.skeleton
            LEFT JOIN (SELECT * FROM attributions WHERE week BETWEEN {low} AND {high}) a
                 ON a.sha256 = o.sha256 AND a.sensor = o.sensor
            GROUP BY ALL
            """,  # noqa: S608 - days, numbers and our own words
            found=found,
        )
        days |= {row["engine"]: row["day"] for row in rows.to_pylist()}
        found = found.filter(pc.invert(pc.is_in(found["engine"], pa.array(list(days), pa.string()))))
        first, many = first + many, 2 * many
    return days
