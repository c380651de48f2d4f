"""Sensors whose clock runs apart from the `Date` of the mail that they take.

Many senders write a wrong `Date`; the median of a day's mail is the sensor's own. A clock that is a day off
empties one day and doubles another: what looks like an outage is none.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import pyarrow as pa

from spamtide.model import Measurement, Outage
from spamtide.store.lake import Lake

APART = 6.0
"""Hours off what is usual from which a day's clock ran apart."""
FOR_GOOD = 2.0
"""Hours off what is usual from which a sensor's clock always does."""
ENOUGH_SENSORS = 3
"""Sensors from which the one in the middle says what is usual; else it is no lag at all."""
FEWEST = 10
"""Messages of a day, or days of a sensor, that say what its clock does."""
REACH = 14
"""Days on either side of an outage in which its mail is looked for."""
LONGEST = 7
"""Days of an outage that a clock may have emptied."""
FOUND = 0.5
"""Share of an outage's usual mail that must stand under other days."""

LAG = "(epoch(received_at) - epoch(sent_at)) / 3600"
MAIL = "received_at_from IN ('received', 'envelope') AND sent_at IS NOT NULL AND lab IS NULL"


@dataclass(frozen=True, slots=True)
class Clock:
    """A sensor whose clock runs apart, for good or on some days."""

    sensor: str
    hours: float
    """Ahead of the mail's `Date`, beyond what is usual; negative where behind."""
    messages: int
    days: tuple[dt.date, ...]
    """() for good."""


def clocks(lake: Lake) -> tuple[Clock, ...]:
    """Look at every sensor's days; reads five columns of all observations."""
    rows = lake.query(f"""
        SELECT sensor, received_at::DATE AS day, count(*) AS n, median({LAG}) AS lag
        FROM observations WHERE {MAIL} AND received_at IS NOT NULL
        GROUP BY ALL HAVING count(*) >= {FEWEST} ORDER BY ALL
    """).to_pylist()  # noqa: S608 - our own words
    by_sensor: defaultdict[str, list[tuple[dt.date, int, float]]] = defaultdict(list)
    for row in rows:
        by_sensor[row["sensor"]].append((row["day"], row["n"], row["lag"]))
    known = {name: days for name, days in by_sensor.items() if len(days) >= FEWEST}
    usual = {name: median(lag for *_, lag in days) for name, days in known.items()}
    middle = median(usual.values()) if len(usual) >= ENOUGH_SENSORS else 0.0
    found = []
    for name, days in known.items():
        apart = [one for one in days if abs(one[2] - middle) >= APART]
        if not apart and abs(usual[name] - middle) >= FOR_GOOD:
            apart = days
        if apart:
            hours = median(lag for *_, lag in apart) - middle
            when = tuple(day for day, *_ in apart) if len(apart) < len(days) else ()
            found.append(Clock(name, hours, sum(n for _, n, _ in apart), when))
    return tuple(found)


def explained(lake: Lake, measurement: Measurement) -> Measurement:
    """The same, with outages that a sensor's clock made told as such: kind 'clock'."""
    exposure = measurement.exposure
    told = tuple(_explained(lake, outage) for outage in exposure.outages)
    if told == exposure.outages:
        return measurement
    return replace(measurement, exposure=replace(exposure, outages=told))


def _explained(lake: Lake, outage: Outage) -> Outage:
    """A short outage whose mail stands under other days, as what it is; any other as it was."""
    if outage.kind != "down" or outage.end is None or (outage.end - outage.start).days >= LONGEST:
        return outage
    rows = _hours(lake, outage)
    lags = {row["day"]: row["lag"] for row in rows if row["day_n"] >= FEWEST}
    if len(lags) < FEWEST:
        return outage
    usual = median(lags.values())
    apart = {day: lag - usual for day, lag in lags.items() if abs(lag - usual) >= APART}
    first = dt.datetime.combine(outage.start, dt.time(), tzinfo=dt.UTC)
    last = dt.datetime.combine(outage.end, dt.time(23), tzinfo=dt.UTC)
    moved = [row for row in rows if row["day"] in apart]
    here = [r for r in moved if first <= r["hour"] - dt.timedelta(hours=apart[r["day"]]) <= last]
    steady = [row["n"] for row in rows if row["day"] in lags and row["day"] not in apart]
    due = sum(steady) / max(len(lags) - len(apart), 1) * ((outage.end - outage.start).days + 1)
    if sum(row["n"] for row in here) < FOUND * max(due, FEWEST):
        return outage
    return replace(outage, kind="clock", evidence=_evidence(apart, moved), lag_hours=median(apart.values()))


def _evidence(apart: dict[dt.date, float], moved: Sequence[dict[str, Any]]) -> str:
    """'its clock ran 30 hours ahead on 6 days, 2025-03-13 to 2025-03-18 (188 messages)'."""
    hours = median(apart.values())
    return (
        f"its clock ran {abs(hours):.0f} hours {'ahead' if hours > 0 else 'behind'} on {len(apart)} days, "
        f"{min(apart)} to {max(apart)} ({sum(row['n'] for row in moved)} messages)"
    )


def _hours(lake: Lake, outage: Outage) -> list[dict[str, Any]]:
    """Messages of the sensor around an outage by hour, with their day's messages and median lag."""
    end = outage.end or outage.start
    since, until = outage.start - dt.timedelta(days=REACH), end + dt.timedelta(days=REACH + 1)
    rows: list[dict[str, Any]] = lake.query(
        f"""
        WITH mail AS (
            SELECT received_at::DATE AS day, date_trunc('hour', received_at) AS hour, {LAG} AS lag
            FROM observations SEMI JOIN asked USING (sensor)
            WHERE {MAIL} AND received_at >= TIMESTAMPTZ '{since}' AND received_at < TIMESTAMPTZ '{until}'),
        days AS (SELECT day, count(*) AS day_n, median(lag) AS lag FROM mail GROUP BY day)
        SELECT day, hour, day_n, days.lag AS lag, count(*) AS n FROM mail JOIN days USING (day)
        GROUP BY ALL ORDER BY hour
        """,  # noqa: S608 - days and our own words
        asked=pa.table({"sensor": [outage.sensor]}),
    ).to_pylist()
    return rows
