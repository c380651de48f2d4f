"""The wording that programme rules look for, taken from their source, so that it can be known in disguise.

Only plain wording counts: a quoted text, or a regular expression that stands for a few texts. What looks for
addresses, headers or parts of the rendering is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from spamtide.attribution.brand.fold import fold
from spamtide.attribution.expression import Options, Part, UnreadError, options_of

_PAIRS = (("m", "rn"), ("w", "vv"), ("W", "VV"))
"""Letters, and two that together look like one."""
LEAST_PAIRED = 8
"""Folded letters from which such spelling is looked for."""
LEAST_LETTERS = 4
"""Folded letters below which wording says too little."""
MOST_LETTERS = 60
"""Letters of a wording that is looked for in disguise; longer ones are sentences."""
LEAST_PLAIN = 4 / 5
"""Share of a wording's characters that have to be letters: digits fold to letters, and then say little."""
MOST_TEXTS = 16
"""Texts that one regular expression may stand for; above, it is left alone."""

_TOKEN = re.compile(
    r"(?P<head>\brule[ \t]+(?P<rule>\w+))"
    r"|\$\w*\s*=\s*(?:\"(?P<text>(?:[^\"\\\n]|\\.)*)\"|/(?P<regex>(?:[^/\\\n]|\\.)+)/(?P<flags>[is]*))"
    r"(?P<mods>(?:[ \t]+(?:ascii|wide|nocase|fullword|private))*)"
    r"|\"(?:[^\"\\\n]|\\.)*\"|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
MOST_OF_A_CLASS = 4
"""Different letters of a class that is a way of spelling."""
_OPTIONAL = re.compile(r"[?*]|\{0?,\d{1,2}\}")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
_NAMED = {"n": "\n", "t": "\t", "r": "\r"}
_MARKS = re.compile(r"(?:link|subject|header|client|helo|text|header-order):?\b.*[:/]|://|[\n<>{}]|^header ")
"""Parts of the rendering and of addresses: such a text is no wording."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One text that a rule looks for."""

    text: str
    """As the rule has it, for writing out."""
    letters: bytes
    """Folded."""
    breaks: frozenset[int]
    """Places in `letters` at which a new word begins, or goes on behind the letter that both have."""
    cased: bool
    """The rule minds letter case."""
    spelt: str = ""
    """How it is spelt instead, where that is with letters that look like one: 'rn' for 'm'."""

    def __hash__(self) -> int:
        """Of the text alone, which keeps its own: this is asked for some ten times a message."""
        return hash(self.text)


def wordings(sources: Iterable[str], rules: frozenset[str]) -> tuple[Wording, ...]:
    """The wording of the named rules, without repeats, in order.

    Args:
        sources: texts of signature files.
        rules: identifiers of the rules to look at.
    """
    found: dict[tuple[str, bool, str], Wording] = {}
    for source in sources:
        for text, cased in _texts(source, rules):
            wording = wording_of(text, cased=cased)
            if wording is None:
                continue
            found.setdefault((text, cased, ""), wording)
            for spelt in _spellings(wording):
                found.setdefault((text, cased, spelt.spelt), spelt)
    return tuple(found[key] for key in sorted(found))


def _spellings(wording: Wording) -> Iterator[Wording]:
    """The wording with two letters for one."""
    for one, two in _PAIRS:
        other = wording_of(wording.text.replace(one, two), cased=wording.cased)
        if one in wording.text and len(wording.letters) >= LEAST_PAIRED and other is not None:
            yield replace(other, text=wording.text, spelt=other.text)


def wording_of(text: str, *, cased: bool) -> Wording | None:
    """A text as wording, or None where it is none."""
    letters = fold(text)
    plain = sum(char.isalpha() for char in text)
    if not LEAST_LETTERS <= len(letters) <= MOST_LETTERS or b"\x01" in letters or _MARKS.search(text):
        return None
    if plain < LEAST_LETTERS - 1 or plain < LEAST_PLAIN * sum(map(str.isalnum, text)):
        return None
    breaks = set()
    for match in re.finditer(r"\W+", text):
        before = fold(text[: match.start()])
        if before and len(before) < len(letters):
            breaks.add(len(before))  # behind the letter that both have, where a word begins as one ends
    return Wording(text, letters, frozenset(breaks), cased)


def _texts(source: str, rules: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """(text, whether letter case matters) of the patterns of some rules."""
    rule = ""
    for token in _TOKEN.finditer(source):
        if token["rule"]:
            rule = token["rule"]
        elif rule not in rules:
            continue
        elif token["text"] is not None:
            yield _unescaped(token["text"]), "nocase" not in token["mods"]
        elif token["regex"] is not None:
            cased = "i" not in token["flags"] and "nocase" not in token["mods"]
            try:
                texts = dict.fromkeys(_expanded(options_of(token["regex"])))
            except (UnreadError, _NotPlainError):
                continue
            yield from ((text.strip(), cased) for text in texts)


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _NAMED.get(code, code)

    raw = _ESCAPE.sub(plain, text)
    try:  # a text of bytes beyond ASCII is written as \xNN
        return raw.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return raw


class _NotPlainError(Exception):
    """The expression stands for more than a few texts."""


def _expanded(options: Options) -> list[str]:
    """The few texts that an expression stands for.

    Understood: literals, escapes, small classes, groups, alternatives, '?', and white space or punctuation
    repeated. Anything else is not plain.
    """
    return _bounded([text for parts in options for text in _sequence(parts)])


def _sequence(parts: Sequence[Part]) -> list[str]:
    found = [""]
    for part in parts:
        found = _bounded(["".join(pair) for pair in product(found, _repeated(_single(part), part.repeat))])
    return found


def _single(part: Part) -> list[str]:
    if part.kind == "escape":
        return _escape(part.text)
    if part.kind == "set":
        return _class(part)
    if part.kind == "group":
        return _expanded(part.options)
    if part.kind == "edge":
        return [""]
    if part.kind == "any":
        if _OPTIONAL.match(part.repeat):
            return [" "]  # something or nothing, as between the words of a name
        raise _NotPlainError
    return [part.text]


def _escape(char: str) -> list[str]:
    if char in "sWt":
        return [" "]
    if char in "bB":
        return [""]
    if char.isalnum():
        raise _NotPlainError
    return [char]


def _class(part: Part) -> list[str]:
    body = part.text
    if body[:1] == "^":
        if _OPTIONAL.match(part.repeat):
            return [" "]
        raise _NotPlainError
    members = re.findall(r"\\?(.)", body.replace("\\s", " "))
    letters = [member for member in members if member.isalnum()]
    if not letters:
        return [" "] if " " in members else members[:1]
    if re.search(r"\w-\w", body):
        raise _NotPlainError
    spelt = list({fold(member): member for member in reversed(members)}.values())
    if len(spelt) > MOST_OF_A_CLASS:
        raise _NotPlainError
    return spelt[::-1]


def _repeated(options: list[str], repeat: str) -> list[str]:
    """Options under the quantifier that follows. A separator that may be absent is kept."""
    if not repeat or not any(char.isalnum() for option in options for char in option):
        return options
    if repeat in {"?", "??", "{0,1}", "{0,1}?"}:
        return [*options, ""]
    raise _NotPlainError


def _bounded(found: list[str]) -> list[str]:
    if len(found) > MOST_TEXTS:
        raise _NotPlainError
    return found
