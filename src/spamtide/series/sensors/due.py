"""A sensor's last days against what the other sensors' days lead one to expect of them, botnet by botnet.

How far a sensor's days are off by themselves is told by its own weeks before; how often days are much further
off than that, by those of all sensors together, for one sensor's weeks hold too few of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Floats
from spamtide.series.sensors.tail import mean_of, memory, mixed_chance, unevenness

Bools = NDArray[np.bool_]

BEFORE, FEWEST_BEFORE = 42, 10
"""Days before a window, and days of them without which nothing is expected of it."""
CAUTION = 8.0
"""Days that an estimated unevenness is taken to rest on fewer than it does, as a part of the variance."""
TELLING = 8.0
"""Messages expected of a botnet from which its ratio says something."""
STEADY = 0.8
"""Share of the days before on which a sensor must have been up to be held against."""
PARTIAL = 0.5
"""Share of its usual mail from which a sensor had its days."""
WITNESSES = 2
"""Sensors, and more than half of them, that must have had their usual mail."""
WILD, WHOLE, WILD_Z = 2.0, 1.5, 3.0
"""Factors by which one botnet, or all mail, at another sensor is off to lead nobody; and standard errors."""
CELLS_UNEVEN, SENSORS_UNEVEN = 0.1, 0.03
"""Over-dispersion that these are reckoned with."""
STRETCHES = 3
"""Stretches of days before by which the tail of days is told."""
ENOUGH_MAIL = 15.0
"""Messages expected of a sensor's day from which its logarithm is one of days and not of counts."""
RHO, LEAST_TAIL = 0.2, 0.05
"""Serial correlation where none is known, and the least excess kurtosis."""
PRIOR, PRIOR_TAIL = 60.0, 1.0
"""Days that the excess kurtosis which is expected beforehand stands for, and that kurtosis."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sensor's last days against what was expected of them."""

    window: int
    expected: float
    seen: float
    chance: float
    subjects: tuple[int, int]
    """Telling botnets that moved alike, and all telling ones."""
    rest: float
    """The chance without the botnet whose mail changed most; where there is but one, `chance`."""
    witnessed: bool
    """Whether most sensors that it was held against had their usual mail in these days."""
    least: float
    """The day with least of what was expected of it, as a share."""
    alpha: float
    level: Floats
    """What the others lead one to expect, by day of the panel."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How the days of sensors are about what the others lead one to expect."""

    alpha: Floats
    """Over-dispersion by sensor; NaN where it is not known."""
    days: Floats
    """Days that it rests on."""
    rho: float
    """Serial correlation, of all sensors."""
    tail: float
    """Excess kurtosis of a day on the log scale, of all sensors."""


def habit_of(counts: Floats, up: Bools, until: int) -> Habit:
    """The habit of all sensors' days before one, in stretches with levels of their own.

    Args:
        counts: shape (botnets, sensors, days).
        up: shape (sensors, days).
        until: the day.
    """
    fourth, many, rhos = 0.0, 0, []
    excess, days = np.zeros(len(up)), np.zeros(len(up))
    for number in range(STRETCHES):
        part = slice(max(until - (number + 1) * BEFORE, 0), max(until - number * BEFORE, 0))
        mail, there = counts[:, :, part], up[:, part]
        if mail.shape[2] < FEWEST_BEFORE:
            break
        filled = _filled(mail, there, np.arange(mail.shape[2]))
        everybody = filled.sum(axis=1)
        for sensor in np.flatnonzero(there.sum(axis=1) >= FEWEST_BEFORE).tolist():
            theirs, own = everybody - filled[:, sensor], filled[:, sensor].mean(axis=1)
            base = theirs.mean(axis=1)
            level = (np.where(base > 0, own / np.maximum(base, 1e-9), 0.0)[:, None] * theirs).sum(axis=0)
            on = there[sensor] & (level > 0)
            mine, level = mail[:, sensor, on].sum(axis=0), level[on]
            if len(level) < FEWEST_BEFORE or not mine.any():
                continue
            level = level * mine.sum() / level.sum()
            excess[sensor] += unevenness(mine, level) * len(level)
            days[sensor] += len(level)
            rhos.append(memory(mine, level))
            told = level >= ENOUGH_MAIL
            if told.sum() >= FEWEST_BEFORE:
                off = np.log((mine[told] + 0.5) / (level[told] + 0.5))
                off -= np.median(off)
                fourth += float((off**4).sum() / max(float((off**2).mean()) ** 2, 1e-12))
                many += int(told.sum())
    tail = (fourth - 3.0 * many + PRIOR * PRIOR_TAIL) / (many + PRIOR)
    alpha = np.where(days > 0, excess / np.maximum(days, 1.0), np.nan)
    return Habit(alpha, days, float(np.mean(rhos)) if rhos else RHO, max(tail, LEAST_TAIL))


def look(counts: Floats, up: Bools, sensor: int, others: list[int], window: int, habit: Habit) -> Seen | None:
    """The last `window` days of one sensor against the days before and the other sensors.

    Args:
        counts: shape (botnets, sensors, days).
        up: shape (sensors, days).
        sensor: its row.
        others: rows that may be compared with.
        window: days.
        habit: how sensors' days are.
    """
    days = counts.shape[2]
    before = np.arange(max(0, days - window - BEFORE), days - window)
    before = before[up[sensor, before]]
    after = np.arange(days - window, days)
    if len(before) < FEWEST_BEFORE or not up[sensor, after].all():
        return None
    mine = counts[:, sensor]
    usual = mine[:, before].mean(axis=1)
    steady = [o for o in others if up[o, after].all() and up[o, before].mean() >= STEADY]
    if others and not steady:
        return None  # all others are down, or not handed in yet
    witnesses = 0
    if steady:
        each_other = _filled(counts[:, steady], up[steady], before)
        mail = each_other.sum(axis=0)
        usual_day = PARTIAL * mail[:, before].mean(axis=1)
        witnesses = int((mail[:, after].mean(axis=1) >= usual_day).sum())
        theirs = np.where(_wild(each_other, before, after)[:, :, None], 0.0, each_other).sum(axis=1)
        base = theirs[:, before].mean(axis=1)
        # A botnet too thin at the others moves with the rest of their mail.
        whole = theirs.sum(axis=0)
        overall = (whole[after].mean() + 0.5) / (whole[before].mean() + 0.5)
        factor = (theirs[:, after].mean(axis=1) + overall) / (base + 1.0)
        share = np.where(base > 0, usual / np.maximum(base, 1e-9), 0.0)
        daily = (share[:, None] * theirs[:, before]).sum(axis=0)
        level = (share[:, None] * theirs).sum(axis=0)
    else:
        factor, overall = np.ones(len(usual)), 1.0
        daily = np.full(len(before), usual.sum())
        level = np.ones(days)
    each = usual * factor * window
    seen = float(mine[:, after].sum())
    # Botnet by botnet, or all mail: where a name was lost, the mail that has it says nothing of the rest.
    by_botnet, by_all = float(each.sum()), float(usual.sum() * overall * window)
    expected = max(min(by_botnet, by_all), min(seen, max(by_botnet, by_all)))
    each = each * (expected / max(by_botnet, 1e-9))
    usually = mine[:, before].sum(axis=0)
    alpha, told_by = float(habit.alpha[sensor]), float(habit.days[sensor])
    if told_by < len(before):
        alpha, told_by = unevenness(usually, daily), float(len(before))
    rho = (memory(usually, daily) + habit.rho) / 2
    variance = alpha * (mean_of(window, rho) + mean_of(len(before), rho)) / (1.0 - CAUTION / told_by)
    tail = habit.tail * mean_of(window, rho)
    chance = mixed_chance(seen, expected, variance, tail)
    ratio = np.log((seen + 0.5) / (expected + 0.5))
    telling = each >= TELLING
    moves = np.log((mine[:, after].sum(axis=1) + 0.5) / (each + 0.5))
    alike = telling & (np.sign(moves) == np.sign(ratio)) & (np.abs(moves) >= abs(ratio) / 2)
    far = int(np.abs(mine[:, after].sum(axis=1) - each).argmax())
    rest = chance
    if len(each) > 1:
        rest = mixed_chance(seen - float(mine[far, after].sum()), expected - float(each[far]), variance, tail)
    by_day = mine.sum(axis=0)[after] / np.maximum(level[after], 1.0)
    return Seen(
        window,
        expected,
        seen,
        chance,
        (int(alike.sum()), int(telling.sum())),
        rest,
        2 * witnesses > len(steady) and witnesses >= WITNESSES,
        float(by_day.min()),
        alpha,
        level,
    )


def _wild(theirs: Floats, before: NDArray[np.int64], after: NDArray[np.int64]) -> Bools:
    """The one other sensor at which a botnet does what it does at none of the rest: a flood, or a filter.

    So with all mail of the one other sensor that grew or shrank itself.

    Args:
        theirs: shape (botnets, sensors, days).
        before: days before.
        after: days after.

    Returns:
        Shape (botnets, sensors); none where there are fewer than three.
    """
    found = np.zeros(theirs.shape[:2], dtype=bool)
    if theirs.shape[1] < 3:  # noqa: PLR2004 - of two nobody knows which one is off
        return found
    was, now = theirs[:, :, before].sum(axis=2), theirs[:, :, after].sum(axis=2)
    off = _off(was, now, WILD, CELLS_UNEVEN)
    rows = np.flatnonzero(off.max(axis=1) > 0)
    found[rows, off[rows].argmax(axis=1)] = True
    whole = _off(was.sum(axis=0, keepdims=True), now.sum(axis=0, keepdims=True), WHOLE, SENSORS_UNEVEN)[0]
    if whole.max() > 0:
        found[:, whole.argmax()] = True
    return found


def _off(was: Floats, now: Floats, factor: float, uneven: float) -> Floats:
    """Messages by which each column is off what the others of its row lead one to expect; 0 for few."""
    rest_was, rest_now = (one.sum(axis=1, keepdims=True) - one for one in (was, now))
    due = (was + 0.5) * (rest_now + 0.5) / (rest_was + 0.5)
    # By how much they may be off: messages of the cell, and of the rest by which it is led.
    spread = due + due**2 * (1.0 / (rest_now + 0.5) + 1.0 / (was + 0.5) + uneven)
    ratio = (now + 0.5) / (due + 0.5)
    far = (np.maximum(ratio, 1 / ratio) >= factor) & (np.abs(now - due) >= WILD_Z * np.sqrt(spread))
    return np.asarray(np.where(far, np.abs(now - due), 0.0))


def _filled(counts: Floats, up: Bools, before: NDArray[np.int64]) -> Floats:
    """Counts of shape (botnets, sensors, days) with a sensor's usual mail on days on which it was down."""
    if up[:, before].all():
        return counts
    weight = up[:, before]
    usual = (counts[:, :, before] * weight).sum(axis=2) / np.maximum(weight.sum(axis=1), 1)
    return np.asarray(np.where(up, counts, usual[:, :, None]))
