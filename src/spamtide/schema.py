"""The tables of the lake as Arrow schemas.

SCHEMA_VERSION is written into every table; a lake of a newer version is refused, never guessed at.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 1

TIMESTAMP = pa.timestamp("us", tz="UTC")
STRINGS = pa.list_(pa.string())
MINHASH_BYTES = 256
"""64 little-endian uint32 values."""


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    """Build a schema in which every column may be null."""
    return pa.schema([pa.field(name, kind) for name, kind in columns])


RAW = _schema(
    ("sha256", pa.string()),
    ("sensor", pa.string()),
    ("label", pa.string()),
    ("lab", pa.string()),
    ("source", pa.string()),
    ("mail_from", pa.string()),
    ("rcpt_to", STRINGS),
    ("client_ip", pa.string()),
    ("helo", pa.string()),
    ("envelope_at", TIMESTAMP),
    ("collected_at", TIMESTAMP),
    ("batch", pa.string()),
    ("data", pa.binary()),
)
"""Every message as received; the only table that holds recipients' addresses. Key: (sha256, sensor)."""

OBSERVATIONS = _schema(
    ("sha256", pa.string()),
    ("sensor", pa.string()),
    ("label", pa.string()),
    ("lab", pa.string()),
    ("simulated", pa.bool_()),
    ("source", pa.string()),
    ("received_at", TIMESTAMP),
    ("received_at_from", pa.string()),
    ("sent_at", TIMESTAMP),
    ("zone", pa.string()),
    ("message_id", pa.string()),
    ("source_ip", pa.string()),
    ("source_ip_from", pa.string()),
    ("helo", pa.string()),
    ("rdns", pa.string()),
    ("relay", pa.string()),
    ("hops", pa.int32()),
    ("sender_domain", pa.string()),
    ("from_domain", pa.string()),
    ("recipients", STRINGS),
    ("subject", pa.string()),
    ("mailer", pa.string()),
    ("skeleton", pa.string()),
    ("message_id_shape", pa.string()),
    ("boundary_shape", pa.string()),
    ("layout", pa.string()),
    ("charset", pa.string()),
    ("encoding", pa.string()),
    ("links", STRINGS),
    ("link_hosts", STRINGS),
    ("link_domains", STRINGS),
    ("attachments", STRINGS),
    ("size", pa.int64()),
    ("defects", STRINGS),
    ("rendering", pa.string()),
    ("minhash", pa.binary()),
    ("shingles", pa.int32()),
    ("sketch_key", pa.string()),
)
"""Observation and Sketch of each message and sensor; no batch or run is in it. Key: (sha256, sensor)."""

QUARANTINE = _schema(
    ("sha256", pa.string()),
    ("sensor", pa.string()),
    ("source", pa.string()),
    ("stage", pa.string()),
    ("reason", pa.string()),
    ("detail", pa.string()),
    ("size", pa.int64()),
    ("version", pa.string()),
    ("head", pa.binary()),
)
"""What could not be processed, with its reason. Key: (sha256, sensor)."""

EVIDENCE = _schema(
    ("sha256", pa.string()),
    ("sensor", pa.string()),
    ("week", pa.int32()),
    ("label", pa.string()),
    ("lab", pa.string()),
    ("simulated", pa.bool_()),
    ("received_at", TIMESTAMP),
    ("source_ip", pa.string()),
    ("relay", pa.string()),
    ("subject", pa.string()),
    ("link_domains", STRINGS),
    ("campaign", pa.string()),
    ("text", pa.int32()),
    ("rules", STRINGS),
)
"""What attribution rests on, one row a message and sensor: the signature rules that matched its rendering
under the rule set named in the commit, the campaign that its content was given, address, links and the number
of characters of visible text. `week`
counts weeks of seven days since 1970-01-01; UNDATED without a believable time. Key: (sha256, sensor)."""

UNDATED = -1_000_000
"""The week of a message without a believable time of reception."""

MEMBERSHIPS = _schema(
    ("sha256", pa.string()),
    ("campaign", pa.string()),
)
"""Campaign that each content was given when it was clustered; read through lineage for merged names."""

EXEMPLARS = _schema(
    ("campaign", pa.string()),
    ("sha256", pa.string()),
    ("received_at", TIMESTAMP),
    ("minhash", pa.binary()),
    ("shingles", pa.int32()),
    ("sketch_key", pa.string()),
)
"""The sketches that stand for each campaign, bounded in number."""

PROFILES = _schema(
    ("sha256", pa.string()),
    ("traits", pa.binary()),
    ("form", pa.binary()),
)
"""What exemplars talk about and came in (`campaign.profile`), read when they became such."""

LINEAGE = _schema(
    ("at", TIMESTAMP),
    ("kind", pa.string()),
    ("campaign", pa.string()),
    ("other", pa.string()),
)

ATTRIBUTIONS = _schema(
    ("sha256", pa.string()),
    ("sensor", pa.string()),
    ("botnet", pa.string()),
    ("botnet_confidence", pa.float64()),
    ("programme", pa.string()),
    ("programme_confidence", pa.float64()),
    ("evidence", pa.string()),
)
"""One answer a message and sensor; `evidence` is a JSON list of model.Evidence as objects."""

ANSWERS = pa.schema(
    [
        field.with_type(pa.dictionary(pa.int32(), pa.string()))
        if field.name in {"sensor", "botnet", "programme", "evidence"}
        else field
        for field in ATTRIBUTIONS
    ]
)
"""As answers are made: of few distinct texts, each is held once."""

STORED_ATTRIBUTIONS = ATTRIBUTIONS.append(pa.field("week", pa.int32()))
"""As the table holds them: `week` as in EVIDENCE, so that a stretch of weeks can be answered again."""

DAILY = _schema(
    ("week", pa.int32()),
    ("day", pa.date32()),
    ("sensor", pa.string()),
    ("label", pa.string()),
    ("lab", pa.string()),
    ("simulated", pa.bool_()),
    ("botnet", pa.string()),
    ("programme", pa.string()),
    ("relay", pa.string()),
    ("messages", pa.int64()),
    ("first_seen", TIMESTAMP),
    ("last_seen", TIMESTAMP),
)
"""Messages by day, sensor, what they are, answer and receiving relay: what everything that counts reads."""

SIGHTINGS = _schema(
    ("week", pa.int32()),
    ("campaign", pa.string()),
    ("botnet", pa.string()),
    ("programme", pa.string()),
    ("messages", pa.int64()),
    ("first_seen", TIMESTAMP),
    ("last_seen", TIMESTAMP),
    ("subject", pa.string()),
    ("lab", pa.int64()),
)
"""Spam by week, campaign (the name that it was given; read through lineage) and answer; `subject` the least
in the order of text, as an example. All of it is of the wild, but for `lab`: how many messages of labs there
are. A row may be of these alone: their weeks, too, are answered again when a campaign is renamed."""

KITS = _schema(
    ("week", pa.int32()),
    ("botnet", pa.string()),
    ("own", pa.int64()),
    ("others", pa.int64()),
    ("untold", pa.int64()),
)
"""Spam with the engine of one botnet alone, by week: how many messages addresses give to it, how many to
somebody else, and of how many they do not tell, or not surely."""

OTHERS = _schema(("kind", pa.string()), ("key", pa.string()))
"""What other mail ever came from and linked to: an 'address' or a 'domain', and which. The commit names the
version of the evidence that this is all of; it is made anew from evidence where that is another."""

CONTENTS = _schema(("digest", pa.int64()))
"""A number of every content in memberships, of 64 bits of its hash: whether one may be known is told by it
sooner. The commit names the version of the memberships that this is all of."""

CELLS = _schema(
    ("week", pa.int32()),
    ("label", pa.string()),
    ("lab", pa.string()),
    ("received_at", TIMESTAMP),
    ("campaign", pa.string()),
    ("names", pa.string()),
    ("n", pa.int64()),
)
"""How many messages of the last weeks are alike in day, label, lab, campaign and the rules that matched (by
name, joined by line feeds). The commit names the version of the evidence that this is of, and the first week
that is in it; at another version it is not believed."""

SENDERS = _schema(("campaign", pa.string()), ("source_ip", pa.string()))
"""Addresses of wild spam of campaigns (by the names that they were given) that still send; and each such
campaign once without an address. The commit names the version of the evidence that this is all of, as in
OTHERS."""

HOURLY = _schema(
    ("week", pa.int32()),
    ("day", TIMESTAMP),
    ("sensor", pa.string()),
    ("label", pa.string()),
    ("botnet", pa.string()),
    ("programme", pa.string()),
    ("n", pa.int64()),
)
"""Messages by hour (its first moment is in `day`) of the last weeks, lab mail left out. The commit names the
weeks, and what the note of `sightings` was; under another it is not believed."""

SERIES = _schema(
    ("subject_kind", pa.string()),
    ("subject", pa.string()),
    ("date", pa.date32()),
    ("count", pa.int64()),
    ("index", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("base", pa.string()),
    ("low_90", pa.float64()),
    ("high_90", pa.float64()),
    ("naive", pa.float64()),
    ("chained", pa.float64()),
)
"""`low` to `high` is the 95 % interval of the index. `naive` (the sum over sensors) and `chained` (daily
ratios over sensors that were up on both days) stand beside it for comparison: sensors that come and go move
them."""

HOURS = _schema(
    ("subject_kind", pa.string()),
    ("subject", pa.string()),
    ("hour", TIMESTAMP),
    ("count", pa.int64()),
    ("index", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("base", pa.string()),
    ("low_90", pa.float64()),
    ("high_90", pa.float64()),
)
"""The hourly index of the last weeks; `hour` is its first moment."""

CHANGES = _schema(
    ("kind", pa.string()),
    ("subject_kind", pa.string()),
    ("subject", pa.string()),
    ("onset", pa.date32()),
    ("onset_low", pa.date32()),
    ("onset_high", pa.date32()),
    ("end", pa.date32()),
    ("end_low", pa.date32()),
    ("end_high", pa.date32()),
    ("ratio", pa.float64()),
    ("from_programme", pa.string()),
    ("to_programme", pa.string()),
    ("confidence", pa.float64()),
    ("evidence", pa.string()),
    ("ratio_low", pa.float64()),
    ("ratio_high", pa.float64()),
    ("since", TIMESTAMP),
    ("seen", pa.int64()),
    ("due", pa.float64()),
)

CAMPAIGNS = _schema(
    ("campaign", pa.string()),
    ("first_seen", TIMESTAMP),
    ("last_seen", TIMESTAMP),
    ("messages", pa.int64()),
    ("sources", pa.int64()),
    ("botnet", pa.string()),
    ("programme", pa.string()),
    ("subject", pa.string()),
    ("lab", pa.int64()),
)
"""Campaigns with spam of the wild. All that is said of one is said of that; `lab` counts messages of labs
with its text, which are in no other column."""

SENSORS = _schema(
    ("sensor", pa.string()),
    ("first_seen", TIMESTAMP),
    ("last_seen", TIMESTAMP),
    ("messages", pa.int64()),
    ("ham", pa.int64()),
    ("outages", pa.string()),
)
"""`outages` is a JSON list of {start, end, kind, evidence}."""

CLAIMS = _schema(
    ("claim", pa.string()),
    ("kind", pa.string()),
    ("subject_kind", pa.string()),
    ("subject", pa.string()),
    ("sentence", pa.string()),
    ("numbers", pa.string()),
    ("n", pa.int64()),
    ("sensors", STRINGS),
    ("command", pa.string()),
    ("importance", pa.float64()),
    ("confidence", pa.float64()),
    ("versions", pa.string()),
)
"""`numbers` and `versions` are JSON objects."""

CHECKS = _schema(
    ("host", pa.string()),
    ("port", pa.int32()),
    ("family", pa.string()),
    ("at", TIMESTAMP),
    ("alive", pa.bool_()),
    ("source", pa.string()),
)
"""Checks of control servers, imported or our own. Key: (host, port, family, at, source)."""

KEYS = _schema(("name", pa.string()), ("value", pa.binary()))
"""Secrets of the observatory: the key that recipients' addresses are hashed with."""

HEARTBEATS = _schema(("sensor", pa.string()), ("seen_at", TIMESTAMP))
"""Signs of life of sensors. Key: (sensor, seen_at)."""

TABLES: dict[str, pa.Schema] = {
    "keys": KEYS,
    "heartbeats": HEARTBEATS,
    "raw": RAW,
    "observations": OBSERVATIONS,
    "quarantine": QUARANTINE,
    "evidence": EVIDENCE,
    "memberships": MEMBERSHIPS,
    "exemplars": EXEMPLARS,
    "profiles": PROFILES,
    "lineage": LINEAGE,
    "attributions": STORED_ATTRIBUTIONS,
    "daily": DAILY,
    "sightings": SIGHTINGS,
    "kits": KITS,
    "others": OTHERS,
    "contents": CONTENTS,
    "cells": CELLS,
    "senders": SENDERS,
    "hourly": HOURLY,
    "series": SERIES,
    "hours": HOURS,
    "changes": CHANGES,
    "alarms": CHANGES,
    "campaigns": CAMPAIGNS,
    "sensors": SENSORS,
    "claims": CLAIMS,
    "checks": CHECKS,
}
"""Every Delta table of an observatory."""

DERIVED = frozenset(
    {
        "evidence",
        "attributions",
        "daily",
        "sightings",
        "kits",
        "others",
        "contents",
        "cells",
        "senders",
        "hourly",
        "series",
        "hours",
        "changes",
        "alarms",
        "sensors",
        "campaigns",
        "claims",
        "profiles",
    }
)
"""Tables that `update` makes anew from the others when they are missing or of an older form."""
