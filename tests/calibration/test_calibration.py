"""The calibration's own generator, scores and table."""

import json
import math

import numpy as np
import pytest

from spamtide.calibration.best_switch import PATIENCE, best_switches
from spamtide.calibration.judge import is_true
from spamtide.calibration.plan import Away, Fall, Join, Plan, Rename, Turn, botnet_name, sensor_name
from spamtide.calibration.report import as_json, as_page
from spamtide.calibration.row import Row, mean, median, rate, share
from spamtide.calibration.studies import silence
from spamtide.calibration.world import make_world, truncated
from spamtide.model import Change

RNG = np.random.default_rng


def test_the_same_seed_draws_the_same_world_and_parts_add_up() -> None:
    plan = Plan(days=60, happenings=(Rename(1, 30), Turn(0, 20)))
    one, two = make_world(plan, RNG(1)), make_world(plan, RNG(1))
    assert (one.panel.counts == two.panel.counts).all()
    kinds = [kind for kind, _ in one.panel.subjects]
    for wanted in ("botnet", "programme"):
        rows = [n for n, kind in enumerate(kinds) if kind == wanted]
        assert (one.panel.counts[rows].sum(axis=0) == one.panel.counts[0]).all()


def test_what_is_planned_happens() -> None:
    plan = Plan(
        days=120,
        holidays=False,
        happenings=(Fall(0, 60, 3, 0.0), Away(1, 80, 5), Join(2, 40), Rename(1, 90)),
    )
    made = make_world(plan, RNG(2))
    of = {subject: made.panel.counts[n] for n, subject in enumerate(made.panel.subjects)}
    assert not of["botnet", botnet_name(0)][:, 62:].any()
    assert not made.panel.counts[0, 1, 80:85].any()
    assert not made.panel.counts[0, 2, :40].any()
    assert not of["botnet", botnet_name(1)][:, 90:].any()
    assert made.level["botnet", "unknown"][100] > made.level["botnet", "unknown"][80]


def test_a_panel_as_of_a_day_knows_nothing_of_later_days() -> None:
    made = make_world(Plan(days=100, happenings=(Join(2, 60),)), RNG(3))
    early = truncated(made.panel, 50)
    assert len(early.days) == 50
    assert sensor_name(2) not in early.sensors
    assert early.counts.shape == (len(early.subjects), len(early.sensors), 50)


def test_reports_are_true_where_something_happened_and_false_elsewhere() -> None:
    plan = Plan(days=150, happenings=(Fall(0, 60, 3, 0.0), Away(1, 80, 5), Turn(1, 100)))
    made = make_world(plan, RNG(4))

    def told(kind: str, subject_kind: str, subject: str, day: int) -> Change:
        date = plan.date(day)
        return Change(kind, subject_kind, subject, date, date, date, None, None, None, None, 1.0)  # type: ignore[arg-type]  # kinds by name

    assert is_true(made, told("cease", "botnet", botnet_name(0), 61))
    assert not is_true(made, told("cease", "botnet", botnet_name(0), 120))
    assert not is_true(made, told("decline", "botnet", botnet_name(2), 61))
    assert is_true(made, told("sensor-outage", "sensor", sensor_name(1), 80))
    assert not is_true(made, told("sensor-outage", "sensor", sensor_name(0), 80))
    assert is_true(made, told("switch", "botnet", botnet_name(1), 100))
    assert not is_true(made, told("attribution-loss", "botnet", botnet_name(0), 61))


def test_monte_carlo_errors() -> None:
    assert share([True] * 95 + [False] * 5) == pytest.approx((0.95, 0.8882, 0.9785), abs=1e-3)
    assert mean([1.0, 2.0, 3.0])[0] == 2.0
    assert median([1.0, 2.0, 9.0])[0] == 2.0
    assert rate(0, 100.0) == pytest.approx((0.0, 0.0, 0.0369), abs=1e-3)
    assert all(math.isnan(v) for v in (*share([]), *mean([]), *median([]), *rate(1, 0.0)))


def test_the_table_says_what_is_met_and_what_is_not() -> None:
    rows = [
        Row("dates", "case", "onset covered by 95 %", 0.95, 0.9, 0.98, 100, "falls", "93-99 %", 0.93, 0.99),
        Row("dates", "case", "onset error, days", 0.9, 0.7, 1.1, 100, "falls", "< .8", -1, 0.8),
        Row("online", "case", "median delay, days of data", 6.0, 5.0, 7.0, 9, "falls", "<= 4", 0.0, 4.0),
        Row("online", "case", "width, days", math.nan, math.nan, math.nan, 0, "falls"),
    ]
    assert [row.verdict for row in rows] == ["met", "undecided", "missed", ""]
    page = as_page(rows, 60, 1)
    assert "1 targets met, 1 missed; 1 undecided" in page
    assert "95.0 % [90.0, 98.0]" in page
    assert json.loads(json.dumps(as_json(rows, 60, 1)))["rows"][3]["value"] is None


def test_the_best_test_of_a_switch_gets_better_with_what_there_is_to_see() -> None:
    thin, thick = (best_switches(RNG(5), volume, 0.2) for volume in (30.0, 200.0))
    small, large = (best_switches(RNG(6), 200.0, points) for points in (0.1, 0.4))
    assert np.mean(thick) < np.mean(thin)
    assert np.mean(large) < np.mean(small)
    assert min(large) == 1.0
    assert max(small) == PATIENCE + 1


@pytest.mark.slow
def test_silence_is_told_by_its_cause() -> None:
    rows = list(silence(4, 11))
    assert rows[-1].case == "all of these"
    assert rows[-1].value >= 0.8


def test_worlds_below_one_are_refused() -> None:
    from spamtide.cli import run

    assert run(["calibrate", "--worlds", "0"]) == 64
