"""Which campaigns the wild mail of some days falls into, and the largest of them."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import UNDATED
from spamtide.statement import Gathered, Gathering
from spamtide.store.lake import Lake

LARGEST = 8
"""Campaigns that are looked at closely: those that may be named, and a few more in their place."""
EPOCH = dt.date(1970, 1, 1)


def gathered(lake: Lake, aliases: pa.Table, first: dt.date, last: dt.date) -> Gathering:
    """Count the campaigns of some days' wild mail; reads these days. Mail without one stands alone.

    Args:
        lake: the observatory's.
        aliases: absorbed campaign names and their survivors (`rollup.aliases`).
        first: first day.
        last: last day.
    """
    weeks = [(day - EPOCH).days // 7 for day in (first, last)]
    after = last + dt.timedelta(days=1)
    inside = f"received_at >= TIMESTAMPTZ '{first}' AND received_at < TIMESTAMPTZ '{after}'"
    mail = f"""
        mail AS (
            SELECT e.sha256, e.sensor, coalesce(a.canonical, e.campaign) AS campaign, e.source_ip, e.subject
            FROM evidence e LEFT JOIN aliases a ON a.name = e.campaign
            WHERE e.week BETWEEN {weeks[0]} AND {weeks[1]} AND e.week <> {UNDATED} AND {inside}
                  AND e.label = 'spam' AND e.lab IS NULL)
    """  # noqa: S608 - days and numbers
    counts = lake.query(
        f"""
        WITH {mail}
        SELECT campaign, count(*) AS n FROM mail GROUP BY campaign ORDER BY n DESC, campaign
        """,  # noqa: S608
        aliases=aliases,
    )
    messages = sum(counts["n"].to_pylist())
    counts = counts.filter(pc.is_valid(counts["campaign"]))
    if not counts.num_rows:
        return Gathering(0, 0, 0, ())
    without = messages - sum(counts["n"].to_pylist())
    alone = lake.query(
        """
        SELECT coalesce(sum(f.n), 0)::BIGINT AS n
        FROM found f JOIN campaigns c ON c.campaign = f.campaign WHERE f.n = 1 AND c.messages = 1
        """,
        found=counts,
    )
    rows = lake.query(
        f"""
        WITH {mail}, wanted AS (SELECT * FROM mail SEMI JOIN largest USING (campaign))
        SELECT w.campaign, count(*) AS n, count(DISTINCT w.source_ip) AS sources,
               count(DISTINCT o.skeleton) AS engines, mode(w.subject ORDER BY w.subject) AS subject
        FROM wanted w LEFT JOIN (SELECT sha256, sensor, skeleton FROM observations WHERE {inside}) o
             ON o.sha256 = w.sha256 AND o.sensor = w.sensor
        GROUP BY w.campaign ORDER BY n DESC, w.campaign
        """,  # noqa: S608
        aliases=aliases,
        largest=counts.slice(0, LARGEST),
    )
    return Gathering(
        messages,
        counts.num_rows + without,
        alone["n"][0].as_py() + without,
        tuple(
            Gathered(row["campaign"], row["n"], row["sources"], row["engines"], row["subject"] or "")
            for row in rows.to_pylist()
        ),
    )
