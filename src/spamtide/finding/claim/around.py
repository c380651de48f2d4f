"""The levels before and after a change: which days stand for them, and what one is of the other."""

from __future__ import annotations

import datetime as dt
import math

from spamtide.finding.figures import Figure, Window, rate, ratio
from spamtide.finding.inputs import View
from spamtide.finding.words import NEGLIGIBLE
from spamtide.model import Change

LOOK_BACK = 28
"""Days before an onset that stand for the earlier level."""
FEWEST_AT_LEVEL = 7
"""Days that a level is taken from, where there are so many."""
FALLS = frozenset({"decline", "cease"})


def windows_around(view: View, change: Change) -> tuple[Window, Window]:
    """The days that stand for the level before a change and for the level after it.

    The level before begins after the same subject's last change, the level after ends before its next one.
    Where too few days are left that are surely at a level, those count that probably are. Of a move that is
    not over, the last week counts: days along its way are at no level. Of a surge, the days of the surge
    take the place of those after it.
    """
    one_day = dt.timedelta(days=1)
    low, end = change.onset_low, change.end_high or change.end or change.onset_high
    own = [
        c
        for c in view.inputs.changes
        if (c.subject_kind, c.subject) == (change.subject_kind, change.subject) and c.kind != "switch"
    ]
    later = [c.onset_low if c.onset_low > end else c.onset for c in own if c.onset > change.onset]
    last = max(min([view.period.until, *(day - one_day for day in later)]), change.onset)
    end = min(end, last)
    if change.end is not None and (last - end).days + 1 < FEWEST_AT_LEVEL:
        end = min(max(change.end, last - (FEWEST_AT_LEVEL - 1) * one_day), end)
    earlier = [c.end_high or c.end or c.onset_high for c in own if c.onset < change.onset]
    since = max([low - LOOK_BACK * one_day, *earlier])
    if earlier and (low - since).days < FEWEST_AT_LEVEL:
        probably = max(c.end or c.onset for c in own if c.onset < change.onset)
        since, low = min(since, max(probably, change.onset - LOOK_BACK * one_day)), change.onset
    if change.end is None and change.kind in {*FALLS, "rise"}:
        end = max(end, last - (FEWEST_AT_LEVEL - 1) * one_day)
    if change.kind == "surge":
        end, last = change.onset, max((change.end or change.onset_high) - one_day, change.onset)
    return (min(since, low - one_day), low - one_day), (end, last)


def level_ratio(view: View, change: Change) -> Figure:
    """Level after over level before: the change's own, so that it is the same wherever the change is told.

    By counts and sensors up in the period where no message came since, and where the change was not over yet.
    """
    found = _over(view, change, *windows_around(view, change))
    if change.ratio is None or (found.value == 0 and change.ratio < NEGLIGIBLE):
        return found
    low, high = change.ratio_low, change.ratio_high
    if low is not None:
        return Figure(change.ratio, low, math.inf if high is None else high, "times")
    if found.low is not None and found.high is not None and found.low <= change.ratio <= found.high:
        return Figure(change.ratio, found.low, found.high, "times")
    return Figure(change.ratio, unit="times")


def _over(view: View, change: Change, before: Window, after: Window) -> Figure:
    """A subject's level in one window over that in another."""
    counts = view.daily(change.subject_kind, change.subject)
    series = view.series(change.subject_kind, change.subject)
    correlation = series.serial_correlation if series else 0.0
    now, was = (rate(counts, view.offset(), view.within(days), correlation) for days in (after, before))
    return ratio(now, was)


def level_again(view: View, change: Change) -> tuple[Figure, Change] | None:
    """Level after a return over that before the fall that it ends, and that fall; None where none is."""
    moves = [
        c
        for c in view.inputs.changes
        if (c.subject_kind, c.subject) == (change.subject_kind, change.subject)
        and c.kind in {*FALLS, "rise", "resume"}
        and c.onset < change.onset
    ]
    if change.kind != "rise":
        moves = [c for c in moves if c.kind in FALLS]
    last = max(moves, key=lambda c: c.onset, default=None)
    if last is None or last.kind not in FALLS:
        return None
    found = _over(view, change, windows_around(view, last)[0], windows_around(view, change)[1])
    return (found, last) if math.isfinite(found.value) else None


def weight_of(view: View, change: Change) -> float:
    """Share of all mail that a change concerns: messages a day that it took or gave, of all before it.

    Of a flood that is over, less: it is not what the period will be known for.
    """
    before, after = windows_around(view, change)
    all_before = view.daily("total", "total")[view.within(before)]
    if not all_before.size or not all_before.sum():
        return 0.0
    counts = view.daily(change.subject_kind, change.subject)
    was, now = counts[view.within(before)], counts[view.within(after)]
    moved = abs((now.mean() if now.size else 0.0) - (was.mean() if was.size else 0.0))
    return min(float(moved / all_before.mean()), 1.0) * _lasting(view, change)


def _lasting(view: View, change: Change) -> float:
    """What a move that was over counts for: the root of the share of the period that it lasted."""
    if change.kind != "surge" or change.end is None:
        return 1.0
    whole = max((view.period.until - view.period.since).days + 1, 1)
    return math.sqrt(min(max((change.end - change.onset).days, 1) / whole, 1.0))


def in_percent(times: Figure) -> Figure:
    """A ratio in percent."""
    low = None if times.low is None else 100 * times.low
    high = None if times.high is None else 100 * times.high
    return Figure(100 * times.value, low, high, "percent")
