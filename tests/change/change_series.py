"""Simulated single series with known onset and end, and the score of what is found in them.

`measure_change.py` prints the full tables; the tests run small versions.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from spamtide.change.moves.event import Event
from spamtide.change.moves.find import find_all
from spamtide.change.moves.segment import Track, prepare

START = np.datetime64("2024-01-01")
DAYS = 400


@dataclass(frozen=True)
class World:
    """One simulated series with its truth; onset and end are None where nothing happens."""

    count: np.ndarray
    offset: np.ndarray
    onset: int | None = None
    end: int | None = None

    @property
    def days(self) -> np.ndarray:
        """Consecutive days."""
        return START + np.arange(len(self.count), dtype="m8[D]")

    def date(self, day: int) -> dt.date:
        """A day number as a date."""
        return (START + np.timedelta64(day, "D")).astype(dt.date)


@dataclass(frozen=True)
class Scenario:
    """What varies between rows of the tables."""

    drift: float = 0.0
    levels: tuple[float, ...] = (20, 100, 1000, 10000)
    sizes: tuple[float, ...] = (5, 10, 30)
    happens: str = "fall"
    """fall, rise or nothing."""
    residuals: tuple[float, ...] = (0, 0.01, 0.02, 0.04)
    noise: float = 0.0
    """Standard deviation of the innovations of AR(1) log noise, coefficient .5."""
    outage: bool = False
    """Three missing days that begin 0-2 days before the onset."""
    days: int = DAYS
    missing: float = 0.02
    lengths: tuple[int, int] = (1, 4)
    """Days of the ramp, fewest and most."""


def simulate(rng: np.random.Generator, scenario: Scenario) -> World:
    """One series of section 1 of the measured recipe: level, weekdays, drift, ramp, NB noise, gaps."""
    n = scenario.days
    level, size = rng.choice(scenario.levels), rng.choice(scenario.sizes)
    amplitude, phase = rng.uniform(0.1, 0.4), rng.integers(7)
    weekday = np.exp(amplitude * np.cos(2 * np.pi * (np.arange(7) - phase) / 7) + rng.normal(0, 0.05, 7))
    weekday *= 7 / weekday.sum()
    path = level * np.exp(np.cumsum(rng.normal(0, scenario.drift, n)))
    multiplier = np.ones(n)
    onset = end = None
    if scenario.happens != "nothing":
        onset = int(rng.integers(n // 2, n - 30))
        length = int(rng.integers(scenario.lengths[0], scenario.lengths[1] + 1))
        f = rng.choice(scenario.residuals)
        u = np.arange(1, length + 1) / length
        shape = rng.integers(3)
        if shape == 0:
            ramp = 1 - u * (1 - f)
        elif shape == 1:
            ramp = np.exp(u * np.log(max(f, 0.02)))
            ramp[-1] = f
        else:
            ramp = 1 - (3 * u**2 - 2 * u**3) * (1 - f)
        multiplier[onset : onset + length] = ramp
        multiplier[onset + length :] = f
        low = 0.05 if f < 0.05 else f + 1e-9
        end = onset + int(np.argmax(ramp <= low))
        if scenario.happens == "rise":
            multiplier = multiplier[::-1].copy()
            onset, end = n - end, n - onset
    mean = path * weekday[np.arange(n) % 7] * multiplier
    if scenario.noise:
        e = np.zeros(n)
        for t in range(1, n):
            e[t] = 0.5 * e[t - 1] + rng.normal(0, scenario.noise)
        mean = mean * np.exp(e)
    rate = np.where(mean > 0, mean * rng.gamma(size, 1 / size, n), 0)
    count = rng.poisson(rate)
    seen = rng.random(n) >= scenario.missing
    if scenario.outage and onset is not None:
        begin = onset - int(rng.integers(3))
        seen[begin : begin + 3] = False
    return World(np.where(seen, count, 0), seen.astype(float), onset, end)


def find_events(track: Track, ratio: float, *, whole: bool = False) -> tuple[Event, ...]:
    """All events of one series by itself, in order of onset; the last of them may be the alarm's."""
    return find_all([track], ratio, whole=whole)[0]


def detect_in(world: World, ratio: float = 0.5) -> tuple[Event, ...]:
    """Events of one world."""
    return find_events(prepare(world.days, world.count, world.offset), ratio)


@dataclass(frozen=True)
class Score:
    """How a scenario went."""

    series: int
    found: float
    onset_error: float
    onset_bias: float
    within_one: float
    onset_cover: float
    onset_width: float
    end_error: float
    end_cover: float
    others_a_year: float

    def line(self) -> str:
        """One row of the table."""
        return (
            f"n={self.series} found {self.found:.3f} "
            f"onset MAE {self.onset_error:.2f} bias {self.onset_bias:+.2f} "
            f"within 1 d {self.within_one:.2f} cover {self.onset_cover:.3f} width {self.onset_width:.1f} "
            f"end MAE {self.end_error:.2f} cover {self.end_cover:.3f} other/yr {self.others_a_year:.3f}"
        )


def measure(scenario: Scenario, series: int, seed: int = 1, ratio: float = 0.5, alpha: float = 0.01) -> Score:
    """Simulate `series` worlds and score the events with a p-value below `alpha`."""
    rng = np.random.default_rng(seed)
    errors, covers, widths, end_errors, end_covers = [], [], [], [], []
    others, found, days = 0, 0, 0
    for _ in range(series):
        world = simulate(rng, scenario)
        days += len(world.count)
        events = [event for event in detect_in(world, ratio) if event.p_value <= alpha]
        hits = [event for event in events if event.kind == scenario.happens and _near(event, world)]
        others += len(events) - len(hits[:1])
        if not hits:
            continue
        event = hits[0]
        found += 1
        onset, end = world.date(world.onset), world.date(world.end)
        errors.append((event.onset - onset).days)
        covers.append(event.onset_low <= onset <= event.onset_high)
        widths.append((event.onset_high - event.onset_low).days + 1)
        if event.end is not None:
            end_errors.append(abs((event.end - end).days))
            end_covers.append(event.end_low <= end <= event.end_high)
    errors = np.array(errors or [np.nan])
    return Score(
        series,
        found / series,
        float(np.abs(errors).mean()),
        float(errors.mean()),
        float((np.abs(errors) <= 1).mean()),
        float(np.mean(covers or [np.nan])),
        float(np.mean(widths or [np.nan])),
        float(np.mean(end_errors or [np.nan])),
        float(np.mean(end_covers or [np.nan])),
        others / (days / 365.25),
    )


def _near(event: Event, world: World, slack: int = 10) -> bool:
    """The event's onset lies within `slack` days of the true move."""
    onset, end = world.date(world.onset), world.date(world.end)
    return onset - dt.timedelta(days=slack) <= event.onset <= end + dt.timedelta(days=slack)
