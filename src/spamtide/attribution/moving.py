"""Which messages new mail moves: those of which a shared address, link or campaign says something else.

What a tie says is told in steps, so that most new mail moves nothing: a campaign with thousands of messages
says the same with a hundred more. What rules say of a message by themselves never changes by other mail.
Engines do not fit in: a fleet is found in all mail of a family at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from spamtide.attribution import botnets, programmes
from spamtide.attribution.answering import Coded
from spamtide.attribution.coding import Rows, codes_of
from spamtide.attribution.ties.association import Flags, Ints
from spamtide.settings import Attributing

ADDRESS_WEEKS = -(-botnets.SENDER.reach // 7)
"""Weeks on either side in which mail from one address is tied."""
DOMAIN_WEEKS = -(-max(botnets.LINK.reach, programmes.LINK.reach) // 7)
"""The same of one link domain."""


def behind_engines(asked: Coded) -> bool:
    """Whether rules see a botnet's engine behind any of the rows: then more than ties decides."""
    return botnets.behind_engines(asked.rows)


def moved(
    asked: Coded, copies: Ints, attributing: Attributing, campaigns: pa.ChunkedArray | None = None
) -> Flags:
    """Rows of which some tie says something else now than it did when there were fewer of them.

    Args:
        asked: the rows as they are now, all of which are asked.
        copies: how many messages each row stood for then; 0 for one that was not there.
        attributing: least probabilities for an answer.
        campaigns: the rows' campaigns as they were called then; None: as now.

    Returns:
        By row; one that was not there has not moved.
    """
    now, there = asked.rows, copies > 0
    then = _without(now, there, copies)
    if campaigns is not None:
        then = replace(then, campaign=np.where(there, codes_of(campaigns)[0], -1))
    found = np.zeros(len(there), dtype=np.bool_)
    for told_of, threshold in (
        (botnets.ties_of_botnets, attributing.botnet_confidence),
        (programmes.ties_of_programmes, attributing.programme_confidence),
    ):
        pairs = zip(told_of(now, asked.names, threshold), told_of(then, asked.names, threshold), strict=True)
        for one, other in pairs:
            found |= (one.names != other.names) | (one.steps != other.steps)
    return found & there


def _without(rows: Rows, there: Flags, copies: Ints) -> Rows:
    """The rows as if some of them shared nothing with others."""
    return replace(
        rows,
        copies=copies,
        address=np.where(there, rows.address, -1),
        campaign=np.where(there, rows.campaign, -1),
        domain=np.where(there[rows.domain_row], rows.domain, -1),
    )
