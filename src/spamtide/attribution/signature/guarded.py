"""Skeleton rules, looked at only where their header order is: YARA-X runs every pattern over every message.

A thousand skeletons hold ten thousand patterns that begin alike ('header Message-ID: <'), so that nearly all
of them cost something on every message. Each rule demands one header order, and mail has few different ones:
the rules that an order line lets through are found once for it and kept. What is left is tried with Python's
`re`, on the header lines alone. Only rules of the plain form that `learn` writes, in the part of the pattern
language that both understand alike, are taken out of the YARA-X rules; any other stays there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
_CACHED = 16384
DEVIATION = "_other_"
"""What the name of a deviation has after that of its rule."""
_SETS = 4


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
    wanted = tuple(pattern for key, pattern in patterns.items() if key not in {"never", "order"})
    return Guarded(file, rule, patterns["order"], wanted, never, missing)


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

    def hits(self, rendering: bytes) -> list[tuple[str, str]]:
        """(file, rule) of every rule that matches a rendering."""
        start = rendering.find(b"header-order: ")
        if not self._rules or start < 0:
            return []
        order = rendering[start : rendering.find(b"\n", start) + 1]
        chosen = self._behind.get(order)
        if chosen is None:
            chosen = self._chosen(order)
        if not chosen:
            return []
        end = rendering.find(b"\ntext:")
        head = rendering[: end + 1] if end >= 0 else rendering
        found = [at for at in chosen if not self._rules[at].missing and self._has_all(at, head)]
        for at in chosen:
            if self._rules[at].missing and self._of[at] in found and not self._has_all(at, head):
                found.append(at)
        return [(self._rules[at].file, self._rules[at].rule) for at in found]

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

    def _has_all(self, at: int, head: bytes) -> bool:
        return all(_stands(begin, pattern, head) for begin, pattern in self._patterns[at])


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


_GUARDS: dict[str, Guard] = {}


def guard_of(version: str, rules: tuple[Guarded, ...]) -> Guard:
    """The guard of a rule set, made once a process; `version` tells rule sets apart."""
    guard = _GUARDS.get(version)
    if guard is None:
        if len(_GUARDS) >= _SETS:
            _GUARDS.clear()
        guard = _GUARDS[version] = Guard(rules)
    return guard
