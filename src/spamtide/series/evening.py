"""Whether a last day is over, and the measurement without one that is not.

Whoever looks in the morning has a part of a day: its count is no level. Mail of it is kept and counted, and
`change` looks at its hours; but it has no index, and no window of days takes it for a whole one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spamtide.model import IndexSeries, Measurement, Panel
from spamtide.series.exposure import total_of

LAST_HOURS, LAST_MESSAGES = 3, 3.0
"""A day with less to come, by what its hours hold on average, is as good as over."""
WEEK_HOURS = 168
"""Hours that tell what an hour holds."""
EVERY_HOUR = 1.0
"""Messages an hour from which a sensor's own last hour tells how far its mail is in."""
MOST = 0.5
"""Share of all mail that busy sensors must have to be asked, and of theirs that must be in."""


def is_over(hourly: Panel) -> bool | None:
    """Whether the last day of an hourly panel is over, or as good as over; None where there are no hours.

    How far a day is in is told by its last hour with mail; where sensors with mail in every hour make most
    of it, by the hour up to which half of their mail is in. So a single clock that is fast closes no day.
    """
    counts = total_of(hourly)
    if not counts.size:
        return None
    usual = counts[:, -WEEK_HOURS:].mean(axis=1)
    days = hourly.days.astype("datetime64[h]")
    midnight = (days[-1].astype("datetime64[D]") + np.timedelta64(1, "D")).astype("datetime64[h]")
    last = len(days) - 1
    busy = np.flatnonzero(usual >= EVERY_HOUR)
    if usual[busy].sum() > MOST * usual.sum():
        latest = np.array([np.flatnonzero(counts[row])[-1] for row in busy])
        order = np.argsort(latest)
        within = np.cumsum(usual[busy][order])
        last = min(last, int(latest[order][np.searchsorted(within, MOST * within[-1])]))
    to_come = int((midnight - days[last]) / np.timedelta64(1, "h")) - 1
    return bool(to_come < LAST_HOURS or to_come * usual.sum() < LAST_MESSAGES)


def without_last_day(measurement: Measurement) -> Measurement:
    """The same measurement with no level on its last day, and none of its sensors counted as up on it."""
    values = measurement.exposure.values.copy()
    values[:, -1:] = 0.0
    return replace(
        measurement,
        exposure=replace(measurement.exposure, values=values),
        series=tuple(_open(one) for one in measurement.series),
    )


def _open(one: IndexSeries) -> IndexSeries:
    """A series whose last day has its count alone."""
    blank = {}
    for name in ("index", "low", "high", "low_90", "high_90", "offset"):
        values = getattr(one, name)
        if values is not None and len(values):
            blank[name] = values.copy()
            blank[name][-1] = 0.0 if name == "offset" else np.nan
    return replace(one, **blank)
