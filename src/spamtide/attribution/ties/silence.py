"""Lab silence: a campaign that a family's bot in the lab should have sent, were it the family's, and did not.

A mail engine alone may be rented. Where only the engine speaks for a family, and its bot in the lab worked
through the same days without once sending a text that makes up much of what is ascribed to it, the text is
probably somebody else's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spamtide.attribution.ties.association import NO_DAY, UNNAMED, Ints

LEAST_LAB = 8
"""Lab messages in the campaign's days, below which silence says nothing."""
LEAST_EXPECTED = 2.0
"""Lab messages that a campaign should have had, below which their absence says nothing."""
DISCOUNT = 0.5
"""Share of -log P(no lab message) that counts: a lab bot's work comes in runs, not message by message."""
MOST = 3.0
"""Log-odds that silence takes at most."""
STEP = 0.5
"""Log-odds come in steps of this."""
UNHEARD = 2.0
"""Log-odds from which a text that the lab never sent shows that others use the engine."""
ENOUGH = 15
"""Lab messages, and wild ones, from which shares of unseen text are compared."""
NEAR = 2
"""Weeks on either side in which they are."""
WEEK, REACH = 7, 4
"""Days of a step, and steps on either side of a message's own in which its campaign is looked at."""


def lab_silence(leaning: Ints, belongs: Ints, lab: Ints, campaigns: Ints, days: Ints) -> Ints:
    """How strongly the lab's silence speaks against each message's leaning, in STEPs; 0 for not at all.

    The campaign is looked at from four weeks before the message's week to four weeks after it. The expected
    number of lab messages is, day by day, the lab's count times the campaign's share of all wild mail that is
    ascribed to the family; seeing none has probability exp(-expected).

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
    lab_days = {family: np.sort(days[captured & (lab == family)]) for family in np.unique(lab[captured])}
    wild_days = {family: np.sort(days[(belongs == family) & (lab == UNNAMED) & dated]) for family in lab_days}
    pair = campaigns[doubtful] * names + leaning[doubtful]
    first = int(days[doubtful].min()) // WEEK - REACH
    width = int(days[doubtful].max()) // WEEK - first + REACH + 1
    cells, cell_of = np.unique(pair * width + days[doubtful] // WEEK - first, return_inverse=True)
    order = np.lexsort((days[doubtful], pair))
    pairs, sent_on = pair[order], days[doubtful][order]
    sent_week = days[captured] // WEEK - first
    near = (sent_week >= 0) & (sent_week < width)
    seen = np.unique((campaigns[captured] * names + lab[captured])[near] * width + sent_week[near])
    value = np.zeros(len(cells), dtype=np.int64)
    known = _meets(cells, seen)
    own = {family: _Captured(days, campaigns, captured & (lab == family)) for family in lab_days}
    for number, cell in enumerate(cells.tolist()):
        family = cell // width % names
        if known[number] or family not in lab_days:
            continue
        week = (cell % width + first) * WEEK
        begin, end = week - REACH * WEEK, week + (REACH + 1) * WEEK - 1
        of_pair = slice(*np.searchsorted(pairs, [cell // width, cell // width + 1]))
        on, messages = np.unique(_part(sent_on[of_pair], begin, end), return_counts=True)
        of_lab, of_wild = (_on(all_days[family], on) for all_days in (lab_days, wild_days))
        expected = float((of_lab * messages / np.maximum(messages, of_wild)).sum())
        begin, end = int(on[0]), int(on[-1])
        sent = _between(lab_days[family], begin, end)
        if sent >= LEAST_LAB and expected >= LEAST_EXPECTED:
            repeating = max(0.0, 1 - 2 * own[family].fresh(begin, end))
            value[number] = int(min(MOST, DISCOUNT * expected * repeating) / STEP)
    steps[doubtful] = value[cell_of]
    return steps


def unseen_excess(leaning: Ints, belongs: Ints, lab: Ints, campaigns: Ints, days: Ints) -> Ints:
    """How strongly an excess of text that the lab never sent speaks against each message's leaning, in STEPs.

    While a family's bot works in the lab, the chance that its next message has a text that the lab has not
    seen is estimated from the lab alone: the share of its messages whose text it sent once (Good 1953).
    Where much more of the wild mail with the family's engine has such text, most of that is another
    tenant's. What the lab did send, within reach of the message's week, is neither counted nor spoken
    against. Both shares are of the two weeks on either side of that week. Arguments as for `lab_silence`.
    """
    steps = np.zeros(len(leaning), dtype=np.int64)
    dated = days != NO_DAY
    captured = (lab >= 0) & dated
    for family in np.unique(lab[captured]):
        doubtful = np.flatnonzero(dated & (leaning == family))
        doubtful = doubtful[np.argsort(days[doubtful], kind="stable")]
        own = _Captured(days, campaigns, captured & (lab == family))
        wild_days = np.sort(days[dated & (belongs == family) & (lab == UNNAMED)])
        for week in np.unique(days[doubtful] // WEEK).tolist():
            begin, end = (week - NEAR) * WEEK, (week + NEAR + 1) * WEEK - 1
            sent, wild = own.count(begin, end), _between(wild_days, begin, end)
            if min(sent, wild) < ENOUGH or not own.count(week * WEEK, (week + 1) * WEEK - 1):
                continue
            near = doubtful[slice(*np.searchsorted(days[doubtful], [begin, end + 1]))]
            known = own.sent((week - REACH) * WEEK, (week + REACH + 1) * WEEK - 1)
            new = near[~np.isin(campaigns[near], known)]
            share = (len(new) + 1) / (wild + 2)
            chance = own.fresh(begin, end)
            if share > chance:
                steps[new[days[new] // WEEK == week]] = int(min(MOST, np.log(share / chance)) / STEP)
    return steps


class _Captured:
    """One family's lab mail in order of days."""

    def __init__(self, days: Ints, campaigns: Ints, rows: NDArray[np.bool_]) -> None:
        order = np.lexsort((campaigns[rows], days[rows]))
        self._days, self._campaigns = days[rows][order], campaigns[rows][order]

    def count(self, low: int, high: int) -> int:
        """Messages from one day to another."""
        return _between(self._days, low, high)

    def sent(self, low: int, high: int) -> Ints:
        """Campaigns of these days, but for mail without one."""
        found = self._campaigns[self._part(low, high)]
        return found[found >= 0]

    def _part(self, low: int, high: int) -> slice:
        begin, end = np.searchsorted(self._days, [low, high + 1])
        return slice(int(begin), int(end))

    def fresh(self, low: int, high: int) -> float:
        """Chance that the next message is of a campaign that these days have not shown."""
        found = self._campaigns[self._part(low, high)]
        _, counts = np.unique(found[found >= 0], return_counts=True)
        alone = int((counts == 1).sum()) + int((found < 0).sum())
        return (alone + 1) / (len(found) + 2)


def _meets(cells: Ints, others: Ints) -> NDArray[np.bool_]:
    """Cells that have one of `others` within reach."""
    found = np.zeros(len(cells), dtype=np.bool_)
    for distance in range(-REACH, REACH + 1):
        found |= np.isin(cells + distance, others)
    return found


def _part(days: Ints, low: int, high: int) -> Ints:
    return days[np.searchsorted(days, low, side="left") : np.searchsorted(days, high, side="right")]


def _on(days: Ints, asked: Ints) -> Ints:
    """How many of some days, in order, each asked one is."""
    return np.searchsorted(days, asked, side="right") - np.searchsorted(days, asked, side="left")


def _between(days: Ints, low: int, high: int) -> int:
    return int(np.searchsorted(days, high, side="right") - np.searchsorted(days, low, side="left"))
