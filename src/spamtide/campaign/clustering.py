"""Sketches to campaigns: what came before is never renamed, and the order of arrival does not decide.

A relation over Arrow tables. Contents with the same sketch are one; pairs of similar sketches are found
by banding (`candidates`), groups are made of them (`grouping`), and names are given (`lineage`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.campaign.candidates import Edges, find_edges
from spamtide.campaign.grouping import COHESION, Groups, content_rank
from spamtide.campaign.lineage import NEVER, CampaignState, Event, events_table, mint, names_ever, resolve
from spamtide.campaign.similarity import MIN_SHINGLES, PERMUTATIONS, estimate
from spamtide.compiled import native
from spamtide.schema import EXEMPLARS, LINEAGE, MEMBERSHIPS, MINHASH_BYTES

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

EXEMPLARS_KEPT = 12
"""Sketches that stand for a campaign: the oldest, the newest, and the most different between them."""
EXEMPLARS_TRIED = 512
"""Sketches that the most different ones are looked for among."""
SILENCE_DAYS = 30
"""Mail after so many days without any makes a campaign 'returned'."""

SILENCE = SILENCE_DAYS * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Clustering:
    """What a run of `cluster` found."""

    memberships: pa.Table
    """schema.MEMBERSHIPS: a row for each new content, in the order given."""
    state: CampaignState
    """What to hand to the next run."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Exemplars of known campaigns and new contents side by side, as arrays."""

    table: pa.Table
    """schema.EXEMPLARS; the campaign of a new content is null."""
    fresh: Flags
    """Rows that are new contents."""
    time: Ints
    """received_at in microseconds; NEVER where there is none."""
    campaign: Ints
    """Number of the campaign in `names`; -1 for new contents."""
    names: list[str]
    content: Ints
    """Number of the distinct content: equal sketches are one content."""
    minhashes: NDArray[np.uint32]
    """Shape (contents, 64)."""
    short: Flags
    """Contents that say too little to be compared; zero in `minhashes`."""


def cluster(
    new: pa.Table,
    known: CampaignState,
    *,
    similarity: float = 0.6,
    messages: Mapping[str, int] | None = None,
) -> Clustering:
    """Give each new content its campaign, founding, joining and merging campaigns as needed.

    Args:
        new: a row for each distinct content: sha256, received_at (may be null), minhash (64 little-endian
            uint32), shingles, sketch_key.
        known: what earlier runs found.
        similarity: estimated Jaccard similarity from which two texts are variants of one another.
        messages: how many contents were given each name by earlier runs; where names meet, the one that most
            go by survives, so that the fewest are renamed.

    Returns:
        Memberships of the new contents, and the state after. The names in it are final for this run;
        names of earlier runs are to be read through `resolve`.

    Raises:
        KeyError: a column is missing.
    """
    new = new.select(EXEMPLARS.names[1:])
    if not new.num_rows:
        return Clustering(MEMBERSHIPS.empty_table(), known)
    lineage = known.lineage.select(LINEAGE.names).cast(LINEAGE)
    rows = _lay_out(new, known)
    roots = _group(rows, similarity)[rows.content]
    touched = np.isin(roots, roots[rows.fresh])
    order = _in_order(rows, roots, np.flatnonzero(touched))
    names, events = _name(rows, roots, order, lineage, _standing(lineage, messages or {}))
    chosen = _choose_exemplars(rows, roots, order)
    standing = pa.array([names[root] for root in roots[chosen].tolist()], pa.string())
    exemplars = pa.concat_tables(
        [
            rows.table.filter(pa.array(~touched)),
            rows.table.take(pa.array(chosen)).set_column(0, EXEMPLARS.field("campaign"), standing),
        ]
    )
    memberships = pa.table(
        {
            "sha256": rows.table["sha256"].filter(pa.array(rows.fresh)),
            "campaign": pa.array([names[root] for root in roots[rows.fresh].tolist()], pa.string()),
        },
        schema=MEMBERSHIPS,
    )
    return Clustering(memberships, CampaignState(exemplars, pa.concat_tables([lineage, events])))


def _lay_out(new: pa.Table, known: CampaignState) -> _Rows:
    """Bring known exemplars and new contents into one frame and number the distinct contents."""
    new = new.add_column(0, "campaign", pa.nulls(new.num_rows, pa.string()))
    table = pa.concat_tables(
        [known.exemplars.select(EXEMPLARS.names).cast(EXEMPLARS), new.cast(EXEMPLARS)]
    ).combine_chunks()
    fresh = np.arange(table.num_rows) >= known.exemplars.num_rows
    campaigns = table["campaign"].combine_chunks().dictionary_encode()
    # A sketch that cannot be compared is grouped by its key; one without a key stays alone.
    whole = pc.equal(pc.binary_length(table["minhash"]), MINHASH_BYTES)
    comparable = pc.and_(pc.greater_equal(table["shingles"], MIN_SHINGLES), whole)
    comparable = pc.fill_null(comparable, fill_value=False)
    has_key = pc.fill_null(pc.greater(pc.utf8_length(table["sketch_key"]), 0), fill_value=False)
    key = pc.if_else(has_key, table["sketch_key"], table["sha256"])
    content = pc.if_else(comparable, table["minhash"].cast(pa.large_binary()), key.cast(pa.large_binary()))
    encoded = content.combine_chunks().dictionary_encode()
    # Contents are numbered in the order of their bytes, so that no tie is decided by the order of arrival.
    ordered = pc.sort_indices(encoded.dictionary)
    place = np.empty(len(ordered), dtype=np.int64)
    place[ordered.to_numpy()] = np.arange(len(ordered))
    number = place[encoded.indices.to_numpy()]
    first = np.zeros(place.size, dtype=np.int64)
    first[number[::-1]] = np.arange(number.size)[::-1]
    short = ~comparable.to_numpy()[first]
    minhashes = np.zeros((first.size, PERMUTATIONS), dtype=np.uint32)
    sketches = encoded.dictionary.take(ordered.filter(pa.array(~short)))
    values = sketches.buffers()[2]  # one after the other, none with a gap
    if values is not None:
        read = np.frombuffer(values, dtype="<u4", count=len(sketches) * PERMUTATIONS)
        minhashes[~short] = read.reshape(-1, PERMUTATIONS)
    return _Rows(
        table=table,
        fresh=fresh,
        time=table["received_at"].cast(pa.int64()).fill_null(NEVER).to_numpy(),
        campaign=campaigns.indices.fill_null(-1).to_numpy().astype(np.int64),
        names=campaigns.dictionary.to_pylist(),
        content=number,
        minhashes=minhashes,
        short=short,
    )


def _group(rows: _Rows, similarity: float) -> Ints:
    """The group of each distinct content, as the number of one content in it."""
    count = rows.short.size
    known = np.zeros(count, dtype=np.bool_)
    known[rows.content[~rows.fresh]] = True
    start = np.arange(count)
    leader = np.full(len(rows.names), count)
    np.minimum.at(leader, rows.campaign[~rows.fresh], rows.content[~rows.fresh])
    start[rows.content[~rows.fresh]] = leader[rows.campaign[~rows.fresh]]
    groups = Groups(rows.minhashes, start, similarity)
    comparable = np.flatnonzero(~rows.short)
    edges = find_edges(rows.minhashes[comparable], ~known[comparable], similarity * COHESION)
    groups.join_all(Edges(comparable[edges.left], comparable[edges.right], edges.similarity))
    return groups.roots()


def _in_order(rows: _Rows, roots: Ints, chosen: Ints) -> Ints:
    """Rows by group, time and content."""
    hashes = rows.table["sha256"].take(pa.array(chosen))
    keys = pa.table({"root": roots[chosen], "time": rows.time[chosen], "sha256": hashes})
    order = pc.sort_indices(keys, [("root", "ascending"), ("time", "ascending"), ("sha256", "ascending")])
    return np.asarray(chosen[order.to_numpy()])


def _standing(lineage: pa.Table, messages: Mapping[str, int]) -> Counter[str]:
    """How many messages go by each name now."""
    now = resolve(lineage)
    standing: Counter[str] = Counter()
    for name, count in messages.items():
        standing[now.get(name, name)] += count
    return standing


def _name(
    rows: _Rows, roots: Ints, order: Ints, lineage: pa.Table, standing: Counter[str]
) -> tuple[dict[int, str], pa.Table]:
    """Name each touched group, and say in lineage rows what is new.

    Args:
        rows: exemplars and new contents.
        roots: group of each row.
        order: rows of touched groups by group, time and content.
        lineage: what was said before.
        standing: messages that go by each name.
    """
    birth = np.full(len(rows.names), NEVER)
    np.minimum.at(birth, rows.campaign[~rows.fresh], rows.time[~rows.fresh])
    former: dict[int, set[int]] = {}
    members = order[~rows.fresh[order]]
    for root, campaign in zip(roots[members].tolist(), rows.campaign[members].tolist(), strict=True):
        former.setdefault(root, set()).add(campaign)
    founders = _firsts(roots, order)
    arrivals = _firsts(roots, order[rows.fresh[order]])
    hashes = rows.table["sha256"].take(pa.array(founders)).to_pylist()
    sha256 = dict(zip(founders.tolist(), hashes, strict=True))
    taken = names_ever(lineage) | set(rows.names)
    names: dict[int, str] = {}
    events: list[Event] = []
    pairs = zip(founders.tolist(), arrivals.tolist(), strict=True)
    for founder, arrival in sorted(pairs, key=lambda pair: (rows.time[pair[0]], sha256[pair[0]])):
        root = int(roots[founder])
        if root not in former:
            names[root] = mint(sha256[founder], taken)
            events.append((int(rows.time[founder]), "minted", names[root], None))
            continue
        by_standing = sorted(
            (-standing[rows.names[campaign]], int(birth[campaign]), rows.names[campaign])
            for campaign in former[root]
        )
        names[root], *others = (name for _, _, name in by_standing)
        events.extend((int(rows.time[arrival]), "merged", names[root], other) for other in others)
    events.extend((when, "returned", names[root], None) for when, root in _returns(rows, roots, order))
    events.sort(key=lambda event: (event[0], event[1], event[2], event[3] or ""))
    return names, events_table(events)


def _firsts(roots: Ints, order: Ints) -> Ints:
    """The first row of each group, for rows ordered by group."""
    return order[np.flatnonzero(np.diff(roots[order], prepend=-1))]


def _returns(rows: _Rows, roots: Ints, order: Ints) -> list[tuple[int, int]]:
    """(time, group) of each new row that ends a silence."""
    before, after = order[:-1], order[1:]
    told = (roots[before] == roots[after]) & rows.fresh[after] & (rows.time[after] != NEVER)
    before, after = before[told], after[told]
    after = after[rows.time[after] - rows.time[before] >= SILENCE]
    return list(zip(rows.time[after].tolist(), roots[after].tolist(), strict=True))


def _choose_exemplars(rows: _Rows, roots: Ints, order: Ints) -> Ints:
    """Rows that stand for each touched group from now on, ordered by group, time and content."""
    position = np.sort(np.unique(rows.content[order], return_index=True)[1])
    distinct = order[position]
    dated = order[rows.time[order] != NEVER]
    newest = dated[np.flatnonzero(np.diff(roots[dated], append=-1))]
    begins = np.flatnonzero(np.diff(roots[distinct], prepend=-1))
    chosen = [newest]
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), distinct.size], strict=True):
        members = distinct[begin:end]
        chosen.append(members if members.size <= EXEMPLARS_KEPT else _most_different(rows, members))
    places = np.isin(order, np.concatenate(chosen))
    return np.asarray(order[places])


def _most_different(rows: _Rows, members: Ints) -> Ints:
    """The oldest member, then again and again the one least like those taken (Gonzalez 1985)."""
    if members.size > EXEMPLARS_TRIED:
        rank = content_rank(rows.minhashes[rows.content[members[1:]]])
        members = np.concatenate((members[:1], members[1:][np.sort(np.argsort(rank)[: EXEMPLARS_TRIED - 1])]))
    if native:
        places = np.empty(EXEMPLARS_KEPT - 1, dtype=np.int64)
        native.most_different(np.ascontiguousarray(rows.minhashes), rows.content[members], places)
        return np.asarray(members[np.sort(places)])
    sketches = rows.minhashes[rows.content[members]]
    taken = [0]
    nearest = estimate(sketches, sketches[0])
    while len(taken) < EXEMPLARS_KEPT - 1:
        taken.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, estimate(sketches, sketches[taken[-1]]))
    return np.asarray(members[np.sort(np.array(taken))])
