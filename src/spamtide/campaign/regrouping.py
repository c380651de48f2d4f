"""Strains to campaigns: agglomeration by mean likeness, with a say for kinship and for what varies anyway.

Average linkage (Sokal and Michener 1958) over a sparse graph: the two most alike groups are joined first, and
only if they are as alike as their own members are both in words and in phrases, or carry a mark of their own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.company import BESIDE, TOGETHER, Bearing, Company
from spamtide.campaign.kinship import Neighbours, carried, kin_lines, kin_marks
from spamtide.campaign.traits import SUBJECT
from spamtide.campaign.weighing import Vectors
from spamtide.compiled import native

if TYPE_CHECKING:
    import scipy.sparse as sp

Ints = NDArray[np.int64]
_N = TypeVar("_N", int, float)
_Both = tuple[float, float]
"""In words and in phrases."""

LEAST_LIKENESS = 0.12
"""Below this mean cosine of words two groups talk of different things, whatever else they share."""
NUCLEUS, NUCLEUS_PHRASING = 0.35, 0.05
"""Likeness in words and in phrases from which two groups too small to show how much they vary are one."""
CONSISTENT, CONSISTENT_PHRASING = 0.55, 0.3
"""Shares of their members' own likeness, in words and in phrases, that two groups must reach. Letters of one
kind share words, and campaigns that tell some of the same share phrases; hardly any share both."""
FIXED_CONSISTENT = 0.7
"""The share in words that is asked where a text is the same in nearly every message: more than half of such a
text can be a footer that a whole topic has."""
FIXED_PHRASING = 0.5
"""The share in phrases that is asked where a text is the same in nearly every message, unless both were sent
side by side: a third of their sentences can be taken from one stock, that other senders have too."""
FIXED, LOOSE = 0.4, 0.1
"""Likeness in phrases of a group's members among themselves from which its text is fixed, and below which it
is not; between them the share lies between."""
LEAST_PHRASING = 0.02
"""Mean cosine of phrases that they must reach at least."""
LONE = 1.2
"""So many times as much is asked where one of the two is a single message."""
KIN_LIKENESS = 0.3
"""Likeness in words from which two groups with a mark of their own are one, whatever their phrases."""
FORMED_LIKENESS = 0.16
"""Likeness in words from which two groups are one that came at the same time in the same form, with a mark
that comes in no other."""
TOLD_TOGETHER = 0.16
"""Likeness in words from which two groups are one that were sent in volume in one form, and began and ended
together."""
HEADED, HEADED_PHRASING = 0.16, 0.02
"""Likeness in words and in phrases from which two groups are one that came by one program, in one layout,
with links of one shape, under one subject, and began and ended together."""
COMPANION, COMPANION_PHRASING = 0.2, 0.02
"""Likeness in words and in phrases from which two groups are one that came at the same time in a form that is
rare among those that talk of the same; the less rare it is, the nearer is the demand to the others."""
FOREIGN, FOREIGN_PHRASING = 0.9, 0.7
"""The shares of their members' own likeness, in words and in phrases, that is asked of two groups which came
in unlike forms: what several senders send is one text, as alike as what one of them sends. Of a fixed text
the phrases tell, and no more words are asked than else."""
FOREIGN_NUCLEUS, FOREIGN_NUCLEUS_PHRASING = 0.5, 0.2
"""What is asked of such groups that are too small to show how much they vary."""
COMMON = 0.3
"""Share of a group's strains that must carry a mark for it to be the group's."""
STAYING = 0.85
"""Share of these demands that is made on groups that were one campaign until now: a name is not given up for
the noise of another day's weights."""
GROWN = 3
"""Messages from which a group shows how much it varies."""


class _Space:
    """A group's vectors in one space: the sum of its exemplars' and what follows from it."""

    __slots__ = ("norm", "rows", "squares", "strains", "sums")

    def __init__(self, rows: sp.csr_matrix, strain: int, norm: float, squares: float) -> None:
        """Begin with one strain."""
        self.rows = rows
        self.norm = norm
        self.squares = squares
        self.sums: list[dict[int, float]] = []
        """What was summed already."""
        self.strains = [strain]
        """Those that are not in `sums`: many groups are never asked for theirs."""

    def summed(self) -> dict[int, float]:
        """The sum, taken from the table when it is asked for."""
        if self.strains or len(self.sums) > 1:
            self.sums.sort(key=len)
            total = self.sums.pop() if self.sums else {}
            for one in self.sums:
                _add(total, one.items())
            for strain in self.strains:
                part = slice(self.rows.indptr[strain], self.rows.indptr[strain + 1])
                row = zip(self.rows.indices[part].tolist(), self.rows.data[part].tolist(), strict=True)
                if total:
                    _add(total, row)
                else:
                    total = dict(row)
            self.sums, self.strains = [total], []
        return self.sums[0]

    def pour(self, gone: _Space, both: float) -> None:
        """Add another group's sum; `both` is the inner product of the two."""
        self.norm += gone.norm + 2 * both
        self.squares += gone.squares
        self.sums += gone.sums
        self.strains += gone.strains


@dataclass(slots=True)
class _Group:
    """Strains that are one so far."""

    exemplars: int
    said: _Space
    told: _Space
    messages: int
    strains: int
    kin: dict[int, int]
    """Mark of its own -> strains that carry it."""
    formed: dict[int, int]
    """Mark that comes in one form -> strains that carry it."""
    headed: dict[int, int]
    """Subject, with the form under it -> strains that carry it."""
    home: int
    """The campaign that most of its messages were of until now."""
    settled: int
    """How many of them."""
    unread: list[int]
    """Strains whose bearing is not yet in `bearing`: few groups are asked for it."""
    bearing: Bearing | None = None
    version: int = 0

    def inner(self, space: _Space) -> float:
        """Mean likeness of two different members; 0 while there are too few."""
        if self.messages < GROWN or self.exemplars < 2:  # noqa: PLR2004 - a pair
            return 0.0
        return (space.norm - space.squares) / (self.exemplars * (self.exemplars - 1))


class Regrouping:
    """One agglomeration of some strains, from scratch."""

    def __init__(
        self, vectors: Vectors, strains: Ints, messages: Ints, homes: Ints, company: Company
    ) -> None:
        """Begin with each strain alone.

        Args:
            vectors: of all strains.
            strains: the ones to group, ascending.
            messages: of each of them.
            homes: number of the campaign that each was of until now.
            company: what they came in.
        """
        self._parent = list(range(strains.size))
        self._groups: list[_Group | None] = []
        kin, formed = kin_marks(vectors, strains, company.usual_forms()[strains])
        headed = carried(vectors, strains, SUBJECT)
        norms, squares = vectors.norms[strains].tolist(), vectors.squares[strains].tolist()
        for place, strain in enumerate(strains.tolist()):
            own, same, subjects = (
                one.indices[one.indptr[place] : one.indptr[place + 1]].tolist()
                for one in (kin, formed, headed)
            )
            self._groups.append(
                _Group(
                    exemplars=int(vectors.exemplars[strain]),
                    said=_Space(vectors.sums, strain, norms[place][0], squares[place][0]),
                    told=_Space(vectors.phrases, strain, norms[place][1], squares[place][1]),
                    messages=int(messages[place]),
                    strains=1,
                    kin=dict.fromkeys(own, 1),
                    formed=dict.fromkeys(same, 1),
                    headed=dict.fromkeys(subjects, 1),
                    home=int(homes[place]),
                    settled=int(messages[place]),
                    unread=[strain],
                )
            )
        self._strains = strains
        self._company = company
        self._refused: dict[tuple[int, int], int] = {}
        for places in kin_lines(vectors, strains, messages, *company.spans(strains)):
            for one, other in company.in_one_form(strains[places]):
                self._join_known(*sorted((self._find(int(places[one])), self._find(int(places[other])))))

    def join_all(self, near: Neighbours) -> Ints:
        """Join what belongs together; the group of each strain, as the place of one strain in it."""
        left = np.searchsorted(self._strains, near.left).tolist()
        right = np.searchsorted(self._strains, near.right).tolist()
        # Ties fall to the lower places: strains are ordered by name, which comes from their content.
        columns = (near.likeness.tolist(), near.phrasing.tolist(), left, right)
        heap = [
            (-said - told, one, other, 0, said, told) for said, told, one, other in zip(*columns, strict=True)
        ]
        heapq.heapify(heap)
        while heap:
            _, one, other, version, said, told = heapq.heappop(heap)
            one, other = sorted((self._find(one), self._find(other)))
            if one == other:
                continue
            ours, theirs = self._group(one), self._group(other)
            now = ours.version + theirs.version
            if now != version:
                if self._refused.get((one, other)) == now:
                    continue
                pairs = ours.exemplars * theirs.exemplars
                said = _dot(ours.said.summed(), theirs.said.summed()) / pairs
                if said < LEAST_LIKENESS * STAYING:
                    continue
                told = _dot(ours.told.summed(), theirs.told.summed()) / pairs
                if heap and -said - told > heap[0][0]:
                    heapq.heappush(heap, (-said - told, one, other, now, said, told))
                    continue
            if self._belong(ours, theirs, said, told):
                self._join(one, other, said, told)
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

    def _belong(self, ours: _Group, theirs: _Group, said: float, told: float) -> bool:
        """Whether two groups are one."""
        ease = STAYING if ours.home == theirs.home else 1.0
        if said < LEAST_LIKENESS * ease:
            return False
        words = max(ours.inner(ours.said), theirs.inner(theirs.said))
        phrases = max(ours.inner(ours.told), theirs.inner(theirs.told))
        if words:
            share = CONSISTENT + _fixed(phrases) * (FIXED_CONSISTENT - CONSISTENT)
            least = share * words, max(CONSISTENT_PHRASING * phrases, LEAST_PHRASING)
        else:
            least = NUCLEUS, NUCLEUS_PHRASING
        if ours.messages == 1 or theirs.messages == 1:
            ease *= LONE
        if said >= least[0] * ease and told >= least[1] * ease:
            share = CONSISTENT_PHRASING + _fixed(phrases) * (FIXED_PHRASING - CONSISTENT_PHRASING)
            if (told >= share * phrases * ease or self._together(ours, theirs)) and (
                self._told_anyway(said, told, words, phrases, ease)
                or not self._foreign(ours, theirs, grown=bool(words))
            ):
                return True
            least = least[0], share * phrases
        return (
            self._marked(ours, theirs, said, told, ease)
            or self._contemporary(ours, theirs, said, told, ease)
            or self._accompanied(ours, theirs, (said, told), least, ease)
        )

    def _marked(self, ours: _Group, theirs: _Group, said: float, told: float, ease: float) -> bool:
        """Whether two groups are one by a mark or a subject that both carry, if they talk of the same."""
        if said >= KIN_LIKENESS * ease and _shared(ours.kin, theirs.kin, ours.strains, theirs.strains):
            return True
        if (
            said >= FORMED_LIKENESS * ease
            and min(ours.messages, theirs.messages) >= GROWN
            and _shared(ours.formed, theirs.formed, ours.strains, theirs.strains)
            and Company.alike(self._bearing(ours), self._bearing(theirs))
        ):
            return True
        return (
            said >= HEADED * ease
            and told >= HEADED_PHRASING * ease
            and _shared(ours.headed, theirs.headed, ours.strains, theirs.strains)
            and Company.by_one_program(self._bearing(ours), self._bearing(theirs))
            and self._together(ours, theirs, BESIDE if ours.home == theirs.home else TOGETHER)
        )

    def _contemporary(self, ours: _Group, theirs: _Group, said: float, told: float, ease: float) -> bool:
        """Whether two groups are one since they began and ended together in one form, in volume."""
        return (
            said >= TOLD_TOGETHER * ease
            and told >= LEAST_PHRASING * ease
            and min(ours.messages, theirs.messages) >= GROWN
            and self._company.together(self._bearing(ours), self._bearing(theirs))
            and said >= self._company.usual(self._bearing(ours), self._bearing(theirs)) * ease
        )

    def _foreign(self, ours: _Group, theirs: _Group, *, grown: bool) -> bool:
        """Whether two groups look like two senders': a grown one also by another program weeks later."""
        one, other = self._bearing(ours), self._bearing(theirs)
        return Company.unlike(one, other) or (grown and Company.estranged(one, other))

    @staticmethod
    def _told_anyway(said: float, told: float, words: float, phrases: float, ease: float) -> bool:
        """Whether two groups are one by their text even where they came in unlike forms."""
        ease = min(ease, 1.0)
        if not words:
            return said >= FOREIGN_NUCLEUS * ease and told >= FOREIGN_NUCLEUS_PHRASING * ease
        share = FOREIGN + _fixed(phrases) * (FIXED_CONSISTENT - FOREIGN)
        return said >= share * words * ease and told >= FOREIGN_PHRASING * phrases * ease

    def _accompanied(self, ours: _Group, theirs: _Group, found: _Both, least: _Both, ease: float) -> bool:
        """Whether two groups are one by what they came in, as far as they talk of the same."""
        if found[0] < COMPANION * ease or found[1] < COMPANION_PHRASING * ease:
            return False
        one, other = self._bearing(ours), self._bearing(theirs)
        # Rewritings of one text begin and end together; what a sender sends in turn are its campaigns.
        if min(self._settledness(ours), self._settledness(theirs)) >= FIXED and not one.beside(other):
            return False
        sure = self._company.weight(one, other)
        if not sure or Company.unlike(one, other):
            return False
        usual = self._company.usual(self._bearing(ours), self._bearing(theirs))
        if found[0] < usual * ease:
            return False
        eased = max(COMPANION, usual), COMPANION_PHRASING
        return all(
            own >= ease * (usual + sure * (min(usual, demand) - usual))
            for own, usual, demand in zip(found, least, eased, strict=True)
        )

    @staticmethod
    def _settledness(group: _Group) -> float:
        """Likeness in phrases of a group's members among themselves; 0 while there are too few."""
        return group.inner(group.told)

    def _together(self, ours: _Group, theirs: _Group, share: float = BESIDE) -> bool:
        """Whether two groups were sent side by side, or one that is small within the days of the other."""
        one, other = self._bearing(ours), self._bearing(theirs)
        small = min(ours.messages, theirs.messages) < GROWN
        return one.near(other) if small else one.beside(other, share)

    def _bearing(self, group: _Group) -> Bearing:
        """What a group came in."""
        for strain in group.unread:
            one = self._company.of(strain)
            if group.bearing is None:
                group.bearing = one
            else:
                group.bearing.pour(one)
        group.unread = []
        if group.bearing is None:  # pragma: no cover - every group has a strain
            raise LookupError
        return group.bearing

    def _join_known(self, one: int, other: int) -> None:
        """Make one group of two, whatever they say."""
        if one == other:
            return
        ours, theirs = self._group(one), self._group(other)
        pairs = ours.exemplars * theirs.exemplars
        said = _dot(ours.said.summed(), theirs.said.summed()) / pairs
        self._join(one, other, said, _dot(ours.told.summed(), theirs.told.summed()) / pairs)

    def _join(self, one: int, other: int, said: float, told: float) -> None:
        """Make one group of two, the smaller poured into the larger, whose likenesses are known."""
        into, gone = self._group(one), self._group(other)
        if into.exemplars < gone.exemplars:
            one, other, into, gone = other, one, gone, into
        pairs = into.exemplars * gone.exemplars
        into.said.pour(gone.said, said * pairs)
        into.told.pour(gone.told, told * pairs)
        _add(into.kin, gone.kin.items())
        _add(into.formed, gone.formed.items())
        _add(into.headed, gone.headed.items())
        if into.home == gone.home:
            into.settled += gone.settled
        elif gone.settled > into.settled:
            into.home, into.settled = gone.home, gone.settled
        into.unread += gone.unread
        if gone.bearing and into.bearing:
            into.bearing.pour(gone.bearing)
        elif gone.bearing:
            into.bearing = gone.bearing
        into.exemplars += gone.exemplars
        into.messages += gone.messages
        into.strains += gone.strains
        into.version += gone.version + 1
        self._parent[other] = one
        self._groups[other] = None


def _fixed(phrases: float) -> float:
    """How nearly a text is the same in every message, 0-1, of which groups agree so in phrases."""
    return min(max((phrases - LOOSE) / (FIXED - LOOSE), 0.0), 1.0)


def _add(total: dict[int, _N], more: Iterable[tuple[int, _N]]) -> None:
    """Add one sparse vector to another."""
    for feature, value in more:
        total[feature] = total[feature] + value if feature in total else value


def _shared(ours: dict[int, int], theirs: dict[int, int], our_strains: int, their_strains: int) -> bool:
    """Whether both groups carry a mark: COMMON of the strains of each."""
    if len(theirs) < len(ours):
        ours, theirs, our_strains, their_strains = theirs, ours, their_strains, our_strains
    return any(
        count >= COMMON * our_strains and theirs.get(mark, 0) >= COMMON * their_strains
        for mark, count in ours.items()
    )


def _dot(small: dict[int, float], large: dict[int, float]) -> float:
    """Inner product of two sparse vectors."""
    if len(large) < len(small):
        small, large = large, small
    if native:
        return native.inner(small, large)
    total = 0.0
    for feature, value in small.items():
        if feature in large:
            total += value * large[feature]
    return total
