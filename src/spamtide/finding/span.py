"""Which days a bulletin speaks of, and which two windows it compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spamtide.errors import BadDataError, UsageError
from spamtide.finding.figures import Window, day_slice
from spamtide.model import Change, Counts, IndexSeries, Measurement

USUAL_DAYS = 28
FEW_MESSAGES = 200
"""Under this many messages in the last USUAL_DAYS, the period is the whole span."""
WEEK = 7
CALM_DAYS = 3
"""Days of the last week, at least, that its level is taken from where a flood is left out of it."""
FAR_BACK = 7
"""Days between the level before and the period from which the level before is called by its month."""
BASE_REACH = 182
"""A base period counts as the level before only if it ended at most this many days before the period."""


@dataclass(frozen=True, slots=True)
class Period:
    """What a bulletin covers."""

    since: dt.date
    until: dt.date
    before: Window
    after: Window

    @property
    def comparable(self) -> bool:
        """Whether there is a window before, so that a change of level can be spoken of at all."""
        return self.before[1] < self.after[0]

    @property
    def far(self) -> bool:
        """Whether the window before lies well back, so that a reader has to be told of which days it is."""
        return self.comparable and (self.since - self.before[1]).days > FAR_BACK


def period(
    measurement: Measurement,
    since: dt.date | None,
    until: dt.date | None,
    changes: Sequence[Change] = (),
) -> Period:
    """Choose the days to speak of and the two windows to compare.

    `until` defaults to the last day with wild mail, `since` to 27 days earlier, or to the first day with
    mail where that is later or these 28 days hold fewer than 200 messages. The window after is the last
    whole week inside the period. The window before is, in this order, whatever has at least one whole week
    with a sensor up: the four weeks before the largest fall inside the period began (`changes`), a base that
    ended before the period, the four weeks before the period, the whole weeks from the start of the data on.
    Where there is none, before equals after and the period is not `comparable`.

    A flood is no level: the window before is cut to its longest part without one, where that is a week or
    more, and the window after as `calm_part` says.

    Raises:
        UsageError: since lies after until, or no day of the data lies between them.
        BadDataError: no wild mail has a date, and not both ends were given.
    """
    days = measurement.panel.days
    daily = _daily(measurement)
    with_mail = np.flatnonzero(daily)
    if with_mail.size:
        _check_reach(days[with_mail[0]].astype(dt.date), days[with_mail[-1]].astype(dt.date), since, until)
    if until is None or since is None:
        if not with_mail.size:
            message = "no wild mail with a believable date"
            raise BadDataError(message, "ingest spam from the wild, or give both --since and --until")
        until = until or days[with_mail[-1]].astype(dt.date)
    if since is None:
        first = min(days[with_mail[0]].astype(dt.date), until)
        since = max(until - dt.timedelta(days=USUAL_DAYS - 1), first)
        if int(daily[day_slice(days, (since, until))].sum()) < FEW_MESSAGES:
            since = first
    if since > until:
        message = f"the period ends ({until}) before it begins ({since})"
        raise UsageError(message)
    week = (max(since, until - dt.timedelta(days=WEEK - 1)), until)
    after = calm_part(week, changes)
    for window in _windows_before(measurement, changes, since, week):
        if _weeks_up(measurement, window):
            return Period(since, until, window, after)
    return Period(since, until, after, after)


def _check_reach(first: dt.date, last: dt.date, since: dt.date | None, until: dt.date | None) -> None:
    """Refuse a period without a day of the data."""
    beyond = ""
    if until is not None and until < first:
        beyond = f"ends ({until}) before the first"
    elif since is not None and since > last:
        beyond = f"begins ({since}) after the last"
    if beyond:
        message = f"the period {beyond} day with mail"
        raise UsageError(message, f"there is mail of {first} to {last}")


def _windows_before(
    measurement: Measurement, changes: Sequence[Change], since: dt.date, after: Window
) -> list[Window]:
    """Candidates for the window before, best first; all end before `after` begins."""
    candidates: list[Window] = []
    onset = _largest_fall(measurement, changes, (since, after[1]))
    if onset is not None:
        candidates.append(_four_weeks_to(measurement, onset))
    base = _base(measurement)
    if base is not None and since - dt.timedelta(days=BASE_REACH) <= base[1] < since:
        candidates.append(base)
    candidates.append(_four_weeks_to(measurement, since))
    start = _first_day(measurement)
    if start is not None:
        whole = (after[0] - start).days // WEEK * WEEK
        candidates.append((start, start + dt.timedelta(days=min(whole, USUAL_DAYS) - 1)))
    floods = flood_days(changes, after[1])
    windows = [_without(floods, window, WEEK) for window in candidates if window[0] <= window[1]]
    return [window for window in windows if window[1] < after[0]]


def calm_part(week: Window, changes: Sequence[Change]) -> Window:
    """The longest part of the last week without a flood that was over by its end.

    All of it where under CALM_DAYS are left. A flood that is not over stays in: it is what spam does now.
    """
    over = [c for c in changes if c.end is not None and c.end <= week[1]]
    return _without(flood_days(over, week[1]), week, CALM_DAYS)


def _without(floods: set[dt.date], window: Window, least: int) -> Window:
    """The longest part of a window without a day of a flood; all of it where that is under `least` days.

    A flood is no level: what is held against it looks like a fall.
    """
    cuts = [window[0] - dt.timedelta(days=1)]
    cuts += sorted(day for day in floods if window[0] <= day <= window[1])
    cuts.append(window[1] + dt.timedelta(days=1))
    before, after = max(pairwise(cuts), key=lambda pair: (pair[1] - pair[0], pair[1]))
    if (after - before).days - 1 < least:
        return window
    return before + dt.timedelta(days=1), after - dt.timedelta(days=1)


def flood_days(changes: Sequence[Change], until: dt.date) -> set[dt.date]:
    """Days on which a flood stood in all mail; one that is not over stands in it up to `until`."""
    beyond = until + dt.timedelta(days=1)
    return {
        change.onset_low + dt.timedelta(days=day)
        for change in changes
        if (change.kind, change.subject_kind) == ("surge", "total")
        for day in range(max(((change.end or beyond) - change.onset_low).days, 1))
    }


def _four_weeks_to(measurement: Measurement, end: dt.date) -> Window:
    """The four weeks up to the day before `end`, or as many whole weeks of them as there is data for."""
    start = _first_day(measurement) or end
    weeks = min(max((end - start).days, 0) // WEEK, USUAL_DAYS // WEEK)
    return end - dt.timedelta(days=weeks * WEEK), end - dt.timedelta(days=1)


def _largest_fall(measurement: Measurement, changes: Sequence[Change], within: Window) -> dt.date | None:
    """Earliest believable onset of the fall that took the most messages a day, in the period."""
    best: tuple[float, str, dt.date] | None = None
    for change in changes:
        if change.kind not in {"decline", "cease"} or change.subject_kind not in {"total", "botnet"}:
            continue
        if not within[0] <= change.onset <= within[1]:
            continue
        counts = _counts(measurement, change)
        usual = counts[
            day_slice(
                measurement.panel.days,
                (
                    change.onset_low - dt.timedelta(days=USUAL_DAYS),
                    change.onset_low - dt.timedelta(days=1),
                ),
            )
        ]
        lost = float(usual.mean()) * (1 - min(change.ratio or 0.0, 1.0)) if usual.size else 0.0
        entry = (lost, change.subject, change.onset_low)
        best = entry if best is None or entry > best else best
    return best[2] if best else None


def _counts(measurement: Measurement, change: Change) -> Counts:
    """Daily counts of a change's subject over all sensors."""
    panel = measurement.panel
    for position, subject in enumerate(panel.subjects):
        if subject == (change.subject_kind, change.subject):
            counts: Counts = panel.counts[position].sum(axis=0)
            return counts
    return np.zeros(panel.days.size, dtype=np.int64)


def _daily(measurement: Measurement) -> Counts:
    """Daily wild spam over all sensors."""
    panel = measurement.panel
    if not panel.subjects or not panel.days.size:
        return np.zeros(panel.days.size, dtype=np.int64)
    counts: Counts = panel.counts[0].sum(axis=0)
    return counts


def _first_day(measurement: Measurement) -> dt.date | None:
    """First day with wild mail."""
    with_mail = np.flatnonzero(_daily(measurement))
    return measurement.panel.days[with_mail[0]].astype(dt.date) if with_mail.size else None


def total_series(measurement: Measurement) -> IndexSeries | None:
    """The total's index, or None where nothing was measured."""
    return next((s for s in measurement.series if s.subject_kind == "total"), None)


def _base(measurement: Measurement) -> Window | None:
    """The base period of the index."""
    series = total_series(measurement)
    if series is None:
        return None
    first, _, last = series.base.partition("..")
    try:
        return dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    except ValueError:
        return None


def _weeks_up(measurement: Measurement, window: Window) -> bool:
    """Whether some sensor was up on at least a week's worth of the window's days, and there was mail."""
    part = day_slice(measurement.panel.days, window)
    up = (measurement.exposure.values[:, part] > 0).any(axis=0)
    return int(up.sum()) >= WEEK and int(_daily(measurement)[part].sum()) > 0
