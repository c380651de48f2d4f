"""A day that a sensor's clock emptied is no outage; one without any mail is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from spamtide.model import Exposure, Measurement, Outage, Panel
from spamtide.schema import OBSERVATIONS
from spamtide.store import Lake
from spamtide.store.clocks import clocks, explained

START = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
EMPTY = dt.date(2025, 3, 12)


def taken(sensor: str, late: dict[int, float], *, dark: tuple[int, ...] = (), forged: int = 5) -> pa.Table:
    """A message an hour for 30 days; every `forged`th has a Date of years ago; `late` is hours by day."""
    rows = []
    for hour in range(30 * 24):
        sent = START + hour * HOUR
        day = hour // 24
        if day in dark:
            continue
        rows.append(
            {
                "sha256": f"{sensor}{hour}",
                "sensor": sensor,
                "label": "spam",
                "received_at": sent + late.get(day, 0.0) * HOUR,
                "received_at_from": "received",
                "sent_at": sent - 900 * DAY if hour % forged == 0 else sent,
                "week": (sent.date() - dt.date(1970, 1, 1)).days // 7,
            }
        )
    names = set(OBSERVATIONS.names)
    return pa.Table.from_pylist(
        [{k: v for k, v in row.items() if k in names} for row in rows], schema=OBSERVATIONS
    )


def measured(sensor: str) -> Measurement:
    """A measurement in which the day looks empty."""
    panel = Panel(np.array([]), (sensor,), (), np.zeros((0, 1, 0)), np.zeros((1, 0)), ((),), {})
    return Measurement(
        panel, Exposure(np.zeros((1, 0)), (Outage(sensor, EMPTY, EMPTY, "down", "no mail"),)), ()
    )


def lake_of(path: Path, *tables: pa.Table) -> Lake:
    lake = Lake(str(path))
    for table in tables:
        lake.append("observations", table)
    return lake


def test_a_clock_that_empties_a_day(tmp_path: Path) -> None:
    """Thirty hours late for six days from the 12th: the mail of the 12th is stamped the 13th and 14th."""
    late = dict.fromkeys(range(11, 17), 30.0)
    lake = lake_of(tmp_path, taken("a", {}), taken("b", late))
    (outage,) = explained(lake, measured("b")).exposure.outages
    assert (outage.kind, outage.lag_hours) == ("clock", 30.0)
    assert outage.evidence.startswith("its clock ran 30 hours ahead on 2 days, 2025-03-13 to 2025-03-14")
    (clock,) = clocks(lake)
    assert (clock.sensor, clock.hours, len(clock.days)) == ("b", 30.0, 6)


def test_days_that_filled_no_gap_are_no_evidence(tmp_path: Path) -> None:
    """A week later the clock runs behind for longer; two outages are asked about at once."""
    late = dict.fromkeys(range(11, 13), 30.0) | dict.fromkeys(range(18, 24), -40.0)
    lake = lake_of(tmp_path, taken("a", {}, dark=(11,)), taken("b", late))
    both = measured("b")
    outages = (*measured("a").exposure.outages, *both.exposure.outages)
    both = replace(both, exposure=replace(both.exposure, outages=outages))
    dark, moved = explained(lake, both).exposure.outages
    assert (dark.kind, moved.kind, moved.lag_hours) == ("down", "clock", 30.0)


def test_an_outage_stays_one(tmp_path: Path) -> None:
    """No mail, wrong Dates or not, and clocks that are right."""
    lake = lake_of(tmp_path, taken("a", {}), taken("b", {}, dark=(11,)))
    assert explained(lake, measured("b")).exposure.outages[0].kind == "down"
    assert clocks(lake) == ()


def test_a_clock_that_is_always_wrong(tmp_path: Path) -> None:
    """Seven hours against two others; its own days are all alike."""
    lake = lake_of(tmp_path, taken("a", {}), taken("b", {}), taken("c", dict.fromkeys(range(30), -7.0)))
    (clock,) = clocks(lake)
    assert (clock.sensor, clock.hours, clock.days) == ("c", -7.0, ())
