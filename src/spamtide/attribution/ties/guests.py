"""Guests: addresses that share a text with a fleet and nothing else.

A programme hands one text to several senders. Through it, addresses of others meet a fleet that they are not
of; taken for the fleet's, they would bring in all that they send. Mail of the fleet meets it through all of
its texts, a guest's through the shared ones alone: what tells them apart is how many of the fleet's campaigns
a campaign reaches, not how many of its addresses are met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spamtide.attribution.ties.association import Flags, Floats, Ints
from spamtide.attribution.ties.meeting import DISTANCES, NEAR, REACH, Window

if TYPE_CHECKING:
    import scipy.sparse as sp

SHOULD_MEET = 5.0
"""Meetings with the fleet's other campaigns that a campaign should have before the lack of them tells."""
NARROW, SHARED = 0.5, 0.65
"""Part of what the fleet's own campaigns usually reach, below which a campaign is a guest's; the same for an
engine that others are known to use, who may share several texts with the fleet."""
LEAST_SHARED = 3
"""Addresses in common with one of the fleet's campaigns, below which a campaign is a stranger's."""
PARTLY = 1 / 3
"""Part of the usual meetings with which a campaign is reached: one that a fleet shares is the fleet's too."""
HUB = 12
"""Campaigns near in time that an address may send for; one of more is everybody's."""
ROUNDS = 4
"""Times that guests are looked for at most."""
TINY = 1e-12


def without_guests(
    window: Window, of: Ints, mine: Flags, theirs: Flags, *, several: bool
) -> tuple[Flags, Flags]:
    """What begins a fleet and the others', without addresses that only share a text with the fleet.

    What guests begin with is taken from the fleet, and then others are seen to reach little of it.

    Args:
        window: the weeks around.
        of: number of each entry's campaign.
        mine: entries that begin the fleet.
        theirs: entries that are surely others'.
        several: whether the engine is known to be several senders'.
    """
    narrow = SHARED if several else NARROW
    begun = mine
    found = np.zeros(len(mine), dtype=np.bool_)
    anchored = np.bincount(of, mine, minlength=int(of.max(initial=-1)) + 1) > 0
    for _ in range(ROUNDS):
        reached, expected, most = _reach(window, of, mine)
        reach = reached / np.maximum(expected, TINY)
        asked = expected >= SHOULD_MEET
        if not (asked & anchored).any():
            break
        usual = float(np.median(reach[asked & anchored]))
        guests = asked & (reach < narrow * usual) & (most >= LEAST_SHARED)
        more = found | ((guests & ~anchored)[of] & ~begun)
        own = mine & ~guests[of] & ~window.meet(more).met
        if np.array_equal(own, mine) and np.array_equal(more, found):
            break
        mine, found = own, more
    return mine, theirs | found


def _reach(window: Window, of: Ints, fleet: Flags) -> tuple[Floats, Floats, Floats]:
    """How much of a fleet's mail each campaign reaches.

    How often a pair of the fleet's own entries has an address in common is measured by the weeks between
    them: bots come and go.

    Args:
        window: the weeks around.
        of: number of each entry's campaign.
        fleet: the fleet's entries.

    Returns:
        By campaign: meetings that the fleet's entries in other campaigns would give it on average, of those
        campaigns that it meets (of one that it hardly meets, in proportion); the same of all of them; and the
        most addresses that it has in common with one.
    """
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    kinds, width = int(of.max(initial=-1)) + 1, 2 * (REACH + NEAR) + 1
    shape = (kinds, window.near_places.shape[1])
    has = sp.csr_matrix((np.ones(len(of)), (of, window.places)), shape=shape)
    own = sp.csr_matrix((fleet.astype(np.float64), (of, window.places)), shape=shape)
    slot = of * width + window.weeks
    sent = np.bincount(slot, minlength=kinds * width).astype(np.float64).reshape(kinds, width)
    sent_own = np.bincount(slot, fleet, minlength=kinds * width).astype(np.float64).reshape(kinds, width)
    ties, around = _by_distance(window, sent_own)
    several = np.asarray(np.sum([(has @ tie).astype(bool).sum(axis=0) for tie in ties], axis=0)).ravel()
    few = sp.diags((several <= HUB).astype(np.float64))
    has, own = sp.csr_matrix(has @ few), sp.csr_matrix(own @ few)
    expected, usually = np.zeros(kinds), np.zeros_like(sent)
    found = sp.csr_matrix((kinds, kinds))
    for tie, near in zip(ties, around, strict=True):
        met, among = _between(has @ tie, own), _between(own @ tie, own)
        all_near = near.sum(axis=0)
        could = float((sent_own * (all_near - near)).sum())
        rate = float(among.sum()) / max(1.0, could)
        expected += rate * (sent * (all_near - near)).sum(axis=1)
        usually += rate * near
        found = sp.csr_matrix(found + met)
    pairs = found.tocoo()
    usual = np.zeros(len(pairs.row))
    for week in range(width):
        usual += sent[pairs.row, week] * usually[pairs.col, week]
    reached, most = np.zeros(kinds), np.zeros(kinds)
    np.add.at(reached, pairs.row, np.minimum(usual, pairs.data / PARTLY))
    np.maximum.at(most, pairs.row, pairs.data)
    return reached, expected, most


def _between(some: sp.csr_matrix, others: sp.csr_matrix) -> sp.csr_matrix:
    """Addresses that campaigns have in common with other ones."""
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    both = some @ others.T
    return sp.csr_matrix(both - sp.diags(both.diagonal()))


def _by_distance(window: Window, sent: Floats) -> tuple[list[sp.csr_matrix], list[Floats]]:
    """By weeks away (none, one and so on): which place is which one's counterpart, and what was sent then.

    Args:
        window: the weeks around.
        sent: entries by campaign and week.
    """
    import scipy.sparse as sp  # takes longer to load than an ingest to start

    count = window.near_places.shape[1]
    ties: list[sp.csr_matrix] = [
        sp.csr_matrix(sp.identity(count)),
        *(sp.csr_matrix((count, count)) for _ in range(NEAR)),
    ]
    around = [sent, *(np.zeros_like(sent) for _ in range(NEAR))]
    for distance, places in zip(DISTANCES, window.near_places, strict=True):
        away = abs(distance)
        at = np.flatnonzero(places >= 0)
        tie = sp.csr_matrix((np.ones(len(at)), (at, places[at])), shape=(count, count))
        ties[away] = sp.csr_matrix(ties[away] + tie)
        if distance > 0:
            around[away][:, :-away] += sent[:, away:]
        else:
            around[away][:, away:] += sent[:, :-away]
    return ties, around
