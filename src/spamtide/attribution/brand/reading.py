"""Brand wording in disguise: what a message says to its reader, however its letters are dressed.

Rules look for plain wording. Spam writes it with look-alike letters, digits for letters, letters set apart,
written backwards, or as a host's name. Every message is folded to bare letters and searched, with one pass
for all wording of all rules; what is found is looked at again in the text, and where it is disguised wording
it is written out plainly below the rendering, so that the rules can be asked once more.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from functools import lru_cache
from itertools import pairwise

from spamtide.attribution.brand.fold import fold, is_letter, places_of
from spamtide.attribution.brand.index import Index, Place
from spamtide.attribution.brand.words import Wording

VERSION = "2"
"""Of the reading: part of a rule set's version, so that a better reading looks at stored mail again."""

MOST_CHARS = 20_000
"""Characters of text that are read."""
MOST_LINK_CHARS = 10_000
"""Characters of subject and links that are read."""
MOST_INDEXES = 4
MOST_FINDS = 40
"""Places of one wording that are looked at in one message."""
DISGUISED = 2
"""Changed letters and gaps from which a disguise is no accident, so that letter case is no matter."""
LONG = 8
"""Folded letters from which wording may be split at any place."""
LONG_IN_HOST = 9
"""Folded letters from which wording may stand anywhere in a host's name."""
LONG_RUN = 10
"""Folded letters from which spaced letters need no wider gap in front."""
MOST_GAP = 5
MOST_SPLITS = 3
MOST_REPEATS = 50
"""Times that one letter may be repeated."""
SPACED = 0.7
"""Share of a wording's letters with a gap behind them from which it is written in spaced letters."""

_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[!|](?=[^\W\d_])")
_SENTENCE_END = re.compile(r"[.!?;:,]\s|\n\s*\n")
_BACKWARDS = re.compile("\u202e([^\u202c\n]{1,300})")
_FROM = "\nheader From: "
_SUBJECT = "\nsubject: "
_TEXT = "\ntext:\n"
_LINE = "\n"
_AUTHORITY_END = re.compile(r"[/?#:\n]")


@dataclass(frozen=True, slots=True)
class Reading:
    """All wording of a rule set, to be looked for. A value: it can be pickled."""

    wordings: tuple[Wording, ...]
    version: str
    """Hash of them; the index of each version is made once a process."""


NO_READING = Reading((), "")
_INDEXES: dict[str, Index] = {}


def reading_of(wordings: Sequence[Wording]) -> Reading:
    """Prepare wording to be looked for."""
    if not wordings:
        return NO_READING
    return Reading(tuple(wordings), hashlib.sha256(repr(wordings).encode()).hexdigest()[:16])


def _index(reading: Reading) -> Index:
    """The index of a reading; a few are kept."""
    found = _INDEXES.get(reading.version)
    if found is None:
        if len(_INDEXES) >= MOST_INDEXES:
            _INDEXES.clear()
        found = _INDEXES[reading.version] = Index(reading.wordings)
    return found


def disguised(rendering: str, reading: Reading) -> tuple[str, ...]:
    """Wording that a message says in disguise, as its rules have it; sorted. Plain wording is left out."""
    if not reading.wordings:
        return ()
    return tuple(sorted({wording.text for wording, _ in finds(rendering, reading)}))


def finds(rendering: str, reading: Reading) -> tuple[tuple[Wording, str], ...]:
    """Disguised wording with the stretch of text that says it."""
    if not reading.wordings:
        return ()
    found: dict[Wording, str] = {}
    index = _index(reading)
    for text, dressed in _shown(rendering):
        seen = None if dressed else rendering
        for wording, said in _looked_at(text, index.places(text), seen):
            found.setdefault(wording, said)
    return tuple(sorted(found.items(), key=lambda item: (item[0].text, item[0].cased)))


def plainly(rendering: str, texts: Iterable[str]) -> str:
    """A rendering with wording written out below it, a line each."""
    return "\n".join([rendering, *texts, ""])


def _shown(rendering: str) -> Iterator[tuple[str, bool]]:
    """What a reader is shown: sender's name, subject, links and text; and its second readings, marked."""
    start = rendering.find(_SUBJECT)
    body = rendering.find(_TEXT, max(start, 0))
    if start < 0 or body < 0:
        text = rendering[:MOST_CHARS]
    else:
        shown = rendering[start : min(body, start + MOST_LINK_CHARS)], rendering[body : body + MOST_CHARS]
        at = rendering.find(_FROM, 0, start)
        end = rendering.find(_LINE, at + len(_FROM)) if at >= 0 else -1
        name = _display_name(rendering[at + len(_FROM) : end]) if at >= 0 else ""
        text = "".join((name, *shown))
    yield text, False
    if any(_between_letters(text, stroke) for stroke in "!|"):
        yield _BETWEEN_LETTERS.sub("i", text), True
    if "\u202e" in text:
        yield _BACKWARDS.sub(lambda match: match[1][::-1], text), True


def _between_letters(text: str, stroke: str) -> bool:
    """Whether a stroke stands between two letters, for one; far faster than asking with a pattern."""
    at = text.find(stroke, 1)
    for _ in range(MOST_FINDS):
        if at < 0 or at + 1 >= len(text):
            return False
        if text[at - 1].isalpha() and text[at + 1].isalpha():
            return True
        at = text.find(stroke, at + 1)
    return False


def _display_name(value: str) -> str:
    """The name that a From field shows."""
    name = value.partition("<")[0]
    if "=?" not in name:
        return name
    try:
        parts = [
            word.decode(charset or "ascii", "replace") if isinstance(word, bytes) else word
            for word, charset in decode_header(name.strip().strip('"'))
        ]
    except (ValueError, LookupError, MessageError):
        return name
    return " ".join("".join(parts).split())


def _looked_at(text: str, places: Sequence[Place], seen: str | None) -> Iterator[tuple[Wording, str]]:
    """The disguised wording that a second look confirms.

    `seen` is what rules see; None of a text that they do not see, all wording of which is disguised.
    """
    looked: Counter[Wording] = Counter()
    done: set[Wording] = set()
    for wording, spots, backwards in places:
        looked[wording] += 1
        if wording in done or looked[wording] > MOST_FINDS:
            continue
        if not backwards and _is_within_a_word(text, spots):
            continue
        if seen is not None and not backwards and _stands_plainly(text, wording, spots[0], seen):
            continue
        said = _Said(text, spots[::-1] if backwards else spots, wording)
        if said.genuine() and (seen is None or not said.plain()):
            done.add(wording)
            yield wording, said.stretch


def _is_within_a_word(text: str, spots: Sequence[int]) -> bool:
    """Whether letters stand amid others, outside of links, so that `_Said` would refuse them."""
    first, last = spots[0], spots[-1]
    if spots[1] != first + 1:  # a first letter that stands apart may be settled elsewhere
        return False
    if not first or not is_letter(text[first - 1]):
        after = text[last + 1 : last + 2]
        if not after or not is_letter(after) or fold(after) == fold(text[last]):
            return False
    return not text.startswith("link: ", text.rfind("\n", 0, first) + 1)


def _stands_plainly(text: str, wording: Wording, first: int, seen: str) -> bool:
    """Whether the rule's own text stands here as it is, which most brands do: nothing else need be looked at.

    Args:
        text: what a reader is shown.
        wording: the wording whose letters stand in it.
        first: place of the first of them.
        seen: what rules see.
    """
    ends = _ends_of(wording)
    if ends is None:
        return False
    start = first - ends[0]
    high = start + ends[1]
    if start < 0 or not text.startswith(wording.text, start):
        return False
    if (first and is_letter(text[first - 1])) or (high + 1 < len(text) and is_letter(text[high + 1])):
        return False
    if text.startswith("link: ", text.rfind("\n", 0, first) + 1):
        return False
    return high - first + 1 == len(wording.text) or wording.text in seen


@lru_cache(maxsize=2**14)
def _ends_of(wording: Wording) -> tuple[int, int] | None:
    """Places of the first and the last letter in a rule's text; None where it looks disguised as it is."""
    text = f"\n{wording.text}\n"
    if wording.spelt or fold(text) != wording.letters:
        return None
    said = _Said(text, places_of(text).tolist(), wording)
    first = said.spots[0]
    if not said.genuine() or said.strength or first != said.low or fold(text[:first]):
        return None
    return said.low - 1, said.high - 1


class _Said:
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
def _letters_of(text: str) -> tuple[str, ...]:
    """The letters of a wording, repeated ones once."""
    plain = [char for char in text if is_letter(char)]
    return tuple(
        char for place, char in enumerate(plain) if not place or fold(char) != fold(plain[place - 1])
    )


def _is_unseen(gap: str) -> bool:
    """Whether a gap has no width: format characters and marks on a letter."""
    return all(unicodedata.category(char) in {"Cf", "Mn", "Me"} for char in gap)
