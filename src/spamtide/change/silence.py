"""Say why a subject went quiet: it stopped, the sensors were lost, or the attribution was lost.

| cause | what speaks for it |
|---|---|
| stopped | the fall shows on sensors that were up and unchanged before and after it |
| sensor | a sensor came, went or changed at that time, and the sensors that did not show no such move |
| attribution | `unknown` rose by about what the subject lost, at the same time, and the total stayed |
| regained | the mirror of the last: the subject won what `unknown` lost |
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from spamtide.change.event import Event
from spamtide.change.segment import Bools
from spamtide.change.switch import welch
from spamtide.model import UNKNOWN, Change, Exposure, Floats, Outage, Panel, SubjectKind

Cause = Literal["stopped", "sensor", "attribution", "regained"]

REACH = 28
"""Units before and after a move that levels are compared over."""
NEAR = 3
"""Days between a move and a sensor's for the one to be a possible cause of the other."""
LEAST_EXPECTED = 5.0
"""Messages that witnesses must be expected to have seen, had nothing changed, to bear witness."""
UP = 0.5
"""Exposure from which a sensor's day can bear witness."""
FEWEST_DAYS = 2
ABOUT_AS_MUCH = (0.5, 2.0)
"""What `unknown` won against what the subject lost, for the one to have become the other."""
STAYED = 0.4
"""Part of the subject's loss that the total may have lost when only names were lost."""
LEAST_T = 3.0
LEAST_CONFIDENCE = 0.5
"""Outages that are less sure than this are not reported."""
REACHES, ENOUGH_MAIL = (28, 84, 252), 30
"""Days that a changed sensor is compared over: the fewest that held enough messages before."""
LEFT_FOR_GOOD = 7
"""Days of absence at the end of the panel from which a sensor is reported as lost."""


def find_cause(
    panel: Panel,
    exposure: Exposure,
    subject: tuple[SubjectKind, str],
    event: Event,
    usual: Floats,
    ratio: float,
) -> Cause:
    """The cause of one event of one subject.

    Args:
        panel: the counts.
        exposure: the sensors' days and outages.
        subject: kind and name.
        event: its move.
        usual: exposure of all sensors together, shape (days,), 1 at usual, 0 where none was up.
        ratio: the event ratio of the settings.
    """
    if subject not in panel.subjects:
        return "stopped"
    if _by_sensor(panel, exposure, subject, event, ratio):
        return "sensor"
    kind, name = subject
    nameless = (kind, UNKNOWN)
    if kind == "total" or name == UNKNOWN or nameless not in panel.subjects or event.kind == "surge":
        return "stopped"
    return _by_name(panel, subject, nameless, event, usual)


def _sides(event: Event, days: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> tuple[Bools, Bools]:
    """Days at the level before and days at the level after, at most REACH units of each."""
    reach = np.timedelta64(REACH * event.step, "D")
    last = np.datetime64(event.onset_low)
    first = np.datetime64(event.end_high or event.onset_high)
    before = (days >= max(np.datetime64(event.since), last - reach)) & (days < last)
    after = (days >= first) & (days < min(np.datetime64(event.until), first + reach))
    return before, after


def _by_sensor(
    panel: Panel, exposure: Exposure, subject: tuple[SubjectKind, str], event: Event, ratio: float
) -> bool:
    """Whether sensors that moved at that time carry the move alone."""
    if not any(_touches(outage, event) for outage in exposure.outages):
        return False
    counts = panel.counts[panel.subjects.index(subject)]
    witness = _witnesses(panel, exposure, event)
    before, after = _sides(event, panel.days)
    if event.kind == "surge":
        after = (panel.days >= np.datetime64(event.onset)) & (
            panel.days < np.datetime64(event.end or event.until)
        )
    if before.sum() < FEWEST_DAYS or not after.any():
        return False
    expected = saw = 0.0
    for row, sees, relays in zip(counts, witness, panel.relays, strict=True):
        mine_before, mine_after = sees & before, sees & after
        if _usual_relay(relays, mine_before) != _usual_relay(relays, mine_after):
            # It moved while others changed: no witness, even if it is too thin to be called changed.
            continue
        if mine_before.sum() < FEWEST_DAYS or mine_after.sum() < min(FEWEST_DAYS, after.sum()):
            continue
        expected += float(row[mine_before].mean() * mine_after.sum())
        saw += float(row[mine_after].sum())
    if event.kind == "fall":
        return expected < LEAST_EXPECTED or saw > math.sqrt(ratio) * expected
    # After a rise the messages seen, not those expected, are what bears witness.
    return saw < LEAST_EXPECTED or expected > math.sqrt(ratio) * saw


def _usual_relay(relays: Sequence[str], days: Bools) -> str:
    """The relay that a sensor received by on most of some days; '' when there is none."""
    named = Counter(relay for relay, wanted in zip(relays, days, strict=False) if wanted and relay)
    return named.most_common(1)[0][0] if named else ""


def _witnesses(panel: Panel, exposure: Exposure, event: Event) -> Bools:
    """Days on which each sensor can bear witness of a move, shape (sensors, days).

    Not while it is out; and after a change a sensor is another sensor, which can only be compared with
    itself on one side of that change.
    """
    witness: Bools = exposure.values >= UP
    onset = np.datetime64(event.onset)
    for outage in exposure.outages:
        if outage.sensor not in panel.sensors:
            continue
        row = panel.sensors.index(outage.sensor)
        first = np.datetime64(outage.onset_low or outage.start)
        last = panel.days[-1] if outage.end is None else np.datetime64(outage.end)
        witness[row, (panel.days >= first) & (panel.days <= last)] = False
        if outage.kind == "changed":
            earlier = first <= onset
            witness[row, panel.days <= last if earlier else panel.days >= first] = False
    return witness


def _touches(outage: Outage, event: Event) -> bool:
    """Whether an outage began or ended near the move."""
    near = dt.timedelta(days=NEAR)
    first = event.onset_low - near
    last = (event.end_high or event.onset_high) + near
    edges = [outage.start] if outage.end is None else [outage.start, outage.end + dt.timedelta(days=1)]
    return any(first <= edge <= last for edge in edges)


def _by_name(
    panel: Panel,
    subject: tuple[SubjectKind, str],
    nameless: tuple[SubjectKind, str],
    event: Event,
    usual: Floats,
) -> Cause:
    """Whether the subject's mail only changed its name."""
    before, after = _sides(event, panel.days)
    up = usual > 0
    rates = {
        key: panel.counts[panel.subjects.index(key)].sum(axis=0) / np.where(up, usual, 1.0)
        for key in (subject, nameless)
    }
    total = panel.counts[0].sum(axis=0) / np.where(up, usual, 1.0)
    mine = welch(rates[subject][before & up], rates[subject][after & up])
    other = welch(rates[nameless][before & up], rates[nameless][after & up])
    everything = welch(total[before & up], total[after & up])
    change = mine[1] - mine[0]
    if change == 0 or abs(other[2]) < LEAST_T:
        return "stopped"
    if not ABOUT_AS_MUCH[0] <= -(other[1] - other[0]) / change <= ABOUT_AS_MUCH[1]:
        return "stopped"
    shift = everything[1] - everything[0]
    noise = abs(shift / everything[2]) if everything[2] else 0.0
    if abs(shift) > STAYED * abs(change) + 2 * noise:
        return "stopped"
    return "attribution" if event.kind == "fall" else "regained"


def sensor_changes(panel: Panel, exposure: Exposure) -> tuple[Change, ...]:
    """Outages as changes of their sensors. A sensor that joins changes nothing."""
    found = []
    for outage in exposure.outages:
        if outage.confidence < LEAST_CONFIDENCE or not _worth_telling(outage, panel):
            continue
        changed = outage.kind == "changed"
        # A change lasts: the end of its record is only that of the days in doubt.
        back = None if changed or outage.end is None else outage.end + dt.timedelta(days=1)
        if back is not None and back > panel.days[-1].astype(dt.date):
            back = None
        found.append(
            Change(
                kind="sensor-change" if changed else "sensor-outage",
                subject_kind="sensor",
                subject=outage.sensor,
                onset=outage.start,
                onset_low=outage.onset_low or outage.start,
                onset_high=outage.onset_high or outage.start,
                end=back,
                end_low=back,
                end_high=back,
                ratio=_own_ratio(panel, outage) if changed else 0.0,
                confidence=outage.confidence,
                evidence=outage.evidence,
            )
        )
    return tuple(found)


def _worth_telling(outage: Outage, panel: Panel) -> bool:
    """Down and changed sensors are; of absent ones, those that left well before the panel ends."""
    if outage.kind != "absent":
        return True
    first: dt.date = panel.days[0].astype(dt.date)
    last: dt.date = panel.days[-1].astype(dt.date)
    goes_on = outage.end is None or outage.end >= last
    return outage.start > first and goes_on and (last - outage.start).days >= LEFT_FOR_GOOD


def _own_ratio(panel: Panel, outage: Outage) -> float | None:
    """A changed sensor's own spam, after against before, over as many days as it takes; None without any."""
    if outage.sensor not in panel.sensors:
        return None
    spam = panel.counts[0, panel.sensors.index(outage.sensor)]
    first = np.datetime64(outage.onset_low or outage.start)
    last = np.datetime64(outage.onset_high or outage.start)
    before, after = spam[panel.days < first], spam[panel.days > last]
    for reach in REACHES:
        near, next_to = before[-reach:], after[:reach]
        if near.sum() >= ENOUGH_MAIL or reach == REACHES[-1]:
            break
    return float(next_to.mean() / near.mean()) if len(next_to) and near.sum() else None
