"""Whether a botnet's mail went from one programme to another, or one of the two moved alone.

A share falls when its programme falls, and also when another one grows; messages fall when the programme
does, and also when the whole botnet does. The rest of the botnet's mail tells them apart: a loser has lost
against it too, a gainer has won. So the log messages of loser, gainer and rest after a change are held
against those before, with the covariance that such days always had; it holds how uneven the botnet's volume
and its mix are. Three things may have moved them: mail from the loser to the gainer, the loser alone, or the
gainer alone, each by any amount.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.change.mixes.mix import Mix
from spamtide.compiled import native
from spamtide.model import Floats

Units = NDArray[np.int64]

LEAST_REST = 0.05
"""Share of a botnet's mail from which the rest says something."""
VOLUME = 0.15
"""Prior standard deviation of a change of the whole volume at the same time, on the log scale."""
RETURNED = 1.0
"""The same after a pause, from which a botnet may come back at any level."""
MOVES = np.concatenate((np.linspace(0.1, 0.9, 33), (0.93, 0.96, 0.98, 0.99, 1.0)))
"""Shares of the mail that may have moved."""
ALONE = np.linspace(-5.0, 5.0, 101)
"""Log changes of one programme alone."""
LEAST_VARIANCE = 0.003
"""Of a log share, beyond chance: a share's days differ by some 5 % in any case."""
FEWEST_BEFORE = 7
"""Units before a change from which a covariance can be told."""
MOST_MEMORY = 0.8
"""Serial correlation that is believed at most."""
PAUSED, A_PAUSE = 0.1, 3
"""Share of a botnet's usual day below which it paused, and how many such days are a pause."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Least chi-squared of what may have happened."""

    nothing: float
    moved: float
    """Mail went from the loser to the gainer."""
    alone: float
    """Only the loser moved, or only the gainer."""

    @property
    def of_any(self) -> float:
        """Gain of any change over none."""
        return self.nothing - min(self.moved, self.alone)

    @property
    def over_none(self) -> float:
        """Gain of an exchange over no change."""
        return self.nothing - self.moved

    @property
    def over_one(self) -> float:
        """Gain of an exchange over a move of one programme alone."""
        return self.alone - self.moved


def weigh_exchange(mix: Mix, loser: int, gainer: int, old: Units, new: Units) -> Exchange | None:
    """Hold some units against those before; None where too few are known to tell anything.

    Args:
        mix: the botnet's mix.
        loser: row of the programme that lost share.
        gainer: row of the one that won.
        old: seen units before.
        new: seen units after.
    """
    rates, daily = mix.rates, mix.daily
    if native is not None:
        bounds = mix.rho, LEAST_REST, VOLUME, RETURNED, LEAST_VARIANCE, MOST_MEMORY, PAUSED
        days, numbers = (rates, daily, mix.seen), (loser, gainer, FEWEST_BEFORE, A_PAUSE)
        found = native.exchange(days, (old, new), (MOVES, ALONE), numbers, bounds)
        return None if found is None else Exchange(*found)
    old, new = (_telling(daily, units) for units in (old, new))
    if len(old) < FEWEST_BEFORE or not len(new):
        return None
    between = daily[old[-1] + 1 : new[0]][mix.seen[old[-1] + 1 : new[0]]]
    paused = (between <= PAUSED * np.median(daily[old])).sum() >= A_PAUSE
    rest = [p for p in range(len(mix.programmes)) if p not in {loser, gainer}]
    parts = np.array([rates[loser], rates[gainer], rates[rest].sum(axis=0)])
    was = parts[:, old].mean(axis=1)
    if was[2] < LEAST_REST * was.sum():
        parts, was = parts[:2], was[:2]
    now = parts[:, new].mean(axis=1)
    whole = float(rates[:, old].sum(axis=0).mean()), float(rates[:, new].sum(axis=0).mean())
    logs = np.log(parts + 0.5)
    move = logs[:, new].mean(axis=1) - logs[:, old].mean(axis=1)
    covariance = _covariance(logs[:, old], len(new)) + (RETURNED if paused else VOLUME) ** 2
    # A share that has shrunk is more uneven than it was, relative to itself.
    more = _log_variance(now, whole[1], mix.rho) - _log_variance(was, whole[0], mix.rho)
    covariance += np.diag(np.maximum(more, 0.0)) / len(new)
    precision: Floats = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    return Exchange(
        nothing=_chi(move[None], precision),
        moved=_fit(move, precision, was[:2], whole[0]),
        alone=min(_chi(move - ALONE[:, None] * np.eye(len(move))[which], precision) for which in (0, 1)),
    )


def _telling(rate: Floats, units: Units) -> Units:
    """Units with mail: those of a pause say nothing of what a botnet advertises."""
    return units[rate[units] > PAUSED * np.median(rate[units])] if len(units) else units


def _covariance(logs: Floats, window: int) -> Floats:
    """Covariance of the mean of `window` days less the mean of those before, serial correlation and all."""
    centred = logs - logs.mean(axis=1, keepdims=True)
    days = logs.shape[1]
    covariance = centred @ centred.T / max(days - len(logs), 1)
    covariance += LEAST_VARIANCE * np.eye(len(logs))
    lag = (centred[:, 1:] * centred[:, :-1]).sum() / max((centred**2).sum(), 1e-9)
    rho = float(np.clip(lag, 0.0, MOST_MEMORY))
    inflation = 1 + 2 * sum((1 - k / window) * rho**k for k in range(1, window))
    # The covariance is estimated: as for a t, its inverse is too large on average.
    doubt = days / max(days - len(logs) - 2, 1)
    whole: Floats = covariance * doubt * (inflation / window + (1 + rho) / (1 - rho) / days)
    return whole


def _log_variance(parts: Floats, whole: float, rho: float) -> Floats:
    """Variance of the logs of a day's parts of `whole` messages, were they Dirichlet-multinomial."""
    number = max(whole, 1.0)
    share = np.clip(parts / number, 0.5 / number, 1.0)
    return np.asarray((1 - share) / share * (1 + (number - 1) * rho) / number)


def _fit(move: Floats, precision: Floats, before: Floats, whole: float) -> float:
    """Least chi-squared over all amounts that may have gone from the loser to the gainer."""
    moved = MOVES[before[0] >= MOVES * whole] * whole
    if not len(moved):
        return math.inf
    # As the days' logarithms are: a gainer that was not there before has one, too.
    expected = np.zeros((len(moved), len(move)))
    expected[:, 0] = np.log((before[0] - moved + 0.5) / (before[0] + 0.5))
    expected[:, 1] = np.log((before[1] + moved + 0.5) / (before[1] + 0.5))
    return _chi(move - expected, precision)


def _chi(residual: Floats, precision: Floats) -> float:
    """Least squared distance of some residuals, one a row."""
    return float(np.einsum("ij,jk,ik->i", residual, precision, residual).min())
