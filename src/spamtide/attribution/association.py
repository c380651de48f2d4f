"""Association: messages that share an address, a domain or a campaign, and what is known of them.

Whole-number arithmetic throughout, so that the order of rows cannot move a result.
"""

from __future__ import annotations

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
    place = key * width + step
    answer = answers[chosen]
    of = np.arange(len(chosen)) if asked is None else np.flatnonzero(asked[chosen])
    if not len(of):
        return top, share
    queries, query_of = np.unique(place[of], return_inverse=True)
    reached = _reached(queries, place, answer, tie)
    return _shares(chosen[of], query_of, answer[of], reached, (top, share), tie)


def _reached(queries: Ints, place: Ints, answer: Ints, tie: Tie) -> tuple[Ints, Ints, Ints]:
    """(query, answer) cells with the weight and the messages that reach each, over all distances in time."""
    names = int(answer.max(initial=0)) + 4
    heard = answer != SILENT
    spots, counts = np.unique(place[heard] * names + (answer[heard] - SILENT), return_counts=True)
    spot, said = np.divmod(spots, names)
    cells, weights, messages = [], [], []
    for distance in range(-tie.reach, tie.reach + 1):
        weight = round(UNIT * 0.5 ** (abs(distance) / tie.half_life))
        found = np.searchsorted(queries, spot + distance)
        found[found == len(queries)] = 0
        meets = queries[found] == spot + distance
        cells.append(found[meets] * names + said[meets])
        weights.append(counts[meets] * weight)
        messages.append(counts[meets])
    merged, place_of = np.unique(np.concatenate(cells), return_inverse=True)
    total, number = np.zeros(len(merged), dtype=np.int64), np.zeros(len(merged), dtype=np.int64)
    np.add.at(total, place_of, np.concatenate(weights))
    np.add.at(number, place_of, np.concatenate(messages))
    return np.stack([merged // names, merged % names + SILENT]), total, number


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
