"""How much two strains talk of the same, and who else talks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.company import NEAR_DAYS, SINGLE
from spamtide.campaign.traits import LINE, MARK, WORD
from spamtide.campaign.weighing import Vectors
from spamtide.compiled import native
from spamtide.each import Each, in_turn

if TYPE_CHECKING:
    import scipy.sparse as sp

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COHERENT = 0.25
"""Likeness in words of a text to the others with the same mark, if that mark is one campaign's own."""
STRANGERS = 0.1
"""Share of a mark's texts that may be less like the others."""
OUTLIVING = 1.5
"""Days of a line, in those of the lines beside it, from which it is its sender's, not one campaign's."""
MOST_CARRIERS = 400
"""A mark of more strains than this belongs to nobody."""
MOST_MEETINGS = 50_000_000
"""Meetings of two strains over a trait that are looked at, over the rarest traits first; the others still
count when two are compared. A trap's whole history fits in at some ten thousand strains."""
HINT = 0.25
"""Share of the likeness asked for that two strains must reach over those traits."""
NEIGHBOURS = 12
"""Nearest strains that each one is compared with."""
_ROWS = 1024
"""Strains whose neighbours are looked for at once: bounds memory."""
_PAIRS = 1 << 14
"""Pairs that are compared at once."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of strains that talk of the same, each once, left < right."""

    left: Ints
    right: Ints
    likeness: Floats
    """Mean cosine over all pairs of their exemplars, in words, names and marks."""
    phrasing: Floats
    """Mean cosine over all pairs of their exemplars, in phrases."""


def neighbours(
    vectors: Vectors,
    asked: Ints,
    among: Ints,
    least: float,
    each: Each = in_turn,
    but: Flags | None = None,
) -> Neighbours:
    """For each strain asked, its nearest among others, where the likeness reaches `least`.

    Args:
        vectors: of all strains.
        asked: strains whose neighbours are wanted.
        among: strains that may be neighbours, ascending.
        least: likeness in words from which a pair is one.
        each: maps over parts of the work.
        but: pairs of which both are such strains are left out.
    """
    asked, among = asked[vectors.telling[asked]], among[vectors.telling[among]]
    theirs = vectors.means[among]
    ours = theirs if np.array_equal(asked, among) else vectors.means[asked]
    degree = np.bincount(theirs.indices, minlength=theirs.shape[1])
    meetings = degree * np.bincount(ours.indices, minlength=degree.size)
    order = np.argsort(degree, kind="stable")
    rare = np.zeros(degree.size, dtype=np.bool_)
    rare[order[np.cumsum(meetings[order]) <= MOST_MEETINGS]] = True
    told = _only(theirs, rare)
    ours, turned = told if ours is theirs else _only(ours, rare), told.T.tocsr()

    # Both numbers in one: a pair is found from either side.
    here, there = _nearest(ours, turned, asked, among, least * HINT, each)
    number = np.sort(np.minimum(here, there) * vectors.telling.size + np.maximum(here, there))
    number = number[np.diff(number, prepend=-1) > 0]
    pairs = np.stack((number // vectors.telling.size, number % vectors.telling.size), axis=1)
    if but is not None:
        pairs = pairs[~but[pairs].all(axis=1)]

    def alike(start: int) -> tuple[Floats, Floats]:
        part = pairs[start : start + _PAIRS]
        members = vectors.exemplars[part].prod(axis=1)
        return _products(vectors.sums, part) / members, _products(vectors.phrases, part) / members

    both = [(np.zeros(0), np.zeros(0)), *each(alike, range(0, pairs.shape[0], _PAIRS))]
    likeness, phrasing = (np.concatenate(one) for one in zip(*both, strict=True))
    kept = likeness >= least
    return Neighbours(pairs[kept, 0], pairs[kept, 1], likeness[kept], phrasing[kept])


def _nearest(
    ours: sp.csr_matrix, turned: sp.csr_matrix, asked: Ints, among: Ints, least: float, each: Each
) -> tuple[Ints, Ints]:
    """Those asked and the nearest of each, NEIGHBOURS at most, that meet it in `least`; ties go to the lower.

    Args:
        ours: traits of those asked; shape (asked, features).
        turned: who has each trait; shape (features, among).
        asked: numbers of strains.
        among: numbers of the others, ascending.
        least: sum over common traits from which two meet.
        each: maps over parts of the work.
    """
    if native:
        found = np.full((asked.size, NEIGHBOURS), -1, dtype=np.int64)
        native.nearest(_laid(ours), _laid(turned), asked, among, least, found)
        some = found >= 0
        return np.repeat(asked, some.sum(axis=1)), found[some]

    def nearest(start: int) -> tuple[Ints, Ints]:
        part = asked[start : start + _ROWS]
        near = ours[start : start + _ROWS] @ turned
        hinted = np.flatnonzero(near.data >= least)
        row, column = np.searchsorted(near.indptr, hinted, side="right") - 1, near.indices[hinted]
        others = part[row] != among[column]
        row, column = _largest(row[others], column[others], near.data[hinted[others]], NEIGHBOURS)
        return part[row], among[column]

    none = np.zeros(0, dtype=np.int64)
    both = [(none, none), *each(nearest, range(0, asked.size, _ROWS))]
    here, there = (np.concatenate(one) for one in zip(*both, strict=True))
    return here, there


def _laid(matrix: sp.csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.int32], Ints]:
    """Values, columns and bounds of rows."""
    columns, bounds = matrix.indices.astype(np.int32, copy=False), matrix.indptr.astype(np.int64, copy=False)
    return np.ascontiguousarray(matrix.data), np.ascontiguousarray(columns), np.ascontiguousarray(bounds)


def _scaled(matrix: sp.csr_matrix, factor: Floats) -> sp.csr_matrix:
    """Each row times its factor."""
    data = matrix.data * np.repeat(factor, np.diff(matrix.indptr))
    return type(matrix)((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _only(matrix: sp.csr_matrix, columns: Flags) -> sp.csr_matrix:
    """Some columns; the others are empty."""
    kept = columns[matrix.indices]
    bounds = np.concatenate(([0], np.cumsum(kept)))[matrix.indptr]
    return type(matrix)((matrix.data[kept], matrix.indices[kept], bounds), shape=matrix.shape)


def _products(rows: sp.csr_matrix, pairs: Ints) -> Floats:
    """Inner product of each pair of rows."""
    product = rows[pairs[:, 0]].multiply(rows[pairs[:, 1]])
    return np.asarray(product.sum(axis=1)).ravel()


def _largest(row: Ints, column: Ints, value: Floats, most: int) -> tuple[Ints, Ints]:
    """(row, column) of the largest entries of each row; ties go to the lower column."""
    order = np.lexsort((column, -value, row))
    row, column = row[order].astype(np.int64), column[order].astype(np.int64)
    first = np.searchsorted(row, row)
    kept = np.arange(row.size) - first < most
    return row[kept], column[kept]


def kin_lines(vectors: Vectors, strains: Ints, messages: Ints, first: Ints, last: Ints) -> Iterator[Ints]:
    """Places in `strains` of those that carry a line of one campaign, for each such line of several.

    What stands beside a campaign's sentence, its subjects, lasts about as long as the sentence. A sender's
    own line, the name of a shop, stands beside one campaign's lines after another's, and outlives them.

    Args:
        vectors: of all strains.
        strains: the ones to look at.
        messages: of each of them.
        first: day of the first mail of each of them; -1 where none is known.
        last: day of the last.
    """
    known = np.flatnonzero(first >= 0)
    lines = carried(vectors, strains[known], LINE).tocoo()
    strain = known[lines.row]
    names, line = np.unique(lines.col, return_inverse=True)
    begin, end = np.full(names.size, np.iinfo(np.int64).max), np.full(names.size, -1)
    np.minimum.at(begin, line, first[strain])
    np.maximum.at(end, line, last[strain])
    days = end - begin + 1
    by_strain = np.argsort(strain, kind="stable")
    strain, line = strain[by_strain], line[by_strain]
    held = np.diff(np.flatnonzero(np.diff(strain, prepend=-1)), append=strain.size)
    start = np.repeat(np.cumsum(held) - held, held)
    many = np.repeat(held, held)
    one = np.repeat(np.arange(strain.size), many)
    other = np.repeat(start, many) + np.arange(one.size) - np.repeat(np.cumsum(many) - many, many)
    one, other = one[one != other], other[one != other]
    beside = _middle(line[one], days[line[other]], messages[strain[one]], names.size)
    lasting = (beside > 0) & (days > OUTLIVING * beside + NEAR_DAYS)
    by_line = np.lexsort((strain, line))
    bounds = np.searchsorted(line[by_line], np.arange(names.size + 1))
    for number in np.flatnonzero((np.diff(bounds) > 1) & ~lasting).tolist():
        yield strain[by_line[bounds[number] : bounds[number + 1]]]


def carried(vectors: Vectors, strains: Ints, kind: int) -> sp.csr_matrix:
    """Traits of one kind of some strains; shape (strains, features)."""
    return _only(vectors.sums[strains], vectors.kind == kind)


def _middle(owner: Ints, value: Ints, weight: Ints, owners: int) -> Ints:
    """Weighted median of each owner's values; 0 where there are none."""
    order = np.lexsort((value, owner))
    owner, value = owner[order], value[order]
    upto = np.cumsum(weight[order])
    bounds = np.searchsorted(owner, np.arange(owners + 1))
    before = np.concatenate(([0], upto))[bounds]
    middle = np.searchsorted(upto, (before[:-1] + before[1:]) / 2)
    some = np.diff(bounds) > 0
    found = np.zeros(owners, dtype=np.int64)
    found[some] = value[middle[some]]
    return found


def kin_marks(vectors: Vectors, strains: Ints, form: Ints) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Each strain's marks that are one campaign's own, as ones; shape (strains, features).

    The first are its own by what is said: the texts that carry it talk of the same, each of them, on average
    over the others, reaches COHERENT in words. A host of a whole programme does not, nor one that anybody may
    use. The second come in one form, whatever is said.

    Args:
        vectors: of all strains.
        strains: the ones to look at.
        form: of each of them, a number.
    """
    sums = vectors.sums[strains]
    length = np.sqrt(vectors.wording[strains])
    said = _scaled(_only(sums, vectors.kind == WORD), 1 / np.where(length > 0, length, 1.0))
    # What a strain has in common with itself, but for the words that no other has.
    itself = np.asarray(said.multiply(said).sum(axis=1)).ravel()
    marks = _only(sums, vectors.kind == MARK)
    marks.data[:] = 1.0
    carriers = np.asarray(marks.sum(axis=0)).ravel()
    some = np.flatnonzero((carriers > 1) & (carriers <= MOST_CARRIERS))
    forms = int(form.max(initial=0)) + 1
    owned, formed = np.zeros((2, marks.shape[1]), dtype=np.bool_)
    for start in range(0, some.size, _ROWS):
        part = some[start : start + _ROWS]
        mine = marks[:, part].tocsc()
        together = (mine.T @ said).tocsr()
        mark = np.repeat(np.arange(part.size), np.diff(mine.indptr))
        met = np.asarray(said[mine.indices].multiply(together[mark]).sum(axis=1)).ravel()
        likeness = (met - itself[mine.indices]) / (carriers[part[mark]] - 1)
        strange = np.bincount(mark, weights=likeness < COHERENT, minlength=part.size)
        owned[part] = strange <= STRANGERS * carriers[part]
        both, counts = np.unique(mark * forms + form[mine.indices], return_counts=True)
        most = np.zeros(part.size, dtype=np.int64)
        np.maximum.at(most, both // forms, counts)
        formed[part] = most >= SINGLE * carriers[part]
    return _only(marks, owned), _only(marks, formed)
