"""Where wording may begin in folded letters: one look-up a place, however many wordings there are.

The first letters of every wording, forwards and backwards, are kept by a hash; the letters at every place of
a message are hashed at once as machine words. Nearly all messages have no place that is in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spamtide.attribution.brand.fold import fold, letters_by_code, places_of
from spamtide.attribution.brand.said import ends_of
from spamtide.attribution.brand.words import LEAST_LETTERS, MOST_LETTERS, Wording
from spamtide.compiled import native

SPARSE = 64
"""Places of a table for each wording in it: one place of a message in so many is looked at in vain."""
FEW = 100
"""Wordings up to which four letters are telling enough for all of them."""
_ONE = ((4, LEAST_LETTERS, MOST_LETTERS + 1),)
_TWO = ((8, 8, MOST_LETTERS + 1), (4, LEAST_LETTERS, 8))
"""(letters that a place is known by, least letters of the wording, too many of them)."""
_KNOWN_BITS = 16
_SHORT, _LONG = (4, 0x9E3779B1, 1), (8, 0x9E3779B97F4A7C15, 2)
"""Of the compiled form's look at each place: letters of a head, factor and mark of its hash."""
_BEGUN = 4
"""Mark of the hash of a long head's first letters, which are looked at first."""
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Place(NamedTuple):
    """Letters with which a wording may stand in a text, not yet looked at there."""

    wording: Wording
    spots: list[int]
    """Offsets of the letters in the text, ascending."""
    backwards: bool


class Index:
    """The wording of a rule set by its first letters."""

    def __init__(self, wordings: Sequence[Wording]) -> None:
        self.by_width = [
            table
            for width, low, high in (_ONE if len(wordings) <= FEW else _TWO)
            if (table := _Table(width, [one for one in wordings if low <= len(one.letters) < high])).heads
        ]
        self.patterns: dict[bytes, tuple[bytes, ...]] = {}
        """Head -> all wording that begins so, forwards and backwards."""
        known = np.zeros(1 << _KNOWN_BITS, dtype=np.uint8)
        for pattern in sorted({p for one in wordings for p in (one.letters, one.letters[::-1])}):
            width, mix, flag = _LONG if len(pattern) >= _LONG[0] else _SHORT
            head = pattern[:width]
            self.patterns[head] = (*self.patterns.get(head, ()), pattern)
            known[_hash(head, mix)] |= flag
            if flag == _LONG[2]:
                known[_hash(head[: _SHORT[0]], _SHORT[1])] |= _BEGUN
        self._known = known.tobytes()
        self._wordings: dict[bytes, list[tuple[Wording, bool]]] = {}
        """Pattern -> the wording, and whether it is backwards."""
        for table in self.by_width:
            for begun in table.heads.values():
                for pattern, wording, backwards in begun:
                    self._wordings.setdefault(pattern, []).append((wording, backwards))
        self._standing: dict[bytes, tuple[tuple[str | None, int, int], ...] | None] = {}
        """Pattern that was found before -> its wordings as rules have them; None where one is backwards."""

    def may_say(self, rendering: str, most: int, most_of_links: int) -> bool:
        """Whether a rendering has places that are neither plain wording nor amid other letters; or may have.

        Args:
            rendering: the message's rendering.
            most: characters of text that are read.
            most_of_links: characters of subject and links that are read.
        """
        if native is None:
            return True
        tables = (letters_by_code(), self._known, self.patterns, self._standing)
        return native.may_say(rendering, *tables, most, most_of_links)

    def places(self, text: str) -> list[Place]:
        """Every place of every wording; those of one wording in their order."""
        if native is None:
            letters = fold(text)
            found = [(pattern, at) for table in self.by_width for pattern, at in table.places(letters)]
            offsets = places_of(text) if found else np.zeros(0, dtype=np.int64)
            places = [(pattern, offsets[at : at + len(pattern)].tolist()) for pattern, at in found]
        else:
            places = native.wordings_in(text, letters_by_code(), self._known, self.patterns) or []
            for pattern, _ in places:
                if pattern not in self._standing:
                    self._standing[pattern] = self._as_rules_have(pattern)
        return [
            Place(wording, spots, backwards)
            for pattern, spots in places
            for wording, backwards in self._wordings[pattern]
        ]

    def _as_rules_have(self, pattern: bytes) -> tuple[tuple[str | None, int, int], ...] | None:
        """(text, place of its first letter, characters from there to its last) of each wording."""
        ways: list[tuple[str | None, int, int]] = []
        for wording, backwards in self._wordings[pattern]:
            if backwards:
                return None
            ends = ends_of(wording)
            ways.append((wording.text, *ends) if ends else (None, 0, 0))
        return tuple(ways)


def _hash(head: bytes, mix: int) -> int:
    """Of the compiled form's look at a place."""
    bits = 8 * len(head)
    return int.from_bytes(head, "little") * mix % (1 << bits) >> bits - _KNOWN_BITS


class _Table:
    """Wording of at least `width` letters."""

    def __init__(self, width: int, wordings: Sequence[Wording]) -> None:
        self.width = width
        self.kind = f"<u{width}"
        self.heads: dict[bytes, list[tuple[bytes, Wording, bool]]] = {}
        for wording in wordings:
            for backwards in (False, True):
                pattern = wording.letters[::-1] if backwards else wording.letters
                if not (backwards and pattern == wording.letters):
                    self.heads.setdefault(pattern[:width], []).append((pattern, wording, backwards))
        bits = max(10, (SPARSE * len(self.heads)).bit_length())  # small tables stay in the processor's cache
        self.shift = np.uint64(64 - bits)
        self.known = np.zeros(1 << bits, dtype=np.bool_)
        for head in self.heads:
            self.known[self._hashed(head)] = True

    def _hashed(self, letters: bytes) -> NDArray[np.int64]:
        """Hash of the letters at every place."""
        words = np.ndarray((len(letters) - self.width + 1,), self.kind, letters, 0, (1,))
        hashed = words.astype(np.uint64, copy=False) * _MIX
        hashed >>= self.shift
        return hashed.view(np.int64)

    def places(self, letters: bytes) -> list[tuple[bytes, int]]:
        """Patterns and where they stand in the letters, in order."""
        if len(letters) < self.width:
            return []
        found = []
        for at in self.known.take(self._hashed(letters)).nonzero()[0].tolist():
            patterns = {pattern for pattern, _, _ in self.heads.get(letters[at : at + self.width], ())}
            found += [(pattern, at) for pattern in sorted(patterns) if letters.startswith(pattern, at)]
        return found
