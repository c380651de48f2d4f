"""Fleets: whether a campaign comes from the addresses that a family's other mail comes from.

Kits are rented, fleets are not. Where only the engine speaks for a family, the addresses behind the campaign
are compared with those of what is surely the family's: how many of them also sent such mail within a week,
against how many of the family's own addresses did (in other campaigns), and how many of everybody else's,
all in the weeks around the message. Addresses that come and go faster than mail does tell nothing, and then
nothing is said: sharing addresses is evidence, not sharing them is only so much as the family itself shares
them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spamtide.attribution.association import NO_DAY, Ints

REACH = 7
"""Days on either side within which an address must have sent the family's mail."""
WEEK, NEAR = 7, 1
"""Days of a step, and steps on either side of a message's own in which addresses are compared."""
LEAST = 10
"""Addresses of the family's own in those days, below which nothing is said."""
DISCOUNT = 0.5
"""Share of the log-likelihood ratio that counts: bots of one fleet are given their work in groups."""
MOST = 3.0
STEP = 0.5
"""Log-odds come in steps of this."""
FLOOR = 0.005
"""Least share of others' addresses that meet a family's by chance."""


def kinship(leaning: Ints, sure: Ints, addresses: Ints, campaigns: Ints, days: Ints) -> Ints:
    """How strongly a campaign's addresses speak for (or against) each message's leaning, in STEPs.

    Args:
        leaning: family that the engine speaks for and nothing else does, by message; negative for none.
        sure: family that rules with content name, by message of the wild; negative for none.
        addresses: sending address of each message as a code; negative for none.
        campaigns: campaign of each message as a code; negative for none.
        days: day of each message, or NO_DAY.
    """
    steps = np.zeros(len(leaning), dtype=np.int64)
    usable = (addresses >= 0) & (campaigns >= 0) & (days != NO_DAY)
    weeks = np.where(usable, days // WEEK, 0)
    for family in np.unique(leaning[usable & (leaning >= 0)]):
        own = np.flatnonzero(usable & (sure == family))
        asked = np.flatnonzero(usable & (leaning == family))
        others = np.flatnonzero(usable & (sure >= 0) & (sure != family))
        book = _Book(addresses[own], days[own], campaigns[own])
        groups = [
            (rows, weeks[rows], addresses[rows], book.met(addresses[rows], days[rows], at))
            for rows, at in (
                (own, campaigns[own]),
                (others, np.full(len(others), -1)),
                (asked, campaigns[asked]),
            )
        ]
        for week in np.unique(weeks[asked]):
            mine, theirs, doubtful = ((np.abs(when - week) <= NEAR, who, met) for _, when, who, met in groups)
            share, chance = _share(*mine), _share(*theirs)
            chance = FLOOR if chance is None else max(FLOOR, chance)
            if share is None or share <= chance:
                continue
            near, who, met = doubtful
            for campaign in np.unique(campaigns[asked][weeks[asked] == week]):
                chosen = near & (campaigns[asked] == campaign)
                hits, met_in_all = _by_address(who[chosen], met[chosen])
                ratio = hits * math.log(share / chance)
                ratio += (met_in_all - hits) * math.log((1 - share) / (1 - chance))
                bounded = max(-MOST, min(MOST, DISCOUNT * ratio))
                step = int(math.copysign(math.floor(abs(bounded) / STEP + 1e-9), bounded))
                steps[asked[chosen & (weeks[asked] == week)]] = step
    return steps


class _Book:
    """When each address sent a family's mail, and in which campaigns."""

    def __init__(self, addresses: Ints, days: Ints, campaigns: Ints) -> None:
        order = np.lexsort((days, addresses))
        self._addresses, self._days = addresses[order], days[order]
        self._campaigns = campaigns[order]

    def met(self, addresses: Ints, days: Ints, campaigns: Ints) -> NDArray[np.bool_]:
        """Whether each address sent it within REACH, in another campaign than the given one."""
        start = np.searchsorted(self._addresses, addresses, side="left")
        end = np.searchsorted(self._addresses, addresses, side="right")
        found = np.zeros(len(addresses), dtype=bool)
        for row in np.flatnonzero(end > start):
            own = slice(start[row], end[row])
            near = np.abs(self._days[own] - days[row]) <= REACH
            found[row] = bool((near & (self._campaigns[own] != campaigns[row])).any())
        return found


def _by_address(addresses: Ints, met: NDArray[np.bool_]) -> tuple[int, int]:
    """Distinct addresses that met in any of their messages, and all of them."""
    _, place = np.unique(addresses, return_inverse=True)
    seen = np.bincount(place, weights=met) > 0
    return int(seen.sum()), len(seen)


def _share(near: NDArray[np.bool_], addresses: Ints, met: NDArray[np.bool_]) -> float | None:
    """Share of the addresses near in time that met, one hit and one miss added; None for too few."""
    hits, count = _by_address(addresses[near], met[near])
    return (hits + 1) / (count + 2) if count >= LEAST else None
