"""Addresses behind campaigns' wild spam: how many there are, and which they are of campaigns that still send.

The table `senders` is a memory: new mail of a campaign is held against it, not against all mail that ever
was. It says of which version of the evidence it is, and is made anew where that is another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import SENDERS, UNDATED
from spamtide.store.lake import Files, Lake

WEEKS = 5
"""Last weeks of which the campaigns are remembered when all mail is counted."""
MOST_HELD = 4
"""Times as many campaigns as have new mail that are remembered; with more, all are forgotten."""
LEAST_HELD = 10_000
"""Campaigns that are remembered in any case."""
COUNTING = 2
"""Raised where addresses were counted wrongly before: all are then counted anew, once."""
_MET = pa.schema([("name", pa.string()), ("source_ip", pa.string())])


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of some campaigns."""

    sources: pa.Table
    """Columns campaign (the surviving name) and sources."""
    more: pa.Table
    """SENDERS that are not remembered yet."""
    anew: bool
    """Whether these are all that is remembered."""


def of_new_mail(
    lake: Lake, names: pa.Table, added: tuple[str, ...], since: int, renamed: Collection[str]
) -> Counted:
    """Count the campaigns that some files of evidence have wild spam of.

    Args:
        lake: the observatory's lake.
        names: from `rollup.aliases`.
        added: files of evidence that were added to a version of it.
        since: that version, of which the table `campaigns` is.
        renamed: names of campaigns that go by another name than they did then.
    """
    part = Files("evidence", added)
    newer = lake.query(
        """
        SELECT DISTINCT campaign, source_ip FROM part
        WHERE label = 'spam' AND lab IS NULL AND campaign IS NOT NULL
        """,
        part=part,
    ).cast(SENDERS)
    wanted = lake.query(
        """
        SELECT DISTINCT coalesce(a.canonical, n.campaign) AS campaign
        FROM newer n LEFT JOIN aliases a ON a.name = n.campaign
        """,
        aliases=names,
        newer=newer,
    )
    given = _given(lake, names, wanted)
    anew = lake.note("senders").get("evidence") != since
    met = _MET.empty_table() if anew else _met(lake, newer, given)
    held = met.filter(pc.is_null(met["source_ip"]))["name"].combine_chunks()
    if len(held) > max(LEAST_HELD, MOST_HELD * wanted.num_rows):
        anew, met, held = True, _MET.empty_table(), held.slice(0, 0)
    missing = given.filter(pc.invert(pc.is_in(given["name"], held))).select(["name"])
    old = Files("evidence", tuple(sorted({*lake.files("evidence").paths} - {*added})))
    older = _older(lake, missing, old)
    there = pa.concat_tables([met.select(["name", "source_ip"]).rename_columns(SENDERS.names), older])
    fresh = newer.filter(pc.is_valid(newer["source_ip"])).join(there, SENDERS.names, join_type="left anti")
    marks = pa.table([missing["name"], pa.nulls(missing.num_rows, pa.string())], schema=SENDERS)
    more = pa.concat_tables([marks, older, fresh.select(SENDERS.names)])
    known = lake.read("campaigns", ["campaign", "sources"])
    # What was counted of a campaign says nothing where another has joined it, or left it; and where old mail
    # is among the new, it may have been counted of a name that is not remembered.
    unsure = {*renamed} if lake.only_added("evidence", since) else {*renamed, *missing["name"].to_pylist()}
    other = pc.or_(
        pc.is_in(given["name"], pa.array(sorted(unsure), pa.string())),
        pc.invert(pc.is_in(given["campaign"], known["campaign"].combine_chunks())),
    )
    whole = given.filter(other)["campaign"].combine_chunks()
    alone = given.filter(pc.is_in(given["campaign"], whole))
    rest = given.filter(pc.invert(pc.is_in(given["campaign"], whole)))
    found = [_added(lake, rest, known, there, fresh)]
    if alone.num_rows:
        # A name that came today is not looked for among all that are remembered.
        remembered = alone.filter(pc.is_in(alone["name"], held))
        pairs = _of(lake, remembered) if remembered.num_rows and not anew else SENDERS.empty_table()
        found.append(_counted(lake, alone, pa.concat_tables([pairs, more])))
    return Counted(pa.concat_tables(found), more, anew)


def to_be_counted_anew(lake: Lake, since: int | None) -> bool:
    """Whether what is known of the sources of campaigns was counted in another way, or not up to a version.

    A run that died once all was answered leaves them behind the evidence: mail of that run is not among what
    is new, and not among what was counted.
    """
    note = lake.note("senders")
    return lake.exists("senders") and (note.get("counting"), note.get("evidence")) != (COUNTING, since)


def of_all_mail(lake: Lake, names: pa.Table) -> Counted:
    """Count all campaigns, and remember those that have spam of the last weeks, as they were sighted."""
    recent = lake.query(
        f"""
        SELECT DISTINCT s.campaign AS name FROM sightings s
        WHERE s.week > greatest({UNDATED}, (SELECT max(week) FROM sightings) - {WEEKS})
        """  # noqa: S608 - numbers
    )
    several = pa.concat_tables([names.select(["name"]), names.select(["canonical"]).rename_columns(["name"])])
    # Of what has one name, pairs are counted as they are found; of what has several, together.
    found = lake.query(
        """
        WITH pairs AS MATERIALIZED (
            SELECT DISTINCT campaign, source_ip FROM evidence
            WHERE label = 'spam' AND lab IS NULL AND campaign IS NOT NULL AND source_ip IS NOT NULL)
        SELECT campaign, NULL AS source_ip, count(*) AS n FROM pairs GROUP BY campaign
        UNION ALL
        SELECT p.campaign, p.source_ip, 0 AS n FROM pairs p
        WHERE p.campaign IN (SELECT name FROM recent) OR p.campaign IN (SELECT name FROM several)
        """,
        recent=recent,
        several=several,
    )
    counts = found.filter(pc.is_null(found["source_ip"])).select(["campaign", "n"])
    pairs = found.filter(pc.is_valid(found["source_ip"])).select(SENDERS.names)
    sources = lake.query(
        """
        WITH given AS (
            SELECT name, canonical AS campaign FROM aliases UNION SELECT canonical, canonical FROM aliases)
        SELECT c.campaign, c.n AS sources FROM counts c ANTI JOIN several s ON s.name = c.campaign
        UNION ALL
        SELECT g.campaign, count(DISTINCT p.source_ip) AS sources
        FROM given g JOIN pairs p ON p.campaign = g.name GROUP BY g.campaign
        """,
        aliases=names,
        counts=counts,
        several=several,
        pairs=pairs,
    )
    held = pairs.filter(pc.is_in(pairs["campaign"], recent["name"].combine_chunks()))
    marks = pa.table([recent["name"], pa.nulls(recent.num_rows, pa.string())], schema=SENDERS)
    return Counted(sources, pa.concat_tables([marks, held.cast(SENDERS)]), anew=True)


def keep(lake: Lake, counted: Counted) -> None:
    """Remember what was counted of all evidence that there is now."""
    note = {"evidence": lake.version("evidence"), "counting": COUNTING}
    if counted.anew:
        lake.replace("senders", counted.more, note)
    else:
        lake.append("senders", counted.more, note)
        lake.compact("senders")


def _given(lake: Lake, names: pa.Table, wanted: pa.Table) -> pa.Table:
    """All names that campaigns were given: columns name and campaign."""
    return lake.query(
        """
        SELECT campaign AS name, campaign FROM wanted
        UNION SELECT a.name, a.canonical FROM aliases a SEMI JOIN wanted w ON w.campaign = a.canonical
        """,
        aliases=names,
        wanted=wanted,
    )


def _met(lake: Lake, newer: pa.Table, given: pa.Table) -> pa.Table:
    """Remembered addresses (_MET) that a campaign's new mail has, by any of its names; and each name."""
    return lake.query(
        """
        WITH came AS (
            SELECT DISTINCT g.campaign, n.source_ip FROM newer n JOIN given g ON g.name = n.campaign
            WHERE n.source_ip IS NOT NULL)
        SELECT s.campaign AS name, s.source_ip
        FROM (SELECT campaign, source_ip FROM senders
              WHERE source_ip IN (SELECT source_ip FROM came)) s JOIN given g ON g.name = s.campaign
        SEMI JOIN came c ON c.campaign = g.campaign AND c.source_ip = s.source_ip
        UNION ALL SELECT campaign, source_ip FROM senders WHERE source_ip IS NULL
        """,
        newer=newer,
        given=given,
    ).cast(_MET)


def _of(lake: Lake, given: pa.Table) -> pa.Table:
    """What is remembered of some campaigns."""
    sql = "SELECT s.campaign, s.source_ip FROM senders s SEMI JOIN given g ON g.name = s.campaign"
    return lake.query(sql, given=given).cast(SENDERS)


def _older(lake: Lake, missing: pa.Table, mail: Files) -> pa.Table:
    """Each address of campaigns that are not remembered, from the weeks in which they were sighted."""
    seen = lake.query(
        "SELECT s.campaign AS name, s.week FROM sightings s SEMI JOIN missing m ON m.name = s.campaign",
        missing=missing,
    )
    if not seen.num_rows:
        return SENDERS.empty_table()
    weeks = ", ".join(map(str, sorted(seen["week"].unique().to_pylist())))
    return lake.query(
        f"""
        SELECT DISTINCT e.campaign, e.source_ip FROM mail e SEMI JOIN wanted w ON w.name = e.campaign
        WHERE e.week IN ({weeks}) AND e.label = 'spam' AND e.lab IS NULL AND e.source_ip IS NOT NULL
        """,  # noqa: S608 - numbers
        mail=mail,
        wanted=seen.select(["name"]),
    ).cast(SENDERS)


def _added(lake: Lake, given: pa.Table, known: pa.Table, there: pa.Table, fresh: pa.Table) -> pa.Table:
    """`Counted.sources` of campaigns of which all is known: as many as there were, and the new ones.

    An address that is new by one name of a campaign may be `there` by another.
    """
    return lake.query(
        """
        WITH old AS (SELECT g.campaign, t.source_ip FROM there t JOIN given g ON g.name = t.campaign),
        new AS (SELECT DISTINCT g.campaign, f.source_ip FROM fresh f JOIN given g ON g.name = f.campaign),
        more AS (
            SELECT n.campaign, count(*) AS n
            FROM new n ANTI JOIN old o ON o.campaign = n.campaign AND o.source_ip = n.source_ip
            GROUP BY ALL)
        SELECT k.campaign, (k.sources + coalesce(m.n, 0))::BIGINT AS sources
        FROM known k SEMI JOIN given g ON g.campaign = k.campaign LEFT JOIN more m ON m.campaign = k.campaign
        """,
        given=given,
        known=known,
        there=there,
        fresh=fresh,
    )


def _counted(lake: Lake, given: pa.Table, pairs: pa.Table) -> pa.Table:
    """`Counted.sources` of some campaigns, from all their addresses."""
    return lake.query(
        """
        SELECT g.campaign, count(DISTINCT p.source_ip) AS sources
        FROM given g LEFT JOIN pairs p ON p.campaign = g.name GROUP BY ALL
        """,
        given=given,
        pairs=pairs,
    )
