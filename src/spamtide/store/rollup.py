"""Roll-ups: the relations that the table stages read, as SQL over the lake.

Wild mail is spam that no lab bot sent. A row without a believable reception time takes part in campaigns and
attributions, and in no series.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from spamtide.schema import CAMPAIGNS, OBSERVATIONS, SENSORS
from spamtide.store.lake import Lake

ALIASES = pa.schema([("name", pa.string()), ("canonical", pa.string())])

NAMED = """
    SELECT m.sha256, coalesce(a.canonical, m.campaign) AS campaign
    FROM memberships m LEFT JOIN aliases a ON a.name = m.campaign
"""
"""Each content's campaign under its surviving name; wants a table `aliases`."""


def aliases(resolved: Mapping[str, str]) -> pa.Table:
    """Absorbed campaign names and their survivors as a table."""
    pairs = sorted(resolved.items())
    columns = [[name for name, _ in pairs], [canonical for _, canonical in pairs]]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=ALIASES)


def unclustered(lake: Lake) -> pa.Table:
    """Contents of spam that have no campaign yet, one row each, in a stable order."""
    return lake.query("""
        SELECT o.sha256, min(o.received_at) AS received_at,
               first(o.minhash ORDER BY o.sensor) AS minhash,
               first(o.shingles ORDER BY o.sensor) AS shingles,
               first(o.sketch_key ORDER BY o.sensor) AS sketch_key
        FROM observations o ANTI JOIN memberships m ON m.sha256 = o.sha256
        WHERE o.label = 'spam'
        GROUP BY o.sha256 ORDER BY received_at NULLS LAST, o.sha256
    """)


def unmatched(lake: Lake, rows: int) -> Iterator[pa.RecordBatch]:
    """Renderings that the present rule set has not seen, in batches of at most `rows`."""
    return lake.stream(
        """
        SELECT o.sha256, o.sensor, o.rendering
        FROM observations o ANTI JOIN hits h ON h.sha256 = o.sha256 AND h.sensor = o.sensor
        """,
        rows,
    )


def evidence_rows(lake: Lake, names: pa.Table) -> pa.Table:
    """What attribution reads of each message: hits, campaign, address, links."""
    return lake.query(
        f"""
        WITH named AS ({NAMED})
        SELECT o.sha256, o.sensor, o.label, o.lab, o.received_at, o.source_ip, n.campaign,
               o.link_domains, coalesce(h.rules, []) AS rules
        FROM observations o
        LEFT JOIN hits h ON h.sha256 = o.sha256 AND h.sensor = o.sensor
        LEFT JOIN named n ON n.sha256 = o.sha256
        ORDER BY o.sha256, o.sensor
        """,  # noqa: S608 - no outside text is in the SQL
        aliases=names,
    )


def campaigns(lake: Lake, names: pa.Table) -> pa.Table:
    """Each campaign with its span, size and most frequent attribution."""
    found = lake.query(
        f"""
        WITH named AS ({NAMED})
        SELECT n.campaign, min(o.received_at) AS first_seen, max(o.received_at) AS last_seen,
               count(*) AS messages, count(DISTINCT o.source_ip) AS sources,
               coalesce(mode(a.botnet ORDER BY a.botnet)
                        FILTER (WHERE a.botnet <> 'unknown'), 'unknown') AS botnet,
               coalesce(mode(a.programme ORDER BY a.programme)
                        FILTER (WHERE a.programme <> 'unknown'), 'unknown') AS programme,
               min(o.subject) AS subject
        FROM observations o JOIN named n ON n.sha256 = o.sha256
        LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
        WHERE o.label = 'spam'
        GROUP BY n.campaign ORDER BY messages DESC, n.campaign
        """,  # noqa: S608 - no outside text is in the SQL
        aliases=names,
    )
    return found.select(CAMPAIGNS.names).cast(CAMPAIGNS)


def sensors(lake: Lake, outages: Mapping[str, list[dict[str, str | None]]]) -> pa.Table:
    """Each place of reception (labs left out) with its span, counts and outages."""
    found = lake.query("""
        SELECT sensor, min(received_at) AS first_seen, max(received_at) AS last_seen,
               count(*) FILTER (WHERE label = 'spam') AS messages,
               count(*) FILTER (WHERE label = 'ham') AS ham
        FROM observations WHERE lab IS NULL GROUP BY sensor ORDER BY sensor
    """)
    told = [json.dumps(outages.get(name, []), sort_keys=True) for name in found["sensor"].to_pylist()]
    return found.append_column("outages", pa.array(told, pa.string())).select(SENSORS.names).cast(SENSORS)


def lab_last_seen(lake: Lake) -> dict[str, dt.date]:
    """Family -> day of the last message of its bot in a lab."""
    found = lake.query("""
        SELECT lab, max(received_at)::DATE AS day FROM observations
        WHERE lab IS NOT NULL AND received_at IS NOT NULL GROUP BY lab ORDER BY lab
    """)
    return {row["lab"]: row["day"] for row in found.to_pylist()}


def new_checks(lake: Lake, checks: pa.Table) -> pa.Table:
    """Those of some rows of CHECKS that the lake does not hold yet, each once, in order of time."""
    return lake.query(
        """
        SELECT DISTINCT n.* FROM fresh n ANTI JOIN checks c ON
            n.host = c.host AND n.port = c.port AND n.family = c.family
            AND n.at = c.at AND n.source = c.source
        ORDER BY n.at, n.host, n.port, n.family, n.source, n.alive
        """,
        fresh=checks,
    )


def composition(lake: Lake, since: dt.date, until: dt.date, *, undated: bool) -> dict[str, dict[str, int]]:
    """Messages of a period by label ('spam', 'ham', 'lab'), and wild spam by botnet and by programme."""
    inside = f"o.received_at::DATE BETWEEN DATE '{since}' AND DATE '{until}'"
    if undated:
        inside = f"({inside} OR o.received_at IS NULL)"
    rows = lake.query(f"""
        SELECT CASE WHEN o.lab IS NOT NULL THEN 'lab' ELSE o.label END AS label,
               coalesce(a.botnet, 'unknown') AS botnet, coalesce(a.programme, 'unknown') AS programme,
               count(*) AS n
        FROM observations o LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
        WHERE {inside} GROUP BY ALL ORDER BY ALL
    """).to_pylist()  # noqa: S608 - the dates are dates
    made: dict[str, dict[str, int]] = {"labels": {}, "botnets": {}, "programmes": {}}
    for row in rows:
        made["labels"][row["label"]] = made["labels"].get(row["label"], 0) + row["n"]
        if row["label"] == "spam":
            for kind, column in (("botnets", "botnet"), ("programmes", "programme")):
                made[kind][row[column]] = made[kind].get(row[column], 0) + row["n"]
    return made


def totals(lake: Lake) -> dict[str, int]:
    """Counts over the whole lake: messages by what they are, quarantined, simulated, without a time."""
    row = lake.query("""
        SELECT count(*) FILTER (WHERE label = 'spam' AND lab IS NULL) AS wild,
               count(*) FILTER (WHERE lab IS NOT NULL) AS lab,
               count(*) FILTER (WHERE label = 'ham') AS ham,
               count(*) FILTER (WHERE simulated) AS simulated,
               count(*) FILTER (WHERE label = 'spam' AND lab IS NULL AND received_at IS NULL) AS undated,
               (SELECT count(*) FROM quarantine) AS quarantined
        FROM observations
    """).to_pylist()[0]
    return {name: int(value) for name, value in row.items()}


# ---------------------------------------------------------------------------- single facts


def interrupted(lake: Lake) -> int:
    """Raw messages that have neither an observation nor a place in quarantine."""
    found = lake.query("""
        SELECT count(*) AS n FROM raw r
        ANTI JOIN observations o ON o.sha256 = r.sha256 AND o.sensor = r.sensor
        ANTI JOIN quarantine q ON q.sha256 = r.sha256 AND q.sensor = r.sensor
    """)
    return int(found["n"][0].as_py())


def quarantine_reasons(lake: Lake) -> dict[str, int]:
    """Reason -> messages in quarantine."""
    rows = lake.query("SELECT reason, count(*) AS n FROM quarantine GROUP BY reason ORDER BY reason")
    return {row["reason"]: row["n"] for row in rows.to_pylist()}


def lab_rows(lake: Lake, per_family: int) -> pa.Table:
    """Observations of the lab, the latest of each family first; at most `per_family` each."""
    return _sample(lake, "lab IS NOT NULL", "lab", per_family)


def ham_rows(lake: Lake, most: int) -> pa.Table:
    """Observations of ham, at most `most`, spread over all of it by hash."""
    return _sample(lake, "label = 'ham' AND lab IS NULL", "label", most)


def _sample(lake: Lake, where: str, by: str, most: int) -> pa.Table:
    """A deterministic part of the observations."""
    order = "received_at DESC NULLS LAST, sha256" if by == "lab" else "sha256"
    found = lake.query(f"""
        SELECT * EXCLUDE (place) FROM (
            SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY {order}, sensor) AS place
            FROM observations WHERE {where})
        WHERE place <= {most} ORDER BY lab, received_at NULLS LAST, sha256, sensor
    """)  # noqa: S608 - the words are from this module
    return found.cast(OBSERVATIONS)


def message(lake: Lake, prefix: str) -> list[dict[str, Any]]:
    """Observation, attribution and campaign of the messages whose SHA-256 begins so; at most 20."""
    rows: list[dict[str, Any]] = lake.query(f"""
        SELECT o.* EXCLUDE (minhash), a.botnet, a.botnet_confidence, a.programme, a.programme_confidence,
               a.evidence, h.rules, m.campaign
        FROM observations o
        LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
        LEFT JOIN hits h ON h.sha256 = o.sha256 AND h.sensor = o.sensor
        LEFT JOIN memberships m ON m.sha256 = o.sha256
        WHERE starts_with(o.sha256, '{prefix}') ORDER BY o.sha256, o.sensor LIMIT 20
    """).to_pylist()  # noqa: S608 - the prefix is hexadecimal digits, checked by the caller
    return rows
