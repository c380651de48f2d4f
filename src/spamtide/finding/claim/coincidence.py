"""Claims about outside events that lie near the moves that they could concern."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spamtide.finding.claim.around import LOOK_BACK, weight_of
from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.volume import in_period
from spamtide.finding.estimate.links import RARE, REACH, Nearness, Trial, exchange_test, shift_test
from spamtide.finding.events import ACTIONS, Event
from spamtide.finding.figures import Figure
from spamtide.finding.inputs import View
from spamtide.finding.words import Value, coincidence_word, plural
from spamtide.model import UNKNOWN, Change
from spamtide.statement import Claim

FALLING, RISING = frozenset({"decline", "cease", "switch"}), frozenset({"rise", "resume", "new"})
DIRECTIONS: dict[str, frozenset[str]] = {"c2_return": RISING, "other": FALLING | RISING}
"""Kind of event -> kinds of moves that it could concern; FALLING for those not named."""
GENERAL = frozenset({"host", "operation", "global", "other", ""})
"""Types of subjects that could concern every botnet, unless they name one."""
TOLD_EVENTS = 3
SAYS_NOTHING = 0.5
"""From this p on chance brings such nearness more often than not, and the event is not told."""
LEAST_MAIL = 28
"""Messages in the weeks before from which on a botnet counts among those that could have moved, and since a
programme's fall from which on its mix then is known."""
LEFT = 0.05
"""Share of a botnet's mail up to which a programme that it mostly carried is left."""
ONSET_WORDS: dict[str, str] = {
    "decline": "the fall of {name} began",
    "cease": "the fall of {name} began",
    "rise": "the rise of {name} began",
    "resume": "the return of {name}",
    "new": "the first sighting of {name}",
    "switch": "the switch of {name}",
}
"""Kind of move -> how an event's distance from its onset is worded."""


@dataclass(frozen=True, slots=True)
class Link:
    """An event with the moves that it could concern and the odds of their nearness."""

    event: Event
    moves: tuple[Change, ...]
    """Those within REACH days, the largest first; all it could concern were tested."""
    odds: Nearness


@dataclass(frozen=True, slots=True)
class Calendar:
    """Everything that was tested."""

    links: tuple[Link, ...]
    days: int
    events: int
    """Events that could concern a move."""
    moves: int
    """Moves that an event could concern."""


def calendar(view: View) -> Calendar:
    """Test every action on record in the days of the data against the moves that it could concern."""
    if not view.panel.days.size:
        return Calendar((), 0, 0, 0)
    first: dt.date = view.panel.days[0].item()
    last = min(view.period.until, view.panel.days[-1].item())
    moves = _moves(view, first, last)
    actions = [e for e in view.inputs.events if e.kind in ACTIONS and first <= e.date_start <= last]
    concerned = [tuple(c for c in moves if could_concern(view, e, c)) for e in actions]
    length = (last - first).days + 1
    trials = [
        Trial((e.date_start - first).days, tuple((c.onset - first).days for c in own))
        for e, own in zip(actions, concerned, strict=True)
    ]
    links = tuple(
        Link(event, _near(view, event, own), odds)
        for event, own, odds in zip(actions, concerned, shift_test(trials, length), strict=True)
    )
    tested = {(c.subject, c.onset, c.kind) for own in concerned for c in own}
    return Calendar(links, length, sum(1 for own in concerned if own), len(tested))


def _moves(view: View, first: dt.date, last: dt.date) -> list[Change]:
    """Moves of botnets in the days of the data; the total's where no botnet's is known."""
    known = FALLING | RISING
    named = [c for c in view.inputs.changes if c.subject != UNKNOWN]
    inside = [c for c in named if c.kind in known and first <= c.onset <= last]
    botnets = [c for c in inside if c.subject_kind == "botnet"]
    return botnets or [c for c in inside if c.subject_kind == "total"]


def could_concern(view: View, event: Event, move: Change) -> bool:
    """Whether an event could concern a move, by what both are about and never by when they were."""
    if move.kind not in DIRECTIONS.get(event.kind, FALLING):
        return False
    if move.subject_kind == "total":
        return event.subject_type in GENERAL
    if view.is_about(event, [move.subject]):
        return True
    if view.is_about(event, programmes_before(view, move.subject, move.onset_low, move.from_programme)):
        return True
    return event.subject_type in GENERAL and not view.is_about(event, view.botnets)


def programmes_before(view: View, botnet: str, day: dt.date, whence: str | None = None) -> list[str]:
    """What a botnet mostly advertised in the four weeks before a day."""
    if whence and whence != UNKNOWN:
        return [whence]
    window = (day - dt.timedelta(days=LOOK_BACK), day - dt.timedelta(days=1))
    programme = view.main_programme(botnet, window)
    return [programme] if programme else []


def _near(view: View, event: Event, moves: Sequence[Change]) -> tuple[Change, ...]:
    """The moves within REACH of an event, the largest first."""
    near = [c for c in moves if abs((event.date_start - c.onset).days) <= REACH]
    return tuple(sorted(near, key=lambda c: (-weight_of(view, c), c.onset, c.subject)))


def event_claims(view: View) -> Iterator[Claim]:
    """Events near the period's moves: those linked in time, and those that are merely near and say so."""
    tested = calendar(view)
    found = [
        link
        for link in tested.links
        if link.odds.p < SAYS_NOTHING and any(in_period(view, c) for c in link.moves)
    ]
    found.sort(key=lambda link: (link.odds.p > RARE, link.odds.p, link.event.date_start, link.event.subject))
    counted: set[str] = set()
    for rank, link in enumerate(found[:TOLD_EVENTS]):
        claim = _event(view, link, tested, rank, counted)
        counted.add(str(claim.numbers.get("programme", "")))
        yield claim


def _event(view: View, link: Link, tested: Calendar, rank: int, counted: set[str]) -> Claim:
    """A coincidence in time, with how rare it is, and nothing beyond.

    Who moved is counted once a programme; `counted` holds those that were.
    """
    event, change = link.event, next(c for c in link.moves if in_period(view, c))
    away = (event.date_start - change.onset).days
    days = Figure(
        float(away),
        float((event.date_start - change.onset_high).days),
        float((event.date_start - change.onset_low).days),
        "days",
    )
    values: dict[str, Value] = {
        "subject": event.subject,
        "day": event.date_start,
        "days": days if away >= 0 else days.flipped(),
        "name": view.name(change.subject) if change.subject_kind == "botnet" else "spam as a whole",
        "p": float(link.odds.p),
        "events": tested.events,
        "moves": tested.moves,
    }
    what = ACTIONS[event.kind].format("{subject}")
    if event.subject_type == "operation":  # it struck, and was not struck
        what = what.replace(" of {subject}", " by {subject}")
    moved = ONSET_WORDS[change.kind]
    at = "from the day on which" if moved.endswith("began") else "from the day of"
    order = "after" if away > 0 else "before" if away else at
    template = (
        f"{what[0].upper()}{what[1:]} is on record for {{day}}, {{days}} {order} "
        f"{moved}, {coincidence_word(link.odds.p)} (p = {{p}} over the "
        f"{{moves}} {plural(tested.moves, 'move')} and {{events}} {plural(tested.events, 'event')} looked at)"
    )
    template += _who_moved(view, link, values, counted)
    linked = link.odds.p <= RARE
    if linked:
        template += ". Dates alone do not say which led to which, or whether either did"
    about = About(
        "event" if linked else "nearby",
        change.subject_kind,
        change.subject,
        event.date_start,
        view.count(change.subject_kind, change.subject, view.window),
        view.sensors_of(change.subject_kind, change.subject, view.window),
        rows_of(change.subject_kind, change.subject, *view.window),
        weight=weight_of(view, change),
        lift=-float(rank),
    )
    return draft(
        view,
        about,
        template + ".",
        values,
        source_url=event.source_url,
        summary=event.summary,
        kind=event.kind,
        own_p=round(link.odds.own, 4),
        shifts=float(tested.days),
    )


def _who_moved(view: View, link: Link, values: dict[str, Value], counted: set[str]) -> str:
    """For an event about a programme: how many of its botnets moved, and how many of the others."""
    window = (
        link.event.date_start - dt.timedelta(days=REACH + LOOK_BACK),
        link.event.date_start - dt.timedelta(days=REACH + 1),
    )
    alive = [b for b in view.botnets if view.count("botnet", b, window) >= LEAST_MAIL]
    carried = {b: programmes_before(view, b, window[1] + dt.timedelta(days=1)) for b in alive}
    its = [b for b in alive if view.is_about(link.event, carried[b]) and not view.is_about(link.event, [b])]
    others = [b for b in alive if b not in its]
    if len(its) < 2 or not others:  # noqa: PLR2004 - of one botnet there is nothing to count
        return ""
    moved = {
        c.subject
        for c in view.inputs.changes
        if c.subject_kind == "botnet"
        and c.kind in DIRECTIONS.get(link.event.kind, FALLING)
        and abs((c.onset - link.event.date_start).days) <= REACH
    } | {b for b in alive if _left(view, link.event, b, carried[b])}
    near, near_others = len(moved & set(its)), len(moved & set(others))
    programme = next(p for b in its for p in carried[b] if view.is_about(link.event, [p]))
    if view.name(programme) in counted:
        return ""
    values |= {
        "its": len(its),
        "near": near,
        "others": len(others),
        "near_others": near_others,
        "programme": view.name(programme),
        "reach": REACH,
        "who_p": float(exchange_test(near, len(its), near_others, len(others))),
    }
    left = plural(near, "is", "are")
    return (
        f". {{near}} of the {{its}} botnets that mostly carried {{programme}} fell, or {left} known to "
        "have left it, within {reach} days of that day, against {near_others} of the {others} "
        f"{plural(len(others), 'other')} (p = {{who_p}} for who moved)"
    )


def _left(view: View, event: Event, botnet: str, carried: Sequence[str]) -> bool:
    """Whether a botnet sends on without what it mostly carried, of which a fall is told about that day.

    It need not have turned to another programme: its mail since may advertise nothing.
    """
    for change in view.inputs.changes:
        falls = change.kind in {"decline", "cease"} & DIRECTIONS.get(event.kind, FALLING)
        if not falls or change.subject_kind != "programme" or change.subject not in carried:
            continue
        since = change.end or change.onset_high
        last = min(since + dt.timedelta(days=LOOK_BACK - 1), view.period.until)
        mix = view.programme_mix(botnet, (since, last))
        whole = sum(mix.values())
        near = abs((change.onset - event.date_start).days) <= REACH
        if near and whole >= LEAST_MAIL and mix.get(change.subject, 0) <= LEFT * whole:
            return True
    return False
