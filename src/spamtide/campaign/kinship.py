"""Profiles to vectors: how much two texts talk of the same, and who else talks of it.

A trait weighs what it is rare (tf-idf, Salton and Buckley 1988), over all profiles that are remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.traits import MARK, NAME, PHRASE, WORD

if TYPE_CHECKING:
    import scipy.sparse as sp

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TRAIT_WEIGHT = {WORD: 1.0, NAME: 1.5, MARK: 1.5}
"""What a rewriter keeps weighs more than what he rewrites."""
COHERENT = 0.25
"""Likeness in words of a text to the others with the same mark, if that mark is one campaign's own."""
STRANGERS = 0.1
"""Share of a mark's texts that may be less like the others."""
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


@dataclass(frozen=True, slots=True)
class Vectors:
    """Strains as sums of their exemplars' unit vectors."""

    sums: sp.csr_matrix
    """Words, names and marks; shape (strains, features)."""
    phrases: sp.csr_matrix
    """Phrases; shape (strains, features)."""
    exemplars: Ints
    """Exemplars of each strain."""
    squares: Floats
    """Sum of the squared lengths of the exemplars' vectors in `sums`, somewhat below their number."""
    phrase_squares: Floats
    """The same of `phrases`."""
    telling: NDArray[np.bool_]
    """Strains that say enough to be compared."""
    kind: NDArray[np.int64]
    """Kind of each feature."""


LEAST_TRAITS = 8
"""Recurring words and phrases from which a text can be compared."""


def vectorise(traits: Sequence[bytes], strain: Ints, strains: int) -> Vectors:
    """Weigh the traits of all exemplars.

    Args:
        traits: of each exemplar, as in PROFILES.
        strain: number of each exemplar's strain.
        strains: how many strains there are.
    """
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    flat = np.frombuffer(b"".join(traits), dtype="<u4")
    counts = np.array([len(one) // 4 for one in traits], dtype=np.int64)
    names, column = np.unique(flat, return_inverse=True)
    degree = np.bincount(column, minlength=names.size)
    kind = (names & 3).astype(np.int64)
    total = counts.size
    rarity = np.log((total + 1) / np.maximum(degree, 1))
    bounds = np.concatenate(([0], np.cumsum(counts)))
    gather = sp.csr_matrix((np.ones(total), (strain, np.arange(total))), shape=(strains, total))

    def gathered(weight: Floats) -> tuple[sp.csr_matrix, Floats, Floats]:
        rows = sp.csr_matrix((weight[column], column, bounds), shape=(total, names.size))
        rows.eliminate_zeros()
        squared = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        # A little is added to every length, so that three common words are not taken for the same text.
        scale = 1 / np.sqrt(squared + np.log(total + 1) ** 2 + 1e-9)
        shared = gather @ rows.sign() @ (degree > 1).astype(np.float64)
        squares = np.bincount(strain, weights=squared * scale**2, minlength=strains).astype(np.float64)
        return (gather @ (sp.diags(scale) @ rows)).tocsr(), squares, np.asarray(shared)

    # A word that one exemplar alone has tells nothing of who belongs with it: hash-busters, rotating hosts.
    # A phrase of its own does: a text that is nearly all its own is not another's for the little they share.
    weight = np.array([TRAIT_WEIGHT.get(one, 0.0) for one in range(4)])[kind]
    sums, squares, recurring = gathered(np.where(degree > 1, rarity, 0.0) * weight)
    phrases, phrase_squares, recurring_phrases = gathered(np.where(kind == PHRASE, rarity, 0.0))
    exemplars = np.bincount(strain, minlength=strains)
    return Vectors(
        sums=sums,
        phrases=phrases,
        exemplars=exemplars,
        squares=squares,
        phrase_squares=phrase_squares,
        telling=recurring + recurring_phrases >= LEAST_TRAITS * np.maximum(exemplars, 1),
        kind=kind,
    )


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of strains that talk of the same, each once, left < right."""

    left: Ints
    right: Ints
    likeness: Floats
    """Mean cosine over all pairs of their exemplars, in words, names and marks."""
    phrasing: Floats
    """The same in phrases."""


def neighbours(vectors: Vectors, asked: Ints, among: Ints, least: float) -> Neighbours:
    """For each strain asked, its nearest among others, where the likeness reaches `least`."""
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    asked, among = asked[vectors.telling[asked]], among[vectors.telling[among]]
    each = sp.diags(1 / np.maximum(vectors.exemplars, 1))
    said, told = (each @ vectors.sums).tocsr(), (each @ vectors.phrases).tocsr()
    means = (said + told).tocsr()  # no feature is in both
    theirs = means[among]
    degree = np.bincount(theirs.indices, minlength=theirs.shape[1])
    meetings = degree * np.bincount(means[asked].indices, minlength=degree.size)
    order = np.argsort(degree, kind="stable")
    rare = np.zeros(degree.size)
    rare[order[np.cumsum(meetings[order]) <= MOST_MEETINGS]] = 1.0
    narrowed = (theirs @ sp.diags(rare)).tocsr()
    narrowed.eliminate_zeros()
    turned = narrowed.T.tocsr()
    found: list[Ints] = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, asked.size, _ROWS):
        part = asked[start : start + _ROWS]
        near = (means[part] @ turned).tocoo()
        hinted = near.data >= least * HINT
        row, place = _largest(near.row[hinted], near.col[hinted], near.data[hinted], NEIGHBOURS + 1)
        pair = np.stack((part[row], among[place]), axis=1)
        found.append(pair[pair[:, 0] != pair[:, 1]])
    pairs = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
    likeness, phrasing = (_cosines(one, pairs) for one in (said, told))
    kept = likeness >= least
    return Neighbours(pairs[kept, 0], pairs[kept, 1], likeness[kept], phrasing[kept])


def _cosines(means: sp.csr_matrix, pairs: Ints) -> Floats:
    """Inner product of each pair of rows."""
    found = np.empty(pairs.shape[0])
    for start in range(0, pairs.shape[0], 1 << 14):
        part = pairs[start : start + (1 << 14)]
        product = means[part[:, 0]].multiply(means[part[:, 1]])
        found[start : start + (1 << 14)] = np.asarray(product.sum(axis=1)).ravel()
    return found


def _largest(row: Ints, column: Ints, value: Floats, most: int) -> tuple[Ints, Ints]:
    """(row, column) of the largest entries of each row; ties go to the lower column."""
    order = np.lexsort((column, -value, row))
    row, column = row[order].astype(np.int64), column[order].astype(np.int64)
    first = np.searchsorted(row, row)
    kept = np.arange(row.size) - first < most
    return row[kept], column[kept]


def kin_marks(vectors: Vectors, strains: Ints) -> sp.csr_matrix:
    """Each strain's marks that are one campaign's own, as ones; shape (strains, features).

    A mark is one's own if the texts that carry it talk of the same: each of them, on average over the others,
    reaches COHERENT in words. A host of a whole programme does not, nor one that anybody may use.
    """
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    sums = vectors.sums[strains]
    said = (sums @ sp.diags((vectors.kind == WORD).astype(np.float64))).tocsr()
    length = np.sqrt(np.asarray(said.multiply(said).sum(axis=1)).ravel())
    said = (sp.diags(1 / np.where(length > 0, length, 1.0)) @ said).tocsr()
    carried = (sums @ sp.diags((vectors.kind == MARK).astype(np.float64))).tocsr()
    carried.eliminate_zeros()
    carried.data[:] = 1.0
    carriers = np.asarray(carried.sum(axis=0)).ravel()
    some = np.flatnonzero((carriers > 1) & (carriers <= MOST_CARRIERS))
    owned = np.zeros(carried.shape[1])
    for start in range(0, some.size, _ROWS):
        part = some[start : start + _ROWS]
        mine = carried[:, part].tocsc()
        together = (mine.T @ said).tocsr()
        mark = np.repeat(np.arange(part.size), np.diff(mine.indptr))
        met = np.asarray(said[mine.indices].multiply(together[mark]).sum(axis=1)).ravel()
        likeness = (met - 1) / (carriers[part[mark]] - 1)
        strange = np.bincount(mark, weights=likeness < COHERENT, minlength=part.size)
        owned[part] = strange <= STRANGERS * carriers[part]
    kept: sp.csr_matrix = (carried @ sp.diags(owned)).tocsr()
    kept.eliminate_zeros()
    return kept
