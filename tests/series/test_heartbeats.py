"""Heartbeats stand where there are any: a silent sensor that beats is up, one that does not is down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spamtide.errors import BadDataError
from spamtide.heartbeats import read_heartbeats, take_heartbeats
from spamtide.model import Panel
from spamtide.observatory import init_observatory
from spamtide.series import estimate
from spamtide.store.heartbeats import share_up

Make = Callable[..., Any]


def test_a_sensor_that_beats_is_up_however_silent(world: Make, panel_of: Callable[..., Panel]) -> None:
    """All its spam stops while it beats: true zeros, where the mail alone would say that it is down."""
    made = world(3)
    counts, ham = made.counts(), np.zeros_like(made.ham)
    counts[:, 3, 100:110] = 0
    panel = panel_of(counts, ham)
    assert estimate(panel).values[3, 100:110].max() == 0
    up = np.full(counts.shape[1:], np.nan)
    up[3, 50:] = 1.0
    found = estimate(replace(panel, up=up))
    assert found.values[3, 100:110].min() == 1
    assert not [outage for outage in found.outages if outage.kind == "down"]


def test_a_sensor_that_stops_beating_is_down_and_half_a_day_is_half(
    world: Make, panel_of: Callable[..., Panel]
) -> None:
    made = world(4)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 1, 60:63] = 0
    ham[1, 60:63] = 0
    up = np.full(counts.shape[1:], np.nan)
    up[1] = 1.0
    up[1, 60:63] = 0.0
    up[1, 63] = 0.5
    found = estimate(replace(panel_of(counts, ham), up=up))
    assert found.values[1, 59:65].tolist() == [1, 0, 0, 0, 0.5, 1]
    (outage,) = found.outages
    assert (outage.sensor, outage.kind) == ("s1", "down")
    assert (outage.end - outage.start).days == 2  # type: ignore[operator]  # it ended
    assert "no heartbeat" in outage.evidence


def test_mail_without_a_heartbeat_is_a_sign_of_life(world: Make, panel_of: Callable[..., Panel]) -> None:
    """The file of heartbeats ended, the mail did not."""
    made = world(4)
    up = np.full(made.ham.shape, np.nan)
    up[1] = np.where(np.arange(made.ham.shape[1]) < 90, 1.0, 0.0)
    assert estimate(replace(panel_of(made.counts(), made.ham), up=up)).values.min() == 1


def test_from_a_file_to_shares_of_days(tmp_path: Path) -> None:
    """A beat an hour but for a day and a quarter; the same file again stores nothing."""
    observatory = init_observatory(tmp_path / "o")
    start = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    hours = [hour for hour in range(24 * 10) if not 72 <= hour < 102]
    lines = [f"trap,{(start + dt.timedelta(hours=hour)).isoformat()}" for hour in hours]
    (tmp_path / "up.csv").write_text("\n".join(["sensor,time", *lines]) + "\n")
    assert take_heartbeats(observatory, tmp_path / "up.csv") == len(hours)
    assert take_heartbeats(observatory, tmp_path / "up.csv") == 0
    days = np.arange(np.datetime64("2026-02-27"), np.datetime64("2026-03-12"))
    share = share_up(observatory.lake, ("trap", "other"), days)
    assert share is not None
    assert np.isnan(share[1]).all()
    assert np.isnan(share[0, :2]).all()
    assert share[0, 2:].tolist() == pytest.approx([1, 1, 1, 0, 0.75, 1, 1, 1, 1, 1, 0])


@pytest.mark.parametrize("line", ["trap", "trap,yesterday", ",2026-03-01", "trap,2026-03-01,x"])
def test_a_wrong_line_is_named_and_nothing_is_taken(tmp_path: Path, line: str) -> None:
    path = tmp_path / "up.csv"
    path.write_text(f"trap,2026-03-01T00:00Z\n{line}\n")
    with pytest.raises(BadDataError, match=r"up\.csv:2"):
        read_heartbeats(path)
