"""How much the days of a series tell: less than as many independent ones, where a day is like the last."""

from __future__ import annotations

import numpy as np

from spamtide.change.moves.segment import Segments, Track

FEWEST = 3
"""Units of a segment without which it tells nothing of how alike they are."""
USUAL = 20.0
"""Units unlike each other that a series' own correlation is held against."""
WILD = 3.0
"""Standard deviations that a unit is off at most."""
MOST = 0.7
"""Most correlation that is believed."""
SLIGHT = 1e-9


def alike(track: Track, segments: Segments) -> float:
    """Correlation of each unit with the next.

    Args:
        track: the series.
        segments: its partition, from whose levels units are off.
    """
    together = square = number = 0.0
    for which, level in enumerate(segments.levels):
        units = slice(*segments.span(which))
        offset = track.offset[units]
        seen = offset > 0
        if seen.sum() < FEWEST:
            continue
        mean = level * offset
        off = (track.count[units] - mean) / np.sqrt(np.maximum(mean + mean**2 / track.size, SLIGHT))
        off = np.clip(off, -WILD, WILD)
        both = seen[1:] & seen[:-1]
        # Units seem less alike than they are, for each segment has a mean of its own.
        together += float((off[1:] * off[:-1])[both].sum()) + float((off[seen] ** 2).mean())
        square += float((off[seen] ** 2).mean()) * float(both.sum())
        number += float(both.sum())
    if square <= 0:
        return 0.0
    return min(max(together / square * number / (number + USUAL), 0.0), MOST)
