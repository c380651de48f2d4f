"""The relations that `export` and the Python face give: fixed names first, more columns after them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, fields

import pyarrow as pa

from spamtide.store.lake import Lake
from spamtide.store.rollup import ENGINE, NAMED

BATCH_ROWS = 8192

JOINT = '"layer": "joint", "kind": "botnet", "name": "([^"]+)"'
"""A joint answer among an answer's evidence."""

EXPORTS: dict[str, str] = {
    "observations": f"""
        WITH named AS ({NAMED}), exported AS (
            SELECT o.sha256, o.message_id, o.received_at, o.sensor, o.source_ip, o.label, o.lab, n.campaign,
                   coalesce(a.botnet, 'unknown') AS botnet,
                   coalesce(a.botnet_confidence, 0.0) AS botnet_confidence,
                   coalesce(a.programme, 'unknown') AS programme,
                   coalesce(a.programme_confidence, 0.0) AS programme_confidence,
                   o.simulated, o.received_at_from, o.source_ip_from, o.sent_at, o.subject, o.helo, o.rdns,
                   o.relay, o.sender_domain, o.from_domain, o.mailer, o.skeleton, o.layout, o.links,
                   o.link_domains, o.attachments, o.size, o.defects, o.source, {ENGINE} AS engine,
                   CASE WHEN a.botnet = 'unknown'
                        THEN nullif(regexp_extract(a.evidence, '{JOINT}', 1), '') END AS botnet_one_of
            FROM observations o
            LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
            LEFT JOIN named n ON n.sha256 = o.sha256)
        SELECT * FROM exported
    """,  # noqa: S608 - no outside text is in the SQL
    "series": "SELECT * FROM series",
    "hours": "SELECT * FROM hours",
    "changes": "SELECT * FROM changes",
    "alarms": "SELECT * FROM alarms",
    "campaigns": "SELECT * FROM campaigns",
    "sensors": "SELECT * FROM sensors",
    "claims": "SELECT * FROM claims",
}
"""Export table -> the relation."""

ORDER: dict[str, str] = {
    "observations": "received_at NULLS LAST, sha256, sensor",
    "series": "subject_kind, subject, date",
    "hours": "subject_kind, subject, hour",
    "changes": "onset, kind, subject_kind, subject",
    "alarms": "onset, kind, subject_kind, subject",
    "campaigns": "messages DESC, campaign",
    "sensors": "sensor",
    "claims": "importance DESC, claim",
}
TIME: dict[str, str] = {
    "observations": "received_at",
    "series": "date",
    "hours": "hour",
    "changes": "onset",
    "alarms": "onset",
    "campaigns": "last_seen",
    "sensors": "last_seen",
}
"""The column that --since and --until look at."""
NAMED_COLUMNS: dict[str, tuple[str, ...]] = {
    "observations": ("botnet", "programme", "sensor", "campaign", "engine"),
    "campaigns": ("botnet", "programme", "campaign"),
    "sensors": ("sensor",),
}
"""Filters that a table takes besides time."""
SUBJECT_TABLES = ("series", "hours", "changes", "alarms")
SUBJECT_KINDS = ("botnet", "programme", "sensor")
"""Tables of subjects, and the filters that name one of them by its kind."""
LABELS: dict[str, str] = {
    "wild": "label = 'spam' AND lab IS NULL",
    "lab": "lab IS NOT NULL",
    "ham": "label = 'ham' AND lab IS NULL",
}
"""What mail is: spam from the wild, a lab's, ordinary mail."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What an export is narrowed to; None leaves a column alone."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    """Up to but not including this moment."""
    botnet: str | None = None
    programme: str | None = None
    sensor: str | None = None
    campaign: str | None = None
    engine: str | None = None
    """Mail of no known family that one engine made."""
    label: str | None = None
    """A key of LABELS."""


def known_filters(table: str) -> list[str]:
    """Names of the filters that a table takes."""
    names = SUBJECT_KINDS if table in SUBJECT_TABLES else NAMED_COLUMNS.get(table, ())
    label = ["label"] if table == "observations" else []
    return [*names, *label, *(["since", "until"] if table in TIME else [])]


def unknown_filters(table: str, filters: Filters) -> list[str]:
    """Names of the filters that are set but mean nothing for a table."""
    known = known_filters(table)
    every = [one.name for one in fields(Filters)]
    return [name for name in every if getattr(filters, name) and name not in known]


def exported(lake: Lake, table: str, names: pa.Table, filters: Filters) -> Iterator[pa.RecordBatch]:
    """Rows of an export in a fixed order, in batches.

    Args:
        lake: the observatory's lake.
        table: a key of EXPORTS.
        names: rollup.aliases of the campaigns.
        filters: what to narrow to.
    """
    tests: list[str] = []
    values: list[object] = []
    for name in NAMED_COLUMNS.get(table, ()):
        wanted = getattr(filters, name)
        if wanted is not None:
            tests.append(f"lower({name}) = lower(?)")
            values.append(wanted)
    kinds = [kind for kind in SUBJECT_KINDS if table in SUBJECT_TABLES and getattr(filters, kind) is not None]
    if kinds:  # several name several subjects: a subject has one kind
        tests.append(f"({' OR '.join('(subject_kind = ? AND lower(subject) = lower(?))' for _ in kinds)})")
        values += [value for kind in kinds for value in (kind, getattr(filters, kind))]
    if filters.label is not None:
        tests.append(LABELS[filters.label])
    for comparison, moment in ((">=", filters.since), ("<", filters.until)):
        if moment is not None and table in TIME:
            tests.append(f"{TIME[table]} {comparison} ?")
            values.append(moment)
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    sql = f"SELECT * FROM ({EXPORTS[table]}){where} ORDER BY {ORDER[table]}"  # noqa: S608 - tables and columns are from the literals above
    return lake.stream(sql, BATCH_ROWS, values, aliases=names)
