"""Union-find with a guard: who belongs together, whatever the order in which they came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.candidates import Edges
from spamtide.campaign.mixing import mix, mixed
from spamtide.campaign.similarity import PERMUTATIONS
from spamtide.compiled import native

Ints = NDArray[np.int64]

COHESION = 0.75
"""Two groups are one only if, on average, they agree at this share of the threshold at least."""
LIKENESS = 0.85
"""They must agree at this share of what the larger group agrees in itself. Lower, it glues campaigns over a
long footer, for good; what it parts wrongly, `relating` brings together again."""
GROWN = 3
"""Members from which a group shows how much its template varies."""
DELEGATES = 8
"""Members of a group that speak for it when two groups are compared."""
_BLOCK = 1 << 16
"""Edges that are looked at between two sweeps for edges whose ends have met already."""


class Groups:
    """Disjoint groups of sketches (Tarjan 1975) that join over similar pairs, the most similar first.

    Single linkage alone glues two campaigns together over one message that holds little but a footer of
    both, and still parts a template that is spun so hard that few pairs reach the threshold. So the
    groups themselves are heard: `DELEGATES` members each, drawn by hash, compared all with all.

    | the pair's similarity | the groups are one if they agree on average at                               |
    |-----------------------|------------------------------------------------------------------------------|
    | the threshold or more | COHESION of the threshold, and LIKENESS of the larger group in itself        |
    | less                  | the same, and only if the larger group has grown                             |

    A template that is spun hard agrees with a stray variant as much as with itself; two campaigns that
    share a footer agree far more with themselves. Ties are broken by content: the outcome is a function
    of the set of sketches, not of their order.
    """

    def __init__(self, minhashes: NDArray[np.uint32], start: Ints, similarity: float) -> None:
        """Begin with groups that are known to be one.

        Args:
            minhashes: shape (n, 64).
            start: shape (n,): for each sketch a sketch of its group, itself where it is alone; the group's
                first points to itself.
            similarity: threshold from which a pair are variants of one another.
        """
        self._minhashes = minhashes
        self._threshold = similarity
        self._parent: list[int] = start.tolist()
        self._rank = content_rank(minhashes)
        self._size = np.bincount(start, minlength=start.size)
        self._order = np.argsort(start, kind="stable")
        self._begins = np.searchsorted(start[self._order], np.arange(start.size + 1))
        self._delegates: dict[int, Ints] = {}
        self._inner: dict[int, float] = {}
        self._refused: dict[tuple[int, int], int] = {}

    def join_all(self, edges: Edges) -> None:
        """Join groups over the given pairs, the most similar first. To be asked once."""
        order = _from_most_similar(edges, mix(self._rank[edges.left] + self._rank[edges.right]))
        if native:
            self._parent = self._joined(edges, order).tolist()
            return
        for start in range(0, order.size, _BLOCK):
            block = order[start : start + _BLOCK]
            roots = self.roots()
            block = block[roots[edges.left[block]] != roots[edges.right[block]]]
            columns = (edges.left[block], edges.right[block], edges.similarity[block] >= self._threshold)
            for left, right, variants in zip(*(column.tolist() for column in columns), strict=True):
                self._join(left, right, variants=variants)

    def roots(self) -> Ints:
        """The group of each sketch, as the number of one sketch in it."""
        parent = np.array(self._parent, dtype=np.int64)
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                return parent
            parent = above

    def _joined(self, edges: Edges, order: Ints) -> Ints:
        """What the rest of this class makes of pairs in their order, compiled: the parent of each sketch."""
        if native is None:  # pragma: no cover - asked only where there is one
            raise LookupError
        parent = np.array(self._parent, dtype=np.int64)
        native.join_groups(
            np.ascontiguousarray(self._minhashes),
            self._rank,
            self._order,
            self._begins,
            parent,
            self._size,
            edges.left[order],
            edges.right[order],
            edges.similarity[order] >= self._threshold,
            DELEGATES,
            GROWN,
            COHESION * self._threshold,
            LIKENESS,
        )
        return parent

    def _find(self, member: int) -> int:
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def _join(self, left: int, right: int, *, variants: bool) -> None:
        """Make one group of two, unless they disagree."""
        left, right = sorted((self._find(left), self._find(right)))
        if left == right:
            return
        size = int(self._size[left] + self._size[right])
        # A refusal is thought over only when the groups have doubled since.
        if size < 2 * self._refused.get((left, right), 0):
            return
        ours, theirs = self._delegates_of(left), self._delegates_of(right)
        larger = ours if self._size[left] >= self._size[right] else theirs
        if not self._agree(ours, theirs, larger, left if larger is ours else right, variants=variants):
            self._refused[left, right] = size
            return
        if self._size[left] < self._size[right]:
            left, right = right, left
            ours, theirs = theirs, ours
        self._parent[right] = left
        self._size[left] = size
        # Most of those who come change nothing: their ranks are higher than those of all delegates.
        if ours.size < DELEGATES or self._rank[theirs[0]] < self._rank[ours[-1]]:
            self._delegates[left] = self._drawn(np.concatenate((ours, theirs)))
            self._inner.pop(left, None)

    def _agree(self, ours: Ints, theirs: Ints, larger: Ints, root: int, *, variants: bool) -> bool:
        """Hear the delegates of two groups, one pair of which has met; `root` is the larger one's."""
        if variants and ours.size == theirs.size == 1:
            return True
        if not variants and larger.size < GROWN:
            return False
        inner = self._agreement_in(root, larger) if larger.size >= GROWN else 0.0
        least = max(COHESION * self._threshold, LIKENESS * inner)
        return self._agreement(ours, theirs) >= least

    def _agreement(self, ours: Ints, theirs: Ints) -> float:
        """Mean similarity of the members of two groups."""
        return self._alike(ours, theirs) / (ours.size * theirs.size)

    def _agreement_in(self, root: int, members: Ints) -> float:
        """Mean similarity of a group's delegates with one another."""
        if root not in self._inner:
            pairs = members.size * (members.size - 1)
            self._inner[root] = (self._alike(members, members) - members.size) / pairs
        return self._inner[root]

    def _alike(self, ours: Ints, theirs: Ints) -> float:
        """Sum of the similarities of all pairs."""
        same = self._minhashes[ours][:, None, :] == self._minhashes[theirs][None, :, :]
        return float(np.count_nonzero(same) / PERMUTATIONS)

    def _delegates_of(self, root: int) -> Ints:
        """Delegates of a group; drawn when first asked for."""
        delegates = self._delegates.get(root)
        if delegates is None:
            delegates = self._drawn(self._order[self._begins[root] : self._begins[root + 1]])
            self._delegates[root] = delegates
        return delegates

    def _drawn(self, members: Ints) -> Ints:
        """The members of lowest rank: a uniform sample that does not depend on order, and can be merged."""
        if members.size == 1:
            return members
        return members[np.argsort(self._rank[members])[:DELEGATES]]


def _from_most_similar(edges: Edges, tie: NDArray[np.uint64]) -> Ints:
    """Places of the edges by falling similarity, then by `tie`."""
    order = np.argsort(tie)  # several times as quick as by both, and followed by a sort of bytes
    ascending = tie[order]
    if (ascending[1:] == ascending[:-1]).any():  # hardly ever: then the first edge is the first
        order = np.argsort(tie, kind="stable")
    unlike = np.rint((1 - edges.similarity[order]) * PERMUTATIONS).astype(np.uint8)
    return np.asarray(order[np.argsort(unlike, kind="stable")])


def content_rank(minhashes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """A pseudo-random number of each sketch's content, for draws and ties."""
    return mixed(minhashes, 0, minhashes.shape[1])
