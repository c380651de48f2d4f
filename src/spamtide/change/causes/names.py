"""Names that were lost: what counts say of a fall, corrected by what the messages say (see `trail`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from spamtide.change.causes.silence import Cause, compared, moved_about
from spamtide.change.causes.telling import Subject
from spamtide.change.causes.trail import UNTRACED, Trail, follow
from spamtide.change.moves.event import Event
from spamtide.model import UNKNOWN, Floats, Panel, SubjectKind, Tracing

WON = 0.2
"""Share of what it lost that `unknown` must have won for a botnet's fall to be asked about."""
LOST, LOST_T = 0.4, 2.0
"""Share of what `unknown` won that a botnet must have lost to be asked about where only `unknown` is known to
have moved, and the standard errors by which it must have."""
WITH_SENDERS = 0.7
"""Part of what a programme lost from which on it fell with its botnets, and messages are not asked."""
ASKED: dict[SubjectKind, frozenset[Cause]] = {
    "botnet": frozenset({"stopped", "attribution", "doubtful"}),
    "programme": frozenset({"stopped", "doubtful"}),
}
"""Causes by counts that traces may correct. What its own botnets' `unknown` says is surer."""


@dataclass(frozen=True, slots=True)
class Names:
    """An observatory whose messages can be asked about."""

    panel: Panel
    usual: Floats
    """What all sensors' mail is expected to be by day, 1 on an average day."""
    tracing: Tracing

    @property
    def _until(self) -> dt.date:
        """First day that is not known yet."""
        last: dt.date = self.panel.days[-1].astype(dt.date)
        return last + dt.timedelta(days=1)

    def corrected(self, subject: Subject, event: Event, cause: Cause) -> tuple[Cause, Trail]:
        """The cause of an event and the traces behind it, where there are any."""
        nameless: Subject = (subject[0], UNKNOWN)
        asked = subject != nameless and nameless in self.panel.subjects
        if not asked or event.kind != "fall" or cause not in ASKED.get(subject[0], ()):
            return cause, UNTRACED
        if subject[0] == "programme" and self.fell_with_senders(subject[1], event):
            return cause, UNTRACED
        # One sender's letters are lost among all that name no programme: only their addresses show them.
        if cause == "stopped" and subject[0] == "botnet":
            mine, other = (compared(self.panel, one, event, self.usual) for one in (subject, nameless))
            if mine.change >= 0 or other.change < -WON * mine.change:
                return cause, UNTRACED
        trail = follow(self.tracing, subject, event, self._until)
        return trail.corrects(cause), trail

    def fell_with_senders(self, programme: str, event: Event) -> bool:
        """Whether most of what a programme lost was lost by named botnets that advertised it, as a whole.

        They went silent, and took it along: asking messages would say no more, and costs a second.
        """
        lost = theirs = 0.0
        for (botnet, named), count in self.panel.pairs.items():
            if named == programme:
                own = max(-moved_about(self.panel, count, event, self.usual).change, 0.0)
                lost += own
                if botnet != UNKNOWN and own:
                    whole = compared(self.panel, ("botnet", botnet), event, self.usual)
                    theirs += min(own, max(-whole.change, 0.0))
        return lost > 0 and theirs >= WITH_SENDERS * lost

    def behind(self, risen: Event) -> Iterator[tuple[Subject, Event, Trail]]:
        """Botnets whose mail a rise of `unknown` is, by their traces, though no fall of theirs is sure.

        Args:
            risen: the rise; what they lost is told with its dates.
        """
        won = compared(self.panel, ("botnet", UNKNOWN), risen, self.usual).change
        for subject in self.panel.subjects:
            if subject[0] != "botnet" or subject[1] == UNKNOWN:
                continue
            mine = compared(self.panel, subject, risen, self.usual)
            if mine.change > -max(LOST * won, LOST_T * mine.error):
                continue
            fall = replace(risen, kind="fall", before=mine.was, after=mine.was + mine.change)
            trail = follow(self.tracing, subject, fall, self._until)
            if trail.corrects("stopped") == "attribution":
                yield subject, fall, trail
