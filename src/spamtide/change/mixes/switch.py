"""Find the days on which a botnet turned from one programme to another.

A day's messages over programmes are taken as Dirichlet-multinomial: shares that hold still over a segment,
with more day-to-day variation than drawing messages one by one would give, since mail comes in campaigns.
With concentration 1/rho - 1, a day of n messages tells as much as n / (1 + (n - 1) rho) independent ones
(Brier 1980, Biometrika 67): that is the weight it is given in a multinomial likelihood.

A share also moves because another programme moved. So a switch is called only when the messages of the
loser fall and the messages of the gainer rise, and when neither of them alone explains the change.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass

import numpy as np

from spamtide.change.mixes.exchange import weigh_exchange
from spamtide.change.mixes.mix import REST, Mix
from spamtide.change.mixes.turnover import swing
from spamtide.change.moves.segment import best_cuts, cuts_of
from spamtide.change.moves.spread import Estimate, summarise
from spamtide.change.moves.weigh import CAUTION, tail
from spamtide.compiled import native
from spamtide.model import UNKNOWN, Floats

LEAST_MOVE = 0.1
"""Share of the botnet's mail that loser and gainer must each have lost or won."""
LEAST_PART = 0.5
"""Part of the move that loser and gainer must each show in messages, not only in shares."""
LEAST_T = 3.0
"""Welch t that loser's fall and gainer's rise, in messages, must each reach."""
AGAINST_ONE = 4.0
"""Gain in chi-squared of an exchange over a move of loser or gainer alone: messages fall and rise with the
whole botnet, too."""
FEWEST_UNITS = 14
"""Days, or weeks, with mail below which a mix is not looked at."""
HOLD = 7
"""Days that a new mix must hold; less (HOLD_AT_END) when the series ends with it."""
HOLD_AT_END = 4
LONGEST_RAMP = 10
"""Units that the ramp from one mix to another may take."""
LONGEST_TURN = 21
"""Days between two mixes that may be of a switch that neither of its steps shows by itself."""
REACH = 56
"""Units to either side that messages are compared over."""
PENALTY_EXTRA = 2.0
"""Penalty of a change point: (free shares + this) log n; 3 log n for two programmes."""
ROUNDING = 1e-9
"""Squares of residuals that add up to less are rounding errors: mixes of one programme each leave none."""
_BLOCK = 8
"""Ends of segments whose costs are reckoned at once."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of mix in which one programme took another's place."""

    onset: tuple[dt.date, dt.date, dt.date]
    """Point, low, high."""
    end: tuple[dt.date, dt.date, dt.date] | None
    """None while it may go on."""
    from_programme: str
    to_programme: str
    shares: tuple[float, float, float, float]
    """Loser before and after, gainer before and after."""
    messages: tuple[float, float, float, float]
    """The same in messages a day at usual exposure."""
    gain: float
    p_value: float
    alarmed: float | None = None
    """Of a switch that only the online alarm knows of yet: how sure that is, 0-1."""


def find_switches(mix: Mix) -> tuple[Switch, ...]:
    """All switches of one botnet, in order of onset."""
    if len(mix.programmes) < 2 or mix.seen.sum() < FEWEST_UNITS:  # noqa: PLR2004 - two programmes to switch between
        return ()
    bounds = partition_mix(mix)
    inflation = _serial_inflation(mix, bounds)
    found: list[Switch] = []
    i = 1
    while i < len(bounds) - 1:
        # A gradual switch is cut into steps; short ones are part of its ramp.
        j = i
        while j + 2 < len(bounds) and (bounds[j + 1] - bounds[j]) * mix.step <= HOLD:
            j += 1
        switch = _judge(mix, (bounds[i - 1], bounds[i], bounds[j], bounds[j + 1]), inflation)
        # New letters may name nothing for a while: what lies between the two programmes is part of the turn.
        if switch is None and j + 2 < len(bounds) and (bounds[j + 1] - bounds[i]) * mix.step <= LONGEST_TURN:
            switch = _judge(mix, (bounds[i - 1], bounds[i], bounds[j + 1], bounds[j + 2]), inflation)
            j += switch is not None
        if switch is not None:
            found.append(switch)
        i = j + 1
    return tuple(found)


def partition_mix(mix: Mix) -> list[int]:
    """Optimal partitioning of the mix: first units of its segments, and one past the last unit."""
    where = np.flatnonzero(mix.seen)
    number = len(where)
    mass = np.concatenate(
        (np.zeros((len(mix.programmes), 1)), np.cumsum(mix.effective[:, where], axis=1)), axis=1
    )
    beta = (len(mix.programmes) - 1 + PENALTY_EXTRA) * math.log(number)

    def costs(first: int, last: int) -> Floats:
        return _cost(mass[:, first:last, None] - mass[:, None, :last])

    if native is None:
        cuts = best_cuts(number, beta, costs, _BLOCK)
    else:
        previous = np.zeros(number + 1, dtype=np.int64)
        native.cuts(np.ascontiguousarray(mass), 0.0, beta, previous)
        cuts = cuts_of(previous)
    return [*(int(where[cut]) for cut in cuts), int(where[-1]) + 1]


def _cost(mass: Floats) -> Floats:
    """Minus twice the log likelihood of segments at their best shares; programmes on the first axis."""
    total = mass.sum(axis=0)
    logs = np.log(np.maximum(mass, 1e-300)) - np.log(np.maximum(total, 1e-300))
    value: Floats = -2 * (mass * logs).sum(axis=0)
    return value


def _serial_inflation(mix: Mix, bounds: list[int]) -> float:
    """Variance inflation from the lag-1 correlation of share residuals; at least 1."""
    effective = mix.effective
    size = effective.sum(axis=0)
    residual = np.zeros_like(effective)
    for begin, end in itertools.pairwise(bounds):
        part = effective[:, begin:end]
        share = part.sum(axis=1, keepdims=True) / max(part.sum(), 1e-300)
        spread = np.sqrt(np.maximum(size[begin:end] * share * (1 - share), 1e-12))
        residual[:, begin:end] = np.where(size[begin:end] > 0, (part - size[begin:end] * share) / spread, 0.0)
    residual = np.clip(residual, -3, 3)
    power = float((residual**2).sum())
    rho = float((residual[:, 1:] * residual[:, :-1]).sum()) / power if power > ROUNDING else 0.0
    rho = min(max(rho, 0.0), 0.9)
    return (1 + rho) / (1 - rho)


def _judge(mix: Mix, stretch: tuple[int, int, int, int], inflation: float) -> Switch | None:
    """Call one change of mix a switch, or not.

    Args:
        mix: the botnet's mix.
        stretch: first unit of the mix before, of the ramp, of the mix after, and one past it.
        inflation: variance inflation of the gain.
    """
    left, begin, end, right = stretch
    at_end = right >= int(np.flatnonzero(mix.seen)[-1]) + 1
    if (right - end) * mix.step < (HOLD_AT_END if at_end else HOLD) or (begin - left) * mix.step < HOLD:
        return None
    effective = mix.effective
    before, after = _shares(effective[:, left:begin]), _shares(effective[:, end:right])
    loser, gainer = int((after - before).argmin()), int((after - before).argmax())
    moved = min(before[loser] - after[loser], after[gainer] - before[gainer])
    if {mix.programmes[loser], mix.programmes[gainer]} & {UNKNOWN, REST} or moved < LEAST_MOVE:
        return None
    lost, won = _compare(mix, loser, stretch), _compare(mix, gainer, stretch)
    volume = (_volume(mix, left, begin) + _volume(mix, end, right)) / 2
    called = (
        # Both must have moved in messages too: a share also falls because another programme grew.
        lost[2] <= -LEAST_T
        and won[2] >= LEAST_T
        and lost[0] - lost[1] >= LEAST_PART * volume * (before[loser] - after[loser])
        and won[1] - won[0] >= LEAST_PART * volume * (after[gainer] - before[gainer])
        and _exchanged(mix, loser, gainer, stretch)
        # What `unknown` hides now and then may have been the gainer's, or be the loser's.
        and moved >= LEAST_MOVE + hidden(mix, loser, gainer, stretch)
    )
    if not called:
        return None
    parts = np.array([effective[:, left:begin].sum(axis=1), effective[:, begin:right].sum(axis=1)]).T
    gain = float(_cost(parts.sum(axis=1)) - _cost(parts).sum()) / inflation
    units = int(mix.seen.sum())
    # The gain goes with 1 / rho, which is estimated: the same caution as for volumes.
    p_value = tail(CAUTION * gain, len(mix.programmes) - 1, units, places=units)
    onset, finish = _date(mix, stretch)

    def day(number: int) -> dt.date:
        return mix.start + dt.timedelta(days=number)

    return Switch(
        onset=(day(onset.point), day(onset.low), day(onset.high)),
        end=(day(max(finish.point, onset.point)), day(finish.low), day(finish.high)),
        from_programme=mix.programmes[loser],
        to_programme=mix.programmes[gainer],
        shares=(float(before[loser]), float(after[loser]), float(before[gainer]), float(after[gainer])),
        messages=(lost[0] / mix.step, lost[1] / mix.step, won[0] / mix.step, won[1] / mix.step),
        gain=gain,
        p_value=p_value,
    )


def _exchanged(mix: Mix, loser: int, gainer: int, stretch: tuple[int, int, int, int]) -> bool:
    """Whether neither programme alone explains a change of mix, as far as can be told."""
    left, begin, end, right = stretch
    where = np.flatnonzero(mix.seen)
    old = where[(where >= max(left, begin - REACH)) & (where < begin)]
    new = where[(where >= end) & (where < min(right, end + REACH))]
    found = weigh_exchange(mix, loser, gainer, old, new)
    return found is None or found.over_one >= AGAINST_ONE


def hidden(mix: Mix, loser: int, gainer: int, stretch: tuple[int, int, int, int]) -> float:
    """Share of a botnet's mail that may have seemed to go from one programme to another, and did not.

    Letters that name no programme may have been the gainer's before a change of mix and be the loser's after
    it: so much at most. Where names come and go, shares have swung before; where none has, nothing is hidden.

    Args:
        mix: the botnet's mix.
        loser: row of the programme that lost.
        gainer: row of the one that won.
        stretch: first unit of the mix before, one past it, first unit of the mix after, one past it.
    """
    if UNKNOWN not in mix.programmes:
        return 0.0
    nameless = mix.programmes.index(UNKNOWN)
    left, begin, end, right = stretch

    def swung(row: int, first: int, stop: int) -> float:
        seen = mix.seen[max(first, 0) : stop]
        mine, whole = mix.count[row, max(first, 0) : stop][seen], mix.total[max(first, 0) : stop][seen]
        return swing(mine, whole, mix.rho, mix.step)

    sides = ((begin - 2 * REACH, begin), (end, end + REACH))
    most = max(swung(row, *side) for row in (loser, gainer, nameless) for side in sides)
    most = max(most, swung(nameless, begin - REACH, end + REACH))
    share = max(
        float(part[nameless].sum() / max(part.sum(), 1.0))
        for part in (
            mix.count[:, max(left, begin - REACH) : begin],
            mix.count[:, end : min(right, end + REACH)],
        )
    )
    return min(share, most)


def _shares(part: Floats) -> Floats:
    """Shares of programmes over some units."""
    mass: Floats = part.sum(axis=1)
    return mass / max(float(mass.sum()), 1e-300)


def _volume(mix: Mix, begin: int, end: int) -> float:
    """Messages of all programmes a unit at usual exposure."""
    seen = mix.exposure[begin:end] > 0
    return float(mix.count[:, begin:end][:, seen].sum() / max(mix.exposure[begin:end][seen].sum(), 1e-9))


def _compare(mix: Mix, programme: int, stretch: tuple[int, int, int, int]) -> tuple[float, float, float]:
    """Mean messages a unit before and after a change of mix, and Welch's t of the difference."""
    left, begin, end, right = stretch
    sides: list[Floats] = []
    for first, last in ((max(left, begin - REACH), begin), (end, min(right, end + REACH))):
        seen = mix.exposure[first:last] > 0
        sides.append(mix.count[programme, first:last][seen] / mix.exposure[first:last][seen])
    return welch(sides[0], sides[1])


def welch(before: Floats, after: Floats) -> tuple[float, float, float]:
    """Means of two samples of counts, and Welch's t of after - before; t is 0 with fewer than two values."""
    if len(before) < 2 or len(after) < 2:  # noqa: PLR2004 - a variance needs two values
        return float(before.mean()) if len(before) else 0.0, float(after.mean()) if len(after) else 0.0, 0.0
    means = float(before.sum()) / len(before), float(after.sum()) / len(after)
    variance = 0.0
    for side, mean in zip((before, after), means, strict=True):
        off = side - mean
        # A count's variance is at least Poisson; a stretch of zeros is not known to the last digit.
        variance += max(float(off @ off) / (len(side) - 1), mean, 1 / len(side)) / len(side)
    return means[0], means[1], (means[1] - means[0]) / math.sqrt(variance)


def _date(mix: Mix, stretch: tuple[int, int, int, int]) -> tuple[Estimate, Estimate]:
    """Onset and end, in days, from the likelihood of every linear ramp of 0-10 units.

    Shares outside it are at their best.

    A ramp of D days has prior 1/(D + 1), as for volumes. A botnet of few messages, looked at by the week, is
    dated by the day: each of its messages tells as much as in its week.
    """
    effective = mix.effective
    left, begin, end, right = (mix.step * unit for unit in stretch)
    lengths = np.arange(LONGEST_RAMP + 1)
    if mix.by_day is not None:
        told = effective.sum(axis=0) / np.maximum(mix.count.sum(axis=0), 1.0)
        effective = mix.by_day * np.repeat(told, mix.step)
        lengths = np.append(lengths, mix.step * np.arange(2, LONGEST_RAMP + 1))
    longest = mix.step * LONGEST_RAMP
    mass = np.concatenate((np.zeros((len(effective), 1)), np.cumsum(effective, axis=1)), axis=1)
    margin = max(HOLD // 2, mix.step)
    onsets = np.arange(max(left + margin, begin - longest), min(end + longest // 2, right - margin) + 1)
    value = np.full((len(onsets), len(lengths)), -np.inf)
    gaps = np.append(np.diff(lengths), mix.step)
    for row, onset in enumerate(onsets):
        before = _smoothed(mass[:, onset] - mass[:, left])
        for column, length in enumerate(lengths.tolist()):
            stop = int(onset) + length
            if stop > right - 1:
                break
            after = _smoothed(mass[:, right] - mass[:, stop])
            part = (np.arange(length) + 0.5) / max(length, 1)
            ramp = before[:, None] * (1 - part) + after[:, None] * part
            value[row, column] = (
                float((mass[:, onset] - mass[:, left]) @ np.log(before))
                + float((mass[:, right] - mass[:, stop]) @ np.log(after))
                + float((effective[:, int(onset) : stop] * np.log(ramp)).sum())
                + math.log(gaps[column] / (length + 1))
            )
    posterior = np.exp(value - value.max())
    ends = np.bincount((np.arange(len(onsets))[:, None] + lengths).ravel(), posterior.ravel())
    return (
        summarise(posterior.sum(axis=1), int(onsets[0])),
        summarise(ends.astype(np.float64), int(onsets[0])),
    )


def _smoothed(mass: Floats) -> Floats:
    """Shares, with half a message in all shared out so that none is zero."""
    shares: Floats = (mass + 0.5 / len(mass)) / (mass.sum() + 0.5)
    return shares
