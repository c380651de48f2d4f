"""Skeleton rules, looked at only where their header order is: YARA-X runs every pattern over every message.

A thousand skeletons hold ten thousand patterns that begin alike ('header Message-ID: <'), so that nearly all
of them cost something on every message. Each rule demands one header order, and mail has few different ones:
the rules that an order line lets through are found once for it and kept. What is left is tried with Python's
`re`, on the header lines alone. Only rules of the plain form that `learn` writes, in the part of the pattern
language that both understand alike, are taken out of the YARA-X rules; any other stays there.

Where no skeleton matches, those are looked for that match but for one thing (see `near`); YARA-X knows
nothing of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spamtide.attribution.signature.near import MOST_FIELDS, Faults, Fields, Reading, Sequenced

_BLOCK = re.compile(r"^rule (\w+)\n\{\n(.*?)^\}\n?", re.MULTILINE | re.DOTALL)
_STRINGS = re.compile(r"    strings:\n(.*?)    condition:\n        (.*)\n\Z", re.DOTALL)
_STRING = re.compile(r" {8}\$(\w+) *= /(.*)/")
_SAFE = re.compile(
    rb"(?:[^\\\[\](){}^$|?*+]|\\[nt\\/.\-+*?()\[\]{}^$|]|\\x[0-9a-f]{2}|\\s"
    rb"|\[\^?(?:[^\\\]]|\\[nt\\/.\-+*?()\[\]{}^$|s]|\\x[0-9a-f]{2})+\]|[(|)]|[?*+]|\{\d+(?:,\d+)?\})+"
)
_ALL = re.compile(r"all of them|all of \([$\w, ]+\) and not \$never")
_OTHER = re.compile(r"\$order and not all of \([$\w, ]+\)")
_ORDER = "header-order: "
_NEAR = re.compile(r'^        near +\= "(.*)"$', re.MULTILINE)
_FORGIVEN = re.compile(r"(\w+) (\d{1,3}) % \((\d+) of (\d+)\)")
_CACHED = 16384
DEVIATION = "_other_"
"""What the name of a deviation has after that of its rule."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """One rule behind its header order."""

    file: str
    """Name of the file that it stands in."""
    rule: str
    order: bytes
    wanted: tuple[bytes, ...]
    never: tuple[bytes, ...]
    missing: bool
    """The rule is for messages that lack some of `wanted`, not for those that have them all."""
    keys: tuple[str, ...] = ()
    """Identifiers of `wanted`."""
    near: frozenset[str] = frozenset()
    """Faults that it forgives: see `near`."""


class Behind(NamedTuple):
    """A rule that matches a message, all of it or but for a fault."""

    file: str
    rule: str
    fault: str = ""


def forgiven(near: str) -> dict[str, tuple[int, int, int]]:
    """What the text of a rule's `near` says: fault -> (confidence in the rest, its hits on others, of)."""
    found = _FORGIVEN.findall(near)
    return {fault: (int(sure), int(hits), int(n)) for fault, sure, hits, n in found}


def split(sources: Sequence[tuple[Path, str]]) -> tuple[list[tuple[Path, str]], tuple[Guarded, ...]]:
    """Signature texts without the rules that an order guards, and these."""
    found: list[Guarded] = []
    left = []
    for path, text in sources:

        def take(block: re.Match[str], name: str = path.name) -> str:
            rule = _read(name, block[1], block[2])
            if rule is None:
                return block[0]
            found.append(rule)
            return ""

        left.append((path, _BLOCK.sub(take, text) if _ORDER in text else text))
    return left, tuple(found)


def _read(file: str, rule: str, body: str) -> Guarded | None:
    """A rule of the plain form; None for any other."""
    parts = _STRINGS.search(body)
    if parts is None:
        return None
    lines = parts[1].splitlines()
    strings = [match.groups() for line in lines if (match := _STRING.fullmatch(line))]
    condition = parts[2]
    keys = [key for key, _ in strings]
    missing = _OTHER.fullmatch(condition) is not None
    if len(strings) != len(lines) or keys[:1] != ["order"] or not (missing or _ALL.fullmatch(condition)):
        return None
    patterns = {key: pattern.encode() for key, pattern in strings}
    named = set(re.findall(r"\$(\w+)", condition)) or set(keys)
    safe = all(_SAFE.fullmatch(each) and not _divided(each) for each in patterns.values())
    if len(patterns) != len(strings) or named != set(keys) or not safe:
        return None
    never = tuple(pattern for key, pattern in patterns.items() if key == "never")
    if not all(each.startswith(_ORDER.encode()) for each in (patterns["order"], *never)):
        return None
    wanted = {key: pattern for key, pattern in patterns.items() if key not in {"never", "order"}}
    near = _NEAR.search(body)
    faults = frozenset(forgiven(near[1])) if near and not missing else frozenset()
    order = patterns["order"]
    return Guarded(file, rule, order, tuple(wanted.values()), never, missing, tuple(wanted), faults)


def _divided(pattern: bytes) -> bool:
    """Whether a pattern has alternatives outside of brackets, or groups of a kind of their own."""
    if b"(?" in pattern:
        return True
    bare = re.sub(rb"\\.|\[\^?(?:\\.|[^\\\]])+\]", b"", pattern)
    while b"(" in bare:
        shorter = re.sub(rb"\([^()]*\)", b"", bare)
        if shorter == bare:
            return True
        bare = shorter
    return b"|" in bare


class Guard:
    """The guarded rules of one rule set, with what each order line that was seen lets through."""

    def __init__(self, rules: tuple[Guarded, ...]) -> None:
        self._rules = rules
        self._orders = [(re.compile(rule.order), [re.compile(each) for each in rule.never]) for rule in rules]
        self._patterns = [[_begun(each) for each in rule.wanted] for rule in rules]
        place = {(rule.file, rule.rule): at for at, rule in enumerate(rules)}
        self._of = [place.get((rule.file, rule.rule.partition(DEVIATION)[0]), -1) for rule in rules]
        """Of a deviation, the rule that it belongs to: without it, nobody asks for the deviation."""
        self._behind: dict[bytes, tuple[int, ...]] = {}
        self._faults = [Faults(rule.keys, rule.wanted, rule.near) for rule in rules]
        by_order: dict[bytes, list[int]] = {}
        for at, rule in enumerate(rules):
            if rule.near:
                by_order.setdefault(rule.order, []).append(at)
        self._sequences = [(Sequenced(order), places) for order, places in by_order.items()]
        self._nearly: dict[bytes, tuple[tuple[int, Reading | None], ...]] = {}

    def hits(self, rendering: bytes) -> list[Behind]:
        """Every rule that matches a rendering; if none does, those that do but for one thing."""
        start = rendering.find(b"header-order: ")
        if not self._rules or start < 0:
            return []
        order = rendering[start : rendering.find(b"\n", start) + 1]
        chosen = self._behind.get(order)
        if chosen is None:
            chosen = self._chosen(order)
        end = rendering.find(b"\ntext:")
        head = rendering[: end + 1] if end >= 0 else rendering
        lacks = {at: self._lacks(at, head) for at in chosen if not self._rules[at].missing}
        found = [at for at, place in lacks.items() if place < 0]
        if not found:
            return self._near_hits(order, head, lacks)
        for at in chosen:
            if self._rules[at].missing and self._of[at] in found and self._lacks(at, head) >= 0:
                found.append(at)
        return [Behind(self._rules[at].file, self._rules[at].rule) for at in found]

    def _chosen(self, order: bytes) -> tuple[int, ...]:
        """Rules that an order line lets through; kept, up to a bound."""
        if len(self._behind) >= _CACHED:
            self._behind.clear()
        found = tuple(
            at
            for at, (wanted, never) in enumerate(self._orders)
            if wanted.search(order) and not any(each.search(order) for each in never)
        )
        self._behind[order] = found
        return found

    def _lacks(self, at: int, head: bytes, after: int = -1) -> int:
        """Place of the first string after a place that a message does not have; -1 where it has them all."""
        patterns = self._patterns[at]
        for place in range(after + 1, len(patterns)):
            if not _stands(*patterns[place], head):
                return place
        return -1

    def _near_hits(self, order: bytes, head: bytes, lacks: Mapping[int, int]) -> list[Behind]:
        """Rules that match but for one thing; `lacks` says what those of the very order miss first."""
        nearly = self._nearly.get(order)
        if nearly is None:
            nearly = self._read(order)
        found = []
        respelt: dict[tuple[tuple[bytes, bytes], ...], bytes] = {(): head}
        for at, reading in nearly:
            names = reading.respelt if reading else ()
            if names not in respelt:
                respelt[names] = _respelt(head, names)
            fault = self._fault(at, reading, respelt[names], lacks.get(at, -1) if reading is None else -1)
            if fault:
                found.append(Behind(self._rules[at].file, self._rules[at].rule, fault))
        return found

    def _read(self, order: bytes) -> tuple[tuple[int, Reading | None], ...]:
        """Rules that an order line may miss by one thing, and how; None where it is theirs. Kept as above."""
        if len(self._nearly) >= _CACHED:
            self._nearly.clear()
        fields = Fields(order.removeprefix(_ORDER.encode()).rstrip(b"\n").split(b","))
        strict = set(self._behind.get(order, ()))
        found: list[tuple[int, Reading | None]] = []
        for sequence, places in self._sequences:
            others = [at for at in places if at not in strict]
            found.extend((at, None) for at in places if at in strict)
            reading = sequence.read(fields) if others and len(fields.names) <= MOST_FIELDS else None
            if reading is not None:
                refused = {
                    at for at in others if any(each.search(reading.order) for each in self._orders[at][1])
                }
                found.extend((at, reading) for at in others if at not in refused)
        self._nearly[order] = tuple(found)
        return self._nearly[order]

    def _fault(self, at: int, reading: Reading | None, head: bytes, first: int) -> str:
        """What one rule misses a message by; '' where it is more than one thing, or not forgiven.

        `first` is the first string that the message is known not to have, -1 where none is.
        """
        faults = self._faults[at]
        whole = reading is not None and not reading.lacking
        fields = frozenset({reading.lacking}) if reading and reading.lacking else None
        missing = []
        place = first if first >= 0 else self._lacks(at, head)
        while place >= 0:
            own = faults.field_of(place)
            fields = own if fields is None else fields & own
            missing.append(place)
            if whole or not fields:
                return ""
            place = self._lacks(at, head, place)
        return faults.named(missing, fields or frozenset(), ordered=reading is None)


def _respelt(head: bytes, names: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Header lines with other spellings of some fields' names."""
    for name, own in names:
        head = head.replace(b"\nheader " + name + b": ", b"\nheader " + own + b": ")
    return head


_BEGIN = re.compile(rb"(?:[A-Za-z0-9:_ -]|\\[-./])+")


def _begun(pattern: bytes) -> tuple[bytes, re.Pattern[bytes]]:
    """A pattern with the fixed text that it begins with: finding that first is several times faster."""
    found = _BEGIN.match(pattern)
    text = found[0] if found else b""
    if text and pattern[len(text) : len(text) + 1] in b"?*+{":
        text = b""
    return text.replace(b"\\", b""), re.compile(pattern)


def _stands(begin: bytes, pattern: re.Pattern[bytes], head: bytes) -> bool:
    """Whether a pattern stands anywhere in the header lines."""
    at = head.find(begin)
    while at >= 0:
        if pattern.match(head, at):
            return True
        at = head.find(begin, at + 1)
    return False
