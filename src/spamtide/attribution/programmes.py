"""Programmes: the ties that carry a name from what rules name to the mail around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import (
    Answered,
    Told,
    answered,
    nothing_against,
    seeds_of,
    told_by_each,
    told_by_link,
)
from spamtide.attribution.spoken import Names
from spamtide.attribution.ties.association import HAM, Tie

LINK = Tie("link", 14, 7.0, 1, 0.95, 0.02, 0.2, "the mail with its links within 14 days", 0.1, ham_bars=True)
"""A domain names a programme: nearly all links to it are of one (Levchenko et al. 2011, section 4).
Hosts that everybody may use are left out: those that knowledge lists, those that ham links to, and those of
whose mail little is named."""
CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.9, 0.02, 0.3, "its campaign within 4 weeks")
"""Copies that do not say the brand weigh little against it: their silence is no other name."""
FEW_COPIES = replace(CAMPAIGN, doubt=2.0, slot=0.1)
"""What a campaign says of a message that is named by itself. Few copies with another brand do not shake it:
short texts are much alike. Many do, and park it, unless a tenth as many have its own brand: then the text has
a slot for brands, and each message says which."""


def answer_programmes(rows: Rows, names: Names, threshold: float) -> Answered:
    """Answer for each row which programme it advertises, or unknown."""
    told = ties_of_programmes(rows, names, threshold)
    none = np.zeros(len(rows.days), dtype=np.int64)
    return answered("programme", rows, names, told, threshold, nothing_against, none)


def ties_of_programmes(rows: Rows, names: Names, threshold: float) -> tuple[Told, ...]:
    """What shared links and campaigns say of each row."""
    number = {name: place for place, name in enumerate(names.programme)}
    _, seeds = seeds_of("programme", rows, number, threshold, nothing_against)
    first = np.where(rows.ham, HAM, seeds)
    ties = (CAMPAIGN, FEW_COPIES)
    silent, named = told_by_each(ties, rows.campaign, rows.days, first, rows.asks, rows.copies)
    own = first[rows.asked] >= 0
    campaign = replace(
        silent,
        names=np.where(own, named.names, silent.names),
        steps=np.where(own, named.steps, silent.steps),
    )
    return told_by_link(LINK, rows, first), campaign
