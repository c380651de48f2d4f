"""Measure what docs/path/series.md states: coverage, drift under churn, faults told right.

    python tests/series/coverage.py [WORLDS]

Simulated worlds with known truth (conftest), fixed seeds; not a test, since it takes minutes.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter

import numpy as np

from conftest import World, _panel, _world
from spamtide.series import decompose, estimate, fit, measure
from spamtide.series.index import chained, naive

SIZES = (20.0, 50.0, 100.0, 200.0, 80.0)
FIRST = dt.date(2024, 1, 1)
DAYS, MONTH, AT = 224, 28, 120
BASE = slice(0, MONTH)


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def churn(rng: np.random.Generator, sensors: int) -> np.ndarray:
    """Exposure: three in ten sensors come or go each month; the last, large one joins mid-way."""
    up = np.ones((sensors, DAYS))
    state = np.ones(sensors - 1)
    for month in range(1, DAYS // MONTH):
        flip = rng.choice(sensors - 1, max(1, round(0.3 * sensors)), replace=False)
        state[flip] = 1 - state[flip]
        if not state.any():
            state[flip[0]] = 1
        up[:-1, month * MONTH : (month + 1) * MONTH] = state[:, None]
    up[-1, : DAYS // 2] = 0
    return up


def drift_under_churn(worlds: int) -> None:
    """Error of the last month's level, and coverage, when exposure must be found from the mail."""
    rows = []
    for seed in range(worlds):
        sizes = (*np.exp(np.random.default_rng(seed).normal(4, 0.8, 9)).tolist(), 0.0)
        made = _world(seed, sizes=(*sizes[:-1], 10 * float(np.mean(sizes[:-1]))), days=DAYS)
        up = churn(made.rng, 10)
        counts = made.counts() * up[None].astype(int)
        measurement = measure(_panel(counts, made.ham * up.astype(int)))
        total = measurement.series[0]
        truth = made.index(BASE)
        last = slice(DAYS - MONTH, None)
        mask = np.arange(DAYS) < MONTH
        naively = naive(counts.sum(axis=0), mask)
        chain = chained(counts.sum(axis=0), measurement.exposure.values, mask)
        known = np.isfinite(total.index)
        inside = ((total.low <= truth) & (truth <= total.high))[known].mean()
        rows.append(
            [
                np.log(np.nanmean(series[last]) / truth[last].mean())
                for series in (total.index, naively, chain)
            ]
            + [inside]
        )
    table = np.array(rows)
    for name, column in zip(("index", "naive sum", "chained"), table.T, strict=False):
        error = 1.96 * column.std() / np.sqrt(len(column))
        mean, spread = 100 * column.mean(), 100 * column.std()
        say(f"  {name}: mean error {mean:+.1f} % [+-{100 * error:.1f}], sd {spread:.1f} %")
    say(f"  daily 95 % intervals hold the truth: {table[:, 3].mean():.3f}")


def coverage(name: str, worlds: int, **settings: object) -> None:
    """Daily coverage at 95 % and 90 % with the exposure given."""
    held = []
    for seed in range(worlds):
        made: World = _world(seed, **settings)  # type: ignore[arg-type]  # settings of _world
        counts = made.counts().sum(axis=0)
        fitted = fit(counts, np.ones(counts.shape), base=BASE)
        truth = made.index(BASE) / 100
        known = np.isfinite(fitted.log_se)
        narrow = np.abs(np.log(truth[known] / fitted.level[known])) <= 1.645 * fitted.log_se[known]
        held.append((((fitted.low <= truth) & (truth <= fitted.high)).mean(), narrow.mean()))
    both = np.mean(held, axis=0)
    say(f"  {name}: {both[0]:.3f} at 95 %, {both[1]:.3f} at 90 % (log-normal)")


def contributions(worlds: int, sizes: tuple[float, ...], mix: float) -> None:
    """Coverage of the decomposition when a botnet falls and the fourth sensor joins between the periods.

    `mix` is the standard deviation of the log of a botnet's share at a sensor over its share at all.
    """
    before = (FIRST + dt.timedelta(60), FIRST + dt.timedelta(87))
    after = (FIRST + dt.timedelta(120), FIRST + dt.timedelta(147))
    held, of_total = [], []
    for seed in range(worlds):
        made = _world(seed, sizes=sizes)
        made.mean[0, :, 100:] *= 0.1
        made.mean[:] *= np.exp(made.rng.normal(0, mix, (*made.mean.shape[:2], 1)))
        counts, ham = made.counts(), made.ham.copy()
        counts[:, 3, :90] = 0
        ham[3, :90] = 0
        by_day = made.mean.sum(axis=1)
        truth = 100 * (by_day[:, 120:148].mean(axis=1) - by_day[:, 60:88].mean(axis=1))
        truth /= by_day.sum(axis=0)[BASE].mean()
        names = [f"b{row}" for row in range(len(truth) - 1)] + ["unknown"]
        wanted = dict(zip(names, truth.tolist(), strict=True))
        parts = decompose(measure(_panel(counts, ham)), before, after)
        held += [
            part.low <= wanted[part.subject] <= part.high for part in parts if part.subject_kind == "botnet"
        ]
        of_total.append(parts[0].low <= truth.sum() <= parts[0].high)
    say(f"  mix {mix}, joiner {sizes[3]:.0f} a day: botnets {np.mean(held):.3f} (n = {len(held)})")
    say(f"    total {np.mean(of_total):.3f} (n = {worlds})")


def faults(worlds: int) -> None:
    """How often each fault is told right, and nothing else with it."""
    for name, expected in (
        ("nothing", {}),
        ("one botnet stops", {}),
        ("one botnet stops at one sensor", {}),
        ("one sensor down for five days", {("down", "s3"): 1}),
        ("one sensor loses 60 %", {("changed", "s3"): 1}),
        ("one sensor loses 98 %", {("changed", "s3"): 1}),
        ("all fall with their relay", {("changed", f"s{row}"): 1 for row in range(5)}),
        ("all fall, one changed relay", {}),
        ("all change relay, nothing else", {}),
    ):
        right = 0
        for seed in range(worlds):
            made = _world(1000 + seed)
            ham = made.ham.copy()
            old, new = ("old",) * AT, ("new",) * (180 - AT)
            relays = (("same",) * 180,) * 5
            if name == "one botnet stops":
                made.mean[0, :, AT:] *= 0.02
            elif name == "one botnet stops at one sensor":
                made.mean[0, 3, AT:] *= 0.02
            elif name == "one sensor down for five days":
                made.mean[:, 3, AT : AT + 5] = 0
                ham[3, AT : AT + 5] = 0
            elif name.startswith("one sensor loses"):
                made.mean[:, 3, AT:] *= 0.4 if "60" in name else 0.02
            elif name == "all fall with their relay":
                made.mean[:, :, AT:] *= 0.05
                relays = (old + new,) * 5
            elif name == "all change relay, nothing else":
                relays = (old + new,) * 5
            elif name == "all fall, one changed relay":
                made.mean[:, :, AT:] *= 0.2
                relays = (*relays[:4], old + new)
            found = estimate(_panel(made.counts(), ham, relays)).outages
            right += Counter((outage.kind, outage.sensor) for outage in found) == expected
        say(f"  {name}: {right} of {worlds}")


def main() -> None:
    """All tables."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    say(f"{worlds} simulated worlds a row")
    say("churn: 30 % of ten sensors a month, one ten times larger joins; after 28 weeks")
    drift_under_churn(worlds)
    say("coverage, daily")
    coverage("five sensors of 20-200 a day", worlds)
    coverage("two sensors", worlds, sizes=(100.0, 100.0))
    coverage("one sensor", worlds, sizes=(100.0,))
    coverage("0.2-2 a day", worlds, sizes=(0.2, 0.3, 0.5, 1.0, 2.0))
    coverage("noise 70 %, correlation 0.6", worlds, alpha=0.5, rho=0.6)
    say("decomposition, 95 % intervals: a botnet falls, the largest sensor joins between the periods")
    contributions(worlds, SIZES, 0.0)
    contributions(worlds, SIZES, 0.3)
    contributions(worlds, (20.0, 50.0, 100.0, 600.0, 80.0), 0.3)
    say("faults")
    faults(worlds)


if __name__ == "__main__":
    main()
