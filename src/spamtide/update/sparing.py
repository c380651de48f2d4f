"""Answers spared: after a day of mail, only messages of which something else is said are answered again.

New mail is tied to old by an address, a link or a campaign. What campaigns say is told from how many messages
are alike, by day; of addresses and links, only those of new mail are read. The messages that something else
is said of now are then answered with all that has a say in them, and nothing more. Where a week's mail has a
botnet's engine behind it, all of it hangs together, and the week is answered whole (`refresh`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution import (
    ADDRESS_WEEKS,
    DOMAIN_WEEKS,
    REACH_WEEKS,
    Beyond,
    Coded,
    Flags,
    Ints,
    Ruleset,
    answers_of,
    behind_engines,
    coded,
    moved,
)
from spamtide.engine import Backlog
from spamtide.knowledge import Knowledge
from spamtide.schema import CELLS, EVIDENCE, UNDATED
from spamtide.settings import Attributing
from spamtide.store import Lake, amending, evidence, sharing

MOST_NEW = 300_000
"""New messages up to which it pays to look for what they move."""
MOST_HELD = 3_500_000
"""Messages of the weeks around new mail up to which these are held in memory."""
AMENDING = "amending"
"""In a note of `sightings`: some answers are being replaced."""
MOST_BARRED = 100_000
"""Keys and weeks that other mail now bars, up to which their messages are looked for one by one."""


@dataclass(frozen=True, slots=True)
class News:
    """What came since all was answered."""

    rows: pa.Table
    """Evidence that came: sharing.ASKED."""
    since: int
    """Version of the evidence of which all was answered."""
    old: sharing.Mail
    """Evidence that was there then."""
    then: Mapping[str, str]
    """Absorbed campaign name -> surviving name, as it was."""
    barred: evidence.OfHam
    """What is known of other mail since then."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What answers rest on besides the rows."""

    ruleset: Ruleset
    knowledge: Knowledge
    attributing: Attributing
    beyond: Beyond
    names: Mapping[str, str]
    """Absorbed campaign name -> surviving name."""

    def coded(self, rows: pa.Table, copies: Ints, asks: Flags | None = None) -> Coded | None:
        """Rows made ready to be answered, campaigns under their surviving names; see `attribution.coded`."""
        rows = evidence.surviving(_completed(rows), self.names)
        return coded(rows, self.ruleset, self.knowledge, beyond=self.beyond, asks=asks, copies=copies)

    def without(self) -> tuple[Collection[str], Collection[str]]:
        """Addresses and link domains that say nothing."""
        return self.beyond.ham_addresses, {*self.beyond.ham_domains, *self.knowledge.shared_hosts}


@dataclass(frozen=True, slots=True)
class Spared:
    """An update that answers only what new mail moves."""

    lake: Lake
    basis: Basis
    news: News
    weeks: frozenset[int]
    """Those in which it may move anything."""
    barred: pa.Table
    """Old messages that share something with other mail now."""
    cells: _Cells

    def asked(self) -> pa.Table:
        """`sharing.ASKED` of new messages, and of those that they move."""
        of = self.lake, self.basis, self.news
        with ThreadPoolExecutor(2, "shared") as others:
            later = [others.submit(_by_address, *of), others.submit(_by_domain, *of)]
            wanted = self.cells.moved(self.basis, self.news, self.weeks)
            found = [self.news.rows, self.barred, sharing.in_cells(self.lake, self.news.old, wanted)]
            found += [one.result() for one in later]
        return _once(pa.concat_tables(found))

    def answers(self, asked: pa.Table) -> pa.Table:
        """Rows of ANSWERS with `week` of what is `asked`, in its order."""
        return _answered(self.lake, self.basis, self.news, asked, self.cells)


@dataclass(frozen=True, slots=True)
class Read:
    """What is stored of some weeks."""

    weeks: frozenset[int]
    held: pa.Table
    """`sharing.ASKED` of their evidence."""
    answers: pa.Table
    """As `amending.stored_answers`."""


class Ahead:
    """Reads in a backlog what answers of new mail need, while something else is done with this mail.

    Args:
        lake: the observatory's lake.
        hits: rows of EVIDENCE of the new mail; it is waited for in the backlog.
        backlog: reads.
    """

    def __init__(self, lake: Lake, hits: Future[list[pa.RecordBatch]], backlog: Backlog) -> None:
        self.version = lake.version("evidence")
        self._lake, self._files, self._hits = lake, lake.files("evidence"), hits
        self.weeks = frozenset[int]()
        """Known once it was waited for."""
        self._read: Read | None = None
        self._wait = backlog(self._begin)

    def read(self) -> Read | None:
        """What was read; None where it was too much, or would not be used."""
        self._wait()
        read, self._read = self._read, None  # whoever has it lets it go
        return read

    def _begin(self) -> None:
        new = {week for batch in self._hits.result() for week in batch["week"].unique().to_pylist()}
        around = {week + far for week in new for far in range(-REACH_WEEKS, REACH_WEEKS + 1)} - {UNDATED}
        self.weeks = frozenset(around)
        lake, files, weeks = self._lake, self._files, self.weeks
        note = lake.note("sightings")
        if AMENDING in note or self.version is None or note.get("evidence") != self.version:
            return
        if not weeks or has_engines(lake, weeks) or evidence.count_weeks(lake, files, weeks) > MOST_HELD:
            return
        self._read = Read(weeks, sharing.held(lake, files, weeks), amending.stored_answers(lake, weeks))


def spared(
    lake: Lake, basis: Basis, news: News, weeks: Collection[int], counts: Mapping[int, int]
) -> Spared | None:
    """Find out whether only what new mail moves need be answered; None where it is all of the weeks.

    Args:
        lake: the observatory's lake.
        basis: what answers rest on.
        news: what came.
        weeks: those in which it may move anything.
        counts: messages by week.
    """
    around = {week + far for week in weeks for far in range(-REACH_WEEKS, REACH_WEEKS + 1)} & set(counts)
    if basis.beyond.landings or has_engines(lake, around - {UNDATED}):
        return None
    cells = _Cells.read(lake, basis, news, around)
    barred = _barred(lake, news, weeks)
    if cells is None or barred is None:
        return None
    return Spared(lake, basis, news, frozenset(weeks), barred, cells)


def has_engines(lake: Lake, weeks: Collection[int]) -> bool:
    """Whether it is known that some mail of some weeks has a botnet's engine behind it."""
    return bool(pc.any(pc.is_in(lake.read("kits")["week"], pa.array(sorted(weeks), pa.int32()))).as_py())


def keep_cells(lake: Lake, found: Spared | None, weeks: Collection[int]) -> None:
    """Keep the cells of the last weeks for the next update."""
    if found is not None and {*weeks} <= {*found.cells.kept["week"].unique().to_pylist()}:
        sharing.keep_cells(lake, found.cells.kept, min(weeks))
    elif found is not None or sharing.known_cells(lake, lake.version("evidence")) is None:
        sharing.keep_cells(lake, sharing.cells(lake, lake.files("evidence"), weeks), min(weeks))


@dataclass(frozen=True, slots=True)
class _Cells:
    """Messages that are alike but for addresses and links, as one row each."""

    kept: pa.Table
    """CELLS, those of old messages first."""
    rows: pa.Table
    """The cells of `kept`, with all columns of `sharing.SHARED`."""
    before: Ints
    """How many of each are old messages."""
    coded: Coded

    @classmethod
    def read(cls, lake: Lake, basis: Basis, news: News, weeks: Collection[int]) -> _Cells | None:
        """The cells of some weeks; None where a botnet's engine is behind any mail of them."""
        known, first = sharing.known_cells(lake, news.since) or (CELLS.empty_table(), max(weeks) + 1)
        parts = [
            known.filter(pc.is_in(known["week"], pa.array(sorted(weeks), pa.int32()))),
            sharing.cells(lake, news.old.files, {week for week in weeks if week < first} - {UNDATED}),
        ]
        old = sum(part.num_rows for part in parts)
        kept = pa.concat_tables([*parts, sharing.cells(lake, news.rows, weeks)])
        rows = sharing.laid_out(kept)
        copies = rows["n"].to_numpy()
        made = basis.coded(rows, copies)
        if made is None or behind_engines(made):
            return None
        return cls(kept, rows, np.where(np.arange(len(copies)) < old, copies, 0), made)

    def moved(self, basis: Basis, news: News, weeks: Collection[int]) -> pa.Table:
        """Cells whose campaign says something else now: campaign, week, names."""
        then = evidence.surviving(self.rows, news.then)["campaign"]
        other = moved(self.coded, self.before, basis.attributing, then)
        other &= np.isin(self.rows["week"].to_numpy(), [*weeks])
        found = self.rows.filter(pa.array(other)).select(["campaign", "week", "names"])
        return found.group_by(["campaign", "week", "names"]).aggregate([])


def _barred(lake: Lake, news: News, weeks: Collection[int]) -> pa.Table | None:
    """Old messages with an address or a link that is now known of other mail; None where that is too much."""
    found = []
    for keys, read in ((news.barred.addresses, sharing.by_address), (news.barred.domains, sharing.by_domain)):
        if len(keys) * len(weeks) > MOST_BARRED:
            return None
        pairs = [(key, week) for key in keys for week in sorted(weeks)]
        columns = {"key": [key for key, _ in pairs], "week": [week for _, week in pairs]}
        wanted = pa.table(columns, schema=sharing.KEY)
        found.append(read(lake, news.old, wanted, sharing.ASKED).select(sharing.ASKED))
    return pa.concat_tables(found)


def _by_address(lake: Lake, basis: Basis, news: News) -> pa.Table:
    """Old messages whose address says something else."""
    wanted = sharing.keys(news.rows, "source_ip", 2 * ADDRESS_WEEKS, basis.without()[0])
    old = sharing.by_address(lake, news.old, wanted, sharing.ASKED)
    rest = {"link_domains", "campaign"}
    return _moved(basis, old, _blank(old, rest), _blank(news.rows, rest))


def _by_domain(lake: Lake, basis: Basis, news: News) -> pa.Table:
    """Old messages of which a link says something else."""
    wanted = sharing.keys(news.rows, "link_domains", 2 * DOMAIN_WEEKS, basis.without()[1])
    old = sharing.by_domain(lake, news.old, wanted, sharing.ASKED)
    rest = {"source_ip", "campaign"}
    return _moved(basis, old.select(sharing.ASKED), _one_domain(old), _blank(news.rows, rest))


def _moved(basis: Basis, old: pa.Table, shares: pa.Table, new: pa.Table) -> pa.Table:
    """Those of some old messages that new ones move by what they share."""
    rows = pa.concat_tables([shares, new])
    there = (np.arange(rows.num_rows) < old.num_rows).astype(np.int64)
    made = basis.coded(rows, np.ones(rows.num_rows, dtype=np.int64))
    if made is None:
        return old
    return old.filter(pa.array(moved(made, there, basis.attributing)[: old.num_rows]))


def _one_domain(rows: pa.Table) -> pa.Table:
    """Rows of `sharing.by_domain` with that domain as their only link, and nothing else that is shared."""
    ends = pa.array(np.arange(rows.num_rows + 1, dtype=np.int32))
    only = pa.ListArray.from_arrays(ends, rows["domain"].combine_chunks())
    place = rows.column_names.index("link_domains")
    alone = rows.set_column(place, "link_domains", only).drop_columns("domain")
    return _blank(alone, {"source_ip", "campaign"})


def _blank(rows: pa.Table, names: Collection[str]) -> pa.Table:
    """Rows without what is in some columns."""
    for name in names:
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, pa.nulls(rows.num_rows, rows.schema.field(name).type))
    return rows


def _once(rows: pa.Table) -> pa.Table:
    """Each message once."""
    numbered = rows.select(["sha256", "sensor"]).append_column("place", pa.array(np.arange(rows.num_rows)))
    last = numbered.group_by(["sha256", "sensor"]).aggregate([("place", "max")])["place_max"].to_numpy()
    once = np.zeros(rows.num_rows, dtype=np.bool_)
    once[last] = True
    return rows.filter(pa.array(once))  # in a tenth of the time in which they are taken by their places


def _answered(lake: Lake, basis: Basis, news: News, asked: pa.Table, cells: _Cells) -> pa.Table:
    """Answers of some messages, from what shares anything with them."""
    whole = replace(news.old, more=news.rows)
    addresses, domains = basis.without()
    columns = ["label", "lab", "received_at", "rules"]
    with ThreadPoolExecutor(1, "shared") as other:
        wanted = sharing.keys(asked, "source_ip", ADDRESS_WEEKS, addresses)
        later = other.submit(sharing.by_address, lake, whole, wanted, [*columns, "source_ip"])
        wanted = sharing.keys(asked, "link_domains", DOMAIN_WEEKS, domains)
        linked = sharing.cells_of_domains(lake, whole, wanted)
        sent = later.result()
    shared = [_one_domain(_completed(linked)), _completed(cells.rows)]
    rows = pa.concat_tables([_completed(asked), _completed(sent), *shared])
    # Who asks has no say: it is among what was read by what it shares, and in its cell.
    none, once = np.zeros(asked.num_rows, dtype=np.int64), np.ones(sent.num_rows, dtype=np.int64)
    copies = np.concatenate([none, once, *(part["n"].to_numpy() for part in (linked, cells.rows))])
    made = basis.coded(rows, copies, np.arange(rows.num_rows) < asked.num_rows)
    answers, _ = answers_of(made, basis.attributing, basis.beyond.rented, beside=True)
    return answers.append_column("week", asked["week"])


def _completed(rows: pa.Table) -> pa.Table:
    """Rows with all columns of SHARED, those that answers are known by, and `domain` if there is one."""
    names = [*sharing.SHARED, "sha256", "sensor"]
    columns = {
        name: rows[name] if name in rows.column_names else pa.nulls(rows.num_rows, EVIDENCE.field(name).type)
        for name in names
    }
    return pa.table(columns | ({"domain": rows["domain"]} if "domain" in rows.column_names else {}))
