"""Simulated observatories with known truth: sensors come and go, botnets cease, switch or lose their name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from spamtide.change.moves.event import Event
from spamtide.model import Exposure, IndexSeries, Measurement, Outage, Panel

START = np.datetime64("2024-01-01")
PROGRAMMES = ("acorn-pills", "birch-casino", "cedar-watches", "unknown")


def date(day: int) -> dt.date:
    """A day number as a date."""
    return (START + np.timedelta64(day, "D")).astype(dt.date)


FALL = Event(
    kind="fall",
    onset=date(40),
    onset_low=date(38),
    onset_high=date(41),
    end=date(41),
    end_low=date(40),
    end_high=date(42),
    before=12.0,
    after=4.0,
    since=date(0),
    until=date(55),
    gain=60.0,
    p_value=1e-6,
    peak_before=0.0,
    silent_before=False,
    step=1,
)
"""A fall that is settled."""


@dataclass(frozen=True)
class Setting:
    """One observatory. Days are numbers from 0; `None` means that it does not happen."""

    days: int = 120
    sensors: int = 6
    botnets: int = 5
    volume: float = 200.0
    """Messages a day of all botnets together, the unattributed included."""
    size: float = 10.0
    drift: float = 0.0
    cease: tuple[int, int] | None = None
    """(onset, length) of the fall of botnet b0 to nothing."""
    switch: tuple[int, int, float] | None = None
    """(onset, length, share) of botnet b1's mail that goes over from the first to the second programme."""
    grow: tuple[int, float] | None = None
    """(onset, factor) by which botnet b1's mail for the second programme grows, all else the same."""
    lose_name: tuple[int, int] | None = None
    """(onset, length) in which botnet b2's mail becomes unknown."""
    new: int | None = None
    """First day of botnet b3."""
    surge: tuple[int, int, float] | None = None
    """(onset, length, factor) of a burst of botnet b4."""
    quiet: tuple[int, int] | None = None
    """(onset, length) of a pause of botnet b4."""
    joins: int | None = None
    """First day of the last sensor."""
    leaves: int | None = None
    """First day without the second sensor."""
    lost: tuple[int, int] | None = None
    """(first day, days) in which the first sensor is down."""
    poor: tuple[int, int, float] | None = None
    """(onset, days, factor) of a stretch in which all botnets send less."""
    changed: int | None = None
    """First day on which all sensors are filtered to a twentieth."""
    mixing: float = 50.0
    """Dirichlet concentration of each botnet's daily programme mix."""


def make(rng: np.random.Generator, setting: Setting) -> Measurement:
    """Simulate one observatory and measure it with the exposure that it really had."""
    n, s = setting.days, setting.sensors
    names = [*(f"b{i}" for i in range(setting.botnets)), "unknown"]
    share = np.array([0.3, 0.25, 0.2, 0.15, 0.1, *([0.1] * max(0, setting.botnets - 5))])[: setting.botnets]
    level = setting.volume * np.append(share * 0.9 / share.sum(), 0.1)
    exposure, outages = _sensors(setting)
    reach = rng.dirichlet(np.full(s, 5.0), size=len(names))
    weekday = np.exp(rng.uniform(0.1, 0.3) * np.cos(2 * np.pi * (np.arange(7) - rng.integers(7)) / 7))
    weekday *= 7 / weekday.sum()
    path = level[:, None] * np.exp(np.cumsum(rng.normal(0, setting.drift, (len(names), n)), axis=1))
    path = path * weekday[np.arange(n) % 7] * _history(setting, len(names))
    rate = path * rng.gamma(setting.size, 1 / setting.size, path.shape)
    mixes = _mixes(rng, setting, len(names))
    # Axes: botnet, programme, sensor, day.
    mean = rate[:, None, None, :] * mixes[:, :, None, :] * reach[:, None, :, None] * exposure[None, None]
    counts = rng.poisson(mean)
    if setting.lose_name:
        fade = _ramp(n, *setting.lose_name)
        kept = rng.binomial(counts[2], 1 - fade)
        counts[-1] += counts[2] - kept
        counts[2] = kept
    return _measure(counts, names, reach, exposure, outages)


def _history(setting: Setting, botnets: int) -> np.ndarray:
    """Multiplier of each botnet's level by day."""
    history = np.ones((botnets, setting.days))
    if setting.cease:
        history[0] *= 1 - _ramp(setting.days, *setting.cease)
    if setting.new is not None:
        history[3, : setting.new] = 0
    if setting.surge:
        onset, length, factor = setting.surge
        history[4, onset : onset + length] *= factor
    if setting.quiet:
        onset, length = setting.quiet
        history[4, onset : onset + length] = 0
    if setting.poor:
        onset, length, factor = setting.poor
        history[:, onset : onset + length] *= factor
    return history


def _ramp(n: int, onset: int, length: int) -> np.ndarray:
    """0 before the onset, 1 from the last day of the ramp on."""
    return np.clip((np.arange(n) - onset + 1) / length, 0, 1)


def _mixes(rng: np.random.Generator, setting: Setting, botnets: int) -> np.ndarray:
    """Shares of programmes by botnet and day."""
    n = setting.days
    mixes = np.zeros((botnets, len(PROGRAMMES), n))
    for b in range(botnets):
        base = np.roll(np.array([0.6, 0.2, 0.15]), b)
        mixes[b] = np.append(base * 0.95 / base.sum(), 0.05)[:, None]
    mixes[1] = np.array([0.7, 0.1, 0.15, 0.05])[:, None]
    if setting.switch:
        onset, length, part = setting.switch
        moved = part * _ramp(n, onset, length)
        mixes[1, 0] -= moved
        mixes[1, 1] += moved
    noisy = rng.gamma(np.maximum(mixes * setting.mixing, 1e-6))
    noisy /= noisy.sum(axis=1, keepdims=True)
    if setting.grow:
        onset, factor = setting.grow
        noisy[1, 1, onset:] *= factor
    return noisy


def _sensors(setting: Setting) -> tuple[np.ndarray, tuple[Outage, ...]]:
    """Exposure by sensor and day, and the outages that it comes from."""
    exposure = np.ones((setting.sensors, setting.days))
    outages = []
    if setting.joins:
        exposure[-1, : setting.joins] = 0
        outages.append(
            Outage(f"s{setting.sensors - 1}", date(0), date(setting.joins - 1), "absent", "joined")
        )
    if setting.leaves:
        exposure[1, setting.leaves :] = 0
        outages.append(Outage("s1", date(setting.leaves), None, "absent", "left"))
    if setting.lost:
        first, length = setting.lost
        exposure[0, first : first + length] = 0
        outages.append(Outage("s0", date(first), date(first + length - 1), "down", "no mail at all"))
    if setting.changed:
        exposure[:, setting.changed :] *= 0.05
        outages += [
            Outage(f"s{i}", date(setting.changed), None, "changed", "relay moved")
            for i in range(setting.sensors)
        ]
    return exposure, tuple(outages)


def _measure(
    counts: np.ndarray, names: list[str], reach: np.ndarray, exposure: np.ndarray, outages: tuple[Outage, ...]
) -> Measurement:
    """Put panel, exposure and series together."""
    n = counts.shape[-1]
    days = START + np.arange(n, dtype="m8[D]")
    sensors = tuple(f"s{i}" for i in range(exposure.shape[0]))
    subjects = (
        ("total", "total"),
        *(("botnet", name) for name in names),
        *(("programme", name) for name in PROGRAMMES),
    )
    table = np.concatenate((counts.sum(axis=(0, 1))[None], counts.sum(axis=1), counts.sum(axis=0)))
    panel = Panel(
        days=days,
        sensors=sensors,
        subjects=subjects,
        counts=table,
        ham=np.zeros(exposure.shape, dtype=np.int64),
        relays=tuple(tuple("" for _ in range(n)) for _ in sensors),
        pairs={
            (name, programme): counts[i, j].sum(axis=0)
            for i, name in enumerate(names)
            for j, programme in enumerate(PROGRAMMES)
        },
    )
    # Reach by subject, as a fitted sensor effect would have it (a day all sensors were up, or the mean).
    series = []
    for row, (kind, name) in enumerate(subjects):
        seen = table[row]
        effect = seen.sum(axis=1) / np.maximum(exposure.sum(axis=1), 1)
        if kind == "botnet":
            effect = reach[names.index(name)]
        offset = (effect[:, None] * exposure).sum(axis=0)
        total = seen.sum(axis=0)
        if total.sum() < 30:
            continue
        series.append(
            IndexSeries(
                kind, name, days, total, total.astype(float), total * 0.8, total * 1.2, "", offset, 0.1, 0.0
            )
        )
    return Measurement(panel, Exposure(exposure, outages), tuple(series))
