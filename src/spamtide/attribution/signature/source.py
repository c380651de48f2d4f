"""The text of signature files, read as far as it takes to know what each rule looks for.

Not a compiler: YARA-X has compiled the same text before, and what is not understood here is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spamtide.attribution.expression import UnreadError

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/([is]*)")
_HEX = re.compile(r"\{[^{}\"]*\}")
_KINDS = (("text", _TEXT), ("regex", _REGEX), ("hex", _HEX))
_WORD = re.compile(r"\w+")
_KEY = re.compile(r"\$\w*")
_VALUE = re.compile(r'-?\w+|"(?:[^"\\\n]|\\.)*"')
_MODIFIER = re.compile(r"(?:ascii|wide|nocase|fullword|private|xor|base64wide|base64)\b")
_TOLD = re.compile(r"\([^()]*\)")
_TOKEN = re.compile(r'[$#@!]?\w+\*?|\$\*?|"(?:[^"\\\n]|\\.)*"|[^\s\w{}"/]')


@dataclass(frozen=True, slots=True)
class String:
    """One string of a rule."""

    key: str
    """With its '$'."""
    kind: str
    """'text', 'regex' or 'hex'."""
    value: str
    modifiers: frozenset[str]
    """Flags of a regular expression too."""


@dataclass(frozen=True, slots=True)
class RuleSource:
    """One rule."""

    name: str
    kinds: frozenset[str]
    """'private', 'global'."""
    strings: tuple[String, ...]
    condition: tuple[str, ...]
    """Its tokens."""


def rules_of(text: str) -> list[RuleSource]:
    """The rules of a file in order.

    Raises:
        UnreadError: something in it is of another form.
    """
    return list(_Reader(text).rules())


class _Reader:
    """A place in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._skip()

    def rules(self) -> Iterator[RuleSource]:
        """Every rule, to the end."""
        while self.at < len(self.text):
            kinds = set()
            word = self._take(_WORD)
            while word in {"private", "global"}:
                kinds.add(word)
                word = self._take(_WORD)
            if word == "import" and not kinds:
                self._take(_TEXT)
                continue
            if word != "rule":
                raise UnreadError
            yield self._rule(frozenset(kinds))

    def _rule(self, kinds: frozenset[str]) -> RuleSource:
        name = self._take(_WORD)
        if self._comes(":"):
            while not self._comes("{"):
                self._take(_WORD)
        else:
            self._need("{")
        section = self._section()
        if section == "meta":
            while not self._ahead(("strings", "condition")):
                self._take(_WORD)
                self._need("=")
                self._take(_VALUE)
            section = self._section()
        strings: list[String] = []
        if section == "strings":
            while not self._ahead(("condition",)):
                strings.append(self._string())
            section = self._section()
        if section != "condition":
            raise UnreadError
        tokens = []
        while not self._comes("}"):
            tokens.append(self._take(_TOKEN))
        return RuleSource(name, kinds, tuple(strings), tuple(tokens))

    def _string(self) -> String:
        key = self._take(_KEY)
        self._need("=")
        tried = ((kind, pattern.match(self.text, self.at)) for kind, pattern in _KINDS)
        kind, found = next(((kind, found) for kind, found in tried if found), ("", None))
        if found is None:
            raise UnreadError
        modifiers: set[str] = set()
        self._move(found)
        value = found[1] if kind != "hex" else found[0]
        if kind == "regex":
            modifiers.update(found[2])
        while more := _MODIFIER.match(self.text, self.at):
            modifiers.add(more[0])
            self._move(more)
            if told := _TOLD.match(self.text, self.at):
                self._move(told)
        return String(key, kind, value, frozenset(modifiers))

    def _section(self) -> str:
        word = self._take(_WORD)
        self._need(":")
        return word

    def _ahead(self, words: tuple[str, ...]) -> bool:
        """Whether one of some sections begins here."""
        found = _WORD.match(self.text, self.at)
        if found is None or found[0] not in words:
            return False
        space = _SPACE.match(self.text, found.end())
        return self.text.startswith(":", space.end() if space else found.end())

    def _comes(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        self._skip()
        return True

    def _need(self, sign: str) -> None:
        if not self._comes(sign):
            raise UnreadError

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise UnreadError
        self._move(found)
        return found[0]

    def _move(self, found: re.Match[str]) -> None:
        self.at = found.end()
        self._skip()

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.at)
        if space:
            self.at = space.end()
