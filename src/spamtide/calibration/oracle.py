"""How soon a fall can be flagged at all: the best test there is, which knows everything but the day."""

from __future__ import annotations

import numpy as np

from spamtide.change.moves.segment import Bools
from spamtide.model import Floats

ORACLES = 2000
"""Falls that are waited for."""
QUIET, QUIET_DAYS = 400, 730
"""Series in which nothing happens, and their days, on which the threshold is set."""
LEAD, PATIENCE = 60, 60
"""Days before a fall, in which its sum takes on what sums have; and after it."""
YEAR = 365.25
HALVINGS = 16


def best_waits(rng: np.random.Generator, level: float, size: float, left: float = 0.5) -> list[float]:
    """Days until a fall is flagged by Page's test at one false alarm a series-year.

    The sum of the log-likelihood ratios of days, never below 0: of all tests with as few false alarms none
    flags a fall sooner in the worst case (Moustakides 1986, Annals of Statistics 14). It is told the level
    before and after, the negative binomial and its size; there are no weekdays, waves or missing days.

    Args:
        rng: draws the days.
        level: messages a day before.
        size: NB size.
        left: share of the level after.
    """

    def days(mean: float, shape: tuple[int, int]) -> Floats:
        count = rng.poisson(mean * rng.gamma(size, 1 / size, shape))
        low = left * level
        return np.asarray(
            count * np.log(left * (size + level) / (size + low))
            + size * np.log((size + level) / (size + low))
        )

    quiet = days(level, (QUIET, QUIET_DAYS))
    low, high = 0.0, 20.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        often = _alarms(quiet, middle).sum() / (QUIET * QUIET_DAYS / YEAR) > 1
        low, high = (middle, high) if often else (low, middle)
    fallen = np.hstack((days(level, (ORACLES, LEAD)), days(left * level, (ORACLES, PATIENCE))))
    raised = _alarms(fallen, high)[:, LEAD:]
    first = np.where(raised.any(axis=1), raised.argmax(axis=1) + 1, PATIENCE + 1)
    return [float(wait) for wait in first]


def _alarms(gains: Floats, threshold: float) -> Bools:
    """Days on which the sum passes a threshold, after which it begins anew."""
    total = np.zeros(len(gains))
    raised: Bools = np.zeros(gains.shape, dtype=np.bool_)
    for day in range(gains.shape[1]):
        total = np.maximum(total + gains[:, day], 0.0)
        raised[:, day] = total > threshold
        total[raised[:, day]] = 0.0
    return raised
