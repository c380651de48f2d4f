"""Which sensor saw what, day by day, estimated from its own mail.

absent and down come from improbable silence (`silence`), changed from a jump with the receiving relay
(`relays`) or against the other sensors (`compare`). After a change a sensor is another sensor: with enough
mail it goes on as a new epoch with its own size (the outage then ends with the days in doubt), else its
exposure is 0 from there on. Either way the index cannot fall because of it. The split is preferred, since
it keeps the mail that follows; below the threshold the new size could not be told, and would only be noise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np

from spamtide.model import UNKNOWN, Counts, Exposure, Floats, Outage, Panel
from spamtide.series.fitting.loglinear import Fit, fit
from spamtide.series.sensors.compare import Epoch, surest_shift
from spamtide.series.sensors.dark import dark_stretches
from spamtide.series.sensors.drift import Drift, surest_drift
from spamtide.series.sensors.partial import partial_changes
from spamtide.series.sensors.recent import recent_changes
from spamtide.series.sensors.relays import Shift, relay_shifts
from spamtide.series.sensors.silence import SIDE_DAYS, Silence, runs, silences

EPOCH_DAYS, EPOCH_MAIL = 14, 30
"""Days and messages that must follow a change for the sensor to go on as a new epoch."""
LEFT_DAYS = 14
"""A sensor silent at the end of the span for this long has left; before that, it is down."""
PARTIAL = 0.5
"""A day next to an outage with less than this share of the usual mail is taken for a part of a day."""
PARTIAL_MAIL = 20.0
"""Usual messages a day below which a part of a day cannot be told."""
LEAST_USUAL = 5.0
"""Messages expected of a sensor in a silence of another from which it says that mail was handed in."""
UNREAD_DAYS = 7
"""Silent days up to which a box may just not have been read again."""
WITNESSES = 2
"""Sensors, and more than half of them, that must have had their usual mail in so short a silence."""
DELIVERED = 0.35
"""Share of the usual mail of whole days from which they were handed in; a large botnet may have stopped."""
DRIFTED = 0.95
"""Confidence of a slow drift."""
MOST_SHIFTS_A_SENSOR = 4
"""Bound on the search for changes."""


def estimate(panel: Panel) -> Exposure:
    """Exposure of every sensor on every day: from heartbeats where there are any, else estimated.

    Silences come first, then relays that moved, then the steps of the log-linear model, the surest first;
    then what touches some senders only, and what the last days hint at.

    Args:
        panel: the counts.

    Returns:
        Values of shape (sensors, days): estimated ones are 1 or 0, and 0 also on days in doubt next to an
        outage; those of heartbeats are the share of the day. Outages are sorted by sensor and day.
    """
    spam = total_of(panel)
    if not spam.size:
        return Exposure(np.zeros(spam.shape), ())
    told = told_up(panel)
    silent = _silences(panel, told)
    unread = [run for run in silent if _may_be_unread(run, spam + panel.ham)]
    values = np.ones(spam.shape)
    for run in silent:
        values[run.sensor, run.first : run.last + 1] = 0.0
    _drop_parts_of_days(values, silent, spam, panel.ham)
    _drop_days_of_nobody(values, unread, spam + panel.ham)
    values = np.where(np.isfinite(told), told, values)
    shifts = relay_shifts(spam, panel.ham, values > 0, panel.relays)
    outages = [_apply(panel, shift, values, spam) for shift in shifts] + _without_beat(panel, told)
    outages += [
        _silence_outage(panel, run)
        for run in silent
        if run not in unread
        and not any(_part_of(run, shift, outage) for shift, outage in zip(shifts, outages, strict=False))
    ]
    _find_steps(panel, values, outages)
    for recent in recent_changes(panel, Exposure(values, tuple(outages))):
        first = recent.onset_low or recent.start
        values[panel.sensors.index(recent.sensor), panel.days >= np.datetime64(first)] = 0.0
        outages.append(recent)
    outages.sort(key=lambda outage: (panel.sensors.index(outage.sensor), outage.start, outage.kind))
    return Exposure(values, tuple(outages))


def _silences(panel: Panel, told: Floats) -> list[Silence]:
    """Silences of single sensors and of all at once, but for those that heartbeats tell of."""
    spam = total_of(panel)
    alone, dark = silences(spam, panel.ham, weekdays_of(panel)), dark_stretches(panel, spam + panel.ham)
    silent = [run for run in alone if not _within(run, dark)]
    silent += [run for run in dark if not _within(run, silent)]
    return [run for run in silent if not _is_told(run, told)]


def _find_steps(panel: Panel, values: Floats, outages: list[Outage]) -> None:
    """Find the days from which a sensor sees more or less than the others let expect; fit anew after each.

    What is found is put into `values` and `outages`.
    """
    spam, by_subject = total_of(panel), partition_of(panel)
    fitted: Fit | None = None
    used, epochs = values, epochs_of(panel, ())
    for _ in range(MOST_SHIFTS_A_SENSOR * len(spam) if len(spam) > 1 else 0):
        epochs = epochs_of(panel, tuple(outages))
        used = epoch_exposure(values, epochs)
        fitted = fit(epoch_counts(spam, epochs), used)
        drift = surest_drift(by_subject, epochs, used, fitted)
        if drift is not None:
            outages.append(_drifting(panel, drift))
            continue
        found = surest_shift(by_subject, epochs, used, fitted)
        if found is None:
            break
        outages.append(_apply(panel, found, values, spam))
    if fitted is not None:
        outages += _of_some(panel, by_subject, epochs, used * fitted.sensor[:, None])


def epochs_of(panel: Panel, outages: Iterable[Outage]) -> tuple[Epoch, ...]:
    """Stretches between the changes of each sensor: a 'changed' outage with an end starts one after it.

    The days in doubt of one that touches some senders only are in none: the exposure knows them as up.
    """
    if not len(panel.days):
        return ()
    first_day, days = date_of(panel, 0), len(panel.days)
    cuts: dict[str, list[tuple[int, int]]] = {}
    for outage in outages:
        if outage.steps:
            at = [(step - first_day).days for step in outage.steps]
            cuts.setdefault(outage.sensor, []).extend(zip(at, at, strict=True))
            continue
        begin = days if outage.end is None else (outage.end - first_day).days + 1
        if outage.kind == "changed" and (outage.subjects or outage.end is not None):
            stop = ((outage.onset_low or outage.start) - first_day).days if outage.subjects else begin
            cuts.setdefault(outage.sensor, []).append((stop, begin))
    epochs = []
    for row, sensor in enumerate(panel.sensors):
        own = sorted(cuts.get(sensor, ()))
        starts = [0, *(begin for _, begin in own)]
        stops = [*(stop for stop, _ in own), days]
        epochs += [Epoch(row, a, b - 1) for a, b in zip(starts, stops, strict=True) if b > a]
    return tuple(epochs)


def _of_some(
    panel: Panel, by_subject: Counts, epochs: tuple[Epoch, ...], expected: Floats
) -> tuple[Outage, ...]:
    """Changes of sensors that touch some senders only; `expected` is by epoch, shape (E, T)."""
    size = np.zeros((len(panel.sensors), len(panel.days)))
    for epoch, row in zip(epochs, expected, strict=True):
        size[epoch.sensor] += row
    names = [name for kind, name in panel.subjects if kind == "botnet"]
    names += [UNKNOWN] * (len(by_subject) - len(names))
    stretches = [(epoch.sensor, epoch.first, epoch.last) for epoch in epochs]
    return partial_changes(panel, (names, by_subject), size, stretches)


def epoch_exposure(values: Floats, epochs: tuple[Epoch, ...]) -> Floats:
    """Exposure by epoch, shape (E, T): that of the sensor inside the epoch, 0 outside."""
    table = np.zeros((len(epochs), values.shape[1]))
    for row, epoch in enumerate(epochs):
        table[row, epoch.first : epoch.last + 1] = values[epoch.sensor, epoch.first : epoch.last + 1]
    return table


def epoch_counts(counts: Counts, epochs: tuple[Epoch, ...]) -> Counts:
    """Counts by epoch, shape (E, T); outside an epoch they are not looked at."""
    rows = np.array([epoch.sensor for epoch in epochs], dtype=np.int64)
    return np.asarray(counts[rows])


def total_of(panel: Panel) -> Counts:
    """All wild spam, shape (S, T)."""
    for row, (kind, _) in enumerate(panel.subjects):
        if kind == "total":
            return np.asarray(panel.counts[row])
    return np.zeros((len(panel.sensors), len(panel.days)), dtype=np.int64)


def partition_of(panel: Panel) -> Counts:
    """All wild spam by botnet, shape (K, S, T); mail of no botnet in the panel comes last, if any."""
    rows = [row for row, (kind, _) in enumerate(panel.subjects) if kind == "botnet"]
    named = np.asarray(panel.counts[rows])
    rest = np.maximum(total_of(panel) - named.sum(axis=0), 0)
    return np.concatenate([named, rest[None]]) if rest.any() or not rows else named


def weekdays_of(panel: Panel) -> Counts:
    """Weekday of each day, Monday 0."""
    return np.asarray((panel.days.astype("datetime64[D]").astype(np.int64) + 3) % 7)


def date_of(panel: Panel, position: int) -> dt.date:
    """The day at a position of the span."""
    day: dt.date = panel.days[position].astype("datetime64[D]").astype(object)
    return day


def told_up(panel: Panel) -> Floats:
    """Share of each day that heartbeats show the sensor up, NaN where they say nothing.

    Mail is a sign of life itself: a day without a heartbeat and with mail is one that they say nothing about.
    """
    spam = total_of(panel)
    if panel.up is None:
        return np.full(spam.shape, np.nan)
    return np.where((panel.up <= 0) & (spam + panel.ham > 0), np.nan, panel.up)


def _within(run: Silence, others: list[Silence]) -> bool:
    """Whether a silence is part of another of its sensor."""
    return any(one.sensor == run.sensor and one.first <= run.first and run.last <= one.last for one in others)


def _is_told(run: Silence, told: Floats) -> bool:
    """Whether heartbeats tell of the whole of a silence."""
    return bool(np.isfinite(told[run.sensor, run.first : run.last + 1]).all())


def _drifting(panel: Panel, drift: Drift) -> Outage:
    """A slow drift as outage: no day of it is lost, but the sensor counts anew again and again."""
    return Outage(
        sensor=panel.sensors[drift.sensor],
        start=date_of(panel, drift.first),
        end=date_of(panel, drift.last) if drift.over else None,
        kind="changed",
        evidence=drift.evidence,
        confidence=DRIFTED,
        onset_low=date_of(panel, max(drift.first - EPOCH_DAYS, 0)),
        onset_high=date_of(panel, min(drift.first + EPOCH_DAYS, len(panel.days) - 1)),
        steps=tuple(date_of(panel, step) for step in drift.steps),
        drift=drift.ratio,
    )


def _without_beat(panel: Panel, told: Floats) -> list[Outage]:
    """Runs of days on which a sensor with heartbeats gave none."""
    found = []
    last = len(panel.days) - 1
    for row, sensor in enumerate(panel.sensors):
        for first, end in runs(told[row] == 0):
            days = end - first + 1
            found.append(
                Outage(
                    sensor=sensor,
                    start=date_of(panel, first),
                    end=None if end == last else date_of(panel, end),
                    kind="absent" if end == last and days >= LEFT_DAYS else "down",
                    evidence=f"no heartbeat and no mail for {days} days",
                    onset_low=date_of(panel, first),
                    onset_high=date_of(panel, first),
                )
            )
    return found


def _may_be_unread(run: Silence, mail: Counts) -> bool:
    """Whether a silence at the panel's end may be mail that was not handed in yet.

    Boxes are read one after the other, and cut off at different times. So a silence of a few days says
    nothing unless most other sensors had their usual mail on its days; a longer one, unless one of them had.
    """
    if run.place != "trailing":
        return False
    others = np.delete(mail, run.sensor, axis=0).astype(np.float64)
    before = others[:, max(0, run.first - SIDE_DAYS) : run.first]
    if not len(others) or not before.shape[1]:
        return run.last == run.first
    days = run.last + 1 - run.first
    # The panel's last day may be a part of one for everybody, so longer silences are asked about without it.
    whole = min(max(days - 1, 1), SIDE_DAYS)
    expected = before.mean(axis=1) * whole
    seen = others[:, run.first : run.first + whole].sum(axis=1)
    telling = expected >= LEAST_USUAL
    delivered = telling & (seen >= (PARTIAL if days == 1 else DELIVERED) * expected)
    if days > UNREAD_DAYS:
        came = (others[:, run.first :].sum(axis=0) > 0).sum()  # sensors that began since had no usual mail
        return not delivered.any() and bool(came <= UNREAD_DAYS)
    return bool(delivered.sum() < WITNESSES or 2 * delivered.sum() <= telling.sum())


def _drop_days_of_nobody(values: Floats, unread: list[Silence], mail: Counts) -> None:
    """Set to 0 the last days that were handed in by next to nobody: a stray message is no level of theirs.

    Days on which others began, long after, are those others'.
    """
    if not unread:
        return
    first = min(run.first for run in unread)
    rest = np.delete(np.arange(len(mail)), [run.sensor for run in unread])
    last = max(run.first for run in unread)
    before, since = mail[rest, max(0, first - SIDE_DAYS) : first], mail[rest, last:]
    if before.sum() < LEAST_USUAL * min(first, SIDE_DAYS) and since.sum() < LEAST_USUAL * since.shape[1]:
        values[:, last:] = 0.0


def _silence_outage(panel: Panel, run: Silence) -> Outage:
    """A silent run as outage: before the first mail and long after the last the sensor is absent."""
    left = run.place == "trailing" and run.last - run.first + 1 >= LEFT_DAYS
    days = run.last - run.first + 1
    came = int((total_of(panel) + panel.ham)[run.sensor, run.first : run.last + 1].sum())
    what = f"hardly any mail ({came})" if came else "no mail"
    evidence = f"{what} for {days} days, {run.expected:.0f} expected (chance {run.chance:.1g})"
    if days == len(panel.days):
        evidence = "no mail at all"
    return Outage(
        sensor=panel.sensors[run.sensor],
        start=date_of(panel, run.first),
        end=None if run.last == len(panel.days) - 1 else date_of(panel, run.last),
        kind="absent" if run.place == "leading" or left else "down",
        evidence=evidence,
        confidence=1.0 - run.chance,
        onset_low=date_of(panel, run.first),
        onset_high=date_of(panel, run.first),
    )


def _end_of(panel: Panel, shift: Shift, mail: Counts) -> Outage:
    """A change after which nothing came, other mail neither: no filter's, but the end of the sensor.

    One that comes and goes is silent too often for its own mail to show it (`silence`). There is no
    exposure from the earliest day on which it may have begun, `onset_low`.
    """
    first = int(np.flatnonzero(mail[shift.sensor])[-1]) + 1
    days = len(panel.days) - first
    return Outage(
        sensor=panel.sensors[shift.sensor],
        start=date_of(panel, first),
        end=None,
        kind="absent" if days >= LEFT_DAYS else "down",
        evidence=f"no mail for {days} days; {shift.evidence}",
        confidence=shift.confidence,
        onset_low=date_of(panel, min(shift.low, first)),
        onset_high=date_of(panel, first),
    )


def _part_of(run: Silence, shift: Shift, outage: Outage) -> bool:
    """Whether a silence is told by a change already: it spans the change, or follows one that has no end."""
    follows = outage.end is None and run.first > shift.high
    return run.sensor == shift.sensor and (follows or run.first <= shift.high <= run.last)


def _drop_parts_of_days(values: Floats, silent: list[Silence], spam: Counts, ham: Counts) -> None:
    """Set to 0 the day before and after a silent run where the sensor was up for part of it, it seems."""
    mail = spam + ham
    for run in silent:
        row = mail[run.sensor]
        for edge, week in (
            (run.first - 1, slice(max(0, run.first - 8), max(0, run.first - 1))),
            (run.last + 1, slice(run.last + 2, run.last + 9)),
        ):
            if not 0 <= edge < len(row) or not row[week].size:
                continue
            usual = float(np.median(row[week]))
            if usual >= PARTIAL_MAIL and row[edge] < PARTIAL * usual:
                values[run.sensor, edge] = 0.0


def _apply(panel: Panel, shift: Shift, values: Floats, spam: Counts) -> Outage:
    """Take a change into the exposure and say so as outage."""
    row = values[shift.sensor]
    follows = np.flatnonzero(row[shift.high + 1 :] > 0) + shift.high + 1
    goes_on = len(follows) >= EPOCH_DAYS and spam[shift.sensor, follows].sum() >= EPOCH_MAIL
    if goes_on:
        row[shift.low : shift.high + 1] = 0.0
    else:
        row[shift.low :] = 0.0
    if shift.move is None and not (spam + panel.ham)[shift.sensor, shift.high + 1 :].any():
        left = _end_of(panel, shift, spam + panel.ham)
        row[panel.days >= np.datetime64(left.onset_low)] = 0.0
        return left
    return Outage(
        sensor=panel.sensors[shift.sensor],
        start=date_of(panel, shift.day),
        end=date_of(panel, shift.high) if goes_on else None,
        kind="changed",
        evidence=shift.evidence,
        confidence=shift.confidence,
        onset_low=date_of(panel, shift.low),
        onset_high=date_of(panel, shift.high),
        relay_before=shift.move.before if shift.move else "",
        relay_after=shift.move.after if shift.move else "",
    )
