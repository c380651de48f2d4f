"""What could be found at all in the replays: `python tests/change/measure_bounds.py [DRAWINGS] [SEED]`.

For docs/replays/README.md. A test is asked that is told a sender's level at every sensor, its weekdays and
holidays, how uneven its days are, and the exact shape of what happens; it looks for the day. It weighs that
shape at every day against none (mean likelihood ratio over the days; counts as normal about their means, with
days and wandering in one covariance). Its bar is set on ten times as many drawings in which nothing happens.

It is asked twice. Once it is told how the level wanders as well. The other time nobody knows: the level may
wander as those of `spamtide calibrate` do (AR(1) of .8 to .95, sd 5 to 25 %), with the shape or without; and
a flood must hold against days whose logarithms have the tails of t(4), one of that study's four kinds.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from spamtide.model import Floats
from spamtide.simulate.stream import Streams
from spamtide.simulate.volume import MEMORY, draw_volumes, story
from spamtide.simulate.world import Sender, World
from spamtide.simulate.worlds import WORLDS

CASES = (
    ("mccolo-2008", "cutwail"),
    ("rustock-takedown-2011", "lethic"),
    ("rustock-takedown-2011", "grum"),
    ("autumn-2010", "cutwail"),
    ("autumn-2010", "grum"),
    ("autumn-2010", "lethic"),
)
RATES = (0.05, 0.01)
"""False finds a series-year."""
KINDS = [(memory, spread) for memory in (0.8, 0.95) for spread in (0.05, 0.15, 0.25)]
NULLS = 10
MARGIN, NEAR, YEAR, SLIGHT = 7, 10, 365.25, 1e-9
TAIL = 4


def shape_of(world: World, sender: Sender) -> tuple[int, Floats, bool]:
    """First day of what happens to a sender, its level as a share of that before, whether it is a flood."""
    for flood in world.floods:
        if flood.sender == sender.name:
            day = (flood.day - world.since).days
            shape = np.ones(len(world.days))
            shape[day] = flood.factor
            return day, shape, True
    shape = story(world, sender, world.sensors[0])
    return int(np.flatnonzero(shape != shape[0])[0]), shape / shape[0], False


def own(sender: Sender, days: int) -> Floats:
    """Covariance of a sender's log level."""
    steps = np.tril(np.full((days, days), sender.drift))
    steps -= steps.mean(axis=0)
    return _memory(days, MEMORY) * sender.noise**2 + steps @ steps.T


def _memory(days: int, phi: float) -> Floats:
    """Correlations of an AR(1)."""
    return np.asarray(phi ** np.abs(np.subtract.outer(np.arange(days), np.arange(days))), dtype=np.float64)


class Draw:
    """Draws what all sensors got of a sender, as `spamtide simulate` does."""

    def __init__(self, dice: np.random.Generator, expected: Floats, size: float) -> None:
        """Args: the dice, messages that sensors expect by day, and a sensor's NB size."""
        self._dice, self._expected, self._size = dice, expected, size
        self.mean = expected.sum(axis=0)
        self.sizes = size * self.mean**2 / np.maximum((expected**2).sum(axis=0), SLIGHT)

    def __call__(self, level: Floats, wander: Floats, number: int, *, heavy: bool = False) -> Floats:
        """Counts, shape (number, days).

        Args:
            level: what happens, as a share of the level before.
            wander: covariance of the log level.
            number: drawings.
            heavy: days have the tails of t(TAIL), and as much variance as else.
        """
        root = np.linalg.cholesky(wander + SLIGHT * np.eye(len(wander)))
        logs = self._dice.standard_normal((number, len(wander))) @ root.T
        if heavy:
            tails = self._dice.standard_t(TAIL, logs.shape) * np.sqrt((TAIL - 2) / TAIL)
            mean = level * np.exp(logs + tails / np.sqrt(self.sizes) - 0.5 / self.sizes) * self.mean
            return self._dice.poisson(mean).astype(np.float64)
        means = np.exp(logs)[:, None] * level * self._expected
        uneven = self._dice.gamma(self._size, 1 / self._size, means.shape)
        return self._dice.poisson(means * uneven).sum(axis=1).astype(np.float64)


def score(
    counts: Floats, draw: Draw, wanders: list[Floats], day: int, shape: Floats
) -> tuple[Floats, Floats]:
    """Of each drawing the day on which the shape fits best, and its log likelihood ratio against none."""
    mean, days = draw.mean, len(draw.mean)
    seen = mean > 0
    off = counts[:, seen] / mean[seen]

    def fit(level: Floats) -> Floats:
        found = []
        for wander in wanders:
            spread = np.outer(level, level) * wander[np.ix_(seen, seen)]
            spread += np.diag(level / mean[seen] + level**2 / draw.sizes[seen])
            root = np.linalg.cholesky(spread)
            miss = (off - level) @ np.linalg.inv(root).T
            found.append(-0.5 * (miss**2).sum(axis=1) - np.log(np.diag(root)).sum())
        return np.asarray(np.logaddexp.reduce(found, axis=0))

    after = np.concatenate((shape[day:], np.full(days, shape[-1])))
    places = np.arange(MARGIN, days - MARGIN)
    none = fit(np.ones(int(seen.sum())))
    fits = [fit(np.concatenate((np.ones(at), after[: days - at]))[seen]) - none for at in places]
    ratios = np.stack(fits, axis=1)
    return places[ratios.argmax(axis=1)], np.logaddexp.reduce(ratios, axis=1)


def main(drawings: int, seed: int) -> None:
    """A row for each case: what is found within NEAR days, by rate; told how levels wander, and not told."""
    for name, who in CASES:
        world = WORLDS[name]
        (sender,) = (one for one in world.senders if one.name == who)
        quiet = replace(
            world, shifts=(), declines=(), floods=(), senders=(replace(sender, noise=0.0, drift=0.0),)
        )
        draw = Draw(
            np.random.default_rng(seed),
            draw_volumes(quiet, Streams(world.name, seed), 1.0).expected[who],
            sender.size,
        )
        days = len(draw.mean)
        day, shape, flood = shape_of(world, sender)
        mine = own(sender, days)
        kinds = [_memory(days, memory) * spread**2 for memory, spread in KINDS]
        nothing = np.ones(days)
        happened, many = draw(shape, mine, drawings), NULLS * drawings
        row = f"| {name} | {who} |"
        for told in (True, False):
            wanders = [mine] if told or flood else kinds
            heavy = flood and not told
            calm = [draw(nothing, one, many // len(wanders), heavy=heavy) for one in wanders]
            _, chance = score(np.concatenate(calm), draw, wanders, day, shape)
            at, found = score(happened, draw, wanders, day, shape)
            for rate in RATES:
                bar = np.quantile(chance, 1 - rate * days / YEAR)
                row += f" {np.mean((found > bar) & (np.abs(at - day) <= NEAR)):.0%} |"
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
