"""What a message must hold for a rule to match: texts of a few characters each, one of which stands in it.

Read off the rule's strings and condition. A rule that demands several things is known by the one that is
rarest in mail; of one that is not understood nothing is known, so that it has to be asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from spamtide.attribution.expression import Part, UnreadError, options_of
from spamtide.attribution.signature.source import RuleSource, String

LEAST = 4
"""Characters of a text that messages are searched for."""
MOST = 64
"""Characters of a text that are looked at, where it need not be found whole."""
MOST_TEXTS = 8
"""Texts that one stretch of a pattern may stand for."""
_ASCII = 128
_LETTER = 1.0
_CLASS = 0.3
"""How telling a letter is, and one of a class."""
_FRAME = re.compile(
    r"\n?(?:header [\w-]+: |header-order: |subject: |link: (?:https?://)?|helo: |client: |traits: |text:\n)",
    re.IGNORECASE,
)
"""What renderings of all messages hold."""
_USUAL = re.compile(
    r"@(?:gmail|yahoo|hotmail|outlook|aol)\.com>?"
    r"|(?:Microsoft Outlook Express |Produced By Microsoft MimeOLE V)6\.00\.",
    re.IGNORECASE,
)
"""What much of them holds."""
_REPEATED = re.compile(r"(?:[?*+]|\{(\d+)(?:,\d*)?\})?\??")
_MEMBER = re.compile(r"(\w)-(\w)|([\w .,:;@%+=#'!<>/\"()])", re.ASCII)
_MEMBERS = re.compile(rf"(?:{_MEMBER.pattern})+-?", re.ASCII)
_ESCAPED = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_DIGITS = range(48, 58)

Text = tuple[int, ...]
"""For each of its characters a number with a bit for each ASCII character that may stand there."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A text that messages are searched for."""

    text: Text
    fullword: bool = False
    """No letter or digit may stand before or after it."""


Need = frozenset[Sought] | None
"""Texts of which a message must hold one; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A rule that matches where so many of some texts stand, and nowhere else."""

    least: int
    texts: tuple[Sought, ...]


def letters(text: str, *, nocase: bool) -> Text:
    """A plain text. Of ASCII characters alone."""
    return tuple(_letter(ord(char), nocase=nocase) for char in text)


def telling(text: Text) -> float:
    """How little of all mail holds a text."""
    plain = "".join(chr(mask.bit_length() - 1) if mask.bit_count() <= 2 else "\0" for mask in text)  # noqa: PLR2004 - a letter in both cases
    frame = _FRAME.match(plain)
    rest = _USUAL.sub("", plain[frame.end() if frame else 0 :])
    return sum(_CLASS if char == "\0" else _LETTER for char in rest)


def needs_of(rules: Sequence[RuleSource]) -> dict[str, Need]:
    """What each rule of a file needs; rules may name those before them."""
    found: dict[str, Need] = {}
    for rule in rules:
        try:
            found[rule.name] = _Condition(rule, found).need()
        except UnreadError:
            found[rule.name] = None
    return found


def plain_of(rule: RuleSource) -> Plain | None:
    """A rule that looks for plain texts alone, in a form that needs no more than a count of them."""
    texts = [_exactly(string) for string in rule.strings]
    known = [text for text in texts if text is not None]
    if rule.kinds or not known or len(known) != len(texts):
        return None
    condition = " ".join(rule.condition)
    keys = [string.key for string in rule.strings]
    if condition == keys[0] and len(keys) == 1:
        return Plain(1, tuple(known))
    count, _, rest = condition.partition(" ")
    least = {"any": 1, "all": len(keys)}.get(count, int(count) if re.fullmatch("[1-9][0-9]?", count) else 0)
    return Plain(least, tuple(known)) if rest == "of them" and 0 < least <= len(keys) else None


class _Condition:
    """A condition, read for what it cannot do without."""

    def __init__(self, rule: RuleSource, others: Mapping[str, Need]) -> None:
        self._tokens = rule.condition
        self._at = 0
        self._others = others
        self._of = [(string.key, _need_of(string)) for string in rule.strings]

    def need(self) -> Need:
        """Of the whole."""
        found = self._any()
        if self._at != len(self._tokens):
            raise UnreadError
        return found

    def _any(self) -> Need:
        parts = [self._all()]
        while self._comes("or"):
            parts.append(self._all())
        return _one_of(parts)

    def _all(self) -> Need:
        parts = [self._term()]
        while self._comes("and"):
            parts.append(self._term())
        return _best(parts)

    def _term(self) -> Need:
        token = self._next()
        if token == "not":  # noqa: S105 - a word of the rule language
            self._term()
            return None
        if token == "(":  # noqa: S105 - the same
            found = self._any()
            if not self._comes(")"):
                raise UnreadError
            return found
        if token[0] == "$":
            return _one_of(self._named(token))
        if token in {"any", "all"} or (token.isdigit() and int(token) > 0):
            return self._some(token)
        if token in self._others and not self._ahead("."):
            return self._others[token]
        if token in {"true", "false"}:
            return None
        raise UnreadError

    def _some(self, count: str) -> Need:
        """So many of the strings."""
        if not self._comes("of"):
            raise UnreadError
        if self._comes("them"):
            parts = [need for _, need in self._of]
        else:
            if not self._comes("("):
                raise UnreadError
            parts = self._named(self._next())
            while self._comes(","):
                parts += self._named(self._next())
            if not self._comes(")"):
                raise UnreadError
        if self._ahead("in") or self._ahead("at"):
            raise UnreadError
        least = {"any": 1, "all": len(parts)}.get(count) or int(count)
        if least > len(parts):
            raise UnreadError
        # Of those without which it cannot come to so many, the most telling.
        known = sorted((need for need in parts if need is not None), key=_worth, reverse=True)
        enough = len(parts) - least + 1
        return _one_of(known[:enough]) if len(known) >= enough else None

    def _named(self, key: str) -> list[Need]:
        """What each string of a name, or with a name's beginning, needs."""
        if key[0] != "$":
            raise UnreadError
        found = [
            need for own, need in self._of if own == key or (key[-1] == "*" and own.startswith(key[:-1]))
        ]
        if not found or key == "$":
            raise UnreadError
        if any(self._ahead(word) for word in ("at", "in")):
            raise UnreadError
        return found

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise UnreadError
        self._at += 1
        return self._tokens[self._at - 1]

    def _ahead(self, token: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == token

    def _comes(self, token: str) -> bool:
        if not self._ahead(token):
            return False
        self._at += 1
        return True


def _one_of(parts: Sequence[Need]) -> Need:
    """What is needed for one of several."""
    known = [need for need in parts if need is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


def _best(parts: Sequence[Need]) -> Need:
    """The most telling need of several that are all to be met."""
    known = [need for need in parts if need is not None]
    return max(known, key=_worth) if known else None


def _worth(need: frozenset[Sought]) -> tuple[float, int]:
    return min((telling(one.text) for one in need), default=0.0), -len(need)


def _need_of(string: String) -> Need:
    """What one string needs."""
    if string.modifiers & {"wide", "xor", "base64", "base64wide"} or string.kind == "hex":
        return None
    if string.kind == "text":
        exact = _exactly(string)
        if exact is not None:
            return frozenset({exact})
        plain = _unescaped(string.value)
        stretches = re.findall(r"[\0-\x7f]{4,}", plain) if plain is not None else []
        nocase = "nocase" in string.modifiers
        texts = [frozenset({Sought(letters(text, nocase=nocase)[:MOST])}) for text in stretches]
        return _best(texts)
    try:
        nocase = not string.modifiers.isdisjoint({"i", "nocase"})
        return _pattern_need(string.value, nocase=nocase)
    except UnreadError:
        return None


def _exactly(string: String) -> Sought | None:
    """A string that stands for one text of ASCII characters."""
    plain = _unescaped(string.value) if string.kind == "text" else None
    if plain is None or len(plain) < LEAST or not plain.isascii():
        return None
    if string.modifiers - {"ascii", "nocase", "fullword"}:
        return None
    text = letters(plain, nocase="nocase" in string.modifiers)
    return Sought(text, "fullword" in string.modifiers) if _has_key(text) else None


def _unescaped(value: str) -> str | None:
    """A quoted text; None where it is not understood."""

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES[code]

    # Bytes beyond ASCII are none of the characters that are searched for, however they are written.
    return _ESCAPE.sub(plain, value) if _ESCAPABLE.fullmatch(value) else None


_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r"}
_ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|["\\ntr])')
_ESCAPABLE = re.compile(r'(?:[^\\]|\\(?:x[0-9a-fA-F]{2}|["\\ntr]))*')


def _pattern_need(pattern: str, *, nocase: bool) -> Need:
    """Texts of which one stands where a regular expression matches: its stretches of fixed length."""
    found = []
    for parts in options_of(pattern):
        stretches, _ = _sequence(parts, nocase=nocase)
        found.append(_best([frozenset(map(Sought, texts)) for texts in stretches]))
    return _one_of(found)


def _sequence(parts: Sequence[Part], *, nocase: bool) -> tuple[list[set[Text]], set[Text] | None]:
    """Stretches that all stand in a match; and what the whole stands for, if that is a few texts."""
    stretches: list[set[Text]] = []
    now: set[Text] = {()}
    whole = True

    def end() -> None:
        nonlocal now
        texts = {text[:MOST] for text in now}
        if all(len(text) >= LEAST and _has_key(text) for text in texts):
            stretches.append(texts)
        now = {()}

    for part in parts:
        options = _repeated(_single(part, nocase=nocase), part.repeat)
        if options is not None and len(now) * len(options) > MOST_TEXTS:
            end()
            whole = False
        if options is None:
            end()
            whole = False
            continue
        now = {one + other for one, other in product(now, options)}
    kept = now if whole else None
    end()
    return stretches, kept


def _single(part: Part, *, nocase: bool) -> set[Text] | None:
    """What a part stands for, one by one; None where that is too much."""
    if part.kind == "group":
        return _group(part, nocase=nocase)
    if part.kind == "set":
        return _class(part.text, nocase=nocase)
    if part.kind == "escape":
        return _escape(part.text, nocase=nocase)
    if part.kind == "edge":
        return {()}
    if part.kind == "any":
        return None
    if part.text == "}":
        raise UnreadError
    return {(_letter(ord(part.text), nocase=nocase),)} if part.text.isascii() else None


def _group(part: Part, *, nocase: bool) -> set[Text] | None:
    if part.text:
        raise UnreadError
    options: set[Text] | None = set()
    for each in part.options:
        _, whole = _sequence(each, nocase=nocase)
        options = options | whole if options is not None and whole is not None else None
    return options if options is not None and len(options) <= MOST_TEXTS else None


def _escape(text: str, *, nocase: bool) -> set[Text] | None:
    char = text[0]
    if not char.isascii():
        raise UnreadError
    if char in "bB":
        return {()}
    if char == "d":
        return {(sum(1 << code for code in _DIGITS),)}
    if char in "DwWsS":
        return None
    if char == "x":
        number = int(text[1:], 16)
        return {(_letter(number, nocase=nocase),)} if number < _ASCII else None
    if char in _ESCAPED:
        return {(1 << _ESCAPED[char],)}
    if char.isalnum():
        raise UnreadError
    return {(1 << ord(char),)}


def _class(body: str, *, nocase: bool) -> set[Text] | None:
    # What is negated, escaped or a class of its own kind is of any length in bytes, or not worth reading.
    if not _MEMBERS.fullmatch(body):
        return None
    mask = 0
    for first, last, single in _MEMBER.findall(body):
        for code in range(ord(first or single), ord(last or single) + 1):
            mask |= _letter(code, nocase=nocase)
    if body.endswith("-"):
        mask |= _letter(ord("-"), nocase=False)
    return {(mask,)}


def _repeated(options: set[Text] | None, repeat: str) -> set[Text] | None:
    found = _REPEATED.fullmatch(repeat)
    if found is None:
        raise UnreadError
    if options is None or not repeat:
        return options
    if repeat == "?":
        return options | {()}
    if found[1] and repeat == f"{{{found[1]}}}" and len(options) == 1:
        (text,) = options
        return {text * int(found[1])} if len(text) * int(found[1]) <= MOST * MOST else None
    return None


def _letter(code: int, *, nocase: bool) -> int:
    char = chr(code)
    return 1 << code | (1 << ord(char.swapcase()) if nocase and char.isalpha() else 0)


def key_of(text: Text, at: int) -> bytes | None:
    """Four characters from a place on, letter case left out, if each of them is one character."""
    key = bytearray()
    for mask in text[at : at + LEAST]:
        low = {code | 0x20 for code in range(_ASCII) if mask >> code & 1}
        if len(low) != 1:
            return None
        key += bytes(low)
    return bytes(key) if len(key) == LEAST else None


def _has_key(text: Text) -> bool:
    return any(key_of(text, at) for at in range(len(text) - LEAST + 1))
