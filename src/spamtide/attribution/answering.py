"""Answer, for every message, who sent it and what it advertises: rules first, then what ties mail together.

First pass: rules (and the lab) name what they can. Second pass: addresses, links and campaigns carry what the
first pass is sure of to the messages around it. There is no third pass, so no answer ever feeds on itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from spamtide.attribution.association import Flags, Ints, distinct
from spamtide.attribution.botnets import answer_botnets
from spamtide.attribution.coding import Beyond, code
from spamtide.attribution.combining import Answered
from spamtide.attribution.programmes import answer_programmes
from spamtide.attribution.signature import Ruleset
from spamtide.attribution.spoken import answer_names
from spamtide.knowledge import Knowledge
from spamtide.schema import ANSWERS, ATTRIBUTIONS, KITS
from spamtide.settings import Attributing

DEFAULT = Attributing()
NOTHING_BEYOND = Beyond()
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
    found, _ = attribute_counting(rows, ruleset, knowledge, attributing=attributing, beyond=beyond, asks=asks)
    return found.cast(ATTRIBUTIONS)


def attribute_counting(
    rows: pa.Table,
    ruleset: Ruleset,
    knowledge: Knowledge,
    *,
    attributing: Attributing,
    beyond: Beyond,
    asks: Flags | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Do what `attribute` does, in rows of ANSWERS; and count what addresses say of an engine: KITS."""
    asked = np.ones(rows.num_rows, dtype=np.bool_) if asks is None else asks
    if not asked.any():
        return ANSWERS.empty_table(), KITS.empty_table()
    families = sorted({*beyond.families, *(name for name in rows["lab"].unique().to_pylist() if name)})
    names = answer_names(ruleset, knowledge, families, [page.programme for page in beyond.landings])
    shared = (*beyond.ham_domains, *sorted(knowledge.shared_hosts))
    coded = code(rows, ruleset, names, replace(beyond, ham_domains=shared), asked)
    botnets, kits = answer_botnets(coded, names, attributing.botnet_confidence, beyond.rented)
    programmes = answer_programmes(coded, names, attributing.programme_confidence)
    own = rows.select(["sha256", "sensor"]).filter(pa.array(asked))
    return _table(own, botnets, programmes), kits


def _table(rows: pa.Table, botnets: Answered, programmes: Answered) -> pa.Table:
    """Spread the distinct answers over the rows."""
    which, pairs = distinct(botnets.which * len(programmes.names) + programmes.which)
    texts = []
    for pair in pairs.tolist():
        one, other = divmod(pair, len(programmes.names))
        texts.append("[" + ",".join(filter(None, (botnets.evidence[one], programmes.evidence[other]))) + "]")
    columns = [
        rows["sha256"].cast(pa.string()),
        rows["sensor"].cast(pa.string()),
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
