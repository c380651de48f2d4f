"""The study of faults that take some senders from a sensor: what is called, and what is blamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from spamtide.calibration.judge import FALLS, near
from spamtide.calibration.plan import Fall, Happening, Plan, botnet_name, sensor_name
from spamtide.calibration.row import Row, mean, median, rate, share
from spamtide.calibration.world import Made, make_world
from spamtide.change import detect
from spamtide.model import Change, Measurement
from spamtide.series import measure

DAYS, ONSET, BOTNETS, SENSORS = 140, 100, 8, 8
YEAR = 365.25
LEFT = {"filter": 0.03, "greylisting": 0.12, "blocklist": 0.05}
"""Share of a sender's mail that such a fault lets through."""
NEAR, PERIOD = 7, 28
"""Days between a fault and its call; days at either end that the index is compared over."""


@dataclass(slots=True)
class _Score:
    """What came of the worlds of one case."""

    called: list[bool] = field(default_factory=list)
    blamed: list[float] = field(default_factory=list)
    bias: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)


def faults(worlds: int, seed: int) -> Iterator[Row]:
    """Faults of one sensor that touch some senders, falls that are the botnet's own, and nothing at all."""
    scores: dict[str, _Score] = {}
    for world in range(worlds):
        rng = np.random.default_rng([seed, 70, world])
        sensor, hit = int(rng.integers(SENSORS)), [int(b) for b in rng.permutation(BOTNETS)]
        onset = ONSET + int(rng.integers(7))
        for case, happenings in _cases(sensor, hit, onset, rng).items():
            plan = Plan(
                days=DAYS, sensors=SENSORS, botnets=BOTNETS, volume=500.0, even=True, happenings=happenings
            )
            made = make_world(plan, np.random.default_rng([seed, 71, world]))
            measured = measure(made.panel)
            told = detect(measured, whole=True)
            score = scores.setdefault(case, _Score())
            score.bias.append(_bias(made, measured))
            if "sensor" in case:
                _of_fault(score, told, plan, sensor, onset)
            else:
                _of_botnet(score, told, plan, hit[0], onset)
    yield from _rows(scores)
    yield from _of_nothing(worlds, seed)


def _cases(
    sensor: int, hit: Sequence[int], onset: int, rng: np.random.Generator
) -> dict[str, tuple[Happening, ...]]:
    """What happens, by case."""
    several = int(rng.integers(2, 5))
    uneven = tuple(int(s) for s in rng.permutation(SENSORS)[:3])
    length = int(rng.integers(1, 4))
    return {
        "a filter on one botnet at one sensor": (Fall(hit[0], onset, 1, LEFT["filter"], only=(sensor,)),),
        "greylisting at one sensor": tuple(
            Fall(b, onset, 1, LEFT["greylisting"], only=(sensor,)) for b in hit[: BOTNETS - 2]
        ),
        "a blocklist at one sensor": tuple(
            Fall(b, onset, 1, LEFT["blocklist"], only=(sensor,)) for b in hit[:several]
        ),
        "a botnet falls, at three of eight more than at the others": (
            Fall(hit[0], onset, length, 0.4),
            Fall(hit[0], onset, length, 0.3, only=uneven),
        ),
    }


def _of_fault(score: _Score, told: Sequence[Change], plan: Plan, sensor: int, onset: int) -> None:
    """Whether a fault was called as the sensor's, and what it was called beside."""
    calls = [c for c in told if c.kind == "sensor-change" and c.subject == sensor_name(sensor)]
    calls = [c for c in calls if near(c, plan.date(onset), NEAR)]
    score.called.append(bool(calls))
    score.off += [float(abs((c.onset - plan.date(onset)).days)) for c in calls[:1]]
    fell = {(c.subject_kind, c.subject) for c in told if c.kind in FALLS and near(c, plan.date(onset), NEAR)}
    score.blamed.append(float(len(fell)))


def _of_botnet(score: _Score, told: Sequence[Change], plan: Plan, botnet: int, onset: int) -> None:
    """Whether a botnet's own fall was called as its own, and how many sensors were blamed."""
    own = [c for c in told if c.kind in FALLS and c.subject == botnet_name(botnet)]
    own = [c for c in own if near(c, plan.date(onset), NEAR)]
    score.called.append(bool(own))
    score.off += [float(abs((c.onset - plan.date(onset)).days)) for c in own[:1]]
    score.blamed.append(
        float(sum(c.kind == "sensor-change" and near(c, plan.date(onset), NEAR) for c in told))
    )


def _bias(made: Made, measured: Measurement) -> float:
    """By how much the index of the last weeks lies off what was sent, against the first ones."""
    total = next(one for one in measured.series if one.subject_kind == "total")
    index = total.index[-PERIOD:].mean() / total.index[:PERIOD].mean()
    return float(index / (made.sent[-PERIOD:].mean() / made.sent[:PERIOD].mean()) - 1)


def _rows(scores: dict[str, _Score]) -> Iterator[Row]:
    """The rows of all cases."""
    for case, score in scores.items():
        fault = "sensor" in case
        who = "sensor's" if fault else "botnet's"
        n = len(score.called)
        yield Row("partial faults", case, f"called as the {who}", *share(score.called), n, "worlds")
        yield Row("partial faults", case, "days off", *mean(score.off), len(score.off), "calls")
        blamed = "botnets and programmes that fell by it" if fault else "sensors blamed"
        yield Row("partial faults", case, blamed, *mean(score.blamed), n, "worlds")
        yield Row("partial faults", case, "the index lies off by (median)", *median(score.bias), n, "worlds")


def _of_nothing(worlds: int, seed: int) -> Iterator[Row]:
    """Sensors of which a fault is called where there is none: in steady worlds, and in drifting ones."""
    for number, (case, drift) in enumerate(
        (("no fault, steady", 0.0), ("no fault, drifting 2 % a day", 0.02))
    ):
        calls = years = 0.0
        for world in range(max(worlds // 2, 1)):
            plan = Plan(days=365, sensors=12, botnets=12, volume=800.0, drift=drift, floods=0.2)
            made = make_world(plan, np.random.default_rng([seed, 72 + number, world]))
            calls += sum(bool(one.subjects) for one in measure(made.panel).exposure.outages)
            years += plan.sensors * plan.days / YEAR
        told = rate(int(calls), years)
        yield Row("partial faults", case, "false calls a sensor-year", *told, round(years), "sensor-years")
