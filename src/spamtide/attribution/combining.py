"""Evidence of one kind of answer, combined once for each distinct combination of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spamtide.attribution.coding import Rows
from spamtide.attribution.evidence import among, answer, odds_of, posterior, sense_of, tally
from spamtide.attribution.spoken import Kind, Names, Spoken
from spamtide.attribution.ties.association import SILENT, UNNAMED, Flags, Ints, Tie, Tied, distinct, tied
from spamtide.model import UNKNOWN, Evidence

Against = Callable[[Spoken, Sequence[Evidence], int], Sequence[Evidence]]
"""What speaks against the answers that something speaks for: (what rules say, evidence found, code of the
row's own objection) -> evidence of negative weight."""

Small = NDArray[np.int32]
"""As Ints, of what is held by the row and is small."""

MOST_CODES = 2**62
"""Combinations that one 64-bit number may tell apart; before there are more, they are numbered anew."""
JOINT = "|"
"""Between the names of a joint answer."""
STEPS = 20
"""Shares are told in steps of 1/20: fewer kinds of evidence, and no false exactness."""


@dataclass(frozen=True, slots=True)
class Told:
    """Evidence of one tie: a name's number (or UNNAMED) and its share in STEPS, by row that is asked."""

    tie: Tie
    names: Small
    steps: Small


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers of one kind: few distinct ones, and which of them each row has."""

    names: list[str]
    probabilities: list[float]
    evidence: list[str]
    """JSON objects joined by commas."""
    which: Ints
    """By row that is asked."""


def nothing_against(spoken: Spoken, found: Sequence[Evidence], code: int) -> Sequence[Evidence]:  # noqa: ARG001 - an Against
    """No objection: for kinds of answer that nothing speaks against."""
    return ()


def seeds_of(
    kind: Kind, rows: Rows, number: dict[str, int], threshold: float, against: Against
) -> tuple[Ints, Ints]:
    """By row: the name that rules speak for most, and the first pass's answer.

    A message that rules speak for without naming it takes no part as evidence: it is neither the name's nor
    anybody else's.
    """
    best, seeds = [], []
    for spoken in rows.spoken:
        found = list(spoken.evidence[kind])
        scores = tally([*found, *against(spoken, found, 0)])
        name, probability = posterior(scores)
        best.append(number.get(name, UNNAMED))
        sure = answer(scores, threshold)[1] > 0
        seeds.append(number[name] if sure else SILENT if probability else UNNAMED)
    return np.asarray(best, dtype=np.int64)[rows.said], np.asarray(seeds, dtype=np.int64)[rows.said]


def told_by(
    tie: Tie,
    keys: Ints,
    days: Ints,
    answers: Ints,
    of_ham: Flags | None = None,
    asks: Flags | None = None,
    copies: Ints | None = None,
) -> Told:
    """Evidence of one tie, in steps, of the entries that are asked.

    Args:
        tie: what is shared.
        keys: code of it, by entry.
        days: day of each entry.
        answers: first pass's answer of each entry.
        of_ham: entries whose key other mail had as well, for ties that this bars.
        asks: entries that are to be answered, all if None.
        copies: how often each entry counts, as `tied` takes it.
    """
    if of_ham is not None and tie.ham_bars:
        keys = np.where(of_ham, -1, keys)
    return told_by_each((tie,), keys, days, answers, asks, copies)[0]


def told_by_each(
    ties: Sequence[Tie], keys: Ints, days: Ints, answers: Ints, asks: Flags | None, copies: Ints | None
) -> list[Told]:
    """As `told_by`, of ties that differ in how they weigh what they share; other mail bars nothing."""
    told = []
    for tie, found in zip(ties, tied(keys, days, answers, ties, asks, copies), strict=True):
        entries, name, step = _in_steps(found)
        names, steps = np.full(len(keys), UNNAMED, dtype=np.int32), np.zeros(len(keys), dtype=np.int32)
        names[entries], steps[entries] = name, step
        told.append(Told(tie, names, steps) if asks is None else Told(tie, names[asks], steps[asks]))
    return told


def _in_steps(found: Tied) -> tuple[Ints, Small, Small]:
    """Entries of which something is told, the name of each and its share in steps: more than a half."""
    steps = np.floor(found.share * STEPS + 1e-9).astype(np.int32)
    steps[2 * steps <= STEPS] = 0
    strong = steps[found.cell] > 0
    cell = found.cell[strong]
    return found.entries[strong], found.top.astype(np.int32)[cell], steps[cell]


def told_by_link(tie: Tie, rows: Rows, answers: Ints) -> Told:
    """Evidence of each row's link domains: the strongest, or nothing where they disagree.

    Args:
        tie: how much a shared domain says.
        rows: the rows as codes.
        answers: first pass's answer of each row, shape (rows,).
    """
    of = rows.domain_row
    copies = None if rows.copies is None else rows.copies[of]
    keys = np.where(rows.domain_of_ham, -1, rows.domain) if tie.ham_bars else rows.domain
    entries, name, share = _in_steps(tied(keys, rows.days[of], answers[of], (tie,), rows.asks[of], copies)[0])
    count = len(rows.asked)
    steps = np.zeros(count, dtype=np.int32)
    low = np.full(count, np.iinfo(np.int32).max, dtype=np.int32)
    high = np.full(count, UNNAMED, dtype=np.int32)
    row = (np.cumsum(rows.asks) - 1)[of[entries]]
    np.maximum.at(steps, row, share)
    np.maximum.at(high, row, name)
    np.minimum.at(low, row, name)
    agreed = (high >= 0) & (low == high)
    return Told(tie, np.where(agreed, high, UNNAMED), np.where(agreed, steps, 0))


def answered(
    kind: Kind,
    rows: Rows,
    names: Names,
    told: Sequence[Told],
    threshold: float,
    against: Against,
    objections: Ints,
) -> Answered:
    """Combine the evidence of the rows that are asked, once for each distinct combination of it.

    Args:
        kind: botnet or programme.
        rows: the rows as codes.
        names: the names that answers may have.
        told: evidence of ties.
        threshold: least probability for an answer.
        against: gives what speaks against the answers.
        objections: its third argument, by row; 0 or more.
    """
    lab = rows.lab if kind == "botnet" else np.full(len(rows.lab), UNNAMED, dtype=np.int64)
    columns: list[Ints | Small] = [rows.said[rows.asked], lab[rows.asked] + 1, objections[rows.asked]]
    columns += [code for one in told for code in (one.names + np.int32(1), one.steps)]
    which, example = _combinations(columns)
    chosen = rows.asked[example]
    answers, probabilities, evidence = [], [], []
    ties = [_of_tie(kind, names, one, example) for one in told]
    codes = (rows.said[chosen].tolist(), lab[chosen].tolist(), objections[chosen].tolist())
    for said, of_lab, objection, *of_ties in zip(*codes, *ties, strict=True):
        spoken = rows.spoken[said]
        found = [*spoken.evidence[kind], *(item for item in of_ties if item and is_its_own(item, spoken))]
        found += against(spoken, found, objection)
        scores = tally(found)
        name, probability = answer(scores, threshold)
        if name == UNKNOWN and len(spoken.candidates) > 1 and of_lab < 0:
            found += _joint(kind, {n: scores.get(n, 0.0) for n in spoken.candidates}, threshold)
        if of_lab >= 0:
            name, probability = names.botnet[of_lab], 1.0
            found.insert(0, Evidence("lab", kind, name, 0.0, "sent by its bot in the lab"))
        answers.append(name)
        probabilities.append(round(probability, 4))
        evidence.append(",".join(map(_json, found)))
    return Answered(answers, probabilities, evidence, which)


def is_its_own(item: Evidence, spoken: Spoken) -> bool:
    """Whether a tie speaks of the message itself, and not of a letter that it quotes."""
    return item.name not in spoken.quoted or sense_of(item) != "content"


def _combinations(columns: Sequence[Ints | Small]) -> tuple[Ints, Ints]:
    """Number of each row's combination of codes (0 or more), and a row that has it, by number."""
    which = np.zeros(len(columns[0]), dtype=np.int64)
    size = 1
    for column in columns:
        width = int(column.max()) + 1
        if size * width >= MOST_CODES:
            which, kinds = distinct(which)
            size = len(kinds)
        which = which * width + column
        size *= width
    which, kinds = distinct(which)
    example = np.empty(len(kinds), dtype=np.int64)
    example[which] = np.arange(len(which))  # any row of a kind will do
    return which, example


def _joint(kind: Kind, scores: Mapping[str, float], threshold: float) -> Sequence[Evidence]:
    """The joint answer, of no weight, where there is one: families that rent one kit and send one text."""
    names, probability = among(scores, threshold) if kind == "botnet" else ((), 0.0)
    what = f"one of them with {probability:.0%}, and nothing tells which"
    return [Evidence("joint", kind, JOINT.join(names), 0.0, what)] if names else []


@lru_cache(maxsize=2**16)
def _json(item: Evidence) -> str:
    return json.dumps(asdict(item) | {"weight": round(item.weight, 3)}, ensure_ascii=False)


def _of_tie(kind: Kind, names: Names, told: Told, rows: Ints) -> list[Evidence | None]:
    """What a tie says of some rows; None for nothing."""
    known: dict[tuple[int, int], Evidence | None] = {}
    found = []
    for code in zip(told.names[rows].tolist(), told.steps[rows].tolist(), strict=True):
        if code not in known:
            known[code] = _of_share(kind, names.of(kind)[code[0]], told.tie, code[1]) if code[1] else None
        found.append(known[code])
    return found


def _of_share(kind: Kind, name: str, tie: Tie, steps: int) -> Evidence:
    share = steps / STEPS
    what = f"at least {share:.0%} of {tie.what} is {name}'s"
    return Evidence(tie.layer, kind, name, odds_of(min(share, tie.cap)), what)
