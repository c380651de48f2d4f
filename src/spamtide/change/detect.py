"""The verb of this stage: from what was measured to what changed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from spamtide.change.causes.dips import with_dips
from spamtide.change.causes.names import Names
from spamtide.change.causes.shared_days import share_days
from spamtide.change.causes.silence import Cause, find_cause, sensor_changes
from spamtide.change.causes.telling import (
    ALARM,
    MATCHING,
    NEGLIGIBLE,
    Judged,
    Subject,
    names_are_lost,
    switched,
    tell,
)
from spamtide.change.causes.together import together
from spamtide.change.causes.trail import no_traces
from spamtide.change.causes.young import just_lost
from spamtide.change.mixes.mix import make_mix
from spamtide.change.mixes.switch import Switch, find_switches
from spamtide.change.mixes.turn import standing_switch
from spamtide.change.moves.event import Event
from spamtide.change.moves.find import find_all
from spamtide.change.moves.segment import (
    LEAST_EXPOSURE,
    WEEK,
    Track,
    prepare,
    relative_exposure,
    weekday_offsets,
)
from spamtide.change.parts import dated_by_parts
from spamtide.change.summed import told_by_parts
from spamtide.each import Each, in_turn
from spamtide.model import UNKNOWN, Change, Counts, Detected, Floats, IndexSeries, Measurement, Panel, Tracing
from spamtide.settings import Detecting

FEWEST_DAYS = 21
"""Days of a panel below which nothing is said about levels."""

AROUND, NEARLY_ALL = 28, 0.9
"""Days on either side of a move of `unknown`, and its share of all mail in them from which on such a move
only repeats the total's."""
SURE = 0.9
"""Confidence from which a move is sure: of all changes together as large a share is true."""
NEWS = 0.95
"""Confidence from which an online alarm is a change: one false one in twenty series-years, however often the
series are looked at."""

TIMES = 3.0
"""Times its level that a programme's flood must reach."""

Found = list[tuple[Subject, Event]]
Believed = tuple[Subject, Event, float]
"""A move with its confidence."""
Turned = tuple[str, Switch, float]
"""A botnet, a switch of its mix, and the confidence."""


def detect(
    measurement: Measurement,
    detecting: Detecting = Detecting(),  # noqa: B008 - a frozen record of defaults
    *,
    whole: bool = False,
) -> tuple[Change, ...]:
    """Everything that changed, sorted by onset, kind and subject.

    Args:
        measurement: panel, exposure and series of one observatory.
        detecting: the event ratio, and the share of reports that may be false.
        whole: the panel's last day is known to be over. Otherwise alarms leave it to tomorrow: what of a
            day has come so far is as uneven as its hours, and `watch_hours` has those.

    Returns:
        Changes of the total, of botnets and of programmes, whose false discovery rate over all series is
        held by Benjamini and Hochberg's procedure (1995, JRSS B 57); what the online alarm has just
        flagged and is sure of; and the sensors' own outages and changes.
    """
    return look(measurement, detecting, whole=whole).changes


def look(
    measurement: Measurement,
    detecting: Detecting = Detecting(),  # noqa: B008 - a frozen record of defaults
    *,
    whole: bool = False,
    each: Each = in_turn,
    tracing: Tracing = no_traces,
) -> Detected:
    """As `detect`, with the alarms beside the changes: what is less sure than NEWS, held to a rate by time.

    Args:
        measurement: as for `detect`.
        detecting: as for `detect`.
        whole: as for `detect`.
        each: how series and mixes are looked at, one after the other or side by side.
        tracing: counts messages where a botnet fell and mail without a name rose: see `causes.trail`.
    """
    if not len(measurement.panel.days):
        return Detected((), ())
    found = list(sensor_changes(measurement.panel, measurement.exposure))
    if len(measurement.panel.days) >= FEWEST_DAYS:
        found += _of_levels_and_mixes(measurement, detecting, each, tracing, whole=whole)
    found = [change for change in found if not _repeats_the_total(change, found, measurement)]
    found = with_dips(found, measurement.panel, measurement.exposure.values)
    found.sort(key=lambda c: (c.onset, c.kind, c.subject_kind, c.subject))
    return Detected(
        tuple(change for change in found if not _unsure(change)),
        tuple(change for change in found if _unsure(change)),
    )


def _unsure(change: Change) -> bool:
    """Whether it is an alarm, and no more than that."""
    return ALARM in change.evidence and change.confidence < NEWS


def _repeats_the_total(change: Change, found: Sequence[Change], measurement: Measurement) -> bool:
    """Whether `unknown` was nearly all mail when it moved, and the same is told of the total."""
    panel = measurement.panel
    subject = (change.subject_kind, change.subject)
    if change.subject != UNKNOWN or subject not in panel.subjects:
        return False
    first: dt.date = panel.days[0].astype(dt.date)
    near = slice(max((change.onset - first).days - AROUND, 0), (change.onset - first).days + AROUND)
    mine, whole = (panel.counts[row][:, near].sum() for row in (panel.subjects.index(subject), 0))
    return bool(mine >= NEARLY_ALL * whole) and any(
        other.subject_kind == "total"
        and other.kind == change.kind
        and other.onset_low <= change.onset_high
        and change.onset_low <= other.onset_high
        for other in found
    )


def _of_levels_and_mixes(
    measurement: Measurement, detecting: Detecting, each: Each, tracing: Tracing, *, whole: bool
) -> Iterator[Change]:
    """Changes of levels and of mixes, believed together. Arguments as for `look`."""
    ratio = min(max(detecting.ratio, NEGLIGIBLE), 0.95)
    told = [
        item
        for item in measurement.series
        if item.subject_kind != "sensor" and not _is_the_total(item, measurement)
    ]
    tracks, mixes = _tracks_and_mixes(measurement, told, each)
    tracks = share_days(tracks, [subject for subject in tracks if subject[0] == "botnet"])
    moves, alarms = _events(tracks, ratio, detecting.false_discovery, each, whole=whole)
    believed, turned = _believed(moves, mixes, len(tracks), detecting.false_discovery)
    events = [*believed, *_news(alarms, believed)]
    turned += _news_of_mixes(mixes, turned)
    judged = measurement if whole else _without_last_day(measurement)
    naming = partial(Names, tracing=tracing, turned=[one[:2] for one in turned])
    yield from _told(judged, events, _falls(moves, alarms, events), tracks, ratio, each, naming)
    for botnet, switch, confidence in turned:
        yield switched(botnet, switch, confidence)


def _believed(
    moves: Found, mixes: Mapping[str, Sequence[Switch]], series: int, rate: float
) -> tuple[list[Believed], list[Turned]]:
    """The moves and switches that are believed, each with its confidence: 1 - its adjusted p-value.

    Floods of a day are a family of hypotheses of their own: what falls are sure of lends them nothing.

    Args:
        moves: moves of all series that the segmentation found.
        mixes: the switches of each botnet's mix, those that the alarm alone knows of among them.
        series: how many series were looked at.
        rate: share of what is believed that may be false.
    """
    # Letters that name a shop come and go by the day: a programme's flood is one that no such day makes.
    floods = [
        one
        for one in moves
        if one[1].kind == "surge" and (one[0][0] != "programme" or one[1].after > TIMES * one[1].before)
    ]
    moves = [one for one in moves if one[1].kind != "surge"]
    switches = [
        (botnet, found) for botnet, every in mixes.items() for found in every if found.alarmed is None
    ]
    p_values = [event.p_value for _, event in moves] + [switch.p_value for _, switch in switches]
    owners = [*(subject for subject, _ in moves), *(("mix", botnet) for botnet, _ in switches)]
    adjusted = adjust(p_values, series + len(mixes) + _beyond_first(owners))
    of_floods = adjust(
        [event.p_value for _, event in floods], series + _beyond_first([subject for subject, _ in floods])
    )
    weighed = [*zip(moves, adjusted, strict=False), *zip(floods, of_floods, strict=True)]
    turned = zip(switches, adjusted[len(moves) :], strict=True)
    return (
        [(*one, 1 - q) for one, q in weighed if q <= rate],
        [(*one, 1 - q) for one, q in turned if q <= rate],
    )


def _news_of_mixes(mixes: Mapping[str, Sequence[Switch]], turned: Sequence[Turned]) -> list[Turned]:
    """Switches that the alarm alone knows of, of programmes that no believed switch is about."""
    known = {(botnet, switch.from_programme, switch.to_programme) for botnet, switch, _ in turned}
    return [
        (botnet, found, found.alarmed)
        for botnet, every in mixes.items()
        for found in every
        if found.alarmed is not None and (botnet, found.from_programme, found.to_programme) not in known
    ]


def _without_last_day(measurement: Measurement) -> Measurement:
    """The measurement without a day that is not over: what came of it so far says nothing of causes."""
    panel, exposure = measurement.panel, measurement.exposure
    return Measurement(
        replace(
            panel,
            days=panel.days[:-1],
            counts=panel.counts[..., :-1],
            ham=panel.ham[:, :-1],
            relays=tuple(names[:-1] for names in panel.relays),
            pairs={pair: count[:-1] for pair, count in panel.pairs.items()},
            up=None if panel.up is None else panel.up[:, :-1],
        ),
        replace(exposure, values=exposure.values[:, :-1]),
        tuple(
            replace(item, offset=item.offset[:-1])
            for item in measurement.series
            if item.subject_kind == "total"
        ),
    )


def _is_the_total(item: IndexSeries, measurement: Measurement) -> bool:
    """Whether `unknown` is all that there is, and what can be said of it is said of the total."""
    kinds = [kind for kind, _ in measurement.panel.subjects]
    return item.subject == UNKNOWN and kinds.count(item.subject_kind) == 1


def _events(
    tracks: Mapping[Subject, Track], ratio: float, worth: float, each: Each, *, whole: bool
) -> tuple[Found, Found]:
    """Events of all series: those of the segmentation, and those that only the alarm knows of."""
    moves: Found = []
    alarms: Found = []
    found = find_all([*tracks.values()], ratio, worth=worth, whole=whole, each=each)
    for subject, events in zip(tracks, found, strict=True):
        for event in events:
            (moves if event.alarmed is None else alarms).append((subject, event))
    return moves, alarms


def _news(alarms: Found, believed: Sequence[Believed]) -> list[Believed]:
    """Alarms about moves that the whole series does not show yet."""
    return [
        (subject, event, event.alarmed or 0.0)
        for subject, event in alarms
        if not any(other == subject and same_move(event, known) for other, known, _ in believed)
    ]


def same_move(alarm: Event, known: Event) -> bool:
    """Whether an alarm is about a move that is known already: one that it may overlap."""
    last = known.end_high or known.until
    same = known.kind in {alarm.kind, "surge"}
    return same and known.onset_low <= (alarm.end_high or alarm.onset_high) and alarm.onset_low <= last


def _falls(moves: Found, alarms: Found, events: Sequence[Believed]) -> Found:
    """Falls of botnets that are not sure by themselves, of botnets of which no fall is told about then."""
    return [
        (subject, event)
        for subject, event in (*moves, *alarms)
        if event.kind == "fall"
        and subject[0] == "botnet"
        and subject[1] != UNKNOWN
        and not any(
            other == subject and (known is event or abs((known.onset - event.onset).days) <= MATCHING)
            for other, known, confidence in events
            if confidence >= SURE
        )
    ]


def _at_one_time(one: Event, other: Event) -> bool:
    """Whether two moves may have begun on one day, or on two that follow."""
    day = dt.timedelta(days=1)
    return one.onset_low <= other.onset_high + day and other.onset_low <= one.onset_high + day


def _told(
    measurement: Measurement,
    events: Sequence[Believed],
    falls: Found,
    tracks: Mapping[Subject, Track],
    ratio: float,
    each: Each,
    naming: Callable[[Panel, Floats], Names],
) -> Iterator[Change]:
    """Judge events by their causes, and tell them.

    Args:
        measurement: what was measured.
        events: what is believed, and the news.
        falls: falls that are not sure, one of which may be what a sure rise of `unknown` is.
        tracks: all series.
        ratio: the event ratio.
        each: how events are looked at, one after the other or side by side.
        naming: what is known of names in a panel, given what its mail is expected to be by day.
    """
    panel, exposure = measurement.panel, measurement.exposure
    usual = _usual(measurement)
    total = panel.counts[0].sum(axis=0).astype(np.float64)
    weekday = np.maximum(weekday_offsets(total, usual), LEAST_EXPOSURE)[np.arange(len(usual)) % WEEK]

    def cause(one: tuple[Subject, Event]) -> Cause:
        return find_cause(panel, exposure, *one, usual, weekday, ratio)

    names = naming(panel, usual * weekday)
    causes = each(cause, [one[:2] for one in events])
    judged = [
        _borne_out(Judged(*one, *names.corrected(*one[:2], why)))
        for one, why in zip(events, causes, strict=True)
    ]
    judged = names.with_last_letters(names.taken_along(judged))
    judged += just_lost(names, judged)
    for risen in [one for one in judged if one.subject == ("botnet", UNKNOWN) and one.confidence >= SURE]:
        if risen.event.kind != "rise" or risen.cause != "stopped" or names_are_lost(judged, risen):
            continue
        near = [one for one in falls if _at_one_time(one[1], risen.event)]
        asked = [(one, names.corrected(*one, cause(one))) for one in near]
        lost = [(*one, trail) for one, (why, trail) in asked if why == "attribution"]
        if not lost:
            fallen = {one.subject for one in judged if _at_one_time(one.event, risen.event)}
            lost = [one for one in names.behind(risen.event) if one[0] not in fallen]
        # Of a move and an alarm about it, one is enough.
        if len({subject for subject, _, _ in lost}) == 1:
            subject, event, trail = lost[0]
            others = [one for one in judged if one.event is not event]
            judged = [*others, Judged(subject, event, risen.confidence, "attribution", trail)]
    judged, of_sensors = together(panel, exposure, judged)
    judged = told_by_parts(list(dated_by_parts(judged)), tracks, ratio)
    yield from tell(judged, panel)
    yield from of_sensors


def _borne_out(one: Judged) -> Judged:
    """A fall as sure as its counts and the traces of a lost name make it together."""
    lost = one.cause == "attribution" and one.event.kind == "fall"
    return replace(one, confidence=one.trail.bears_out(one.confidence)) if lost else one


def _beyond_first(owners: Sequence[tuple[str, str]]) -> int:
    """Events after the first of each series: each is one more hypothesis."""
    return len(owners) - len(set(owners))


def adjust(p_values: Sequence[float], tested: int) -> list[float]:
    """P-values adjusted for false discovery (Benjamini and Hochberg 1995) among `tested` hypotheses.

    A hypothesis of which no p-value is given counts as one with a p-value of 1.
    """
    order = sorted(range(len(p_values)), key=lambda n: p_values[n], reverse=True)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for behind, n in enumerate(order):
        rank = len(p_values) - behind
        least = min(least, p_values[n] * max(tested, len(p_values)) / rank)
        adjusted[n] = least
    return adjusted


def _tracks_and_mixes(
    measurement: Measurement, told: Sequence[IndexSeries], each: Each
) -> tuple[dict[Subject, Track], dict[str, tuple[Switch, ...]]]:
    """Series made ready, and switches of the botnets that advertise more than one programme.

    Neither needs the other, so that all are looked at at one time, the mixes first: they take longer.
    """
    several, of_botnet = _mixing(measurement)

    def one(place: int) -> tuple[Track | None, tuple[Switch, ...]]:
        if place < len(several):
            return None, of_botnet(several[place])
        item = told[place - len(several)]
        return prepare(item.days, item.count, item.offset), ()

    done = each(one, range(len(several) + len(told)))
    tracks = (track for track, _ in done if track is not None)
    subjects: list[Subject] = [(item.subject_kind, item.subject) for item in told]
    mixes = zip(several, (switches for _, switches in done), strict=False)
    return dict(zip(subjects, tracks, strict=True)), dict(mixes)


def _mixing(measurement: Measurement) -> tuple[list[str], Callable[[str], tuple[Switch, ...]]]:
    """Botnets that advertise more than one programme, and what finds a botnet's switches."""
    by_botnet: dict[str, dict[str, Counts]] = defaultdict(dict)
    for (botnet, programme), count in measurement.panel.pairs.items():
        if botnet != UNKNOWN:
            by_botnet[botnet][programme] = count
    usual = _usual(measurement)
    offsets = {item.subject: item.offset for item in measurement.series if item.subject_kind == "botnet"}
    panel = measurement.panel
    # Where half of the sensors have just changed, so have the mixes that they let us see.
    changed = [o for o in measurement.exposure.outages if o.kind == "changed" and not o.steps]
    recent = {o.sensor for o in changed if o.end is None}
    steady = 2 * len(recent) < len(panel.sensors)

    def of_botnet(botnet: str) -> tuple[Switch, ...]:
        mix = make_mix(panel.days, by_botnet[botnet], relative_exposure(offsets.get(botnet, usual)))
        standing = standing_switch(mix) if steady else None
        return (*find_switches(mix), *((standing,) if standing else ()))

    several = [botnet for botnet, pairs in sorted(by_botnet.items()) if len({*pairs} - {UNKNOWN}) > 1]
    return several, of_botnet


def _usual(measurement: Measurement) -> Floats:
    """Exposure of all sensors together, 1 at usual, from the total's series."""
    for item in measurement.series:
        if item.subject_kind == "total":
            return relative_exposure(item.offset)
    return np.where((measurement.exposure.values > 0).any(axis=0), 1.0, 0.0)
