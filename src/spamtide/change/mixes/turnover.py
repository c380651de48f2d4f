"""Templates come and go, and with them the names of what they advertise.

A botnet's letters name a shop for some weeks, and then only its landing page does. What a programme loses
then is in the same botnet's mail that names none, and no shop fell. So a programme's move is held against
what the `unknown` of its own botnets paid for it, and a switch against what that `unknown` may hide.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from spamtide.change.moves.segment import WEEK, Bools
from spamtide.compiled import native
from spamtide.model import UNKNOWN, Counts, Floats, Panel

Turnover = Literal["lost", "usual"]

SURE_T = 1.5
"""Standard errors by which the unknown of a botnet must have moved to have paid for anything; then it is
given one more, since it is held against a move of which it may be all."""
PAID = 0.5
"""Part of a programme's move that its botnets' unknown must have paid for."""
PAST = 112
"""Days before a move over which shares may have swung."""
PLAIN_T, ENDED, FEWEST = 3.0, 0.05, 3
"""Standard errors by which an unknown's rise is plain, the share of a level up to which nothing is left of
it, and days on either side that show it."""
RHO = 0.05
"""Intra-day correlation taken for what a share swings by chance."""
HELD = 10
"""Days over which an unknown is averaged, to know how high it has been before."""
BEYOND = 1.5
"""Times its highest level before that `unknown` must reach to be more than the usual turnover."""
RANGE = (10, 90)
"""Percentiles between which a share of unknown swings; 2.56 standard deviations of chance alone."""
NORMAL_RANGE = 2.56
"""Standard deviations between the tenth and the ninetieth percentile of a normal variable."""


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
    mine, other, whole = _pairs(panel, programme)
    one, two = np.flatnonzero(before), np.flatnonzero(after)
    both = np.flatnonzero(before | after)
    was, now = (mine[:, days] / usual[days] for days in (one, two))
    hid, hides = (other[:, days] / usual[days] for days in (one, two))
    level, then = float(was.mean(axis=1).sum()), float(now.mean(axis=1).sum())
    sign = 1.0 if then > level else -1.0
    past = np.flatnonzero((usual > 0) & (np.arange(len(usual)) < one[-1]))[-PAST:]
    moved = sign * (now.mean(axis=1) - was.mean(axis=1))
    gave = -sign * (hides.mean(axis=1) - hid.mean(axis=1))
    error = np.sqrt(_squared_error(hid) + _squared_error(hides))
    # A level unknown, too, may hide one programme's letters first and another's then, if shares swing.
    most = (hides if sign < 0 else hid).mean(axis=1)
    sends = (whole[:, both] / usual[both]).mean(axis=1)
    sure = (moved > 0) & (gave >= SURE_T * error)
    gave = np.where(sure, gave + error, gave)
    paid = 0.0
    for row in np.flatnonzero(moved > 0):
        won = float(gave[row])
        if won < min(most[row], moved[row]):
            part, total = mine[row, past] / usual[past], whole[row, past] / usual[past]
            won = max(won, min(float(most[row]), swing(part, total, RHO, 1) * float(sends[row])), 0.0)
        paid += min(float(moved[row]), won)
    if paid < PAID * abs(then - level) or min(level, then) + paid < ratio * max(level, then):
        return None
    if sign > 0 or programme == UNKNOWN or not sure.any():
        return "usual"
    unknown = _rates(other[sure].sum(axis=0), usual)
    known = unknown[(usual > 0) & (np.arange(len(usual)) < two[0])][: -int(HELD)]
    if len(known) < 2 * HELD:
        return "usual"
    highest = float(np.convolve(known, np.full(HELD, 1 / HELD), "valid").max())
    return "lost" if float(unknown[after].mean()) > BEYOND * highest else "usual"


def renamed(panel: Panel, programme: str, sides: tuple[Bools, Bools], usual: Floats, ratio: float) -> bool:
    """Whether a programme ended on a day on which its own botnets' letters without a name began.

    Over months a botnet's `unknown` comes and goes; what one letter lost its name to is plain in the week
    before and the week after, if the botnet goes on. Told from a fall by sure numbers alone.

    Args:
        panel: the counts.
        programme: its name.
        sides: days at the level before, and at the level after; shape (days,).
        usual: what all sensors' mail is expected to be that day; 0: nothing known.
        ratio: the event ratio.
    """
    one, two = np.flatnonzero(sides[0] & (usual > 0))[-WEEK:], np.flatnonzero(sides[1] & (usual > 0))[:WEEK]
    if programme == UNKNOWN or min(len(one), len(two)) < FEWEST:
        return False
    mine, other, _ = _pairs(panel, programme)
    was, now = (mine[:, days] / usual[days] for days in (one, two))
    hid, hides = (other[:, days] / usual[days] for days in (one, two))
    level, then = float(was.mean(axis=1).sum()), float(now.mean(axis=1).sum())
    moved, gave = was.mean(axis=1) - now.mean(axis=1), hides.mean(axis=1) - hid.mean(axis=1)
    error = np.sqrt(_squared_error(hid) + _squared_error(hides))
    paid = float(np.minimum(moved, gave)[(moved > 0) & (gave >= PLAIN_T * error)].sum())
    return then <= ENDED * level and paid >= ratio * level


def _pairs(panel: Panel, programme: str) -> tuple[Counts, Counts, Counts]:
    """By botnet: its mail for the programme, that which may have changed places with it, and all.

    Each of shape (botnets, days), of the botnets that sent for the programme.
    """
    owners = sorted({owner for owner, _ in panel.pairs})
    if programme != UNKNOWN:
        owners = [owner for owner in owners if (owner, programme) in panel.pairs]
    place = {owner: row for row, owner in enumerate(owners)}
    unknown, whole = np.zeros((2, len(owners), len(panel.days)), dtype=np.int64)
    for (owner, named), count in panel.pairs.items():
        if owner in place:
            whole[place[owner]] += count
            if named == UNKNOWN:
                unknown[place[owner]] = count
    if programme == UNKNOWN:
        return unknown, whole - unknown, whole
    mine = np.array([panel.pairs[owner, programme] for owner in owners], dtype=np.int64)
    return mine.reshape(whole.shape), unknown, whole


def _rates(count: Counts, usual: Floats) -> Floats:
    """Messages a day at usual exposure, 0 where nothing is known."""
    return np.asarray(np.where(usual > 0, count / np.where(usual > 0, usual, 1.0), 0.0))


def _squared_error(rate: Floats) -> Floats:
    """Squared standard error of the mean of some days, by botnet; rates of shape (botnets, days)."""
    days = rate.shape[1]
    return np.asarray(np.maximum(np.maximum(rate.var(axis=1), rate.mean(axis=1)), 1 / days) / days)


def swing(part: Floats, total: Floats, rho: float, step: int) -> float:
    """By how much of a botnet's mail a share swings from week to week, beyond chance; 0-1.

    Args:
        part: messages that name one programme, or none, by unit; shape (units,).
        total: all messages.
        rho: intra-day correlation of the mix.
        step: days in a unit.
    """
    if native is not None:
        shares = RANGE[0] / 100, RANGE[1] / 100, NORMAL_RANGE
        part, total = (np.ascontiguousarray(one, dtype=np.float64) for one in (part, total))
        return native.swing(part, total, rho, max(WEEK // step, 1), shares)
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
