"""Make the panel of a made-up observatory, and what is true in it.

    mean  = level x story x weekday x holiday x drift, wander, season x day's noise x mix x sensor size
            x affinity x the sensor's own noise x exposure
    count ~ Poisson(mean)

None of the noises is the one that is fitted: the days of a botnet, which all sensors share, vary as gamma,
log-normal, AR(1) or heavy-tailed factors; a sensor's days have a log-normal factor of their own, the mix of
programmes an AR(1) wander of its log ratios.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from spamtide.calibration.plan import (
    NOISES,
    START,
    Away,
    Begin,
    Burst,
    Fall,
    Filter,
    Grow,
    Join,
    Plan,
    Rename,
    Turn,
    botnet_name,
    programme_name,
    sensor_name,
)
from spamtide.model import UNKNOWN, Counts, Floats, Panel, SubjectKind

HOLIDAYS = ((4, 7), (4, 9), (4, 10), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31), (1, 1))
"""Month and day of the days off; all senders send less on them."""
HOLIDAY_FACTOR = (0.45, 0.9)
MEMORY = 0.5
"""AR(1) coefficient of correlated noise and of mixes."""
SENSOR_NOISE = 0.15
"""Standard deviation of a sensor's own day, on the log scale."""
MIX_NOISE = 0.15
"""Standard deviation of a day's log ratio of programmes."""
TAIL_FREEDOM = 4
"""Degrees of freedom of the t-distributed log factors of heavy-tailed noise."""
MIXES = (0.6, 0.25, 0.15)
WILDEST = 1.1
"""Log factor at which wild days are cut: a day of three times the usual mail is a flood, not noise."""
HAM_A_DAY = (10.0, 60.0)
SHRINK = 0.67
"""Each botnet's size against the one before, where they are not even."""
SATURDAY = 5
YEAR = 365.25

Subject = tuple[SubjectKind, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up observatory and its truth."""

    plan: Plan
    panel: Panel
    level: dict[Subject, Floats]
    """Subject -> level by day without noise, weekdays, holidays, drift or sensors."""
    sent: Floats
    """Messages a day that all sensors together should see of all mail, noise and weekdays and all."""
    shares: dict[str, Floats]
    """Botnet -> share of each programme by day without noise, shape (programmes, days)."""
    floods: tuple[Burst, ...]
    outages: tuple[Away, ...]


def make_world(plan: Plan, rng: np.random.Generator) -> Made:
    """Draw one observatory."""
    floods, outages = _floods(plan, rng), _outages(plan, rng)
    names = [*(botnet_name(b) for b in range(plan.botnets)), UNKNOWN]
    story = _story(plan, floods)
    base = _levels(plan)
    mixes = _mixes(plan)
    growth = np.ones_like(mixes)
    for grow in _of(plan, Grow):
        growth[grow.botnet, _second(plan, grow.botnet), grow.onset :] = grow.factor
    rate = base[:, None] * story * _weekdays(plan, rng, len(names))
    rate *= _wander(plan, rng, len(names)) * _days_off(plan, rng)
    exposure = _exposure(plan, outages)
    own = np.exp(rng.normal(0, SENSOR_NOISE, exposure.shape) - SENSOR_NOISE**2 / 2)
    seen = _reach(plan, rng, len(names))[:, :, None] * (exposure * own)
    for fall in _of(plan, Fall):
        if fall.only:
            seen[fall.botnet, list(fall.only)] *= _fall(fall, plan.days)
    # Axes: botnet, programme, sensor, day.
    counts = rng.poisson((rate[:, None] * _noisy(mixes, rng) * growth)[:, :, None] * seen[:, None])
    for rename in _of(plan, Rename):
        gone = rng.binomial(
            counts[rename.botnet], rename.part * _ramp(plan.days, rename.onset, rename.length)
        )
        counts[rename.botnet] -= gone
        counts[-1, -1] += gone.sum(axis=0)  # the template named the programme, too
    panel = _panel(plan, counts, names, _others(plan, exposure, rng))
    return Made(
        plan,
        panel,
        _truth(plan, base, story, mixes * growth, names),
        rate.sum(axis=0),
        dict(zip(names, mixes, strict=True)),
        floods,
        outages,
    )


def truncated(panel: Panel, days: int) -> Panel:
    """The panel as it was after its first `days` days."""
    names = [
        n for n, kind in enumerate(panel.subjects) if panel.counts[n, :, :days].any() or kind[0] == "total"
    ]
    alive = panel.counts[0, :, :days].any(axis=1) | panel.ham[:, :days].any(axis=1)
    sensors = np.flatnonzero(alive)
    return Panel(
        days=panel.days[:days],
        sensors=tuple(panel.sensors[s] for s in sensors),
        subjects=tuple(panel.subjects[n] for n in names),
        counts=panel.counts[names][:, sensors, :days],
        ham=panel.ham[sensors, :days],
        relays=tuple(panel.relays[s][:days] for s in sensors),
        pairs={pair: count[:days] for pair, count in panel.pairs.items() if count[:days].any()},
    )


def _of(plan: Plan, kind: type[T]) -> list[T]:
    """Happenings of one kind."""
    return [item for item in plan.happenings if isinstance(item, kind)]


def _ramp(n: int, onset: int, length: int) -> Floats:
    """0 before the onset, 1 from the last day of the ramp on."""
    ramp: Floats = np.clip((np.arange(n) - onset + 1) / max(length, 1), 0, 1)
    return ramp


def _fall(fall: Fall, n: int) -> Floats:
    """Multiplier of a fall or rise."""
    multiplier = 1 + (fall.to - 1) * _ramp(n, fall.onset, fall.length)
    if fall.until is not None:
        multiplier[fall.until :] = 1
    return np.asarray(multiplier)


def _story(plan: Plan, floods: tuple[Burst, ...]) -> Floats:
    """Multiplier of each botnet by day, shape (botnets + 1, days)."""
    story = np.ones((plan.botnets + 1, plan.days))
    for fall in _of(plan, Fall):
        if not fall.only:
            story[fall.botnet] *= _fall(fall, plan.days)
    for begin in _of(plan, Begin):
        story[begin.botnet, : begin.onset] = 0
    for burst in (*floods, *_of(plan, Burst)):
        story[burst.botnet, burst.onset : burst.onset + burst.length] *= burst.factor
    return story


def _floods(plan: Plan, rng: np.random.Generator) -> tuple[Burst, ...]:
    """One-day floods at random."""
    number = rng.poisson(plan.floods * plan.botnets * plan.days / YEAR)
    return tuple(
        Burst(int(rng.integers(plan.botnets)), int(rng.integers(plan.days)), 1, float(rng.uniform(4, 10)))
        for _ in range(number)
    )


def _outages(plan: Plan, rng: np.random.Generator) -> tuple[Away, ...]:
    """Outages at random."""
    number = rng.poisson(plan.faults * plan.sensors * plan.days / YEAR)
    return tuple(
        Away(int(rng.integers(plan.sensors)), int(rng.integers(plan.days)), int(rng.integers(1, 10)))
        for _ in range(number)
    )


def _levels(plan: Plan) -> Floats:
    """Messages a day of each botnet, the unknown last."""
    sizes = np.ones(plan.botnets) if plan.even else np.maximum(SHRINK ** np.arange(plan.botnets), 0.02)
    named = (1 - plan.unknown) * sizes / sizes.sum()
    return np.asarray(plan.volume * np.append(named, plan.unknown))


def _second(plan: Plan, botnet: int) -> int:
    """Column of a botnet's second programme."""
    return (botnet + 1) % plan.programmes


def _mixes(plan: Plan) -> Floats:
    """Share of each programme by botnet and day, shape (botnets + 1, programmes + 1, days)."""
    mixes = np.zeros((plan.botnets + 1, plan.programmes + 1, plan.days))
    for b in range(plan.botnets):
        for place, share in enumerate(MIXES[: plan.programmes]):
            mixes[b, (b + place) % plan.programmes] = share * 0.95
        mixes[b, -1] = 1 - mixes[b, :-1].sum(axis=0)
    mixes[-1] = 0.3 / plan.programmes
    mixes[-1, -1] = 0.7
    for turn in _of(plan, Turn):
        moved = turn.points * _ramp(plan.days, turn.onset, turn.length)
        mixes[turn.botnet, turn.botnet % plan.programmes] -= moved
        mixes[turn.botnet, _second(plan, turn.botnet)] += moved
    return mixes


def _noisy(mixes: Floats, rng: np.random.Generator) -> Floats:
    """Mixes whose log ratios wander by the day."""
    wander = _correlated(rng, mixes.shape, MIX_NOISE)
    noisy = mixes * np.exp(wander)
    return np.asarray(noisy * mixes.sum(axis=1, keepdims=True) / noisy.sum(axis=1, keepdims=True))


def _correlated(
    rng: np.random.Generator, shape: tuple[int, ...], spread: float, memory: float = MEMORY
) -> Floats:
    """AR(1) noise of a given standard deviation along the last axis."""
    from scipy.signal import lfilter

    steps = rng.normal(0, spread * np.sqrt(1 - memory**2), shape)
    steps[..., 0] = rng.normal(0, spread, shape[:-1])
    return np.asarray(lfilter([1.0], [1.0, -memory], steps, axis=-1))


def _weekdays(plan: Plan, rng: np.random.Generator, botnets: int) -> Floats:
    """Weekday wave of each botnet, mean 1."""
    amplitude = rng.uniform(0.1, 0.4, botnets) if plan.wave is None else np.full(botnets, plan.wave)
    phase = rng.integers(7, size=botnets)
    angle = 2 * np.pi * (np.arange(7)[None] - phase[:, None]) / 7
    week = np.exp(amplitude[:, None] * np.cos(angle) + rng.normal(0, 0.05, angle.shape))
    week /= week.mean(axis=1, keepdims=True)
    return np.asarray(week[:, np.arange(plan.days) % 7])


def _days_off(plan: Plan, rng: np.random.Generator) -> Floats:
    """Factor of each day on all mail: holidays below 1."""
    factor = np.ones(plan.days)
    for day in range(plan.days if plan.holidays else 0):
        date = plan.date(day)
        if (date.month, date.day) in HOLIDAYS:
            factor[day] = rng.uniform(*HOLIDAY_FACTOR)
    return factor


def _wander(plan: Plan, rng: np.random.Generator, botnets: int) -> Floats:
    """Drift and the noise of the day that all sensors share, by botnet."""
    shape = (botnets, plan.days)
    drift = np.exp(np.cumsum(rng.normal(0, plan.drift, shape), axis=1))
    if plan.wander or plan.season:
        year = 2 * np.pi * (np.arange(plan.days)[None] / YEAR + rng.random((botnets, 1)))
        wave = _correlated(rng, shape, plan.wander, plan.memory) + plan.season * np.sin(year)
        drift *= np.exp(wave)
    size = rng.uniform(5, 30, botnets)[:, None] if plan.size is None else np.full((botnets, 1), plan.size)
    spread = np.sqrt(np.log1p(1 / size))
    noise = np.empty(shape)
    for b in range(botnets):
        kind = str(rng.choice(NOISES)) if plan.noise == "any" else plan.noise
        s = float(spread[b, 0])
        if kind == "gamma":
            noise[b] = rng.gamma(1 / s**2, s**2, plan.days)
        elif kind == "lognormal":
            noise[b] = np.exp(rng.normal(0, s, plan.days) - s**2 / 2)
        elif kind == "correlated":
            noise[b] = np.exp(_correlated(rng, (plan.days,), s) - s**2 / 2)
        else:
            scale = s / np.sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2))
            noise[b] = np.exp(np.clip(scale * rng.standard_t(TAIL_FREEDOM, plan.days), -WILDEST, WILDEST))
    return np.asarray(drift * noise)


def _exposure(plan: Plan, outages: tuple[Away, ...]) -> Floats:
    """What each sensor sees of its usual mail, by day."""
    exposure = np.ones((plan.sensors, plan.days))
    for away in (*outages, *_of(plan, Away)):
        exposure[away.sensor, away.onset : None if away.length is None else away.onset + away.length] = 0
    for change in _of(plan, Filter):
        exposure[change.sensor, change.onset :] *= change.factor
    for join in _of(plan, Join):
        exposure[join.sensor, : join.onset] = 0
    return exposure


def _reach(plan: Plan, rng: np.random.Generator, botnets: int) -> Floats:
    """Share of each botnet's mail that comes to each sensor; a joining one is ten times the others' mean."""
    sizes = np.exp(rng.normal(0, plan.spread, plan.sensors))
    joins = sorted({join.sensor for join in _of(plan, Join)})
    stays = [s for s in range(plan.sensors) if s not in joins]
    sizes /= sizes[stays].sum()
    sizes[joins] = 10 / len(stays)
    return np.asarray(sizes * np.exp(rng.normal(0, plan.affinity, (botnets, plan.sensors))))


def _others(plan: Plan, exposure: Floats, rng: np.random.Generator) -> Counts:
    """Other mail of the sensors that have any; a filter for spam leaves it alone."""
    level = np.where(rng.random(plan.sensors) < plan.ham, rng.uniform(*HAM_A_DAY, plan.sensors), 0.0)
    week = np.where(np.arange(plan.days) % 7 >= SATURDAY, 0.4, 1.0)
    ham: Counts = rng.poisson(level[:, None] * week * (exposure > 0))
    return ham


def _panel(plan: Plan, counts: Counts, names: list[str], ham: Counts) -> Panel:
    """Lay the counts out as the store does."""
    if plan.gaps:
        gone = np.random.default_rng(counts.sum()).random(plan.days) < plan.gaps
        counts[..., gone], ham[:, gone] = 0, 0
    columns = [*(programme_name(p) for p in range(plan.programmes)), UNKNOWN]
    subjects: list[Subject] = [("total", "total")]
    subjects += [("botnet", name) for name in names]
    subjects += [("programme", name) for name in columns]
    relays = [["mx.example"] * plan.days for _ in range(plan.sensors)]
    for change in _of(plan, Filter):
        if change.relay:
            relays[change.sensor][change.onset :] = ["gate.example"] * (plan.days - change.onset)
    mail = counts.sum(axis=(0, 1)) + ham
    by_programme = counts.sum(axis=2)
    return Panel(
        days=np.datetime64(START) + np.arange(plan.days),
        sensors=tuple(sensor_name(s) for s in range(plan.sensors)),
        subjects=tuple(subjects),
        counts=np.concatenate((counts.sum(axis=(0, 1))[None], counts.sum(axis=1), counts.sum(axis=0))),
        ham=ham,
        relays=tuple(
            tuple(name if seen else "" for name, seen in zip(names_, row, strict=True))
            for names_, row in zip(relays, mail > 0, strict=True)
        ),
        pairs={
            (name, column): by_programme[i, j]
            for i, name in enumerate(names)
            for j, column in enumerate(columns)
            if by_programme[i, j].any()
        },
    )


def _truth(plan: Plan, base: Floats, story: Floats, mixes: Floats, names: list[str]) -> dict[Subject, Floats]:
    """Level of every subject by day, without noise."""
    level = base[:, None, None] * story[:, None] * mixes
    for rename in _of(plan, Rename):
        gone = level[rename.botnet] * rename.part * _ramp(plan.days, rename.onset, rename.length)
        level[rename.botnet] -= gone
        level[-1, -1] += gone.sum(axis=0)
    for fall in _of(plan, Fall):
        if fall.only:
            level[fall.botnet] *= (1 + _fall(fall, plan.days) * len(fall.only) / plan.sensors) / 2
    truth: dict[Subject, Floats] = {("total", "total"): level.sum(axis=(0, 1))}
    truth |= {("botnet", name): level[b].sum(axis=0) for b, name in enumerate(names)}
    for p in range(plan.programmes):
        truth["programme", programme_name(p)] = level[:, p].sum(axis=0)
    truth["programme", UNKNOWN] = level[:, -1].sum(axis=0)
    return truth


def day_number(plan: Plan, date: dt.date) -> int:
    """The number of a day."""
    return (date - plan.date(0)).days
