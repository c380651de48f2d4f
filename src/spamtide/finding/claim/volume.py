"""Claims about the whole: level, what its change is made of, thin data, a quiet period, coverage."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from spamtide.finding.claim.draft import about_all, draft
from spamtide.finding.claim.parts import decomposition_claims, exchange_claims, exchanged
from spamtide.finding.figures import Figure, Window, level, percent_change
from spamtide.finding.inputs import View
from spamtide.finding.span import FEW_MESSAGES, WEEK
from spamtide.finding.words import DOUBLED, Value, from_to, month_of, plural, sample_words, weeks_of
from spamtide.model import Change
from spamtide.statement import Claim, Status

FEW_DAYS = 14
DRIFT = 20.0
"""Percent. A difference of levels below it is no news unless a change was detected."""
VAGUE = 2.0
"""An interval wider than so many times its value is too vague to be news."""
SENSOR_KINDS = frozenset({"sensor-outage", "sensor-change"})
TOO_FEW, TOO_FEW_DAYS = "too few", "of too few days"
"""What thin data lacks; of much mail on few days a flood can be told all the same."""


def is_thin(view: View) -> bool:
    """Whether the period holds too little mail for any statement about its level."""
    counts = view.daily("total", "total")[view.within(view.window)]
    return int(counts.sum()) < FEW_MESSAGES or int((counts > 0).sum()) < FEW_DAYS


LEFT_LONG_AGO = 91
"""Days before the period from which on a sensor that never came back is no news of it."""


def in_period(view: View, change: Change) -> bool:
    """Whether a change falls into the period, or goes on into it where it is a sensor's."""
    since, until = view.window
    if change.kind == "sensor-outage":
        left = change.end is None and change.onset < since - dt.timedelta(days=LEFT_LONG_AGO)
        return change.onset <= until and (change.end is None or change.end >= since) and not left
    return change.onset_high >= since and change.onset <= until


RUNS = frozenset({"decline", "cease", "rise"})
"""Moves that take weeks now and then."""


def runs_into(view: View, change: Change) -> bool:
    """Whether a move that began before the period was over only in it, or is not over yet."""
    since, _ = view.window
    return change.kind in RUNS and change.onset_high < since and (change.end is None or change.end >= since)


def levels(view: View) -> tuple[Figure, Figure, Figure]:
    """Level now, level before, and the change in percent; NaN for what is not known."""
    nothing = Figure(math.nan, math.nan, math.nan)
    if view.total is None:
        return nothing, nothing, nothing
    now = level(view.total, view.period.after)
    if not view.period.comparable:
        return now, nothing, nothing
    before = level(view.total, view.period.before)
    return now, before, percent_change(now, before)


def volume_claims(view: View, statuses: Sequence[Status] = ()) -> Iterator[Claim]:
    """Level and decomposition, or that nothing changed, or that the data is too thin."""
    if is_thin(view):
        yield _thin(view) if not is_dark(view) else _dark(view)
        return
    now, before, percent = levels(view)
    changed = _changed_sensors(view)
    if not math.isfinite(now.value):
        if view.total is not None and not _counted_on(view, view.period.after).any():
            yield _unclear(view, now, changed)
        return
    if _most_changed(view, changed) or is_vague(now):
        yield _unclear(view, now, changed)
        return
    moved = [
        c
        for c in view.inputs.changes
        if (in_period(view, c) or runs_into(view, c)) and c.kind not in SENSOR_KINDS
    ]
    drifted = percent.sure and abs(percent.value) >= DRIFT
    silent = any(
        s.volume == "gone" and s.before > 0 and s.last_seen is not None and s.last_seen >= view.period.since
        for s in statuses
    )
    # Too young, or too lately moved, for a change: what a botnet lost is no quiet period all the same.
    shifted = not moved and not view.period.far and bool(exchanged(view, now, undated=True))
    if view.period.comparable and not moved and not drifted and not silent and not shifted:
        yield _nothing_changed(view, now, percent)
        yield from exchange_claims(view, now, percent)
        return
    yield _level(view, now, before, percent, dated=bool(moved or silent or view.period.far))
    if view.period.comparable:
        parted = (
            decomposition_claims(view)
            if percent.sure
            else exchange_claims(view, now, percent, undated=shifted)
        )
        yield from parted


def _changed_sensors(view: View) -> tuple[str, ...]:
    """Sensors that are no longer what they were for all mail, in order; those that drift are known well."""
    changed = [c for c in view.inputs.changes if c.kind == "sensor-change" and in_period(view, c)]
    faults = ((c.subject, view.fault_of(c)) for c in changed)
    return tuple(
        sorted({sensor for sensor, fault in faults if fault is None or not (fault.subjects or fault.steps)})
    )


def _most_changed(view: View, changed: Sequence[str]) -> bool:
    """Whether half of the sensors are no longer what they were."""
    return 2 * len(changed) >= max(len(_alive_sensors(view)), 1)


def is_told(view: View) -> bool:
    """Whether a level of the period is told, so that more may hang on it."""
    if is_thin(view):
        return False
    now, *_ = levels(view)
    return math.isfinite(now.value) and not is_vague(now) and not _most_changed(view, _changed_sensors(view))


def _alive_sensors(view: View) -> tuple[str, ...]:
    """Sensors with spam in the period or in the window that it is held against."""
    before = (min(view.period.before[0], view.period.since), view.period.until)
    return view.sensors_of("total", "total", before)


def is_vague(now: Figure) -> bool:
    """Whether a level is known so badly that it is no news."""
    return now.low is not None and now.high is not None and now.high - now.low > VAGUE * now.value


def _unclear(view: View, now: Figure, changed: tuple[str, ...]) -> Claim:
    """Say that the volume cannot be told, and why: the sensors changed, or the index is too vague."""
    values: dict[str, Value] = {}
    alive = len(_alive_sensors(view))
    if changed and _most_changed(view, changed):
        values = {"k": len(changed), "all": alive}
        why = f"{{k}} of {{all}} {plural(alive, 'sensor')} changed in the period"
    elif not math.isfinite(now.value):
        first, last = view.period.after
        # Mail of a sensor that counts for none shows that it was up all the same.
        state = "could be counted" if _up_on(view, view.period.after) else "was up"
        why = f"no sensor {state} {from_to(values, ('from', first), ('to', last))}"
    else:
        values = {"low": Figure(now.low or 0.0), "high": Figure(now.high or 0.0)}
        why = "the index of the last week may lie anywhere between {low} and {high}"
    return draft(
        view,
        about_all(view, "unclear", view.window),
        f"What the volume of spam did cannot be told: {why}.",
        values,
        base=_base(view),
    )


def is_dark(view: View) -> bool:
    """Whether nothing at all was collected in the period: no mail, and no sensor up."""
    return (
        bool(view.panel.sensors)
        and not view.count("total", "total", view.window)
        and not _up_on(view, view.window)
    )


def _up_on(view: View, window: Window) -> int:
    """Days of a window on which a sensor was up; one that takes mail is, if it counts or not."""
    mail = view.daily("total", "total")[view.within(window)] > 0
    return int((_counted_on(view, window) | mail).sum())


def _counted_on(view: View, window: Window) -> NDArray[np.bool_]:
    """On which days of a window a sensor counts."""
    exposure = view.measurement.exposure.values[:, view.within(window)]
    return np.asarray((exposure > 0).any(axis=0), dtype=np.bool_)


def _dark(view: View) -> Claim:
    """Nobody collected: what spam did is not known."""
    values: dict[str, Value] = {}
    days = from_to(values, ("since", view.window[0]), ("until", view.window[1]))
    return draft(
        view,
        about_all(view, "dark", view.window),
        f"Nothing was collected {days}: no sensor was up. What spam did then is not known.",
        values,
    )


def _thin(view: View) -> Claim:
    """Say that the data carries no statement about change, and how little there is."""
    counts = view.daily("total", "total")[view.within(view.window)]
    days, n = int((counts > 0).sum()), int(counts.sum())
    sensors = view.sensors_of("total", "total", view.window)
    lack = TOO_FEW if n < FEW_MESSAGES else TOO_FEW_DAYS
    template = (
        f"{{n}} {plural(n, 'message')} on {{days}} {plural(days, 'day')} at {{sensors}} "
        f"{plural(len(sensors), 'sensor')} {plural(n, 'is', 'are')} {{lack}} to tell a change from chance"
    )
    values: dict[str, Value] = {"n": n, "days": days, "sensors": len(sensors), "lack": lack}
    dark = len(counts) - _up_on(view, view.window)
    if dark and len(sensors) > 1:
        values["dark"] = dark
        template += f"; on {{dark}} {plural(dark, 'day')} no sensor was up"
    return draft(view, about_all(view, "thin", view.window), template + ".", values)


def _base(view: View) -> str:
    """The base period, for the numbers of a claim."""
    return view.total.base if view.total else ""


def _base_days(view: View) -> Window | None:
    """The days whose mean the index calls 100."""
    first, _, last = _base(view).partition("..")
    try:
        return dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    except ValueError:
        return None


def _nothing_changed(view: View, now: Figure, percent: Figure) -> Claim:
    """A period without news says so."""
    values: dict[str, Value] = {"index": now}
    template = "Nothing changed in this period: the volume index is {index}"
    base = _base_days(view)
    told = base is not None and not view.period.far and abs(now.value - 100) >= DRIFT
    if base is not None and told:
        values |= {"base_from": base[0], "base_to": base[1], "hundred": 100}
        template += " ({hundred} is the mean of {base_from} to {base_to})"
    if percent.sure and not view.period.far:  # else the next sentence says so
        values |= {
            "percent": percent if percent.value > 0 else percent.flipped(),
            "before": view.period.before[0],
        }
        values["before_to"] = view.period.before[1]
        template += (
            f", {{percent}} {'above' if percent.value > 0 else 'below'} that of {{before}} to {{before_to}}"
        )
        template += ", and"
    template += f"{'' if 'percent' in values else ','} no botnet and no programme moved"
    down = [c for c in view.inputs.changes if in_period(view, c) and c.kind == "sensor-outage"]
    if down:
        names = {c.subject for c in down}
        days = sum(_days_down(view, c) for c in down)
        values |= {"down": len(names), "days": days}
        one = len(names) == 1
        template += (
            f"; {{down}} {'sensor was' if one else 'sensors were'} down for {{days}} {plural(days, 'day')}"
            f"{' and is' if one else ' between them and are'} allowed for"
        )
    return draft(
        view,
        about_all(view, "nothing-changed", view.period.after),
        template + ".",
        values,
        moved=round(percent.value, 4),
        base=_base(view),
        **({"base_month": month_of(base, view.year)} if base is not None and told else {}),
        **{"from": view.period.before[0].isoformat(), "to": view.period.before[1].isoformat()},
    )


def _days_down(view: View, change: Change) -> int:
    """Days of an outage inside the period; an outage's `end` is the first day up again."""
    since, until = view.window
    after = change.end or until + dt.timedelta(days=1)
    return max((min(after, until + dt.timedelta(days=1)) - max(change.onset, since)).days, 0)


def _level(view: View, now: Figure, before: Figure, percent: Figure, *, dated: bool) -> Claim:
    """Where the index stands, against where it stood; `dated` where a change was found besides."""
    values: dict[str, Value] = {"index": now}
    direction = "level"
    template = "The volume index"
    base = _base_days(view)
    if base is not None:
        values |= {"base_from": base[0], "base_to": base[1], "hundred": 100}
        template += " ({hundred} is the mean of {base_from} to {base_to})"
    template += f" stands at {{index}} {_lately(view, values)}"
    if not view.period.comparable:
        template += "; there is no earlier level to hold it against."
    else:
        values |= {"before": before, "from": view.period.before[0], "to": view.period.before[1]}
        template += f", against {{before}} in {weeks_of(values, view.period.before)} from {{from}} to {{to}}"
        if percent.sure:
            direction = "fall" if percent.value < 0 else "rise"
            values["percent"] = percent.flipped() if direction == "fall" else percent
            more = f"{{percent}} {'less' if direction == 'fall' else 'more'}"
            if percent.value > DOUBLED:
                values["times"] = times_of(percent)
                more = "{times} as much"
            template += f": {more}"
            template += "" if dated else ", with no change that could be dated"
        else:
            values["percent"] = percent
            template += "; the difference, {percent}, is within chance"
        template += sample_told(view, values)
    return draft(
        view,
        about_all(view, "level", view.period.after),
        template,
        values,
        direction=direction,
        dated="yes" if dated else "no",
        base=_base(view),
        sample_sensors=float(sensors) if isinstance(sensors := values.get("sample_sensors"), int) else None,
        **({"base_month": month_of(view.period.before, view.year)} if view.period.far else {}),
    )


def _lately(view: View, values: dict[str, Value]) -> str:
    """'in the last week', or the days of it that a flood left."""
    first, last = view.period.after
    since, until = max(view.period.since, view.period.until - dt.timedelta(days=WEEK - 1)), view.period.until
    if (first, last) == (since, until):
        return "in the last week"
    days = from_to(values, ("calm_from", first), ("calm_to", last))
    return f"{days}, the longest part of the last week without a flood"


def times_of(percent: Figure) -> Figure:
    """A rise in percent as times the earlier level."""
    low, high = (None if end is None else 1 + end / 100 for end in (percent.low, percent.high))
    return Figure(1 + percent.value / 100, low, high, "times")


def sample_told(view: View, values: dict[str, Value]) -> str:
    """The end of a sentence on a level, which says how little it rests on where that is little."""
    sensors = len(view.sensors_of("total", "total", view.window))
    n = view.count("total", "total", view.window)
    sample = sample_words(n, sensors)
    if not sample:
        return "."
    values |= {"sample": n, "sample_sensors": sensors}
    return f", {sample}."
