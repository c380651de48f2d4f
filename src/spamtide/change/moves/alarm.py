"""The online alarm: whether a series has just left its level, from its last days or hours alone.

Segmentation asks where a whole series changed; the alarm asks every day whether it changes now, so it is
held to a rate of false alarms by time (at most one a series-year), not to a share of false reports. The
windows are those of a generalised likelihood ratio scan (Lai 1995, JRSS B 57): the last 1, 2, 3 ... units
against the level before them, read off the tail of a negative binomial of the estimated dispersion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.foresee import Foresight, foresee
from spamtide.change.moves.segment import Direction, Track
from spamtide.change.moves.wander import Wander
from spamtide.change.moves.waves import Levels
from spamtide.model import Floats

Units = NDArray[np.int64]

WINDOWS = (1, 2, 3, 4, 5, 6, 7, 9, 11, 14)
"""Units at the end of a series that are held against those before."""
BEFORE = 42
"""Units that say what the level was."""
FEWEST_BEFORE = 10
"""Days before a window without which nothing is expected of it."""
STALE = 7
"""Units since the last that was observed from which it is no news."""
CHANCE_BY_WINDOW = {1: 1 / 4000, 2: 1 / 5000, 3: 1 / 5000}
CHANCE = 1 / 1200
"""Tail probabilities of a window below which a fall is flagged, the last that of all longer windows.
Where nothing happens, it is two or three poor days on end that raise alarms: days are like the day before, or
wilder than the negative binomial has it. What stops lies far beyond; a half that goes shows by the fourth."""
CHANCE_OF_RISE = 1 / 20000
"""The same for a rise: days far above the level are commoner than days far below it."""
MOST_ALIKE = 0.8
"""Most correlation from day to day that is believed."""
WORST = 0.1
"""Share of days, the worst, from which the tail of single days is judged."""
FEWEST_WORST = 30
"""Days without which the tail of the worst ones cannot be told."""
A_YEAR = 365.25
WINDOWS_A_DAY = 2.0
"""Windows of one day that count as independent."""
REAL_A_YEAR = 1.0
"""Moves of a series in a year that confidence is reckoned with."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A series that has just left its level."""

    direction: Direction
    begin: int
    """First unit of the window that speaks most for it."""
    since: int
    """First unit of the level before."""
    before: float
    """Level a unit before, and in the window."""
    after: float
    chance: float
    """Tail probability of the window under the level before."""

    @property
    def confidence(self) -> float:
        """Chance that it is real, from false alarms a year at this strength against real moves a year."""
        return float(REAL_A_YEAR / (REAL_A_YEAR + self.chance * A_YEAR * WINDOWS_A_DAY))


def raise_alarm(
    track: Track, levels: Levels, wandering: Wander, ratio: float, since: int = 0, *, whole: bool = True
) -> Alarm | None:
    """The alarm that stands at the end of a series, or None.

    Args:
        track: the series, up to now.
        levels: the same as log levels.
        wandering: how it wanders.
        ratio: a fall below this share of the level before counts, a rise above its inverse.
        since: first unit of the present level; what came before is another story.
        whole: the last unit is a whole one; otherwise it is left to the next day.
    """
    where = np.flatnonzero(track.observed)
    where = where[where >= since]
    if not whole:
        where = where[where < len(track.count) - 1]
    windows = [window for window in WINDOWS if len(where) >= window + FEWEST_BEFORE]
    if not windows or len(track.count) - where[-1] > STALE:
        return None
    foresight = foresee(levels, wandering, where[-(windows[-1] + BEFORE) :], windows)
    alike = correlation(levels.log[where])
    best: Alarm | None = None
    for window, ahead in zip(windows, foresight, strict=True):
        found = _window(track, where, window, ratio, ahead, 1 + 2 * alike * (1 - 1 / window))
        if found is not None and (best is None or found.chance < best.chance):
            best = found
    return best


def _window(
    track: Track, where: Units, window: int, ratio: float, ahead: Foresight, uneven: float
) -> Alarm | None:
    """The alarm of one window, whose days together are so many times as uneven as days unlike each other."""
    begin = int(where[-window])
    old, new = where[max(0, len(where) - window - BEFORE) : -window], where[-window:]
    offset = float(track.offset[new].sum())
    seen = float(track.count[new].sum())
    told = min(float(track.weight[new].mean()), 1.0) / uneven
    before, after = ahead.level, seen / offset
    if min(before, after) >= ratio * max(before, after):
        return None
    if after < before:
        chance = ahead.chance(seen, offset, told, rise=False)
        limit = CHANCE_BY_WINDOW.get(window, CHANCE)
        if window == 1:
            chance = max(chance, _worst_days(track, where, after / max(before, 1e-9)))
    else:
        if not _held(track.rate[new], before / ratio):
            return None
        chance, limit = ahead.chance(seen, offset, told, rise=True), CHANCE_OF_RISE
    if chance > limit:
        return None
    return Alarm("fall" if after < before else "rise", begin, int(old[0]), before, after, chance)


def correlation(log: Floats) -> float:
    """How alike a day is to the day before, less a standard error; 0 to MOST_ALIKE.

    Taken from steps between days, in which waves of weeks hardly show (those are the wandering's): steps of
    days that are unlike are correlated by -1/2, of an autoregression of phi by -(1 - phi) / 2.
    """
    steps = np.diff(log[np.isfinite(log)])
    square = float(steps @ steps)
    if len(steps) < FEWEST_BEFORE or square <= 0:
        return 0.0
    alike = 1 + 2 * float(steps[1:] @ steps[:-1]) / square - 1 / np.sqrt(len(steps))
    return float(np.clip(alike, 0.0, MOST_ALIKE))


def upper_tail(seen: float, mean: float, size: float) -> float:
    """Probability of no fewer than `seen` messages; the tail itself, which 1 minus the other one loses."""
    from scipy.special import betainc

    if seen <= 0:
        return 1.0
    return float(betainc(seen, size, mean / (size + mean))) if mean > 0 else 0.0


def _held(rates: Floats, least: float) -> bool:
    """Whether a rise is more than one wild day: it stands without its highest day."""
    return len(rates) > 1 and float((rates.sum() - rates.max()) / (len(rates) - 1)) > least


def _worst_days(track: Track, where: Units, ratio: float) -> float:
    """Chance of a day this far off, by an exponential tail through the series' own worst days."""
    rate = track.rate[where[:-1]]
    mean = float(rate.mean())
    return worst_tail(np.log((rate + 0.5) / (mean + 0.5)), float(np.log(max(ratio, 0.5 / (mean + 0.5)))))


def lower_tail(seen: float, mean: float, size: float) -> float:
    """Probability of no more than `seen` messages under a negative binomial of this mean and size."""
    from scipy.special import betainc

    if mean <= 0:
        return 1.0
    if seen < 0:
        return 0.0
    return float(betainc(size, seen + 1, size / (size + mean)))


def worst_tail(usual: Floats, value: float) -> float:
    """Chance of a value beyond `value`, by an exponential tail through the worst tenth of the usual ones."""
    if len(usual) < FEWEST_WORST:
        return 0.0
    usual = np.asarray(usual - np.median(usual)) * np.sign(value)
    edge = float(np.quantile(usual, 1 - WORST))
    beyond = usual[usual > edge]
    if abs(value) <= edge or not len(beyond):
        return 1.0 if abs(value) <= edge else 0.0
    return float(WORST * np.exp(-(abs(value) - edge) / max(float((beyond - edge).mean()), 1e-3)))
