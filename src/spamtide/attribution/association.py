"""Association: messages that share an address, a domain or a campaign, and what is known of them.

Whole-number arithmetic throughout, so that the order of rows cannot move a result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

UNNAMED = -1
"""A message that nothing names yet."""
HAM = -2
"""Other mail."""
SILENT = -3
"""A message that takes no part as evidence."""
NO_DAY = np.int64(-(2**40))
"""The day of a message without a believable time."""

UNIT = 1000
"""One message, at no distance in time."""
DENSE = 4
"""Possible spots an entry up to which they are numbered without sorting."""


@dataclass(frozen=True, slots=True)
class Tie:
    """How much messages that share something say about one another."""

    layer: str
    reach: int
    """Steps of time (see `step`) on either side within which a message counts."""
    half_life: float
    """Steps of time after which it counts half."""
    step: int
    """Days in a step."""
    cap: float
    """Highest probability that this evidence alone can give."""
    unnamed: float
    """What a message without a name weighs against the names, as a share of a named one."""
    doubt: float
    """Messages' worth of doubt that are always there."""
    what: str
    """What the share is a share of, for a person."""
    own: float = 0.0
    """Least share of named messages among all within reach that have the key: a mail host or a search engine
    that everybody shares is below it."""
    ham_bars: bool = False
    """Whether a key that other mail ever had says nothing (`combining.told_by` leaves it out)."""


def distinct(values: Ints) -> tuple[Ints, Ints]:
    """Each value's place among the distinct ones, and these, in order of appearance; no sorting."""
    encoded = pa.array(values).dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64), np.asarray(encoded.dictionary)


def associate(
    keys: Ints, days: Ints, answers: Ints, tie: Tie, asked: Flags | None = None
) -> tuple[Ints, Floats]:
    """For each entry, the answer that most others under the same key have, and its share of their weight.

    An entry's own answer does not count for itself.

    Args:
        keys: what is shared, as a code; negative for nothing.
        days: day of each entry, or NO_DAY.
        answers: a name's number, or UNNAMED, HAM or SILENT.
        tie: reach in time and weights.
        asked: entries that are to be answered, all if None; the others only count as evidence.

    Returns:
        answer (UNNAMED for none) and share (0-1), by entry; none and 0 where not asked.
    """
    top = np.full(len(keys), UNNAMED, dtype=np.int64)
    share = np.zeros(len(keys))
    live = (keys >= 0) & (days != NO_DAY)
    named = np.bincount(keys[live & (answers >= 0)], minlength=int(keys.max(initial=-1)) + 1) > 0
    chosen = np.flatnonzero(live)
    chosen = chosen[named[keys[chosen]]]
    if not len(chosen):
        return top, share
    step = np.floor_divide(days[chosen], tie.step)
    step -= step.min() - tie.reach
    width = int(step.max()) + tie.reach + 1
    key = (np.cumsum(named) - 1)[keys[chosen]]
    spot_of, spots, messages = _spots(key * width + step)
    # Of what is alone within reach nobody else can tell anything, nor it of others.
    near = np.diff(spots) <= tie.reach
    alone = messages == 1
    alone[1:] &= ~near
    alone[:-1] &= ~near
    kept = ~alone[spot_of]
    chosen, spot_of = chosen[kept], (np.cumsum(~alone) - 1)[spot_of[kept]]
    answer = answers[chosen]
    of = np.arange(len(chosen)) if asked is None else np.flatnonzero(asked[chosen])
    if not len(of):
        return top, share
    reached = _reached(spots[~alone], spot_of, answer, of, tie)
    return _shares(chosen[of], spot_of[of], answer[of], reached, (top, share), tie)


def _spots(place: Ints) -> tuple[Ints, Ints, Ints]:
    """Number of each entry's spot (a key at a step of time); the spots, ascending; entries of each."""
    most = int(place.max()) + 1
    if most <= DENSE * len(place):
        messages = np.bincount(place, minlength=most)
        there = messages > 0
        return (np.cumsum(there) - 1)[place], np.flatnonzero(there), messages[there]
    order = np.argsort(place)
    ordered = place[order]
    new = np.ones(len(place), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    spot_of = np.empty(len(place), dtype=np.int64)
    spot_of[order] = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    return spot_of, ordered[first], np.diff(first, append=len(place))


def _reached(spots: Ints, spot_of: Ints, answer: Ints, of: Ints, tie: Tie) -> tuple[Ints, Ints, Ints]:
    """(spot, answer) cells with the weight and the messages that reach each, over all distances in time.

    Args:
        spots: ascending; those of different keys are further apart than the tie reaches.
        spot_of: number of each entry's spot.
        answer: of each entry.
        of: entries that are asked.
        tie: how far it reaches, and with what weight.
    """
    names = int(answer.max(initial=0)) + 4
    heard = answer != SILENT
    cells, counts = np.unique(spot_of[heard] * names + (answer[heard] - SILENT), return_counts=True)
    spot, said = np.divmod(cells, names)
    begin = np.searchsorted(spot, np.arange(len(spots) + 1))
    asks = np.zeros(len(spots), dtype=np.bool_)
    asks[spot_of[of]] = True
    merged, weights, messages = [], [], []
    for target, source in _neighbours(spots, asks, tie.reach):
        many = begin[source + 1] - begin[source]
        ends = np.cumsum(many)
        cell = np.arange(int(many.sum())) + np.repeat(begin[source] - ends + many, many)
        distance = np.abs(spots[source] - spots[target])
        weight = np.array([round(UNIT * 0.5 ** (far / tie.half_life)) for far in range(tie.reach + 1)])
        merged.append(np.repeat(target, many) * names + said[cell])
        weights.append(counts[cell] * np.repeat(weight[distance], many))
        messages.append(counts[cell])
    found, place_of = np.unique(np.concatenate(merged), return_inverse=True)
    total = np.bincount(place_of, np.concatenate(weights), len(found)).astype(np.int64)
    number = np.bincount(place_of, np.concatenate(messages), len(found)).astype(np.int64)
    return np.stack([found // names, found % names + SILENT]), total, number


def _neighbours(spots: Ints, asks: Flags, reach: int) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of a spot that asks and one within reach of it, itself too."""
    itself = np.flatnonzero(asks)
    yield itself, itself
    first = np.arange(len(spots))
    for away in range(1, reach + 1):
        first = first[first + away < len(spots)]
        first = first[spots[first + away] - spots[first] <= reach]
        for target, source in ((first, first + away), (first + away, first)):
            asked = asks[target]
            yield target[asked], source[asked]


def _shares(
    chosen: Ints,
    query_of: Ints,
    answer: Ints,
    reached: tuple[Ints, Ints, Ints],
    into: tuple[Ints, Floats],
    tie: Tie,
) -> tuple[Ints, Floats]:
    """The leading answer by entry and its share, the entry itself left out."""
    (query, said), weight, number = reached
    size = int(query_of.max(initial=-1)) + 1
    named = said >= 0
    total, ham, unnamed = (np.zeros(size, dtype=np.int64) for _ in range(3))
    np.add.at(total, query[named], weight[named])
    np.add.at(ham, query[said == HAM], weight[said == HAM])
    np.add.at(unnamed, query[said == UNNAMED], weight[said == UNNAMED])
    ours, all_of = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    np.add.at(ours, query[named], number[named])
    spam = said != HAM
    np.add.at(all_of, query[spam], number[spam])
    best, lead = np.full(size, UNNAMED, dtype=np.int64), np.zeros(size, dtype=np.int64)
    order = np.lexsort((said[named], -weight[named], query[named]))
    first_of, where = np.unique(query[named][order], return_index=True)
    best[first_of], lead[first_of] = said[named][order][where], weight[named][order][where]

    entry_best = best[query_of]
    own = UNIT * (answer == entry_best)
    others = total[query_of] - UNIT * (answer >= 0)
    leading = lead[query_of] - own
    against = (
        others
        - leading
        + ham[query_of]
        - UNIT * (answer == HAM)
        + tie.unnamed * (unnamed[query_of] - UNIT * (answer == UNNAMED))
    )
    top, share = into
    ahead = (leading > 0) & (entry_best >= 0) & (ours[query_of] >= tie.own * all_of[query_of])
    top[chosen] = np.where(ahead, entry_best, UNNAMED)
    share[chosen] = np.where(ahead, leading / (leading + against + tie.doubt * UNIT), 0.0)
    return top, share
