"""How many messages: the expected number for every sender, sensor and day, and the number drawn from it.

    expected = scale x level x sensor size x affinity x story x weekday x holiday x flood
               x drift x noise x exposure
    count    ~ negative binomial with that mean and the sender's size r (variance mu + mu**2 / r)

Weekday wave, drift and noise are those of a sender and the same at all sensors; the noise is an AR(1)
process. This is the simulator that change-points.md section 1 describes, with sensors added.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.simulate.stream import Streams
from spamtide.simulate.world import Sender, Sensor, World

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

AFFINITY = 0.2
"""Standard deviation, on the log scale, of what a sensor sees of a sender beside its size."""
MEMORY = 0.5
"""AR(1) coefficient of the noise."""
HAM_SIZE = 20.0
LAB_SIZE = 10.0
"""Negative binomial sizes of legitimate mail and of a lab bot's mail."""
SATURDAY = 5
HAM_WEEKEND = 0.45
"""Legitimate mail on Saturdays and Sundays, as a share of a weekday's."""


@dataclass(frozen=True, slots=True)
class Volumes:
    """Counts of a whole world. Arrays have a row for each sensor and a column for each day."""

    expected: dict[str, Floats]
    """Sender -> mean of the draw (sensors, days)."""
    spam: dict[str, Counts]
    """Sender -> messages (sensors, days)."""
    mix: dict[str, Floats]
    """Sender -> share of each programme of `Sender.mix` (days, programmes)."""
    ham: Counts
    lab: dict[str, Counts]
    """Captured sender -> messages of the lab's bot (days,)."""


def draw_volumes(world: World, streams: Streams, scale: float) -> Volumes:
    """Draw all counts of a world."""
    expected: dict[str, Floats] = {}
    spam: dict[str, Counts] = {}
    for sender in world.senders:
        common = scale * sender.level * rhythm(world, sender) * _wander(sender, len(world.days), streams)
        expected[sender.name] = np.stack(
            [
                common
                * sensor.size
                * _affinity(sender, sensor, streams)
                * story(world, sender, sensor)
                * exposure(world, sensor)
                for sensor in world.sensors
            ]
        )
        spam[sender.name] = np.stack(
            [
                _draw(row, sender.size, streams.generator("count", sender.name, sensor.name))
                for row, sensor in zip(expected[sender.name], world.sensors, strict=True)
            ]
        )
    ham = np.stack(
        [
            _draw(scale * _honest(world, sensor), HAM_SIZE, streams.generator("count", "ham", sensor.name))
            for sensor in world.sensors
        ]
    )
    lab = {
        sender.name: _draw(
            scale * _lab_rate(world, sender), LAB_SIZE, streams.generator("count", "lab", sender.name)
        )
        for sender in world.senders
        if sender.captured
    }
    mix = {sender.name: programme_mix(world, sender) for sender in world.senders}
    return Volumes(expected, spam, mix, ham, lab)


def story(world: World, sender: Sender, sensor: Sensor) -> Floats:
    """Share of its undisturbed mail that a sender sends to a sensor, by day: 1 where nothing happens."""
    share = np.ones(len(world.days))
    for decline in world.declines:
        if decline.sender == sender.name:
            start = (decline.onset - world.since).days
            stop = start + len(decline.ramp)
            share[start:stop] = decline.ramp
            share[stop:] = decline.residual.get(sensor.name, 0.0)
    for shift in world.shifts:
        if shift.sender == sender.name:
            start = (shift.onset - world.since).days
            share[start:] = shift.ramp[-1]
            share[start : start + len(shift.ramp)] = shift.ramp[: max(0, len(share) - start)]
    return share


def rhythm(world: World, sender: Sender) -> Floats:
    """Weekday wave (mean 1 over a week), holidays and floods of a sender, by day."""
    wave = np.exp(sender.amplitude * np.cos(2 * np.pi * (np.arange(7) - sender.peak) / 7))
    wave /= wave.mean()
    values = np.array([wave[day.weekday()] * world.holidays.get(day, 1.0) for day in world.days])
    for flood in world.floods:
        if flood.sender == sender.name:
            values[(flood.day - world.since).days] *= flood.factor
    return values


def exposure(world: World, sensor: Sensor) -> Floats:
    """Spam that a sensor is able to see, by day, as a share of what its size says: 0 when down or absent."""
    seen = up(world, sensor)
    for resize in sensor.resizes:
        seen[(resize.day - world.since).days :] *= resize.factor
    return seen


def up(world: World, sensor: Sensor) -> Floats:
    """1 for each day on which a sensor works, else 0."""
    joins, leaves = sensor.joins or world.since, sensor.leaves or dt.date.max
    return np.array(
        [
            float(joins <= day < leaves and not any(first <= day <= last for first, last in sensor.outages))
            for day in world.days
        ]
    )


def programme_mix(world: World, sender: Sender) -> Floats:
    """Share of each programme in a sender's mail, shape (days, programmes of `sender.mix` in its order)."""
    names = list(sender.mix)
    mix = np.tile(np.array([sender.mix[name] for name in names]), (len(world.days), 1))
    for switch in world.switches:
        if switch.sender == sender.name:
            start = (switch.onset - world.since).days
            moved = np.zeros(len(world.days))
            moved[start : start + len(switch.ramp)] = switch.ramp
            moved[start + len(switch.ramp) :] = switch.ramp[-1]
            from_column, to_column = names.index(switch.from_programme), names.index(switch.to_programme)
            amount = mix[:, from_column] * moved
            mix[:, from_column] -= amount
            mix[:, to_column] += amount
    return mix


def _lab_rate(world: World, sender: Sender) -> Floats:
    """Messages a day from the lab's bot."""
    rate = np.full(len(world.days), sender.lab)
    for decline in world.declines:
        if decline.sender == sender.name and decline.lab_stops:
            rate[(decline.lab_stops - world.since).days :] = 0.0
    for shift in world.shifts:
        if shift.sender == sender.name and shift.lab is not None:
            rate[(shift.onset - world.since).days :] = sender.lab * shift.lab
    return rate


def _honest(world: World, sensor: Sensor) -> Floats:
    """Legitimate mail that is expected at a sensor, by day; a changed filter for spam leaves it alone."""
    week = [HAM_WEEKEND if day.weekday() >= SATURDAY else 1.0 for day in world.days]
    free = [world.holidays.get(day, 1.0) for day in world.days]
    expected: Floats = sensor.ham * np.array(week) * np.array(free) * up(world, sensor)
    return expected


def _affinity(sender: Sender, sensor: Sensor, streams: Streams) -> float:
    """How much more or less of a sender a sensor sees than its size says."""
    generator = streams.generator("affinity", sender.name, sensor.name)
    return float(np.exp(AFFINITY * generator.standard_normal() - AFFINITY**2 / 2))


def _wander(sender: Sender, days: int, streams: Streams) -> Floats:
    """Drift and noise of a sender, by day, around 1."""
    generator = streams.generator("noise", sender.name)
    steps = generator.standard_normal((2, days))
    drift = np.cumsum(sender.drift * steps[0])
    noise = np.empty(days)
    value = sender.noise * steps[1, 0]
    for day in range(days):
        value = MEMORY * value + sender.noise * np.sqrt(1 - MEMORY**2) * steps[1, day] if day else value
        noise[day] = value
    factor: Floats = np.exp(drift - drift.mean() + noise - sender.noise**2 / 2)
    return factor


def _draw(mean: Floats, size: float, generator: np.random.Generator) -> Counts:
    """Draw negative binomial counts; 0 where the mean is 0."""
    return generator.negative_binomial(size, size / (size + mean)).astype(np.int64)
