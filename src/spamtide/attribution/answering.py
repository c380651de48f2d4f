"""Answer, for every message, who sent it and what it advertises: rules first, then what ties mail together.

First pass: rules (and the lab) name what they can. Second pass: addresses, links and campaigns carry what the
first pass is sure of to the messages around it. There is no third pass, so no answer ever feeds on itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.attribution.association import HAM, NO_DAY, SILENT, UNNAMED, Ints, Tie, associate
from spamtide.attribution.evidence import answer, odds_of, posterior, tally
from spamtide.attribution.signature import Ruleset
from spamtide.attribution.silence import STEP, lab_silence
from spamtide.attribution.spoken import Kind, Names, Spoken, answer_names, borders, speak
from spamtide.knowledge import Knowledge
from spamtide.model import Evidence
from spamtide.schema import ATTRIBUTIONS
from spamtide.settings import Attributing

SENDER = Tie("sender", 7, 2.0, 1, 0.85, 0.1, 0.2, "what its address sent within 7 days", 0.1, ham_bars=True)
BOTNET_LINK = Tie(
    "link", 7, 3.0, 1, 0.75, 0.1, 0.2, "the mail with its links within 7 days", 0.2, ham_bars=True
)
BOTNET_CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.85, 0.1, 0.5, "its campaign within 4 weeks")
LAB_CAMPAIGN = Tie("campaign", 4, 4.0, 7, 0.93, 0.0, 0.3, "the lab mail in its campaign within 4 weeks")
PROGRAMME_LINK = Tie(
    "link", 14, 7.0, 1, 0.95, 0.05, 0.2, "the mail with its links within 14 days", 0.2, ham_bars=True
)
PROGRAMME_CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.9, 0.1, 0.5, "its campaign within 4 weeks")
"""An address or a link alone never names a botnet. A registered domain names a programme: nearly all links to
one are of one programme (Levchenko et al. 2011, section 4)."""

STEPS = 20
"""Shares are told in steps of 1/20: fewer kinds of evidence, and no false exactness."""

DEFAULT = Attributing()
_EPOCH = dt.date(1970, 1, 1)
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows' columns as codes."""

    days: Ints
    lab: Ints
    """Number of the lab's family among the botnets, or UNNAMED."""
    ham: NDArray[np.bool_]
    address: Ints
    campaign: Ints
    domain: Ints
    """One entry a link domain."""
    domain_row: Ints
    said: Ints
    """Number in `spoken` of what each row's rules say."""
    spoken: tuple[Spoken, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """Evidence of one tie: a name's number (or UNNAMED) and its share in STEPS, by row."""

    tie: Tie
    names: Ints
    steps: Ints


@dataclass(frozen=True, slots=True)
class _Answered:
    """Answers of one kind: few distinct ones, and which of them each row has."""

    names: list[str]
    probabilities: list[float]
    evidence: list[str]
    """JSON objects joined by commas."""
    which: Ints


def attribute(
    rows: pa.Table, ruleset: Ruleset, knowledge: Knowledge, *, attributing: Attributing = DEFAULT
) -> pa.Table:
    """Attribute messages; the order of the rows decides nothing.

    Args:
        rows: columns sha256, sensor, label, lab, received_at, source_ip, campaign, link_domains and rules
            (the hits), one row a message and sensor.
        ruleset: the rules that the hits are of; hits of other rules say nothing.
        knowledge: resolves aliases.
        attributing: least probabilities for an answer.

    Returns:
        Rows of ATTRIBUTIONS, in the order of `rows`.
    """
    if rows.num_rows == 0:
        return ATTRIBUTIONS.empty_table()
    families = sorted({name for name in rows["lab"].unique().to_pylist() if name})
    names = answer_names(ruleset, knowledge, families)
    coded = _code(rows, ruleset, names)
    botnets = _botnets(coded, names, attributing.botnet_confidence)
    programmes = _programmes(coded, names, attributing.programme_confidence)
    return _table(rows, botnets, programmes)


# ---------------------------------------------------------------------------- reading


def _code(rows: pa.Table, ruleset: Ruleset, names: Names) -> _Rows:
    """Columns as codes. Codes only tell values apart; nothing depends on their order."""
    days = _days(rows["received_at"])
    links = pa.chunked_array(rows["link_domains"]).combine_chunks()
    said, spoken = _spoken(rows["rules"], days, ruleset, names)
    number = {name: place for place, name in enumerate(names.botnet)}
    lab = [number[names.spelling["botnet", name]] if name else UNNAMED for name in _distinct(rows["lab"])[1]]
    return _Rows(
        days=days,
        lab=_take(lab, rows["lab"]),
        ham=np.asarray(pc.fill_null(pc.equal(rows["label"], "ham"), fill_value=False)),
        address=_codes(rows["source_ip"]),
        campaign=_codes(rows["campaign"]),
        domain=_codes(pc.list_flatten(links)),
        domain_row=np.asarray(pc.list_parent_indices(links)).astype(np.int64),
        said=said,
        spoken=spoken,
    )


def _days(times: pa.ChunkedArray) -> Ints:
    """Days since 1970, or NO_DAY."""
    return np.asarray(pc.fill_null(times.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), int(NO_DAY)))


def _distinct(column: pa.ChunkedArray) -> tuple[Ints, list[str | None]]:
    """Each value's place among the distinct ones, and these; null is among them."""
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    whole = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    if isinstance(whole, pa.ChunkedArray):  # pragma: no cover - depends on the Arrow version
        whole = whole.unify_dictionaries().chunk(0)
    return np.asarray(whole.indices).astype(np.int64), whole.dictionary.to_pylist()


def _take(values: Sequence[int], column: pa.ChunkedArray) -> Ints:
    places, _ = _distinct(column)
    return np.asarray(values, dtype=np.int64)[places]


def _codes(column: pa.ChunkedArray) -> Ints:
    """Values as codes; negative for null and the empty text."""
    if len(column) == 0:
        return np.zeros(0, dtype=np.int64)
    places, values = _distinct(column)
    return np.asarray([place if value else -1 for place, value in enumerate(values)], dtype=np.int64)[places]


def _spoken(
    rules: pa.ChunkedArray, days: Ints, ruleset: Ruleset, names: Names
) -> tuple[Ints, tuple[Spoken, ...]]:
    """What the rules say, once for each set of hits and stretch of days in which the same rules count."""
    joined = pc.fill_null(pc.binary_join(rules, _SEPARATOR), "")
    hits, texts = _distinct(joined)
    edges = borders(ruleset)
    starts = np.asarray([(edge - _EPOCH).days for edge in edges], dtype=np.int64)
    stretch = np.where(days == NO_DAY, len(edges) + 1, np.searchsorted(starts, days, side="right"))
    pairs, said = np.unique(hits * (len(edges) + 2) + stretch, return_inverse=True)
    spoken = []
    for pair in pairs:
        hit, place = divmod(int(pair), len(edges) + 2)
        day = None if place == len(edges) + 1 else edges[place - 1] if place else dt.date.min
        found = [rule for rule in (texts[hit] or "").split(_SEPARATOR) if rule]
        spoken.append(speak(found, day, ruleset, names))
    return said.astype(np.int64), tuple(spoken)


# ---------------------------------------------------------------------------- evidence


def _botnets(rows: _Rows, names: Names, threshold: float) -> _Answered:
    number = {name: place for place, name in enumerate(names.botnet)}
    leaning = np.asarray([number.get(s.leaning or "", UNNAMED) for s in rows.spoken], dtype=np.int64)[
        rows.said
    ]
    named, seeds = _seeds("botnet", rows, number, threshold)
    leaning = np.where((rows.lab >= 0) | rows.ham, UNNAMED, leaning)
    first = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, seeds))
    first = np.where(leaning >= 0, SILENT, first)
    captured = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, SILENT))
    told = (
        _told(SENDER, rows.address, rows.days, first),
        _by_link(BOTNET_LINK, rows, first),
        _told(BOTNET_CAMPAIGN, rows.campaign, rows.days, first),
        _told(LAB_CAMPAIGN, rows.campaign, rows.days, captured),
    )
    belongs = np.where(rows.lab >= 0, UNNAMED, named)
    quiet = lab_silence(leaning, belongs, rows.lab, rows.campaign, rows.days)
    return _answered("botnet", rows, names, told, quiet, threshold)


def _programmes(rows: _Rows, names: Names, threshold: float) -> _Answered:
    number = {name: place for place, name in enumerate(names.programme)}
    _, seeds = _seeds("programme", rows, number, threshold)
    first = np.where(rows.ham, HAM, seeds)
    told = (_by_link(PROGRAMME_LINK, rows, first), _told(PROGRAMME_CAMPAIGN, rows.campaign, rows.days, first))
    return _answered("programme", rows, names, told, np.zeros(len(first), dtype=np.int64), threshold)


def _seeds(kind: Kind, rows: _Rows, number: dict[str, int], threshold: float) -> tuple[Ints, Ints]:
    """By row: the name that rules speak for most, and the first pass's answer.

    A message that rules speak for without naming it takes no part as evidence: it is neither the name's nor
    anybody else's.
    """
    best, seeds = [], []
    for spoken in rows.spoken:
        found = list(spoken.evidence[kind])
        scores = tally([*found, *(_against(spoken, found, 0) if kind == "botnet" else ())])
        name, probability = posterior(scores)
        best.append(number.get(name, UNNAMED))
        sure = answer(scores, threshold)[1] > 0
        seeds.append(number[name] if sure else SILENT if probability else UNNAMED)
    return np.asarray(best, dtype=np.int64)[rows.said], np.asarray(seeds, dtype=np.int64)[rows.said]


def _told(tie: Tie, keys: Ints, days: Ints, answers: Ints) -> _Told:
    names, share = associate(keys, days, answers, tie)
    steps = np.floor(share * STEPS + 1e-9).astype(np.int64)
    strong = steps * 2 > STEPS
    return _Told(tie, np.where(strong, names, UNNAMED), np.where(strong, steps, 0))


def _by_link(tie: Tie, rows: _Rows, answers: Ints) -> _Told:
    """Evidence of each row's domains: the strongest, or nothing where they disagree."""
    entries = _told(tie, rows.domain, rows.days[rows.domain_row], answers[rows.domain_row])
    count = len(rows.days)
    steps = np.zeros(count, dtype=np.int64)
    low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, UNNAMED, dtype=np.int64)
    strong = entries.steps > 0
    row = rows.domain_row[strong]
    np.maximum.at(steps, row, entries.steps[strong])
    np.maximum.at(high, row, entries.names[strong])
    np.minimum.at(low, row, entries.names[strong])
    agreed = (high >= 0) & (low == high)
    return _Told(tie, np.where(agreed, high, UNNAMED), np.where(agreed, steps, 0))


# ---------------------------------------------------------------------------- answers


def _answered(
    kind: Kind, rows: _Rows, names: Names, told: Sequence[_Told], quiet: Ints, threshold: float
) -> _Answered:
    """Combine the evidence once for each distinct combination of it."""
    lab = rows.lab if kind == "botnet" else np.full(len(rows.lab), UNNAMED, dtype=np.int64)
    which = np.zeros(len(rows.said), dtype=np.int64)
    for column in (rows.said, lab + 1, quiet, *(code for one in told for code in (one.names + 1, one.steps))):
        _, which = np.unique(which * (int(column.max()) + 1) + column, return_inverse=True)
    which = which.astype(np.int64)
    _, example = np.unique(which, return_index=True)
    answers, probabilities, evidence = [], [], []
    for row in example:
        found = list(rows.spoken[rows.said[row]].evidence[kind])
        found += [_of_tie(kind, names, one, row) for one in told if one.steps[row]]
        if kind == "botnet":
            found += _against(rows.spoken[rows.said[row]], found, int(quiet[row]))
        name, probability = answer(tally(found), threshold)
        if lab[row] >= 0:
            name, probability = names.botnet[lab[row]], 1.0
            found.insert(0, Evidence("lab", kind, name, 0.0, "sent by its bot in the lab"))
        answers.append(name)
        probabilities.append(round(probability, 4))
        evidence.append(",".join(_json(item) for item in found))
    return _Answered(answers, probabilities, evidence, which)


def _json(item: Evidence) -> str:
    return json.dumps(asdict(item) | {"weight": round(item.weight, 3)}, ensure_ascii=False)


def _of_tie(kind: Kind, names: Names, told: _Told, row: int) -> Evidence:
    share = told.steps[row] / STEPS
    name = names.of(kind)[told.names[row]]
    weight = odds_of(min(share, told.tie.cap))
    return Evidence(
        told.tie.layer, kind, name, weight, f"at least {share:.0%} of {told.tie.what} is {name}'s"
    )


def _against(spoken: Spoken, found: Sequence[Evidence], quiet: int) -> list[Evidence]:
    """What speaks against the botnets that something speaks for."""
    supported = sorted({item.name for item in found if item.weight > 0})
    against = [spoken.absent[name] for name in supported if name in spoken.absent]
    if quiet and spoken.leaning:
        what = "its bot in the lab worked in those days and never sent this campaign"
        against.append(Evidence("campaign", "botnet", spoken.leaning, -STEP * quiet, what))
    return against


def _table(rows: pa.Table, botnets: _Answered, programmes: _Answered) -> pa.Table:
    """Spread the distinct answers over the rows."""
    pairs, which = np.unique(botnets.which * len(programmes.names) + programmes.which, return_inverse=True)
    texts = []
    for pair in pairs:
        one, other = divmod(int(pair), len(programmes.names))
        texts.append("[" + ",".join(filter(None, (botnets.evidence[one], programmes.evidence[other]))) + "]")
    columns = [
        rows["sha256"].cast(pa.string()),
        rows["sensor"].cast(pa.string()),
        pa.array(botnets.names, pa.string()).take(pa.array(botnets.which)),
        pa.array(botnets.probabilities, pa.float64()).take(pa.array(botnets.which)),
        pa.array(programmes.names, pa.string()).take(pa.array(programmes.which)),
        pa.array(programmes.probabilities, pa.float64()).take(pa.array(programmes.which)),
        pa.array(texts, pa.large_string()).take(pa.array(which)).cast(pa.string()),
    ]
    return pa.table(columns, schema=ATTRIBUTIONS)
