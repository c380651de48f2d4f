"""How soon a switch can be told at all from a growth or a loss: the best test there is, which knows all else.

It is told the mix before, the programmes and the messages that would move, what else might have happened
(that the gainer alone grew, or the loser alone shrank, by any of the factors that are drawn), the botnet's
volume, how uneven its days are and how its mix wanders, and the day on which it may have happened. Of all
tests with as many false calls that of the likelihood ratio finds most (Neyman and Pearson 1933). Log messages
are taken as normal, with the mean and covariance that they are drawn with. There are no weekdays, sensors or
missing days.
"""

from __future__ import annotations

import math

import numpy as np

from spamtide.calibration.world import MEMORY, MIX_NOISE, MIXES
from spamtide.model import Counts, Floats

SIZES = np.linspace(5.0, 30.0, 6)
"""How uneven days are, as the observatories draw them."""
EACH = 400
"""Botnets of each size."""
LEAD, PATIENCE = 6, 8
"""Days before, whose noise tells that of the next, and after."""
GROWTHS = (2.0, 4.0)
LOSSES = (0.2, 0.3, 0.4, 0.5, 0.6)
FALSE_A_YEAR = 0.1
"""Calls a botnet and year where nothing happens."""
LOOKS = (2, 4, 8)
FALSE_LOOKS = 0.02
"""Share of growths that may be called a switch as of each of LOOKS days, in the mean."""
NAMED = 0.95
YEAR = 365.25


def best_switches(rng: np.random.Generator, volume: float, points: float) -> list[float]:
    """Days until each of some switches is called; PATIENCE + 1 where it is not.

    Args:
        rng: draws the days.
        volume: messages a day.
        points: share of the botnet's mail that moves.
    """
    before = np.array([*(NAMED * share for share in MIXES), 1 - NAMED]) * volume
    moved = before + np.array([-points, points, 0.0, 0.0]) * volume
    grown = [before * np.array([1.0, factor, 1.0, 1.0]) for factor in GROWTHS]
    lost = [before * np.array([factor, 1.0, 1.0, 1.0]) for factor in LOSSES]
    gains: dict[str, list[Floats]] = {"nothing": [], "moved": [], "grown": []}
    for size in SIZES:
        spread = float(np.log1p(1 / size))
        every = [_Days(before, after, spread) for after in (before, moved, *grown, *lost)]
        drawn = {
            "nothing": every[0].draw(rng, EACH),
            "moved": every[1].draw(rng, EACH),
            "grown": np.concatenate([one.draw(rng, EACH // len(grown)) for one in every[2 : 2 + len(grown)]]),
        }
        for name, counts in drawn.items():
            likely = np.array([one.log_likelihood(counts) for one in every])
            growths, losses = likely[2 : 2 + len(grown)], likely[2 + len(grown) :]
            alone = np.logaddexp(_mean(growths), _mean(losses)) - math.log(2)
            gains[name].append(np.array([likely[1] - likely[0], likely[1] - alone]))
    over_none, over_one = (
        {name: np.concatenate([one[which] for one in some]) for name, some in gains.items()}
        for which in (0, 1)
    )
    bar = _bar_over_none(over_none["nothing"])
    # Growths that are not beyond what nothing does are no calls.
    looks = np.where(over_none["grown"] > bar, over_one["grown"], -np.inf)[:, [day - 1 for day in LOOKS]]
    limit = float(np.quantile(looks, 1 - FALSE_LOOKS, method="higher"))
    called = (over_none["moved"] > bar) & (over_one["moved"] > limit)
    first = np.where(called.any(axis=1), called.argmax(axis=1) + 1, PATIENCE + 1)
    return [float(wait) for wait in first]


class _Days:
    """Days of a botnet whose messages by programme change on day LEAD."""

    def __init__(self, before: Floats, after: Floats, spread: float) -> None:
        """Reckon with the mean and covariance of the logs of all days.

        Args:
            before: messages a day by programme.
            after: the same from day LEAD on.
            spread: variance of the log of a day's volume.
        """
        from scipy.special import digamma, polygamma

        number = LEAD + PATIENCE
        self._level = np.where(np.arange(number)[:, None] < LEAD, before, after)
        self._size = 1 / spread
        parts = len(before)
        days = np.arange(number)
        # A programme that does well takes from all: of its own log ratio the mean of all is taken away.
        apart = np.eye(parts) - self._level[:, None, :] / self._level.sum(axis=1)[:, None, None]
        wander = np.einsum("tik,sjk->tisj", apart, apart)
        wander *= (MIX_NOISE**2 * MEMORY ** np.abs(days[:, None] - days))[:, None, :, None]
        covariance = wander.reshape(number * parts, -1)
        covariance += float(polygamma(1, self._size)) * np.kron(np.eye(number), np.ones((parts, parts)))
        covariance += np.diag(1 / self._level.ravel())
        self._mean = (np.log(self._level) + digamma(self._size) - math.log(self._size)).ravel()
        self._root = np.linalg.cholesky(covariance)

    def draw(self, rng: np.random.Generator, number: int) -> Counts:
        """Messages of some botnets, shape (botnets, days, programmes)."""
        days, parts = self._level.shape
        noise = rng.normal(0, MIX_NOISE, (number, days, parts))
        for day in range(1, days):
            noise[:, day] = MEMORY * noise[:, day - 1] + math.sqrt(1 - MEMORY**2) * noise[:, day]
        mix = self._level * np.exp(noise)
        mix *= self._level.sum(axis=1)[:, None] / mix.sum(axis=2, keepdims=True)
        counts: Counts = rng.poisson(mix * rng.gamma(self._size, 1 / self._size, (number, days, 1)))
        return counts

    def log_likelihood(self, counts: Counts) -> Floats:
        """Of all days up to each from LEAD on, shape (botnets, PATIENCE)."""
        days, parts = self._level.shape
        off = np.log(counts.reshape(len(counts), -1) + 0.5) - self._mean
        # The root is lower triangular, so that what it makes of the first days needs no later ones.
        scaled = np.linalg.solve(self._root, off.T)
        each = -(scaled**2) / 2 - np.log(np.diag(self._root))[:, None]
        found: Floats = np.cumsum(each.reshape(days, parts, -1).sum(axis=1), axis=0)[LEAD:].T
        return found


def _mean(likely: Floats) -> Floats:
    """Log of the mean of some likelihoods."""
    return np.asarray(np.logaddexp.reduce(likely, axis=0) - math.log(len(likely)))


def _bar_over_none(gains: Floats) -> float:
    """Gain over no change that FALSE_A_YEAR windows a year exceed by chance, gains being nearly normal.

    Args:
        gains: where nothing happens, by botnet and days of the window.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    centre, scale = gains.mean(axis=0), gains.std(axis=0)
    return float(brentq(lambda bar: YEAR * ndtr((centre - bar) / scale).sum() - FALSE_A_YEAR, -1e4, 1e4))
