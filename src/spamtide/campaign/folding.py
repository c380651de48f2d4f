"""Text to comparable bytes: what a reader sees the same, becomes the same.

Reads an observation's subject and rendering, writes UTF-8 with personal words taken out.
Everything here works on one message's text with the standard library's C loops; what needs a look at
single words is done by `words` for a whole batch at once.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Protocol

from spamtide.compiled import native
from spamtide.quoting import READ_CHARS, own_words

TEXT_CHARS = 4_000
"""Characters of visible text that are compared. What a mail says, it says before that."""
GREETING_CHARS = 300
"""A greeting stands within this many characters of the text's start."""

TEXT_LINE = "\ntext:"
"""What stands before the text in a rendering."""


class Shown(Protocol):
    """What is read of a message."""

    @property
    def subject(self) -> str:
        """Decoded subject."""

    @property
    def rendering(self) -> str:
        """The one decoded text of a message."""


_REDACTED = re.compile(r"rcpt\.[0-9a-f]+(?:@[\w.-]+)?")
"""What `observation.redact` leaves in place of a recipient's address."""

_GREETING = re.compile(
    r"[ \t]*(?:dear|hello|hi|hey|attn|attention|good (?:day|morning|afternoon|evening)|greetings"
    r"|bonjour|ch[eè]re?|hallo|liebe[rs]?|sehr geehrte[rs]?|guten tag|hola|estimad[oa]|ciao|car[oa]"
    r"|gentile|ol[aá]|prezad[oa]|здравствуйте|привет|уважаем(?:ый|ая))"
    r"\b(?:[ \t]+(?:mrs?|ms|miss|dr|prof)\.)?(?:[ \t]+[^\s,.:;!?]{1,30}){0,2}[ \t]*(?=[,.:;!?\n])"
)
"""A greeting and the name in it, up to the punctuation that ends it; more words than that are a sentence."""

_GREETINGS = frozenset(
    "de he hi at go gr bo ch ha li se gu ho es ci ca ge ol pr зд пр ув".split()  # noqa: SIM905 - pairs of letters
)
"""First two letters of the greetings: the pattern, which is slow, is asked only where a line begins so."""
_GREETING_PAIRS = "".join(sorted(pair for pair in _GREETINGS if pair.isascii())).encode()
_MOST_GREETINGS = 2
"""Greetings that are left out; what stands below may be a quoted letter."""

_UNSPACED = re.compile(
    "(?:[\u0e00-\u0e30\u0e32\u0e33\u0e3f-\u0e46\u0e4f-\u0e7f\u3040-\u3098\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"
    "[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u3099\u309a]*)+"
)
"""Scripts that put no spaces between words (Thai, kana, Han), letters with the marks on them. Every two
neighbouring letters are taken as a word: most words have two, and single ones are in any text."""
_UNIT = re.compile(".[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u3099\u309a]*")

_LOOKALIKES = tuple(zip("аеорсухіѕјԁһοανρτ", "aeopcyxisjdhoavpt", strict=True))
"""Cyrillic and Greek letters that pass for Latin ones. A real Russian text is merely recoded by this."""


def fold(observation: Shown) -> bytes:
    """Subject and visible text of one message as comparable bytes.

    Returns UTF-8, subject first, a line each; outside ASCII in lower case. What an answer quotes is left
    out, look-alike letters are Latin ones; redacted addresses and the greeting's name are gone. Total, and
    linear in the text.
    """
    rendering = observation.rendering
    start = rendering.find(TEXT_LINE)
    begin = start + len(TEXT_LINE) if start >= 0 else len(rendering)
    subject, own = own_words(observation.subject, rendering[begin : begin + READ_CHARS])
    if native:
        plain = native.fold(subject, f"{TEXT_LINE}{own}", _GREETING_PAIRS, _without_greeting)
        if plain is not None:
            return plain
    text = f"{subject[:TEXT_CHARS]}\n{own[:TEXT_CHARS].lstrip()}"
    if not text.isascii():
        text = _fold_unicode(text)
    if "rcpt." in text:
        text = _REDACTED.sub(" ", text)
    cut = len(subject) + GREETING_CHARS
    head = _without_greeting(text[:cut].lower())
    return (head + text[cut:]).encode("utf-8", "replace")


def _without_greeting(head: str) -> str:
    """The beginning of a text, in lower case, with its first two greetings left out."""
    lines = head.split("\n")
    found = 0
    for at, line in enumerate(lines):
        if line.lstrip(" \t")[:2] not in _GREETINGS:
            continue
        greeting = _GREETING.match(f"{line}\n" if at < len(lines) - 1 else line)
        if greeting:
            lines[at] = " " + line[greeting.end() :]
            found += 1
            if found == _MOST_GREETINGS:
                break
    return "\n".join(lines) if found else head


def _fold_unicode(text: str) -> str:
    """Bring text outside ASCII to plain letters where it has them."""
    text = unicodedata.normalize("NFKD", text).lower()
    for lookalike, letter in _LOOKALIKES:
        text = text.replace(lookalike, letter)
    spaced = native.is_spaced(text) if native else not _UNSPACED.search(text)
    return text if spaced else _UNSPACED.sub(_pairs, text)


def unspaced(text: str) -> int:
    """Letters of a text that are of a script without spaces, and the marks on them."""
    return sum(map(len, _UNSPACED.findall(text)))


def _pairs(run: re.Match[str]) -> str:
    """A run of letters without spaces as its pairs of neighbours, each a word."""
    letters = _UNIT.findall(run[0])
    words = map("".join, pairwise(letters)) if len(letters) > 1 else letters
    return f" {' '.join(words)} "
