"""Find an episode: some days up to four weeks off a level that is the same on either side.

Partitioning asks two change points of it, each with a place among all days and a level of its own. An episode
has one place, a length of a few weeks, and one level: that is less to choose, and less has to speak for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spamtide.change.moves.segment import Segments, Track, cost

LONGEST_EPISODE = 28
"""Days of an episode, at most; of what lasts longer, each end shows by itself."""
SHORTEST_DIP, SHORTEST_SWELL = 3, 8
"""Days of one, at least: shorter silences are passed over, shorter swells are floods."""
BESIDE = 14
"""Days of the level that are on either side of an episode, at least."""
MERGED = 3
"""Stretches of a partition, at most, whose steps an episode between like levels may take the place of."""


def with_episodes(track: Track, segments: Segments, ratio: float, penalty: float) -> Segments:
    """Segments with the episodes cut out that a partition did not pay for, or took for steps.

    Args:
        track: the series.
        segments: its partition.
        ratio: an episode's level lies below this share of the level around it, or above its inverse.
        penalty: cost of a change point in units of log n: two of them for its place, the rest for its level.
    """
    if track.step != 1:
        return segments
    units = math.log(max(int(track.observed.sum()), 2))
    # Its place is chosen among all days; its length, and what tells its level, are a few weeks.
    price = (penalty - 1) * units + penalty * math.log(LONGEST_EPISODE)
    sums = _Sums(track)
    episodes: set[int] = set()
    number = 0
    while number < len(segments.starts):
        best: tuple[float, int, _Episode] | None = None
        for last in range(number, min(number + MERGED, len(segments.starts))):
            if segments.starts[last] in episodes:
                break
            first, final = segments.levels[number], segments.levels[last]
            if min(first, final) < ratio * max(first, final):
                continue
            spans = [segments.span(one) for one in range(number, last + 1)]
            stepped = sum(sums.cost(*span) for span in spans) + (last - number) * penalty * units
            found = _best(track, (spans[0][0], spans[-1][1]), ratio)
            if found is None:
                continue
            gain = stepped - (sums.cost(spans[0][0], spans[-1][1]) - found.gain + price)
            if gain > (best[0] if best else 0.0):
                best = gain, last + 1, found
        if best is None:
            number += 1
            continue
        _, after, found = best
        episodes.add(found.begin)
        starts, levels = segments.starts, segments.levels
        segments = Segments(
            (*starts[: number + 1], found.begin, found.end, *starts[after:]),
            segments.stop,
            (*levels[:number], found.around, found.inside, found.around, *levels[after:]),
        )
    return segments


@dataclass(frozen=True, slots=True)
class _Episode:
    """Some days off the level of a stretch."""

    gain: float
    """By how much two levels cost less than one."""
    begin: int
    end: int
    """One past its last unit."""
    around: float
    inside: float


class _Sums:
    """Costs of stretches of one level."""

    def __init__(self, track: Track) -> None:
        """Add up weights and weighted rates."""
        weight = np.where(track.observed, track.weight, 0.0)
        self._mass = np.concatenate(([0.0], np.cumsum(weight)))
        self._total = np.concatenate(([0.0], np.cumsum(weight * track.told)))
        self._size = track.size

    def cost(self, begin: int, end: int) -> float:
        """Of units [begin, end)."""
        total, mass = (one[end : end + 1] - one[begin] for one in (self._total, self._mass))
        return float(cost(total, mass, self._size)[0])


def _best(track: Track, span: tuple[int, int], ratio: float) -> _Episode | None:
    """The episode of a stretch that speaks most for itself."""
    where = np.arange(*span)[track.observed[slice(*span)]]
    if len(where) < 2 * BESIDE + SHORTEST_DIP:
        return None
    weight, rate = track.weight[where], track.rate[where]
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    total = np.concatenate(([0.0], np.cumsum(weight * rate)))
    begin = np.arange(BESIDE, len(where) - BESIDE)[:, None]
    length = np.arange(SHORTEST_DIP, LONGEST_EPISODE + 1)
    end = np.minimum(begin + length, len(where))
    inside, held = total[end] - total[begin], mass[end] - mass[begin]
    around, left = total[-1] - inside, mass[-1] - held
    level, usual = inside / held, around / np.maximum(left, np.finfo(float).tiny)
    off = (level < ratio * usual) | ((level * ratio > usual) & (length >= SHORTEST_SWELL))
    rows, columns = np.nonzero(off & (begin + length <= len(where) - BESIDE))
    if not len(rows):
        return None
    whole = cost(total[-1:], mass[-1:], track.size)
    parts = ((inside, held), (around, left))
    gain = whole - sum(cost(sent[rows, columns], seen[rows, columns], track.size) for sent, seen in parts)
    best = int(gain.argmax())
    if gain[best] <= 0:
        return None
    row, column = rows[best], columns[best]
    first, last = int(begin[row, 0]), int(end[row, column])
    return _Episode(
        float(gain[best]),
        int(where[first]),
        int(where[last]),
        float(usual[row, column]),
        float(level[row, column]),
    )
