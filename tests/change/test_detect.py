"""The verb: whole observatories, quiet ones, and whatever strangers may send."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from change_observatory import Setting, date, make
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spamtide.change.causes.telling import kind_of
from spamtide.change.detect import NEWS, adjust, detect, look, same_move
from spamtide.change.moves.event import Event
from spamtide.engine import Apart
from spamtide.model import Exposure, IndexSeries, Measurement, Panel
from spamtide.settings import Detecting

DAYS = np.datetime64("2024-01-01") + np.arange(400)


def test_six_sensors_one_cease_one_switch() -> None:
    """One sensor joins late, one is lost for a week, one botnet ceases, one moves: told, and nothing else."""
    setting = Setting(joins=40, lost=(85, 7), cease=(70, 3), switch=(50, 3, 0.5))
    errors, covered = [], 0
    for seed in range(8):
        found = detect(make(np.random.default_rng(seed), setting))
        assert list(found) == sorted(found, key=lambda c: (c.onset, c.kind, c.subject_kind, c.subject))
        botnets = {(c.kind, c.subject): c for c in found if c.subject_kind in {"botnet", "sensor"}}
        assert set(botnets) == {("cease", "b0"), ("switch", "b1"), ("sensor-outage", "s0")}
        cease = botnets["cease", "b0"]
        errors.append(abs((cease.onset - date(70)).days))
        covered += cease.onset_low <= date(70) <= cease.onset_high
        assert abs((cease.end - date(72)).days) <= 1
        assert cease.ratio < 0.05
        assert cease.confidence > 0.99
    assert np.mean(errors) <= 1.5
    assert covered >= 7


@pytest.mark.parametrize(
    "setting",
    [
        Setting(days=60, volume=60),
        Setting(days=120),
        Setting(days=120, size=3),
        Setting(days=200, volume=4),
        Setting(days=120, joins=40, lost=(85, 7), leaves=100),
    ],
    ids=["short", "plain", "wild", "thin", "sensors"],
)
def test_a_quiet_world_has_no_changes(setting: Setting) -> None:
    for seed in range(8):
        found = detect(make(np.random.default_rng(100 + seed), setting))
        assert [c for c in found if c.subject_kind != "sensor"] == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (Setting(new=50), {("new", "b3")}),
        (Setting(surge=(60, 3, 8.0)), {("surge", "b4")}),
        (Setting(quiet=(60, 20)), {("cease", "b4"), ("resume", "b4")}),
    ],
    ids=["new", "surge", "pause"],
)
def test_kinds(setting: Setting, expected: set[tuple[str, str]]) -> None:
    for seed in range(5):
        found = detect(make(np.random.default_rng(seed), setting))
        assert {(c.kind, c.subject) for c in found if c.subject_kind == "botnet"} == expected


WEEK = dt.timedelta(days=7)


def event(**changes: object) -> Event:
    day = dt.date(2024, 3, 1)
    plain = Event(
        "fall",
        day,
        day,
        day,
        day,
        day,
        day,
        100.0,
        20.0,
        day,
        day,
        50.0,
        1e-6,
        0.0,
        silent_before=False,
        step=1,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("move", "kind"),
    [
        (event(), "decline"),
        (event(after=4.9), "cease"),
        (event(kind="rise", before=10.0), "rise"),
        (event(kind="rise", before=1.0, after=40.0, peak_before=100.0), "resume"),
        (event(kind="rise", before=0.0, silent_before=True), "new"),
        (event(kind="rise", before=0.0, silent_before=True, onset=dt.date(2024, 1, 5)), None),
        (event(kind="surge", after=700.0), "surge"),
    ],
)
def test_kind_of_a_move(move: Event, kind: str | None) -> None:
    assert kind_of(move, dt.date(2024, 1, 1)) == kind


def test_a_smaller_ratio_asks_for_deeper_falls() -> None:
    measured = make(np.random.default_rng(3), Setting(cease=(70, 3)))
    total = [c for c in detect(measured, Detecting(ratio=0.9)) if c.subject == "total"]
    assert [c.kind for c in total] == ["decline"]
    assert not [c for c in detect(measured, Detecting(ratio=0.3)) if c.subject == "total"]


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(0, 30))
def test_adjusted_values_are_those_of_benjamini_and_hochberg(p_values: list[float], extra: int) -> None:
    """A value is at most q exactly when the step-up procedure at level q rejects it."""
    tested = len(p_values) + extra
    found = adjust(p_values, tested)
    for q in (0.01, 0.1, 0.5):
        ordered = sorted(p_values)
        passing = [p for k, p in enumerate(ordered, start=1) if p * tested / k <= q]
        bound = max(passing, default=-1.0)
        assert [value <= q for value in found] == [p <= bound for p in p_values]


def lone(days: np.ndarray, count: np.ndarray, offset: np.ndarray) -> Measurement:
    """A measurement of one series at one sensor."""
    panel = Panel(
        days=days,
        sensors=("s",),
        subjects=(("total", "total"),),
        counts=count[None, None],
        ham=np.zeros((1, len(days)), dtype=np.int64),
        relays=(("",) * len(days),),
        pairs={("b", "p"): count, ("b", "q"): count[::-1]},
    )
    index = np.full(len(days), np.nan)
    series = IndexSeries("total", "total", days, count, index, index, index, "", offset, 0.0, 0.0)
    return Measurement(
        panel,
        Exposure((offset > 0)[None].astype(float), ()),
        (series, replace(series, subject_kind="botnet", subject="b")),
    )


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_counts_and_offsets_give_changes_in_order(data: st.DataObject) -> None:
    """Total: nothing that arrays can hold raises; dates are in order, confidences are probabilities."""
    n = data.draw(st.integers(0, 80))
    pieces = data.draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10**7)), min_size=1, max_size=5))
    count = np.resize(np.repeat([v for _, v in pieces], [k for k, _ in pieces] or [1]).astype(np.int64), n)
    offset = data.draw(hnp.arrays(float, n, elements=st.one_of(st.just(1.0), st.just(0.0), st.floats())))
    for change in detect(lone(DAYS[:n], count, offset)):
        assert change.onset_low <= change.onset <= change.onset_high
        assert change.end is None or change.end_low <= change.end <= change.end_high
        assert 0 <= change.confidence <= 1


@pytest.mark.parametrize("days", [0, 1, 6, 20])
def test_a_panel_too_short_says_nothing(days: int) -> None:
    assert detect(lone(DAYS[:days], np.arange(days), np.ones(days))) == ()


def test_a_sensor_series_is_not_searched_for_levels() -> None:
    measured = lone(DAYS, np.repeat([100, 1], 200), np.ones(400))
    series = tuple(replace(s, subject_kind="sensor") for s in measured.series)
    panel = replace(measured.panel, pairs={})
    assert detect(replace(measured, panel=panel, series=series)) == ()


def test_what_is_not_sure_stands_beside_the_changes_until_it_is() -> None:
    """A fall to half, as of its first days: an alarm before it is a change, and never both."""
    first: dict[str, list[int]] = {"alarm": [], "change": []}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        level = np.where(np.arange(112) < 100, 80.0, 40.0)
        count = rng.poisson(level * rng.gamma(12, 1 / 12, 112))
        seen: dict[str, int] = {}
        for days in range(101, 113):
            measured = lone(DAYS[:days], count[:days], np.ones(days))
            found = look(replace(measured, panel=replace(measured.panel, pairs={})), whole=True)
            assert not {(c.kind, c.subject) for c in found.changes} & {
                (c.kind, c.subject) for c in found.alarms
            }
            assert all(c.confidence < NEWS for c in found.alarms)
            if found.alarms:
                seen.setdefault("alarm", days - 100)
            if found.changes:
                seen.setdefault("change", days - 100)
                break
        first["change"].append(seen.get("change", 13))
        first["alarm"].append(min(seen.get("alarm", 13), first["change"][-1]))
    assert np.median(first["alarm"]) <= 4
    assert first["alarm"] < first["change"]


def test_work_side_by_side_changes_nothing() -> None:
    """Series, moves and mixes looked at by several processes give the same changes to the bit."""
    setting = Setting(joins=40, lost=(85, 7), cease=(70, 3), switch=(50, 3, 0.5))
    measurement = make(np.random.default_rng(3), setting)
    assert look(measurement, whole=True, each=Apart(3)) == look(measurement, whole=True)


def test_an_alarm_whose_dates_reach_into_a_known_move_is_about_that_move() -> None:
    """A window of two weeks may begin before the move that it holds: the same fall is told once."""
    day = dt.date(2024, 3, 1)
    alarm = event(onset=day, onset_low=day, onset_high=day + dt.timedelta(days=3), end_high=day + WEEK)
    known = event(onset=day + WEEK, onset_low=day + dt.timedelta(days=5), end_high=day + WEEK)
    later = event(onset=day + 3 * WEEK, onset_low=day + 3 * WEEK, end_high=day + 4 * WEEK)
    assert same_move(alarm, known)
    assert not same_move(alarm, later)
