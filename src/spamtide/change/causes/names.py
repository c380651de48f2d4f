"""Names that were lost, or came back: what counts say of a move, corrected by what the messages say.

See `trail`. What has its name again was not seen to lose it where that took weeks, or was not sure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spamtide.change.causes.silence import (
    Cause,
    carried_by,
    compared,
    counts_for_lost_name,
    moved_about,
)
from spamtide.change.causes.telling import Judged, Subject
from spamtide.change.causes.trail import MOSTLY, UNTRACED, Trail, follow
from spamtide.change.mixes.switch import Switch
from spamtide.change.moves.event import Event
from spamtide.model import UNKNOWN, Floats, Panel, SubjectKind, Tracing

WON = 0.2
"""Share of what it lost that `unknown` may have won for a botnet's fall to be asked about."""
MAY = 3.0
"""Standard errors by which `unknown` may have won more than was seen: among much other mail, a little more
of it is not seen in its counts, and it has poor days of its own."""
LOST, LOST_T = 0.4, 2.0
"""Share of what `unknown` won that a botnet must have lost to be asked about where only `unknown` is known to
have moved, and the standard errors by which it must have."""
WITH_SENDERS = 0.7
"""Part of what a programme lost from which on it fell with its botnets, and messages are not asked."""
SAME_DAYS = dt.timedelta(days=3)
"""By how much a programme's fall and its botnet's may miss one another's days."""
USUAL_DAYS = 7
"""Days before a programme's fall that say how much its sender sent for it, and how much that names nothing:
letters change, so that no more of them do."""
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
    turned: Sequence[tuple[str, Switch]] = ()
    """Botnets and their switches."""

    @property
    def _known(self) -> tuple[dt.date, dt.date]:
        """First day of the panel, and the first that is not known yet."""
        first: dt.date = self.panel.days[0].astype(dt.date)
        last: dt.date = self.panel.days[-1].astype(dt.date)
        return first, last + dt.timedelta(days=1)

    def corrected(self, subject: Subject, event: Event, cause: Cause) -> tuple[Cause, Trail]:
        """The cause of an event and the traces behind it, where there are any."""
        nameless: Subject = (subject[0], UNKNOWN)
        asked = subject != nameless and nameless in self.panel.subjects
        if not asked or event.kind == "surge" or cause not in ASKED.get(subject[0], ()):
            return cause, UNTRACED
        if event.kind == "rise":
            return self._named_again(subject, event, cause)
        if subject[0] == "programme" and self.fell_with_senders(subject[1], event):
            return cause, UNTRACED
        # One sender's letters are lost among all that name no programme: only their addresses show them.
        if cause == "stopped" and subject[0] == "botnet" and not self._exchanged(subject, event):
            return cause, UNTRACED
        trail = follow(self.tracing, subject, event, self._known)
        return trail.corrects(cause, counts_for_lost_name(self.panel, subject, event, self.usual)), trail

    def _named_again(self, subject: Subject, event: Event, cause: Cause) -> tuple[Cause, Trail]:
        """A botnet's rise, 'regained' where mail that had no name before is what it won."""
        if subject[0] != "botnet" or event.silent_before or not self._exchanged(subject, event):
            return cause, UNTRACED
        trail = follow(self.tracing, subject, event, self._known)
        return ("regained" if trail.corrects(cause) == "attribution" else cause), trail

    def _exchanged(self, subject: Subject, event: Event) -> bool:
        """Whether `unknown` may have won some of what a subject lost, or lost some of what it won."""
        mine, other = (
            compared(self.panel, one, event, self.usual) for one in (subject, (subject[0], UNKNOWN))
        )
        way = -1 if event.kind == "fall" else 1
        won, lost = -way * other.change + MAY * other.error, way * mine.change
        return lost > 0 and won >= WON * lost

    def fell_with_senders(self, programme: str, event: Event) -> bool:
        """Whether most of what a programme lost was lost by named botnets that advertised it, as a whole.

        They went silent, and took it along: asking messages would say no more, and costs a second.
        """
        named = frozenset(botnet for botnet, _ in self.panel.pairs) - {UNKNOWN}
        return self._lost_by(programme, event, named, frozenset())

    def taken_along(self, judged: Sequence[Judged]) -> list[Judged]:
        """Judgements in which a programme whose senders fell, or turned to another, then, lost no name.

        Their letters without a name, and who came or grew meanwhile, may look as if they had taken its place.
        """
        return [
            replace(one, cause="stopped", trail=UNTRACED) if self._went_along(one, judged) else one
            for one in judged
        ]

    def _went_along(self, one: Judged, judged: Sequence[Judged]) -> bool:
        """Whether an event is a programme's lost name that its botnets' known falls and switches explain."""
        (kind, programme), event = one.subject, one.event
        if kind != "programme" or one.cause != "attribution" or event.kind != "fall":
            return False
        first, last = event.onset_low - SAME_DAYS, (event.end_high or event.onset_high) + SAME_DAYS
        fallen = frozenset(
            other.subject[1]
            for other in judged
            if other.subject[1] != UNKNOWN
            and (other.subject[0], other.event.kind, other.cause) == ("botnet", "fall", "stopped")
            and first <= other.event.onset_high
            and other.event.onset_low <= last
        )
        away = frozenset(
            botnet
            for botnet, switch in self.turned
            if switch.from_programme == programme and first <= switch.onset[2] and switch.onset[1] <= last
        )
        return bool(fallen or away) and self._lost_by(programme, event, fallen, away)

    def with_last_letters(self, judged: Sequence[Judged]) -> list[Judged]:
        """Judgements in which a programme's fall is its sender's stop, though its last letters name nothing.

        Mail of the last days that was nobody's mail before is what it sent for the programme. Days of either
        fall are in the intervals then, for which letters these were is not known.
        """
        stops = [
            one
            for one in judged
            if one.subject[0] == "botnet"
            and one.subject[1] != UNKNOWN
            and (one.event.kind, one.cause) == ("fall", "stopped")
        ]
        return [
            next((_united(one, stop) for stop in stops if self._went_on_until(one, stop)), one)
            for one in judged
        ]

    def _went_on_until(self, one: Judged, stop: Judged) -> bool:
        """Whether a programme's sender stopped days after its fall, and sent other letters until then."""
        (kind, programme), event, botnet = one.subject, one.event, stop.subject[1]
        named, nameless = (self.panel.pairs.get((botnet, name)) for name in (programme, UNKNOWN))
        if kind != "programme" or (event.kind, one.cause) != ("fall", "stopped"):
            return False
        gone, stopped = event.end or event.onset, stop.event.end or stop.event.onset
        if not gone < stopped <= gone + SAME_DAYS or named is None or nameless is None:
            return False
        days = self.panel.days
        between = (days >= np.datetime64(gone)) & (days < np.datetime64(stopped))
        first = np.datetime64(event.onset_low)
        before = (days >= first - np.timedelta64(USUAL_DAYS, "D")) & (days < first)
        share = float(self.usual[between].sum()) / max(float(self.usual[before].sum()), 1e-9)
        due, more = named[before].sum() * share, nameless[between].sum() - nameless[before].sum() * share
        return bool(more >= MOSTLY * due > 0) and carried_by(self.panel, botnet, programme, event)

    def _lost_by(self, programme: str, event: Event, fallen: frozenset[str], turned: frozenset[str]) -> bool:
        """Whether botnets that fell as a whole, or turned away, lost WITH_SENDERS of a programme's loss."""
        lost = theirs = 0.0
        for (botnet, named), count in self.panel.pairs.items():
            if named == programme:
                own = max(-moved_about(self.panel, count, event, self.usual).change, 0.0)
                lost += own
                if botnet in turned:
                    theirs += own
                elif botnet in fallen and own:
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
            trail = follow(self.tracing, subject, fall, self._known)
            if trail.corrects("stopped") == "attribution":
                yield subject, fall, trail


def _united(one: Judged, stop: Judged) -> Judged:
    """A programme's fall with its sender's days, in intervals that hold its own."""
    mine, other = one.event, stop.event
    ends = [end for end in (mine.end_low, other.end_low) if end is not None]
    known = other.end is not None and other.end_high is not None
    return replace(
        one,
        event=replace(
            mine,
            onset=max(mine.onset, other.onset),
            onset_low=min(mine.onset_low, other.onset_low),
            onset_high=max(mine.onset_high, other.onset_high),
            end=other.end,
            end_low=min(ends) if known else None,
            end_high=max(end for end in (mine.end_high, other.end_high) if end is not None)
            if known
            else None,
        ),
    )
