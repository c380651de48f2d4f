"""What the lake knows of rules and of names: hits, first and last sightings, and samples to try rules on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from spamtide.store.lake import Lake


def sightings(lake: Lake, name: str) -> dict[str, Any] | None:
    """Messages of the wild that were given a name, and their days; None for none."""
    rows = lake.query("""
        SELECT name, sum(n)::BIGINT AS messages, min(first_seen) AS first_seen, max(last_seen) AS last_seen
        FROM (
            SELECT unnest([a.botnet, a.programme]) AS name, count(*) AS n,
                   min(o.received_at)::DATE AS first_seen, max(o.received_at)::DATE AS last_seen
            FROM attributions a JOIN observations o ON o.sha256 = a.sha256 AND o.sensor = a.sensor
            WHERE o.label = 'spam' AND o.lab IS NULL
            GROUP BY a.botnet, a.programme
        ) GROUP BY name
    """).to_pylist()
    found = next((row for row in rows if row["name"].casefold() == name.casefold()), None)
    if found is None:
        return None
    return {
        "messages": found["messages"],
        "first_seen": found["first_seen"].isoformat() if found["first_seen"] else None,
        "last_seen": found["last_seen"].isoformat() if found["last_seen"] else None,
    }


def rule_hits(lake: Lake) -> dict[str, dict[str, Any]]:
    """Rule -> hits on wild spam, lab mail and ham, and the days of its first and last hit on spam."""
    rows = lake.query("""
        SELECT rule, count(*) FILTER (WHERE label = 'spam' AND lab IS NULL) AS wild,
               count(*) FILTER (WHERE lab IS NOT NULL) AS lab,
               count(*) FILTER (WHERE label = 'ham') AS ham,
               min(received_at) FILTER (WHERE label = 'spam')::DATE AS first_hit,
               max(received_at) FILTER (WHERE label = 'spam')::DATE AS last_hit
        FROM (SELECT unnest(rules) AS rule, label, lab, received_at FROM evidence)
        GROUP BY rule ORDER BY rule
    """).to_pylist()
    return {row.pop("rule"): row for row in rows}


def mail_days(lake: Lake) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of spam in the lake."""
    row = lake.query("""
        SELECT min(received_at)::DATE AS first_day, max(received_at)::DATE AS last_day
        FROM evidence WHERE label = 'spam' AND received_at IS NOT NULL
    """).to_pylist()[0]
    return row["first_day"], row["last_day"]


def renderings(lake: Lake, rows: int) -> Iterator[pa.RecordBatch]:
    """Every message's rendering, in batches of at most `rows`."""
    return lake.stream("SELECT sha256, sensor, rendering FROM observations", rows)


def trial_rows(lake: Lake, most: int) -> pa.Table:
    """At most `most` renderings each of ham, of every lab family and of wild spam, chosen by hash.

    Columns: label, lab, botnet and programme (the present answers, null before the first update), rendering.
    """
    return lake.query(f"""
        SELECT label, lab, botnet, programme, rendering FROM (
            SELECT o.label, o.lab, a.botnet, a.programme, o.rendering, o.sha256, o.sensor,
                   row_number() OVER (PARTITION BY o.label, o.lab ORDER BY o.sha256, o.sensor) AS place
            FROM observations o
            LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor)
        WHERE place <= {most:d} ORDER BY sha256, sensor
    """)  # noqa: S608 - a number


def answers(lake: Lake) -> pa.Table:
    """The present answers: sha256, sensor, label, lab, day, botnet, programme; in order."""
    return lake.query("""
        SELECT a.sha256, a.sensor, o.label, o.lab, o.received_at::DATE AS day, a.botnet, a.programme
        FROM attributions a JOIN observations o ON o.sha256 = a.sha256 AND o.sensor = a.sensor
        ORDER BY a.sha256, a.sensor
    """)


def with_rules(lake: Lake, rows: pa.Table, rules: pa.Table) -> pa.Table:
    """Rows of evidence with other rules: `rules` holds sha256, sensor and rules of every message."""
    return lake.query(
        """
        SELECT r.* EXCLUDE (rules), f.rules AS rules
        FROM these r JOIN found f ON f.sha256 = r.sha256 AND f.sensor = r.sensor
        """,
        these=rows,
        found=rules,
    )
