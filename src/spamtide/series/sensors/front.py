"""What happened in front of all sensors at once: a filter or a relay of their own that moved.

Then no sensor's days say what another's should have been. But nothing that senders do takes the same part
of every botnet's mail at every sensor, while the receiving relays move or other mail goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Floats
from spamtide.series.sensors.tail import chance_of, unevenness

Bools = NDArray[np.bool_]

WITH_RELAYS, WITHOUT = 0.35, 0.12
"""Share of all mail up to which it is one fall of all, with relays that moved and with only other mail."""
ALIKE = 2.2
"""Factor between one botnet's, or sensor's, share and that of all mail up to which they fell alike."""
MOST_LEFT = 0.6
"""Share of its mail from which a botnet, or a sensor, has not fallen with the others."""
FEWEST_BOTNETS = 3
"""Botnets that must have fallen alike."""
FEWEST_SENSORS = 2
"""Sensors that must have fallen alike."""
TELLING = 8.0
"""Messages expected of a botnet, or a sensor, from which its ratio says something."""
RELAYS_MOVED = 0.8
"""Share of sensors whose relay moved from which the others are taken to stand behind the new one, too."""
CHANCE = 1e-6
"""Probability of so little mail at all sensors, above which it is chance."""
OTHER_MAIL = 10.0
"""Messages of other mail expected in the days from which it says that it went on."""
WENT_ON = 0.5
"""Share of the usual other mail that goes on."""
BEFORE, FEWEST_BEFORE = 42, 10
"""Days before a window that say what is usual, and days of a sensor without which it has no say."""


@dataclass(frozen=True, slots=True)
class Front:
    """A fall of all mail at all sensors."""

    window: int
    """Days, the last ones, that speak most for it."""
    expected: float
    seen: float
    chance: float
    botnets: int
    sensors: tuple[int, ...]
    """Sensors that fell, or are too thin to say that they did not."""
    relays: bool
    """Whether their relays moved then; else other mail went on."""


def in_front(counts: Floats, ham: Floats, up: Bools, moved: list[int], longest: int) -> Front | None:
    """The fall of all mail at all sensors that the last days show; None where there is none.

    Args:
        counts: shape (botnets, sensors, days), 'unknown' among the botnets.
        ham: other mail, shape (sensors, days).
        up: shape (sensors, days).
        moved: days since each sensor's relay moved, 0 where it did not.
        longest: days that are looked at.
    """
    best: Front | None = None
    for window in range(1, min(longest, up.shape[1] - FEWEST_BEFORE) + 1):
        found = _look(counts, ham, up, moved, window)
        if found is not None and (best is None or found.chance < best.chance):
            best = found
    return best


def _look(counts: Floats, ham: Floats, up: Bools, moved: list[int], window: int) -> Front | None:
    """One window of last days."""
    days = up.shape[1]
    before = np.arange(max(0, days - window - BEFORE), days - window)
    after = np.arange(days - window, days)
    steady = up[:, before].sum(axis=1) >= FEWEST_BEFORE
    steady &= up[:, after].all(axis=1)
    if steady.sum() < FEWEST_SENSORS:
        return None
    weight = up[steady][:, before]
    usual = (counts[:, steady][:, :, before] * weight).sum(axis=2) / weight.sum(axis=1)
    expected, seen = usual * window, counts[:, steady][:, :, after].sum(axis=2)
    whole = float((seen.sum() + 0.5) / (expected.sum() + 0.5))
    if whole > WITH_RELAYS:
        return None
    alike = [
        _alike(seen.sum(axis=axis), expected.sum(axis=axis), whole, fewest)
        for axis, fewest in ((1, FEWEST_BOTNETS), (0, FEWEST_SENSORS))
    ]
    sensors = np.flatnonzero(steady)
    shifted = sum(1 for s in sensors if 0 < moved[s] <= window + 1)
    relays = shifted >= RELAYS_MOVED * len(sensors)
    other = ham[steady][:, before]
    went_on = (
        other.mean(axis=1).sum() * window >= OTHER_MAIL
        and ham[steady][:, after].sum() >= WENT_ON * other.mean(axis=1).sum() * window
    )
    if not all(alike) or not (relays or (went_on and whole <= WITHOUT)):
        return None
    daily = (counts[:, steady][:, :, before].sum(axis=0) * weight).sum(axis=0)
    up_then = (usual.sum(axis=0)[:, None] * weight).sum(axis=0)
    size = 1 / (unevenness(daily, up_then) * (1 / window + 1 / len(before)))
    chance = chance_of(float(seen.sum()), float(expected.sum()), size)
    if chance > CHANCE:
        return None
    thin = expected.sum(axis=0) < TELLING
    fell = seen.sum(axis=0) <= expected.sum(axis=0) / 2
    return Front(
        window,
        float(expected.sum()),
        float(seen.sum()),
        chance,
        int((expected.sum(axis=1) >= TELLING).sum()),
        tuple(sensors[thin | fell].tolist()),
        relays,
    )


def _alike(seen: Floats, expected: Floats, whole: float, fewest: int) -> bool:
    """Whether all with mail enough fell by about as much as the whole did."""
    telling = expected >= TELLING
    if telling.sum() < fewest:
        return False
    ratio = (seen[telling] + 0.5) / (expected[telling] + 0.5)
    # Chance alone: a few messages of eight are no sign of life.
    allowed = np.minimum(max(ALIKE * whole, 2 * WITHOUT) + 1 / np.sqrt(expected[telling]), MOST_LEFT)
    return bool((ratio <= allowed).all())
