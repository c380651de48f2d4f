"""Names that were lost and are not back: a botnet's mail goes on, and its traits do not.

A name is back once a week's mail bears it at most of the level that it was lost from, or its botnet moved by
itself since: falls of the few who still bear a lost name are never told, nor is the rise that brings it back.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from spamtide.finding.figures import figure_of, total_of
from spamtide.finding.inputs import View
from spamtide.model import UNKNOWN, Change, Contribution, Floats

MOST = 0.5
"""Share of the level that a name was lost from, from which on it is back, where all of it was lost."""
WEEK = 7
LEVEL_DAYS = 28
"""Days before the loss that stand for that level."""
OWN_MOVES = frozenset({"decline", "cease", "rise", "resume", "new"})


def lost_name(view: View, botnet: str, since: dt.date = dt.date.min) -> Change | None:
    """The change from a day on by which a botnet's name was lost, if it is not back by the period's end."""
    until = view.period.until
    own = [
        c
        for c in view.inputs.changes
        if (c.subject_kind, c.subject) == ("botnet", botnet) and c.onset <= until
    ]
    losses = [c for c in own if c.kind == "attribution-loss" and c.onset >= since]
    if not losses:
        return None
    last = max(losses, key=lambda c: c.onset)
    moved = any(c.kind in OWN_MOVES and c.onset > last.onset for c in own)
    return None if moved or named_again(view, last) else last


def parts_of(view: View) -> tuple[list[Contribution], list[Contribution]]:
    """The botnets' points, and those that are names lost since the level before: these count with 'unknown'.

    Their mail goes on, so that no botnet lost them, nor did `unknown` gain what it has of them.
    """
    every = [c for c in view.inputs.contributions if c.subject_kind == "botnet"]
    lost = [c for c in every if c.subject != UNKNOWN and lost_name(view, c.subject, view.period.before[0])]
    if not lost:
        return every, []
    nameless = [c for c in every if c.subject == UNKNOWN or c in lost]
    sum_ = total_of([figure_of(c) for c in nameless])
    merged = Contribution("botnet", UNKNOWN, sum_.value, _end(sum_.low), _end(sum_.high))
    return [*(c for c in every if c not in nameless), merged], lost


def _end(bound: float | None) -> float:
    """An end of an interval, NaN where there is none."""
    return math.nan if bound is None else bound


def named_again(view: View, loss: Change) -> dt.date | None:
    """Last day of the first week since that bears the name at most of the level before, if one does.

    Its level is nearer to the level before than to what was left.
    """
    day = dt.timedelta(days=1)
    daily, offset = view.daily(loss.subject_kind, loss.subject).astype(float), view.offset()
    before = view.within((loss.onset_low - LEVEL_DAYS * day, loss.onset_low - day))
    first = max(c for c in (loss.end_high, loss.end, loss.onset_high) if c is not None)
    since = view.within((first, view.period.until))
    was = _rate(daily[before], offset[before])
    if not (daily[since].size >= WEEK and was > 0):
        return None
    window = np.ones(WEEK)
    counts, exposure = (np.convolve(series[since], window, "valid") for series in (daily, offset))
    level = counts / np.where(exposure > 0, exposure, np.inf)
    weeks = np.flatnonzero(level >= max(MOST, math.sqrt(loss.ratio or 0.0)) * was)
    return first + int(weeks[0] + WEEK - 1) * day if len(weeks) else None


def _rate(counts: Floats, offset: Floats) -> float:
    """Messages by exposure."""
    return float(counts.sum() / offset.sum()) if offset.sum() > 0 else 0.0
