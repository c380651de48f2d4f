"""Rows of evidence as codes: numbers that only tell values apart, and what rules say of each row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution.evidence import odds_of
from spamtide.attribution.landing.page import Landing
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.attribution.spoken import Names, Spoken, borders, speak
from spamtide.attribution.ties.association import NO_DAY, UNNAMED, Flags, Ints, distinct
from spamtide.model import Evidence

LEAST_TEXT = 24
"""Characters of visible text, three or four words, below which many senders write the same by chance: that a
bot in the lab never sent it says nothing."""
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Beyond:
    """What is known of mail beyond the rows at hand, when these are a stretch of an observatory's time."""

    families: tuple[str, ...] = ()
    """Families that labs ever had mail of."""
    ham_addresses: tuple[str, ...] = ()
    """Addresses that other mail ever came from."""
    ham_domains: tuple[str, ...] = ()
    """Link domains that other mail ever had."""
    landings: tuple[Landing, ...] = ()
    """What saved landing pages say of domains."""
    rented: frozenset[str] | None = None
    """Families whose engine is known to be rented by others; None: what the rows at hand show of it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows' columns as codes."""

    asked: Ints
    """The rows that are to be answered, by number; the others are only evidence."""
    asks: Flags
    """Whether each row is."""
    days: Ints
    lab: Ints
    """Number of the lab's family among the botnets, or UNNAMED."""
    ham: Flags
    address: Ints
    campaign: Ints
    domain: Ints
    """One entry a link domain."""
    domain_row: Ints
    address_of_ham: Flags
    """Whether other mail ever came from the row's address."""
    domain_of_ham: Flags
    """Whether other mail ever had the entry's link domain."""
    wordless: Flags
    """Whether the row's text is too short to be a template."""
    said: Ints
    """Number in `spoken` of what each row's rules say."""
    spoken: tuple[Spoken, ...]
    copies: Ints | None = None
    """How many messages each row stands for as evidence; one if None."""


def code(
    rows: pa.Table,
    ruleset: Ruleset,
    names: Names,
    beyond: Beyond,
    asks: Flags,
    copies: Ints | None = None,
) -> Rows:
    """Columns as codes. Codes only tell values apart; nothing depends on their order.

    Args:
        rows: one a message and sensor, with the columns that `answering.attribute` names.
        ruleset: the rules that the hits are of.
        names: the names that answers may have.
        beyond: what is known of mail that is not among the rows.
        asks: rows that are to be answered, shape (rows,).
        copies: how many messages each row stands for as evidence, one if None.
    """
    days = _days(rows["received_at"])
    links = pa.chunked_array(rows["link_domains"]).combine_chunks()
    number = {name: place for place, name in enumerate(names.botnet)}
    labs, of_lab = _distinct(rows["lab"])
    lab = [number[names.spelling["botnet", name]] if name else UNNAMED for name in of_lab.to_pylist()]
    ham = np.asarray(pc.fill_null(pc.equal(rows["label"], "ham"), fill_value=False))
    address, addresses = codes_of(rows["source_ip"])
    domain, domains = codes_of(pc.list_flatten(links))
    domain_row = np.asarray(pc.list_parent_indices(links)).astype(np.int64)
    landed = _landed((domain, domain_row, domains), days, beyond.landings)
    said, spoken = _spoken(rows["rules"], days, ruleset, names, (landed, beyond.landings))
    return Rows(
        asked=np.flatnonzero(asks),
        asks=asks,
        days=days,
        lab=np.asarray(lab, dtype=np.int64)[labs],
        ham=ham,
        address=address,
        campaign=codes_of(rows["campaign"])[0],
        domain=domain,
        domain_row=domain_row,
        address_of_ham=_of_ham(address, ham, addresses, beyond.ham_addresses),
        domain_of_ham=_of_ham(domain, ham[domain_row], domains, beyond.ham_domains),
        wordless=_wordless(rows),
        said=said,
        spoken=spoken,
        copies=copies,
    )


def _wordless(rows: pa.Table) -> Flags:
    """Rows with too little text; none where nobody counted it."""
    if "text" not in rows.column_names:
        return np.zeros(rows.num_rows, dtype=np.bool_)
    return np.asarray(pc.fill_null(pc.less(rows["text"], LEAST_TEXT), fill_value=False))


def _of_ham(codes: Ints, ham: Flags, values: pa.Array, known: tuple[str, ...]) -> Flags:
    """Entries whose value is that of other mail, among the entries or beyond them."""
    bars = pc.is_in(values, pa.array(known, values.type)).to_numpy(zero_copy_only=False)
    bars[codes[ham & (codes >= 0)]] = True
    return bars[codes] & (codes >= 0) if len(values) else np.zeros(len(codes), dtype=np.bool_)


def _days(times: pa.ChunkedArray) -> Ints:
    """Days since 1970, or NO_DAY."""
    return np.asarray(pc.fill_null(times.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), int(NO_DAY)))


def _distinct(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Each value's place among the distinct ones, and these; null is among them."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if pa.types.is_dictionary(column.type):
        chunks = [column] if isinstance(column, pa.Array) else column.chunks
        column = pa.chunked_array(chunks, column.type).unify_dictionaries()
    else:
        column = column.dictionary_encode()
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    values = pa.concat_arrays([whole.dictionary, pa.nulls(1, whole.dictionary.type)])
    places = pc.fill_null(whole.indices, len(whole.dictionary)) if whole.null_count else whole.indices
    return np.asarray(places).astype(np.int64), values


def codes_of(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Values as codes, negative for null and the empty text; and the values."""
    places, values = _distinct(column)
    empty = pc.fill_null(pc.equal(pc.binary_length(values), 0), fill_value=True)
    codes = np.where(empty.to_numpy(zero_copy_only=False), -1, np.arange(len(values)))
    return codes[places], values


def _landed(entries: tuple[Ints, Ints, pa.Array], days: Ints, landings: Sequence[Landing]) -> Ints:
    """By row, the place in `landings` of the surest page behind its links; -1 for none, or if they differ."""
    found = np.full(len(days), -1, dtype=np.int64)
    if not landings:
        return found
    place_of = {landing.domain: place for place, landing in enumerate(landings)}
    domain, domain_row, domains = entries
    page = np.asarray([place_of.get(name or "", -1) for name in domains.to_pylist()] + [-1], dtype=np.int64)
    page = page[domain]
    several: set[int] = set()
    for entry in np.flatnonzero(page >= 0):
        row, landing = int(domain_row[entry]), landings[int(page[entry])]
        if not _speaks_on(landing, int(days[row])) or row in several:
            continue
        other = landings[found[row]] if found[row] >= 0 else None
        if other is not None and other.programme != landing.programme:
            several.add(row)
            found[row] = -1
        elif other is None or other.probability < landing.probability:
            found[row] = page[entry]
    return found


def _of_page(landing: Landing, names: Names) -> tuple[Evidence, ...]:
    """What a saved page says of the mail that leads to it."""
    name = names.spelling["programme", landing.programme]
    return (Evidence("landing", "programme", name, odds_of(landing.probability), landing.what),)


def _speaks_on(landing: Landing, day: int) -> bool:
    """Whether a page speaks for its domain on a day; for mail without a day every page does."""
    if day == NO_DAY or landing.since is None or landing.until is None:
        return True
    return (landing.since - _EPOCH).days <= day <= (landing.until - _EPOCH).days


def _spoken(
    rules: pa.ChunkedArray,
    days: Ints,
    ruleset: Ruleset,
    names: Names,
    landed: tuple[Ints, Sequence[Landing]],
) -> tuple[Ints, tuple[Spoken, ...]]:
    """What rules and pages say, once for each set of hits, page and stretch of days of the same rules."""
    hits, sets = _sets(rules)
    edges = borders(ruleset)
    starts = np.asarray([(edge - _EPOCH).days for edge in edges], dtype=np.int64)
    stretch = np.where(days == NO_DAY, len(edges) + 1, np.searchsorted(starts, days, side="right"))
    of_row, landings = landed
    whole = (hits * (len(edges) + 2) + stretch) * (len(landings) + 1) + of_row + 1
    said, triples = distinct(whole)
    spoken = []
    for triple in triples:
        pair, page = divmod(int(triple), len(landings) + 1)
        hit, place = divmod(pair, len(edges) + 2)
        day = None if place == len(edges) + 1 else edges[place - 1] if place else dt.date.min
        more = _of_page(landings[page - 1], names) if page else ()
        spoken.append(speak(sets[hit], day, ruleset, names, more))
    return said, tuple(spoken)


def _sets(lists: pa.ChunkedArray) -> tuple[Ints, list[list[str]]]:
    """Each list's place among the distinct ones, and these; null is as empty, and empty texts are left out.

    Lists are joined to numbers item by item: most have one or two.
    """
    whole = pa.chunked_array(lists).combine_chunks()
    items, values = _distinct(pc.list_flatten(whole))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(whole), 0)).astype(np.int64)
    begin = np.cumsum(sizes) - sizes
    place = np.zeros(len(sizes), dtype=np.int64)
    for number in range(int(sizes.max(initial=0))):
        longer = np.flatnonzero(sizes > number)
        item = np.zeros(len(sizes), dtype=np.int64)
        item[longer] = items[begin[longer] + number] + 1
        place, _ = distinct(place * (len(values) + 1) + item)
    example = np.zeros(int(place.max(initial=-1)) + 1, dtype=np.int64)
    example[place] = np.arange(len(place))
    found = whole.take(pa.array(example)).to_pylist()
    return place, [[text for text in one or () if text] for one in found]
