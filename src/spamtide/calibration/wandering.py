"""Levels that go up and down over weeks: what is reported where nothing happens, and what is still found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from spamtide.calibration.alarms import YEAR, standing_alarms
from spamtide.calibration.judge import FALLS, near
from spamtide.calibration.plan import Fall, Happening, Plan, botnet_name
from spamtide.calibration.row import Row, rate, share
from spamtide.calibration.world import make_world
from spamtide.change import detect
from spamtide.series import measure

Draw = Callable[[np.random.Generator], dict[str, float]]

CASES: tuple[tuple[str, Draw], ...] = (
    ("AR(1), phi .9, sd 18 %", lambda _: {"wander": 0.18, "memory": 0.9}),
    (
        "AR(1), phi .8 to .95, sd 5 to 25 %",
        lambda rng: {"wander": float(rng.uniform(0.05, 0.25)), "memory": float(rng.uniform(0.8, 0.95))},
    ),
    ("random walk, 1 to 2 % a day", lambda rng: {"drift": float(rng.uniform(0.01, 0.02))}),
    ("seasons, 20 to 40 %", lambda rng: {"season": float(rng.uniform(0.2, 0.4))}),
)
"""How levels wander; days are uneven by sizes of 3 to 50, botnets bring 5 to 500 messages a day."""
LENGTHS = (130, 240, 365)


def wandering(worlds: int, seed: int) -> Iterator[Row]:
    """False changes by the series-year, alarms, and the power that is left for falls."""
    for number, (case, draw) in enumerate(CASES):
        yield _quiet(case, draw, worlds, [seed, 90, number])
    for number, (case, draw) in enumerate(CASES[:2]):
        yield from _falling(case, draw, max(worlds // 5, 1), [seed, 91, number])
    raised, days = 0, 0
    for world in range(max(worlds // 6, 1)):
        rng = np.random.default_rng([seed, 92, world])
        plan = _plan(rng, CASES[1][1], ())
        found, looked = standing_alarms(make_world(plan, rng).panel.counts[1 : 1 + plan.botnets].sum(axis=1))
        raised, days = raised + found, days + looked
    years = days / YEAR
    yield Row(
        "wandering levels",
        CASES[1][0],
        "false alarms a series-year",
        *rate(raised, years),
        round(years),
        "series-years",
        "<= 1",
        0.0,
        1.0,
    )


def _plan(rng: np.random.Generator, draw: Draw, happenings: tuple[Happening, ...], days: int = 240) -> Plan:
    """An observatory of a dozen botnets whose levels wander."""
    how = draw(rng)
    return Plan(
        days=days,
        sensors=6,
        botnets=12,
        volume=float(np.exp(rng.uniform(np.log(300), np.log(1500)))),
        size=float(np.exp(rng.uniform(np.log(3), np.log(50)))),
        drift=how.get("drift", 0.0),
        wander=how.get("wander", 0.0),
        memory=how.get("memory", 0.9),
        season=how.get("season", 0.0),
        happenings=happenings,
    )


def _quiet(case: str, draw: Draw, worlds: int, key: list[int]) -> Row:
    """Reports where nothing happens."""
    false, years = 0, 0.0
    for world in range(worlds):
        rng = np.random.default_rng([*key, world])
        made = make_world(_plan(rng, draw, (), int(rng.choice(LENGTHS))), rng)
        false += sum(c.subject_kind != "sensor" for c in detect(measure(made.panel), whole=True))
        years += sum(level.any() for level in made.level.values()) * made.plan.days / YEAR
    return Row(
        "wandering levels",
        case,
        "false changes a series-year",
        *rate(false, years),
        round(years),
        "series-years",
        "< .05",
        0.0,
        0.05,
    )


def _falling(case: str, draw: Draw, worlds: int, key: list[int]) -> Iterator[Row]:
    """How many falls are found among levels that wander."""
    for left, named in ((0.0, "stops found"), (0.5, "falls to 50 % found")):
        hits: list[bool] = []
        for world in range(worlds):
            rng = np.random.default_rng([*key, round(100 * left), world])
            falls = tuple(Fall(b, int(rng.integers(80, 200)), 2, left) for b in (0, 2, 4, 6))
            made = make_world(_plan(rng, draw, falls), rng)
            told = detect(measure(made.panel), whole=True)
            for fall in falls:
                mine = [c for c in told if c.kind in FALLS and c.subject == botnet_name(fall.botnet)]
                hits.append(any(near(c, made.plan.date(fall.onset)) for c in mine))
        yield Row("wandering levels", case, named, *share(hits), len(hits), "falls")
