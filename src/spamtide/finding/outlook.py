"""What recorded dormancies say about a return: a first, simple form, never said without its base."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from spamtide.finding.events import RETURNS, SILENCES, Event
from spamtide.finding.figures import Figure, wilson

HORIZON = 90
"""Days within which a return is counted."""
LEAST_BASE = 5
"""With fewer recorded dormancies nothing is said."""


@dataclass(frozen=True, slots=True)
class Dormancy:
    """One recorded silence of a botnet."""

    botnet: str
    start: dt.date
    end: dt.date | None
    """Day of return; None where no return is on record."""

    @property
    def days(self) -> float:
        """Length in days; infinite without a return."""
        return float("inf") if self.end is None else (self.end - self.start).days


@dataclass(frozen=True, slots=True)
class Outlook:
    """Share of recorded dormancies that ended within the horizon."""

    base: int
    """Recorded dormancies."""
    ended: int
    """Of these, ended within HORIZON days of their start."""
    share: Figure
    alike: int
    """Those that had lasted as long as the one in question."""
    alike_ended: int
    """Of these, ended within HORIZON days from then on."""
    alike_share: Figure


def dormancies(events: Sequence[Event], until: dt.date) -> tuple[Dormancy, ...]:
    """Read dormancies out of events, as they were known on the day `until`.

    A silence ends on its own `date_end`, else at the first later return of the same botnet. What happened
    after `until` is not used: an outlook made for 2010 knows nothing of 2011.
    """
    known = [e for e in events if e.date_start <= until and e.confidence != "low"]
    found = []
    for event in known:
        if event.kind not in SILENCES or event.subject_type != "botnet":
            continue
        end = event.date_end
        if end is None:
            returns = [e.date_start for e in known if e.kind in RETURNS and e.subject == event.subject]
            end = min((day for day in returns if day > event.date_start), default=None)
        found.append(Dormancy(event.subject, event.date_start, None if end and end > until else end))
    return tuple(found)


def outlook(record: Sequence[Dormancy], until: dt.date, lasted: int) -> Outlook | None:
    """Chance of a return within HORIZON days, over all recorded dormancies and over those as long as this.

    Only dormancies that could be followed for the whole horizon before `until` count. Wilson's interval on
    the plain share; the record holds what got published, so it is no random sample. None where fewer than
    LEAST_BASE dormancies are on record.
    """
    followed = [d for d in record if (until - d.start).days >= HORIZON]
    if len(followed) < LEAST_BASE:
        return None
    ended = sum(1 for d in followed if d.days <= HORIZON)
    alike = [d for d in followed if d.days >= lasted and (until - d.start).days >= lasted + HORIZON]
    alike_ended = sum(1 for d in alike if d.days <= lasted + HORIZON)
    return Outlook(
        base=len(followed),
        ended=ended,
        share=wilson(ended, len(followed)),
        alike=len(alike),
        alike_ended=alike_ended,
        alike_share=wilson(alike_ended, len(alike)),
    )
