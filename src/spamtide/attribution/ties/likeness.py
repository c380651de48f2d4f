"""Mail with nearly a family's engine: altered on its way, or of another engine that is much like it.

What relays and machines alter, they alter in all of a family's mail alike, so that as much of it has texts
that the lab knows as of the family's mail as a whole. Of another engine that misses the skeleton by just
this thing, most mail has other texts, even if it is handed some of the family's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spamtide.attribution.ties.association import NO_DAY, Flags, Ints

WEEK, REACH = 7, 4
"""Days of a step, and steps on either side of a message's own in which its like is counted."""
PRIOR = (4.0, 1.0)
"""Messages with a known text, and without, that a family is credited with before any is seen."""
MOST_STRANGE = 1.5
"""To each message with a known text there may be so many times as many without as among the family's own."""
SLACK = 3.0
"""Messages without a known text that may be there in any case."""


def strange(whole: Ints, likes: Ints, known: Flags, days: Ints, of: Sequence[Sequence[int]]) -> Flags:
    """Messages whose like are mostly of texts that no lab of the family has.

    Args:
        whole: engine that each message of the wild has the whole of, as a code; negative for none.
        likes: what each misses an engine by, as a code; negative for none.
        known: whether its text is one that a lab of the engine's families has.
        days: day of each message, or NO_DAY.
        of: the engines of each code in `likes`.
    """
    found = np.zeros(len(days), dtype=np.bool_)
    dated = days != NO_DAY
    weeks = np.where(dated, days // WEEK, 0)
    asked = np.flatnonzero(dated & (likes >= 0))
    if not len(asked):
        return found
    first = int(weeks[asked].min()) - REACH
    width = int(weeks[asked].max()) - first + REACH + 1
    inside = dated & (weeks >= first) & (weeks < first + width)
    engines = max(max(each, default=-1) for each in of) + 1
    own = _around(whole, known, weeks - first, inside, engines, width)
    like = _around(likes, known, weeks - first, inside, len(of), width)
    with_text, without = (np.stack([count[list(each)].sum(axis=0) for each in of]) for count in own)
    share = (without + PRIOR[1]) / (with_text + PRIOR[0])
    doubted = like[1] > SLACK + MOST_STRANGE * share * like[0]
    found[asked] = doubted[likes[asked], weeks[asked] - first]
    return found


def _around(
    codes: Ints, known: Flags, weeks: Ints, inside: Flags, kinds: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Messages of each code with a known text, and without, by week with those within reach."""
    found = []
    for has in (True, False):
        rows = inside & (codes >= 0) & (codes < kinds) & (known == has)
        cells = codes[rows] * width + weeks[rows]
        count = np.bincount(cells, minlength=kinds * width).reshape(kinds, width)
        total = np.concatenate([np.zeros((kinds, 1), dtype=np.int64), np.cumsum(count, axis=1)], axis=1)
        end = np.minimum(np.arange(width) + REACH + 1, width)
        begin = np.maximum(np.arange(width) - REACH, 0)
        found.append(total[:, end] - total[:, begin])
    return found[0], found[1]
