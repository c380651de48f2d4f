"""Answer, for every message, who sent it and what it advertises: rules first, then what ties mail together.

First pass: rules (and the lab) name what they can. Second pass: addresses, links and campaigns carry what the
first pass is sure of to the messages around it. There is no third pass, so no answer ever feeds on itself.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from spamtide.attribution.botnets import answer_botnets
from spamtide.attribution.coding import Beyond, Rows, code
from spamtide.attribution.combining import Answered
from spamtide.attribution.programmes import answer_programmes
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.attribution.spoken import Names, answer_names
from spamtide.attribution.ties.association import Flags, Ints, distinct
from spamtide.knowledge import Knowledge
from spamtide.schema import ANSWERS, ATTRIBUTIONS, KITS
from spamtide.settings import Attributing

DEFAULT = Attributing()
NOTHING_BEYOND = Beyond()
METHOD = 8
"""Of how evidence is weighed, counted up when that changes, or where answers were stored so that readers
missed some: answers of another one are made anew."""
REACH_WEEKS = 4
"""But for `Beyond`, no evidence reaches a message from further than this many weeks (of seven days since
1970-01-01) away: with as many weeks given on either side, a stretch of weeks is answered as in all time."""


def attribute(
    rows: pa.Table,
    ruleset: Ruleset,
    knowledge: Knowledge,
    *,
    attributing: Attributing = DEFAULT,
    beyond: Beyond = NOTHING_BEYOND,
    asks: Flags | None = None,
) -> pa.Table:
    """Attribute messages; the order of the rows decides nothing.

    Args:
        rows: columns sha256, sensor, label, lab, received_at, source_ip, campaign, link_domains and rules
            (the hits), one row a message and sensor.
        ruleset: the rules that the hits are of; hits of other rules say nothing.
        knowledge: resolves aliases.
        attributing: least probabilities for an answer.
        beyond: what is known of mail that is not among the rows.
        asks: rows that are to be answered, all if None; the others are only evidence.

    Returns:
        Rows of ATTRIBUTIONS, in the order of `rows`.
    """
    asked = coded(rows, ruleset, knowledge, beyond=beyond, asks=asks)
    return answers_of(asked, attributing, beyond.rented)[0].cast(ATTRIBUTIONS)


@dataclass(frozen=True, slots=True)
class Coded:
    """What is to be answered, as codes: the rows themselves are needed no more."""

    rows: Rows
    names: Names
    keys: pa.Table
    """sha256 and sensor of the rows that are asked."""


def coded(
    rows: pa.Table,
    ruleset: Ruleset,
    knowledge: Knowledge,
    *,
    beyond: Beyond = NOTHING_BEYOND,
    asks: Flags | None = None,
    copies: Ints | None = None,
    keys: pa.Table | None = None,
) -> Coded | None:
    """Make rows ready to be answered; None where none is asked. Arguments as for `attribute`, but for two.

    `copies` says how many messages each row stands for as evidence, one if None. A row that asks and stands
    for none needs another that stands for it, of its day, rules and label, for each thing that it shares.
    `keys` are sha256 and sensor of the rows that are asked, where `rows` do not hold them.
    """
    asked = np.ones(rows.num_rows, dtype=np.bool_) if asks is None else asks
    if not asked.any():
        return None
    families = sorted({*beyond.families, *filter(None, _values(rows["lab"]))})
    names = answer_names(ruleset, knowledge, families, [page.programme for page in beyond.landings])
    shared = (*beyond.ham_domains, *sorted(knowledge.shared_hosts))
    codes = code(rows, ruleset, names, replace(beyond, ham_domains=shared), asked, copies)
    if keys is None:
        keys = rows.select(["sha256", "sensor"]).filter(pa.array(asked))
    return Coded(codes, names, keys)


def answers_of(
    asked: Coded | None,
    attributing: Attributing,
    of_others: Collection[str] | None,
    *,
    beside: bool = False,
) -> tuple[pa.Table, pa.Table]:
    """Answer what was made ready, in rows of ANSWERS; and count what addresses say of an engine: KITS.

    Args:
        asked: from `coded`.
        attributing: least probabilities for an answer.
        of_others: families whose engine is known to be rented; None: what the rows at hand show of it.
        beside: botnets and programmes are answered at the same time, in more memory; it is all the same.
    """
    if asked is None:
        return ANSWERS.empty_table(), KITS.empty_table()
    of_programmes = (asked.rows, asked.names, attributing.programme_confidence)
    with ThreadPoolExecutor(1, "programmes") as other:
        later = other.submit(answer_programmes, *of_programmes) if beside else None
        botnets, kits = answer_botnets(asked.rows, asked.names, attributing.botnet_confidence, of_others)
        programmes = later.result() if later else answer_programmes(*of_programmes)
    return _table(asked.keys, botnets, programmes), kits


def _table(rows: pa.Table, botnets: Answered, programmes: Answered) -> pa.Table:
    """Spread the distinct answers over the rows."""
    which, pairs = distinct(botnets.which * len(programmes.names) + programmes.which)
    texts = []
    for pair in pairs.tolist():
        one, other = divmod(pair, len(programmes.names))
        texts.append("[" + ",".join(filter(None, (botnets.evidence[one], programmes.evidence[other]))) + "]")
    columns = [
        rows["sha256"].cast(pa.string()),
        _as_codes(rows["sensor"]),
        _spread(botnets.names, botnets.which),
        pa.array(np.asarray(botnets.probabilities)[botnets.which]),
        _spread(programmes.names, programmes.which),
        pa.array(np.asarray(programmes.probabilities)[programmes.which]),
        _spread(texts, which),
    ]
    return pa.table(columns, schema=ANSWERS)


def _spread(texts: list[str], which: Ints) -> pa.DictionaryArray:
    """The text of each row; each distinct one is there once."""
    known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    places = np.asarray([known[text] for text in texts], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(places[which]), pa.array(list(known), pa.string()))


def _as_codes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column whose distinct values are held once."""
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _values(column: pa.ChunkedArray) -> list[str | None]:
    """The distinct values of a column."""
    return list(_as_codes(column).unify_dictionaries().unique().to_pylist())
