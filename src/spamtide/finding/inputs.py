"""What `state` is given and what it gives back, and one prepared look at it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from spamtide.finding.events import Event
from spamtide.finding.figures import Window, day_slice
from spamtide.finding.span import Period, total_series
from spamtide.model import (
    UNKNOWN,
    Change,
    Contribution,
    Counts,
    Floats,
    IndexSeries,
    Measurement,
    Outage,
    SubjectKind,
)
from spamtide.statement import Claim, ControlState, Gathering, Maker, Status

LONG, TWO_YEARS = 366, 92
"""Days of a period from which on no year goes without saying, the second where it reaches into another."""
MOST = 0.5
"""Share of a botnet's mail above which a programme is its main one: more than all others together."""
SAME_FAULT = 14
"""Days by which the dates of a change, and of the fault that it tells, may differ."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What the mail of the period is made of: wild spam by answer, and everything by label.

    Mail without a believable date counts too where the period is the whole span.
    """

    labels: Mapping[str, int] = field(default_factory=dict)
    """'spam' (wild), 'ham', 'lab' -> messages."""
    botnets: Mapping[str, int] = field(default_factory=dict)
    """Botnet or 'unknown' -> wild spam messages."""
    programmes: Mapping[str, int] = field(default_factory=dict)
    """Programme or 'unknown' -> wild spam messages."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over the whole observatory."""

    messages: int
    """Messages stored, of every label."""
    quarantined: int = 0
    simulated: bool = False
    """Any wild mail in it carries the simulator's mark."""
    undated: int = 0
    """Wild spam without a believable date: in no series."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A programme that a brand is published to belong to."""

    programme: str
    said_by: str
    source_url: str


Making = Callable[[str | None, Window], Sequence[Maker]]
"""(programme or None for any, days) -> the engines behind most of its mail that no botnet is named for."""


def no_makers(_programme: str | None, _window: Window) -> Sequence[Maker]:
    """Where there are counts and no messages."""
    return ()


def nothing_gathered(_window: Window) -> Gathering:
    """Where there are counts and no messages, no campaigns either."""
    return Gathering(0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class FindingInputs:
    """Everything that claims and statuses are made from."""

    measurement: Measurement
    changes: tuple[Change, ...]
    contributions: tuple[Contribution, ...]
    """Made for period.before and period.after; negative points are a fall."""
    period: Period
    composition: Composition
    totals: Totals
    events: tuple[Event, ...] = ()
    lab_last_seen: Mapping[str, dt.date] = field(default_factory=dict)
    """Family -> day of the last message of its bot in a lab."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Botnet or programme -> the name to show, then other names (aliases, the programme behind a brand)."""
    behind: Mapping[str, Sequence[Behind]] = field(default_factory=dict)
    """Programme or brand, as the panel names it -> the programmes that it is published to belong to."""
    control: Mapping[str, ControlState] = field(default_factory=dict)
    """Botnet -> what the checks of its control servers say at the end of the period."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """Table -> Delta version that was read."""
    making: Making = no_makers
    """Asked only where a sentence needs it, for it looks at messages."""
    gathering: Callable[[Window], Gathering] = nothing_gathered
    """The campaigns of some days' wild mail; looks at messages, too."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What may be said, the most important first."""

    claims: tuple[Claim, ...]
    statuses: tuple[Status, ...]
    unattributed: Status | None = None
    """What no botnet of these can be given, told as a status so that levels add up to the total's."""
    parts: tuple[Contribution, ...] = ()
    """The botnets' points of the total's change, those of names that were lost among 'unknown'."""
    names_lost: tuple[str, ...] = ()
    """Botnets whose points these are."""


class View:
    """FindingInputs with the look-ups that every claim needs. Made once by `state`, changed by nobody."""

    def __init__(self, inputs: FindingInputs) -> None:
        self.inputs = inputs
        self.measurement = inputs.measurement
        self.panel = inputs.measurement.panel
        self.period = inputs.period
        self.window: Window = (inputs.period.since, inputs.period.until)
        # Where a bulletin covers a good part of two years, or more, every day carries its own.
        since, until = inputs.period.since, inputs.period.until
        long = (until - since).days >= (LONG if since.year == until.year else TWO_YEARS)
        self.year = 0 if long else until.year
        self._position = {subject: at for at, subject in enumerate(self.panel.subjects)}
        self._series = {(s.subject_kind, s.subject): s for s in inputs.measurement.series}

    @cached_property
    def total(self) -> IndexSeries | None:
        """The total's index."""
        return total_series(self.measurement)

    @cached_property
    def botnets(self) -> tuple[str, ...]:
        """Botnets with a row in the panel or a lab, without 'unknown', in order of name."""
        named = {name for kind, name in self.panel.subjects if kind == "botnet"}
        return tuple(sorted((named | set(self.inputs.lab_last_seen)) - {UNKNOWN}))

    def series(self, kind: SubjectKind, subject: str) -> IndexSeries | None:
        """Index of one subject, where it has one."""
        return self._series.get((kind, subject))

    def by_sensor(self, kind: SubjectKind, subject: str) -> Counts:
        """Counts by sensor and day; zeros for a subject that the panel does not hold."""
        at = self._position.get((kind, subject))
        if at is None:
            return np.zeros((len(self.panel.sensors), self.panel.days.size), dtype=np.int64)
        counts: Counts = self.panel.counts[at]
        return counts

    def daily(self, kind: SubjectKind, subject: str) -> Counts:
        """Counts by day over all sensors."""
        counts: Counts = self.by_sensor(kind, subject).sum(axis=0)
        return counts

    def offset(self) -> Floats:
        """Expected messages a day at the base level, over the sensors that were up."""
        if self.total is not None and self.total.offset.size == self.panel.days.size:
            return self.total.offset
        up: Floats = self.measurement.exposure.values.sum(axis=0)
        return up

    def within(self, window: Window) -> slice:
        """Positions of a window in the panel's days."""
        return day_slice(self.panel.days, window)

    def count(self, kind: SubjectKind, subject: str, window: Window) -> int:
        """Messages of a subject in a window."""
        return int(self.daily(kind, subject)[self.within(window)].sum())

    def sensors_of(self, kind: SubjectKind, subject: str, window: Window) -> tuple[str, ...]:
        """Sensors that saw a subject in a window."""
        seen = self.by_sensor(kind, subject)[:, self.within(window)].sum(axis=1) > 0
        return tuple(name for name, has in zip(self.panel.sensors, seen, strict=True) if has)

    def name(self, subject: str) -> str:
        """The name to show of a botnet or programme."""
        known = self.inputs.names.get(subject)
        if known:
            return known[0]
        return subject[:1].upper() + subject[1:] if subject.islower() else subject

    def fault_of(self, change: Change) -> Outage | None:
        """The measurement's account of a sensor's change: its relays, and which senders it touches."""
        found = [
            one
            for one in self.measurement.exposure.outages
            if one.sensor == change.subject
            and one.kind == "changed"
            and abs((one.start - change.onset).days) <= SAME_FAULT
        ]
        return min(found, key=lambda one: abs((one.start - change.onset).days), default=None)

    def is_about(self, event: Event, subjects: Sequence[str]) -> bool:
        """Whether an event names one of these subjects, by any of its names."""
        text = _words_of(event.subject)
        names = [name for subject in subjects for name in (subject, *self.inputs.names.get(subject, ()))]
        return any(name.strip() and _words_of(name) in text for name in names)

    def programme_mix(self, botnet: str, window: Window) -> dict[str, int]:
        """Messages of a botnet by programme in a window, 'unknown' included, most first."""
        part = self.within(window)
        mix = {p: int(c[part].sum()) for (b, p), c in self.panel.pairs.items() if b == botnet}
        return dict(sorted(((p, n) for p, n in mix.items() if n), key=lambda item: (-item[1], item[0])))

    def main_programme(self, botnet: str, window: Window) -> str | None:
        """What most of a botnet's mail carried in a window, mail without a known programme among it."""
        mix = self.programme_mix(botnet, window)
        most = next(iter(mix.items()), (UNKNOWN, 0))
        return most[0] if most[0] != UNKNOWN and most[1] > MOST * sum(mix.values()) else None


def _words_of(text: str) -> str:
    """Text as words between spaces, so that a name is found as a whole and never inside another."""
    return f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text.casefold()).split())} "
