"""Whether an event and a change lie closer together in time than chance would have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.finding.events import ACTIONS, Event
from spamtide.model import Counts

REACH = 14
"""Days from an onset within which an event is mentioned."""
CALENDAR = 365
"""Days, at least, over which the calendar of events is shifted."""


@dataclass(frozen=True, slots=True)
class Coincidence:
    """One event near one onset, and how rare such nearness is."""

    event: Event
    days: int
    """Days from onset to event; negative where the event came first."""
    p: float
    """Share of the shifted calendars in which some event lies as near to some of the onsets tried."""
    shifts: int
    events: int
    """Events in the calendar, all of them considered."""
    onsets: int
    """Onsets that were tried."""


def coincidences(
    onset: dt.date, onsets: Sequence[dt.date], events: Sequence[Event], window: tuple[dt.date, dt.date]
) -> tuple[Coincidence, ...]:
    """Events within REACH days of an onset, each with its p-value from circular shifts of the calendar.

    The calendar of all actions (not of others' measurements) in the window, at least a year long, is
    shifted day by day around the year. p is the share of shifts, the real position included, in which the
    nearest event lies as near to any of `onsets` as this one does to `onset`: every event and every
    onset that was looked at counts, so looking everywhere is paid for.
    """
    last = window[1]
    first = min(window[0], last - dt.timedelta(days=CALENDAR - 1))
    length = (last - first).days + 1
    calendar = [e for e in events if e.kind in ACTIONS and first <= e.date_start <= last]
    tried = sorted({d for d in (*onsets, onset) if first <= d <= last})
    if not calendar or onset not in tried:
        return ()
    to_event = _distance([(e.date_start - first).days for e in calendar], length)
    marks = np.array([(d - first).days for d in tried])
    nearest = np.array([to_event[(marks - shift) % length].min() for shift in range(length)])
    found = []
    for event in calendar:
        days = (event.date_start - onset).days
        if abs(days) <= REACH:
            p = float((nearest <= abs(days)).mean())
            found.append(Coincidence(event, days, p, length, len(calendar), len(tried)))
    return tuple(sorted(found, key=lambda c: (abs(c.days), c.event.date_start, c.event.subject)))


def _distance(at: Sequence[int], length: int) -> Counts:
    """Days from each day of a circular calendar to the nearest of some positions."""
    marked = np.unique(np.array(at, dtype=np.int64))
    around = np.concatenate([marked - length, marked, marked + length])
    right = np.searchsorted(around, np.arange(length))
    days: Counts = np.minimum(around[right] - np.arange(length), np.arange(length) - around[right - 1])
    return days
