"""Tell judged events as changes: the kind of each, and what sensors or names explain as theirs."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spamtide.change.causes.silence import ABOUT_AS_MUCH, Cause, carried_by
from spamtide.change.causes.trail import UNTRACED, Trail
from spamtide.change.mixes.switch import Switch
from spamtide.change.moves.event import Event, EventKind
from spamtide.change.moves.extent import Reach
from spamtide.model import UNKNOWN, Change, ChangeKind, Panel, SubjectKind

NEGLIGIBLE = 0.05
"""Share of a level below which what is left of it is negligible: a fall that far is a cease."""
WELL_INSIDE = 10
"""Days of the panel that must have passed before a subject's first mail makes it new."""
MATCHING = 10
"""Days between a subject's lost attribution and the rise of `unknown` that it explains."""

SHORTEST_SILENCE = 3
"""Days of silence from which on a return tells of it by itself."""

NAMED_AGAIN = 0.5
"""Share of the level before its name was lost from which on a subject's fall is its own again."""
BACK = 1.25
"""Times the level before its name was lost up to which a subject is only named again."""

ALARM = "online alarm"
"""How the evidence of what only the online alarm knows of begins."""

UNTOLD: frozenset[Cause] = frozenset({"sensor", "turnover", "doubtful", "regained"})
"""Causes of which nothing is told, or only the sensor's own change."""

Subject = tuple[SubjectKind, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """An event that is believed, and why it happened."""

    subject: Subject
    event: Event
    confidence: float
    cause: Cause
    trail: Trail = UNTRACED


def tell(judged: Sequence[Judged], panel: Panel) -> Iterable[Change]:
    """Turn judged events into changes."""
    first: dt.date = panel.days[0].astype(dt.date)
    lost = [item for item in judged if item.cause == "attribution"]
    again = [item for item in judged if item.cause == "regained" or _regained(item, judged)]
    for item in judged:
        subject, event = item.subject, item.event
        if (
            item.cause in UNTOLD
            or (subject[1] == UNKNOWN and (_explained(item, lost) or _gave_back(item, again)))
            or item in again
            or _nameless(item, lost)
        ):
            continue
        if item.cause == "attribution" or _with_its_botnet(item, lost, panel):
            yield _change(subject, event, "attribution-loss", item.confidence, item.trail)
            continue
        kind = kind_of(event, first)
        if kind is None or (kind == "resume" and _of_no_silence(item, judged)):
            continue
        shown = _from_first_mail(subject, event, panel) if kind == "new" else event
        yield _change(subject, shown, kind, item.confidence, item.trail)


def _of_no_silence(item: Judged, judged: Sequence[Judged]) -> bool:
    """Whether a return ends a day or two without mail of which no fall is believed: chance has such days."""
    since, onset = item.event.since, item.event.onset
    return (onset - since).days < SHORTEST_SILENCE and not any(
        other.subject == item.subject
        and other.event.kind == "fall"
        and since - dt.timedelta(days=MATCHING) <= other.event.onset < onset
        for other in judged
    )


def _from_first_mail(subject: Subject, event: Event, panel: Panel) -> Event:
    """The first move of a subject with no date before its first mail, which is a fact and no estimate."""
    seen = np.flatnonzero(panel.counts[panel.subjects.index(subject)].sum(axis=0))
    first: dt.date = panel.days[seen[0]].astype(dt.date)
    return replace(
        event,
        onset=max(event.onset, first),
        onset_low=max(event.onset_low, first),
        onset_high=max(event.onset_high, first),
        end=event.end and max(event.end, first),
        end_low=event.end_low and max(event.end_low, first),
        end_high=event.end_high and max(event.end_high, first),
    )


def names_are_lost(judged: Sequence[Judged], risen: Judged) -> bool:
    """Whether a rise of `unknown` is known to be what something lost."""
    return _explained(risen, [item for item in judged if item.cause == "attribution"])


def _explained(item: Judged, lost: Sequence[Judged]) -> bool:
    """Whether a move of `unknown` is what a botnet, or one of its own kind, lost."""
    return any(
        other.subject[0] in {item.subject[0], "botnet"}
        and item.event.kind != "fall"
        and abs((other.event.onset - item.event.onset).days) <= MATCHING
        for other in lost
    )


def _gave_back(item: Judged, again: Sequence[Judged]) -> bool:
    """Whether a fall of `unknown` is what botnets, or some of its own kind, have under their names again."""
    won = sum(
        other.event.after - other.event.before
        for other in again
        if other.subject[0] in {item.subject[0], "botnet"}
        and abs((other.event.onset - item.event.onset).days) <= MATCHING
    )
    return item.event.kind == "fall" and item.event.before - item.event.after <= ABOUT_AS_MUCH[1] * won


def _lost_before(item: Judged, judged: Sequence[Judged]) -> list[Judged]:
    """The falls of a subject before one of its events, of itself or of its name."""
    return [
        other
        for other in judged
        if other.subject == item.subject
        and other.event.kind == "fall"
        and other.cause not in UNTOLD
        and other.event.onset < item.event.onset
    ]


def _regained(item: Judged, judged: Sequence[Judged]) -> bool:
    """Whether a rise only brings a name back that was lost: to no more than its level before.

    Not after a fall of its own since, but for one of the few who still bore the name.
    """
    fallen = _lost_before(item, judged) if item.event.kind == "rise" else []
    lost = [one for one in fallen if one.cause == "attribution"]
    since = [one for one in fallen if one.cause != "attribution" and not _nameless(one, lost)]
    own = max((one.event.onset for one in since), default=dt.date.min)
    return any(one.event.onset >= own and item.event.after <= BACK * one.event.before for one in lost)


def _nameless(item: Judged, lost: Sequence[Judged]) -> bool:
    """Whether a fall is that of the few who still bear a name that most of its mail had lost before."""
    fallen = _lost_before(item, lost) if item.event.kind == "fall" else []
    return any(item.event.before < NAMED_AGAIN * one.event.before for one in fallen)


def _with_its_botnet(item: Judged, lost: Sequence[Judged], panel: Panel) -> bool:
    """Whether a programme fell because a botnet that advertised it lost its name."""
    return (
        item.subject[0] == "programme"
        and item.subject[1] != UNKNOWN
        and item.event.kind == "fall"
        and any(
            other.subject[0] == "botnet"
            and abs((other.event.onset - item.event.onset).days) <= MATCHING
            and carried_by(panel, other.subject[1], item.subject[1], item.event)
            for other in lost
        )
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


def _change(subject: Subject, event: Event, kind: ChangeKind, confidence: float, trail: Trail) -> Change:
    """A move as a change."""
    near = None if kind == "new" else event.reach
    known = None if kind == "new" else event.ratio
    ratio, low, high = _that_way(event.kind, near) if near else (known, None, None)
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
        ratio_low=low,
        ratio_high=high if high is not None and math.isfinite(high) else None,
        confidence=confidence,
        evidence=(
            f"{event.before:.3g} -> {event.after:.3g} messages a day at usual exposure{shown}; "
            f"{_weight(event)}{'; ' if trail.evidence else ''}{trail.evidence}"
        ),
    )


def _that_way(way: EventKind, reach: Reach) -> Reach:
    """How far a move went, its interval without the other direction: that it went this way is known."""
    ratio, low, high = reach
    if way == "fall":
        return ratio, low, min(high, max(ratio, 1.0))
    return ratio, max(low, min(ratio, 1.0)), high


def _weight(event: Event) -> str:
    """What speaks for an event, in words."""
    if event.parts:
        moved = ", ".join(f"{name} {amount:+.3g} a day" for name, amount in event.parts)
        return f"known by its parts: {moved}; all other mail did less than a third of that"
    if event.alarmed is not None:
        return f"{ALARM}, chance {event.p_value:.2g} at the level before; may still be going on"
    return f"twice the log-likelihood ratio {event.gain:.1f}, p {event.p_value:.2g} over the series"


def switched(botnet: str, switch: Switch, confidence: float) -> Change:
    """A switch as a change."""
    end = switch.end or (None, None, None)
    was, now, came, stands = switch.shares
    fell, left, rose, won = switch.messages
    return Change(
        kind="switch",
        subject_kind="botnet",
        subject=botnet,
        onset=switch.onset[0],
        onset_low=switch.onset[1],
        onset_high=switch.onset[2],
        end=end[0],
        end_low=end[1],
        end_high=end[2],
        ratio=None,
        confidence=confidence,
        from_programme=switch.from_programme,
        to_programme=switch.to_programme,
        evidence=(
            f"{switch.from_programme} {was:.0%} -> {now:.0%} of its mail ({fell:.3g} -> {left:.3g} a day), "
            f"{switch.to_programme} {came:.0%} -> {stands:.0%} ({rose:.3g} -> {won:.3g} a day); "
            f"twice the log-likelihood ratio {switch.gain:.1f}, p {switch.p_value:.2g} over the series"
        ),
    )
