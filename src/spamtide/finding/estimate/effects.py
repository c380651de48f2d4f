"""What volume did from a day on, against what was to be expected: by horizon, with substitution apart.

The affected botnets are predicted from their own past and from the unaffected ones as controls; the others
from their own past alone, for a control that fills the gap would hide it. What the affected lost, what the
others gained meanwhile, and both together are three numbers, each in percent of the volume expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.finding.estimate.levels import Days, Expected, Level
from spamtide.model import Counts, Floats

HORIZONS = (1, 7, 28, 91)
"""Days from the day of action on: a day, 1, 4 and 13 weeks."""
DRAWS = 4_000
"""From each distribution that an interval is made of."""
SEED = 2011
"""So that the same data give the same interval to the byte."""
INSIDE = (0.025, 0.975)
"""Quantiles at the ends of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Share:
    """A number in percent of the volume expected, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What volume did over one horizon."""

    days: int
    own: Share
    """Change of the affected botnets' mail, in percent of what they were expected to send."""
    lost: Share
    """The same in percent of all mail expected; negative is a loss."""
    others: Share
    """Change of the others that did not move by themselves, in percent of all mail expected: substitution
    where positive."""
    net: Share
    """Change of all mail."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Daily counts around a day of action."""

    affected: Counts
    others: Counts
    offset: Floats
    """Expected count at level 1 over the sensors that were up."""
    weekday: Floats
    clean: int
    """Days before any effect can have begun: the past that predictions are made from."""
    action: int
    """Position of the day of action, not before `clean`."""
    since: int = 0
    """First day of the affected botnets' past: their own last move before lies behind it."""
    apart: Counts | None = None
    """Mail among the others' of botnets that moved by themselves about then: nobody's control, and no filling
    in."""


def effects(scene: Scene, horizons: Sequence[int] = HORIZONS) -> tuple[Effect, ...]:
    """Effects over those horizons that are over, and over the days so far where none is.

    Empty where the past is too short or too empty to predict from.
    """
    weekday = scene.weekday.astype(np.int64)
    offset = scene.offset.astype(float)
    steady = scene.others if scene.apart is None else np.maximum(scene.others - scene.apart, 0)
    own = Days(scene.affected.astype(float), offset, weekday, _control(scene, steady))
    series = [own, Days(scene.others.astype(float), offset, weekday)]
    if scene.apart is not None:
        series.append(Days(steady.astype(float), offset, weekday))
    levels = [Level(one.part(0 if at else scene.since, scene.clean)) for at, one in enumerate(series)]
    if not levels[0].enough:
        return ()
    found = []
    left = len(offset) - scene.action
    for days in [h for h in horizons if h <= left]:
        window = scene.action, scene.action + days
        if not (offset[slice(*window)] > 0).any():
            continue
        gap = scene.action - scene.clean
        parts = [one.part(*window) for one in series]
        expected = [level.expect(part, gap) for level, part in zip(levels, parts, strict=True)]
        counts = [float(part.counts[part.offset > 0].sum()) for part in parts]
        found.append(_effect(days, counts, expected))
    return tuple(found)


def _control(scene: Scene, steady: Counts) -> Floats:
    """Log of the unaffected mail per offset against its mean; 0 where not known."""
    known = (scene.offset > 0) & (steady > 0)
    rate = np.zeros(len(scene.offset))
    rate[known] = np.log(steady[known] / scene.offset[known])
    past = known[: scene.clean]
    centre = float(rate[: scene.clean][past].mean()) if past.any() else 0.0
    control: Floats = np.where(known, rate - centre, 0.0)
    return control


def _effect(days: int, counts: Sequence[float], expected: Sequence[Expected]) -> Effect:
    """Combine what was seen and what was expected by draws; the same every time.

    Given for the affected, for all others, and for those of the others that did not move by themselves where
    these are not all.
    """
    dice = np.random.default_rng(SEED)
    seen, due = [], []
    for count, one in zip(counts, expected, strict=True):
        seen.append(one.meant(count, dice, DRAWS))
        due.append(one.mean * np.exp(one.error * dice.standard_normal(DRAWS)))
    whole = due[0] + due[1]
    moved = [
        tuple(bound - expectation for bound in bounds) for bounds, expectation in zip(seen, due, strict=True)
    ]
    lost, rest, others = moved[0], moved[1], moved[-1]
    net = lost[0] + rest[0], lost[1] + rest[1]
    middle = expected[0].mean + expected[1].mean
    return Effect(
        days,
        own=_share(lost, due[0], (counts[0] - expected[0].mean) / expected[0].mean),
        lost=_share(lost, whole, (counts[0] - expected[0].mean) / middle),
        others=_share(others, whole, (counts[-1] - expected[-1].mean) / middle),
        net=_share(net, whole, (counts[0] + counts[1] - middle) / middle),
    )


def _share(bounds: Sequence[Floats], whole: Floats, value: float) -> Share:
    """Percent with its interval, from draws of the difference for either bound."""
    low, high = (np.quantile(draws / whole, at) for draws, at in zip(bounds, INSIDE, strict=True))
    return Share(100 * value, 100 * min(float(low), value), 100 * max(float(high), value))
