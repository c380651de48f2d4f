"""Hold what was reported against what was planned."""

from __future__ import annotations

import datetime as dt

import numpy as np

from spamtide.calibration.plan import Away, Filter, sensor_name
from spamtide.calibration.world import Made, day_number
from spamtide.model import Change, Floats

SLACK = 7
"""Days on either side of a reported interval in which the truth may lie."""
REAL = 0.12
"""Relative change of a level, or points of a mix, that is a change at all."""
FALLS = frozenset({"decline", "cease", "attribution-loss"})


def is_true(made: Made, change: Change) -> bool:
    """Whether anything of the kind happened to that subject near a reported change.

    A level is followed without noise, weekdays, holidays and drift: a report is false where it stands still.
    """
    low = day_number(made.plan, change.onset_low) - SLACK
    high = day_number(made.plan, change.end_high or change.onset_high) + SLACK
    if change.subject_kind == "sensor":
        return _sensor_moved(made, change.subject, low, high)
    if change.kind == "switch":
        mix = made.shares.get(change.subject)
        return mix is not None and any(_moves(row, low, high, relative=False) for row in mix)
    level = made.level.get((change.subject_kind, change.subject))
    if level is None or not _moves(level, low, high, relative=True):
        return False
    return change.kind != "attribution-loss" or _moves(
        made.level["botnet", "unknown"], low, high, relative=True
    )


def _moves(level: Floats, low: int, high: int, *, relative: bool) -> bool:
    """Whether a level changes between two days."""
    window = level[max(low, 0) : max(high, 0) + 1]
    if not len(window):
        return False
    scale = float(window.max()) if relative else 1.0
    return scale > 0 and float(np.ptp(window)) > REAL * scale


def _sensor_moved(made: Made, sensor: str, low: int, high: int) -> bool:
    """Whether a sensor came, went or changed between two days."""
    days = [
        day
        for item in (*made.outages, *made.plan.happenings)
        if isinstance(item, Away | Filter) and sensor_name(item.sensor) == sensor
        for day in (item.onset, *((item.onset + (item.length or 0),) if isinstance(item, Away) else ()))
    ]
    return any(low <= day <= high for day in days)


def near(change: Change, date: dt.date, days: int = 10) -> bool:
    """Whether a change was reported about a day."""
    return abs((change.onset - date).days) <= days
