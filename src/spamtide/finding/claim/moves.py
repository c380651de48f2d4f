"""Claims about changes: one for each change that falls into the period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from spamtide.finding.claim.around import (
    FALLS,
    LOOK_BACK,
    in_percent,
    level_again,
    level_ratio,
    weight_of,
    windows_around,
)
from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.floods import whose_flood
from spamtide.finding.claim.sensors import sensor_claims
from spamtide.finding.claim.sentences import TEMPLATES, hedge, sentence_of
from spamtide.finding.claim.volume import SENSOR_KINDS, in_period, runs_into
from spamtide.finding.figures import Figure, Window, share_of
from spamtide.finding.inputs import View
from spamtide.finding.lost import named_again
from spamtide.finding.silence import Stop, silence_of, stop_of
from spamtide.finding.words import (
    JUST_NOW,
    NEGLIGIBLE,
    Dated,
    Value,
    plural,
)
from spamtide.model import UNKNOWN, Change, SubjectKind
from spamtide.statement import Claim

ONE = 0.95
"""Below this ratio a level is said in percent of another, above it in times."""
MOSTLY_STRAYS = 2
"""Times the days since the last message from which on a silence is counted from its cease."""
STILL_CARRIED = 20.0
"""Percent of a botnet's mail from which on it still carries what it turned from: a split and no move."""
SILENT = TEMPLATES["cease"][2]
WORTH_TELLING = 3
"""Days of silence before a return from which on they are told."""
ALIKE = 0.65
"""Share of the level before a fall from which on a rise is a return to it."""
BACK = {
    "to {factor} its earlier level": ("to {level}", "back to {level}"),
    "stood at {factor} its earlier level": ("stood at {level}", "was back at {level}"),
    "stands at {factor} its earlier level": ("stands at {level}", "is back at {level}"),
}
"""What is said of a rise to about an earlier level, in place of how many times the level before it that is:
where it surely is not that level, and where it may be."""
NAMED: dict[SubjectKind, tuple[str, str]] = {
    "programme": ("Mail that names", "mail that names no programme that we know"),
}
"""What mail known by a programme is called, and what it went over to; a botnet's is known by its traits."""
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
    changes = [c for c in view.inputs.changes if in_period(view, c) or runs_into(view, c)]
    told: set[tuple[SubjectKind, str]] = set()
    for change in changes:
        if change.subject == UNKNOWN and (change.kind == "switch" or _as_the_total(change, changes)):
            continue
        if change.kind == "switch":
            yield _switch(view, change)
        elif change.kind not in SENSOR_KINDS:
            yield _moved(view, change, alone=_alone(view, change) if _subject(change) not in told else None)
            told.add(_subject(change))
    yield from sensor_claims(view, changes)


def _as_the_total(change: Change, changes: list[Change]) -> bool:
    """Whether mail without an answer did what all mail did at the same time, which is no news."""
    return any(
        c.subject_kind == "total"
        and c.kind == change.kind
        and c.onset_low <= change.onset_high
        and change.onset_low <= c.onset_high
        for c in changes
    )


def _came_since(view: View, change: Change, day: dt.date) -> bool:
    """Whether any message of a change's subject came from a day on, before the next change of it."""
    return view.count(change.subject_kind, change.subject, (day, windows_around(view, change)[1][1])) > 0


def subject_name(view: View, change: Change) -> str:
    """The words for a change's subject at the start of a sentence."""
    if change.subject == UNKNOWN and change.subject_kind in NAMELESS:
        return NAMELESS[change.subject_kind]
    shown = change.subject if change.subject_kind == "sensor" else view.name(change.subject)
    return NAME_FORMS[change.subject_kind].format(shown)


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


def _subject(change: Change) -> tuple[SubjectKind, str]:
    """Whose change it is."""
    return change.subject_kind, change.subject


def _alone(view: View, change: Change) -> int | None:
    """How many sensors there are, where one alone sees what moved; None where several do, or one is all."""
    before, after = windows_around(view, change)
    around = (before[0], max(after[1], before[1]))
    every = len(view.sensors_of("total", "total", around))
    seen = view.sensors_of(change.subject_kind, change.subject, around)
    return every if len(seen) == 1 < every and change.subject_kind != "total" else None


def _only_one_with_mail(view: View, change: Change) -> str:
    """The sensor, of several in all, that alone had any mail when something moved; '' where others had.

    Where a place begins to collect, all mail rises. Of an only sensor the level says on how much it rests.
    """
    back = dt.timedelta(days=LOOK_BACK)
    around = (change.onset_low - back, (change.end_high or change.onset_high) + back)
    seen = view.sensors_of("total", "total", around)
    return seen[0] if len(seen) == 1 < len(view.panel.sensors) else ""


def _moved(view: View, change: Change, alone: int | None) -> Claim:
    """A botnet, a programme or the total moved; `alone` as `_alone` says."""
    if (stop := stop_of(change)) is not None:
        return _stopped(view, change, stop)
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
    numbers = ""
    if change.kind == "new":
        window = (change.onset_low, view.period.until)
        values["first"] = first = _first_day(view, change)
        # A first message is a fact. From when on there were more of them is inferred.
        numbers = (
            "" if first == change.onset else f", {hedge(change.confidence)}in numbers from about {{onset}} on"
        )
        values["since"] = view.count(change.subject_kind, change.subject, window)
        values["sensors"] = len(view.sensors_of(change.subject_kind, change.subject, window))
    most = ((change.end_high or change.onset_high) - change.onset_low).days
    values["within"] = "within a day" if most <= 1 else f"within {most} days at most"
    silence = _silence(view, change, values)
    if change.kind == "attribution-loss":
        words = NAMED.get(change.subject_kind, ("Mail known as", "mail without traits"))
        values |= {"name": view.name(change.subject), "known": words[0], "nameless": words[1]}
    trickle = change.end is not None and _came_since(view, change, change.end)
    template = sentence_of(change, left.value, trickle=trickle)
    template = template.replace("{silence}", silence).replace("{numbers}", numbers)
    template = _again(view, change, template, values)
    recent = change.end is None and (view.period.until - change.onset).days <= JUST_NOW
    # Of what fell silent, nothing is left that may go on falling.
    if change.kind == "attribution-loss" and (again := named_again(view, change)):
        values["again"] = again
        template += " It was named again by {again}."
    if change.kind in FALLS and recent and not template.endswith(SILENT):
        template = f"{template[:-1]}; it may still be going on."
    if change.kind == "surge" and change.subject_kind == "total":
        template += whose_flood(view, change, values)
    if lone := _only_one_with_mail(view, change):
        values["lone"] = lone
        template += (
            " Only one sensor, {lone}, had mail in these weeks: its collecting may have changed instead."
        )
    elif alone is not None:
        values["all"] = alone
        template += " This is seen at one sensor of {all} only."
    about = _about(view, change, weight_of(view, change))
    ends = (("end", change.end), ("end_low", change.end_low), ("end_high", change.end_high))
    known = {name: day.isoformat() for name, day in ends if day is not None}
    return draft(view, about, template, values, ratio=change.ratio, **known)


def _first_day(view: View, change: Change) -> dt.date:
    """Day of a subject's first message; of a change without any, its own."""
    seen = np.flatnonzero(view.daily(change.subject_kind, change.subject))
    days = view.panel.days
    return min(days[seen[0]].astype(dt.date), change.onset) if len(seen) else change.onset


def _again(view: View, change: Change, template: str, values: dict[str, Value]) -> str:
    """A return's sentence with the level before the fall that it ends, which is put into `values`.

    Of a rise to about that level, it is the one that is told: against a dip, any level is many times as high.
    An interval that holds that level makes no return: the less is known, the more would be one.
    """
    known = level_again(view, change) if change.kind in {"resume", "rise"} else None
    if known is None:
        return template.replace("{again}", "")
    again, fall = known
    small = again.value < ONE
    values["again"] = in_percent(again) if small else again
    level = f"{{again}} {'of ' if small else ''}its level before it fell"
    if change.kind == "resume":
        return template.replace("{again}", f", at {level}")
    values["fell"] = fall.onset
    level += " about {fell}"
    if not ALIKE <= again.value <= 1 / ALIKE:
        return f"{template[:-1]}, which is {level}."
    off = again.low is not None and again.high is not None and not again.low <= 1 <= again.high
    for told, (near, back) in BACK.items():
        template = template.replace(told, (near if off else back).replace("{level}", level))
    return template


def _stopped(view: View, change: Change, stop: Stop) -> Claim:
    """A botnet, a programme or the total that has brought next to nothing for hours."""
    values: dict[str, Value] = {
        "name": subject_name(view, change),
        "hour": stop.hour,
        "onset": stop.day,
        "due": stop.due,
    }
    template = "{name} has been silent since {hour} UTC on {onset}, in which time {due} messages were due"
    if stop.seen:
        values["seen"] = stop.seen
        sent = "brought" if change.subject_kind != "botnet" else "sent"
        template = (
            f"{{name}} has {sent} {{seen}} {plural(stop.seen, 'message')} since {{hour}} UTC on {{onset}}, "
            "where {due} were due"
        )
    about = _about(view, change, weight_of(view, change))
    return draft(
        view, about, f"{template}; whether it stays so is not known yet.", values, ratio=change.ratio
    )


def _silence(view: View, change: Change, values: dict[str, Value]) -> str:
    """' after 50 days without a message', the days put into `values`; '' where a return follows no silence.

    Where strays came, they are said: the silence is that since its cease.
    """
    daily = view.daily(change.subject_kind, change.subject)
    seen = np.flatnonzero(daily[: view.within((change.onset_low, change.onset_low)).start])
    if change.kind != "resume" or not seen.size:
        return ""
    last: dt.date = view.panel.days[seen[-1]].astype(dt.date)
    days = (change.onset - last).days - 1
    silence = silence_of(view, change.subject_kind, change.subject, change.onset_low - dt.timedelta(days=1))
    if silence is not None and silence.days(change.onset) > MOSTLY_STRAYS * max(days, 1):
        values |= {"days": silence.days(change.onset), "strays": silence.strays}
        messages = plural(silence.strays, "message")
        came = "it sent next to nothing" if change.subject_kind == "botnet" else "next to none came"
        return f" after {{days}} days in which {came} ({{strays}} {messages})"
    if days < WORTH_TELLING:
        return ""
    values["days"] = days
    return f" after {{days}} {plural(days, 'day')} without a message"


def _switch(view: View, change: Change) -> Claim:
    """A botnet advertises another programme than before."""
    over = _next_switch(view, change)
    window = (change.onset_high, over.onset - dt.timedelta(days=1) if over else view.period.until)
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
    since = "since about {onset}"
    carried = f"has {hedged}carried"
    if over:
        values["turned"] = over.onset - dt.timedelta(days=1)
        since, carried = "from about {onset} to {turned}", f"{hedged}carried"
    template = (
        f"{{name}}, until {{last}} a sender of {{from}}, {carried} {{to}} "
        f"in {{share}} of its mail with a known programme {since}."
    )
    back = _back_with(view, change)
    kept = share_of(mix.get(whence, 0), sum(mix.values()))
    keeps = whence != UNKNOWN and kept.value >= STILL_CARRIED
    sender = ", until {last} a sender of {from},"
    if whence == UNKNOWN:
        template = template.replace(sender, "")
        del values["last"], values["from"]
    elif back is not None:
        template = template.replace(sender, ", before its silence a sender of {from},")
        del values["last"]
    elif keeps:
        template = template.replace(sender, ", a sender of {from},")
        del values["last"]
    if back is not None:
        # While it is silent it sends for nobody, so that the days between say nothing.
        values["onset"] = Dated(back.onset, back.onset_low, back.onset_high)
        template = template.replace("since about {onset}", "since it was back about {onset}")
        template = template.replace("from about {onset}", "from its return about {onset}")
    if keeps:
        values["kept"] = kept
        template = f"{template[:-1]}, and {{from}} {'' if over else 'still '}in {{kept}}."
    return draft(view, _about(view, change, _share(view, change, window)), template, values)


def _next_switch(view: View, change: Change) -> Change | None:
    """The switch that ended what this one began, where it was before the period's end."""
    later = [
        c
        for c in view.inputs.changes
        if c.kind == "switch" and c.subject == change.subject and c.onset_low > change.onset_high
    ]
    return min(later, key=lambda c: c.onset, default=None)


def _back_with(view: View, change: Change) -> Change | None:
    """The return of a botnet that a switch of it may be of the same day as."""
    for other in view.inputs.changes:
        mine = (other.subject_kind, other.subject) == (change.subject_kind, change.subject)
        if mine and other.kind == "resume" and change.onset_low <= other.onset <= change.onset_high:
            return other
    return None


def _share(view: View, change: Change, window: Window) -> float:
    """A subject's share of all mail in a window."""
    whole = view.count("total", "total", window)
    return view.count(change.subject_kind, change.subject, window) / whole if whole else 0.0
