"""Templates come and go, and with them the names of what they advertise.

A botnet's letters name a shop for some weeks, and then only its landing page does. What a programme loses
then is in the same botnet's mail that names none, and no shop fell. So a programme's move is held against
what the `unknown` of its own botnets paid for it, and a switch against what that `unknown` may hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from spamtide.change.segment import WEEK, Bools
from spamtide.model import UNKNOWN, Counts, Floats, Panel

Turnover = Literal["lost", "usual"]

SURE_T = 1.5
"""Standard errors by which the unknown of a botnet must have moved to have paid for anything; then it is
given one more, since it is held against a move of which it may be all."""
PAID = 0.5
"""Part of a programme's move that its botnets' unknown must have paid for."""
PAST = 112
"""Days before a move over which shares may have swung."""
RHO = 0.05
"""Intra-day correlation taken for what a share swings by chance."""
HELD = 10
"""Days over which an unknown is averaged, to know how high it has been before."""
BEYOND = 1.5
"""Times its highest level before that `unknown` must reach to be more than the usual turnover."""
RANGE = (10, 90)
"""Percentiles between which a share of unknown swings; 2.56 standard deviations of chance alone."""
NORMAL_RANGE = 2.56


def turnover(
    panel: Panel, programme: str, sides: tuple[Bools, Bools], usual: Floats, ratio: float
) -> Turnover | None:
    """Whether a programme's move is made of what its botnets' letters name, and not of how many there are.

    Args:
        panel: the counts.
        programme: its name, or UNKNOWN, whose partner is then all that is named.
        sides: days at the level before, and at the level after; shape (days,).
        usual: what all sensors' mail is expected to be that day, 1 on an average day; 0: nothing known.
        ratio: the event ratio; a move is explained if no event is left of it.

    Returns:
        'lost' where `unknown` won more than it ever had, 'usual' where names come and go, None where the
        move stands without it.
    """
    before, after = sides[0] & (usual > 0), sides[1] & (usual > 0)
    if not before.any() or not after.any():
        return None
    was = now = paid = 0.0
    payers: list[Floats] = []
    moves = [tuple(_rates(count, usual) for count in each) for each in _pairs(panel, programme)]
    for mine, _, _ in moves:
        was, now = was + float(mine[before].mean()), now + float(mine[after].mean())
    sign = 1.0 if now > was else -1.0
    past = np.flatnonzero((usual > 0) & (np.arange(len(usual)) < np.flatnonzero(before)[-1]))[-PAST:]
    for mine, other, whole in moves:
        moved = sign * float(mine[after].mean() - mine[before].mean())
        gave = -sign * float(other[after].mean() - other[before].mean())
        error = _error(other, before, after)
        if moved <= 0:
            continue
        if gave >= SURE_T * error:
            payers.append(other)
            gave += error
        # A level unknown, too, may hide one programme's letters first and another's then, if shares swing.
        hides = float(other[after if sign < 0 else before].mean())
        swings = swing(mine[past], whole[past], RHO, 1) * float(whole[before | after].mean())
        paid += min(moved, max(gave, min(hides, swings), 0.0))
    if paid < PAID * abs(now - was) or min(was, now) + paid < ratio * max(was, now):
        return None
    if sign > 0 or programme == UNKNOWN or not payers:
        return "usual"
    unknown = np.asarray(np.sum(payers, axis=0))
    known = unknown[(usual > 0) & (np.arange(len(usual)) < np.flatnonzero(after)[0])][: -int(HELD)]
    if len(known) < 2 * HELD:
        return "usual"
    highest = float(np.convolve(known, np.full(HELD, 1 / HELD), "valid").max())
    return "lost" if float(unknown[after].mean()) > BEYOND * highest else "usual"


def _pairs(panel: Panel, programme: str) -> Iterator[tuple[Counts, Counts, Counts]]:
    """Of each botnet: its mail for the programme, that which may have changed places with it, and all."""
    nothing = np.zeros(len(panel.days), dtype=np.int64)
    for botnet in sorted({owner for owner, _ in panel.pairs}):
        whole = np.asarray(np.sum([c for (owner, _), c in panel.pairs.items() if owner == botnet], axis=0))
        unknown = panel.pairs.get((botnet, UNKNOWN), nothing)
        if programme == UNKNOWN:
            yield unknown, whole - unknown, whole
        elif (botnet, programme) in panel.pairs:
            yield panel.pairs[botnet, programme], unknown, whole


def _rates(count: Counts, usual: Floats) -> Floats:
    """Messages a day at usual exposure, 0 where nothing is known."""
    return np.asarray(np.where(usual > 0, count / np.where(usual > 0, usual, 1.0), 0.0))


def _error(rate: Floats, before: Bools, after: Bools) -> float:
    """Standard error of the difference of two means."""
    return float(
        np.sqrt(
            sum(
                max(float(rate[side].var()), float(rate[side].mean()), 1 / side.sum()) / side.sum()
                for side in (before, after)
            )
        )
    )


def swing(part: Floats, total: Floats, rho: float, step: int) -> float:
    """By how much of a botnet's mail a share swings from week to week, beyond chance; 0-1.

    Args:
        part: messages that name one programme, or none, by unit; shape (units,).
        total: all messages.
        rho: intra-day correlation of the mix.
        step: days in a unit.
    """
    window = np.ones(max(WEEK // step, 1))
    if len(total) <= len(window) or not part.any():
        return 0.0
    weekly, mine = np.convolve(total, window, "valid"), np.convolve(part, window, "valid")
    seen = weekly > 0
    if not seen.any():
        return 0.0
    share = mine[seen] / weekly[seen]
    low, high, _ = _quantiles(share)
    mean, number = float(share.mean()), _quantiles(weekly[seen])[2]
    daily = number / len(window)
    chance = mean * (1 - mean) * (1 + max(daily - 1, 0.0) * rho) / number
    return float(np.sqrt(max((high - low) ** 2 - NORMAL_RANGE**2 * chance, 0.0)))


def _quantiles(values: Floats) -> tuple[float, float, float]:
    """The RANGE percentiles and the median as numpy has them, in a tenth of its time: there are thousands."""
    ordered = np.sort(values)
    last = len(ordered) - 1

    def at(share: float) -> float:
        place = last * share
        below, above = float(ordered[int(place)]), float(ordered[min(int(place) + 1, last)])
        part = place - int(place)
        if part >= 0.5:  # noqa: PLR2004 - from the nearer side
            return above - (above - below) * (1 - part)
        return below + (above - below) * part

    return at(RANGE[0] / 100), at(RANGE[1] / 100), (at(0.5) if last % 2 == 0 else _middle(ordered))


def _middle(ordered: Floats) -> float:
    """Mean of the two values in the middle."""
    return float(ordered[len(ordered) // 2 - 1] + ordered[len(ordered) // 2]) / 2
