"""Roll-ups: the relations that the table stages read, as SQL over the lake.

Wild mail is spam that no lab bot sent. A row without a believable reception time takes part in campaigns and
attributions, and in no series.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import CAMPAIGNS, OBSERVATIONS, SENSORS
from spamtide.store.lake import Files, Lake

ALIASES = pa.schema([("name", pa.string()), ("canonical", pa.string())])

NAMED = """
    SELECT m.sha256, coalesce(a.canonical, m.campaign) AS campaign
    FROM memberships m LEFT JOIN aliases a ON a.name = m.campaign
"""
"""Each content's campaign under its surviving name; wants a table `aliases`."""


_HOURLY = ("sensor", "label", "botnet", "programme")
MICROSECONDS_AN_HOUR = 3_600_000_000
WEEK_HOURS = 7 * 24


@dataclass(frozen=True, slots=True)
class Hours:
    """Messages by hour of some weeks, lab mail left out."""

    weeks: frozenset[int]
    counts: pa.Table
    """Columns week, day (the hour's first moment), sensor, label, botnet, programme and n; in no order."""


NO_HOURS = Hours(
    frozenset(),
    pa.schema(
        [
            ("week", pa.int32()),
            ("day", pa.timestamp("us")),
            *((name, pa.dictionary(pa.int32(), pa.string())) for name in _HOURLY),
            ("n", pa.int64()),
        ]
    ).empty_table(),
)
_NO_SOURCES = pa.schema([("campaign", pa.string()), ("sources", pa.int64())]).empty_table()


def aliases(resolved: Mapping[str, str]) -> pa.Table:
    """Absorbed campaign names and their survivors as a table."""
    pairs = sorted(resolved.items())
    columns = [[name for name, _ in pairs], [canonical for _, canonical in pairs]]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=ALIASES)


def shown(
    lake: Lake, hashes: pa.Table, columns: Sequence[str], rows: int, files: Files | None = None
) -> Iterator[pa.RecordBatch]:
    """What a reader saw of some contents (a table `hashes` of sha256), one row each, in batches of `rows`.

    All observations are looked through, or some files of them.
    """
    told = ", ".join(f"first(o.{name} ORDER BY o.sensor) AS {name}" for name in columns if name != "sha256")
    return lake.stream(
        f"""
        SELECT o.sha256, {told} FROM part o SEMI JOIN hashes h ON h.sha256 = o.sha256
        GROUP BY o.sha256 ORDER BY o.sha256
        """,  # noqa: S608 - the columns are names of this program
        rows,
        hashes=hashes,
        part=lake.files("observations") if files is None else files,
    )


def contents_by_name(lake: Lake) -> dict[str, int]:
    """How many contents were given each campaign name."""
    rows = lake.query("SELECT campaign, count(*) AS n FROM memberships GROUP BY campaign")
    return dict(zip(rows["campaign"].to_pylist(), rows["n"].to_pylist(), strict=True))


def count_hours(answered: pa.Table) -> pa.Table:
    """`Hours.counts` of answered messages: COUNTED with botnet and programme."""
    rows = answered.filter(pc.and_(pc.is_null(answered["lab"]), pc.is_valid(answered["received_at"])))
    hours = rows["received_at"].cast(pa.int64()).to_numpy() // MICROSECONDS_AN_HOUR
    first = int(hours.min(initial=0))
    # Nearly every message is a kind of its own, and numbers are counted several times as fast as texts.
    kind = hours - first
    values = []
    for name in _HOURLY:
        codes = rows[name].combine_chunks().cast(pa.string()).dictionary_encode(null_encoding="encode")
        values.append(codes.dictionary)
        kind = kind * (len(codes.dictionary) + 1) + codes.indices.to_numpy()
    kinds, counts = np.unique(kind, return_counts=True)
    columns: dict[str, pa.Array] = {"n": pa.array(counts, pa.int64())}
    for name, known in zip(_HOURLY[::-1], values[::-1], strict=True):
        kinds, code = np.divmod(kinds, len(known) + 1)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), known)
    start = (kinds + first) * MICROSECONDS_AN_HOUR
    columns["week"] = pa.array(np.floor_divide(start, WEEK_HOURS * MICROSECONDS_AN_HOUR), pa.int32())
    columns["day"] = pa.array(start, pa.timestamp("us"))
    return pa.table([columns[name] for name in NO_HOURS.counts.column_names], schema=NO_HOURS.counts.schema)


def hours_between(lake: Lake, weeks: tuple[int, int], known: Hours) -> pa.Table:
    """`Hours.counts` of the weeks from first to last; of those that are not known, evidence is read."""
    first, last = weeks
    inside = pc.and_(pc.greater_equal(known.counts["week"], first), pc.less_equal(known.counts["week"], last))
    found = [known.counts.filter(inside)]
    if missing := {*range(first, last + 1)} - known.weeks:
        listed = ", ".join(map(str, sorted(missing)))
        more = lake.query(f"""
            SELECT e.week, date_trunc('hour', e.received_at)::TIMESTAMP AS day, e.sensor, e.label,
                   coalesce(a.botnet, 'unknown') AS botnet, coalesce(a.programme, 'unknown') AS programme,
                   count(*) AS n
            FROM (SELECT * FROM evidence WHERE week IN ({listed})) e
            LEFT JOIN (SELECT * FROM attributions WHERE week IN ({listed})) a
                   ON a.sha256 = e.sha256 AND a.sensor = e.sensor
            WHERE e.lab IS NULL AND e.received_at IS NOT NULL GROUP BY ALL
        """)  # noqa: S608 - the weeks are numbers
        found.append(more.cast(NO_HOURS.counts.schema))
    return pa.concat_tables(found).unify_dictionaries()


def sources(lake: Lake, names: pa.Table, wanted: pa.Table) -> pa.Table:
    """Addresses behind some campaigns' wild spam, in all evidence: columns campaign and sources."""
    return lake.query(
        """
        WITH given AS (
            SELECT campaign AS name, campaign FROM wanted
            UNION SELECT a.name, a.canonical FROM aliases a SEMI JOIN wanted w ON w.campaign = a.canonical)
        SELECT g.campaign, count(DISTINCT e.source_ip) AS sources
        FROM evidence e JOIN given g ON g.name = e.campaign
        WHERE e.label = 'spam' AND e.lab IS NULL GROUP BY ALL
        """,
        aliases=names,
        wanted=wanted,
    )


def campaigns(lake: Lake, names: pa.Table, known: pa.Table | None = None) -> pa.Table:
    """Each campaign of the wild with its span, size and most frequent attribution; lab mail is told apart.

    A campaign of as many messages as the table already says has the sources that it says: messages are only
    ever added to a campaign. The others' sources are counted anew.

    Args:
        lake: the observatory's lake.
        names: from `aliases`.
        known: `sources` of some campaigns, if they were counted already.
    """
    known = _NO_SOURCES if known is None else known
    counted = lake.query(
        """
        WITH named AS (
            SELECT s.* REPLACE (coalesce(a.canonical, s.campaign) AS campaign)
            FROM sightings s LEFT JOIN aliases a ON a.name = s.campaign),
        botnets AS (
            SELECT campaign, botnet, sum(messages) AS n FROM named
            WHERE botnet <> 'unknown' AND messages > 0 GROUP BY ALL),
        programmes AS (
            SELECT campaign, programme, sum(messages) AS n FROM named
            WHERE programme <> 'unknown' AND messages > 0 GROUP BY ALL)
        SELECT n.campaign, min(n.first_seen) AS first_seen, max(n.last_seen) AS last_seen,
               sum(n.messages)::BIGINT AS messages,
               coalesce((SELECT first(b.botnet ORDER BY b.n DESC, b.botnet) FROM botnets b
                         WHERE b.campaign = n.campaign), 'unknown') AS botnet,
               coalesce((SELECT first(p.programme ORDER BY p.n DESC, p.programme) FROM programmes p
                         WHERE p.campaign = n.campaign), 'unknown') AS programme,
               min(n.subject) AS subject, sum(n.lab)::BIGINT AS lab
        FROM named n GROUP BY n.campaign HAVING sum(n.messages) > 0
        """,
        aliases=names,
    )
    changed = lake.query(
        """
        SELECT n.campaign FROM counted n
        ANTI JOIN campaigns c ON c.campaign = n.campaign AND c.messages = n.messages
        ANTI JOIN known k ON k.campaign = n.campaign
        """,
        counted=counted,
        known=known,
    )
    late = sources(lake, names, changed) if changed.num_rows else _NO_SOURCES
    found = lake.query(
        """
        SELECT n.*, coalesce(l.sources, k.sources, c.sources) AS sources FROM counted n
        LEFT JOIN late l ON l.campaign = n.campaign
        LEFT JOIN known k ON k.campaign = n.campaign
        LEFT JOIN campaigns c ON c.campaign = n.campaign
        ORDER BY messages DESC, n.campaign
        """,
        counted=counted,
        late=late,
        known=known,
    )
    return found.select(CAMPAIGNS.names).cast(CAMPAIGNS)


def sensors(lake: Lake, outages: Mapping[str, list[dict[str, str | None]]]) -> pa.Table:
    """Each place of reception (labs left out) with its span, counts and outages."""
    found = lake.query("""
        SELECT sensor, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
               coalesce(sum(messages) FILTER (WHERE label = 'spam'), 0)::BIGINT AS messages,
               coalesce(sum(messages) FILTER (WHERE label = 'ham'), 0)::BIGINT AS ham
        FROM daily WHERE lab IS NULL GROUP BY sensor ORDER BY sensor
    """)
    told = [json.dumps(outages.get(name, []), sort_keys=True) for name in found["sensor"].to_pylist()]
    return found.append_column("outages", pa.array(told, pa.string())).select(SENSORS.names).cast(SENSORS)


def lab_last_seen(lake: Lake, until: dt.date) -> dict[str, dt.date]:
    """Family -> day of the last message of its bot in a lab, of those up to a day."""
    found = lake.query(f"""
        SELECT lab, max(day) AS day FROM daily
        WHERE lab IS NOT NULL AND day <= DATE '{until.isoformat()}' GROUP BY lab ORDER BY lab
    """)  # noqa: S608 - a date writes itself
    return {row["lab"]: row["day"] for row in found.to_pylist()}


def lab_families(lake: Lake) -> list[str]:
    """Families that labs have mail of, as these spell them."""
    found = lake.query("SELECT DISTINCT lab FROM daily WHERE lab IS NOT NULL ORDER BY lab")
    return [str(name) for name in found["lab"].to_pylist()]


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


def composition(lake: Lake, since: dt.date, until: dt.date) -> dict[str, dict[str, int]]:
    """Messages of a period by label ('spam', 'ham', 'lab'), and wild spam by botnet and by programme."""
    inside = f"day BETWEEN DATE '{since}' AND DATE '{until}'"
    rows = lake.query(f"""
        SELECT CASE WHEN lab IS NOT NULL THEN 'lab' ELSE label END AS label, botnet, programme,
               sum(messages)::BIGINT AS n
        FROM daily WHERE {inside} GROUP BY ALL ORDER BY ALL
    """).to_pylist()  # noqa: S608 - the dates are dates
    made: dict[str, dict[str, int]] = {"labels": {}, "botnets": {}, "programmes": {}}
    for row in rows:
        made["labels"][row["label"]] = made["labels"].get(row["label"], 0) + row["n"]
        if row["label"] == "spam":
            for kind, column in (("botnets", "botnet"), ("programmes", "programme")):
                made[kind][row[column]] = made[kind].get(row[column], 0) + row["n"]
    return made


def outside(lake: Lake, days: Sequence[dt.date]) -> int:
    """Wild spam that no series holds: without a believable date, or not from its first day to its last."""
    inside = f"day BETWEEN DATE '{days[0]}' AND DATE '{days[-1]}'" if days else "false"
    found = lake.query(f"""
        SELECT coalesce(sum(messages), 0)::BIGINT AS n FROM daily
        WHERE label = 'spam' AND lab IS NULL
          AND (day IS NULL OR NOT {inside})
    """)  # noqa: S608 - the dates are dates
    return int(found["n"][0].as_py())


def misdated(lake: Lake) -> list[dict[str, Any]]:
    """Messages by sensor without a believable date, and such dated a day and more after they were stored."""
    stored = lake.written("observations")
    if stored is None:
        return []
    latest = (stored + dt.timedelta(days=2)).date()
    found: list[dict[str, Any]] = lake.query(f"""
        SELECT sensor, count(*) FILTER (WHERE received_at IS NULL) AS undated,
               count(*) FILTER (WHERE received_at >= DATE '{latest}') AS ahead
        FROM observations GROUP BY sensor HAVING undated + ahead > 0 ORDER BY sensor
    """).to_pylist()  # noqa: S608 - the date is a date
    return found


def named(lake: Lake) -> tuple[int, int]:
    """Wild spam with a botnet's name, and all of it."""
    found = lake.query("""
        SELECT coalesce(sum(messages) FILTER (WHERE botnet <> 'unknown'), 0)::BIGINT AS named,
               coalesce(sum(messages), 0)::BIGINT AS messages
        FROM daily WHERE label = 'spam' AND lab IS NULL
    """)
    return found["named"][0].as_py(), found["messages"][0].as_py()


def totals(lake: Lake) -> dict[str, int]:
    """Counts over the whole lake: messages by what they are, quarantined, simulated.

    Where an update has seen all observations, it has counted them by day.
    """
    seen = lake.note("evidence").get("observations"), lake.note("sightings").get("evidence")
    if None not in seen and seen == (lake.version("observations"), lake.version("evidence")):
        counted = "SELECT label, lab, simulated, messages FROM daily"
    else:
        counted = "SELECT label, lab, simulated, 1 AS messages FROM observations"
    row = lake.query(f"""
        SELECT sum(messages) FILTER (WHERE label = 'spam' AND lab IS NULL) AS wild,
               sum(messages) FILTER (WHERE lab IS NOT NULL) AS lab,
               sum(messages) FILTER (WHERE label = 'ham') AS ham,
               sum(messages) FILTER (WHERE simulated) AS simulated,
               (SELECT count(*) FROM quarantine) AS quarantined
        FROM ({counted})
    """).to_pylist()[0]  # noqa: S608 - our own words
    return {name: int(value or 0) for name, value in row.items()}


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


def wild_fields(lake: Lake) -> dict[str, int]:
    """Sender-made header field -> messages of the wild with it; under '' how many messages there are."""
    found = lake.query("""
        WITH wild AS (SELECT DISTINCT sha256, skeleton FROM observations WHERE label = 'spam' AND lab IS NULL)
        SELECT name, count(*) AS n
        FROM (SELECT DISTINCT sha256, unnest(string_split(skeleton, ',')) AS name FROM wild)
        WHERE name <> '' GROUP BY name
        UNION ALL SELECT '', count(*) FROM wild ORDER BY 1
    """)
    return {row["name"]: int(row["n"]) for row in found.to_pylist()}


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


_OF_CONTENT = ("content-transfer-encoding", "content-disposition", "in-reply-to", "references")
"""Fields in lower case that are there or not by what a message holds or answers, whoever made it."""
_OWN_FIELDS = f"""trim(replace(regexp_replace(',' || replace(o.skeleton, ',', ',,') || ',',
    ',({"|".join(_OF_CONTENT)}),', '', 'gi'), ',,', ','), ',')"""
_ID_LEFT = "regexp_replace(o.message_id_shape, '@.*$', '')"
_ID_PARTS = f"""regexp_replace(regexp_replace({_ID_LEFT}, '9\\{{(1[2-9]|[2-9][0-9])\\}}', '#', 'g'),
    '#[^.$<]+|[^.$<#][^.$<]*', 'w', 'g')"""
"""The Message-ID's left side with each part as 'w', or '#' for twelve figures and more: among hexadecimal
digits eight are all figures once in forty times, twelve hardly ever."""
_ID_CASE = f"""CASE WHEN regexp_matches({_ID_LEFT}, '\\bw\\b') THEN 'm'
    WHEN regexp_matches({_ID_LEFT}, '\\b[AHX]\\b') THEN CASE
        WHEN regexp_matches({_ID_LEFT}, '\\b[ahx]\\b') THEN 'm' ELSE 'u' END
    ELSE '' END"""
"""Letter case of the same: capitals, mixed, or '' for small letters and figures alone."""
ENGINE = f"""
    CASE WHEN o.label = 'spam' AND o.lab IS NULL AND o.skeleton <> ''
              AND coalesce(a.botnet, 'unknown') = 'unknown'
         THEN 'engine-' || substr(md5(concat_ws('|', {_OWN_FIELDS},
              CASE WHEN list_contains(string_split(lower(o.skeleton), ','), 'message-id') THEN
                   {_ID_PARTS} ELSE '' END,
              CASE WHEN list_contains(string_split(lower(o.skeleton), ','), 'message-id') THEN
                   {_ID_CASE} ELSE '' END)), 1, 6) END
"""
"""The provisional name of the engine behind mail that no family is named for: a hash of its header order and
of how it writes the left side of its Message-ID (unless a relay added that). Nothing else that is in the lake
has a say: more mail renames none, and the same engine has the same name in every observatory, whatever text,
parts and attachments it sends. Wants tables o (observations) and a (attributions)."""
LEAST_ENGINE = 5
"""Messages from which an unknown engine is listed."""


def engines(lake: Lake, most: int) -> list[dict[str, Any]]:
    """The most frequent unknown engines with their messages, addresses, span and skeleton."""
    rows: list[dict[str, Any]] = lake.query(f"""
        SELECT {ENGINE} AS engine, count(*) AS messages, count(DISTINCT o.source_ip) AS sources,
               min(o.received_at)::DATE AS first_seen, max(o.received_at)::DATE AS last_seen,
               min(o.skeleton) AS skeleton
        FROM observations o LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
        WHERE engine IS NOT NULL GROUP BY engine HAVING count(*) >= {LEAST_ENGINE}
        ORDER BY messages DESC, engine LIMIT {most}
    """).to_pylist()  # noqa: S608 - the words are from this module
    return rows


def campaign_answers(lake: Lake, name: str, names: pa.Table) -> list[dict[str, Any]]:
    """Each distinct answer in a campaign with its evidence, how much wild spam and lab mail has it, and one.

    That one is of the wild, where there is any.
    """
    wanted = pa.table({"name": [name]})
    rows: list[dict[str, Any]] = lake.query(
        f"""
        WITH named AS ({NAMED})
        SELECT a.botnet, a.programme, a.evidence, count(*) FILTER (WHERE e.lab IS NULL) AS messages,
               count(e.lab) AS lab,
               coalesce(min(a.sha256) FILTER (WHERE e.lab IS NULL), min(a.sha256)) AS sha256
        FROM attributions a JOIN named n ON n.sha256 = a.sha256 JOIN wanted w ON w.name = n.campaign
        JOIN evidence e ON e.sha256 = a.sha256 AND e.sensor = a.sensor
        WHERE e.label = 'spam'
        GROUP BY ALL ORDER BY messages DESC, lab DESC, sha256
        """,  # noqa: S608 - no outside text is in the SQL
        aliases=names,
        wanted=wanted,
    ).to_pylist()
    return rows


def message(lake: Lake, prefix: str) -> list[dict[str, Any]]:
    """Observation, attribution and campaign of the messages whose SHA-256 begins so; at most 20."""
    rows: list[dict[str, Any]] = lake.query(f"""
        SELECT o.* EXCLUDE (minhash), a.botnet, a.botnet_confidence, a.programme, a.programme_confidence,
               a.evidence, e.rules, m.campaign, {ENGINE} AS engine
        FROM observations o
        LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
        LEFT JOIN evidence e ON e.sha256 = o.sha256 AND e.sensor = o.sensor
        LEFT JOIN memberships m ON m.sha256 = o.sha256
        WHERE starts_with(o.sha256, '{prefix}') ORDER BY o.sha256, o.sensor LIMIT 20
    """).to_pylist()  # noqa: S608 - the prefix is hexadecimal digits, checked by the caller
    return rows
