"""Lab silence: a campaign that a family's bot in the lab should have sent, were it the family's, and did not.

A mail engine alone may be rented. Where only the engine speaks for a family, and its bot in the lab worked
through the same days without once sending a text that makes up much of what is ascribed to it, the text is
probably somebody else's.
"""

from __future__ import annotations

import numpy as np

from spamtide.attribution.association import NO_DAY, UNNAMED, Ints

LEAST_LAB = 20
"""Lab messages in the campaign's days, below which silence says nothing."""
LEAST_EXPECTED = 2.0
DISCOUNT = 0.5
"""Share of -log P(no lab message) that counts: a lab bot's work comes in runs, not message by message."""
MOST = 3.0
STEP = 0.5
"""Log-odds come in steps of this."""
MARGIN = 1
"""Days around the campaign that still belong to it."""


def lab_silence(leaning: Ints, belongs: Ints, lab: Ints, campaigns: Ints, days: Ints) -> Ints:
    """How strongly the lab's silence speaks against each message's leaning, in STEPs; 0 for not at all.

    The expected number of lab messages is the lab's count in the campaign's days times the campaign's share
    of all wild mail that is ascribed to the family in them; seeing none has probability exp(-expected).

    Args:
        leaning: family that only the engine speaks for, by message; UNNAMED for none.
        belongs: family that anything speaks for, by message of the wild; UNNAMED for none.
        lab: family of lab mail; UNNAMED for mail of the wild.
        campaigns: campaign of each message as a code; negative for none.
        days: day of each message, or NO_DAY.
    """
    steps = np.zeros(len(leaning), dtype=np.int64)
    dated = days != NO_DAY
    doubtful = np.flatnonzero((leaning >= 0) & (campaigns >= 0) & dated)
    captured = (lab >= 0) & dated
    if not len(doubtful) or not captured.any():
        return steps
    names = int(max(leaning.max(), lab.max())) + 1
    seen = np.unique(campaigns[captured] * names + lab[captured])
    lab_days = {family: np.sort(days[captured & (lab == family)]) for family in np.unique(lab[captured])}
    wild_days = {family: np.sort(days[(belongs == family) & (lab == UNNAMED) & dated]) for family in lab_days}
    pair = campaigns[doubtful] * names + leaning[doubtful]
    order = np.lexsort((days[doubtful], pair))
    pairs, start, counts = np.unique(pair[order], return_index=True, return_counts=True)
    day = days[doubtful][order]
    value = np.zeros(len(pairs), dtype=np.int64)
    known = np.isin(pairs, seen)
    for number, (code, first, count) in enumerate(zip(pairs, start, counts, strict=True)):
        family = int(code % names)
        if known[number] or family not in lab_days:
            continue
        low, high = day[first] - MARGIN, day[first + count - 1] + MARGIN
        sent = _between(lab_days[family], low, high)
        expected = sent * count / max(count, _between(wild_days[family], low, high))
        if sent >= LEAST_LAB and expected >= LEAST_EXPECTED:
            value[number] = int(min(MOST, DISCOUNT * expected) / STEP)
    steps[doubtful[order]] = np.repeat(value, counts)
    return steps


def _between(days: Ints, low: np.int64, high: np.int64) -> int:
    return int(np.searchsorted(days, high, side="right") - np.searchsorted(days, low, side="left"))
