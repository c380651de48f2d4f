"""The verb of this stage: from what was measured to what changed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from spamtide.change.alarm import common_days
from spamtide.change.event import Event, find_events
from spamtide.change.segment import prepare, relative_exposure
from spamtide.change.silence import Cause, find_cause, sensor_changes
from spamtide.change.switch import Switch, find_switches, make_mix
from spamtide.model import UNKNOWN, Change, ChangeKind, Counts, Floats, Measurement, SubjectKind
from spamtide.settings import Detecting

NEGLIGIBLE = 0.05
"""Share of a level below which what is left of it is negligible: a fall that far is a cease."""
WELL_INSIDE = 10
"""Days of the panel that must have passed before a subject's first mail makes it new."""
MATCHING = 10
"""Days between a subject's lost attribution and the rise of `unknown` that it explains."""
FEWEST_DAYS = 21
"""Days of a panel below which nothing is said about levels."""

Subject = tuple[SubjectKind, str]


def detect(measurement: Measurement, detecting: Detecting = Detecting()) -> tuple[Change, ...]:  # noqa: B008 - a frozen record of defaults
    """Everything that changed, sorted by onset, kind and subject.

    Args:
        measurement: panel, exposure and series of one observatory.
        detecting: the event ratio, and the share of reports that may be false.

    Returns:
        Changes of the total, of botnets and of programmes, whose false discovery rate over all series is
        held by Benjamini and Hochberg's procedure (1995, JRSS B 57), and the sensors' own outages.
    """
    if not len(measurement.panel.days):
        return ()
    changes = list(sensor_changes(measurement.panel, measurement.exposure))
    if len(measurement.panel.days) >= FEWEST_DAYS:
        changes += _of_subjects(measurement, detecting)
    return tuple(sorted(changes, key=lambda c: (c.onset, c.kind, c.subject_kind, c.subject)))


def _of_subjects(measurement: Measurement, detecting: Detecting) -> list[Change]:
    """Changes of levels and of mixes."""
    ratio = min(max(detecting.ratio, NEGLIGIBLE), 0.95)
    panel = measurement.panel
    series = [item for item in measurement.series if item.subject_kind != "sensor"]
    moves: list[tuple[Subject, Event]] = []
    alarms: list[tuple[Subject, Event]] = []
    tracks = {(item.subject_kind, item.subject): prepare(item.days, item.count, item.offset) for item in series}
    days = common_days([track for (kind, _), track in tracks.items() if kind == "botnet"])
    for subject, track in tracks.items():
        for event in find_events(track, ratio, days):
            (moves if event.alarmed is None else alarms).append((subject, event))
    mixes = _mixes(measurement)
    switches = [(botnet, switch) for botnet, found in mixes for switch in found]
    p_values = [event.p_value for _, event in moves] + [switch.p_value for _, switch in switches]
    tested = (
        len(series) + len(mixes) + _beyond_first([*(s for s, _ in moves), *(("mix", b) for b, _ in switches)])
    )
    adjusted = adjust(p_values, tested)
    usual = _usual(measurement)
    judged: list[tuple[Subject, Event, float, Cause]] = []
    for (subject, event), q in zip(moves, adjusted, strict=False):
        if q <= detecting.false_discovery:
            cause = find_cause(panel, measurement.exposure, subject, event, usual, ratio)
            judged.append((subject, event, q, cause))
    for subject, event in alarms:
        # What the alarm saw, the whole series may show as well: then that is told.
        if not any(other == subject and _same_move(event, known) for other, known, _, _ in judged):
            cause = find_cause(panel, measurement.exposure, subject, event, usual, ratio)
            judged.append((subject, event, 1 - (event.alarmed or 0.0), cause))
    changes = list(_tell(judged, panel.days[0].astype(dt.date)))
    for (botnet, switch), q in zip(switches, adjusted[len(moves) :], strict=True):
        if q <= detecting.false_discovery:
            changes.append(_switched(botnet, switch, q))
    return changes


def _same_move(alarm: Event, known: Event) -> bool:
    """Whether an alarm is about a move that is known already."""
    last = known.end_high or known.until
    return known.kind in {alarm.kind, "surge"} and known.onset_low <= alarm.onset_high and alarm.onset_low <= last


def _beyond_first(owners: Sequence[tuple[str, str]]) -> int:
    """Events after the first of each series: each is one more hypothesis."""
    return len(owners) - len(set(owners))


def adjust(p_values: Sequence[float], tested: int) -> list[float]:
    """P-values adjusted for false discovery (Benjamini and Hochberg 1995) among `tested` hypotheses."""
    order = sorted(range(len(p_values)), key=lambda n: p_values[n], reverse=True)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for behind, n in enumerate(order):
        rank = len(p_values) - behind
        least = min(least, p_values[n] * max(tested, len(p_values)) / rank)
        adjusted[n] = least
    return adjusted


def _mixes(measurement: Measurement) -> list[tuple[str, tuple[Switch, ...]]]:
    """Switches of every botnet that advertises more than one programme."""
    by_botnet: dict[str, dict[str, Counts]] = defaultdict(dict)
    for (botnet, programme), count in measurement.panel.pairs.items():
        if botnet != UNKNOWN:
            by_botnet[botnet][programme] = count
    usual = _usual(measurement)
    offsets = {item.subject: item.offset for item in measurement.series if item.subject_kind == "botnet"}
    found = []
    for botnet, pairs in sorted(by_botnet.items()):
        if len([name for name in pairs if name != UNKNOWN]) < 2:  # noqa: PLR2004 - two to switch between
            continue
        exposure = relative_exposure(offsets.get(botnet, usual))
        found.append((botnet, find_switches(make_mix(measurement.panel.days, pairs, exposure))))
    return found


def _usual(measurement: Measurement) -> Floats:
    """Exposure of all sensors together, 1 at usual, from the total's series."""
    for item in measurement.series:
        if item.subject_kind == "total":
            return relative_exposure(item.offset)
    return np.ones(len(measurement.panel.days))


def _tell(judged: Iterable[tuple[Subject, Event, float, Cause]], first: dt.date) -> Iterable[Change]:
    """Turn judged events into changes; what sensors or names explain is told as such, or not at all."""
    items = list(judged)
    lost = [(subject, event) for subject, event, _, cause in items if cause == "attribution"]
    for subject, event, q, cause in items:
        if cause == "sensor" or (subject[1] == UNKNOWN and _explained(subject, event, lost)):
            continue
        if cause == "attribution":
            yield _change(subject, event, "attribution-loss", 1 - q)
        elif cause == "regained":
            if not any(other == subject and loss.onset < event.onset for other, loss in lost):
                kind = kind_of(event, first)
                if kind is not None:
                    change = _change(subject, event, kind, (1 - q) / 2)
                    yield replace(change, evidence=f"{change.evidence}; unknown fell by as much")
        else:
            kind = kind_of(event, first)
            if kind is not None:
                yield _change(subject, event, kind, 1 - q)


def _explained(subject: Subject, event: Event, lost: Sequence[tuple[Subject, Event]]) -> bool:
    """Whether a move of `unknown` is what one of its fellows lost."""
    return any(
        other[0] == subject[0] and event.kind != "fall" and abs((loss.onset - event.onset).days) <= MATCHING
        for other, loss in lost
    )


def kind_of(event: Event, first: dt.date) -> ChangeKind | None:
    """The kind of a move; None for a subject whose first mail comes too soon after the panel's first day.

    | move | kind |
    |---|---|
    | burst of 1-7 days | surge |
    | fall below 5 % | cease |
    | other fall | decline |
    | rise, never seen before | new |
    | rise from below 5 % of a level that it once held for a week | resume |
    | other rise | rise |
    """
    if event.kind == "surge":
        return "surge"
    if event.kind == "fall":
        return "cease" if event.after < NEGLIGIBLE * event.before else "decline"
    if event.silent_before:
        return "new" if (event.onset - first).days >= WELL_INSIDE else None
    if event.before < NEGLIGIBLE * event.peak_before:
        return "resume"
    return "rise"


def _change(subject: Subject, event: Event, kind: ChangeKind, confidence: float) -> Change:
    """A move as a change."""
    ratio = None if kind == "new" else event.ratio
    shown = "" if ratio is None else f", ratio {ratio:.3g}"
    return Change(
        kind=kind,
        subject_kind=subject[0],
        subject=subject[1],
        onset=event.onset,
        onset_low=event.onset_low,
        onset_high=event.onset_high,
        end=event.end,
        end_low=event.end_low,
        end_high=event.end_high,
        ratio=ratio,
        confidence=confidence,
        evidence=(
            f"{event.before:.3g} -> {event.after:.3g} messages a day at usual exposure{shown}; "
            f"twice the log-likelihood ratio {event.gain:.1f}, p {event.p_value:.2g} over the series"
        ),
    )


def _switched(botnet: str, switch: Switch, q: float) -> Change:
    """A switch as a change."""
    was, now, came, stands = switch.shares
    fell, left, rose, won = switch.messages
    return Change(
        kind="switch",
        subject_kind="botnet",
        subject=botnet,
        onset=switch.onset[0],
        onset_low=switch.onset[1],
        onset_high=switch.onset[2],
        end=switch.end[0],
        end_low=switch.end[1],
        end_high=switch.end[2],
        ratio=None,
        confidence=1 - q,
        from_programme=switch.from_programme,
        to_programme=switch.to_programme,
        evidence=(
            f"{switch.from_programme} {was:.0%} -> {now:.0%} of its mail ({fell:.3g} -> {left:.3g} a day), "
            f"{switch.to_programme} {came:.0%} -> {stands:.0%} ({rose:.3g} -> {won:.3g} a day); "
            f"twice the log-likelihood ratio {switch.gain:.1f}, p {switch.p_value:.2g} over the series"
        ),
    )
