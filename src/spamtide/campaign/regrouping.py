"""Strains to campaigns: agglomeration by mean likeness, with a say for kinship and for what varies anyway.

Average linkage (Sokal and Michener 1958) over a sparse graph: the two most alike groups are joined first, and
only if they are as alike as their own members are, or carry the same names and marks.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.kinship import Neighbours, Vectors, kin_marks

Ints = NDArray[np.int64]

LEAST_LIKENESS = 0.12
"""Below this mean cosine two groups talk of different things, whatever else they share."""
NUCLEUS = 0.4
"""Likeness from which two groups that are too small to show how much they vary are one."""
CONSISTENT = 0.6
"""Share of their members' own likeness that two groups must reach."""
KIN_LIKENESS = 0.2
"""Likeness from which two groups with a mark of their own in common are one, however little each varies."""
COMMON = 0.3
"""Share of a group's strains that must carry a mark for it to be the group's."""
STAYING = 0.94
"""Share of these demands that is made on groups that were one campaign until now: a name is not given up for
the noise of another day's weights."""
GROWN = 3
"""Messages from which a group shows how much it varies."""
DOUBT, USUAL = 3, 0.4
"""So many members of the usual likeness are added to what a group shows of its own."""


@dataclass(slots=True)
class _Group:
    """Strains that are one so far."""

    strain: int
    """One of them."""
    exemplars: int
    squares: float
    norm: float
    """Squared length of the sum of its exemplars' vectors."""
    messages: int
    strains: int
    kin: dict[int, int]
    """Mark -> strains that carry it."""
    home: int
    """The campaign that most of its messages were of until now."""
    settled: int
    """How many of them."""
    version: int = 0
    sums: dict[int, float] | None = None
    """Sum of the exemplars' vectors; None while the strain stands alone and nobody asked."""

    def inner(self) -> float:
        """Mean likeness of two different members; 0 while there are too few."""
        if self.messages < GROWN or self.exemplars < 2:  # noqa: PLR2004 - a pair
            return 0.0
        return (self.norm - self.squares) / (self.exemplars * (self.exemplars - 1))


class Regrouping:
    """One agglomeration of some strains, from scratch."""

    def __init__(self, vectors: Vectors, strains: Ints, messages: Ints, homes: Ints) -> None:
        """Begin with each strain alone.

        Args:
            vectors: of all strains.
            strains: the ones to group, ascending.
            messages: of each of them.
            homes: number of the campaign that each was of until now.
        """
        self._parent = list(range(strains.size))
        self._groups: list[_Group | None] = []
        kin = kin_marks(vectors, strains)
        sums = self._sums = vectors.sums
        for place, strain in enumerate(strains.tolist()):
            data = sums.data[sums.indptr[strain] : sums.indptr[strain + 1]]
            carried = kin.indices[kin.indptr[place] : kin.indptr[place + 1]].tolist()
            self._groups.append(
                _Group(
                    strain=strain,
                    exemplars=int(vectors.exemplars[strain]),
                    squares=float(vectors.squares[strain]),
                    norm=float(data @ data),
                    messages=int(messages[place]),
                    strains=1,
                    kin=dict.fromkeys(carried, 1),
                    home=int(homes[place]),
                    settled=int(messages[place]),
                )
            )
        self._strains = strains
        self._refused: dict[tuple[int, int], int] = {}

    def join_all(self, near: Neighbours) -> Ints:
        """Join what belongs together; the group of each strain, as the place of one strain in it."""
        left = np.searchsorted(self._strains, near.left).tolist()
        right = np.searchsorted(self._strains, near.right).tolist()
        # Ties fall to the lower places: strains are ordered by name, which comes from their content.
        heap = [
            (-likeness, one, other, 0)
            for likeness, one, other in zip(near.likeness.tolist(), left, right, strict=True)
        ]
        heapq.heapify(heap)
        while heap:
            negative, one, other, version = heapq.heappop(heap)
            one, other = sorted((self._find(one), self._find(other)))
            if one == other:
                continue
            ours, theirs = self._group(one), self._group(other)
            now = ours.version + theirs.version
            likeness = -negative
            if now != version:
                if self._refused.get((one, other)) == now:
                    continue
                cross = _dot(self._summed(ours), self._summed(theirs))
                likeness = cross / (ours.exemplars * theirs.exemplars)
                if likeness < LEAST_LIKENESS * STAYING:
                    continue
                if heap and -likeness > heap[0][0]:
                    heapq.heappush(heap, (-likeness, one, other, now))
                    continue
            if self._belong(ours, theirs, likeness):
                self._join(one, other)
            else:
                self._refused[one, other] = now
        return np.array([self._find(place) for place in range(len(self._parent))], dtype=np.int64)

    def _find(self, place: int) -> int:
        parent = self._parent
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def _group(self, place: int) -> _Group:
        group = self._groups[place]
        if group is None:  # pragma: no cover - only roots are asked for
            raise LookupError
        return group

    def _summed(self, group: _Group) -> dict[int, float]:
        """Sum of a group's vectors, taken from the table when first asked for."""
        if group.sums is None:
            begin, end = self._sums.indptr[group.strain], self._sums.indptr[group.strain + 1]
            features, values = self._sums.indices[begin:end], self._sums.data[begin:end]
            group.sums = dict(zip(features.tolist(), values.tolist(), strict=True))
        return group.sums

    def _belong(self, ours: _Group, theirs: _Group, likeness: float) -> bool:
        """Whether two groups are one."""
        ease = STAYING if ours.home == theirs.home else 1.0
        if likeness < LEAST_LIKENESS * ease:
            return False
        inner = max(ours.inner(), theirs.inner())
        if likeness >= (CONSISTENT * inner if inner else NUCLEUS) * ease:
            return True
        return likeness >= KIN_LIKENESS * ease and self._kin(ours, theirs)

    def _kin(self, ours: _Group, theirs: _Group) -> bool:
        """Whether both groups carry a mark that is one campaign's own."""
        if len(theirs.kin) < len(ours.kin):
            ours, theirs = theirs, ours
        return any(
            count >= COMMON * ours.strains and theirs.kin.get(mark, 0) >= COMMON * theirs.strains
            for mark, count in ours.kin.items()
        )

    def _join(self, one: int, other: int) -> None:
        """Make one group of two, the smaller poured into the larger."""
        into, gone = self._group(one), self._group(other)
        if len(self._summed(into)) < len(self._summed(gone)):
            one, other, into, gone = other, one, gone, into
        sums, poured = self._summed(into), self._summed(gone)
        cross = _dot(poured, sums)
        for feature, value in poured.items():
            sums[feature] = sums.get(feature, 0.0) + value
        for mark, count in gone.kin.items():
            into.kin[mark] = into.kin.get(mark, 0) + count
        if into.home == gone.home:
            into.settled += gone.settled
        elif gone.settled > into.settled:
            into.home, into.settled = gone.home, gone.settled
        into.norm += gone.norm + 2 * cross
        into.exemplars += gone.exemplars
        into.squares += gone.squares
        into.messages += gone.messages
        into.strains += gone.strains
        into.version += gone.version + 1
        self._parent[other] = one
        self._groups[other] = None


def _dot(small: dict[int, float], large: dict[int, float]) -> float:
    """Inner product of two sparse vectors."""
    if len(large) < len(small):
        small, large = large, small
    return sum(value * large[feature] for feature, value in small.items() if feature in large)
