"""A move of all mail that its own days do not show surely, told by the moves that it is made of.

What grows over ten weeks adds half a percent a day to all mail, and a level that wanders does as much. But
where a botnet surely rose, and all other mail stayed where it was, there is no wandering left to explain: the
total rose by what the botnet did. So moves of botnets that follow one another in one direction are asked
whether they carry the total past its bar, and whether the total went where they say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spamtide.change.causes.telling import Judged, Subject
from spamtide.change.moves.event import Event, EventKind, level_of
from spamtide.change.moves.extent import FEWEST, Reach, Span, extent, near
from spamtide.change.moves.segment import Track
from spamtide.change.moves.slope import LONG
from spamtide.change.moves.spread import Spread, estimates
from spamtide.change.parts import AROUND, NOTEWORTHY, belongs, first_of, last_of

TOTAL: Subject = ("total", "total")
REST = 1 / 3
"""Share of what the parts did that all other mail may have done in that time, either way."""

VAGUE = dt.timedelta(days=LONG)
"""Days that the total's own days may be off by in dating a slow move: what is dated no better gives way."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Moves of botnets in one direction that follow one another."""

    parts: tuple[Judged, ...]
    begun: Spread
    settled: Spread | None
    """None while one of them may still be going on."""

    @property
    def amount(self) -> float:
        """Messages a day that they add up to."""
        return sum(_amount(part.event) for part in self.parts)

    @property
    def kind(self) -> EventKind:
        """Fall or rise."""
        return self.parts[0].event.kind


def told_by_parts(judged: Sequence[Judged], tracks: Mapping[Subject, Track], ratio: float) -> list[Judged]:
    """What is believed, with the moves of the total that are known by their parts alone.

    A step of the total that lies inside a slow move which its parts tell is a piece of that, and gives way.

    Args:
        judged: what is believed of all series, with its causes.
        tracks: all series.
        ratio: the event ratio.
    """
    track = tracks.get(TOTAL)
    if track is None or track.step != 1:
        return list(judged)
    found = list(judged)
    known = [
        item
        for item in judged
        if item.subject == TOTAL and item.event.kind != "surge" and item.event.alarmed is None
    ]
    for group in _groups(judged, track):
        same = [item for item in known if item.event.kind == group.kind and _overlap(item.event, group)]
        if any(not _inside(item.event, group) for item in same):
            continue
        others = [item.event for item in known if item not in same]
        others += [item.event for item in judged if _is_part(item, track) and item not in group.parts]
        event = _event(group, others, tracks, ratio)
        if event is not None:
            confidence = 1 - sum(1 - part.confidence for part in group.parts)
            found = [item for item in found if item not in same]
            found.append(Judged(TOTAL, event, max(confidence, 0.0), "stopped"))
    return found


def _amount(event: Event) -> float:
    """Messages a day more, or fewer."""
    return event.after - event.before


def _is_part(item: Judged, track: Track) -> bool:
    """Whether a move of a botnet is large enough to be seen in the total."""
    usual = level_of(track, 0, len(track.count), 0.0)
    return belongs(item) and item.event.begun is not None and abs(_amount(item.event)) >= NOTEWORTHY * usual


def _groups(judged: Sequence[Judged], track: Track) -> Iterator[_Group]:
    """Moves of botnets in one direction, put together where one begins before the other is long over."""
    for kind in ("fall", "rise"):
        mine = [item for item in judged if _is_part(item, track) and item.event.kind == kind]
        mine.sort(key=lambda item: item.event.onset)
        group: list[Judged] = []
        over = dt.date.min
        for item in mine:
            if group and item.event.onset > over:
                yield _group(group)
                group = []
            last = item.event.end
            over = max(over if group else dt.date.min, dt.date.max if last is None else last + AROUND)
            group.append(item)
        if group:
            yield _group(group)


def _group(items: Sequence[Judged]) -> _Group:
    """Parts, the largest first, and when the first began and the last was over."""
    parts = tuple(sorted(items, key=lambda item: -abs(_amount(item.event))))
    events = [part.event for part in parts]
    settled = [event.settled for event in events if event.settled is not None and event.end is not None]
    return _Group(
        parts,
        first_of([event.begun for event in events if event.begun is not None]),
        last_of(settled) if len(settled) == len(events) else None,
    )


def _overlap(event: Event, group: _Group) -> bool:
    """Whether a move of the total may be about what a group did."""
    first, over = _bounds(group)
    ended = event.end_high is not None and event.end_high + AROUND < first
    return event.onset_low - AROUND <= over and not ended


def _bounds(group: _Group) -> tuple[dt.date, dt.date]:
    """First and last day of a group, by what is most probable."""
    begun = group.begun.estimate().point
    over = dt.date.max if group.settled is None else _day(group.settled.estimate().point)
    return _day(begun), over


def _inside(event: Event, group: _Group) -> bool:
    """Whether a move of the total lies in a group's slow one, give or take some weeks."""
    first, over = _bounds(group)
    slow = over == dt.date.max or (over - first).days >= LONG
    ended = over == dt.date.max or (event.end is not None and event.end <= over + VAGUE)
    return slow and first - VAGUE <= event.onset and ended


def _day(ordinal: int) -> dt.date:
    return dt.date.fromordinal(ordinal)


def _event(
    group: _Group, others: Sequence[Event], tracks: Mapping[Subject, Track], ratio: float
) -> Event | None:
    """A group as a move of the total; None where the total does not show it."""
    track = tracks[TOTAL]
    zero, stop = track.start.toordinal(), len(track.count)
    settled = group.settled or Spread(zero + stop - 1, np.ones(1))
    onset, end = estimates("rise" if group.kind == "rise" else "fall", group.begun, settled)
    first, over = onset.point - zero, end.point - zero
    room = _room(others, (first, over), track)
    if room is None:
        return None
    since, until = room
    # What was over only just now, or is not yet, stands where the last week does.
    late = max(first + 1, until - FEWEST)
    new = (min(over, late) if until == stop else over, until)
    sides = near((since, first), new, (onset.low - zero, onset.high - zero, end.low - zero, end.high - zero))
    reach = _shown(group, track, sides, ratio) if min(b - a for a, b in sides) > 0 else None
    if reach is None or not _rest_stays(group, tracks, sides):
        return None
    before, after = (level_of(track, *side, 0.0) for side in sides)
    point = max(end.point, onset.point)
    going_on = group.settled is None
    return Event(
        kind=group.kind,
        onset=_day(onset.point),
        onset_low=_day(onset.low),
        onset_high=_day(onset.high),
        end=None if going_on else _day(point),
        end_low=None if going_on else _day(min(end.low, point)),
        end_high=None if going_on else _day(max(end.high, point)),
        before=before,
        after=after,
        since=track.day(since),
        until=track.day(until),
        gain=0.0,
        p_value=min(sum(part.event.p_value for part in group.parts), 1.0),
        peak_before=0.0,
        silent_before=False,
        step=1,
        begun=group.begun,
        settled=group.settled,
        parts=tuple((part.subject[1], _amount(part.event)) for part in group.parts),
        reach=reach,
    )


def _room(others: Sequence[Event], span: Span, track: Track) -> Span | None:
    """First unit, and one past the last, that no other move fills; None where one happens meanwhile."""
    zero, since, until = track.start.toordinal(), 0, len(track.count)
    for event in others:
        first, over = (day.toordinal() - zero for day in (event.onset, event.end or dt.date.max))
        if over <= span[0]:
            since = max(since, over)
        elif first >= span[1]:
            until = min(until, first)
        else:
            return None
    return since, until


def _shown(group: _Group, track: Track, sides: tuple[Span, Span], ratio: float) -> Reach | None:
    """How far the total went, where its parts carry it past the bar and it went there surely."""
    reach = extent(track, *sides)
    before = level_of(track, *sides[0], 0.0)
    if reach is None or before <= 0:
        return None
    bar, by_parts = track.bar(ratio), 1 + group.amount / before
    if group.kind == "fall":
        return reach if max(by_parts, reach[0]) < bar and reach[2] < 1 else None
    return reach if min(by_parts, reach[0]) > 1 / bar and reach[1] > 1 else None


def _rest_stays(group: _Group, tracks: Mapping[Subject, Track], sides: tuple[Span, Span]) -> bool:
    """Whether all other mail did next to nothing beside what the parts did."""
    track = tracks[TOTAL]
    count = track.count - sum(tracks[subject].count for subject in {part.subject for part in group.parts})
    rest = replace(track, count=np.maximum(count, 0.0))
    before, after = (level_of(rest, *side, 0.0) for side in sides)
    return abs(after - before) <= REST * abs(group.amount)
