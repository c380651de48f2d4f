"""One look over a message that tells which rules need not be tried on it: nearly all, for nearly all mail.

YARA-X tries every rule, and a thousand cost a message several times what one pass in search of their texts
does. Rules that look for plain texts alone are answered by that pass. Any other is known by texts of which a
message must hold one (`needs`): where none of them stands, no rule of YARA-X can match, and it is not asked.
The pass is compiled; without it all rules are left to YARA-X, with the same hits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.attribution.expression import UnreadError
from spamtide.attribution.signature.needs import LEAST, Plain, Sought, Text, key_of, needs_of, plain_of
from spamtide.attribution.signature.source import RuleSource, rules_of
from spamtide.compiled import native

SIEVE_BITS = 16
"""Of the hash of four characters by which texts are found."""
_FACTOR = 0x9E3779B1
_RARE = "etaoinsrhldcumfpgwybvkxjqz"
"""Letters, the commonest first."""
_KNOWN = 4096


@dataclass(frozen=True, slots=True)
class Sifting:
    """What the rules of a rule set are known by. A value: it can be pickled."""

    texts: tuple[Sought, ...] = ()
    plain: tuple[tuple[str, int, tuple[int, ...]], ...] = ()
    """(rule id, how many of which texts) of the rules that look for plain texts alone."""
    needed: frozenset[int] = frozenset()
    """Texts without which no other rule matches."""
    left: tuple[tuple[str, str], ...] = ()
    """(file, rule) of those that may match whatever stands in a message, one a file: YARA-X is asked of these
    files each time. '' for the rule where a file is not understood."""
    some: bool = False
    """Some file is not among these."""

    @property
    def always(self) -> bool:
        """Whether YARA-X is asked of every message."""
        return not self.some or bool(self.left)


UNSIFTED = Sifting()
"""All is left to YARA-X."""


def sifting_of(
    sources: Mapping[str, str], identifiers: Mapping[str, Sequence[str]], ids: Mapping[tuple[str, str], str]
) -> Sifting:
    """What rules are known by.

    Args:
        sources: texts of signature files by namespace.
        identifiers: names of the rules that YARA-X found in each.
        ids: (namespace, rule name) -> rule id of those that answer something.
    """
    numbers: dict[Sought, int] = {}
    plain: list[tuple[str, int, tuple[int, ...]]] = []
    needed: set[int] = set()

    def numbered(texts: Collection[Sought]) -> tuple[int, ...]:
        return tuple(numbers.setdefault(text, len(numbers)) for text in texts)

    left: list[tuple[str, str]] = []
    for file, text in sources.items():
        try:
            rules = rules_of(text)
        except UnreadError:
            rules = []
        if sorted(rule.name for rule in rules) != sorted(identifiers.get(file, ())):
            left.append((file, ""))
            continue
        known = [
            (name, need, exact)
            for (name, need), exact in zip(needs_of(rules).items(), _plain(rules), strict=True)
            if (file, name) in ids
        ]
        unknown = [name for name, need, exact in known if need is None and exact is None]
        if unknown:
            left.append((file, unknown[0]))
            continue
        for name, need, exact in known:
            if exact is not None:
                plain.append((ids[file, name], exact.least, numbered(exact.texts)))
            else:
                needed.update(numbered(sorted(need or (), key=repr)))
    return Sifting(tuple(numbers), tuple(plain), frozenset(needed), tuple(left), len(left) < len(sources))


def _plain(rules: Sequence[RuleSource]) -> list[Plain | None]:
    """Of each rule, what it is if it looks for plain texts alone; a global rule has a say in all others."""
    if any("global" in rule.kinds for rule in rules):
        return [None] * len(rules)
    return [plain_of(rule) for rule in rules]


class Sieve:
    """The texts of a sifting, laid out to be searched for."""

    def __init__(self, sifting: Sifting) -> None:
        self._sifting = sifting
        self._tables = _laid_out(sifting.texts)
        self._of: dict[int, list[int]] = {}
        """Text -> plain rules that look for it."""
        for place, (_, _, texts) in enumerate(sifting.plain):
            for text in texts:
                self._of.setdefault(text, []).append(place)
        self._known: dict[tuple[int, ...], tuple[str, ...] | None] = {}
        """Texts that stood in a message -> what that says; most mail has one of a few sets of them."""

    def look(self, rendering: str) -> tuple[str, ...] | None:
        """Ids of the rules that match, sorted, but for files that are left to YARA-X.

        None where it has to be asked of all files, for plain rules too.
        """
        if native is None or not self._sifting.some:
            return None
        found = native.texts_in(rendering, *self._tables)
        if found is None:
            return ()
        texts = tuple(found)
        if texts in (known := self._known):
            return known[texts]
        if len(known) >= _KNOWN:
            known = self._known = {}  # not emptied: another thread may be about to read it
        rules = known[texts] = self._rules(frozenset(texts))
        return rules

    def _rules(self, found: frozenset[int]) -> tuple[str, ...] | None:
        """The rules that match where these texts stand and no other."""
        if not self._sifting.needed.isdisjoint(found):
            return None
        places = {place for text in found for place in self._of.get(text, ())}
        rules = (self._sifting.plain[place] for place in places)
        return tuple(
            sorted(rule for rule, least, texts in rules if sum(text in found for text in texts) >= least)
        )


def _laid_out(texts: Sequence[Sought]) -> tuple[bytes, bytes, bytes, bytes]:
    """Texts as the compiled form takes them: see native/literals.c."""
    windows = [_windows(one.text) for one in texts]
    common = Counter(key for keys in windows for key in set(keys.values()))
    entries: list[tuple[int, int, int, int]] = []
    for number, keys in enumerate(windows):
        at = min(keys, key=lambda at: (common[keys[at]], -_rarity(keys[at]), at))
        key = int.from_bytes(keys[at], "little")
        entries.append((key * _FACTOR % 2**32 >> 32 - SIEVE_BITS, key, number, at))
    entries.sort()
    hashes = np.array([entry[0] for entry in entries], dtype=np.int64)
    sieve = np.zeros(1 << SIEVE_BITS, dtype=np.uint8)
    sieve[hashes] = 1
    begins = np.searchsorted(hashes, np.arange((1 << SIEVE_BITS) + 1)).astype("<u4")
    listed = np.array([entry[1:] for entry in entries], dtype="<u4").reshape(-1, 3)
    masks: dict[int, int] = {}
    said = bytearray()
    bounds = [0]
    for one in texts:
        places = [masks.setdefault(mask, len(masks)) for mask in one.text]
        said += np.array(places, dtype="<u2").tobytes()
        bounds.append(bounds[-1] + len(places))
    flags = np.array([one.fullword for one in texts], dtype="<u4")
    sets = b"".join(mask.to_bytes(16, "little") for mask in masks)
    head = np.array([len(texts), *bounds], dtype="<u4").tobytes() + flags.tobytes()
    packed = np.packbits(sieve, bitorder="little").tobytes()
    return packed, begins.tobytes() + listed.tobytes(), head + bytes(said), sets


def _windows(text: Text) -> dict[int, bytes]:
    """Places in a text at which four characters are known, and these."""
    keys = ((at, key_of(text, at)) for at in range(len(text) - LEAST + 1))
    return {at: key for at, key in keys if key is not None}


def _rarity(key: bytes) -> int:
    """How seldom four characters stand in mail, by their letters."""
    return sum(_RARE.find(chr(code)) if chr(code) in _RARE else len(_RARE) // 2 for code in key)
