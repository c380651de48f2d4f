"""What is known of a date: its chances, and the point and the interval that are told of it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np

from spamtide.change.moves.segment import Direction
from spamtide.model import Floats

CREDIBILITY = 0.95
OUTER, INNER = 0.07, 0.03
"""Chance beyond the edge that a longer move reaches to, by the prior of long ones, and beyond the other edge,
by the prior of short ones."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A unit with its interval."""

    point: int
    """Posterior median."""
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Posterior of one date."""

    first: int
    mass: Floats
    """Chance of each unit from `first` on, sum 1."""
    slower: Floats | None = None
    """The same under the prior by which moves take longer, for the interval; None where there is but one."""

    def mirrored(self, total: int) -> Spread:
        """The same in reversed time."""
        slower = None if self.slower is None else self.slower[::-1]
        return Spread(total - (self.first + len(self.mass) - 1), self.mass[::-1], slower)

    def mixed(self, other: Spread, shares: tuple[float, float]) -> Spread:
        """This one and another, which has a share of the chance, under either prior."""
        first = min(self.first, other.first)
        number = max(self.first + len(self.mass), other.first + len(other.mass)) - first
        found = []
        for slower, share in zip((False, True), shares, strict=True):
            mass = np.zeros(number)
            for one, part in ((self, 1 - share), (other, share)):
                chances = one.under(slower=slower)
                mass[one.first - first :][: len(chances)] += part * chances / chances.sum()
            found.append(mass)
        return Spread(first, *found)

    def under(self, *, slower: bool) -> Floats:
        """The chances under one of the priors."""
        return self.slower if slower and self.slower is not None else self.mass

    def estimate(self, *, nearest: bool = False) -> Estimate:
        """Median, and the shortest interval, under the prior by which moves take longer where there are two.

        Args:
            nearest: the interval is the one whose chance is nearest to CREDIBILITY (see `summarise`).
        """
        found = summarise(self.mass, self.first, nearest=nearest)
        if self.slower is None:
            return found
        slow = summarise(self.slower, self.first, nearest=nearest)
        return replace(slow, point=min(max(found.point, slow.low), slow.high))

    def early(self) -> Estimate:
        """As the first day of a move, which lies the earlier, the longer that took: each prior gives an edge.

        A move of days is missed at the inner edge, if at all, and one of weeks at the outer one. The shortest
        interval under the prior of long ones spans their days, and cuts off those of short ones.
        """
        point, high = (_quantile(self.mass, self.first, share) for share in (0.5, 1 - INNER))
        return Estimate(point, min(_quantile(self.under(slower=True), self.first, OUTER), point), high)

    def late(self) -> Estimate:
        """As the last day, the same in reversed time."""
        low, point = (_quantile(self.mass, self.first, share) for share in (INNER, 0.5))
        return Estimate(point, low, max(_quantile(self.under(slower=True), self.first, 1 - OUTER), point))


def estimates(
    direction: Direction, begun: Spread, settled: Spread, *, slow: bool = False
) -> tuple[Estimate, Estimate]:
    """Onset and end of a fall or rise, with their intervals.

    The first days of a fall are hardly off the level before, so that many days of small chance surround its
    onset, and whole days would hold more than they should. Of the other dates a day or two have all chance.

    Args:
        direction: which of the two.
        begun: what is known of the onset.
        settled: what is known of the end.
        slow: it took weeks rather than days, so that no edge is left to those that take days.
    """
    if slow or begun.slower is None or settled.slower is None:
        return begun.estimate(nearest=direction == "fall"), settled.estimate()
    return begun.early(), settled.late()


def _quantile(mass: Floats, first: int, share: float) -> int:
    """The first unit by which so much of the mass has come."""
    held = np.cumsum(mass)
    return first + min(int(np.searchsorted(held, share * held[-1])), len(mass) - 1)


def summarise(
    mass: Floats, first: int, credibility: float = CREDIBILITY, *, nearest: bool = False
) -> Estimate:
    """Posterior median, and the shortest run of units that holds `credibility` of the mass.

    Args:
        mass: chance of each unit, in any scale.
        first: the first of them.
        credibility: chance that the interval holds.
        nearest: whole units hold more than they have to; so stop where one more would lead further beyond
            `credibility` than what is held yet lies below it. It then holds that chance in the mean of many
            (as the mid-p of discrete tests, Lancaster 1961, JASA 56).
    """
    total = np.concatenate(([0.0], np.cumsum(mass))) / mass.sum()
    point = int(np.searchsorted(total[1:], 0.5))

    def held(units: int) -> float:
        return float((total[units:] - total[:-units]).max()) if units < len(mass) else 1.0

    def enough(units: int) -> bool:
        return held(units) + held(units + 1) >= 2 * credibility if nearest else held(units) >= credibility

    # Shorter runs hold no more.
    length = bisect_left(range(1, len(mass)), x=True, key=enough) + 1
    low = int((total[length:] - total[:-length]).argmax())
    point = min(max(point, low), low + length - 1)
    return Estimate(first + point, first + low, first + low + length - 1)
