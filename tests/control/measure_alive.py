"""Measure P(alive): `python tests/control/measure_alive.py [RUNS] [SEED]`. For docs/path/control.md."""

from __future__ import annotations

import sys

import numpy as np
from control_world import calibration_error, watched

from spamtide.control import fit


def say(line: str) -> None:
    """One line of the result."""
    sys.stdout.write(f"{line}\n")


def main(runs: int, seed: int) -> None:
    """Print calibration, Brier scores and the delay until a change is seen."""
    rng = np.random.default_rng(seed)
    said: list[float] = []
    true: list[bool] = []
    last: list[bool] = []
    any_said: list[float] = []
    any_true: list[bool] = []
    for _ in range(runs):
        servers = int(rng.choice([2, 5, 15, 40]))
        world = watched(rng, servers, float(rng.choice([20, 60, 120])))
        found = fit(world.times, world.answers, world.end)
        said += [float(p) for p in found.alive]
        true += world.alive
        last += [answers[-1] for answers in world.answers]
        for start in range(0, servers, 3):
            group = list(range(start, min(start + 3, servers)))
            any_said.append(found.any_of(group))
            any_true.append(any(world.alive[at] for at in group))
    p, y, probe = np.array(said), np.array(true, float), np.array(last, float)
    brier, naive = float(((p - y) ** 2).mean()), float(((probe - y) ** 2).mean())
    say(f"{runs} worlds, {len(p)} servers, {y.mean():.0%} alive at the end")
    say(f"expected calibration error {calibration_error(p, y):.4f}")
    say(f"Brier {brier:.4f}, of the last check {naive:.4f}: {1 - brier / naive:.0%} lower")
    q, z = np.array(any_said), np.array(any_true, float)
    say(f"one of up to three alive: calibration error {calibration_error(q, z):.4f} (n {len(q)})")
    say(f"checks until a death is seen (P < .5): {seen_after(rng, runs)}")


def seen_after(rng: np.random.Generator, runs: int) -> str:
    """Median and 90 % of the checks after a death until P(alive) is below one half; answers of .95 and 0."""
    delays = []
    for _ in range(max(runs // 4, 10)):
        times = [[float(day) for day in range(40)] for _ in range(10)]
        answers = [[bool(rng.random() < 0.95) for _ in range(40)] for _ in range(10)]
        for checks in range(1, 7):
            told = [*answers[0][:30], *([False] * checks)]
            found = fit([times[0][: len(told)], *times[1:]], [told, *answers[1:]], float(30 + checks - 1))
            if found.alive[0] < 0.5:
                break
        delays.append(checks)
    return f"median {np.median(delays):.0f}, 90 % {np.quantile(delays, 0.9):.0f} (n {len(delays)})"


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:]]
    main(*(asked + [300, 20101014][len(asked) :]))
