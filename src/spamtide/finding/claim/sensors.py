"""Claims about sensors: that were down, that are no longer what they were, and several at once."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np

from spamtide.finding.claim.around import LOOK_BACK, in_percent, windows_around
from spamtide.finding.claim.draft import About, draft, export, rows_of
from spamtide.finding.claim.sentences import TEMPLATES, sentence_of
from spamtide.finding.claim.volume import SENSOR_KINDS, in_period
from spamtide.finding.figures import Figure, Window, rate, ratio
from spamtide.finding.inputs import View
from spamtide.finding.span import flood_days
from spamtide.finding.words import DOUBLED, Dated, Value, from_to, listing, plural
from spamtide.model import UNKNOWN, Change, Floats, Outage
from spamtide.statement import Claim

SENSOR_LIFT = 35.0
"""What a changed sensor gains in importance if all mail came from it."""
LEAST_STEADY = 100
"""Messages at the other sensors, before and after, that a sensor's level is held against."""
NAMED = 4
"""Senders that are named where a sensor takes less of some."""
TOGETHER = 14
"""Sensors that change within so many days of one another are told of in one breath."""
NOT_READ_YET = " has brought no mail since {onset}, being down or not read in yet, and is allowed for."
"""The same for a sensor whose outage reaches to the end of the data, in its first UNREAD_DAYS."""
UNREAD_DAYS = 7
CLOCK_DAYS = 7
"""Days on either side of a day that a clock emptied, which are shown."""
_Days = tuple[dt.date, dt.date | None]
"""First day of an outage, and the first one after it, if it is over."""


def sensor_claims(view: View, changes: list[Change]) -> Iterator[Claim]:
    """A claim for each sensor that was down or changed in the period, and one for several at once."""
    moved = [c for c in changes if c.kind in SENSOR_KINDS]
    moved += _unreported_outages(view, changes)
    moved += [c for c in view.inputs.changes if c not in moved and _drifts_in(view, c)]
    together = _together(view, [c for c in moved if c.kind == "sensor-outage"])
    all_down = {days for days, (names, alive) in together.items() if len(names) == len(alive)}
    yield from (
        _sensor(view, change)
        for change in moved
        if change.kind != "sensor-outage" or (change.onset, change.end) not in all_down
    )
    yield from _emptied_by_clocks(view)
    yield from _changed_together(view, [c for c in changes if c.kind == "sensor-change"])
    yield from (_down_together(view, days, *of) for days, of in together.items())


def _drifts_in(view: View, change: Change) -> bool:
    """Whether a sensor drifts in the period, which takes months and is known weeks after it began."""
    fault = view.fault_of(change) if change.kind == "sensor-change" else None
    since, until = view.window
    return (
        fault is not None
        and bool(fault.steps)
        and fault.start <= until
        and (fault.end is None or fault.end >= since)
    )


def _sensor(view: View, change: Change) -> Claim:
    """A sensor was down, or is no longer what it was."""
    values: dict[str, Value] = {
        "name": change.subject,
        "onset": Dated(change.onset, change.onset_low, change.onset_high),
    }
    template = sentence_of(change)
    if change.kind == "sensor-outage":
        values["onset"] = change.onset
        if change.end is not None:
            days = max((change.end - change.onset).days, 1)
            last = change.onset + dt.timedelta(days=days - 1)
            when = from_to(values, ("onset", change.onset), ("end", last))
            if days > 1:
                values["days"] = days
                when += ", {days} days,"
            template = template.replace("from {onset} to {end}, {days} days,", when)
        elif (view.period.until - change.onset).days < UNREAD_DAYS:
            template = TEMPLATES[change.kind][0] + NOT_READ_YET
    else:
        what, more = _what_changed(view, change)
        values |= more
        template = template.replace("{what}", what)
    at = view.panel.sensors.index(change.subject) if change.subject in view.panel.sensors else None
    window = (change.onset_low - dt.timedelta(days=LOOK_BACK), view.period.until)
    n = 0 if at is None else int(view.by_sensor("total", "total")[at, view.within(window)].sum())
    about = About(
        change.kind,
        "sensor",
        change.subject,
        change.onset,
        n,
        (change.subject,),
        export("observations", sensor=change.subject, label="wild", since=window[0], until=window[1]),
        confidence=change.confidence,
        lift=SENSOR_LIFT * _sensor_share(view, change) if change.kind == "sensor-change" else 0.0,
    )
    return draft(view, about, template, values)


def _sensor_share(view: View, change: Change) -> float:
    """A sensor's share of all mail before it changed: how much of the picture hangs on it."""
    if change.subject not in view.panel.sensors:
        return 0.0
    before = view.by_sensor("total", "total")[:, view.within(windows_around(view, change)[0])].sum(axis=1)
    whole = int(before.sum())
    return float(before[view.panel.sensors.index(change.subject)] / whole) if whole else 0.0


def _what_changed(view: View, change: Change) -> tuple[str, dict[str, Value]]:
    """What speaks for a change of the sensor: its spam, its other mail, its relay."""
    clauses: list[str] = []
    values: dict[str, Value] = {}
    fault = view.fault_of(change)
    if fault is not None and fault.steps:
        return _drifted(fault)
    if fault is not None and fault.subjects:
        clauses.append(_of_whom(view, fault, values))
    if change.subject in view.panel.sensors:
        at = view.panel.sensors.index(change.subject)
        before, after = _around(view, change)
        spam = view.by_sensor("total", "total")[at]
        steady = _steady(view, change)
        exposure = steady if steady is not None else np.ones(view.panel.days.size)
        left = ratio(rate(spam, exposure, view.within(after)), rate(spam, exposure, view.within(before)))
        if math.isfinite(left.value):
            values["left"] = in_percent(left)
            others = "what the other sensors' mail would lead one to expect"
            against = "its earlier level" if steady is None else others
            whose = "all its spam" if clauses else "its spam"
            stands, since = "stands", ""
            if after[1] < view.period.until:
                values["left_until"] = after[1]
                stands, since = "stood", " until {left_until}"
            of = " of"
            if left.value > 1 + DOUBLED / 100:  # nobody reads percentages of thousands
                values["left"], of = left, ""
            clauses.append(f"{whose} {stands} at {{left}}{of} {against}{since}")
        all_since = (after[0], windows_around(view, change)[1][1])
        ham = int(view.panel.ham[at][view.within(all_since)].sum())
        if ham:
            values["ham"] = ham
            clauses.append(f"{{ham}} {plural(ham, 'message')} of other mail came since")
    if fault is not None and fault.relay_before != fault.relay_after:
        values |= {"relay_before": fault.relay_before or "none", "relay_after": fault.relay_after or "none"}
        clauses.append("its receiving relay was {relay_before} and is {relay_after}")
    return "; ".join(clauses) or "what it takes in is not what it was", values


def _drifted(fault: Outage) -> tuple[str, dict[str, Value]]:
    """How far a sensor drifted, and until when."""
    values: dict[str, Value] = {"times": Figure(*fault.drift, "times")}
    grew = fault.drift[0] > 1
    how = "grown" if grew else "shrunk"
    if fault.end is None:
        return f"it has {how} slowly since, to {{times}} its size against the other sensors", values
    values["drifted_until"] = fault.end
    how = "grew" if grew else "shrank"
    return f"it {how} slowly until {{drifted_until}}, to {{times}} its size against the other sensors", values


def _of_whom(view: View, fault: Outage, values: dict[str, Value]) -> str:
    """Whose mail a sensor takes less or more of, where that of others goes on."""
    names = [
        "mail that cannot be attributed" if name == UNKNOWN else view.name(name)
        for kind, name in fault.subjects
        if kind == "botnet"
    ]
    more = len(names) - NAMED
    values["touched"] = listing([*names[:NAMED], *([f"{more} more"] if more > 0 else [])])
    # Its evidence, which series/partial words, begins so.
    how = "more" if fault.evidence.startswith("takes more") else "less"
    return f"it takes {how} of {{touched}}, and of the rest as before"


def _around(view: View, change: Change) -> tuple[Window, Window]:
    """Days before a sensor's change and after it, four weeks at most: later the others are not the same."""
    before, (first, last) = windows_around(view, change)
    return before, (first, min(last, first + dt.timedelta(days=LOOK_BACK - 1)))


def _steady(view: View, change: Change) -> Floats | None:
    """Spam a day at the sensors that stayed the same, without floods; None where they hold too little."""
    before, after = _around(view, change)
    compared = (
        min(before[0], change.onset - dt.timedelta(days=TOGETHER)),
        max(after[1], change.onset + dt.timedelta(days=TOGETHER)),
    )
    moved = {
        c.subject for c in view.inputs.changes if c.kind in SENSOR_KINDS and _unsteady(view, c, compared)
    }
    rows = [at for at, name in enumerate(view.panel.sensors) if name not in moved]
    daily: Floats = view.by_sensor("total", "total")[rows].sum(axis=0).astype(float)
    daily[np.isin(view.panel.days, sorted(flood_days(view.inputs.changes, view.period.until)))] = 0.0
    enough = all(daily[view.within(window)].sum() >= LEAST_STEADY for window in (before, after))
    return daily if enough else None


def _unsteady(view: View, change: Change, days: Window) -> bool:
    """Whether a sensor was down, or changed, within some days: one that changed before them is even since."""
    if change.kind == "sensor-change":
        return change.onset_low <= days[1] and change.onset_high >= days[0]
    return change.onset <= days[1] and (change.end or view.period.until) >= days[0]


def _emptied_by_clocks(view: View) -> Iterator[Claim]:
    """Sensors whose clock ran apart, so that days look empty on which they took mail."""
    for outage in view.measurement.exposure.outages:
        last = outage.end or outage.start
        if outage.kind != "clock" or last < view.period.since or outage.start > view.period.until:
            continue
        near = (outage.start - dt.timedelta(days=CLOCK_DAYS), last + dt.timedelta(days=CLOCK_DAYS))
        at = view.panel.sensors.index(outage.sensor)
        n = int(view.by_sensor("total", "total")[at, view.within(near)].sum())
        values: dict[str, Value] = {"name": outage.sensor, "from": outage.start}
        days = "{from}"
        if last > outage.start:
            values["to"] = last
            days += " to {to}"
        values["hours"] = round(abs(outage.lag_hours))
        about = About(
            "sensor-outage",
            "sensor",
            outage.sensor,
            outage.start,
            n,
            (outage.sensor,),
            export("observations", sensor=outage.sensor, label="wild", since=near[0], until=near[1]),
        )
        yield draft(
            view,
            about,
            f"Sensor {{name}} holds no mail of {days}: its clock ran {{hours}} hours "
            f"{'ahead' if outage.lag_hours > 0 else 'behind'} then, and what it took stands under other "
            "days; the gap is allowed for.",
            values,
        )


def _changed_together(view: View, changes: list[Change]) -> Iterator[Claim]:
    """Several sensors that changed at about the same time: one headline for all of them."""
    left = sorted(changes, key=lambda c: (c.onset, c.subject))
    while left:
        group = [c for c in left if (c.onset - left[0].onset).days <= TOGETHER]
        left = [c for c in left if c not in group]
        names = tuple(sorted({c.subject for c in group}))
        if len(names) < 2:  # noqa: PLR2004 - one sensor has its own claim
            continue
        first, last = group[0].onset, group[-1].onset
        onset = Dated(first, min(c.onset_low for c in group), max(c.onset_high for c in group))
        window = (first - dt.timedelta(days=LOOK_BACK), view.period.until)
        lately = (min(first - dt.timedelta(days=2 * LOOK_BACK), view.period.since), view.period.until)
        alive = {*names, *view.sensors_of("total", "total", lately)}
        yield draft(
            view,
            About(
                "sensor-change",
                "sensor",
                "several",
                first,
                view.count("total", "total", window),
                names,
                rows_of("total", "total", *window),
                lift=SENSOR_LIFT,
                weight=len(names) / len(alive),
                confidence=min(c.confidence for c in group),
            ),
            "{k} of {all} sensors changed about {onset}: what moved there is the sensors, not the spam.",
            {"k": len(names), "all": len(alive), "onset": onset},
            last_onset=last.isoformat(),
        )


def _together(view: View, outages: list[Change]) -> dict[_Days, tuple[set[str], set[str]]]:
    """By days on which several sensors were down, the first days first: these, and all in use then."""
    down: dict[_Days, set[str]] = {}
    for change in outages:
        down.setdefault((change.onset, change.end), set()).add(change.subject)
    return {
        days: (names, names | set(view.sensors_of("total", "total", _shown(view, days[0]))))
        for days, names in sorted(down.items(), key=lambda item: item[0][0])
        if len(names) > 1  # one sensor has its own claim
    }


def _shown(view: View, onset: dt.date) -> Window:
    """The days that show an outage."""
    return onset - dt.timedelta(days=LOOK_BACK), view.period.until


def _down_together(view: View, days: _Days, names: set[str], alive: set[str]) -> Claim:
    """Sensors that were down on the same days: one sentence for all of them."""
    onset, end = days
    values: dict[str, Value] = {"k": len(names), "all": len(alive), "onset": onset}
    which = "All {k} sensors" if len(names) == len(alive) else "{k} of {all} sensors"
    template = f"{which} have been down since {{onset}}"
    if end is not None:
        last = end - dt.timedelta(days=1)
        template = f"{which} were down {from_to(values, ('onset', onset), ('end', last))}"
        if (end - onset).days > 1:
            values["days"] = (end - onset).days
            template += ", {days} days"
    elif (view.period.until - onset).days < UNREAD_DAYS:
        template = f"{which} have brought no mail since {{onset}}, being down or not read in yet"
    dark = len(names) == len(alive)
    template += ": what spam did then is not known." if dark else ", and are allowed for."
    window = _shown(view, onset)
    about = About(
        "sensor-outage",
        "sensor",
        "several",
        onset,
        view.count("total", "total", window),
        tuple(sorted(names)),
        rows_of("total", "total", *window),
        weight=len(names) / len(alive),
    )
    return draft(view, about, template, values)


def _unreported_outages(view: View, changes: list[Change]) -> Iterator[Change]:
    """Outages that the exposure allows for and no change reports."""
    reported = [c for c in changes if c.kind == "sensor-outage"]
    for outage in view.measurement.exposure.outages:
        if outage.kind != "down" or any(
            c.subject == outage.sensor
            and c.onset <= (outage.end or view.period.until)
            and (c.end is None or c.end >= outage.start)
            for c in reported
        ):
            continue
        change = Change(
            kind="sensor-outage",
            subject_kind="sensor",
            subject=outage.sensor,
            onset=outage.start,
            onset_low=outage.onset_low or outage.start,
            onset_high=outage.onset_high or outage.start,
            end=outage.end + dt.timedelta(days=1) if outage.end and outage.end < view.period.until else None,
            end_low=None,
            end_high=None,
            ratio=None,
            confidence=outage.confidence,
        )
        if in_period(view, change):
            yield change
