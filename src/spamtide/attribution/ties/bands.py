"""Bands: campaigns that the same addresses send, and no lab.

A small lab's silence on one campaign says little. Its silence on all that some addresses send says more:
these are then another fleet's, even if they send the family's texts besides.
"""

from __future__ import annotations

import numpy as np

from spamtide.attribution.ties.association import Flags, Floats, Ints
from spamtide.attribution.ties.meeting import NEAR, REACH, Labs, Window
from spamtide.attribution.ties.silence import DISCOUNT, LEAST_EXPECTED, LEAST_LAB, MOST

LEAST_SHARED, SHARED = 2, 0.1
"""Addresses that two campaigns have in common, and part of the smaller one's, from which they are a band."""
HUB = 100
"""Campaigns that an address may send for; one of more is everybody's."""
ALIEN = 2.0
"""Log-odds that the lab's silence takes from a band, from which it begins the others' fleet."""
SURELY = 1.0
"""Log-odds beyond what the lab must be expected to miss, from which its silence is loud."""
LEAST_MET, ALIKE, LOUDLY_ALIKE = 5.0, 0.5, 0.75
"""Common addresses of a band and what is known, of as many pairs of the band's own, below which nothing is
said; and part of them from which it is all one fleet, also where the lab's silence is loud: a bot in a lab is
not given all that its botnet sends."""
HARDLY = 0.1
"""Part of the usual meetings below which a campaign's week hardly meets a band; and part of what is known, by
what it should meet, that may hardly meet it where all is one fleet."""


def unheard(
    window: Window,
    of: Ints,
    addresses: Ints,
    known: tuple[Flags, Flags, Flags, Flags],
    captured: tuple[Labs, int],
) -> tuple[Floats, Flags, Flags]:
    """What the lab's silence says of each campaign.

    Args:
        window: the weeks around.
        of: number of each entry's campaign.
        addresses: its address as a code.
        known: campaigns of which silence says nothing, such that are others' anyhow, such with an engine that
            several families are known to have, and such that have the family's words or its lab.
        captured: the lab's mail in these weeks, and the week.

    Returns:
        Log-odds that it takes from each campaign; whether that is of a band that is others'; and whether the
        campaign is others' without its band as well.
    """
    heard, strange, kit, sent = known
    lab, week = captured
    alone = np.where(heard, 0.0, _silence(window, of, lab, week))
    # In its first and last week the lab may have worked for a day, and texts come and go with the week.
    inside = lab.where((lab.weeks > lab.weeks[:1]) & (lab.weeks < lab.weeks[-1:]))
    if len(inside.weeks) < LEAST_LAB or heard.all():
        nothing = np.zeros(len(heard), dtype=np.bool_)
        return alone, nothing, nothing
    band = _bands(of, addresses, ~heard & ~strange)
    together = np.where(heard, 0.0, _silence(window, band[of], inside, week)[band])
    beyond = _silence(window, band[of], inside, week, unseen=True)
    own = {False: (heard & ~strange)[of], True: (sent & ~strange)[of]}
    rates: tuple[Floats, Floats] | None = None
    for one in np.unique(band[(together >= ALIEN) & ~strange]):
        loud = bool(beyond[one] >= SURELY)
        # Where others are known to have the engine, a loud silence is theirs, whatever machines they share.
        if loud and kit[band == one].any():
            continue
        entries = (band == one)[of]
        if not np.isin(addresses[entries], addresses[own[loud]]).any():
            continue
        if loud and rates is None:
            rates = _rates(window, own[True])
        if of_one_fleet(window, entries, own[loud], rates if loud else None):
            together[band == one] = 0.0
    others = together >= ALIEN
    return np.maximum(alone, together), others, others & (_silence(window, of, inside, week) >= ALIEN)


def of_one_fleet(
    window: Window, band: Flags, known: Flags, usually: tuple[Floats, Floats] | None = None
) -> bool:
    """Whether what is known has addresses in common with a band as often as the band's campaigns have.

    What a lab missed of its family's own comes from the addresses that all of it comes from. How often pairs
    of the band's entries have one in common is measured by the weeks between them. Who takes over another's
    texts meets them through what it took, and not at all through what the other sent alone.

    Args:
        window: the weeks around.
        band: its entries.
        known: entries of campaigns that the family is known to send.
        usually: where the lab's silence is loud, how often what is known meets itself: see `_rates`. More is
            asked then, and as many common addresses as either of the two has within itself: a fleet of many
            machines seldom meets itself, and one campaign never.
    """
    rate, chances = _rates(window, band)
    alike = ALIKE
    if usually is not None:
        alike = LOUDLY_ALIKE
        rate, chances = np.maximum(rate, usually[0]), np.maximum(chances, usually[1])
    shared, could = window.pairs(known, band)
    # By campaign and week.
    part = window.groups[known]
    usual = np.bincount(part, rate @ could)
    shares = np.bincount(part, shared[chances > 0].sum(axis=0))
    asked = usual >= LEAST_MET
    apart = usual[asked & (shares < HARDLY * usual)].sum()
    together = usual.sum() >= LEAST_MET and shares.sum() >= alike * usual.sum()
    return bool(together and apart <= HARDLY * usual.sum())


def _rates(window: Window, entries: Flags) -> tuple[Floats, Floats]:
    """How often pairs of some entries have an address in common, and how many there are, by weeks between."""
    met, chances = (pairs.sum(axis=1) for pairs in window.pairs(entries, entries))
    return met / np.maximum(chances, 1.0), chances


def _bands(of: Ints, addresses: Ints, asked: Flags) -> Ints:
    """Number of each campaign's band; a campaign that is not asked is one of its own.

    Args:
        of: number of each entry's campaign.
        addresses: its address as a code.
        asked: by campaign.
    """
    import scipy.sparse as sp  # takes longer to load than an ingest to start
    from scipy.sparse.csgraph import connected_components

    kinds = len(asked)
    rows = np.flatnonzero(asked[of])
    if not len(rows):
        return np.arange(kinds)
    width = int(addresses.max()) + 1
    campaign, address = np.divmod(np.unique(of[rows] * width + addresses[rows]), width)
    size = np.bincount(campaign, minlength=kinds)
    kept = (size[campaign] >= LEAST_SHARED) & (np.bincount(address, minlength=width) <= HUB)[address]
    has = sp.csr_matrix((np.ones(int(kept.sum())), (campaign[kept], address[kept])), shape=(kinds, width))
    both = (has @ has.T).tocoo()
    least = np.maximum(LEAST_SHARED, SHARED * np.minimum(size[both.row], size[both.col]))
    linked = (both.row != both.col) & (both.data >= least)
    tie = sp.csr_matrix(
        (np.ones(int(linked.sum())), (both.row[linked], both.col[linked])), shape=(kinds, kinds)
    )
    return np.asarray(connected_components(tie, directed=False)[1], dtype=np.int64)


def _silence(window: Window, of: Ints, lab: Labs, week: int, *, unseen: bool = False) -> Floats:
    """Log-odds that the lab's silence takes from each campaign: see `silence.lab_silence`, here by week.

    With `unseen`, without what a lab of that size must be expected to miss (Good 1953): campaigns that are
    put together because the lab misses them are no sample.
    """
    first = week - REACH - NEAR
    kinds, width = int(of.max(initial=-1)) + 1, 2 * (REACH + NEAR) + 1
    captured = np.bincount(lab.weeks - first, minlength=width).astype(np.float64)
    sent = np.bincount(of * width + window.weeks, minlength=kinds * width).reshape(kinds, width)
    expected = sent @ (captured / np.maximum(sent.sum(axis=0), 1))
    worked = (sent > 0) @ captured
    _, again = np.unique(lab.campaigns, return_counts=True)
    fresh = (int((again == 1).sum()) + 1) / (len(lab.campaigns) + 2)
    repeating = max(0.0, 1 - 2 * fresh)
    missed = fresh * worked if unseen else 0.0
    value = np.clip(DISCOUNT * (expected - missed) * repeating, 0.0, MOST)
    return np.where((worked >= LEAST_LAB) & (expected >= LEAST_EXPECTED), value, 0.0)
