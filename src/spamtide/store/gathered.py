"""Which campaigns the wild mail of some days falls into, and the largest of them."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import UNDATED
from spamtide.statement import Gathered, Gathering, scattered
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
    wild = f"""week BETWEEN {weeks[0]} AND {weeks[1]} AND week <> {UNDATED} AND {inside}
               AND label = 'spam' AND lab IS NULL"""
    counts = lake.query(
        f"""
        WITH given AS (SELECT campaign AS name, count(*) AS n FROM evidence WHERE {wild} GROUP BY campaign)
        SELECT coalesce(a.canonical, g.name) AS campaign, sum(g.n)::BIGINT AS n
        FROM given g LEFT JOIN aliases a ON a.name = g.name GROUP BY ALL ORDER BY n DESC, campaign
        """,  # noqa: S608 - days and numbers
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
    largest = counts["campaign"].slice(0, LARGEST).to_pylist()
    given = aliases.filter(pc.is_in(aliases["canonical"], pa.array(largest, pa.string())))
    names = {name: name for name in largest} | dict(
        zip(given["name"].to_pylist(), given["canonical"].to_pylist(), strict=True)
    )
    # A list of names is held against each block of a file before its other columns are read.
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(names))
    mail = lake.query(
        f"""
        SELECT n.campaign, e.source_ip, e.subject, e.message
        FROM (SELECT campaign AS name, source_ip, subject, hash(sha256, sensor) AS message
              FROM evidence WHERE campaign IN ({listed}) AND {wild}) e
        JOIN names n ON n.name = e.name
        """,  # noqa: S608 - days, numbers, and names in quotes
        names=pa.table({"name": list(names), "campaign": list(names.values())}),
    )
    rows = lake.query(
        """
        SELECT campaign, count(*) AS n, count(DISTINCT source_ip) AS sources,
               mode(subject ORDER BY subject) AS subject
        FROM mail GROUP BY campaign ORDER BY n DESC, campaign
        """,
        mail=mail,
    ).to_pylist()
    asked = [row["campaign"] for row in rows if scattered(row["n"], row["sources"])]
    engines = _engines(lake, mail.filter(pc.is_in(mail["campaign"], pa.array(asked, pa.string()))), inside)
    return Gathering(
        messages,
        counts.num_rows + without,
        alone["n"][0].as_py() + without,
        tuple(
            Gathered(
                row["campaign"],
                row["n"],
                row["sources"],
                engines.get(row["campaign"], 0),
                row["subject"] or "",
            )
            for row in rows
        ),
    )


def _engines(lake: Lake, mail: pa.Table, inside: str) -> dict[str, int]:
    """Header skeletons by campaign among some mail; all observations of the days are read for them."""
    if not mail.num_rows:
        return {}
    found = lake.query(
        f"""
        SELECT w.campaign, count(DISTINCT o.skeleton) AS engines
        FROM mail w JOIN (SELECT hash(sha256, sensor) AS message, skeleton
                          FROM observations WHERE {inside}) o ON o.message = w.message
        GROUP BY w.campaign
        """,  # noqa: S608 - days
        mail=mail,
    )
    return dict(zip(found["campaign"].to_pylist(), found["engines"].to_pylist(), strict=True))
