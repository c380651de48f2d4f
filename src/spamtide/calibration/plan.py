"""What happens in a made-up observatory: records that the generator reads and the scores are held against."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

START = dt.date(2023, 1, 2)
"""First day of every made-up observatory, a Monday: Easter and Christmas fall into its first year."""
NOISES = ("gamma", "lognormal", "correlated", "heavy")
"""Kinds of day-to-day noise that all sensors share, none of which is what is fitted."""

Noise = Literal["gamma", "lognormal", "correlated", "heavy", "any"]


@dataclass(frozen=True, slots=True)
class Fall:
    """A botnet's level moves by a ramp to `to` of what it was; above 1 it rises; from 0 it is new."""

    botnet: int
    onset: int
    length: int = 2
    to: float = 0.0
    until: int | None = None
    """Day from which it is back at once; None for good."""
    only: tuple[int, ...] = ()
    """Sensors that the move is seen at; all where empty."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A botnet that sends nothing before a day."""

    botnet: int
    onset: int


@dataclass(frozen=True, slots=True)
class Burst:
    """A botnet's level times `factor` for some days."""

    botnet: int
    onset: int
    length: int = 1
    factor: float = 6.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A botnet moves `points` of its mail from its first programme to its second."""

    botnet: int
    onset: int
    length: int = 2
    points: float = 0.2


@dataclass(frozen=True, slots=True)
class Grow:
    """One programme's mail from a botnet grows by a factor while nobody loses."""

    botnet: int
    onset: int
    factor: float = 4.0


@dataclass(frozen=True, slots=True)
class Rename:
    """A botnet's templates rotate: `part` of its mail becomes unknown."""

    botnet: int
    onset: int
    length: int = 1
    part: float = 1.0


@dataclass(frozen=True, slots=True)
class Away:
    """A sensor sees nothing from a day on, for `length` days or for good."""

    sensor: int
    onset: int
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A sensor sees `factor` of what it saw, from a day on; its relay may move with it."""

    sensor: int
    onset: int
    factor: float
    relay: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """A sensor that is not there before a day."""

    sensor: int
    onset: int


Happening = Fall | Begin | Burst | Turn | Grow | Rename | Away | Filter | Join


@dataclass(frozen=True, slots=True)
class Plan:
    """One made-up observatory. Days are numbers from 0."""

    days: int = 200
    sensors: int = 8
    botnets: int = 6
    programmes: int = 5
    volume: float = 300.0
    """Messages a day of all botnets and all sensors together."""
    even: bool = False
    """Whether botnets are of one size; else each is a third smaller than the one before."""
    unknown: float = 0.12
    """Share of mail that carries no name."""
    spread: float = 0.7
    """Standard deviation of the log sizes of sensors."""
    affinity: float = 0.25
    """Standard deviation, on the log scale, of what a sensor sees of a botnet beside its size."""
    noise: Noise = "any"
    size: float | None = None
    """Unevenness of days: variance of the day's factor is 1 / size; None draws it from 5 to 30."""
    drift: float = 0.0
    """Standard deviation of a day's step of the log level."""
    wander: float = 0.0
    """Standard deviation of the log level about its mean, as an AR(1)."""
    memory: float = 0.9
    """Its coefficient by the day."""
    season: float = 0.0
    """Amplitude of a yearly wave of the log level, of a phase of each botnet's own."""
    wave: float | None = None
    """Amplitude of the weekday wave on the log scale; None draws it from .1 to .4."""
    holidays: bool = True
    ham: float = 0.4
    """Share of sensors with other mail."""
    floods: float = 0.0
    """One-day floods a botnet and year, three to ten times the level."""
    faults: float = 0.0
    """Outages of one to nine days a sensor and year."""
    gaps: float = 0.0
    """Chance that a day is missing at all sensors."""
    happenings: tuple[Happening, ...] = ()

    def date(self, day: int) -> dt.date:
        """A day number as a date."""
        return START + dt.timedelta(days=day)


def botnet_name(number: int) -> str:
    """Name of a botnet."""
    return f"botnet-{number:02}"


def sensor_name(number: int) -> str:
    """Name of a sensor."""
    return f"sensor-{number:02}"


def programme_name(number: int) -> str:
    """Name of a programme."""
    return f"programme-{number:02}"
