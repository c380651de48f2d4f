"""Whether mail that lost its name still comes from where it came from: evidence that counts do not hold.

A botnet's machines and campaigns outlive the templates by which it is known. Of its own messages some part
comes from addresses that it used in the two weeks before; of the messages that became nameless the same part
should, beside those nameless messages that did so before. Where they do, the name was lost; where they do
not, though they should, the botnet fell. What it still sends under its name shows which part that is since.
A campaign or an engine that is known says the same; one that is new says nothing, since templates that turn
begin new campaigns. Engines are rented: strangers' mail may come from one, but not just as much as was lost.

A name that comes back is one that was lost, in reversed time.

A programme's name is lost the same way, but machines outlive programmes: what turned to another, some of
whose letters name nothing, is no lost name. So most of what was lost must be found, and more of it in mail
without a name than in other programmes' mail.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from spamtide.change.causes.silence import Cause
from spamtide.change.moves.event import Event
from spamtide.model import SubjectKind, Trace, Tracing

SIZE = 5.0
"""NB size of the messages of a week that carry such: what a fleet sends, and what else uses its machines,
varies from week to week."""
FEWEST_OWN, LEAST_PART = 10, 0.05
"""Messages of its own from which the part is known, and the part from which it tells anything."""
FEW = 0.5
"""Messages a week that are taken to carry such where none was seen to."""
WIDEST, LATEST = 21, 7
"""Days that a fall may be uncertain by for all of them to be left out, and for it to be asked about; and for
fleets that are gone to speak against: in longer ones a fleet changes."""
BACK = 21
"""Days of mail since a rise from which it is asked about: the addresses of the fortnight after, of which
mail of the week after is looked for, must all be known, or any rise looks like a name come back."""
AS_MUCH = 2.0
"""Times what is due from which on more mail of an engine says nothing, as less than MOSTLY of it: it may be
a stranger's."""
MOSTLY = 0.5
"""Part of what a programme lost, or is due of an engine, that must be found in mail without a name."""
SURE, SUPPORTED = 3.0, 1.5
"""Log-likelihood ratios from which the traces decide alone, whatever the counts say; and from which they
decide where the counts are of two minds."""
AMOUNTS = 2.0
"""Log-likelihood ratio that counts are worth at most beside the traces: a newcomer may well win as much."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What the traces say of one fall."""

    odds: float = 0.0
    """Log-likelihood ratio of a lost name against a fall; 0 where nothing is known."""
    evidence: str = ""
    """The numbers behind it, in words."""

    def corrects(self, cause: Cause, amounts: float = AMOUNTS) -> Cause:
        """The cause of a fall that by counts is one of a name or of the botnet itself.

        Args:
            cause: that by counts.
            amounts: log-likelihood ratio by counts of a lost name, where that is their cause.
        """
        against = min(max(amounts, 0.0), AMOUNTS) if cause == "attribution" else SURE
        if self.odds < 0 and self.odds <= -against:
            return "stopped"
        return "attribution" if self.odds >= (SUPPORTED if cause == "doubtful" else SURE) else cause

    def bears_out(self, confidence: float) -> float:
        """The confidence in a fall that was found to be a lost name: the traces are no part of its counts.

        Of them counts what they decide alone by, however much more they say.
        """
        if self.odds <= 0 or not 0 < confidence < 1:
            return confidence
        doubt = (1 - confidence) / confidence * math.exp(-min(self.odds, SURE))
        return 1 / (1 + doubt)


UNTRACED = Trail()


def no_traces(*_: object) -> tuple[Trace, ...]:
    """Where there are counts and no messages."""
    return ()


def follow(
    tracing: Tracing, subject: tuple[SubjectKind, str], event: Event, known: tuple[dt.date, dt.date]
) -> Trail:
    """Look for a botnet or programme that fell in the mail without a name; for one that rose, before it did.

    Args:
        tracing: counts the messages.
        subject: its kind and name.
        event: its fall, or its rise.
        known: the first day of the panel, and the first that is not known yet.
    """
    span = _span(event, known)
    if span is None:
        return UNTRACED
    first, last, until = span
    lost = abs(event.before - event.after)
    traces = tracing(subject, first, last, until)
    if subject[0] == "programme":
        # Engines outlive programmes, and what they turn to.
        traces = tuple(one for one in traces if one.of != "engines" and not _turned(one, lost))
    return weigh_traces(traces, lost, stale=abs((last - first).days) > LATEST, back=event.kind == "rise")


def _span(event: Event, known: tuple[dt.date, dt.date]) -> tuple[dt.date, dt.date, dt.date] | None:
    """First and last day of a fall, and the first that says nothing of it any more; a rise's, backwards.

    Days that it may have begun or ended on are left out, if they are few; else it is asked at its likeliest.
    """
    day = dt.timedelta(days=1)
    low, onset, high = event.onset_low, event.onset, event.onset_high
    end, end_high = event.end or high, event.end_high or high
    wide = (end_high - low).days > WIDEST
    if event.kind == "surge" or (end - onset).days > WIDEST:
        return None
    if event.kind == "fall":
        until = min(event.until, known[1])
        first, last = (onset, end) if wide else (low, end_high)
        return first, onset if last >= until else last, until
    since = max(event.since, known[0])
    first, last = (onset, end) if wide else (low, end_high)
    if (known[1] - last).days < BACK:
        return None
    begun = end if first <= since else first
    return last - day, begun - day, since - day


def weigh_traces(traces: Sequence[Trace], lost: float, *, stale: bool = False, back: bool = False) -> Trail:
    """What traces say of a fall by `lost` messages a day.

    Args:
        traces: of addresses, of campaigns, of engines.
        lost: messages a day.
        stale: whether so long has passed that a fleet may be another, unless its own mail since shows it.
        back: whether it is a rise, in reversed time.
    """
    best = UNTRACED
    for trace in traces:
        odds = _odds(trace, lost)
        if trace.of != "addresses" or (stale and not _still_known(trace)):
            odds = max(odds, 0.0)
        if odds > max(best.odds, 0.0) or (odds < 0 and best.odds == 0):
            best = Trail(odds, _words(trace, back=back))
    return best


def _odds(trace: Trace, lost: float) -> float:
    """Log-likelihood ratio of what one kind of traces shows."""
    carried, own = trace.since if _still_known(trace) else trace.own
    part = carried / max(own, 1)
    if own < FEWEST_OWN or part < LEAST_PART or lost <= 0:
        return 0.0
    seen, days = trace.after
    usual, due = max(trace.before[0], FEW) / trace.before[1] * days, part * lost * days
    if trace.of == "engines" and not MOSTLY * due <= seen - usual <= AS_MUCH * due:
        return 0.0
    return _log_nb(seen, usual + due) - _log_nb(seen, usual)


def _turned(trace: Trace, lost: float) -> bool:
    """Whether what goes on without a name is too little for a lost one, or less than what names another."""
    days, share = trace.after[1], trace.after[1] / max(trace.before[1], 1)
    nameless = trace.after[0] - trace.before[0] * share
    other = trace.elsewhere[1] - trace.elsewhere[0] * share
    # Not of its mail since: another sender who has just begun for it would make its fleet look new.
    carried, own = trace.own
    due = carried / max(own, 1) * lost * days
    return 0 < nameless < max(MOSTLY * due, other)


def _still_known(trace: Trace) -> bool:
    """Whether enough of it kept its name to show how much of its fleet of then still sends."""
    return trace.since[1] >= FEWEST_OWN


def _log_nb(seen: int, mean: float) -> float:
    """Log NB probability, without what does not depend on the mean."""
    return seen * math.log(mean / (mean + SIZE)) - SIZE * math.log1p(mean / SIZE)


def _words(trace: Trace, *, back: bool) -> str:
    """The numbers."""
    then, now = ("since", "before") if back else ("before", "since")
    own = f"{trace.own[0]} of {trace.own[1]}"
    if _still_known(trace):
        own += f", {trace.since[0]} of {trace.since[1]} {now}"
    return (
        f"messages without a name from its {trace.of} of the two weeks {then}: {trace.before[0]} in "
        f"{trace.before[1]} days {then}, {trace.after[0]} in {trace.after[1]} {now}; of its own {own}"
    )
