"""Turn the segmentation of all series into dated events, each with a p-value.

An event is a fall, a rise, or a surge: a short burst well above the level on both sides. Smaller bumps and
short silences between two like levels are passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from spamtide.change.moves.alarm import WINDOWS, Alarm, raise_alarm
from spamtide.change.moves.alike import alike
from spamtide.change.moves.cut import Burst, Cut, Move, cut_track
from spamtide.change.moves.date import (
    LONGEST,
    NEGLIGIBLE,
    SHALLOW,
    Ramp,
    date_move,
)
from spamtide.change.moves.event import Event, by_day, dates_of, doubt_of, level_of
from spamtide.change.moves.extent import FEWEST, extent, near
from spamtide.change.moves.flood import FEWEST_UNITS, surge
from spamtide.change.moves.segment import WEEK, Direction, Segments, Track
from spamtide.change.moves.slope import LONG, is_slope
from spamtide.change.moves.slow import slow_move
from spamtide.change.moves.spread import estimates
from spamtide.change.moves.wander import APART, REAL, Wander, levels_of, wander
from spamtide.change.moves.waves import Doubt, Levels, Question
from spamtide.change.moves.weigh import CAUTION, merged_gain, tail
from spamtide.each import Each, in_turn

FEWEST_BEFORE = 7
"""Observed days needed at the start of a series before anything can have changed."""
FEWEST_AFTER = 2
"""Observed days needed at the new level; the last day of a series may be a part of a day."""
NEAR = 21
"""Days on either side of a move over which its levels must differ, besides those of its segments."""
SLOW = 7
"""Days on either side that a move may have filled: a step is put in the middle of what took two weeks."""
WORTH_DATING = 0.1
"""P-value above which a move is not even dated, unless more of all reports may be false than that."""
MOST_MOVES = 20
"""Moves of one series that are dated, the surest first; a series with more has no level to speak of."""
STAIRCASE = 8
"""Units from its first step to its last beyond which steps of a steep move are dated each by itself."""
LIKELIER = 0.5
WEEKS = 0.3
"""Chance of a slow move from which on its interval is that of one."""


@dataclass(frozen=True, slots=True, order=True)
class Weight:
    """What speaks for a move."""

    p_value: float
    gain: float


def find_all(
    tracks: Sequence[Track],
    ratio: float,
    *,
    worth: float = WORTH_DATING,
    whole: bool = False,
    each: Each = in_turn,
) -> list[tuple[Event, ...]]:
    """All events of the series of an observatory, which tell of one another how far levels wander.

    Args:
        tracks: the series.
        ratio: a fall below this share of the level before is an event, a rise above its inverse; nearer to 1
            where days are even.
        worth: p-value above which no move is dated.
        whole: the last day is a whole one, or its part is in the offset; otherwise the alarm waits.
        each: how series are looked at, one after the other or side by side.
    """
    bars = [one.bar(ratio) for one in tracks]
    long = [n for n, one in enumerate(tracks) if one.observed.sum() >= FEWEST_UNITS]
    of_long = dict(zip(long, each(lambda n: _cut(tracks[n], bars[n]), long), strict=True))
    cuts = {n: cut for n, (cut, _) in of_long.items()}
    order = {n: place for place, n in enumerate(cuts)}
    weighed = [
        (n, number, weight) for n, (_, weights) in of_long.items() for number, weight in enumerate(weights)
    ]
    asked = [(n, number, weight) for n, number, weight in weighed if weight.p_value <= worth]
    doubts = [_doubt(order[n], cuts[n], number) for n, number, _ in asked]
    levels = [levels_of(cut.track, cut.segments) for cut in cuts.values()]
    bursts = [(n, burst) for n, cut in cuts.items() for burst in cut.bursts if _lasts(burst)]
    wandering = wander(levels, doubts, [_ends(order[n], burst) for n, burst in bursts], each)
    beside = {id(burst): gain for (_, burst), gain in zip(bursts, wandering.bursts, strict=True)}
    kept: dict[int, list[tuple[Weight, int]]] = {n: [] for n in cuts}
    since = {n: next(iter(cut.segments.starts), 0) for n, cut in cuts.items()}
    for (n, number, weight), doubt, gain in zip(asked, doubts, wandering.gains, strict=True):
        kept[n].append((_beside(weight, gain, cuts[n].track), number))
        if gain >= REAL and doubt.end < cuts[n].segments.stop - WINDOWS[-1]:
            since[n] = max(since[n], doubt.end)
    sure = {n: sorted(one for one in kept[n] if one[0].p_value <= worth)[:MOST_MOVES] for n in cuts}
    dated = [(n, number, weight) for n, some in sure.items() for weight, number in some]
    own = {n: {number for _, number in some} for n, some in sure.items()}
    moves = each(lambda one: _move(cuts[one[0]], one[1], one[2], own[one[0]]), dated)
    found: list[tuple[Event, ...]] = [()] * len(tracks)
    for n, cut in cuts.items():
        events = [surge(*burst, beside.get(id(burst)), _others(cut, burst)) for burst in cut.bursts]
        events += [event for (of, _, _), event in zip(dated, moves, strict=True) if of == n]
        events += _alarmed(cut, ratio, levels[order[n]], wandering.series[order[n]], since[n], whole=whole)
        found[n] = tuple(sorted(events, key=lambda event: (event.onset, event.kind)))
    return found


def _cut(track: Track, ratio: float) -> tuple[Cut, list[Weight]]:
    """A series in stretches, and what speaks for each of its moves."""
    cut = cut_track(track, ratio)
    return cut, [_weigh(cut, move, ratio) for move in cut.moves]


def _doubt(series: int, cut: Cut, number: int) -> Doubt:
    """A move as a question to the wandering of its series."""
    _, i, j = cut.moves[number]
    return Doubt(series, cut.segments.starts[i], cut.segments.starts[j])


def _others(cut: Cut, burst: Burst) -> list[tuple[int, int]]:
    """Units [first, last) of a series' other bursts."""
    spans = (one[1:] for one in cut.bursts if one is not burst)
    return [(segments.starts[i], segments.starts[j]) for segments, (i, j) in spans]


def _lasts(burst: Burst) -> bool:
    """Whether a burst has days that may be of one wave; those of a single day are held against wild days."""
    _, segments, (i, j) = burst
    return segments.starts[j] - segments.starts[i] > 1


def _ends(series: int, burst: Burst) -> tuple[Levels, Question]:
    """A burst as a question to the wandering of its series."""
    track, segments, (i, j) = burst
    begin, end = segments.starts[i], segments.starts[j]
    return levels_of(track, segments), (Doubt(series, begin, begin), Doubt(series, end, end))


def _beside(weight: Weight, gain: float, track: Track) -> Weight:
    """What is left of a move's weight in a level that wanders."""
    units = int(track.observed.sum())
    chance = tail(gain, 1, units, places=max(units // APART, 1))
    return max(weight, Weight(chance, gain))


def _alarmed(
    cut: Cut, ratio: float, levels: Levels, wandering: Wander, since: int, *, whole: bool
) -> list[Event]:
    """The event of the alarm that stands at the end of a series of days, dated as any other."""
    track, segments = cut.track, cut.segments
    if track.step != 1 or not segments.starts:
        return []
    alarm = raise_alarm(track, levels, wandering, ratio, since, whole=whole)
    if alarm is None:
        return []
    low, high = sorted((alarm.before, alarm.after))
    room, move = (alarm.since, segments.stop), (alarm.begin, alarm.begin)
    ramp = date_move(track, alarm.direction, move, room, low / high, 1 - alike(track, segments))
    return [_event_of_alarm(cut, alarm, ramp)]


def _event_of_alarm(cut: Cut, alarm: Alarm, ramp: Ramp) -> Event:
    """An alarm as an event."""
    track, stop = cut.track, cut.segments.stop
    onset, finish = dates_of(track, ramp)
    held = [
        level
        for number, level in enumerate(cut.segments.levels)
        if cut.segments.span(number)[1] <= alarm.begin
        and cut.segments.span(number)[1] - cut.segments.span(number)[0] >= WEEK
    ]
    old = alarm.since, min(alarm.begin, max(ramp.onset.point, alarm.since + 1))
    new = max(ramp.end.point, alarm.begin), stop
    levels = level_of(track, *old, alarm.before), level_of(track, *new, alarm.after)
    return Event(
        kind=alarm.direction,
        onset=onset[0],
        onset_low=onset[1],
        onset_high=onset[2],
        end=finish[0],
        end_low=finish[1],
        end_high=finish[2],
        before=levels[0],
        after=levels[1],
        since=track.day(alarm.since),
        until=track.day(stop),
        gain=0.0,
        p_value=alarm.chance,
        peak_before=max(held, default=0.0),
        silent_before=not track.count[: alarm.begin].any(),
        step=track.step,
        alarmed=alarm.confidence,
        reach=extent(track, *near(old, new, doubt_of(ramp))),
    )


def _holds_near(track: Track, before: tuple[int, int], after: tuple[int, int], ratio: float) -> bool:
    """Whether the levels differ enough next to the move too: over months, drift adds up to anything.

    They do also if they do once the days that a slow move fills are left out.
    """
    near = max(NEAR // track.step, 3)
    for slow in (0, SLOW // track.step):
        last, first = max(before[1] - slow, before[0] + 1), min(after[0] + slow, after[1] - 1)
        levels = [
            level_of(track, max(before[0], last - near), last, 0.0),
            level_of(track, first, min(after[1], first + near), 0.0),
        ]
        if min(levels) < ratio * max(levels):
            return True
    return False


def _weigh(cut: Cut, move: Move, ratio: float) -> Weight:
    """What speaks for one move; a p-value of 1 when too little was seen before or after it."""
    _, i, j = move
    track, segments = cut.track, cut.segments
    observed = track.observed
    before, after = segments.span(i - 1), segments.span(j)
    if not _holds_near(track, before, after, ratio):
        return Weight(1.0, 0.0)
    seen_before = int(observed[: before[1]].sum()) * track.step
    seen_after = int(observed[after[0] :].sum()) * track.step
    if seen_before < FEWEST_BEFORE or seen_after < FEWEST_AFTER:
        return Weight(1.0, 0.0)
    bounds = [before[0], *segments.starts[i : j + 1], after[1]]
    gain = merged_gain(track, bounds, CAUTION * track.size)
    units = int(observed.sum())
    return Weight(tail(gain, len(bounds) - 2, units, places=units), gain)


def _move(cut: Cut, number: int, weight: Weight, dated: Collection[int]) -> Event:
    """Date one fall or rise between its neighbours.

    A slow one is dated as a whole, over steps that are no moves of their own: so its levels are those beside
    all of it.
    """
    track, segments = cut.track, cut.segments
    direction, i, j = cut.moves[number]
    starts = segments.starts
    before, after = segments.span(i - 1), segments.span(j)
    room = (
        starts[cut.moves[number - 1][2]] if number else starts[0],
        starts[cut.moves[number + 1][1]] if number + 1 < len(cut.moves) else segments.stop,
    )
    free = _free(cut, number, dated)
    ramp, slow = _date(track, segments, (direction, i, j), room, free)
    if slow:
        room, before, after = free, *_beside_all(segments, free, ramp, (before, after))
    old, new = (before[0], min(before[1], ramp.onset.point)), (max(after[0], ramp.end.point), after[1])
    sides = level_of(track, *old, segments.levels[i - 1]), level_of(track, *new, segments.levels[j])
    onset, finish = dates_of(track, ramp)
    held = [
        level / track.step
        for past, level in enumerate(segments.levels[: i - 1])
        if (segments.span(past)[1] - segments.span(past)[0]) * track.step >= WEEK
        and segments.span(past)[1] <= before[0]
    ]
    return Event(
        kind=direction,
        onset=onset[0],
        onset_low=onset[1],
        onset_high=onset[2],
        end=finish[0],
        end_low=finish[1],
        end_high=finish[2],
        before=sides[0],
        after=sides[1],
        since=track.day(room[0]),
        until=track.day(room[1]),
        gain=weight.gain,
        p_value=weight.p_value,
        peak_before=max(held, default=0.0),
        silent_before=not track.count[: before[1]].any(),
        step=track.step,
        begun=by_day(track, ramp.begun),
        settled=by_day(track, ramp.settled) if finish[0] is not None else None,
        reach=extent(track, *near(old, new, doubt_of(ramp))),
    )


def _beside_all(
    segments: Segments, free: tuple[int, int], ramp: Ramp, spans: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Units at the level before a slow move and after it: its own segments, or those next to its dates."""
    (first, until), (begin, stop) = spans
    if ramp.onset.point - FEWEST < first:
        ahead = [start for start in segments.starts if start <= ramp.onset.point - FEWEST]
        first = max(free[0], max(ahead, default=free[0]))
    if ramp.end.point + FEWEST > stop:
        later = [start for start in segments.starts if start >= ramp.end.point + FEWEST]
        stop = min(free[1], min(later, default=free[1]))
    return (first, until), (begin, stop)


def _free(cut: Cut, number: int, dated: Collection[int]) -> tuple[int, int]:
    """Units in which nothing moved the other way, and nothing else that is dated."""
    way, starts = cut.moves[number][0], cut.segments.starts

    def bound(other: int) -> bool:
        return cut.moves[other][0] != way or other in dated

    before = [starts[cut.moves[other][2]] for other in range(number) if bound(other)]
    after = [starts[cut.moves[other][1]] for other in range(number + 1, len(cut.moves)) if bound(other)]
    return max(before, default=starts[0]), min(after, default=cut.segments.stop)


def _date(
    track: Track,
    segments: Segments,
    move: tuple[Direction, int, int],
    room: tuple[int, int],
    free: tuple[int, int],
) -> tuple[Ramp, bool]:
    """Date one move, as a quick one and as a slow one, each with its chance; and whether slow is likelier."""
    direction, i, j = move
    over = direction == "fall" and segments.levels[j] < NEGLIGIBLE * segments.levels[i - 1]
    # The last of many bursts is no day of a slow fall: between two of them anything may have happened.
    quick = over and track.pausing
    slow = None if quick else slow_move(track, segments, (i, j), free, LONG // track.step + 1)
    if slow is not None and is_slope(track, segments, i, j, LONG):
        dates = estimates(direction, slow.begun, slow.settled, slow=True)
        return Ramp(*dates, slow.begun, slow.settled), True
    ramp = _quick(track, segments, move, room)
    if slow is None:
        return ramp, False
    begun = ramp.begun.mixed(slow.begun, slow.chances)
    settled = ramp.settled.mixed(slow.settled, slow.chances)
    onset, end = estimates(direction, begun, settled, slow=slow.chances[1] >= WEEKS)
    # Of what was cut off, the end is the day from which on next to nothing came.
    likelier = slow.chances[0] >= LIKELIER
    return Ramp(onset, ramp.end if over and not likelier else end, begun, settled), likelier


def _quick(track: Track, segments: Segments, move: tuple[Direction, int, int], room: tuple[int, int]) -> Ramp:
    """Date one move; a staircase longer than a ramp may be, by its first step and its last."""
    direction, i, j = move
    starts, levels = segments.starts, segments.levels
    begin, end = starts[i], starts[j]
    share = 1 - alike(track, segments)

    def step(first: int, last: int, within: tuple[int, int]) -> Ramp:
        low, high = sorted((levels[first - 1], levels[last]))
        return date_move(track, direction, (starts[first], starts[last]), within, low / high, share)

    low, high = sorted((levels[i - 1], levels[j]))
    if end - begin <= (LONGEST - 2 if low > SHALLOW * high else STAIRCASE):
        return step(i, j, room)
    opening = step(i, i, (room[0], segments.span(i)[1]))
    closing = step(j, j, (starts[j - 1], room[1]))
    return Ramp(opening.onset, closing.end, opening.begun, closing.settled)
