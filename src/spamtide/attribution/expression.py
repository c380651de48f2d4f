"""A regular expression of a rule, taken apart. What its parts stand for is said by those who ask."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(
    r"\\(?P<escape>x[0-9a-fA-F]{2}|[^x])"
    # One class within another ("[[:alpha:]]") closes at a later bracket: it is not read.
    r"|\[(?P<set>\^?+\]?+(?:[^\[\]\\]|\\.)*)\]"
    r"|\((?P<group>\?:)?(?!\?)"
    r"|(?P<any>\.)|(?P<edge>[\^$])|(?P<char>[^*+?{|()\[\\])"
)
_REPEAT = re.compile(r"(?:[?*+]|\{\d*,?\d*\})\??")


class UnreadError(Exception):
    """The text is not of the form that is understood here."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an expression, with what repeats it."""

    kind: str
    """'escape', 'set', 'group', 'any', 'edge' or 'char'."""
    text: str
    """The character; of an escape what the backslash is before; of a set what the brackets hold; of a group
    '?:' where it says so."""
    repeat: str
    """The quantifier as it is written, with the '?' of a lazy one; '' for none."""
    options: Options = ()
    """Of a group."""


Options = tuple[tuple[Part, ...], ...]
"""The parts of each alternative."""


def options_of(pattern: str) -> Options:
    """The alternatives of an expression.

    Raises:
        UnreadError: something in it is of another form.
    """
    options, at = _options(pattern, 0)
    if at != len(pattern):
        raise UnreadError
    return options


def _options(pattern: str, at: int) -> tuple[Options, int]:
    """Alternatives from a place on, and where they end."""
    options: list[tuple[Part, ...]] = []
    parts: list[Part] = []
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            options.append(tuple(parts))
            parts = []
            at += 1
            continue
        part, at = _part(pattern, at)
        parts.append(part)
    return (*options, tuple(parts)), at


def _part(pattern: str, at: int) -> tuple[Part, int]:
    found = _PART.match(pattern, at)
    if found is None:
        raise UnreadError
    at = found.end()
    inner: Options = ()
    if found[0][0] == "(":
        inner, at = _options(pattern, at)
        if at == len(pattern):
            raise UnreadError
        at += 1
    repeat = _REPEAT.match(pattern, at)
    kind = found.lastgroup or "group"
    return Part(kind, found[kind] or "", repeat[0] if repeat else "", inner), repeat.end() if repeat else at
