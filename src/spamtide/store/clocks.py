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
import pyarrow.compute as pc

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
    """A measurement in which outages that a sensor's clock made are told as such: kind 'clock'."""
    exposure = measurement.exposure
    short = [at for at, outage in enumerate(exposure.outages) if _is_short(outage)]
    if not short:
        return measurement
    rows = _hours(lake, [exposure.outages[at] for at in short])
    found = {at: _explained(exposure.outages[at], rows[number]) for number, at in enumerate(short)}
    told = tuple(found.get(at, outage) for at, outage in enumerate(exposure.outages))
    if told == exposure.outages:
        return measurement
    return replace(measurement, exposure=replace(exposure, outages=told))


def _is_short(outage: Outage) -> bool:
    """Whether a clock may have made an outage."""
    return outage.kind == "down" and outage.end is not None and (outage.end - outage.start).days < LONGEST


def _explained(outage: Outage, rows: Sequence[dict[str, Any]]) -> Outage:
    """A short outage whose mail stands under other days, as what it is; any other as it was."""
    end = outage.end or outage.start
    lags = {row["day"]: row["lag"] for row in rows if row["day_n"] >= FEWEST}
    if len(lags) < FEWEST:
        return outage
    usual = median(lags.values())
    apart = {day: lag - usual for day, lag in lags.items() if abs(lag - usual) >= APART}
    first = dt.datetime.combine(outage.start, dt.time(), tzinfo=dt.UTC)
    last = dt.datetime.combine(end, dt.time(23), tzinfo=dt.UTC)
    moved = [row for row in rows if row["day"] in apart]
    here = [r for r in moved if first <= r["hour"] - dt.timedelta(hours=apart[r["day"]]) <= last]
    steady = [row["n"] for row in rows if row["day"] in lags and row["day"] not in apart]
    due = sum(steady) / max(len(lags) - len(apart), 1) * ((end - outage.start).days + 1)
    if sum(row["n"] for row in here) < FOUND * max(due, FEWEST):
        return outage
    filled = {row["day"]: apart[row["day"]] for row in here}
    return replace(outage, kind="clock", evidence=_evidence(filled, here), lag_hours=median(filled.values()))


def _evidence(apart: dict[dt.date, float], here: Sequence[dict[str, Any]]) -> str:
    """'its clock ran 30 hours ahead on 2 days, 2025-03-13 to 2025-03-14 (24 messages of the outage)'."""
    hours = median(apart.values())
    days = f"{len(apart)} {'day' if len(apart) == 1 else 'days'}, {min(apart)} to {max(apart)}"
    return (
        f"its clock ran {abs(hours):.0f} hours {'ahead' if hours > 0 else 'behind'} on {days} "
        f"({sum(row['n'] for row in here)} messages of the outage)"
    )


def _hours(lake: Lake, outages: Sequence[Outage]) -> list[list[dict[str, Any]]]:
    """By outage: the sensor's messages around it by hour, with their day's messages and median lag."""
    reach = dt.timedelta(days=REACH)
    asked = pa.table(
        {
            "outage": list(range(len(outages))),
            "sensor": [outage.sensor for outage in outages],
            "since": [outage.start - reach for outage in outages],
            "until": [(outage.end or outage.start) + reach for outage in outages],
        }
    )
    rows = lake.query(
        f"""
        WITH mail AS (
            SELECT outage, received_at::DATE AS day, date_trunc('hour', received_at) AS hour, {LAG} AS lag
            FROM observations JOIN asked USING (sensor)
            WHERE {MAIL} AND received_at::DATE BETWEEN since AND until
                  AND received_at >= TIMESTAMPTZ '{pc.min(asked["since"])}'
                  AND received_at < TIMESTAMPTZ '{pc.max(asked["until"]).as_py() + dt.timedelta(days=1)}'),
        days AS (SELECT outage, day, count(*) AS day_n, median(lag) AS lag FROM mail GROUP BY outage, day)
        SELECT outage, day, hour, day_n, days.lag AS lag, count(*) AS n
        FROM mail JOIN days USING (outage, day) GROUP BY ALL ORDER BY outage, hour
        """,  # noqa: S608 - days and our own words
        asked=asked,
    )
    found: list[list[dict[str, Any]]] = [[] for _ in outages]
    for row in rows.to_pylist():
        found[row["outage"]].append(row)
    return found
