"""Cut a series into levels, with its bursts and holes taken out, and say which of its steps are moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spamtide.change.moves.alarm import upper_tail
from spamtide.change.moves.episode import with_episodes
from spamtide.change.moves.segment import (
    DRIFTING_PENALTY,
    STEADY_PENALTY,
    THIN,
    Direction,
    Segments,
    Track,
    moves,
    partition,
)
from spamtide.change.moves.slope import joined

LONGEST_BURST, LONGEST_STEP = 7, 10
"""Days of a surge, and of one step of a ramp, at most."""
LONGEST_HOLE = 2
"""Days of a silence between like levels that is passed over: a collection fails for as long."""
SMALL_STEPS = 2
"""Change points too small for an event from which a series is taken to drift."""
FLOOD, FLOOD_CAUTION = 0.05, 0.6
"""Chance, over all days of a series, of one so wild, below which it is cut out as a flood; and the factor on
the NB size that it is reckoned with."""
MOST_PASSES = 20
"""Bursts and holes that are taken out of one series, at most."""

Move = tuple[Direction, int, int]
"""A fall or rise as segment numbers: segment i - 1 is before it, segment j after it."""


Burst = tuple[Track, Segments, tuple[int, int]]
"""A track that holds a burst, its segments, and which of these, [i, j), the burst is."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A track cut into segments, and what was found in it."""

    track: Track
    """Days of bursts and holes are missing."""
    segments: Segments
    bursts: tuple[Burst, ...]
    """Each with the track and segments that it was found in, as segment numbers [i, j)."""
    moves: tuple[Move, ...]

    @property
    def small_steps(self) -> int:
        """Change points that belong to no move."""
        return len(self.segments.starts) - 1 - sum(j - i + 1 for _, i, j in self.moves)


def cut_track(track: Track, ratio: float) -> Cut:
    """Segment a track, taking bursts and holes out of it one after the other.

    Args:
        track: the series.
        ratio: a fall below this share of the level before is a move, a rise above its inverse.
    """
    cut = _cut(track, ratio, STEADY_PENALTY)
    if cut.small_steps >= SMALL_STEPS:
        # Steps that are no moves: the level drifts; a higher penalty keeps drift apart from change.
        cut = _cut(track, ratio, DRIFTING_PENALTY)
    return cut


def _cut(track: Track, ratio: float, penalty: float) -> Cut:
    """Segment at one penalty."""
    bursts: list[Burst] = []
    segments = partition(track, penalty)
    for _ in range(MOST_PASSES):
        burst, hole = _shortest(track, segments, ratio)
        if burst is None and hole is None:
            wild = _flood_day(track, segments, ratio)
            if wild is None:
                break
            segments, burst = wild
        if burst is not None:
            bursts.append((track, segments, burst))
        short = burst or hole
        if short is None:  # pragma: no cover - one of the two is there
            break
        track = track.without(slice(segments.starts[short[0]], segments.starts[short[1]]))
        segments = partition(track, penalty)
    segments = with_episodes(track, segments, ratio, penalty)
    longest = max(LONGEST_STEP // track.step, 1)
    directions: tuple[Direction, ...] = ("fall", "rise")
    steps = {way: moves(segments, way, ratio, longest) for way in directions}
    found = [
        (way, i, j)
        for way, other in (directions, directions[::-1])
        for i, j in _slopes(track, segments, way, steps[way], steps[other])
    ]
    return Cut(track, segments, tuple(bursts), tuple(sorted(found, key=lambda move: move[1])))


def _slopes(
    track: Track,
    segments: Segments,
    way: Direction,
    steps: list[tuple[int, int]],
    others: list[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Moves in one direction, those that are of one slope put together."""
    found: list[tuple[int, int]] = []
    known: dict[tuple[int, int], bool] = {}
    for i, j in steps:
        if found and j <= found[-1][1]:
            continue
        begin, end = joined(track, segments, (way, i, j), others, known) or (i, j)
        # Two slopes, or a slope and a staircase, that share days are one move.
        while found and begin <= found[-1][1]:
            begin = min(begin, found.pop()[0])
        found.append((begin, end))
    return found


def _shortest(
    track: Track, segments: Segments, ratio: float
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """The first burst, else the first hole: segments [i, j), short together and beyond both neighbours."""
    levels, starts = segments.levels, segments.starts
    for i in range(1, len(levels) - 1):
        for j in range(i + 1, len(levels)):
            days = (starts[j] - starts[i]) * track.step
            if days > LONGEST_BURST:
                break
            sides = (levels[i - 1], levels[j])
            inside = levels[i:j]
            alike = min(sides) >= ratio * max(sides)
            if min(inside) * ratio > max(sides):
                return (i, j), None
            if alike and days <= LONGEST_HOLE and max(inside) < ratio * min(sides):
                return None, (i, j)
    return None, None


def _flood_day(track: Track, segments: Segments, ratio: float) -> tuple[Segments, tuple[int, int]] | None:
    """The least likely day that is a flood by itself, and did not pay for two cuts; with the cuts made."""
    level = np.full(len(track.count), np.inf)
    for number, mean in enumerate(segments.levels):
        level[slice(*segments.span(number))] = max(mean, THIN)
    excess = np.where(track.observed, track.told / level, 0.0)
    wild = np.flatnonzero(excess * ratio > 1)
    if track.step != 1 or not len(wild):
        return None
    size = FLOOD_CAUTION * track.size
    chances = [
        upper_tail(float(track.count[day]), float(track.offset[day] * level[day]), size) for day in wild
    ]
    day = int(wild[int(np.argmin(chances))])
    number = int(np.searchsorted(segments.starts, day, side="right")) - 1
    begin, end = segments.span(number) if number >= 0 else (0, 0)
    if not begin < day < end - 1 or min(chances) * int(track.observed.sum()) > FLOOD:
        return None
    starts = (*segments.starts[: number + 1], day, day + 1, *segments.starts[number + 1 :])
    own = segments.levels[number]
    levels = (*segments.levels[: number + 1], float(track.rate[day]), own, *segments.levels[number + 1 :])
    return Segments(starts, segments.stop, levels), (number + 1, number + 2)
