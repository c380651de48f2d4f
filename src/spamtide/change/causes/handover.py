"""Whether mail that lost its name is the mail that `unknown` won: evidence beside a fall and a rise.

A botnet's level wanders, and so does that of `unknown`; now and then the one falls while the other rises by
as much. Mail that only lost its name goes on as it was: it comes to the sensors that it came to, and all of
it from one day on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spamtide.change.moves.segment import Bools
from spamtide.model import Counts, Floats

SENSORS_OWN_DAYS = 0.03
"""Over-dispersion of a sensor's share of a day's mail."""
PRIOR_MAIL = 5.0
"""Messages of `unknown` that are taken to have come as all mail does, where few tell."""
AT_ONCE = 5
"""Days on either side of a move within which a name is lost."""
MOST_AT_ONCE = 0.5
"""Part of what `unknown` won that it must have won within these days."""
SLACK = 1.5
"""Standard errors by which that may be missed."""
SUPPORTED, REFUTED = 2.0, -2.0
"""Log-likelihood ratio from which sensors speak for a hand-over, and up to which they speak against it."""
HEAVY = 5.0
"""Degrees of freedom of what `unknown` may do by itself: its wild days are wilder than normal."""
TRUST = 0.5
"""Weight of the sensors' log-likelihood ratio beside that of the amounts: it knows nothing of a sensor's own
days of one botnet."""
DEEP = 0.3
"""Share left of a level up to which a fall is deep: levels do not wander so far."""
SHALLOW = 0.5
"""Share left of a level from which a fall beside a rise needs the sensors' support."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What speaks for `unknown` having taken over a subject's mail."""

    sensors: float
    """Log-likelihood ratio of the sensors that `unknown` rose at: as the subject fell, against as itself."""
    at_once: bool
    """Whether it rose within days."""

    def explains(self, left: float) -> bool | None:
        """Whether it explains a fall to a share `left` of the level; None where it cannot be told."""
        if not self.at_once or self.sensors <= REFUTED:
            return False
        return True if left < SHALLOW or self.sensors >= SUPPORTED else None

    def outweighs(self, amounts: float) -> bool:
        """Whether it explains a deep fall of a day or two, given what the amounts say."""
        return self.at_once and amounts + TRUST * self.sensors > 0


def amounts(lost: float, won: float, error: float, chance_error: float) -> float:
    """Log-likelihood ratio of what `unknown` won, if it is what a subject lost against chance.

    Args:
        lost: messages a day that the subject lost.
        won: those that `unknown` won.
        error: standard error of their difference.
        chance_error: standard error of what `unknown` won if nothing happened to it.
    """

    def log_density(value: float, scale: float) -> float:
        return float(-(HEAVY + 1) / 2 * np.log1p((value / scale) ** 2 / HEAVY) - np.log(scale))

    return log_density(won - lost, max(error, 1e-9)) - log_density(won, max(chance_error, 1e-9))


def handover(
    mine: Counts, nameless: Counts, up: Bools, sides: tuple[Bools, Bools], usual: Floats
) -> Handover:
    """Weigh the evidence.

    Args:
        mine: the subject's mail, shape (sensors, days).
        nameless: that of `unknown`, the same shape.
        up: days on which each sensor was up and unchanged, the same shape.
        sides: days at the level before, and at the level after; shape (days,).
        usual: what all sensors' mail is expected to be that day, 1 on an average day.
    """
    at_once = _at_once(nameless.sum(axis=0), *sides, usual)
    return Handover(_by_sensors(mine, nameless, up, sides), at_once)


def _by_sensors(mine: Counts, nameless: Counts, up: Bools, sides: tuple[Bools, Bools]) -> float:
    """Where `unknown` won its mail: where the subject lost its own, or where `unknown` always came."""
    before, after = (up & side for side in sides)
    both = before.any(axis=1) & after.any(axis=1)
    if both.sum() < 2:  # noqa: PLR2004 - one sensor tells nothing of where
        return 0.0
    mine, nameless, before, after = mine[both], nameless[both], before[both], after[both]
    days = np.maximum(before.sum(axis=1), 1), np.maximum(after.sum(axis=1), 1)
    was, now = ((mine * side).sum(axis=1) / n for side, n in zip((before, after), days, strict=True))
    lost = np.maximum(was - now, 0.0)
    came = (nameless * before).sum(axis=1).astype(np.float64)
    spread = was + came / days[0]
    usual = (came + PRIOR_MAIL * spread / max(float(spread.sum()), 1e-9)) / days[0]
    seen = (nameless * after).sum(axis=1).astype(np.float64)
    alone = usual * days[1]
    both_of_them = (usual + lost) * days[1]
    if lost.sum() <= 0 or seen.sum() <= 0 or alone.sum() <= 0:
        return 0.0
    odds = np.log(both_of_them / both_of_them.sum()) - np.log(alone / alone.sum())
    inflation = 1 + SENSORS_OWN_DAYS * float((seen**2).sum() / seen.sum())
    return float((seen * odds).sum() / inflation)


def _at_once(nameless: Counts, before: Bools, after: Bools, usual: Floats) -> bool:
    """Whether most of a rise of `unknown` came within days, as when a name is lost, and not by and by."""
    rate = np.where(usual > 0, nameless / np.where(usual > 0, usual, 1.0), 0.0)
    first, last = np.flatnonzero(before & (usual > 0)), np.flatnonzero(after & (usual > 0))
    if not len(first) or not len(last):
        return False
    whole = float(rate[last].mean() - rate[first].mean())
    near = rate[first[-AT_ONCE:]], rate[last[:AT_ONCE]]
    variance = sum(max(float(side.var()), float(side.mean()), 1 / len(side)) / len(side) for side in near)
    rise = float(near[1].mean() - near[0].mean())
    return rise + SLACK * float(np.sqrt(variance)) >= MOST_AT_ONCE * whole
