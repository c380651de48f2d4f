"""Sensors whose mail changed with their receiving relay: a filter or a host moved, not the spam.

A relay change alone is nothing. It counts when the sensor's spam jumps there and nowhere near, and when
the sensors whose relay stayed did not jump with it. Windows reach as far as thin mail needs, up to a
year, so that a few messages a month are enough.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Counts, Floats

Bools = NDArray[np.bool_]

NEIGHBOURS = 20
"""Days with mail on either side whose relays are compared."""
LEAST_BEFORE, LEAST_AFTER = 3, 1
"""Days with mail needed on the side of the old and of the new relay."""
SAME = 0.15
"""Overlap of the two sides' relay shares up to which they are different relays."""
SHORTEST, LONGEST = 28, 365
"""Days of the windows that are compared, on each side."""
ENOUGH = 50
"""Messages that make a window long enough."""
LEAST_DAYS = 7
"""Days on either side of a move without which levels are not compared."""
JUMP = float(np.log(1.5))
"""Least change of level, on the log scale, that is called one."""
JUMP_UNSEEN = float(np.log(2.0))
"""The same where no sensor kept its relay, so that a drift of all spam cannot be told from the move."""
SURE = 10.83
"""Least likelihood ratio statistic: chance 0.001 for one degree of freedom."""
LIKELY = 3.84
"""Days within this of the best are in the onset's 95 % interval."""
SAME_TIME = 28
"""Relay changes within this many days of each other are one move."""
SLACK = 7
"""Days around the relay change in which the jump may lie."""


@dataclass(frozen=True, slots=True)
class Move:
    """One relay change of one sensor; days as positions in the span."""

    sensor: int
    last_old: int
    first_new: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Shift:
    """A sensor that changed what it lets us see; days as positions in the span."""

    sensor: int
    day: int
    """First day of the new behaviour (most likely)."""
    low: int
    high: int
    ratio: float
    """Spam after / before."""
    evidence: str
    confidence: float
    move: Move | None = None


def moves(sensor: int, relays: tuple[str, ...]) -> list[Move]:
    """Days on which a sensor's usual relays gave way to others, by day.

    Relays may rotate: what is compared is the shares of names over twenty days with mail on either side.
    """
    entries = [(day, relay) for day, relay in enumerate(relays) if relay]
    candidates = []
    for split in range(LEAST_BEFORE, len(entries) - LEAST_AFTER + 1):
        old = [relay for _, relay in entries[max(0, split - NEIGHBOURS) : split]]
        new = [relay for _, relay in entries[split : split + NEIGHBOURS]]
        if new[0] in old[-LEAST_BEFORE:]:
            continue
        left, right = Counter(old), Counter(new)
        overlap = sum(min(left[name] / len(old), right[name] / len(new)) for name in left)
        if overlap <= SAME:
            candidates.append((overlap, -len(new), split, left, right))
    kept: list[Move] = []
    taken: list[int] = []
    for _, _, split, left, right in sorted(candidates, key=lambda item: item[:3]):
        if all(abs(split - other) >= NEIGHBOURS for other in taken):
            taken.append(split)
            names = left.most_common(1)[0][0], right.most_common(1)[0][0]
            kept.append(Move(sensor, entries[split - 1][0], entries[split][0], *names))
    return sorted(kept, key=lambda move: move.first_new)


def relay_shifts(spam: Counts, ham: Counts, up: Bools, relays: tuple[tuple[str, ...], ...]) -> list[Shift]:
    """Relay changes at which the sensor's own spam jumped.

    Sensors that moved together speak together: their evidence is pooled (Stouffer), so that mail too thin
    to decide alone may. A sensor that falls silent for good when others leave the relay it had moves
    with them, though no mail names its new one.

    Args:
        spam: shape (S, T).
        ham: shape (S, T).
        up: shape (S, T), days that are no outage.
        relays: shape (S, T), '' for none.
    """
    every = [move for sensor, names in enumerate(relays) for move in moves(sensor, names)]
    every += _followers(every, relays)
    jumps = [jump for jump in (_jump(move, every, spam, ham, up, relays) for move in every) if jump]
    found = []
    for shift, weight in jumps:
        together = [
            other_weight
            for other, other_weight in jumps
            if _together(shift.move, other.move) and (other.ratio < 1) == (shift.ratio < 1)
        ]
        if sum(np.sqrt(together)) / np.sqrt(len(together)) >= np.sqrt(SURE):
            confidence = shift.confidence * (1.0 - float(np.exp(-max(weight, SURE) / 2)))
            found.append(replace(shift, confidence=confidence))
    return found


def _together(one: Move | None, other: Move | None) -> bool:
    """Whether two relay changes may be one move."""
    if one is None or other is None:
        return False
    return other.first_new >= one.last_old - SAME_TIME and other.last_old <= one.first_new + SAME_TIME


def _followers(every: list[Move], relays: tuple[tuple[str, ...], ...]) -> list[Move]:
    """Sensors whose last mail came by a relay that another sensor left at that time."""
    found = []
    for sensor, names in enumerate(relays):
        last = max((day for day, relay in enumerate(names) if relay), default=-1)
        for move in every:
            here = move.last_old - SAME_TIME <= last <= move.first_new + SAME_TIME
            if move.sensor != sensor and here and names[last] == move.before and last + 1 < len(names):
                first = min(max(move.first_new, last + 1), len(names) - 1)
                found.append(Move(sensor, last, first, move.before, move.after))
                break
    return found


def _jump(
    move: Move,
    every: list[Move],
    spam: Counts,
    ham: Counts,
    up: Bools,
    relays: tuple[tuple[str, ...], ...],
) -> tuple[Shift, float] | None:
    """The jump of a sensor's spam at its relay change, and its likelihood ratio statistic; or None."""
    own = spam[move.sensor]
    mine = [other for other in every if other.sensor == move.sensor and other != move]
    start = max((other.first_new for other in mine if other.first_new <= move.last_old), default=0)
    stop = min((other.last_old for other in mine if other.last_old >= move.first_new), default=len(own) - 1)
    first = _earliest(move, every, start)
    live = _live(own, up[move.sensor], first, move.first_new, stop)
    before = _window(own, live, first, start, -1)
    after = _window(own, live, move.first_new, stop, 1)
    if len(before) < LEAST_DAYS or len(after) < LEAST_DAYS:
        return None
    days = np.arange(before[0], after[-1] + 1)
    days = days[live[days]]
    gain = _gains(own[days].astype(np.float64))
    near = (days >= first + 1 - SLACK) & (days <= move.first_new + SLACK)
    split = int(np.argmax(np.where(near, gain, 0.0)))
    before, after = days[:split], days[split:]
    if min(len(before), len(after)) < LEAST_DAYS:
        return None
    gain = gain / _dispersion(own, before, after)
    best = float(gain[split])
    change = float(np.log((own[after].mean() + 0.5 / len(after)) / (own[before].mean() + 0.5 / len(before))))
    if best < LIKELY or abs(change) < JUMP or gain.max() - best > LIKELY:
        return None
    moved = {other.sensor for other in every if _together(move, other)}
    stayed = [row for row, names in enumerate(relays) if row not in moved and any(names[move.first_new :])]
    if not stayed and abs(change) < JUMP_UNSEEN:
        return None
    if not _alone(own, change, before, after, spam[stayed], up[stayed]):
        return None
    likely = near & (gain >= best - LIKELY)
    between = likely & (days > move.last_old) & (days <= move.first_new)
    likely = between if between.any() else likely
    # The day before the first whole one at the new level may have been a part of one.
    low, high = int(days[max(int(np.flatnonzero(likely)[0]) - 1, 0)]), int(days[likely][-1])
    day = int(days[likely][np.argmax(gain[likely])])
    other_mail = ham[move.sensor]
    evidence = (
        f"relay {move.before[:80]} -> {move.after[:80]}; "
        f"spam {own[before].sum()} in {len(before)} days before, {own[after].sum()} in {len(after)} after; "
        f"other mail {other_mail[before].sum()} and {other_mail[after].sum()}; "
        f"{len(moved)} of {len(spam)} sensors changed relay then"
    )
    backed = other_mail[after].sum() > 0 or len(moved) > 1 or bool(stayed)
    return Shift(
        move.sensor, day, low, high, float(np.exp(change)), evidence, 0.99 if backed else 0.8, move
    ), best


def _earliest(move: Move, every: list[Move], start: int) -> int:
    """Last day before any of the sensors that made the same move together began it.

    A sensor may go on naming the old relay, for mail that was forwarded through it, after its filter moved.
    """
    same = [
        other.last_old
        for other in every
        if (other.before, other.after) == (move.before, move.after) and _together(move, other)
    ]
    return max(start, min([move.last_old, *same]))


def _live(own: Counts, up: Bools, last_old: int, first_new: int, stop: int) -> Bools:
    """Days that count. A silence at the move is part of the fall if what follows is lower too, or nothing."""
    later = own[first_new : stop + 1][up[first_new : stop + 1]]
    earlier = own[: last_old + 1][up[: last_old + 1]][-LONGEST:]
    live = up.copy()
    if not len(later) or later.mean() * np.exp(JUMP) <= earlier.mean():
        live[last_old:] = True
    return live


def _window(own: Counts, live: Bools, edge: int, limit: int, step: int) -> NDArray[np.int64]:
    """Live days from `edge` away to `limit`: at least SHORTEST, more while mail is thin, in rising order."""
    days = np.arange(edge, limit + step, step)[:LONGEST]
    days = days[live[days]]
    enough = int(np.searchsorted(np.cumsum(own[days]), ENOUGH)) + 1
    return np.sort(days[: max(SHORTEST, enough)])


def _dispersion(own: Counts, before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """Variance over mean of weekly sums within the two windows, at least 1."""
    square, freedom = 0.0, 0
    for window in (before, after):
        weeks = len(window) // 7
        sums = own[window[: weeks * 7]].reshape(weeks, 7).sum(axis=1)
        if weeks >= 2 and sums.any():  # noqa: PLR2004 - a variance needs two
            square += float(((sums - sums.mean()) ** 2).sum() / sums.mean())
            freedom += weeks - 1
    return max(1.0, square / freedom) if freedom else 1.0


def _gains(values: Floats) -> Floats:
    """Poisson likelihood ratio statistic of a change of level before each day; 0 for the first."""
    total, n = values.sum(), len(values)
    left = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    days = np.arange(n, dtype=np.float64)
    right, rest = total - left, n - days

    def part(count: Floats, length: Floats) -> Floats:
        rate = np.where(length > 0, count / np.maximum(length, 1.0), 0.0)
        return count * np.log(np.where(count > 0, rate, 1.0))

    gain = 2.0 * (part(left, days) + part(right, rest) - part(np.full(n, total), np.full(n, float(n))))
    gain[0] = 0.0
    return np.maximum(gain, 0.0)


def _alone(
    own: Counts, change: float, before: NDArray[np.int64], after: NDArray[np.int64], others: Counts, up: Bools
) -> bool:
    """Whether the sensors whose relay stayed did not jump likewise; True where there are none."""
    if not len(others):
        return True
    was, now = others[:, before][up[:, before]], others[:, after][up[:, after]]
    if was.sum() < ENOUGH / 5 or not now.size:
        return True
    theirs = np.log((now.mean() + 0.5 / now.size) / was.mean())
    counts = np.array([own[before].sum(), own[after].sum(), was.sum(), now.sum()])
    error = np.sqrt((1.0 / (counts + 0.5)).sum() * _dispersion(own, before, after))
    rest = change - theirs
    return bool(np.sign(rest) == np.sign(change) and abs(rest) >= max(JUMP, 3.0 * error))
