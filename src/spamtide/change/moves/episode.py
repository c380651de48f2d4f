"""Find an episode: some days up to four weeks off a level that is the same on either side.

Partitioning asks two change points of it, each with a place among all days and a level of its own. An episode
has one place, a length of a few weeks, and one level: that is less to choose, and less has to speak for it.
"""

from __future__ import annotations

import math

import numpy as np

from spamtide.change.moves.segment import Segments, Track, cost

LONGEST_EPISODE = 28
"""Days of an episode, at most; of what lasts longer, each end shows by itself."""
SHORTEST_DIP, SHORTEST_SWELL = 3, 8
"""Days of one, at least: shorter silences are passed over, shorter swells are floods."""
BESIDE = 14
"""Days of the level that are on either side of an episode, at least."""


def with_episodes(track: Track, segments: Segments, ratio: float, penalty: float) -> Segments:
    """Segments with the episodes cut out that a partition did not pay for.

    Args:
        track: the series.
        segments: its partition.
        ratio: an episode's level lies below this share of the level around it, or above its inverse.
        penalty: cost of a change point in units of log n: two of them for its place, the rest for its level.
    """
    if track.step != 1:
        return segments
    price = penalty * math.log(max(int(track.observed.sum()), 2)) + (penalty - 1) * math.log(LONGEST_EPISODE)
    number = 0
    while number < len(segments.starts):
        found = _best(track, segments.span(number), ratio, price)
        if found is None:
            number += 1
            continue
        (begin, end), (around, inside) = found
        starts, levels = segments.starts, segments.levels
        after = number + 1
        segments = Segments(
            (*starts[:after], begin, end, *starts[after:]),
            segments.stop,
            (*levels[:number], around, inside, around, *levels[after:]),
        )
    return segments


def _best(
    track: Track, span: tuple[int, int], ratio: float, price: float
) -> tuple[tuple[int, int], tuple[float, float]] | None:
    """The episode of a stretch that speaks most for itself, and the levels around and inside it."""
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
    allowed = off & (begin + length <= len(where) - BESIDE)
    whole = cost(total[-1:], mass[-1:], track.size)
    gain = np.where(allowed, whole - cost(inside, held, track.size) - cost(around, left, track.size), 0.0)
    row, column = np.unravel_index(int(gain.argmax()), gain.shape)
    if gain[row, column] <= price:
        return None
    first, last = int(begin[row, 0]), int(end[row, column])
    return (int(where[first]), int(where[last])), (float(usual[row, column]), float(level[row, column]))
