"""Several botnets that send less over the same days, and one that does so every year: a holiday, maybe.

A week off is a fall and a return, and true of the mail. Read alone, it says nothing of what it is; so what it
coincides with is put into its evidence. Why botnets send less together is not known here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spamtide.change.causes.silence import UP
from spamtide.change.moves.segment import Bools
from spamtide.model import UNKNOWN, Change, Floats, Panel

LONGEST = 21
"""Days from a fall to the return up to which the two are one dip."""
RETURNS = (0.65, 1.55)
"""Level after the return against that before the fall."""
SAME_DAYS, MAYBE = 1, 4
"""Days by which two dips' edges may miss one another, and where they may be one by their intervals."""
NAMED = 3
"""Others that are named."""
AROUND = 21
"""Days on either side of a year ago that say what was usual then."""
TOLD, BELOW = 30.0, 3.0
"""Messages that were due on a year ago's days from which they say something, and standard errors that they
must have been below that, days being as uneven as they are around them."""


@dataclass(frozen=True, slots=True)
class _Dip:
    """A fall and the return from it."""

    fall: Change
    back: Change
    first: dt.date
    last: dt.date

    def beside(self, other: _Dip) -> bool:
        """Whether another dip has the same days."""
        return _may_be_one(self.fall, other.fall) and _may_be_one(self.back, other.back)


def _may_be_one(one: Change, other: Change) -> bool:
    """Whether two moves may have begun on one day."""
    apart = abs((one.onset - other.onset).days)
    meet = one.onset_low <= other.onset_high and other.onset_low <= one.onset_high
    return apart <= SAME_DAYS or (meet and apart <= MAYBE)


def with_dips(changes: Sequence[Change], panel: Panel, exposure: Floats) -> list[Change]:
    """Changes, those of dips with what they coincide with in their evidence.

    Args:
        changes: all that is told.
        panel: the counts.
        exposure: of each sensor by day, shape (sensors, days).
    """
    dips = list(_dips(changes))
    beside: dict[int, str] = {}
    for dip in dips:
        others = sorted(
            one.fall.subject
            for one in dips
            if one.fall.subject_kind == "botnet"
            and one.fall.subject not in {UNKNOWN, dip.fall.subject}
            and one.beside(dip)
        )
        words = _together(dip, others) + _a_year_ago(dip, panel, exposure >= UP)
        if words:
            beside[id(dip.fall)] = beside[id(dip.back)] = words
    return [replace(one, evidence=one.evidence + beside.get(id(one), "")) for one in changes]


def _dips(changes: Sequence[Change]) -> Iterator[_Dip]:
    """Falls with the returns from them."""
    for fall in changes:
        if fall.kind != "decline" or fall.ratio is None:
            continue
        after = [
            one
            for one in changes
            if (one.subject_kind, one.subject, one.kind) == (fall.subject_kind, fall.subject, "rise")
            and 0 < (one.onset - fall.onset).days <= LONGEST
        ]
        back = min(after, key=lambda one: one.onset, default=None)
        if back is None or back.ratio is None:
            continue
        if RETURNS[0] <= fall.ratio * back.ratio <= RETURNS[1]:
            yield _Dip(fall, back, fall.onset, back.onset - dt.timedelta(days=1))


def _together(dip: _Dip, others: Sequence[str]) -> str:
    """Who else sent less on a dip's days, in words."""
    if not others:
        return ""
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    return f"; together with {', '.join(others[:NAMED])}{more} from {dip.first} to {dip.last}, back after"


def _a_year_ago(dip: _Dip, panel: Panel, up: Bools) -> str:
    """Whether its mail was as low on the same days of the year before, in words."""
    days = panel.days.astype("datetime64[D]")
    try:
        first, last = (np.datetime64(one.replace(year=one.year - 1)) for one in (dip.first, dip.last))
    except ValueError:  # the 29th of February has no day a year ago
        return ""
    reach = np.timedelta64(AROUND, "D")
    then = (days >= first) & (days <= last)
    # The days of a holiday that it may have begun or ended on say nothing of what is usual.
    near = (days >= first - reach) & (days <= last + reach)
    near &= (days < first - np.timedelta64(SAME_DAYS, "D")) | (days > last + np.timedelta64(SAME_DAYS, "D"))
    if then.sum() < (dip.last - dip.first).days + 1 or near.sum() < AROUND:
        return ""
    # A sensor that was out on some of these days says nothing of what was sent.
    whole = up[:, then | near].all(axis=1)
    count = panel.counts[panel.subjects.index((dip.fall.subject_kind, dip.fall.subject))][whole].sum(axis=0)
    due, came = float(count[near].mean()) * then.sum(), float(count[then].sum())
    error = float(np.sqrt(count[near].var() * then.sum() + due))
    if due < TOLD or came > due - BELOW * error or came > np.sqrt(dip.fall.ratio or 1.0) * due:
        return ""
    return f"; on these days of the year before it sent {came / due:.0%} of what it did around them"
