"""Traits to vectors: what each strain talks of.

A trait weighs what it is rare (tf-idf, Salton and Buckley 1988), over all profiles that are remembered.

Most of what exemplars have, no other strain has. It counts for how much a strain varies and how long its
vectors are, which are numbers; only what two strains share can bring them together, and is kept by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spamtide.campaign.traits import LINE, LINE_BITS, MARK, NAME, PHRASE, SUBJECT, WORD
from spamtide.compiled import native
from spamtide.each import Each, in_turn

if TYPE_CHECKING:
    import scipy.sparse as sp

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
U64 = NDArray[np.uint64]

TRAIT_WEIGHT = {WORD: 1.0, NAME: 1.5, MARK: 1.5, LINE: 0.0, SUBJECT: 0.0}
"""What a rewriter keeps weighs more than what he rewrites. A line and a subject are words that
count already."""
COMMON = 0.3
"""Share of all texts from which a trait is no more common than others: a campaign that is most of the mail
would make what it says common, and what parts its letters, random words, all that counts."""
LEAST_TRAITS = 8
"""Recurring words and phrases from which a text can be compared."""

_KINDS = 5
"""Kinds that are summed apart: lines and subjects, which weigh nothing, are one."""
_LOW = np.uint64(0xFFFFFFFF)
_SLICE = 1 << 20
"""Traits that are looked at at once: bounds memory, and stays near the processor."""
_PART_BITS = 2
_PARTS = 1 << _PART_BITS
"""Parts by the first bits of a trait, each of which is a hash: they are worked on apart."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Strains as sums of their exemplars' unit vectors; by name only those features that two strains have."""

    sums: sp.csr_matrix
    """Words, names and marks; shape (strains, features). Columns ascend in every row."""
    phrases: sp.csr_matrix
    """Phrases; shape (strains, features)."""
    means: sp.csr_matrix
    """All of them, by exemplar."""
    exemplars: Ints
    """Exemplars of each strain."""
    norms: Floats
    """Squared length of each strain's sums, with the features that it alone has, but for those of one
    exemplar; shape (strains, 2): words, names and marks, and phrases."""
    squares: Floats
    """Sum of the squared lengths of the exemplars' vectors, as far as they are in `norms`; likewise."""
    wording: Floats
    """Squared length of each strain's sum in words alone."""
    telling: NDArray[np.bool_]
    """Strains that say enough to be compared."""
    kind: Ints
    """Kind of each feature."""


def vectorise(
    traits: pa.ChunkedArray, exemplar: Ints, strain: Ints, strains: int, each: Each = in_turn
) -> Vectors:
    """Weigh the traits of all exemplars.

    Args:
        traits: as in PROFILES, in any order.
        exemplar: the number of the exemplar that each row of `traits` is of, no two alike; -1 for none.
        strain: number of each exemplar's strain.
        strains: how many strains there are.
        each: maps over parts of the work.
    """
    # Exemplars are numbered anew, those of a strain in a row: so are a trait's entries when they are sorted.
    order = np.argsort(strain, kind="stable")
    rank = np.empty(strain.size + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(strain.size), -1
    strain, rank = strain[order], rank[exemplar]
    exemplars = np.bincount(strain, minlength=strains)

    everything = _entries(traits, rank)

    def sifted(part: int) -> tuple[Floats, U64]:
        return _sifted(everything[part], strain.size)

    each = in_turn if native else each  # which takes less than to begin another process
    each_length, entries = zip(*each(sifted, range(_PARTS)), strict=True)
    lengths = sum(each_length[1:], each_length[0])
    # A little is added to every length, so that three common words are not taken for the same text.
    scale = 1 / np.sqrt(lengths.sum(axis=2) + np.log(strain.size + 1) ** 2 + 1e-9)
    squared = lengths[:, :, 1] * scale**2
    squares = np.stack([np.bincount(strain, squared[:, told], strains) for told in (0, 1)], axis=1)

    def summed(part: int) -> _Sums:
        return _summed(entries[part], scale, strain, strains)

    sums = each(summed, range(_PARTS))
    norms = sum((one.norms for one in sums[1:]), sums[0].norms).reshape(strains, _KINDS)
    recurring = sum((one.recurring for one in sums[1:]), sums[0].recurring)
    kind = np.concatenate([one.kind for one in sums])
    said, told = (_gathered(sums, strains, phrases=which) for which in (False, True))
    means = said + told  # no feature is in both
    means.data /= np.repeat(np.maximum(exemplars, 1), np.diff(means.indptr))
    return Vectors(
        sums=said,
        phrases=told,
        means=means,
        exemplars=exemplars,
        norms=np.stack((norms[:, (WORD, NAME, MARK)].sum(axis=1), norms[:, PHRASE]), axis=1),
        wording=norms[:, WORD],
        squares=squares.astype(np.float64),
        telling=recurring >= LEAST_TRAITS * np.maximum(exemplars, 1),
        kind=kind,
    )


def _entries(traits: pa.ChunkedArray, rank: Ints) -> list[U64]:
    """All traits, sorted, part by part: the trait above and the exemplar's number below."""
    found = [np.zeros(0, dtype=np.uint64)]
    owners = rank.astype(np.uint64)
    start = 0
    for chunk in traits.chunks:
        mine = rank[start : start + len(chunk)] >= 0
        here = owners[start : start + len(chunk)]
        start += len(chunk)
        _, offsets, data = chunk.buffers()
        ends = np.frombuffer(offsets, dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1] // 4
        if not len(chunk) or ends[0] == ends[-1]:
            continue
        entries = np.frombuffer(data, dtype="<u4", count=int(ends[-1]))[ends[0] :].astype(np.uint64)
        entries <<= np.uint64(32)
        entries |= np.repeat(here, np.diff(ends))
        found.append(entries if mine.all() else entries[np.repeat(mine, np.diff(ends))])
    joined = np.concatenate(found)
    joined.sort()
    bounds = np.arange(1, _PARTS, dtype=np.uint64) << np.uint64(64 - _PART_BITS)
    return np.split(joined, np.searchsorted(joined, bounds))


@dataclass(frozen=True, slots=True)
class _Run:
    """Some of the sorted entries: all those of some traits."""

    entries: U64
    begins: Ints
    """Where each trait's entries begin."""
    degree: Ints
    """How many exemplars have each trait."""
    kind: Ints
    weight: Floats
    """Of each trait."""


def _runs(entries: U64, total: int) -> Iterator[_Run]:
    """Sorted entries, some at a time, with what their traits weigh among `total` exemplars."""
    factor = np.array([TRAIT_WEIGHT.get(kind, 1.0) for kind in range(SUBJECT + 1)])
    start = 0
    while start < entries.size:
        end = min(start + _SLICE, entries.size)
        if end < entries.size:
            end = int(np.searchsorted(entries, (entries[end - 1] | _LOW), side="right"))
        part = entries[start:end]
        begins = _begins(part)
        trait = (part[begins] >> np.uint64(32)).astype(np.uint32)
        degree = np.diff(begins, append=part.size)
        kind = (trait & 3).astype(np.int64)
        for told, whole in enumerate((LINE, SUBJECT)):
            kind[(kind == MARK) & (trait >> np.uint32(32 - LINE_BITS) == told)] = whole
        rarity = np.log((total + 1) / np.minimum(degree, max(COMMON * total, 1)))
        yield _Run(part, begins, degree, kind, rarity * factor[kind])
        start = end


def _begins(entries: U64) -> Ints:
    """Where each trait begins."""
    if native:
        begins = np.empty(entries.size + 1, dtype=np.int64)
        return begins[: native.trait_begins(entries, begins)]
    trait = (entries >> np.uint64(32)).astype(np.uint32)
    return np.flatnonzero(np.concatenate(([True], trait[1:] != trait[:-1])))


def _sifted(entries: U64, total: int) -> tuple[Floats, U64]:
    """Squared lengths of the exemplars' vectors, and the entries of recurring traits.

    The lengths have the shape (exemplars, 2, 2): words, names and marks, or phrases; of traits of one
    exemplar, or of recurring ones.
    """
    lengths = np.zeros(total * 4)
    kept = 0
    for run in _runs(entries, total):
        if native:
            added = np.zeros(total * 4)
            again = native.sift_traits(run.entries, run.begins, run.kind, run.weight, added, PHRASE)
            lengths += added
            entries[kept : kept + again] = run.entries[:again]
            kept += again
            continue
        # A word that one exemplar alone has tells nothing of who belongs with it: hash-busters, rotating
        # hosts. A phrase of its own does: a text nearly all its own is not another's for the little shared.
        recurs = run.degree > 1
        told = run.kind == PHRASE
        weight = np.where(recurs | told, run.weight, 0.0)
        place = run.entries & _LOW
        place <<= np.uint64(2)
        place |= np.repeat((2 * told + recurs).astype(np.uint64), run.degree)
        lengths += np.bincount(place.view(np.int64), np.repeat(weight * weight, run.degree), total * 4)
        recurring = run.entries[np.repeat(recurs, run.degree)]
        entries[kept : kept + recurring.size] = recurring
        kept += recurring.size
    return lengths.reshape(total, 2, 2), entries[:kept].copy()


@dataclass(frozen=True, slots=True)
class _Sums:
    """What some features add up to."""

    norms: Floats
    """By strain and kind."""
    recurring: Ints
    """Recurring traits of each strain's exemplars."""
    value: Floats
    """Sums of the features that two strains have: feature by feature, those of each by strain."""
    strain: NDArray[np.int32]
    count: Ints
    """Strains of each such feature."""
    kind: Ints


def _summed(entries: U64, scale: Floats, strain: Ints, strains: int) -> _Sums:
    """Sums over the exemplars of each strain."""
    norms, recurring = np.zeros(strains * _KINDS), np.zeros(strains, dtype=np.int64)
    values, owners, counts, kinds = ([np.zeros(0, dtype=kind)] for kind in (float, np.int32, int, int))
    for run in _runs(entries, scale.shape[0]):
        if native:
            added, told = np.zeros(strains * _KINDS), np.zeros(strains, dtype=np.int64)
            value, sender = np.empty(run.entries.size), np.empty(run.entries.size, dtype=np.int32)
            held = np.empty(run.kind.size, dtype=np.int64)
            traits = (run.entries, run.begins, np.minimum(run.kind, LINE), run.weight)
            size = native.sum_traits(*traits, scale, strain, added, told, value, sender, held, PHRASE, LINE)
            norms += added
            recurring += told
            values.append(value[:size].copy())
            owners.append(sender[:size].copy())
            counts.append(held[held > 1])
            kinds.append(run.kind[held > 1])
            continue
        row = (run.entries & _LOW).view(np.int64)
        owner = strain[row]
        recurring += np.bincount(owner[np.repeat(run.kind < LINE, run.degree)], minlength=strains)
        row += row
        row += np.repeat(run.kind == PHRASE, run.degree)
        value = np.repeat(run.weight, run.degree)
        value *= scale.reshape(-1)[row]
        new = np.concatenate(([True], owner[1:] != owner[:-1]))
        new[run.begins] = True
        first = np.flatnonzero(new)
        value, owner = np.add.reduceat(value, first), owner[first]
        held = np.diff(np.searchsorted(first, run.begins), append=first.size)
        norms += np.bincount(
            _KINDS * owner + np.repeat(np.minimum(run.kind, LINE), held), value * value, strains * _KINDS
        )
        shared = np.repeat(held > 1, held)
        values.append(value[shared])
        owners.append(owner[shared].astype(np.int32))
        counts.append(held[held > 1])
        kinds.append(run.kind[held > 1])
    return _Sums(norms, recurring, *(np.concatenate(parts) for parts in (values, owners, counts, kinds)))


def _gathered(sums: Sequence[_Sums], strains: int, *, phrases: bool) -> sp.csr_matrix:
    """Phrases, or all else: a row a strain."""
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    some = [(one.kind == PHRASE) == phrases for one in sums]
    within = [np.repeat(mine, one.count) for mine, one in zip(some, sums, strict=True)]
    value = np.concatenate([one.value[mine] for mine, one in zip(within, sums, strict=True)])
    strain = np.concatenate([one.strain[mine] for mine, one in zip(within, sums, strict=True)])
    count = np.concatenate([np.where(mine, one.count, 0) for mine, one in zip(some, sums, strict=True)])
    bounds = np.concatenate(([0], np.cumsum(count)))
    return sp.csc_matrix((value, strain, bounds), shape=(strains, count.size)).tocsr()
