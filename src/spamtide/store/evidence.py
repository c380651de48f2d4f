"""Evidence: what attribution reads, kept so that new mail is added and a stretch of weeks is read alone.

New observations are found by the files that came since the Delta version that the last commit of evidence
names, and by key among those, so that a run may die anywhere and compaction changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import EVIDENCE, MEMBERSHIPS, OTHERS, UNDATED
from spamtide.store import contents
from spamtide.store.coded import codes_of
from spamtide.store.lake import Files, Lake

MOST_WEEKS = 200
"""Weeks that are named one by one in SQL; of more, the whole table is read."""

SAID = ["label", "lab", "received_at", "source_ip", "link_domains", "campaign", "text", "rules"]
"""Columns of EVIDENCE that have a say in answers."""
CODED = ["sensor", "label", "lab", "relay", "campaign", "link_domains", "rules"]
"""Columns of few distinct texts, or of lists of such."""

WEEK = f"coalesce(floor((o.received_at::DATE - DATE '1970-01-01') / 7.0)::INTEGER, {UNDATED})"


@dataclass(frozen=True, slots=True)
class Fresh:
    """Observations that may have no evidence yet, and the campaigns of their contents as far as known."""

    observations: Files
    members: pa.Table | Files
    """As MEMBERSHIPS."""
    version: int | None
    """Version of the observations that this is everything of."""


@dataclass(frozen=True, slots=True)
class OfHam:
    """What other mail was sent from and linked to."""

    addresses: tuple[str, ...]
    domains: tuple[str, ...]


def fresh(lake: Lake) -> Fresh:
    """The observations since the last commit of evidence."""
    return known(lake, incoming(lake))


def incoming(lake: Lake) -> Fresh:
    """The observations since the last commit of evidence, their campaigns not yet looked up."""
    since = lake.note("evidence").get("observations")
    paths = lake.added("observations", since)
    version = lake.version("observations")
    if paths is None:
        return Fresh(lake.files("observations"), lake.files("memberships"), version)
    return Fresh(Files("observations", paths), MEMBERSHIPS.empty_table(), version)


def known(lake: Lake, new: Fresh) -> Fresh:
    """What is `incoming`, with the campaigns of its contents as far as known."""
    if isinstance(new.members, Files) or not new.observations.paths:
        return new
    return replace(new, members=contents.members(lake, new.observations))


def count(lake: Lake, new: Fresh) -> int:
    """How many observations these are, at most."""
    return lake.rows_in(new.observations)


def unclustered(lake: Lake, new: Fresh) -> pa.Table:
    """Contents of spam that have no campaign yet, one row each, in a stable order."""
    return lake.query(
        """
        SELECT o.sha256, min(o.received_at) AS received_at,
               first(o.minhash ORDER BY o.sensor) AS minhash,
               first(o.shingles ORDER BY o.sensor) AS shingles,
               first(o.sketch_key ORDER BY o.sensor) AS sketch_key
        FROM fresh o ANTI JOIN members m ON m.sha256 = o.sha256
        WHERE o.label = 'spam'
        GROUP BY o.sha256 ORDER BY received_at NULLS LAST, o.sha256
        """,
        fresh=new.observations,
        members=new.members,
    )


def with_members(lake: Lake, new: Fresh, memberships: pa.Table) -> Fresh:
    """New observations with the campaigns that their contents were given since."""
    if isinstance(new.members, Files):
        return replace(new, members=lake.files("memberships"))
    return replace(new, members=pa.concat_tables([new.members, memberships]))


_TEXT = "(length(o.rendering) - strpos(o.rendering, chr(10) || 'text:') - 6)::INTEGER"
"""Characters of visible text: what follows the rendering's last line of its own."""


def unmatched(lake: Lake, new: Fresh, rows: int) -> Iterator[pa.RecordBatch]:
    """EVIDENCE without rules, and the rendering, of what has no evidence yet; batches of at most `rows`."""
    weeks = lake.query(f"SELECT DISTINCT {WEEK} AS week FROM fresh o", fresh=new.observations)  # noqa: S608 - our own words
    listed = ", ".join(map(str, sorted(weeks["week"].to_pylist())))
    where = f"WHERE week IN ({listed})" if 0 < weeks.num_rows <= MOST_WEEKS else ""
    return lake.stream(
        f"""
        SELECT o.sha256, o.sensor, {WEEK} AS week, o.label, o.lab, o.simulated, o.received_at, o.source_ip,
               o.relay, o.subject, o.link_domains, m.campaign, {_TEXT} AS text, o.rendering
        FROM fresh o
        ANTI JOIN (SELECT sha256, sensor FROM evidence {where}) e
               ON e.sha256 = o.sha256 AND e.sensor = o.sensor
        LEFT JOIN members m ON m.sha256 = o.sha256
        """,  # noqa: S608 - the weeks are numbers, the rest our own words
        rows,
        fresh=new.observations,
        members=new.members,
    )


# ---------------------------------------------------------------------------- weeks


def weeks(lake: Lake) -> dict[int, int]:
    """Messages by week."""
    return overview(lake)[0]


def count_weeks(lake: Lake, files: Files, wanted: Collection[int]) -> int:
    """Messages of some weeks in some files of evidence."""
    listed = ", ".join(map(str, sorted(wanted)))
    found = lake.query(f"SELECT count(*) AS n FROM part WHERE week IN ({listed})", part=files)  # noqa: S608 - numbers
    return int(found["n"][0].as_py())


def overview(lake: Lake, settled: int | None = None) -> tuple[dict[int, int], tuple[str, ...]]:
    """Messages by week, and the families that labs have mail of.

    What was counted by day when all was answered need not be counted again.

    Args:
        lake: the observatory's lake.
        settled: version of the evidence of which all is counted by day, if any is.
    """
    counted = lake.exists("daily") and lake.only_added("evidence", settled)
    added = lake.added("evidence", settled) if counted else None
    if added is None:
        found = lake.query("SELECT week, lab, count(*) AS n FROM evidence GROUP BY ALL")
    else:
        found = lake.query(
            """
            SELECT week, lab, sum(n)::BIGINT AS n FROM (
                SELECT week, lab, messages AS n FROM daily UNION ALL SELECT week, lab, 1 FROM part)
            GROUP BY ALL
            """,
            part=Files("evidence", added),
        )
    counts: dict[int, int] = {}
    for week, count in zip(found["week"].to_pylist(), found["n"].to_pylist(), strict=True):
        counts[week] = counts.get(week, 0) + count
    return counts, tuple(sorted({name for name in found["lab"].to_pylist() if name is not None}))


def arrived(lake: Lake, files: Files, columns: Sequence[str], most: int) -> pa.Table | None:
    """Some columns of what was added to the evidence; None where it is more than so many rows."""
    listed = ", ".join(columns)
    rows = lake.query(f"SELECT {listed} FROM part LIMIT {most + 1}", part=files)  # noqa: S608 - names of columns
    return rows if rows.num_rows <= most else None


def weeks_in(lake: Lake, files: Files) -> set[int]:
    """Weeks that some files of evidence have messages of."""
    return {*_by_week(lake.query("SELECT week, count(*) AS n FROM part GROUP BY week", part=files))}


def weeks_of_campaigns(lake: Lake, names: set[str]) -> set[int]:
    """Weeks in which campaigns, by the names that they were given, have spam."""
    listed = pa.table({"name": pa.array(sorted(names), pa.string())})
    found = lake.query(
        """
        SELECT week, count(*) AS n FROM sightings s SEMI JOIN listed c ON c.name = s.campaign GROUP BY week
        """,
        listed=listed,
    )
    return {*_by_week(found)}


def weeks_of_ham(
    lake: Lake, files: Files, since: int | None, rows: pa.Table | None = None
) -> tuple[set[int], OfHam, OfHam]:
    """Weeks of mail with an address or a link domain that is known of other mail since some files came.

    Args:
        lake: the observatory's lake.
        files: what was added to the evidence.
        since: version of the evidence to which it was added.
        rows: what was added, if it was read: label, source_ip and link_domains.

    Returns:
        The weeks, what is known of all other mail, and what of it is new.
    """
    now = ham(lake, files) if rows is None else _ham_in(rows)
    rest = Files("evidence", tuple(sorted({*lake.files("evidence").paths} - {*files.paths})))
    before = known_ham(lake, since) or ham(lake, rest)
    addresses = {*now.addresses} - {*before.addresses}
    domains = {*now.domains} - {*before.domains}
    known = OfHam(
        tuple(sorted(addresses.union(before.addresses))), tuple(sorted(domains.union(before.domains)))
    )
    if not addresses and not domains:
        return set(), known, OfHam((), ())
    keys = {name: pa.table({"key": pa.array(sorted(values), pa.string())})
            for name, values in (("addresses", addresses), ("domains", domains))}  # fmt: skip
    found = lake.query(
        """
        SELECT DISTINCT week, 1 AS n FROM evidence e SEMI JOIN addresses a ON a.key = e.source_ip
        UNION
        SELECT DISTINCT week, 1 AS n FROM (SELECT week, unnest(link_domains) AS domain FROM evidence) e
        SEMI JOIN domains d ON d.key = e.domain
        """,
        **keys,
    )
    return {*_by_week(found)}, known, OfHam(tuple(sorted(addresses)), tuple(sorted(domains)))


def known_ham(lake: Lake, version: int | None) -> OfHam | None:
    """What `keep_ham` kept at a version of the evidence; None where it kept nothing, or at another."""
    if version is None or lake.note("others").get("evidence") != version:
        return None
    return _of_ham(lake.read("others"))


def keep_ham(lake: Lake, known: OfHam) -> None:
    """Keep what is known of other mail in the whole evidence, so that a day's mail need not read it again."""
    keys = (*known.addresses, *known.domains)
    kinds = ["address"] * len(known.addresses) + ["domain"] * len(known.domains)
    rows = pa.table([pa.array(kinds, pa.string()), pa.array(keys, pa.string())], schema=OTHERS)
    lake.replace("others", rows, {"evidence": lake.version("evidence")})


def ham(lake: Lake, files: Files | None = None) -> OfHam:
    """Addresses and link domains of other mail, in all evidence or in some files of it."""
    found = lake.query(
        """
        WITH other AS (SELECT source_ip, link_domains FROM part WHERE label = 'ham')
        SELECT DISTINCT 'address' AS kind, source_ip AS key FROM other WHERE source_ip <> ''
        UNION ALL
        SELECT DISTINCT 'domain' AS kind, key FROM (SELECT unnest(link_domains) AS key FROM other)
        WHERE key <> ''
        ORDER BY ALL
        """,
        part=lake.files("evidence") if files is None else files,
    )
    return _of_ham(found)


def _of_ham(found: pa.Table) -> OfHam:
    """Rows of OTHERS as a record."""
    by_kind: dict[str, list[str]] = {"address": [], "domain": []}
    for kind, key in zip(found["kind"].to_pylist(), found["key"].to_pylist(), strict=True):
        by_kind[kind].append(key)
    return OfHam(tuple(by_kind["address"]), tuple(by_kind["domain"]))


def _ham_in(rows: pa.Table) -> OfHam:
    """Addresses and link domains of other mail among some rows."""
    other = rows.filter(pc.equal(rows["label"], "ham"))
    columns = other["source_ip"], pc.list_flatten(other["link_domains"])
    addresses, domains = (tuple(sorted(filter(None, column.unique().to_pylist()))) for column in columns)
    return OfHam(addresses, domains)


def stretch(lake: Lake, weeks: tuple[int, int]) -> pa.Table:
    """Evidence of the weeks from first to last."""
    return lake.query(f"SELECT * FROM evidence WHERE week BETWEEN {weeks[0]} AND {weeks[1]}")  # noqa: S608 - numbers


def told_apart(lake: Lake, weeks: Collection[int], around: Collection[int]) -> tuple[pa.Table, pa.Table]:
    """Evidence of some weeks, and SAID of those around them; texts that come again are codes."""
    return (
        lake.of_weeks("evidence", EVIDENCE.names, weeks, CODED),
        lake.of_weeks("evidence", SAID, around, CODED),
    )


def surviving(rows: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """Rows with each campaign under its surviving name; `names`: absorbed campaign name -> that."""
    codes, values = codes_of(rows["campaign"])
    now = [names.get(name, name) for name in values.to_pylist()]
    known = {name: place for place, name in enumerate(dict.fromkeys(now))}
    places = pa.array([known[name] for name in now], pa.int32())
    column = pa.DictionaryArray.from_arrays(places.take(codes), pa.array(list(known), pa.string()))
    return rows.set_column(rows.column_names.index("campaign"), "campaign", column)


def _by_week(rows: pa.Table) -> dict[int, int]:
    """A table of week and n as a mapping."""
    return dict(zip(rows["week"].to_pylist(), rows["n"].to_pylist(), strict=True))
