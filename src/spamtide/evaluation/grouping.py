"""How well found campaigns are the true ones, and how much one order of mail gives what another gives.

A partition is a mapping of message to the name of its group.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from spamtide.evaluation.scoring import Outcome, Score, met
from spamtide.wilson import Z95

Partition = Mapping[str, str]
BLOCKS = 20
"""Lots of true campaigns that are left out in turn for the error of an index."""


def b_cubed(found: Partition, truth: Partition) -> tuple[list[Outcome], list[Outcome]]:
    """B-cubed precision and recall (Bagga and Baldwin 1998), message by message.

    Returns:
        For each message of `truth`: which share of its found campaign is its true campaign's, and which
        share of its true campaign is in its found one. A message that was given no campaign is alone.
    """
    named = {item: found.get(item, item) for item in truth}
    cells = Counter((named[item], truth[item]) for item in truth)
    by_found, by_truth = Counter(named.values()), Counter(truth.values())
    precision, recall = [], []
    for item, true in truth.items():
        own = cells[named[item], true]
        precision.append(Outcome(true, own / by_found[named[item]]))
        recall.append(Outcome(true, own / by_truth[true]))
    return precision, recall


def adjusted_rand(one: Partition, other: Partition, items: Collection[str]) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985) of two partitions of the same items."""

    def pairs(counts: Counter[object]) -> float:
        return math.fsum(count * (count - 1) / 2 for count in counts.values())

    both = pairs(Counter((one[item], other[item]) for item in items))
    left, right = pairs(Counter(one[item] for item in items)), pairs(Counter(other[item] for item in items))
    expected = left * right / max(len(items) * (len(items) - 1) / 2, 1)
    most = (left + right) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def agreement(what: str, one: Partition, other: Partition, truth: Partition, target: str) -> Score:
    """The adjusted Rand index as a row, with a jackknife interval over lots of true campaigns."""
    index = adjusted_rand(one, other, truth)
    block = {true: zlib.crc32(true.encode()) % BLOCKS for true in sorted(set(truth.values()))}
    used = sorted(set(block.values()))
    without = [
        adjusted_rand(one, other, [item for item, true in truth.items() if block[true] != left])
        for left in used
    ]
    mean = math.fsum(without) / max(len(without), 1)
    variance = math.fsum((value - mean) ** 2 for value in without) * (len(used) - 1) / max(len(used), 1)
    half = Z95 * math.sqrt(variance)
    low, high = index - half, min(index + half, 1.0)
    return Score(
        what,
        len(truth),
        len(block),
        index,
        low,
        high,
        target,
        met(low, high, target) if truth else None,
    )


def renamed(after: Sequence[Partition], truth: Partition) -> list[Outcome]:
    """Of each day's new mail, whether the name that it had that day is another one a day later.

    Args:
        after: names of all mail so far, after each day.
        truth: the true campaign of each message.
    """
    outcomes = []
    before: Partition = {}
    for today, tomorrow in pairwise(after):
        outcomes += [
            Outcome(truth[item], today[item] != tomorrow[item])
            for item in today
            if item not in before and item in truth
        ]
        before = today
    return outcomes
