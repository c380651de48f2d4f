"""Made-up servers that live and die, checked now and then: what P(alive) is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Watched:
    """Checks of several servers, and what was true at the end."""

    times: list[list[float]]
    answers: list[list[bool]]
    end: float
    alive: list[bool]


def watched(rng: np.random.Generator, servers: int, days: float) -> Watched:
    """Draw a world: its rates of death and return, of answers, and how often one looks, are drawn too."""
    death = np.exp(rng.uniform(np.log(1 / 200), np.log(1 / 10)))
    back = np.exp(rng.uniform(np.log(1 / 400), np.log(1 / 15)))
    from_alive, from_dead = rng.uniform(0.75, 0.99), rng.choice([0, 0.01, 0.05, 0.1])
    first, gap = rng.uniform(0.5, 1), rng.choice([0.25, 1, 3, 7])
    made = Watched([], [], days, [])
    for _ in range(servers):
        at, state = rng.uniform(0, days / 2), bool(rng.random() < first)
        times: list[float] = []
        answers: list[bool] = []
        while True:
            times.append(at)
            answers.append(bool(rng.random() < (from_alive if state else from_dead)))
            following = at + gap * (0.5 + 0.5 * rng.exponential())
            left = min(following, days) - at
            while (stay := rng.exponential(1 / (death if state else back))) < left:
                left -= stay
                state = not state
            at = following
            if at > days:
                break
        made.times.append(times)
        made.answers.append(answers)
        made.alive.append(state)
    return made


def calibration_error(said: np.ndarray, true: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean distance of said from true share over equal bins, by their size."""
    which = np.minimum((said * bins).astype(int), bins - 1)
    filled = [which == k for k in range(bins) if (which == k).any()]
    return float(sum(abs(said[own].mean() - true[own].mean()) * own.sum() for own in filled) / len(said))
