"""Whether an event and the moves that it could concern lie closer in time than chance would have it.

An event is tested only against moves that it could concern, and which those are is settled without a look at
the days: the moves of the botnets that it names, or of those that mostly advertised the programme that it
names, in the direction that its kind allows. An event about a host, an operation or all spam could concern
every botnet.

Nearness is a sum over those moves of exp(-days / WEEK), so several botnets that move together count for more
than one. Its null: the calendar of events is shifted day by day around the days that the data cover, all
events together. An event's own p is the share of days on which it would lie as near; the p that is said
is the share of shifts in which *any* event of the calendar reaches so small an own p. Looking at every event
and every move is thereby paid for, however they hang together. The days are those of the data, not of a
year, for a move outside them could not have been seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.model import Floats

REACH = 14
"""Days from an event within which a move counts as near it."""
WEEK = 7.0
RARE = 0.05
"""Up to this p an event is called linked in time."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One event with the moves that it could concern, as days from the first day of the data."""

    day: int
    moves: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near an event lies to its moves, against chance."""

    own: float
    """Share of the days on which this event would lie as near."""
    p: float
    """Share of shifts in which any event does as well: corrected for all that was looked at."""


def shift_test(trials: Sequence[Trial], length: int) -> tuple[Nearness, ...]:
    """Test every event of a calendar against shifts of the whole calendar around `length` days.

    Events without a move that they could concern get p = 1 and cost the others nothing. The real
    position is one of the shifts, so p is never 0.
    """
    if length <= 0:
        return tuple(Nearness(1.0, 1.0) for _ in trials)
    owns = [_own(trial.moves, length) for trial in trials]
    best = np.ones(length)
    for trial, own in zip(trials, owns, strict=True):
        best = np.minimum(best, np.roll(own, -trial.day))
    found = []
    for trial, own in zip(trials, owns, strict=True):
        value = float(own[trial.day % length])
        found.append(Nearness(value, 1.0 if value >= 1 else float((best <= value).mean())))
    return tuple(found)


def _own(moves: Sequence[int], length: int) -> Floats:
    """For each day that an event could lie on: the share of days on which it would lie as near."""
    near = nearness(moves, np.arange(length, dtype=float))
    if not near.any():
        return np.ones(length)
    ranked = np.sort(near)
    # A day without any move in reach is as good as any other such day.
    share: Floats = (length - np.searchsorted(ranked, near - 1e-9, side="left")) / length
    return share


def nearness(moves: Sequence[int], days: Floats) -> Floats:
    """Sum over moves of exp(-distance / WEEK), for an event on each of some days; 0 beyond REACH."""
    total: Floats = np.zeros(len(days))
    for move in moves:
        distance = np.abs(days - move)
        total += np.where(distance <= REACH, np.exp(-distance / WEEK), 0.0)
    return total


def exchange_test(near: int, concerned: int, near_others: int, others: int) -> float:
    """Chance that so many of the botnets concerned are among those that moved, were it anybody's turn.

    Fisher's exact test, one-sided: the hypergeometric tail. It looks at who moved, not at when.
    """
    whole, moved = concerned + others, near + near_others
    ways = math.comb(whole, moved)
    most = min(concerned, moved)
    return sum(math.comb(concerned, k) * math.comb(others, moved - k) for k in range(near, most + 1)) / ways
