"""Pauses that are a series' habit: it sends for some days, then not at all for some, over and over.

Of who sends in bursts, the days between two of them tell neither a level nor an end. How long its pauses last
is known from those that it came back from, and only a silence that is longer than these is one. Lengths are
taken as log-normal; the limit is where one more of them would lie beyond it once in LONGER.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Floats

Bools = NDArray[np.bool_]

SILENT = 0.1
"""Share of the rate on a day that it sends on, up to which a day is silent."""
AROUND = 28
"""Days on either side of a day that say what rate this is."""
LOWEST = 0.1
"""Share of the whole series' rate that a day is held against, at least: strays end no silence."""
SHORTEST = 3
"""Days from which on a silence is a pause: one or two come by chance, or a collection failed."""
SHOWS = 30.0
"""Messages that would have come in a pause, at least: of few a day none is chance, also for weeks."""
FEWEST = 6
"""Pauses that it came back from, without which there is no habit."""
MUCH = 1 / 3
"""Share of all days, but for longer silences, that are silent at least: some stop six times a year."""
LONGER = 400
"""Pauses of which one is longer than the limit."""
TIMES = 2.0
"""Times its longest pause beyond which a silence is no pause, however little is known of them."""
TRICKLE = 0.01
"""Share of what a pause misses, and more than SHOWS, that comes in none: it would itself be missed."""
SINCE = 3.0
"""Times its usual days from one pause to the next, AROUND at least, after which the habit is given up."""
EVEN = 0.1
"""Least spread of log lengths: whole days differ by as much."""

Run = tuple[int, int]
"""Units [first, last) of a silence."""


def pauses(rate: Floats) -> Bools | None:
    """Units that are within a series' habit of pausing; None where it has none.

    Args:
        rate: messages a day at usual exposure; NaN where the day is missing.
    """
    known = np.isfinite(rate)
    sent = np.where(known, rate, 0.0)
    level = _on_days(sent[None, :])
    if level[0] <= 0 or (sent <= SILENT * level).sum() < MUCH / 2 * len(sent):
        return None  # most series: there is no need to look closer
    # The level of its bursts may have moved: low ones of today are no silence beside those of last year.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(sent, AROUND), 2 * AROUND + 1)
    near = _on_days(around)
    sends = np.flatnonzero(known & (sent > SILENT * np.maximum(near, LOWEST * level)))
    missed = np.where(known, near, 0.0)
    runs = [(int(a) + 1, int(b)) for a, b in itertools.pairwise(sends) if b - a > 1]
    runs = [run for run in runs if _shows(missed[slice(*run)], sent[slice(*run)])]
    ended = [run for run in runs if _is_pause(known, run)]
    if len(ended) < FEWEST:
        return None
    lengths = np.log([last - first for first, last in ended])
    usual = [run for n, run in enumerate(ended) if lengths[n] <= _limit(np.delete(lengths, n))]
    beyond = _days(known, ended) - _days(known, usual)
    lasting = _days(known, [(int(sends[0]), int(sends[-1]) + 1)]) - beyond
    silent = _days(known, runs) - beyond
    if len(usual) < FEWEST or silent < MUCH * lasting:
        return None
    limit = _limit(np.log([last - first for first, last in usual]))
    found = np.zeros(len(rate), dtype=np.bool_)
    ends = ((0, int(sends[0])), (int(sends[-1]) + 1, len(rate)))
    apart = [later[0] - earlier[1] for earlier, later in itertools.pairwise(usual)]
    reach = max(float(AROUND), SINCE * float(np.median(apart)))
    for first, last in (*ends, *runs):
        near_one = any(max(a - last, first - b) <= reach for a, b in usual if (a, b) != (first, last))
        if last > first and np.log(last - first) <= limit and near_one:
            found[first:last] = True
    return found


def _on_days(sent: Floats) -> Floats:
    """Rate on the days that each row sends on: half of its messages came on days of no more."""
    order = np.sort(sent, axis=-1)
    mail = np.cumsum(order, axis=-1)
    half = (mail < mail[:, -1:] / 2).sum(axis=-1)
    return np.asarray(order[np.arange(len(order)), half])


def _shows(missed: Floats, sent: Floats) -> bool:
    """Whether in a silence mail was missed, by the days around it: what is left of a fall misses none."""
    came, due = float(sent.sum()), float(missed.sum())
    return due >= SHOWS and came <= min(SILENT * due, max(SHOWS, TRICKLE * due))


def _days(known: Bools, of: list[Run]) -> int:
    """Days of some runs on which it was seen."""
    return sum(int(known[slice(*run)].sum()) for run in of)


def _is_pause(known: Bools, run: Run) -> bool:
    """Whether a silence was long enough, and seen well enough, to be a pause."""
    days = int(known[slice(*run)].sum())
    return days >= SHORTEST and 2 * days > run[1] - run[0]


def _limit(lengths: Floats) -> float:
    """Log of the days beyond which a pause is longer than its like."""
    from scipy.special import stdtrit

    number = len(lengths)
    spread = max(float(lengths.std(ddof=1)), EVEN) * float(np.sqrt(1 + 1 / number))
    beyond = float(lengths.mean() + stdtrit(number - 1, 1 - 1 / LONGER) * spread)
    return min(beyond, float(lengths.max() + np.log(TIMES)))
