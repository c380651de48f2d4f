"""A name that was lost in the last days: known by its machines before its counts are sure of a fall.

A botnet most of whose templates turn keeps a part of its mail, and days are uneven by as much as a part.
Where mail without a name comes from just so many more of its addresses, the two together are sure.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from spamtide.change.causes.names import Names
from spamtide.change.causes.silence import compared
from spamtide.change.causes.telling import Judged, Subject
from spamtide.change.causes.trail import UNTRACED, follow
from spamtide.change.moves.alarm import A_YEAR, REAL_A_YEAR, WINDOWS_A_DAY
from spamtide.change.moves.event import Event
from spamtide.model import UNKNOWN, Trace

WINDOWS = (2, 3, 4)
"""Last days that are asked about."""
KNOWN, BEFORE = 21, 28
"""Days in which a fall that is known says the same, and days of a panel before a window."""
FELL, FELL_T, WON = 0.65, 1.5, 0.3
"""Share of its level up to which a botnet must have fallen, standard errors by which it must have, and part
of what it lost that `unknown` must have won, for messages to be asked."""
MOST_ODDS, NEWS = 9.0, 0.95
"""Log-likelihood ratio of traces that is believed at most, and the confidence from which it is told."""


def just_lost(names: Names, judged: Sequence[Judged]) -> Iterator[Judged]:
    """Botnets that lost their name in the last days by their traces, of which no fall is known.

    Args:
        names: the observatory, whose messages can be asked about.
        judged: what is known of it.
    """
    first: dt.date = names.panel.days[0].astype(dt.date)
    until: dt.date = names.panel.days[-1].astype(dt.date) + dt.timedelta(days=1)
    if ("botnet", UNKNOWN) not in names.panel.subjects:
        return

    def tracing(kind: Subject, *days: dt.date) -> tuple[Trace, ...]:
        # Engines are rented: a stranger's days are as uneven as its own.
        return tuple(one for one in names.tracing(kind, *days) if one.of != "engines")

    fell = {
        one.subject for one in judged if one.event.kind == "fall" and (until - one.event.onset).days <= KNOWN
    }
    for subject in names.panel.subjects:
        if subject[0] != "botnet" or subject[1] == UNKNOWN or subject in fell:
            continue
        fall = _fall(names, subject, first, until)
        trail = UNTRACED if fall is None else follow(tracing, subject, fall, (first, until))
        if fall is None or trail.odds <= 0:
            continue
        # By looks of a year that show as much, as of any alarm.
        doubt = fall.p_value * A_YEAR * WINDOWS_A_DAY / REAL_A_YEAR
        sure = 1 / (1 + doubt * math.exp(-min(trail.odds, MOST_ODDS)))
        if sure >= NEWS:
            # Its first day may have been a part of one.
            low = fall.onset - dt.timedelta(days=1)
            yield Judged(subject, replace(fall, onset_low=low, alarmed=sure), sure, "attribution", trail)


def _fall(names: Names, subject: Subject, first: dt.date, until: dt.date) -> Event | None:
    """The likeliest fall of a botnet's last days that `unknown` may have won; None where there is none."""
    best: Event | None = None
    for days in WINDOWS:
        onset = until - dt.timedelta(days=days)
        if (onset - first).days < BEFORE:
            break
        fall = _began_on(onset, first, until)
        mine, other = (
            compared(names.panel, one, fall, names.usual) for one in (subject, ("botnet", UNKNOWN))
        )
        lost, left = -mine.change, mine.was + mine.change
        if lost <= 0 or left > FELL * mine.was or lost < FELL_T * mine.chance_error:
            continue  # of days on which no sensor was up, all are 0
        if other.change < WON * lost:
            continue
        chance = math.erfc(lost / max(mine.chance_error, 1e-9) / math.sqrt(2)) / 2
        if best is None or chance < best.p_value:
            best = replace(fall, before=mine.was, after=left, peak_before=mine.was, p_value=chance)
    return best


def _began_on(onset: dt.date, first: dt.date, until: dt.date) -> Event:
    """A fall that began on a day and goes on, without its levels."""
    return Event(
        kind="fall",
        onset=onset,
        onset_low=onset,
        onset_high=onset,
        end=None,
        end_low=None,
        end_high=None,
        before=0.0,
        after=0.0,
        since=first,
        until=until,
        gain=0.0,
        p_value=1.0,
        peak_before=0.0,
        silent_before=False,
        step=1,
    )
