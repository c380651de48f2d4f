"""The index while sensors come and go: its drift against what was truly sent, and its intervals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spamtide.calibration.plan import Away, Happening, Join, Plan
from spamtide.calibration.row import Row, mean, median, share
from spamtide.calibration.world import Made, make_world
from spamtide.model import Floats, IndexSeries
from spamtide.series import measure
from spamtide.settings import Measuring

SENSORS, MONTH, MONTHS = 10, 28, 7
LEAVING = 0.3
"""Share of sensors that leave or come back in a month."""
MOST_DRIFT = 0.02


def index(worlds: int, seed: int) -> Iterator[Row]:
    """Drift over 26 weeks, and coverage of daily 90 % intervals, with 30 % of sensors moving a month."""
    drifts: list[float] = []
    covered: list[float] = []
    for world in range(max(worlds, 2)):
        rng = np.random.default_rng([seed, 90, world])
        plan = Plan(days=MONTHS * MONTH, sensors=SENSORS, botnets=6, volume=1000.0, happenings=_moves(rng))
        made = make_world(plan, rng)
        base = Measuring(base_since=plan.date(0).isoformat(), base_until=plan.date(MONTH - 1).isoformat())
        total = next(s for s in measure(made.panel, base).series if s.subject_kind == "total")
        truth = _truth(made)
        drifts.append(float(np.nanmean(total.index[-MONTH:]) / truth[-MONTH:].mean() - 1))
        covered += _covered(total, truth)
    case = "30 % of sensors move a month, one joins ten times larger"
    yield Row(
        "index", case, "median drift over 26 weeks", *median([abs(d) for d in drifts]), len(drifts), "worlds",
        "<= .02", 0.0, MOST_DRIFT,
    )  # fmt: skip
    yield Row("index", case, "mean drift, signed", *mean(drifts), len(drifts), "worlds")
    yield Row(
        "index", case, "days covered by 90 %", *share(covered), len(covered), "days", "87-93 %", 0.87, 0.93
    )


def _moves(rng: np.random.Generator) -> tuple[Happening, ...]:
    """Each month some sensors are away, and one that is ten times larger joins in the third."""
    moves: list[Happening] = [Join(SENSORS - 1, int(rng.integers(2 * MONTH, 4 * MONTH)))]
    for month in range(1, MONTHS):
        gone = rng.choice(SENSORS - 1, round(LEAVING * SENSORS / 2), replace=False)
        moves += [Away(int(s), month * MONTH + int(rng.integers(7)), MONTH) for s in gone]
    return tuple(moves)


def _truth(made: Made) -> Floats:
    """What was truly sent by day, 100 over the first month."""
    truth: Floats = 100.0 * made.sent / made.sent[:MONTH].mean()
    return truth


def _covered(total: IndexSeries, truth: Floats) -> list[float]:
    """Whether each day's 90 % interval holds what was sent."""
    if total.low_90 is None or total.high_90 is None:
        return []
    known = np.isfinite(total.index)
    return list(((total.low_90 <= truth) & (truth <= total.high_90))[known].astype(float))
