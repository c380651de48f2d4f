"""Turn the segmentation of one series into dated events, each with a p-value.

An event is a fall, a rise, or a surge: a short burst well above the level on both sides. Smaller bumps and
short silences between two like levels are passed over.
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from spamtide.change.alarm import WINDOWS, Alarm, raise_alarm, upper_tail, worst_tail
from spamtide.change.cut import Burst, Cut, Move, cut_track
from spamtide.change.date import LONGEST_RAMP, LONGEST_SLOPE, SHALLOW, Ramp, Spread, date_move
from spamtide.change.extent import Reach, extent, near
from spamtide.change.segment import WEEK, Direction, Segments, Track, cost
from spamtide.change.slope import date_slope
from spamtide.change.wander import APART, REAL, Claim, Doubt, Levels, Wander, levels_of, wander
from spamtide.change.weigh import CAUTION, merged_gain, tail
from spamtide.model import Each, in_turn

EventKind = Literal["fall", "rise", "surge"]
FEWEST_BEFORE = 7
"""Observed days needed at the start of a series before anything can have changed."""
FEWEST_AFTER = 2
"""Observed days needed at the new level; the last day of a series may be a part of a day."""
FEWEST_UNITS = 14
"""Observed units below which a series is not looked at."""
SURGE_SLACK = 4
"""Units to either side that the ends of a surge are looked for in."""
NEAR = 21
"""Days on either side of a move over which its levels must differ, besides those of its segments."""
AROUND = 14
"""Units to either side that a day's wildness is taken against."""
HIGHEST, HIGHEST_SCORE, HIGHEST_ERROR = 0.1, 1.755, 0.35
"""Share of days that tell how wild a series is; mean of the highest tenth of normal scores, and the standard
error of one such day, as a share of that mean."""
SLIGHT, TINIEST = 1e-9, 1e-300
WORTH_DATING = 0.1
"""P-value above which a move is not even dated, unless more of all reports may be false than that."""
MOST_MOVES = 20
"""Moves of one series that are dated, the surest first; a series with more has no level to speak of."""


@dataclass(frozen=True, slots=True)
class Event:
    """One move of one series."""

    kind: EventKind
    onset: dt.date
    onset_low: dt.date
    onset_high: dt.date
    end: dt.date | None
    """None, like its bounds, when the move may still be going on."""
    end_low: dt.date | None
    end_high: dt.date | None
    before: float
    """Messages a day at usual exposure."""
    after: float
    """The same after it; during it for a surge."""
    since: dt.date
    """First day after the move before this one, or of the series."""
    until: dt.date
    """First day of the move after this one, or one past the series."""
    gain: float
    """Twice the log-likelihood ratio, corrected for serial correlation."""
    p_value: float
    """Chance of such a gain anywhere in a series that does not change."""
    peak_before: float
    """Highest level that held for a week or more before the level before; 0 when there is none."""
    silent_before: bool
    """The subject was never seen before the event."""
    step: int
    """Days in a unit of the series: 1, or 7 for a thin one."""
    alarmed: float | None = None
    """Of an event that only the online alarm knows of yet: how sure that is, 0-1."""
    begun: Spread | None = None
    """Posterior of the first day off the level before, by ordinal day; None of a surge or a thin series."""
    settled: Spread | None = None
    """The same of the first day at the level after; None while the move may still be going on."""
    reach: Reach | None = None
    """The levels next to it, one over the other; `before` and `after` are those of all that was cut out."""

    @property
    def ratio(self) -> float | None:
        """Level after against level before; None when there was nothing before."""
        return self.after / self.before if self.before > 0 else None


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
    moves = each(lambda one: _move(cuts[one[0]], one[1], one[2]), dated)
    found: list[tuple[Event, ...]] = [()] * len(tracks)
    for n, cut in cuts.items():
        events = [_surge(*burst, beside.get(id(burst))) for burst in cut.bursts]
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


def _lasts(burst: Burst) -> bool:
    """Whether a burst has days that may be of one wave; those of a single day are held against wild days."""
    _, segments, (i, j) = burst
    return segments.starts[j] - segments.starts[i] > 1


def _ends(series: int, burst: Burst) -> tuple[Levels, Claim]:
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
    room = (alarm.since, segments.stop)
    ramp = date_move(track, alarm.direction, (alarm.begin, alarm.begin), room, low / high)
    return [_event_of_alarm(cut, alarm, ramp)]


def _event_of_alarm(cut: Cut, alarm: Alarm, ramp: Ramp) -> Event:
    """An alarm as an event."""
    track, stop = cut.track, cut.segments.stop
    onset, finish = _dates(track, ramp)
    held = [
        level
        for number, level in enumerate(cut.segments.levels)
        if cut.segments.span(number)[1] <= alarm.begin
        and cut.segments.span(number)[1] - cut.segments.span(number)[0] >= WEEK
    ]
    old = alarm.since, min(alarm.begin, max(ramp.onset.point, alarm.since + 1))
    new = max(ramp.end.point, alarm.begin), stop
    levels = _level(track, *old, alarm.before), _level(track, *new, alarm.after)
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
        reach=extent(track, *near(old, new, _doubt_of(ramp))),
    )


def _holds_near(track: Track, before: tuple[int, int], after: tuple[int, int], ratio: float) -> bool:
    """Whether the levels differ enough next to the move too: over months, drift adds up to anything."""
    near = max(NEAR // track.step, 3)
    levels = [
        _level(track, max(before[0], before[1] - near), before[1], 0.0),
        _level(track, after[0], min(after[1], after[0] + near), 0.0),
    ]
    return min(levels) < ratio * max(levels)


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


def _move(cut: Cut, number: int, weight: Weight) -> Event:
    """Date one fall or rise between its neighbours."""
    track, segments = cut.track, cut.segments
    direction, i, j = cut.moves[number]
    starts = segments.starts
    before, after = segments.span(i - 1), segments.span(j)
    room = (
        starts[cut.moves[number - 1][2]] if number else starts[0],
        starts[cut.moves[number + 1][1]] if number + 1 < len(cut.moves) else segments.stop,
    )
    ramp = _date(track, segments, (direction, i, j), room)
    old, new = (before[0], min(before[1], ramp.onset.point)), (max(after[0], ramp.end.point), after[1])
    sides = _level(track, *old, segments.levels[i - 1]), _level(track, *new, segments.levels[j])
    onset, finish = _dates(track, ramp)
    held = [
        level / track.step
        for past, level in enumerate(segments.levels[: i - 1])
        if (segments.span(past)[1] - segments.span(past)[0]) * track.step >= WEEK
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
        begun=_by_day(track, ramp.begun),
        settled=_by_day(track, ramp.settled) if finish[0] is not None else None,
        reach=extent(track, *near(old, new, _doubt_of(ramp))),
    )


def _doubt_of(ramp: Ramp) -> tuple[int, int, int, int]:
    """Units in which a move may have begun, and may have been over."""
    return ramp.onset.low, ramp.onset.high, ramp.end.low, ramp.end.high


def _by_day(track: Track, spread: Spread) -> Spread | None:
    """A posterior by unit as one by ordinal day; None where a unit is a week."""
    return replace(spread, first=track.day(spread.first).toordinal()) if track.step == 1 else None


def _date(track: Track, segments: Segments, move: tuple[Direction, int, int], room: tuple[int, int]) -> Ramp:
    """Date one move; a staircase longer than a ramp may be, by its first step and its last."""
    direction, i, j = move
    starts, levels = segments.starts, segments.levels
    begin, end = starts[i], starts[j]
    slope = date_slope(track, segments, i, j)
    if slope is not None:
        return slope

    def step(first: int, last: int, within: tuple[int, int]) -> Ramp:
        low, high = sorted((levels[first - 1], levels[last]))
        return date_move(track, direction, (starts[first], starts[last]), within, low / high)

    low, high = sorted((levels[i - 1], levels[j]))
    if end - begin <= (LONGEST_SLOPE if low > SHALLOW * high else LONGEST_RAMP) - 2:
        return step(i, j, room)
    opening = step(i, i, (room[0], segments.span(i)[1]))
    closing = step(j, j, (starts[j - 1], room[1]))
    return Ramp(opening.onset, closing.end, opening.begun, closing.settled)


def _level(track: Track, begin: int, end: int, otherwise: float) -> float:
    """Weighted mean rate a day over units [begin, end)."""
    weight = track.weight[begin:end]
    if weight.sum() <= 0:
        return otherwise / track.step
    return float((weight * np.nan_to_num(track.rate[begin:end])).sum() / weight.sum()) / track.step


def _dates(
    track: Track, ramp: Ramp
) -> tuple[tuple[dt.date, dt.date, dt.date], tuple[dt.date | None, dt.date | None, dt.date | None]]:
    """Units as days. A week as a unit stands for each of its days, and the interval takes in all of them."""
    slack = dt.timedelta(days=track.step - 1)
    half = dt.timedelta(days=track.step // 2)
    onset = (
        track.day(ramp.onset.point) + half,
        track.day(ramp.onset.low),
        track.day(ramp.onset.high) + slack,
    )
    if ramp.end.high >= len(track.count) - 1 and track.step == 1:
        return onset, (None, None, None)
    end = max(track.day(ramp.end.point), onset[0])
    return onset, (end, min(track.day(ramp.end.low) - slack, end), max(track.day(ramp.end.high), end))


def _surge(track: Track, segments: Segments, burst: tuple[int, int], beside: float | None) -> Event:
    """Date a burst by the likelihood of every pair of ends near the segmentation's, and weigh it."""
    i, j = burst
    left, right = segments.span(i - 1)[0], segments.span(j)[1]
    begin, end = segments.starts[i], segments.starts[j]
    firsts = np.arange(max(left + 1, begin - SURGE_SLACK), min(begin + SURGE_SLACK, end - 1) + 1)
    stops = np.arange(max(end - SURGE_SLACK, begin + 1), min(right - 1, end + SURGE_SLACK) + 1)
    weight, rate = track.weight, np.nan_to_num(track.rate)
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    total = np.concatenate(([0.0], np.cumsum(weight * rate)))
    a, b = np.meshgrid(firsts, stops, indexing="ij")
    inside = cost(total[b] - total[a], mass[b] - mass[a], track.size)
    outside = sum(
        cost(total[y] - total[x], mass[y] - mass[x], track.size)
        for x, y in ((np.full_like(a, left), a), (b, np.full_like(b, right)))
    )
    fit = np.where((a < b) & (mass[b] > mass[a]), inside + outside, np.inf)
    posterior = np.exp(-(fit - fit.min()) / 2)
    posterior /= posterior.sum()
    begun, settled = (
        Spread(int(places[0]), posterior.sum(axis=axis)) for places, axis in ((firsts, 1), (stops, 0))
    )
    ramp = Ramp(begun.estimate(), settled.estimate(), begun, settled)
    gain = merged_gain(track, [left, begin, end, right], CAUTION * track.size)
    number = int(track.observed.sum())
    onset, finish = _dates(track, ramp)
    sides = _level(track, left, begin, segments.levels[i - 1]), _level(track, begin, end, segments.levels[i])
    # Shares of 1 / (n (n + 1)) of the error for bursts of n units add up to less than 1.
    places = number * (end - begin) * (end - begin + 1)
    chance = min(tail(gain, 2, number, places=places), places * _flood(track, (left, begin, end, right)))
    chance = max(chance, _wildness(track, (begin, end), sides[1]))
    if beside is not None:
        chance = max(chance, tail(beside, 1, number, places=max(number // APART, 1)))
    return Event(
        kind="surge",
        onset=onset[0],
        onset_low=onset[1],
        onset_high=onset[2],
        end=finish[0],
        end_low=finish[1],
        end_high=finish[2],
        before=sides[0],
        after=sides[1],
        since=track.day(left),
        until=track.day(right),
        gain=gain,
        p_value=chance,
        peak_before=0.0,
        silent_before=not track.count[:begin].any(),
        step=track.step,
        reach=extent(track, (max(left, begin - NEAR), begin), (begin, end)),
    )


def _flood(track: Track, bounds: tuple[int, int, int, int]) -> float:
    """Chance of so much mail in a burst at the level on either side of it, at a cautious size.

    The tail itself: the gain of a level that is fitted to a flood's own few days is read off too heavy a one.
    """
    left, begin, end, right = bounds
    inside = track.offset[begin:end]
    around = np.concatenate((np.arange(left, begin), np.arange(end, right)))
    days, sides = int((inside > 0).sum()), int((track.offset[around] > 0).sum())
    if not days or not sides:
        return 1.0
    expected = float(inside.sum() * track.count[around].sum() / track.offset[around].sum())
    size = CAUTION * track.size / (1 / days + 1 / sides)
    return upper_tail(float(track.count[begin:end][inside > 0].sum()), expected, size)


def _wildness(track: Track, burst: tuple[int, int], level: float) -> float:
    """Chance of such a burst in a series whose own wildest days are no wilder than they are.

    Each day is held against the median of the days around it, so that levels and drift are left out, and
    read off the negative binomial as a normal score. Where the highest tenth of the scores lie further out
    than those of a normal variable, as they do where few campaigns make a series, all are drawn in. Wild
    days may have a heavier tail than that: one that is exponential in the roots of their rates, through the
    highest tenth of them. The larger chance stands.
    """
    rate = track.rate
    rate[burst[0] : burst[1]] = np.nan
    padded = np.pad(rate, AROUND, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a window without any day
        local = np.nanmedian(windows, axis=1)
    known = np.isfinite(rate) & np.isfinite(local) & (track.offset > 0)
    usual = float(np.mean(local[burst[0] : burst[1]]))
    if not np.isfinite(usual) or known.sum() < FEWEST_UNITS:
        return 0.0
    scores = [
        _score(float(count), float(mean), track.size)
        for count, mean in zip(
            track.count[known], track.offset[known] * np.maximum(local[known], SLIGHT), strict=True
        )
    ]
    mean = float(track.offset[burst[0] : burst[1]].mean()) * max(usual, SLIGHT)
    score = _score(level * track.step * mean / max(usual, SLIGHT), mean, track.size) / _wild(scores)
    days = burst[1] - burst[0]
    from scipy.special import ndtr

    roots = np.sqrt((rate[known] + 0.5) / (local[known] + 0.5)) - 1
    excess = float(np.sqrt((level * track.step + 0.5) / (usual + 0.5))) - 1
    heavy = len(roots) * worst_tail(roots, excess) ** days
    return min(1.0, max(len(scores) * days * (days + 1) * float(ndtr(-score)) ** days, heavy))


def _score(count: float, mean: float, size: float) -> float:
    """A count as a normal score: both have the same upper tail."""
    from scipy.special import ndtri

    return -float(ndtri(max(upper_tail(count, mean, size), TINIEST)))


def _wild(scores: Sequence[float]) -> float:
    """By how much the highest tenth of scores lies further out than a normal variable's; 1 where it does not.

    Reckoned at one standard error less: of a hundred days, the highest tenth are ten.
    """
    ordered = np.sort(np.asarray(scores))
    beyond = ordered[int(np.ceil(len(ordered) * (1 - HIGHEST))) :]
    return max(1.0, float(beyond.mean()) / (HIGHEST_SCORE * (1 + HIGHEST_ERROR / math.sqrt(len(beyond)))))
