"""Handed-round texts: such as senders with visibly unlike mailers send.

A family whose mailer is anybody's is known by its words alone. That holds as long as nobody else sends them.
Where much of a campaign's mail has none of the family's engines, though nearly all of its lab mail has one,
a programme hands the text round, or somebody took it over; then its words are no word for who looks like the
family either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spamtide.attribution.ties.association import NO_DAY, Flags, Floats, Ints

WEEK, REACH = 7, 3
"""Days of a step, and steps on either side of a message's own in which its campaign is looked at."""
SLACK, TIMES = 3.0, 1.5
"""Messages without an engine that may be there in any case, and how many times what the lab lets expect."""


def handed_round(
    families: Ints, campaigns: Ints, days: Ints, wild: Flags, absence: Callable[[int, Ints], Floats]
) -> Flags:
    """Messages of a text that others than its family surely send too.

    Args:
        families: family that the text of each message speaks for; negative for none.
        campaigns: campaign of each message as a code; negative for none.
        days: day of each message, or NO_DAY.
        wild: spam that no lab's bot sent.
        absence: (family, rows) -> for rows with none of the family's engines, log of the probability that its
            own mail shows none; 0 for the others.
    """
    found = np.zeros(len(days), dtype=np.bool_)
    usable = (campaigns >= 0) & (days != NO_DAY)
    weeks = np.where(usable, days // WEEK, 0)
    for family in np.unique(families[usable & (families >= 0)]).tolist():
        asked = np.flatnonzero(usable & (families == family))
        texts = np.unique(campaigns[asked])
        rows = np.flatnonzero(usable & wild & np.isin(campaigns, texts))
        missing = absence(family, rows)
        if not (missing < 0).any():
            continue
        first = int(weeks[asked].min()) - REACH
        width = int(weeks[asked].max()) - first + REACH + 1
        near = (weeks[rows] >= first) & (weeks[rows] < first + width)
        cells = np.searchsorted(texts, campaigns[rows]) * width + weeks[rows] - first
        alien, own = (
            _around(np.bincount(cells[some], minlength=len(texts) * width).reshape(-1, width))
            for some in (near & (missing < 0), near & (missing >= 0))
        )
        p = float(np.exp(missing[missing < 0].max()))
        too_many = alien > SLACK + TIMES * p / (1 - p) * own
        found[asked] = too_many[np.searchsorted(texts, campaigns[asked]), weeks[asked] - first]
    return found


def _around(counts: Ints) -> Ints:
    """Counts by text and week, each with those of the weeks within REACH."""
    width = counts.shape[1]
    total = np.concatenate([np.zeros((len(counts), 1), dtype=np.int64), np.cumsum(counts, axis=1)], axis=1)
    at = np.arange(width)
    return np.asarray(total[:, np.minimum(at + REACH + 1, width)] - total[:, np.maximum(at - REACH, 0)])
