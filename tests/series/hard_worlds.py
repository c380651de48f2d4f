"""Drift and coverage of the index in worlds that break its assumptions, each in one way and all together.

    python tests/series/hard_worlds.py [WORLDS] [CASE]
    python tests/series/hard_worlds.py WORLDS known

Log-normal sensor noise with AR(1) memory and days shared by all, none of which is fitted; not a test, since
it takes minutes. docs/path/series.md states what comes out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from conftest import _panel
from spamtide.model import Panel
from spamtide.series import fit, measure
from spamtide.settings import Measuring

DAYS, MONTH, SENSORS, SUBJECTS = 210, 28, 12, 5


@dataclass(frozen=True, slots=True)
class Hard:
    """What is wrong with a world; all off is the plain one with churn."""

    mix: float = 0.0
    """sd of the log of a subject's share at a sensor over its share at all."""
    floods: float = 0.0
    """Share of sensor-days on which one subject comes eightfold at one sensor."""
    empty: float = 0.0
    """Share of a small sensor's days on which it stores nothing."""
    faults: bool = False
    """One sensor loses 60 % at once, another 70 % with its relay, two are down for a week."""
    falls: bool = False
    """One subject falls to a tenth."""
    noise: float = 0.25
    rho: float = 0.4
    own_week: float = 0.0
    """sd of the log of a sensor's own weekdays."""


CASES = {
    "churn alone": Hard(),
    "one botnet falls to a tenth": Hard(falls=True),
    "mixes differ (1.35)": Hard(mix=0.3),
    "mixes differ and one botnet falls": Hard(mix=0.3, falls=True),
    "floods on 2 % of sensor-days": Hard(floods=0.02),
    "small sensors empty on 25 % of days": Hard(empty=0.25),
    "own weekdays": Hard(own_week=0.15),
    "outages, a filter, a relay": Hard(faults=True),
    "heavy noise": Hard(noise=0.6, rho=0.6),
    "all but heavy noise": Hard(0.3, 0.02, 0.25, faults=True, falls=True, own_week=0.15),
}


def draw(seed: int, hard: Hard) -> tuple[Panel, np.ndarray]:
    """A panel and the true index, 100 over the first month."""
    rng = np.random.default_rng([7, seed])
    size = np.exp(rng.normal(4.3, 0.8, SENSORS))
    size[-1] = 10 * size[:-1].mean()
    share = rng.dirichlet(np.full(SUBJECTS, 4.0))
    level = np.exp(np.cumsum(rng.normal(0, 0.015, (SUBJECTS, DAYS)), axis=1))
    level *= np.exp(rng.normal(0, 0.1, (SUBJECTS, DAYS)))
    if hard.falls:
        at = int(rng.integers(80, 150))
        level[np.argsort(share)[-2], at:] *= 0.1
    week = np.exp(0.25 * np.cos(2 * np.pi * (np.arange(DAYS) + rng.integers(7)) / 7))
    sent = share[:, None] * level * week
    truth = 100 * sent.sum(axis=0) / sent[:, :MONTH].sum(axis=0).mean()
    noise = rng.normal(size=(SENSORS, DAYS))
    for day in range(1, DAYS):
        noise[:, day] = hard.rho * noise[:, day - 1] + np.sqrt(1 - hard.rho**2) * noise[:, day]
    seen = size[:, None] * np.exp(hard.noise * noise - hard.noise**2 / 2)
    seen *= np.exp(rng.normal(0, hard.own_week, (SENSORS, 7)))[:, np.arange(DAYS) % 7]
    up = np.ones((SENSORS, DAYS))
    state = np.ones(SENSORS - 1)
    for month in range(1, -(-DAYS // MONTH)):
        flip = rng.choice(SENSORS - 1, round(0.3 * SENSORS), replace=False)
        state[flip] = 1 - state[flip]
        state[: 2 if state.sum() < 2 else 0] = 1
        up[:-1, month * MONTH : (month + 1) * MONTH] = state[:, None]
    up[-1, : int(rng.integers(70, 130))] = 0
    relays = [["mx1"] * DAYS for _ in range(SENSORS)]
    if hard.faults:
        shrunk, moved, *down = rng.permutation(SENSORS - 1)[:4]
        at = int(rng.integers(60, 150))
        seen[shrunk, at:] *= 0.4
        at = int(rng.integers(60, 150))
        seen[moved, at:] *= 0.3
        relays[moved][at:] = ["mx2"] * (DAYS - at)
        for sensor in down:
            at = int(rng.integers(30, 190))
            up[sensor, at : at + 7] = 0
    small = size < np.quantile(size[:-1], 0.3)
    up[small] *= rng.random((int(small.sum()), DAYS)) >= hard.empty
    mean = sent[:, None] * seen * up * np.exp(rng.normal(0, hard.mix, (SUBJECTS, SENSORS, 1)))
    flood = rng.random((SENSORS, DAYS)) < hard.floods
    subject = rng.integers(SUBJECTS, size=(SENSORS, DAYS))
    for row in range(SUBJECTS):
        mean[row][flood & (subject == row)] *= 8
    counts = rng.poisson(mean)
    return _panel(counts, rng.poisson(3 * up), tuple(map(tuple, relays))), truth


def known_exposure(worlds: int) -> None:
    """Drift of the fit alone, on other worlds, told which sensor was up."""
    drift = []
    for seed in range(1000, 1000 + worlds):
        panel, truth = draw(seed, Hard())
        up = (panel.counts[0] + panel.ham > 0).astype(float)
        level = fit(panel.counts[0], up, base=slice(0, MONTH)).level
        drift.append(100 * np.log(100 * np.nanmean(level[-MONTH:]) / truth[-MONTH:].mean()))
    error = 1.96 * float(np.std(drift)) / np.sqrt(worlds)
    sizes = f"median {np.median(drift):+.1f} %, median size {np.median(np.abs(drift)):.1f} %"
    sys.stdout.write(f"exposure known: mean drift {np.mean(drift):+.1f} % [+-{error:.1f}], {sizes}\n")


def main() -> None:
    """One line a case."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    wanted = sys.argv[2:]
    if wanted == ["known"]:
        known_exposure(worlds)
        return
    for name, hard in CASES.items():
        if wanted and name not in wanted:
            continue
        drift, wide, narrow = [], [], []
        for seed in range(worlds):
            panel, truth = draw(seed, hard)
            days = [str(panel.days[day]) for day in (0, MONTH - 1)]
            total = measure(panel, Measuring(base_since=days[0], base_until=days[1])).series[0]
            known = np.isfinite(total.index)
            drift.append(np.log(np.nanmean(total.index[-MONTH:]) / truth[-MONTH:].mean()))
            wide.append(((total.low <= truth) & (truth <= total.high))[known].mean())
            assert total.low_90 is not None
            assert total.high_90 is not None
            narrow.append(((total.low_90 <= truth) & (truth <= total.high_90))[known].mean())
        signed, size = 100 * float(np.median(drift)), 100 * float(np.median(np.abs(drift)))
        error = 100 * 1.2533 * float(np.std(drift)) / np.sqrt(worlds)
        each = 100 * float(np.std(narrow)) / np.sqrt(worlds)
        coverage = f"{100 * np.mean(narrow):.1f} % [+-{1.96 * each:.1f}], 95 % {100 * np.mean(wide):.1f} %"
        sys.stdout.write(
            f"{name}: median drift {signed:+.1f} % [+-{1.96 * error:.1f}], median size {size:.1f} %; "
            f"90 % intervals {coverage}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
