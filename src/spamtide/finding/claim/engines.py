"""Claims that name an engine: who makes mail that no botnet is named for, by a name that can be followed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from spamtide.finding.claim.around import LOOK_BACK, windows_around
from spamtide.finding.claim.draft import About, draft, export
from spamtide.finding.claim.volume import in_period
from spamtide.finding.figures import Rate, Window, ratio, share_of
from spamtide.finding.inputs import View
from spamtide.finding.words import SHARE_WORDS, Value, plural, word_from
from spamtide.model import UNKNOWN, Change, SubjectKind
from spamtide.statement import Claim, Maker

MOST = 0.5
"""Share of some mail, or of what it rose by, from which on an engine is named for it."""
LEAST_MESSAGES = 30
RISES = frozenset({"rise", "resume", "surge", "new"})
RECORD_BEGINS = 7
"""Days from the first with mail in which nothing is called new."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Some mail that no botnet is named for."""

    kind: str
    subject_kind: SubjectKind
    subject: str
    programme: str | None
    """None for all of it."""
    window: Window
    n: int
    day: dt.date


def heir_engine(view: View, programme: str, change: Change, window: Window) -> Claim | None:
    """Which engine makes most of a programme's mail since the botnet that carried it fell, if one does."""
    made = view.inputs.making(programme, window)
    carried = view.panel.pairs.get((UNKNOWN, programme))
    n = 0 if carried is None else int(carried[view.within(window)].sum())
    if not made or n < LEAST_MESSAGES or made[0].messages < MOST * n:
        return None
    mail = Mail("heir-engine", "programme", programme, programme, window, n, change.onset)
    values: dict[str, Value] = {
        "programme": view.name(programme),
        "word": word_from(SHARE_WORDS, made[0].messages / n).capitalize(),
    }
    template = (
        "{word} of the mail for {programme} that cannot be attributed comes from one engine, {engine}, "
        "{known}: {k} of {n} messages since {since} ({share}), from {sources} {addresses}."
    )
    return _claim(view, mail, made[0], template, values, change.confidence)


def engine_claims(view: View, told: frozenset[str]) -> Iterator[Claim]:
    """Which engine makes most of what mail that cannot be attributed rose by, if one does.

    Args:
        view: the inputs.
        told: engines that other claims name already.
    """
    rises = [
        c
        for c in view.inputs.changes
        if (c.subject_kind, c.subject) == ("botnet", UNKNOWN) and c.kind in RISES and in_period(view, c)
    ]
    for change in sorted(rises, key=lambda c: c.onset, reverse=True):
        found = _risen(view, change)
        if found is not None and found.numbers["engine"] not in told:
            told |= {str(found.numbers["engine"])}
            yield found


def _risen(view: View, change: Change) -> Claim | None:
    """The engine that grew most, if its growth is most of a rise and beyond chance."""
    _, after = windows_around(view, change)
    last = change.onset_low - dt.timedelta(days=1)
    before = (last - dt.timedelta(days=LOOK_BACK - 1), last)
    n, was = (view.count("botnet", UNKNOWN, window) for window in (after, before))
    if n < LEAST_MESSAGES:
        return None
    then = {one.engine: one.messages for one in view.inputs.making(None, before)}
    due = [float(view.offset()[view.within(window)].sum()) for window in (after, before)]
    if min(due) <= 0:
        return None
    risen = n / due[0] - was / due[1]
    found = []
    for one in view.inputs.making(None, after):
        earlier = then.get(one.engine, 0)
        gain = one.messages / due[0] - earlier / due[1]
        grown = ratio(Rate(one.messages, due[0], 1.0), Rate(earlier, due[1], 1.0))
        if gain >= MOST * risen > 0 and (not earlier or (grown.low is not None and grown.low > 1)):
            found.append((gain, one, earlier))
    if not found:
        return None
    gain, best, earlier = max(found, key=lambda item: item[0])
    mail = Mail("engine", "botnet", UNKNOWN, None, after, n, change.onset)
    values: dict[str, Value] = {"word": word_from(SHARE_WORDS, min(gain / risen, 1.0))}
    against = ""
    if was:
        values["then"] = share_of(earlier, was)
        against = ", against {then} in the four weeks before"
    template = (
        "One engine, {engine}, {known}, makes {word} of the rise of mail that cannot be attributed: "
        f"{{k}} of {{n}} such messages since {{since}} ({{share}}{against}), from {{sources}} {{addresses}}."
    )
    return _claim(view, mail, best, template, values, change.confidence)


def _claim(
    view: View, mail: Mail, made: Maker, template: str, values: dict[str, Value], confidence: float
) -> Claim:
    """One engine's share of some mail, its addresses and its first day."""
    days = view.panel.days
    old = bool(days.size) and (made.first_seen - days[0].item()).days < RECORD_BEGINS
    template = template.replace("{known}", "as old as our record" if old else "first seen on {first}")
    template = template.replace("{addresses}", plural(made.sources, "address", "addresses"))
    values = values | {
        "engine": made.engine,
        "k": made.messages,
        "n": mail.n,
        "share": share_of(made.messages, mail.n),
        "sources": made.sources,
        "since": mail.window[0],
        "first": made.first_seen,
    }
    chosen = {"programme": mail.programme} if mail.programme else {}
    since, until = mail.window
    about = About(
        mail.kind,
        mail.subject_kind,
        mail.subject,
        mail.day,
        made.messages,
        view.sensors_of("botnet", UNKNOWN, mail.window),
        export("observations", engine=made.engine, **chosen, label="wild", since=since, until=until),
        confidence=confidence,
    )
    return draft(view, about, template, values)
