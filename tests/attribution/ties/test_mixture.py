"""Mixtures: whose a campaign is, and each of its entries where several send it."""

from __future__ import annotations

import numpy as np

from spamtide.attribution.ties.mixture import of_mixtures

SPREAD = 2.0


def test_inside_a_mixed_campaign_each_address_says_all_that_it_can() -> None:
    """Entries repeat each other as proof of whose their campaign is, not of who is apart in it."""
    each = np.concatenate([np.full(50, 3.0), np.full(14, -4.5)])
    of, prior, kit = np.zeros(len(each), dtype=np.int64), np.zeros(1), np.zeros(1, dtype=np.bool_)
    pooled, as_mixed = of_mixtures(each / SPREAD, of, prior, kit)
    odds, mixed = of_mixtures(each / SPREAD, of, prior, kit, each)
    assert mixed == as_mixed  # whether it is mixed is not asked anew
    assert mixed[0] > 0.5
    assert odds[0] > pooled[0] > 0
    assert pooled[-1] > 0 > odds[-1]


def test_a_campaign_of_one_sender_is_judged_as_a_whole() -> None:
    """The few that never met the fleet are of it where nothing shows a second sender."""
    each = np.concatenate([np.full(50, 3.0), np.full(2, -4.5)])
    of, prior, kit = np.zeros(len(each), dtype=np.int64), np.zeros(1), np.zeros(1, dtype=np.bool_)
    odds, mixed = of_mixtures(each / SPREAD, of, prior, kit, each)
    assert mixed[0] < 0.1
    assert (odds > 2).all()
