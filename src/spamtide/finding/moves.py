"""Claims about changes: one for each change that falls into the period."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np

from spamtide.finding.around import (
    FALLS,
    LOOK_BACK,
    in_percent,
    level_again,
    level_ratio,
    weight_of,
    windows_around,
)
from spamtide.finding.draft import About, draft, export, rows_of
from spamtide.finding.figures import Figure, Window, rate, ratio, share_of
from spamtide.finding.inputs import View
from spamtide.finding.volume import SENSOR_KINDS, in_period
from spamtide.finding.words import (
    CONFIDENCE_WORDS,
    NEGLIGIBLE,
    Dated,
    Value,
    plural,
    word_from,
)
from spamtide.model import UNKNOWN, Change, ChangeKind, Floats, SubjectKind
from spamtide.statement import Claim

ONE = 0.95
"""Below this ratio a level is said in percent of another, above it in times."""
SENSOR_LIFT = 35.0
"""What a changed sensor gains in importance if all mail came from it."""
WORTH_TELLING = 3
"""Days of silence before a return from which on they are told."""
NAMED: dict[SubjectKind, tuple[str, str]] = {
    "programme": ("Mail that names", "mail that names no programme that we know"),
}
"""What mail known by a programme is called, and what it went over to; a botnet's is known by its traits."""
LEAST_STEADY = 100
"""Messages at the other sensors, before and after, that a sensor's level is held against."""
TOGETHER = 14
"""Sensors that change within so many days of one another are told of in one breath."""

ALLOWED_FOR = "This is the sensor, not the spam, and is allowed for."
TEMPLATES: dict[ChangeKind, tuple[str, str, str]] = {
    "decline": (
        "{name} {hedge}began to fall about {onset}",
        " and stood at {left} of its earlier level by {end}.",
        " and stands at {left} of its earlier level.",
    ),
    "cease": (
        "{name} {hedge}began to fall about {onset}",
        " and had fallen silent by {end}.",
        " and fell silent.",
    ),
    "rise": (
        "{name} {hedge}began to rise about {onset}",
        " and stood at {factor} its earlier level by {end}.",
        " and stands at {factor} its earlier level.",
    ),
    "resume": ("{name} was {hedge}back about {onset}{silence}", "{again}.", "{again}."),
    "surge": (
        "{name} {hedge}surged about {onset}, to {factor} its earlier level",
        ", and was back near it by {end}.",
        ".",
    ),
    "new": (
        "{name} was {hedge}first seen about {onset}; {since} messages came to {sensors} of our sensors since",
        ".",
        ".",
    ),
    "attribution-loss": (
        "{known} {name} {hedge}fell about {onset} while {nameless} rose; no fall is counted",
        ".",
        ".",
    ),
    "sensor-outage": (
        "Sensor {name}",
        " was down from {onset} to {end}, {days} days, and is allowed for.",
        " has been down since {onset} and is allowed for.",
    ),
    "sensor-change": (
        "Sensor {name} {hedge}changed about {onset}: {what}",
        f". {ALLOWED_FOR}",
        f". {ALLOWED_FOR}",
    ),
}
"""Kind -> opening, and how the sentence ends where the end of the change is known and where it is not."""
NOT_READ_YET = " has brought no mail since {onset}, being down or not read in yet, and is allowed for."
"""The same for a sensor whose outage reaches to the end of the data, in its first UNREAD_DAYS."""
UNREAD_DAYS = 7
AT_ONCE: dict[str, str] = {
    "silent": "{name} {hedge}fell silent about {onset}, {within}.",
    "negligible": (
        "{name} {hedge}fell about {onset}, {within}, and is negligible, below {limit} of its earlier level."
    ),
    "fell": "{name} {hedge}fell about {onset}, {within}, to {left} of its earlier level.",
    "rose": "{name} {hedge}rose about {onset}, {within}, to {factor} its earlier level.",
}
"""The same for a move whose last day is as likely as not its first: how long it took at most."""
NEGLIGIBLE_ENDINGS = (
    " and was negligible, below {limit} of its earlier level, by {end}.",
    " and is negligible, below {limit} of its earlier level.",
)
"""The same for a fall to less than NEGLIGIBLE, but not to nothing."""

NAME_FORMS: dict[SubjectKind, str] = {
    "total": "Spam as a whole",
    "programme": "Mail for {}",
    "botnet": "{}",
    "sensor": "Mail at sensor {}",
}


NAMELESS: dict[SubjectKind, str] = {
    "botnet": "Mail that cannot be attributed",
    "programme": "Mail for no programme that we know",
}
"""What 'unknown' is called: it is no actor."""


def move_claims(view: View) -> Iterator[Claim]:
    """A claim for each change in the period; switches and sensor changes have their own form."""
    changes = [c for c in view.inputs.changes if in_period(view, c)]
    for change in changes:
        if change.subject == UNKNOWN and (change.kind == "switch" or _as_the_total(change, changes)):
            continue
        if change.kind == "switch":
            yield _switch(view, change)
        elif change.kind in SENSOR_KINDS:
            yield _sensor(view, change)
        else:
            yield _moved(view, change)
    yield from _sensors_together(view, [c for c in changes if c.kind == "sensor-change"])
    yield from _unreported_outages(view, changes)


def _as_the_total(change: Change, changes: list[Change]) -> bool:
    """Whether mail without an answer did what all mail did at the same time, which is no news."""
    return any(
        c.subject_kind == "total"
        and c.kind == change.kind
        and c.onset_low <= change.onset_high
        and change.onset_low <= c.onset_high
        for c in changes
    )


def _template(change: Change, left: float = math.nan, *, trickle: bool = False) -> str:
    """The sentence for a change, its hedge already in it.

    A fall is worded by what is left of the level: silent only where no message came since, and by its end
    only where none came from that day on.
    """
    opening, ended, going_on = TEMPLATES[change.kind]
    if change.end == change.onset and change.kind in {*FALLS, "rise"}:
        how = "rose" if change.kind == "rise" else "fell" if left >= NEGLIGIBLE else "negligible"
        how = "silent" if change.kind == "cease" and not left > 0 and not trickle else how
        return AT_ONCE[how].replace("{hedge}", hedge(change.confidence))
    if change.kind in FALLS and (
        0 < left < NEGLIGIBLE or (change.kind == "cease" and not left > 0 and trickle)
    ):
        ended, going_on = NEGLIGIBLE_ENDINGS
    elif change.kind in FALLS and left >= NEGLIGIBLE:
        ended, going_on = TEMPLATES["decline"][1:]
    whole = opening + (ended if change.end is not None else going_on)
    return whole.replace("{hedge}", hedge(change.confidence))


def _came_since(view: View, change: Change, day: dt.date) -> bool:
    """Whether any message of a change's subject came from a day on, before the next change of it."""
    return view.count(change.subject_kind, change.subject, (day, windows_around(view, change)[1][1])) > 0


def subject_name(view: View, change: Change) -> str:
    """The words for a change's subject at the start of a sentence."""
    if change.subject == UNKNOWN and change.subject_kind in NAMELESS:
        return NAMELESS[change.subject_kind]
    shown = change.subject if change.subject_kind == "sensor" else view.name(change.subject)
    return NAME_FORMS[change.subject_kind].format(shown)


def hedge(confidence: float) -> str:
    """'probably ' and the like, or nothing."""
    word = word_from(CONFIDENCE_WORDS, confidence)
    return f"{word} " if word else ""


def _about(view: View, change: Change, weight: float) -> About:
    """What a change's claim rests on."""
    before, after = windows_around(view, change)
    around = (before[0], max(after[1], before[1]))
    return About(
        kind=change.kind,
        subject_kind=change.subject_kind,
        subject=change.subject,
        day=change.onset,
        n=view.count(change.subject_kind, change.subject, around),
        sensors=view.sensors_of(change.subject_kind, change.subject, around),
        command=rows_of(change.subject_kind, change.subject, *around),
        weight=weight,
        confidence=change.confidence,
    )


def _moved(view: View, change: Change) -> Claim:
    """A botnet, a programme or the total moved."""
    left = level_ratio(view, change)
    values: dict[str, Value] = {
        "name": subject_name(view, change),
        "onset": Dated(change.onset, change.onset_low, change.onset_high),
        "left": in_percent(left),
        "factor": left,
        "limit": Figure(100 * NEGLIGIBLE, unit="percent"),
    }
    if change.end is not None:
        values["end"] = Dated(change.end, change.end_low, change.end_high)
    if change.kind == "new":
        window = (change.onset_low, view.period.until)
        values["since"] = view.count(change.subject_kind, change.subject, window)
        values["sensors"] = len(view.sensors_of(change.subject_kind, change.subject, window))
    most = ((change.end_high or change.onset_high) - change.onset_low).days
    values["within"] = "within a day" if most <= 1 else f"within {most} days at most"
    silent = _silent_before(view, change)
    values["days"] = silent
    if change.kind == "attribution-loss":
        words = NAMED.get(change.subject_kind, ("Mail known as", "mail without traits"))
        values |= {"name": view.name(change.subject), "known": words[0], "nameless": words[1]}
    trickle = change.end is not None and _came_since(view, change, change.end)
    template = _template(change, left.value, trickle=trickle).replace(
        "{silence}", f" after {{days}} {plural(silent, 'day')} without a message" if silent else ""
    )
    again = level_again(view, change) if change.kind == "resume" else None
    small = again is not None and again.value < ONE
    at = f", at {{again}} {'of ' if small else ''}its level before it fell" if again else ""
    template = template.replace("{again}", at)
    if again:
        values["again"] = in_percent(again) if small else again
    about = _about(view, change, weight_of(view, change))
    ends = (("end", change.end), ("end_low", change.end_low), ("end_high", change.end_high))
    known = {name: day.isoformat() for name, day in ends if day is not None}
    return draft(view, about, template, values, ratio=change.ratio, **known)


def _silent_before(view: View, change: Change) -> int:
    """Days without a message up to the first one of a return."""
    daily = view.daily(change.subject_kind, change.subject)
    seen = np.flatnonzero(daily[: view.within((change.onset_low, change.onset_low)).start])
    if not seen.size:
        return 0
    last: dt.date = view.panel.days[seen[-1]].astype(dt.date)
    days = (change.onset - last).days - 1
    return days if days >= WORTH_TELLING else 0


def _switch(view: View, change: Change) -> Claim:
    """A botnet advertises another programme than before."""
    window = (change.onset_high, view.period.until)
    mix = {p: n for p, n in view.programme_mix(change.subject, window).items() if p != UNKNOWN}
    to, whence = change.to_programme or UNKNOWN, change.from_programme or UNKNOWN
    values: dict[str, Value] = {
        "name": subject_name(view, change),
        "from": view.name(whence),
        "to": view.name(to),
        "onset": Dated(change.onset, change.onset_low, change.onset_high),
        "last": change.onset - dt.timedelta(days=1),
        "share": share_of(mix.get(to, 0), sum(mix.values())),
    }
    hedged = hedge(change.confidence)
    template = (
        f"{{name}}, until {{last}} a sender of {{from}}, has {hedged}carried {{to}} "
        "in {share} of its mail with a known programme since about {onset}."
    )
    if whence == UNKNOWN:
        template = template.replace(", until {last} a sender of {from},", "")
        del values["last"], values["from"]
    return draft(view, _about(view, change, _share(view, change, window)), template, values)


def _share(view: View, change: Change, window: Window) -> float:
    """A subject's share of all mail in a window."""
    whole = view.count("total", "total", window)
    return view.count(change.subject_kind, change.subject, window) / whole if whole else 0.0


def _sensor(view: View, change: Change) -> Claim:
    """A sensor was down, or is no longer what it was."""
    values: dict[str, Value] = {
        "name": change.subject,
        "onset": Dated(change.onset, change.onset_low, change.onset_high),
    }
    template = _template(change)
    if change.kind == "sensor-outage":
        values["onset"] = change.onset
        if change.end is not None:
            days = max((change.end - change.onset).days, 1)
            values["end"], values["days"] = change.onset + dt.timedelta(days=days - 1), days
            template = template.replace("{days} days", f"{{days}} {plural(days, 'day')}")
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
    if change.subject in view.panel.sensors:
        at = view.panel.sensors.index(change.subject)
        before, after = windows_around(view, change)
        spam = view.by_sensor("total", "total")[at]
        steady = _steady(view, change)
        exposure = steady if steady is not None else np.ones(view.panel.days.size)
        left = ratio(rate(spam, exposure, view.within(after)), rate(spam, exposure, view.within(before)))
        if math.isfinite(left.value):
            values["left"] = in_percent(left)
            others = "what the other sensors' mail would lead one to expect"
            against = "its earlier level" if steady is None else others
            clauses.append(f"its spam stands at {{left}} of {against}")
        ham = int(view.panel.ham[at][view.within(after)].sum())
        if ham:
            values["ham"] = ham
            clauses.append(f"{{ham}} {plural(ham, 'message')} of other mail came since")
    moved = next(
        (
            o
            for o in view.measurement.exposure.outages
            if o.sensor == change.subject
            and o.kind == "changed"
            and o.relay_before != o.relay_after
            and abs((o.start - change.onset).days) <= TOGETHER
        ),
        None,
    )
    if moved is not None:
        values |= {"relay_before": moved.relay_before or "none", "relay_after": moved.relay_after or "none"}
        clauses.append("its receiving relay was {relay_before} and is {relay_after}")
    return "; ".join(clauses) or "what it takes in is not what it was", values


def _steady(view: View, change: Change) -> Floats | None:
    """Spam a day at the sensors that did not change about then; None where they hold too little."""
    moved = {
        c.subject
        for c in view.inputs.changes
        if c.kind in SENSOR_KINDS and abs((c.onset - change.onset).days) <= TOGETHER
    }
    rows = [at for at, name in enumerate(view.panel.sensors) if name not in moved]
    daily: Floats = view.by_sensor("total", "total")[rows].sum(axis=0).astype(float)
    before, after = windows_around(view, change)
    enough = all(daily[view.within(window)].sum() >= LEAST_STEADY for window in (before, after))
    return daily if enough else None


def _sensors_together(view: View, changes: list[Change]) -> Iterator[Claim]:
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


def _unreported_outages(view: View, changes: list[Change]) -> Iterator[Claim]:
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
            end=None if outage.end is None else outage.end + dt.timedelta(days=1),
            end_low=None,
            end_high=None,
            ratio=None,
            confidence=outage.confidence,
        )
        if in_period(view, change):
            yield _sensor(view, change)
