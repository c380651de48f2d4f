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
    asked = pa.table({"wanted": pa.array([programme], pa.string())})
    kinds, mail = _kinds(first, last + dt.timedelta(days=1))
    found = lake.query(
        f"""
        WITH kinds AS ({kinds}), mail AS ({mail}),
        answers AS (
            SELECT hash(sha256, sensor) AS message FROM attributions CROSS JOIN asked q
            WHERE week BETWEEN {weeks[0]} AND {weeks[1]} AND botnet = '{UNKNOWN}'
                  AND (q.wanted IS NULL OR programme = q.wanted)),
        sent AS (
            SELECT m.kind, m.address, count(*) AS n FROM mail m JOIN answers USING (message) GROUP BY ALL)
        SELECT k.engine, sum(s.n)::BIGINT AS messages, count(DISTINCT s.address) AS sources
        FROM sent s JOIN kinds k USING (kind) GROUP BY k.engine
        ORDER BY messages DESC, engine LIMIT {MOST}
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
    messages of its forms.
    """
    known = lake.query(f"SELECT DISTINCT week FROM daily WHERE week <> {UNDATED} ORDER BY week")  # noqa: S608 - a number
    weeks, days = known["week"].to_pylist(), dict[str, dt.date]()
    first, many = 0, 1
    while first < len(weeks) and found.num_rows:
        low, high = weeks[first], weeks[min(first + many, len(weeks)) - 1]
        since, until = (EPOCH + dt.timedelta(weeks=week) for week in (low, high + 1))
        kinds, mail = _kinds(since, until)
        rows = lake.query(
            f"""
            WITH kinds AS (SELECT k.* FROM ({kinds}) k SEMI JOIN found f ON f.engine = k.engine),
            mail AS ({mail}),
            named AS (SELECT hash(sha256, sensor) AS message FROM attributions
                      WHERE week BETWEEN {low} AND {high} AND botnet <> '{UNKNOWN}'),
            seen AS (
                SELECT m.kind, min(m.received_at)::DATE AS day
                FROM mail m SEMI JOIN kinds USING (kind) ANTI JOIN named USING (message) GROUP BY m.kind)
            SELECT k.engine, min(s.day) AS day FROM seen s JOIN kinds k USING (kind) GROUP BY k.engine
            """,  # noqa: S608 - days, numbers and our own words
            found=found,
        )
        days |= {row["engine"]: row["day"] for row in rows.to_pylist()}
        found = found.filter(pc.invert(pc.is_in(found["engine"], pa.array(list(days), pa.string()))))
        first, many = first + many, 2 * many
    return days


def _kinds(since: dt.date, until: dt.date) -> tuple[str, str]:
    """SQL for the forms of some days' wild mail, each with its engine, and for messages with their form.

    A name costs a digest and some patterns: it is made once for a form, of which there are few.
    """
    forms = "skeleton, message_id_shape"
    wild = f"""observations WHERE received_at >= TIMESTAMPTZ '{since}' AND received_at < TIMESTAMPTZ '{until}'
               AND label = 'spam' AND lab IS NULL AND skeleton <> ''"""
    kinds = f"""
        SELECT hash({forms}) AS kind, {ENGINE} AS engine
        FROM (SELECT DISTINCT {forms}, label, lab FROM {wild}) o
        CROSS JOIN (SELECT '{UNKNOWN}' AS botnet) a"""  # noqa: S608 - days and our own words
    mail = f"""
        SELECT hash({forms}) AS kind, hash(sha256, sensor) AS message, received_at,
               CASE WHEN source_ip IS NOT NULL THEN hash(source_ip) END AS address
        FROM {wild}"""  # noqa: S608 - days and our own words
    return kinds, mail
