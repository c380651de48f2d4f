"""Brand wording in disguise: what a message says to its reader, however its letters are dressed.

Rules look for plain wording. Spam writes it with look-alike letters, digits for letters, letters set apart,
written backwards, or as a host's name. Every message is folded to bare letters and searched, with one pass
for all wording of all rules; what is found is looked at again in the text, and where it is disguised wording
it is written out plainly below the rendering, so that the rules can be asked once more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header

from spamtide.attribution.brand.fold import fold, is_letter
from spamtide.attribution.brand.index import Index, Place
from spamtide.attribution.brand.said import Said, ends_of
from spamtide.attribution.brand.words import Wording

VERSION = "2"
"""Of the reading: part of a rule set's version, so that a better reading looks at stored mail again."""

MOST_CHARS = 20_000
"""Characters of text that are read."""
MOST_LINK_CHARS = 10_000
"""Characters of subject and links that are read."""
MOST_INDEXES = 4
"""Rule sets' indexes that a process keeps."""
MOST_FINDS = 40
"""Places of one wording that are looked at in one message."""

_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[!|](?=[^\W\d_])")
_BACKWARDS = re.compile("\u202e([^\u202c\n]{1,300})")
_FROM = "\nheader From: "
_SUBJECT = "\nsubject: "
_TEXT = "\ntext:\n"
_LINE = "\n"


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
    index = _index(reading)
    if not index.may_say(rendering, MOST_CHARS, MOST_LINK_CHARS):
        return ()
    found: dict[Wording, str] = {}
    for text, dressed in _shown(rendering):
        seen = None if dressed else rendering
        for wording, said in _looked_at(text, index.places(text), seen):
            found.setdefault(wording, said)
    return tuple(sorted(found.items(), key=lambda item: (item[0].text, item[0].cased))) if found else ()


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
    looked: dict[int, int] = {}  # by identity, of which an index has but one: to compare them takes longer
    done: set[int] = set()
    for wording, spots, backwards in places:
        mark = id(wording)
        looked[mark] = looked.get(mark, 0) + 1
        if mark in done or looked[mark] > MOST_FINDS:
            continue
        if not backwards and _is_within_a_word(text, spots):
            continue
        if seen is not None and not backwards and _stands_plainly(text, wording, spots[0], seen):
            continue
        said = Said(text, spots[::-1] if backwards else spots, wording)
        if said.genuine() and (seen is None or not said.plain()):
            done.add(mark)
            yield wording, said.stretch


def _is_within_a_word(text: str, spots: Sequence[int]) -> bool:
    """Whether letters stand amid others, outside of links, so that `Said` would refuse them."""
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
    ends = ends_of(wording)
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
