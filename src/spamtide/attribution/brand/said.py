"""One place at which the letters of a wording stand: whether it is said there, and in disguise."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from spamtide.attribution.brand.fold import fold, is_letter, places_of
from spamtide.attribution.brand.words import Wording

DISGUISED = 2
"""Changed letters and gaps from which a disguise is no accident, so that letter case is no matter."""
LONG = 8
"""Folded letters from which wording may be split at any place."""
LONG_IN_HOST = 9
"""Folded letters from which wording may stand anywhere in a host's name."""
LONG_RUN = 10
"""Folded letters from which spaced letters need no wider gap in front."""
MOST_GAP = 5
"""Characters between two letters of a wording, at most."""
MOST_SPLITS = 3
"""Splits of a word, or jumps of its letter case, that honest writing has too; gaps of so few characters need
not be alike."""
MOST_REPEATS = 50
"""Times that one letter may be repeated."""
SPACED = 0.7
"""Share of a wording's letters with a gap behind them from which it is written in spaced letters."""

_SENTENCE_END = re.compile(r"[.!?;:,]\s|\n\s*\n")
_AUTHORITY_END = re.compile(r"[/?#:\n]")


class Said:
    """One place at which the letters of a wording stand in a text."""

    def __init__(self, text: str, spots: list[int], wording: Wording) -> None:
        self.text, self.wording = text, wording
        self.backwards = spots[0] > spots[-1]
        self.spots = spots
        self.strength = 0
        self._settle_ends()
        self.low, self.high = min(self.spots), max(self.spots)

    @property
    def stretch(self) -> str:
        """The text from the first letter to the last, on one line, as a reader meets it."""
        return " ".join(self.text[self.low : self.high + 1].split())

    def _settle_ends(self) -> None:
        """Repeated letters were folded to one: let the first and the last be nearest to the others."""
        first, after = sorted(self.spots[:2]) if not self.backwards else sorted(self.spots[-2:])
        letter = fold(self.text[first])
        for place in range(after - 1, max(first, after - MOST_REPEATS), -1):
            if fold(self.text[place]) == letter and not self._letter(place - 1):
                self.spots[-1 if self.backwards else 0] = place
                break
        last = self.spots[0] if self.backwards else self.spots[-1]
        letter = fold(self.text[last])
        end = last
        while end - last < MOST_REPEATS and self._letter(end + 1) and fold(self.text[end + 1]) == letter:
            end += 1
        self.spots[0 if self.backwards else -1] = end

    def genuine(self) -> bool:
        """Whether this is the wording, and disguised."""
        size = len(self.spots)
        if self.high - self.low > size * (MOST_GAP + 1):
            return False
        line = self.text.rfind("\n", 0, self.low) + 1
        if self.text.startswith("link: ", line):
            return self._in_host(line)
        if self._letter(self.low - 1) or self._letter(self.high + 1):
            return False
        words, between = self._gaps()
        inner = [gap for word in words for gap in word]
        spaced = any(self._is_spaced(word) for word in words)
        if not (
            all(self._word_fits(word, among_spaced=spaced) for word in words)
            and self._between_fits(between, spaced=spaced)
        ):
            return False
        signs = sum(char.isdigit() or char in "@$!|" for char in map(self.text.__getitem__, self.spots))
        if 2 * signs > size:
            return False
        changed, agreed = self._letters()
        tricked = self.backwards or bool(self.wording.spelt) or self._mixed_case()
        self.strength = changed + sum(map(bool, inner)) + DISGUISED * tricked
        return self.strength >= DISGUISED or agreed or not self.wording.cased

    def plain(self) -> bool:
        """Whether the rule's own text stands here, so that the rule sees it; asked after `genuine`."""
        said, text = self.text[self.low : self.high + 1], self.wording.text
        same = said == text if self.wording.cased else said.casefold() == text.casefold()
        return self.strength == 0 and same

    def _letter(self, place: int) -> bool:
        return 0 <= place < len(self.text) and is_letter(self.text[place])

    def _gaps(self) -> tuple[list[list[str]], list[str]]:
        """What stands between the letters of each word, and between words; a repeated letter is no gap."""
        words: list[list[str]] = [[]]
        between = []
        for place, (one, other) in enumerate(pairwise(self.spots)):
            low, high = sorted((one, other))
            gap = "".join(char for char in self.text[low + 1 : high] if not is_letter(char))
            if place + 1 in self.wording.breaks:
                words.append([])
                between.append(gap)
            else:
                words[-1].append(gap)
        return words, between

    @staticmethod
    def _is_spaced(word: list[str]) -> bool:
        return len(word) > 1 and sum(map(bool, word)) >= SPACED * len(word)

    def _word_fits(self, word: list[str], *, among_spaced: bool) -> bool:
        """Gaps between the letters of a word: none, unseen, at nearly all letters, or few and small."""
        seen = [gap for gap in word if gap and not _is_unseen(gap)]
        if not seen:
            return True
        if max(map(len, seen)) > MOST_GAP:
            return False
        if self._is_spaced(word) or (among_spaced and len(word) == 1):
            often = Counter(seen).most_common(1)[0][1]
            alike = often >= SPACED * len(seen) or max(map(len, seen)) <= MOST_SPLITS
            return alike and (len(self.spots) >= LONG_RUN or not self._within_a_run())
        few = len(seen) < MOST_SPLITS and not any("\n" in gap for gap in seen)
        return few and len(self.spots) >= LONG

    def _within_a_run(self) -> bool:
        """Whether a single letter stands in front with as small a gap, as inside a longer spaced word."""
        before = self.low - 1
        gap = 0
        while before >= 0 and not self._letter(before) and gap <= MOST_GAP:
            before, gap = before - 1, gap + 1
        own = len(self.text[self.low + 1 : sorted(self.spots)[1]])
        return before >= 0 and gap <= own and not self._letter(before - 1) and self.text[before] != "\n"

    def _between_fits(self, between: list[str], *, spaced: bool) -> bool:
        """Gaps between words: small, and no end of a sentence or a paragraph."""
        if any(len(gap) > (2 * MOST_GAP if spaced else MOST_GAP) for gap in between):
            return False
        return spaced or not any(_SENTENCE_END.search(gap) for gap in between)

    def _letters(self) -> tuple[int, bool]:
        """How many letters are not the plain ones, and whether letter case agrees with the wording's."""
        wanted = _letters_of(self.wording.spelt or self.wording.text)
        changed, agreed = 0, True
        for place, want in zip(self.spots, wanted, strict=False):
            char = self.text[place]
            changed += not (char.isascii() and char.casefold() == want.casefold())
            if char.isalpha() and char.isupper() != want.isupper():
                agreed = False
        return changed, agreed

    def _mixed_case(self) -> bool:
        """Whether letter case jumps within words, as in 'cAnaDian', more often than honest spelling does."""
        word = [self.text[place] for place in self.spots if self.text[place].isalpha()]
        return sum(one.islower() and other.isupper() for one, other in pairwise(word)) >= MOST_SPLITS + 1

    def _in_host(self, line: int) -> bool:
        """Whether the wording stands in the host's name of a link."""
        start = self.text.find("://", line) + 3
        end = _AUTHORITY_END.search(self.text, start)
        if not start <= self.low or (end and self.high >= end.start()) or self.backwards:
            return False
        words, between = self._gaps()
        inner = [gap for word in words for gap in word]
        if any(gap not in {"", "-", "."} for gap in (*inner, *between)) or sum(map(bool, inner)) > 1:
            return False
        self.strength = DISGUISED
        whole = not (self._letter(self.low - 1) or self._letter(self.high + 1))
        return whole or len(self.spots) >= LONG_IN_HOST


@lru_cache(maxsize=2**14)
def ends_of(wording: Wording) -> tuple[int, int] | None:
    """Places of the first and the last letter in a rule's text; None where it looks disguised as it is."""
    text = f"\n{wording.text}\n"
    if wording.spelt or fold(text) != wording.letters:
        return None
    said = Said(text, places_of(text).tolist(), wording)
    first = said.spots[0]
    if not said.genuine() or said.strength or first != said.low or fold(text[:first]):
        return None
    return said.low - 1, said.high - 1


@lru_cache(maxsize=2**14)
def _letters_of(text: str) -> tuple[str, ...]:
    """The letters of a wording, repeated ones once."""
    plain = [char for char in text if is_letter(char)]
    return tuple(
        char for place, char in enumerate(plain) if not place or fold(char) != fold(plain[place - 1])
    )


def _is_unseen(gap: str) -> bool:
    """Whether a gap has no width: format characters and marks on a letter."""
    return all(unicodedata.category(char) in {"Cf", "Mn", "Me"} for char in gap)
