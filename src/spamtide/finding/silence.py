"""Since when something is silent: from the end of its cease on, where it was not back since.

Now and then a message bears the name of a botnet that is long gone: a stranger's, or an old one that was sent
again. Counted from the last such message, a silence of a year would be one of weeks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from spamtide.finding.inputs import View
from spamtide.finding.words import NEGLIGIBLE
from spamtide.model import Change, SubjectKind

BACK = frozenset({"resume", "rise", "new"})
FALLS = frozenset({"cease", "decline"})
WEEK = 7
LEVEL_DAYS = 28
"""Days before a fall that stand for the level before it."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A cease on record, and what came since."""

    fall: Change
    since: dt.date
    """First day at next to nothing."""
    strays: int
    """Messages from that day to the last day asked about."""

    def by_chance(self, until: dt.date) -> bool:
        """Whether what bears its name since is less than a message a week: no trickle, and no sign of it."""
        return WEEK * self.strays < self.days(until)

    def days(self, until: dt.date) -> int:
        """How long it has lasted on a day."""
        return max((until - self.since).days, 0)


def silence_of(view: View, kind: SubjectKind, subject: str, until: dt.date) -> Silence | None:
    """The silence that a subject is in on a day; None where no cease is on record, or a return after it."""
    own = [c for c in view.inputs.changes if (c.subject_kind, c.subject) == (kind, subject)]
    known = [c for c in own if c.onset <= until]
    lost = max((c.onset for c in known if c.kind == "attribution-loss"), default=dt.date.min)
    back = max((c.onset for c in known if c.kind in BACK), default=dt.date.min)
    falls = [
        (c, c.end)
        for c in own
        if c.kind == "cease" and c.end is not None and back < c.onset and c.end <= until
    ]
    if not falls or lost > back:
        return None  # of a name that was lost, the few who still bear it say nothing
    fall, since = min(falls, key=lambda one: one[1])  # a later one is the end of strays
    return Silence(fall, since, view.count(kind, subject, (since, until)))


@dataclass(frozen=True, slots=True)
class Stop:
    """A fall that the hours show and no day does yet."""

    seen: int
    """Messages since."""
    day: dt.date
    hour: str
    """'10:00', UTC."""
    due: int
    """Messages that were to be expected since."""


def stop_of(change: Change) -> Stop | None:
    """What the hourly alarm said of a fall; None of what it did not raise."""
    if change.since is None or change.seen is None or change.due is None or change.kind not in FALLS:
        return None
    return Stop(change.seen, change.since.date(), f"{change.since:%H:%M}", round(change.due))


def still(view: View, silence: Silence, week: tuple[dt.date, dt.date]) -> bool:
    """Whether a week's mail is next to nothing beside the level before the fall."""
    fall = silence.fall
    before = (fall.onset_low - dt.timedelta(days=LEVEL_DAYS), fall.onset_low - dt.timedelta(days=1))
    was = view.count(fall.subject_kind, fall.subject, before) / LEVEL_DAYS
    days = (week[1] - week[0]).days + 1
    return view.count(fall.subject_kind, fall.subject, week) <= NEGLIGIBLE * was * days
