"""What is true in a simulation: counts, dated changes, sensors, what each message really is.

Dates follow change-points.md section 1: a change's **onset** is the first day off the level before; the
**end** of a fall is the first day whose multiplier is under .05, else the first day at the new level. They
come from the world's data, without noise, so they are exact.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spamtide.simulate import control, volume
from spamtide.simulate.world import Sensor, World

NEGLIGIBLE = 0.05
"""Below this share of the level before, a sender counts as quiet."""
WORTH_NAMING = 0.2
"""A programme or the total counts as changed from this relative change on."""
NOTHING = 1e-6
"""Below this share nothing at all is left."""
SAME = 0.005
"""Two levels this close are one level."""
STILL = 1e-4
"""A daily step below which a level stands quite still: weeks of them change nothing."""
STEADY_DAYS = 5
"""A level that holds for so long is one that a programme or the total changes from and to."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrueChange:
    """One dated change. Sensor changes have a sensor as subject."""

    kind: str
    """As in model.ChangeKind; a fall under .05 is 'cease' where nothing is left, else 'decline'."""
    subject_kind: str
    subject: str
    onset: dt.date
    end: dt.date | None
    """For an outage the last silent day; None where it goes on to the end of the world."""
    ratio: float | None
    """Level after / level before, without noise."""
    from_programme: str | None = None
    to_programme: str | None = None
    derived: bool = False
    """The change follows from those of senders: a programme's or the total's."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that is true in one simulation."""

    world: str
    seed: int
    scale: float
    days: tuple[dt.date, ...]
    sensors: tuple[str, ...]
    expected: dict[str, Floats]
    """Sender -> expected spam, shape (sensors, days)."""
    spam: dict[str, Counts]
    """Sender -> spam that was written, shape (sensors, days)."""
    programmes: dict[tuple[str, str], Counts]
    """(sender, programme; '' for none) -> spam over all sensors, shape (days,)."""
    programmes_expected: dict[tuple[str, str], Floats]
    ham: Counts
    """Shape (sensors, days)."""
    lab: dict[str, Counts]
    """Captured family -> lab mail, shape (days,)."""
    changes: tuple[TrueChange, ...]
    messages: dict[str, int]
    """'spam', 'ham', 'lab' -> messages."""
    size: int
    """Bytes of all messages before compression."""


def true_changes(world: World) -> tuple[TrueChange, ...]:
    """Everything that happens in a world, by date."""
    changes = [
        *_declines(world),
        *_shifts(world),
        *_switches(world),
        *_floods(world),
        *_derived(world),
    ]
    for sensor in world.sensors:
        changes += _sensor_changes(world, sensor)
    return tuple(sorted(changes, key=lambda c: (c.onset, c.subject_kind, c.subject, c.kind)))


def sender_level(world: World, name: str) -> Floats:
    """Mail of a sender by day, 1.0 undisturbed: without noise and weekdays, with every sensor always up."""
    sender = next(item for item in world.senders if item.name == name)
    total = sum(sensor.size for sensor in world.sensors)
    level: Floats = np.sum(
        [volume.story(world, sender, sensor) * sensor.size / total for sensor in world.sensors], axis=0
    )
    return level


def _declines(world: World) -> list[TrueChange]:
    changes = []
    for decline in world.declines:
        after = float(
            sender_level(world, decline.sender)[(decline.onset - world.since).days + len(decline.ramp)]
        )
        low = next((i for i, share in enumerate(decline.ramp) if share < NEGLIGIBLE), len(decline.ramp))
        end = decline.onset + dt.timedelta(days=low)
        kind = "decline" if after > NOTHING else "cease"
        changes.append(TrueChange(kind, "botnet", decline.sender, decline.onset, end, round(after, 4)))
    return changes


def _switches(world: World) -> list[TrueChange]:
    return [
        TrueChange(
            "switch",
            "botnet",
            switch.sender,
            switch.onset,
            switch.onset + dt.timedelta(days=len(switch.ramp) - 1),
            None,
            switch.from_programme,
            switch.to_programme,
        )
        for switch in world.switches
    ]


def _floods(world: World) -> list[TrueChange]:
    return [
        TrueChange("surge", "botnet", flood.sender, flood.day, flood.day + dt.timedelta(days=1), flood.factor)
        for flood in world.floods
    ]


def _shifts(world: World) -> list[TrueChange]:
    """What each shift of a sender is, from the level before it and the level that it leads to."""
    changes = []
    for shift in world.shifts:
        level = sender_level(world, shift.sender)
        start = (shift.onset - world.since).days
        if start == 0:
            continue  # how the sender stands when the world begins
        before, after = float(level[start - 1]), shift.ramp[-1]
        ratio = after / before if before > NOTHING else None
        quiet = before * NEGLIGIBLE
        low = (i for i, share in enumerate(shift.ramp) if share < quiet)
        settled = len(shift.ramp) - 1
        end = next(low, settled) if after < quiet else settled
        changes.append(
            TrueChange(
                _kind_of(before, after, seen=bool((level[:start] > NOTHING).any())),
                "botnet",
                shift.sender,
                shift.onset,
                shift.onset + dt.timedelta(days=end),
                None if ratio is None else round(ratio, 4),
            )
        )
    return changes


def _kind_of(before: float, after: float, *, seen: bool) -> str:
    """Kind of a move between two levels of a sender, of which mail was `seen` before or not."""
    if not seen:
        return "new"
    if before < NEGLIGIBLE:
        return "resume"
    if after >= before:
        return "rise"
    return "decline" if after > NOTHING else "cease"


def _derived(world: World) -> list[TrueChange]:
    """Changes of programmes and of the total that follow from those of senders."""
    levels: dict[tuple[str, str], Floats] = {}
    total = np.zeros(len(world.days))
    for sender in world.senders:
        level = sender.level * sender_level(world, sender.name)
        total += level
        mix = volume.programme_mix(world, sender)
        for column, programme in enumerate(sender.mix):
            if programme:
                key = ("programme", programme)
                levels[key] = levels.get(key, np.zeros(len(world.days))) + level * mix[:, column]
    levels["total", "total"] = total
    changes = []
    for (kind, subject), level in levels.items():
        for last, first in _moves(level):
            before, after = float(level[last]), float(level[first])
            low = np.flatnonzero(level[last + 1 : first] < NEGLIGIBLE * before)
            end = last + 1 + int(low[0]) if after < NEGLIGIBLE * before and len(low) else first
            changes.append(
                TrueChange(
                    "rise" if after > before else "decline",
                    kind,
                    subject,
                    world.days[last + 1],
                    world.days[end],
                    round(after / before, 4),
                    derived=True,
                )
            )
    return changes


def _moves(level: Floats) -> list[tuple[int, int]]:
    """Moves worth naming: last day at the level before, first day at the level after.

    Most lie between two stretches on which no day steps off. A level that grows over weeks steps so little
    that it is all one such stretch: there, what counts is how far it is from where it stands quite still.
    """
    plateaus = _plateaus(level, SAME)
    found = [(before[1], after[0]) for before, after in pairwise(plateaus)]
    for first, last in plateaus:
        inside = level[first : last + 1]
        still = [(0, 0), *_plateaus(inside, STILL), (last - first, last - first)]
        for before, after in pairwise(still):
            off = np.abs(inside - inside[before[1]]) > SAME * inside[before[1]]
            left = np.abs(inside - inside[after[0]]) > SAME * inside[before[1]]
            if off[after[0]]:
                begun = before[1] + int(np.argmax(off[before[1] : after[0] + 1])) - 1
                settled = int(np.flatnonzero(left[: after[0]])[-1]) + 1
                found.append((first + begun, first + settled))
    return sorted(
        (last, first)
        for last, first in found
        if level[last] > NOTHING and abs(level[first] / level[last] - 1) >= WORTH_NAMING
    )


def _plateaus(level: Floats, same: float) -> list[tuple[int, int]]:
    """First and last day of each stretch of STEADY_DAYS or more without a daily step of more than `same`."""
    moves = np.flatnonzero(np.abs(np.diff(level)) > same * max(level[0], float(level.max()) * NEGLIGIBLE))
    edges = [0, *(moves + 1).tolist(), len(level)]
    runs = [(first, after - 1) for first, after in pairwise(edges)]
    return [run for run in runs if run[1] - run[0] + 1 >= STEADY_DAYS]


def _sensor_changes(world: World, sensor: Sensor) -> list[TrueChange]:
    changes = [
        TrueChange("sensor-outage", "sensor", sensor.name, first, last, 0.0) for first, last in sensor.outages
    ]
    if sensor.joins and sensor.joins > world.since:
        before = sensor.joins - dt.timedelta(days=1)
        changes.append(TrueChange("sensor-outage", "sensor", sensor.name, world.since, before, 0.0))
    if sensor.leaves and sensor.leaves <= world.until:
        changes.append(TrueChange("sensor-outage", "sensor", sensor.name, sensor.leaves, None, 0.0))
    changes += [
        TrueChange("sensor-change", "sensor", sensor.name, resize.day, resize.day, resize.factor)
        for resize in sensor.resizes
    ]
    return changes


def as_json(world: World, truth: Truth) -> dict[str, Any]:
    """Lay the truth out for truth.json. Arrays by day run along 'days'."""
    captured = {sender.name for sender in world.senders if sender.captured}
    programmes = sorted({programme for _, programme in truth.programmes})
    spam_total: Counts = np.sum(list(truth.spam.values()), axis=0)
    expected_total: Floats = np.sum(list(truth.expected.values()), axis=0)
    return {
        "simulated": True,
        "world": truth.world,
        "title": world.title,
        "seed": truth.seed,
        "scale": truth.scale,
        "since": world.since.isoformat(),
        "until": world.until.isoformat(),
        "messages": truth.messages,
        "bytes": truth.size,
        "days": [day.isoformat() for day in truth.days],
        "changes": [_plain(change) for change in truth.changes],
        "events": [_plain(event) for event in world.events],
        "sensors": {sensor.name: _sensor(world, truth, sensor) for sensor in world.sensors},
        "senders": {
            sender.name: {
                "captured": sender.name in captured,
                "answer": sender.name if sender.name in captured else "unknown",
                "kit": sender.kit,
                "control_server_checks": sender.checks[0],
                "control_server_checks_answered": sender.checks[1],
                "control_servers": control.server_count(sender),
                "control_servers_alive": control.alive_at_end(sender),
                "level_without_noise": _numbers(sender_level(world, sender.name)),
                "lab": truth.lab[sender.name].tolist() if sender.name in captured else None,
            }
            for sender in world.senders
        },
        "programmes": {
            name or "unknown": {"invented": name in world.invented, "answer": name or "unknown"}
            for name in programmes
        },
        "counts": {
            "total": _pair(expected_total.sum(axis=0), spam_total.sum(axis=0)),
            "sender": {
                name: _pair(truth.expected[name].sum(axis=0), counts.sum(axis=0))
                for name, counts in truth.spam.items()
            },
            "sender_by_sensor": {
                name: {
                    sensor: _pair(truth.expected[name][row], counts[row])
                    for row, sensor in enumerate(truth.sensors)
                }
                for name, counts in truth.spam.items()
            },
            "sender_by_programme": {
                sender: {
                    programme or "unknown": _pair(truth.programmes_expected[sender, programme], counts)
                    for (owner, programme), counts in truth.programmes.items()
                    if owner == sender
                }
                for sender in truth.spam
            },
            "programme": {
                name or "unknown": _pair(
                    np.sum([v for k, v in truth.programmes_expected.items() if k[1] == name], axis=0),
                    np.sum([v for k, v in truth.programmes.items() if k[1] == name], axis=0),
                )
                for name in programmes
            },
        },
    }


def _sensor(world: World, truth: Truth, sensor: Sensor) -> dict[str, Any]:
    row = truth.sensors.index(sensor.name)
    return {
        "size": sensor.size,
        "joins": (sensor.joins or world.since).isoformat(),
        "leaves": sensor.leaves.isoformat() if sensor.leaves else None,
        "outages": [[first.isoformat(), last.isoformat()] for first, last in sensor.outages],
        "resizes": [_plain(resize) for resize in sensor.resizes],
        "relay": sensor.relay,
        "exposure": _numbers(volume.exposure(world, sensor)),
        "spam": np.sum([counts[row] for counts in truth.spam.values()], axis=0).tolist(),
        "ham": truth.ham[row].tolist(),
    }


def _pair(expected: Floats, realised: Counts) -> dict[str, list[float]]:
    return {"expected": _numbers(expected), "realised": realised.tolist()}


def _numbers(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]


def _plain(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any frozen record of this room
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in dataclasses.asdict(record).items()
    }
