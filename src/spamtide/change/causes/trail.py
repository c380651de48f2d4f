"""Whether mail that lost its name still comes from where it came from: evidence that counts do not hold.

A botnet's machines and campaigns outlive the templates by which it is known. Of its own messages some part
comes from addresses that it used in the two weeks before; of the messages that became nameless the same part
should, beside those nameless messages that did so before. Where they do, the name was lost; where they do
not, though they should, the botnet fell. What it still sends under its name shows which part that is since.
A campaign that is known says the same; one that is new says nothing, since templates that turn begin new
campaigns.

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
"""Days that a fall may be uncertain by for it to be asked about; and for fleets that are gone to speak
against: in longer ones a fleet changes."""
MOSTLY = 0.5
"""Part of what a programme lost that must be found in mail without a name."""
SURE, SUPPORTED = 3.0, 1.5
"""Log-likelihood ratios from which the traces decide alone, whatever the counts say; and from which they
decide where the counts are of two minds."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What the traces say of one fall."""

    odds: float = 0.0
    """Log-likelihood ratio of a lost name against a fall; 0 where nothing is known."""
    evidence: str = ""
    """The numbers behind it, in words."""

    def corrects(self, cause: Cause) -> Cause:
        """The cause of a fall that by counts is one of a name or of the botnet itself."""
        if self.odds <= -SURE:
            return "stopped"
        return "attribution" if self.odds >= (SUPPORTED if cause == "doubtful" else SURE) else cause


UNTRACED = Trail()


def no_traces(*_: object) -> tuple[Trace, ...]:
    """Where there are counts and no messages."""
    return ()


def follow(tracing: Tracing, subject: tuple[SubjectKind, str], event: Event, until: dt.date) -> Trail:
    """Look for a botnet or programme that fell in the mail without a name.

    Args:
        tracing: counts the messages.
        subject: its kind and name.
        event: its fall.
        until: first day that is not known yet.
    """
    first, last = event.onset_low, event.end_high or event.onset_high
    if last >= until:
        last = event.onset
    if event.kind != "fall" or (last - first).days > WIDEST:
        return UNTRACED
    lost = event.before - event.after
    traces = tracing(subject, first, last, until)
    if subject[0] == "programme":
        traces = tuple(trace for trace in traces if not _turned(trace, lost))
    return weigh_traces(traces, lost, stale=(last - first).days > LATEST)


def weigh_traces(traces: Sequence[Trace], lost: float, *, stale: bool = False) -> Trail:
    """What traces say of a fall by `lost` messages a day.

    Args:
        traces: of addresses, of campaigns, or of both.
        lost: messages a day.
        stale: whether so long has passed that a fleet may be another, unless its own mail since shows it.
    """
    best = UNTRACED
    for trace in traces:
        odds = _odds(trace, lost)
        if trace.of != "addresses" or (stale and not _still_known(trace)):
            odds = max(odds, 0.0)
        if odds > max(best.odds, 0.0) or (odds < 0 and best.odds == 0):
            best = Trail(odds, _words(trace))
    return best


def _odds(trace: Trace, lost: float) -> float:
    """Log-likelihood ratio of what one kind of traces shows."""
    carried, own = trace.since if _still_known(trace) else trace.own
    part = carried / max(own, 1)
    if own < FEWEST_OWN or part < LEAST_PART or lost <= 0:
        return 0.0
    seen, days = trace.after
    usual = max(trace.before[0], FEW) / trace.before[1] * days
    return _log_nb(seen, usual + part * lost * days) - _log_nb(seen, usual)


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


def _words(trace: Trace) -> str:
    """The numbers."""
    own = f"{trace.own[0]} of {trace.own[1]}"
    if _still_known(trace):
        own += f", {trace.since[0]} of {trace.since[1]} since"
    return (
        f"messages without a name from its {trace.of} of the two weeks before: {trace.before[0]} in "
        f"{trace.before[1]} days before, {trace.after[0]} in {trace.after[1]} since; of its own {own}"
    )
