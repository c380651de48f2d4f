"""Association: messages that share an address, a domain or a campaign, and what is known of them.

Whole-number arithmetic throughout, so that the order of rows cannot move a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
FEWEST_IN_SLOT = 3
"""Others with an answer from which what they share has a slot for it: two may be misread alike."""
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
    slot: float = 1.0
    """Share of the leading answer's weight that an entry's own answer has among the others, from which it is
    told nothing: what they share has a slot for it."""
    ham_bars: bool = False
    """Whether a key that other mail ever had says nothing (`combining.told_by` leaves it out)."""


def distinct(values: Ints) -> tuple[Ints, Ints]:
    """Each value's place among the distinct ones, and these; no sorting."""
    if len(values) and int(values.min()) >= 0 and int(values.max()) < DENSE * len(values):
        there = np.bincount(values) > 0
        return (np.cumsum(there) - 1)[values], np.flatnonzero(there)
    encoded = pa.array(values).dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64), np.asarray(encoded.dictionary)


@dataclass(frozen=True, slots=True)
class Tied:
    """What ties say: the same of all entries of a cell, which have key, time and own answer in common."""

    entries: Ints
    """Entries that are asked and that something is known of."""
    cell: Ints
    """The cell of each of them."""
    top: Ints
    """By cell: the answer, UNNAMED for none."""
    share: Floats
    """By cell: its share."""


def tied(
    keys: Ints,
    days: Ints,
    answers: Ints,
    ties: Sequence[Tie],
    asked: Flags | None = None,
    copies: Ints | None = None,
) -> list[Tied]:
    """The answer that most others under the same key have, and its share of their weight; by tie.

    An entry's own answer does not count for itself. By cells: there are far fewer than entries where many
    share something.

    Args:
        keys: what is shared, as a code; negative for nothing.
        days: day of each entry, or NO_DAY.
        answers: a name's number, or UNNAMED, HAM or SILENT.
        ties: reach in time and weights; they are of the same reach, half-life and step.
        asked: entries that are to be answered, all if None; the others only count as evidence.
        copies: how often each entry counts as evidence, once if None. One that asks must be counted: by
            itself or in another entry of its cell.
    """
    none = np.empty(0, dtype=np.int64)
    nothing = [Tied(none, none, none, np.empty(0))] * len(ties)
    if not (answers >= 0).any():
        return nothing
    tie = ties[0]
    there = (keys >= 0) & (days != NO_DAY)
    if asked is not None:
        there &= _within_reach(days, there & asked, tie)
    chosen = np.flatnonzero(there)
    key, answer = keys[chosen], answers[chosen]
    width = int(key.max(initial=-1)) + 1
    named = np.bincount(key[answer >= 0], minlength=width) > 0
    if asked is not None:
        named &= np.bincount(key[asked[chosen]], minlength=width) > 0
    kept = named[key]
    chosen, key, answer = chosen[kept], key[kept], answer[kept]
    if not len(chosen):
        return nothing
    step = np.floor_divide(days[chosen], tie.step)
    step -= step.min() - tie.reach
    width = int(step.max()) + tie.reach + 1
    names = int(answer.max(initial=0)) + 1 - SILENT
    place = ((np.cumsum(named) - 1)[key] * width + step) * names + answer - SILENT
    order, cell, cells, counts = _numbered(place)
    entries = chosen[order]
    if copies is not None:
        counts = np.bincount(cell, copies[entries], len(cells)).astype(np.int64)
    if asked is not None:
        of = asked[entries]
        entries, cell = entries[of], cell[of]
    spot, said = np.divmod(cells, names)
    begin = np.flatnonzero(np.diff(spot, prepend=-1))
    # Of what is alone within reach nobody else can tell anything, nor it of others.
    near = np.diff(spot[begin], prepend=-tie.reach - 1, append=spot[-1] + tie.reach + 1) <= tie.reach
    several = (np.add.reduceat(counts, begin) > 1) | near[1:] | near[:-1]
    kept = np.repeat(several, np.diff(begin, append=len(spot)))
    of = kept[cell]
    entries, cell = entries[of], (np.cumsum(kept) - 1)[cell[of]]
    spot, said, counts = spot[kept], said[kept] + SILENT, counts[kept]
    new = np.diff(spot, prepend=-1) > 0
    spots, spot_of = spot[new], np.cumsum(new) - 1
    asks = np.zeros(len(spot), dtype=np.bool_)
    asks[cell] = True
    asking = np.bincount(spot_of[asks], minlength=len(spots)) > 0
    reached = _reached(spots, (spot_of, said, counts), asking, names, tie)
    found = []
    for tie in ties:
        top, share = np.full(len(spot), UNNAMED, dtype=np.int64), np.zeros(len(spot))
        top[asks], share[asks] = _shares(spot_of[asks], said[asks], len(spots), reached, tie)
        found.append(Tied(entries, cell, top, share))
    return found


def _within_reach(days: Ints, asked: Flags, tie: Tie) -> Flags:
    """Entries that a tie may reach from any that is asked, by the first and the last of these."""
    of = days[asked]
    if not len(of):
        return asked
    first, last = int(of.min()) // tie.step - tie.reach, int(of.max()) // tie.step + tie.reach
    return (days >= first * tie.step) & (days < (last + 1) * tie.step)


def ordered(values: Ints) -> tuple[Ints, Ints]:
    """Order of values (0 or more), and the values in it; equal ones stay in theirs.

    Values and places that are packed into one number are sorted several times as fast as places by values.
    """
    bits = len(values).bit_length()
    if int(values.max(initial=0)) >> (63 - bits):
        order = np.argsort(values, kind="stable")
        return order, values[order]
    packed = np.sort((values << bits) | np.arange(len(values)))
    return packed & ((1 << bits) - 1), packed >> bits


def _numbered(values: Ints) -> tuple[Ints | slice, Ints, Ints, Ints]:
    """Order, number of each value in this order among the distinct ones, these (ascending), their counts."""
    most = int(values.max(initial=0)) + 1
    if most <= DENSE * len(values):
        counts = np.bincount(values, minlength=most)
        there = counts > 0
        return slice(None), (np.cumsum(there) - 1)[values], np.flatnonzero(there), counts[there]
    order, values = ordered(values)
    new = np.diff(values, prepend=-1) > 0
    first = np.flatnonzero(new)
    return order, np.cumsum(new) - 1, values[first], np.diff(first, append=len(values))


Reached = tuple[Ints, Ints, Ints, Ints]
"""Spot and answer, ascending, with the weight and the messages that reach it over all distances in time."""


def _reached(spots: Ints, cells: tuple[Ints, Ints, Ints], asking: Flags, names: int, tie: Tie) -> Reached:
    """What reaches each spot that asks.

    Args:
        spots: ascending; those of different keys are further apart than the tie reaches.
        cells: number of the spot, answer and messages of each cell, in order of spots.
        asking: spots that ask.
        names: answers that there are, SILENT and so on included.
        tie: how far it reaches, and with what weight.
    """
    heard = cells[1] != SILENT
    spot, said, counts = (column[heard] for column in cells)
    begin = np.concatenate([[0], np.cumsum(np.bincount(spot, minlength=len(spots)))])
    weight = np.array([round(UNIT * 0.5 ** (far / tie.half_life)) for far in range(tie.reach + 1)])
    merged, weights, messages = [], [], []
    for target, source in _neighbours(spots, asking, tie.reach):
        many = begin[source + 1] - begin[source]
        ends = np.cumsum(many)
        cell = np.arange(int(many.sum())) + np.repeat(begin[source] - ends + many, many)
        distance = np.abs(spots[source] - spots[target])
        merged.append(np.repeat(target, many) * names + said[cell] - SILENT)
        weights.append(counts[cell] * np.repeat(weight[distance], many))
        messages.append(counts[cell])
    order, number, found, _ = _numbered(np.concatenate(merged))
    query, answer = np.divmod(found, names)
    total, seen = (
        np.bincount(number, np.concatenate(values)[order], len(found)).astype(np.int64)
        for values in (weights, messages)
    )
    return query, answer + SILENT, total, seen


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


def _shares(spot_of: Ints, answer: Ints, spots: int, reached: Reached, tie: Tie) -> tuple[Ints, Floats]:
    """The leading answer of each cell and its share, one message of the cell left out.

    Args:
        spot_of: number of each cell's spot.
        answer: the cell's own.
        spots: how many there are.
        reached: from `_reached`.
        tie: what it doubts.
    """
    query, said, weight, number = reached

    def summed(values: Ints, of: Flags) -> Ints:
        found: Ints = np.bincount(query[of], values[of], spots).astype(np.int64)
        return found[spot_of]

    named = said >= 0
    best, lead = np.full(spots, UNNAMED, dtype=np.int64), np.zeros(spots, dtype=np.int64)
    of, first, most = query[named], *_heaviest(query[named], weight[named])
    best[of[first]], lead[of[first]] = said[named][first], most

    own_best = best[spot_of]
    own = UNIT * (answer == own_best)
    leading = lead[spot_of] - own
    against = (
        summed(weight, named)
        - UNIT * (answer >= 0)
        - leading
        + summed(weight, said == HAM)
        - UNIT * (answer == HAM)
        + tie.unnamed * (summed(weight, said == UNNAMED) - UNIT * (answer == UNNAMED))
    )
    ahead = (leading > 0) & (own_best >= 0)
    ahead &= summed(number, named) >= tie.own * summed(number, said != HAM)
    if tie.slot < 1:
        alike = _weight_of(reached, spot_of, answer) - UNIT * (answer != SILENT)
        slot = (alike >= tie.slot * leading) & (alike >= FEWEST_IN_SLOT * UNIT)
        ahead &= (answer < 0) | (answer == own_best) | ~slot
    return (
        np.where(ahead, own_best, UNNAMED),
        np.where(ahead, leading / (leading + against + tie.doubt * UNIT), 0.0),
    )


def _weight_of(reached: Reached, spots: Ints, answers: Ints) -> Ints:
    """Weight of some answers at some spots."""
    query, said, weight, _ = reached
    width = int(max(said.max(initial=0), answers.max(initial=0))) + 1 - SILENT
    known, asked = query * width + said - SILENT, spots * width + answers - SILENT
    if not len(known):
        return np.zeros(len(asked), dtype=np.int64)
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[place] == asked, weight[place], 0)


def _heaviest(query: Ints, weight: Ints) -> tuple[Ints, Ints]:
    """Place of the first of the heaviest of each query (ascending), and its weight."""
    begin = np.flatnonzero(np.diff(query, prepend=-1))
    if not len(begin):
        return begin, begin
    most = np.maximum.reduceat(weight, begin)
    heaviest = np.flatnonzero(weight == np.repeat(most, np.diff(begin, append=len(query))))
    return heaviest[np.flatnonzero(np.diff(query[heaviest], prepend=-1))], most
