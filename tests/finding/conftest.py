"""A small world made by hand: six sensors, 105 days, one botnet that falls, one that switches."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spamtide.finding import Composition, Event, FindingInputs, Totals, period
from spamtide.finding.figures import Window
from spamtide.model import Change, Contribution, Exposure, IndexSeries, Measurement, Outage, Panel
from spamtide.statement import Gathered, Gathering

sys.path.insert(0, str(Path(__file__).parent))  # the tests of this room import its simulators

START = dt.date(2010, 7, 2)
DAYS = 105
UNTIL = START + dt.timedelta(days=DAYS - 1)
SENSORS = tuple(f"trap-{letter}" for letter in "abcdef")
LEVELS = {"rustock": 60.0, "grum": 18.0, "cutwail": 12.0, "xarvester": 10.0, "unknown": 20.0}
PROGRAMMES = {
    "rustock": "Canadian Pharmacy",
    "grum": "Canadian Pharmacy",
    "cutwail": "Maple Meds",
    "xarvester": "Canadian Pharmacy",
}
FALL = dt.date(2010, 9, 20)
SWITCH = dt.date(2010, 10, 2)
DOWN = (dt.date(2010, 9, 24), dt.date(2010, 10, 3))
"""First day down and first day up again of trap-c."""


def at(day: dt.date) -> int:
    return (day - START).days


def index_series(kind: str, subject: str, counts: np.ndarray, exposure: np.ndarray) -> IndexSeries:
    """Index of one subject as the series stage would give it, with rough intervals."""
    daily = counts.sum(axis=0)
    up = exposure.sum(axis=0)
    base = daily[:28].sum() / up[:28].sum()
    offset = base * up
    index = np.where(offset > 0, 100 * daily / np.where(offset > 0, offset, 1), np.nan)
    error = np.sqrt(np.maximum(index * 100 / np.where(offset > 0, offset, 1), 1.0))
    return IndexSeries(
        subject_kind=kind,
        subject=subject,
        days=np.arange(DAYS) + np.datetime64(START),
        count=daily,
        index=index,
        low=np.maximum(index - 2 * error, 0),
        high=index + 2 * error,
        base="2010-07-02..2010-07-29",
        offset=offset,
        overdispersion=1.0,
        serial_correlation=0.1,
    )


def measured(*, falls: bool = True, down: bool = True, switches: bool = True) -> Measurement:
    """The world's panel, exposure and series; without its happenings it is a quiet one."""
    rng = np.random.default_rng(20100920)
    exposure = np.ones((len(SENSORS), DAYS))
    if down:
        exposure[2, at(DOWN[0]) : at(DOWN[1])] = 0
    counts: dict[str, np.ndarray] = {}
    for botnet, mean in LEVELS.items():
        shape = np.full(DAYS, mean)
        if falls and botnet == "rustock":
            ramp = np.linspace(1, 0.02, 4)
            shape[at(FALL) : at(FALL) + 4] *= ramp
            shape[at(FALL) + 4 :] *= 0.02
        counts[botnet] = rng.poisson(np.outer(np.ones(len(SENSORS)), shape) * exposure)
    mix: dict[tuple[str, str], np.ndarray] = {}
    for botnet, found in counts.items():
        daily = found.sum(axis=0)
        if botnet == "unknown":
            mix[botnet, "unknown"] = daily
            continue
        main = (daily * 0.92).astype(np.int64)
        mix[botnet, "unknown"] = daily - main
        mix[botnet, PROGRAMMES[botnet]] = main.copy()
        if switches and botnet == "xarvester":
            other = np.zeros_like(main)
            other[at(SWITCH) :] = main[at(SWITCH) :] * 9 // 10
            mix[botnet, "Ultimate Replicas"] = other
            mix[botnet, PROGRAMMES[botnet]] = main - other
    programmes: dict[str, np.ndarray] = {}
    for (_, programme), daily in mix.items():
        programmes[programme] = programmes.get(programme, np.zeros(DAYS, dtype=np.int64)) + daily
    total = sum(counts.values())
    subjects = [("total", "total")] + [("botnet", b) for b in counts] + [("programme", p) for p in programmes]
    spread = [np.vstack([d, *[np.zeros_like(d)] * (len(SENSORS) - 1)]) for d in programmes.values()]
    panel = Panel(
        days=np.arange(DAYS) + np.datetime64(START),
        sensors=SENSORS,
        subjects=tuple(subjects),
        counts=np.stack([total, *counts.values(), *spread]),
        ham=np.zeros((len(SENSORS), DAYS), dtype=np.int64),
        relays=tuple(("",) * DAYS for _ in SENSORS),
        pairs=mix,
    )
    outages = (
        (Outage("trap-c", DOWN[0], DOWN[1] - dt.timedelta(days=1), "down", "no mail at all"),) if down else ()
    )
    series = (
        index_series("total", "total", total, exposure),
        *(index_series("botnet", b, c, exposure) for b, c in counts.items()),
    )
    return Measurement(panel, Exposure(exposure, outages), series)


def change(kind: str, subject: str, onset: dt.date, **more: object) -> Change:
    """A change with an interval of one day on both sides."""
    day = dt.timedelta(days=1)
    end = more.pop("end", None)
    fields: dict[str, object] = {
        "subject_kind": "botnet",
        "onset_low": onset - day,
        "onset_high": onset + day,
        "end": end,
        "end_low": end - day if end else None,
        "end_high": end,
        "ratio": None,
        "confidence": 0.99,
    }
    return Change(kind=kind, subject=subject, onset=onset, **(fields | more))


def news() -> tuple[Change, ...]:
    """What the change stage would report of the world."""
    return (
        change("decline", "total", FALL, subject_kind="total", end=dt.date(2010, 9, 23), ratio=0.51),
        change("decline", "rustock", FALL, end=dt.date(2010, 9, 23), ratio=0.02),
        change(
            "switch",
            "xarvester",
            SWITCH,
            from_programme="Canadian Pharmacy",
            to_programme="Ultimate Replicas",
        ),
        change("sensor-outage", "trap-c", DOWN[0], subject_kind="sensor", end=DOWN[1]),
    )


CONTRIBUTIONS = (
    Contribution("total", "total", -48.0, -51.0, -45.0),
    Contribution("botnet", "rustock", -49.0, -52.0, -46.0),
    Contribution("botnet", "grum", -1.2, -2.0, -0.4),
    Contribution("botnet", "cutwail", 2.2, 0.9, 3.5),
    Contribution("botnet", "xarvester", 0.1, -0.8, 1.0),
    Contribution("botnet", "unknown", -0.1, -1.5, 1.3),
)


@pytest.fixture
def spamit() -> Event:
    from told import event  # by the path above

    return event("2010-09-27", "programme_closure", "SpamIt")


@pytest.fixture
def campaigns() -> Callable[..., Callable[[Window], Gathering]]:
    """Makes what gathers campaigns."""
    return gathers


def gathers(*rows: tuple[str, int, int, str], alone: int = 0) -> Callable[[Window], Gathering]:
    """Campaigns (name, messages, sources, subject), each of one make, whatever the days."""
    found = tuple(Gathered(name, n, sources, 1, subject) for name, n, sources, subject in rows)
    made = Gathering(sum(one.messages for one in found) + alone, len(found) + alone, alone, found)
    return lambda _window: made


def composed(measurement: Measurement, since: dt.date, until: dt.date) -> Composition:
    """What the caller counts for the period."""
    panel = measurement.panel
    window = slice(at(since), at(until) + 1)
    counts = {
        subject: int(panel.counts[position][:, window].sum())
        for position, subject in enumerate(panel.subjects)
    }
    return Composition(
        labels={"spam": counts["total", "total"], "ham": 0, "lab": 40},
        botnets={name: n for (kind, name), n in counts.items() if kind == "botnet"},
        programmes={name: n for (kind, name), n in counts.items() if kind == "programme"},
    )


@pytest.fixture
def make() -> Callable[..., FindingInputs]:
    """Inputs of the eventful world, any of them replaced."""

    def build(measurement: Measurement | None = None, **replaced: object) -> FindingInputs:
        measurement = measurement or measured()
        changes = replaced.pop("changes", news())
        chosen = replaced.pop("period", None) or period(measurement, None, None, changes)
        inputs = FindingInputs(
            measurement=measurement,
            changes=changes,
            contributions=CONTRIBUTIONS,
            period=chosen,
            composition=composed(measurement, chosen.since, chosen.until),
            totals=Totals(messages=80_000),
            lab_last_seen={"rustock": UNTIL - dt.timedelta(days=1)},
            names={"Canadian Pharmacy": ("Canadian Pharmacy", "SpamIt", "GlavMed")},
        )
        return replace(inputs, **replaced)

    return build


@pytest.fixture
def quiet(make: Callable[..., FindingInputs]) -> FindingInputs:
    """The same world with nothing happening in it."""
    return make(measured(falls=False, down=False, switches=False), changes=(), contributions=())
