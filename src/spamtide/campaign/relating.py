"""Strains to campaigns: what is told in other words is one campaign all the same, until it proves to be two.

`cluster` keeps strains, texts that share their wording. Here strains that talk of the same are brought under
one name, anew whenever new mail touches them; so a campaign may be split again, and no order decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.campaign.clustering import SILENCE, Clustering
from spamtide.campaign.company import Company
from spamtide.campaign.kinship import neighbours
from spamtide.campaign.lineage import NEVER, CampaignState, Event, events_table, parents, resolve
from spamtide.campaign.regrouping import LEAST_LIKENESS, STAYING, Regrouping
from spamtide.campaign.weighing import Vectors, vectorise
from spamtide.each import Each, in_turn
from spamtide.schema import LINEAGE

Ints = NDArray[np.int64]

SETTLING = 90 * 86_400 * 1_000_000
"""Microseconds for which a campaign is looked at again at each new mail: what the forms of mail say is known
only after some weeks, and by then it may have ended."""
MOST_SETTLING = 4_000
"""Strains, the newest, that are looked at again so: bounds the time that it takes."""
ANCHORED = 5
"""So many times the messages of the strain that bears a campaign's name hold it in the campaign."""
STRAINS_KEPT = 200
"""Strains of a campaign that are remembered: the one that bears the name, then the largest and newest."""


@dataclass(frozen=True, slots=True)
class _Strains:
    """The remembered strains side by side."""

    names: list[str]
    """Ascending."""
    place: dict[str, int]
    row: Ints
    """Strain of each exemplar."""
    time: Ints
    """Time of each exemplar in microseconds; NEVER where there is none."""
    born: Ints
    """Oldest exemplar's time of each strain."""
    newest: Ints
    messages: Ints
    named: Ints
    """Messages of each strain that had a name before this run: those can be renamed."""
    head: list[str]
    """Campaign that each strain was of before."""


def relate(
    done: Clustering,
    known: CampaignState,
    profiles: pa.Table,
    messages: Mapping[str, int],
    each: Each = in_turn,
) -> CampaignState:
    """Bring strains that talk of the same under one name, and part those that no longer do.

    Args:
        done: what `cluster` has just found.
        known: what was known before it.
        profiles: schema.PROFILES of the exemplars in `done.state`; one that is missing cannot be compared.
        messages: how many contents were given each name, by all runs.
        each: maps over parts of the work.

    Returns:
        The state after, with a row of lineage for each merger and split; at most STRAINS_KEPT strains a
        campaign are in it.
    """
    exemplars = done.state.exemplars
    if not exemplars.num_rows or not done.memberships.num_rows:
        return done.state
    lineage = done.state.lineage
    parent = parents(lineage)
    strains = _lay_out(exemplars, parent, messages, Counter(done.memberships["campaign"].to_pylist()))
    owners = _owners(profiles, exemplars)
    vectors = vectorise(profiles["traits"], owners, strains.row, len(strains.names), each)
    chosen = _near_mail(strains, vectors, done.memberships["campaign"], each)
    heads = {strains.head[place] for place in chosen.tolist()}
    among = neighbours(vectors, chosen, chosen, LEAST_LIKENESS * STAYING, each)
    numbers = {head: number for number, head in enumerate(sorted(heads))}
    homes = np.array([numbers[strains.head[place]] for place in chosen.tolist()], dtype=np.int64)
    company = Company(profiles["form"], owners, strains.row, strains.time)
    company.weigh(vectors, np.unique(strains.head, return_inverse=True)[1], LEAST_LIKENESS)
    groups = Regrouping(vectors, chosen, strains.messages[chosen], homes, company).join_all(among)
    after = _heads(strains, chosen, _anchored(strains, chosen, groups))
    events = _events(strains, parent, after)
    minted = set(lineage.slice(known.lineage.num_rows)["campaign"].to_pylist())
    events += _returns(strains, after, minted & set(strains.names))
    kept = _thinned(strains, after)
    return CampaignState(
        exemplars.filter(pa.array(kept)) if not kept.all() else exemplars,
        pa.concat_tables([lineage.select(LINEAGE.names).cast(LINEAGE), events_table(events)]),
    )


def _owners(profiles: pa.Table, exemplars: pa.Table) -> Ints:
    """The number of the exemplar that each profile is of; -1 where it is of none, or not the first."""
    found = pc.index_in(profiles["sha256"], exemplars["sha256"]).fill_null(-1)
    owner: Ints = found.to_numpy().astype(np.int64)
    again = np.ones(owner.size, dtype=np.bool_)
    again[np.unique(owner, return_index=True)[1]] = False
    owner[again] = -1
    return owner


def _near_mail(strains: _Strains, vectors: Vectors, names: pa.ChunkedArray, each: Each) -> Ints:
    """Strains of the campaigns that new mail was given to, that talk of what it talks of, or that are new.

    Ascending.
    """
    touched = np.array(sorted(strains.place[name] for name in names.unique().to_pylist()), dtype=np.int64)
    heads = {strains.head[place] for place in touched.tolist()}
    met = np.array([head in heads for head in strains.head])
    if vectors.telling[~met].any():
        near = neighbours(vectors, touched, np.arange(met.size), LEAST_LIKENESS, each, but=met)
        heads.update(strains.head[place] for place in np.concatenate((near.left, near.right)).tolist())
    heads.update(strains.head[place] for place in _settling(strains))
    return np.flatnonzero(np.array([head in heads for head in strains.head]))


def _settling(strains: _Strains) -> list[int]:
    """Strains that are looked at again whatever new mail says: some thousands, of some weeks."""
    latest = int(strains.newest.max())
    order = np.lexsort((np.arange(strains.newest.size), -strains.newest))[:MOST_SETTLING]
    return order[strains.newest[order] >= latest - SETTLING].tolist() if latest > -NEVER else []


def _lay_out(
    exemplars: pa.Table, parent: Mapping[str, str], messages: Mapping[str, int], new: Mapping[str, int]
) -> _Strains:
    """Number the strains, and say of each what is known; `new` are the messages of this run by name."""
    owner = exemplars["campaign"].to_pylist()
    names = sorted(set(owner))
    place = {name: number for number, name in enumerate(names)}
    row = np.array([place[name] for name in owner], dtype=np.int64)
    time = exemplars["received_at"].cast(pa.int64()).fill_null(NEVER).to_numpy()
    born = np.full(len(names), NEVER)
    np.minimum.at(born, row, time)
    newest = np.full(len(names), -NEVER)
    np.maximum.at(newest, row, np.where(time == NEVER, -NEVER, time))
    size = np.bincount(row, minlength=len(names))
    counted, named = np.zeros((2, len(names)), dtype=np.int64)
    for given, count in messages.items():
        name = given
        # A name that was absorbed for good counts for the strain that absorbed it.
        seen = {name}
        while name not in place and name in parent and parent[name] not in seen:
            name = parent[name]
            seen.add(name)
        if name in place:
            counted[place[name]] += count
            named[place[name]] += count - new.get(given, 0)
    head = resolve(parent)
    return _Strains(
        names=names,
        place=place,
        row=row,
        time=time,
        born=born,
        newest=newest,
        messages=np.maximum(counted, size),
        named=named,
        head=[head.get(name, name) for name in names],
    )


def _anchored(strains: _Strains, chosen: Ints, groups: Ints) -> Ints:
    """The groups, but a strain that bears a name stays with most of what goes by it.

    A name goes with one strain, often of one message. If that is found to talk of something else, hundreds
    would be renamed for it, and again when it comes back.
    """
    parts: dict[str, Counter[int]] = defaultdict(Counter)
    for strain, group in zip(chosen.tolist(), groups.tolist(), strict=True):
        parts[strains.head[strain]][group] += int(strains.named[strain])
    kept = groups.copy()
    for head, counts in parts.items():
        bearer = strains.place.get(head)
        if bearer is None or len(counts) == 1:
            continue
        at = int(np.searchsorted(chosen, bearer))
        if at == chosen.size or chosen[at] != bearer:
            continue
        most = min(counts, key=lambda group: (-counts[group], group))
        heavy = counts[most] >= ANCHORED * int(strains.messages[bearer])
        if heavy and counts[most] > counts[int(groups[at])]:
            kept[at] = most
    return kept


def _heads(strains: _Strains, chosen: Ints, groups: Ints) -> dict[int, str]:
    """The name of each chosen strain's campaign from now on.

    A name goes with the strain that bears it. Where several names meet, the one that most messages went by
    survives, the older one among equals; so the fewest are renamed. Mail of this run had no name to lose,
    however much it is.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for strain, group in zip(chosen.tolist(), groups.tolist(), strict=True):
        members[group].append(strain)
    after: dict[int, str] = {}
    for inside in members.values():
        carried: dict[str, int] = defaultdict(int)
        for strain in inside:
            carried[strains.head[strain]] += int(strains.named[strain])
        bearers = [strain for strain in inside if strains.head[strain] == strains.names[strain]]
        best = min(
            bearers or inside,
            key=lambda strain: (
                -(carried[strains.names[strain]] if bearers else int(strains.messages[strain])),
                int(strains.born[strain]),
                strains.names[strain],
            ),
        )
        after.update(dict.fromkeys(inside, strains.names[best]))
    return after


def _events(strains: _Strains, parent: Mapping[str, str], after: Mapping[int, str]) -> list[Event]:
    """What became of each campaign: absorbed whole, or parted."""
    campaigns: dict[str, list[int]] = defaultdict(list)
    for strain in sorted(after):
        campaigns[strains.head[strain]].append(strain)
    splits: list[Event] = []
    mergers: list[Event] = []
    for campaign, inside in sorted(campaigns.items()):
        when = max(int(strains.newest[strain]) for strain in inside)
        when = NEVER if when == -NEVER else when
        if len({after[strain] for strain in inside}) == 1:
            if after[inside[0]] != campaign:
                mergers.append((when, "merged", after[inside[0]], campaign))
            continue
        for strain in inside:
            name, head = strains.names[strain], after[strain]
            if campaign not in {name, head}:
                splits.append((when, "split", campaign, name))
            if head != name and (head != campaign or parent.get(name) != campaign):
                mergers.append((when, "merged", head, name))
    return splits + mergers


def _returns(strains: _Strains, after: Mapping[int, str], minted: set[str]) -> list[Event]:
    """A campaign that was silent returns in other words: with a strain that is new."""
    fresh = np.array([name in minted for name in strains.names])[strains.row]
    heads: dict[str, int] = {}
    owner = np.array(
        [heads.setdefault(after.get(place, ""), len(heads)) for place in range(len(strains.names))]
    )
    group = owner[strains.row]
    order = np.lexsort((strains.time, group))
    before, here = order[:-1], order[1:]
    told = (group[before] == group[here]) & fresh[here] & ~fresh[before] & (strains.time[here] != NEVER)
    before, here = before[told], here[told]
    here = here[strains.time[here] - strains.time[before] >= SILENCE]
    return [
        (int(strains.time[one]), "returned", after[int(strains.row[one])], None)
        for one in here.tolist()
        if int(strains.row[one]) in after
    ]


def _thinned(strains: _Strains, after: Mapping[int, str]) -> NDArray[np.bool_]:
    """Exemplars that are remembered: all, but of the many strains of a much rewritten campaign."""
    inside: dict[str, list[int]] = defaultdict(list)
    for strain, head in after.items():
        inside[head].append(strain)
    kept = np.ones(len(strains.names), dtype=np.bool_)
    for head, members in inside.items():
        if len(members) <= STRAINS_KEPT:
            continue
        members.sort(
            key=lambda strain: (
                strains.names[strain] != head,
                -int(strains.messages[strain]),
                -int(strains.newest[strain]),
                strains.names[strain],
            )
        )
        kept[members[STRAINS_KEPT:]] = False
    return kept[strains.row]
