"""Measure links: `python tests/finding/measure_links.py [RUNS] [SEED]`. Figures for docs/path/finding.md."""

from __future__ import annotations

import sys

import numpy as np

from spamtide.finding.estimate.links import RARE, Trial, shift_test


def spurious(rng: np.random.Generator, runs: int, days: int, moves: int, events: int) -> float:
    """Share of shuffled calendars in which any event is called linked; each could concern some moves."""
    found = 0
    for _ in range(runs):
        at = rng.integers(0, days, moves)
        trials = [
            Trial(int(rng.integers(days)), tuple(int(m) for m in at[rng.random(moves) < 0.6]))
            for _ in range(events)
        ]
        found += any(odds.p <= RARE for odds in shift_test(trials, days))
    return found / runs


def power(rng: np.random.Generator, runs: int, days: int, moves: int, away: int, events: int) -> float:
    """Share of calendars in which an event `away` days from the first of some moves is called linked."""
    found = 0
    for _ in range(runs):
        first = int(rng.integers(20, days - 20))
        own = tuple(first + int(rng.integers(0, 9)) * (i > 0) for i in range(moves))
        rest = [Trial(int(rng.integers(days)), (int(rng.integers(days)),)) for _ in range(events - 1)]
        found += shift_test([Trial(first + away, own), *rest], days)[0].p <= RARE
    return found / runs


def autumn(rng: np.random.Generator, runs: int) -> float:
    """The moves of autumn 2010 as they were, its three events on shuffled days."""
    falls = (80, 88, 89, 91)
    whose = (falls, falls, (89,))
    found = 0
    for _ in range(runs):
        trials = [Trial(int(rng.integers(106)), own) for own in whose]
        found += any(odds.p <= RARE for odds in shift_test(trials, 106))
    return found / runs


def main(runs: int, seed: int) -> None:
    """Print spurious links, then power."""
    rng = np.random.default_rng(seed)
    sys.stdout.write(f"shuffled calendars, autumn 2010: {autumn(rng, 2 * runs):.3f} (n {2 * runs})\n")
    for days in (60, 106, 365, 730):
        for moves, events in ((1, 1), (2, 3), (4, 3), (8, 10)):
            share = spurious(rng, runs, days, moves, events)
            sys.stdout.write(
                f"shuffled: {days} days, {moves} moves, {events} events: {share:.3f} (n {runs})\n"
            )
    for days in (106, 365, 730):
        for moves in (1, 3):
            told = [power(rng, runs // 4, days, moves, away, 3) for away in (0, 1, 3, 5)]
            row = ", ".join(f"{share:.2f}" for share in told)
            sys.stdout.write(f"power: {days} days, {moves} moves, event 0, 1, 3, 5 days off: {row}\n")


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:]]
    main(*(asked + [2000, 20100927][len(asked) :]))
