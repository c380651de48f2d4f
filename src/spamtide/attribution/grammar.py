"""Regular expressions inferred from values that a mailer wrote: Message-IDs, boundaries, mailer names.

A value is cut into separators, which are kept, and runs of letters and digits, which become literals where
they never change and classes with lengths where they do. Leading digits that merely happen to be the same
for a while (time stamps) are never kept. What comes out is a person's regular expression, without nested
quantifiers, in the syntax that YARA-X takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_SHAPES = 4
"""More different shapes than this among the values, and there is no grammar worth a rule."""
MAX_LITERALS = 8
"""Up to so many different values are listed as they are."""
MIN_SHARE = 0.02
"""A shape that fewer of the values have is left out as an accident."""

_TOKENS = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]")
_RUNS = re.compile(r"[0-9]+|[a-z]+|[A-Z]+")
_CLASSES = (
    ("[0-9]", frozenset("0123456789")),
    ("[0-9a-f]", frozenset("0123456789abcdef")),
    ("[0-9A-F]", frozenset("0123456789ABCDEF")),
    ("[a-z]", frozenset("abcdefghijklmnopqrstuvwxyz")),
    ("[A-Z]", frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
    ("[0-9a-z]", frozenset("0123456789abcdefghijklmnopqrstuvwxyz")),
    ("[0-9A-Z]", frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
)
_ANY = "[0-9A-Za-z]"
_SPECIAL = frozenset("\\^$.|?*+()[]{}/")


def literal(text: str) -> str:
    """`text` as a regular expression that matches it alone; bytes outside ASCII as UTF-8."""
    out = []
    for char in text:
        if char in _SPECIAL:
            out.append("\\" + char)
        elif " " <= char <= "~":
            out.append(char)
        else:
            out.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace"))
    return "".join(out)


def grammar(values: Sequence[str]) -> str | None:
    """A regular expression for all but accidental ones of `values`; None where they follow no grammar.

    An e-mail style value ('...@host') is described up to the '@'; its host is the sender's to choose.
    """
    local = [value.partition("@")[0] for value in values]
    hosts = [value.partition("@")[2] for value in values]
    if not any(hosts):
        return _shapes(values)
    if not all(hosts):
        return None
    left = _shapes(local)
    return None if left is None else f"{left}@{_host(hosts)}"


def listed(values: Sequence[str]) -> str | None:
    """The values themselves as alternatives, when they are few."""
    distinct = sorted(set(values))
    if not distinct or len(distinct) > MAX_LITERALS:
        return None
    return _either([literal(value) for value in distinct])


def _either(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


def _host(hosts: Sequence[str]) -> str:
    """The part after '@': a constant, a single word, or any host; with what closes it."""
    close = ">" if all(host.endswith(">") for host in hosts) else ""
    names = [host.removesuffix(">") for host in hosts]
    if len(set(names)) == 1:
        return literal(names[0]) + close
    if all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in names):
        return _slot(names) + close
    if all(re.fullmatch(r"\[[0-9.]+\]", name) for name in names):
        return r"\[[0-9.]{7,15}\]" + close
    return r"[^ >\n]{1,255}" + close


def _shapes(values: Sequence[str]) -> str | None:
    """One alternative for each arrangement of separators."""
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for value in values:
        tokens = _TOKENS.findall(value)
        shape = tuple("" if token[0].isalnum() and token.isascii() else token for token in tokens)
        groups.setdefault(shape, []).append(tokens)
    floor = MIN_SHARE * len(values)
    kept = [shape for shape in sorted(groups) if len(groups[shape]) >= floor]
    if not kept or len(kept) > MAX_SHAPES:
        return None
    return _either([_one_shape(shape, groups[shape]) for shape in kept])


def _one_shape(shape: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Separators as they are, a slot between them."""
    return "".join(
        literal(separator) if separator else _slot([row[place] for row in rows])
        for place, separator in enumerate(shape)
    )


def _slot(words: Sequence[str]) -> str:
    """A run of letters and digits: a constant, a row of finer runs, or a class with lengths."""
    if len(set(words)) == 1:
        return literal(words[0])
    split = [_RUNS.findall(word) for word in words]
    kinds = {tuple(_class([run]) for run in runs) for runs in ([_kind(run) for run in row] for row in split)}
    if len(kinds) == 1 and len(split[0]) > 1:
        columns = [[row[place] for row in split] for place in range(len(split[0]))]
        if all(len({len(word) for word in column}) == 1 for column in columns):
            return "".join(_slot(column) for column in columns)
    zeros = _zeros(words)
    rest = [word[zeros:] for word in words]
    return "0" * zeros + _class(rest) + _lengths(rest)


def _kind(run: str) -> str:
    """A representative of the run's kind, so that equal arrangements compare equal."""
    return "0" if run.isdigit() else "g" if run.islower() else "G"


def _zeros(words: Sequence[str]) -> int:
    """Leading zeros that all words share: padding that a mailer prints, unlike the digits of a clock."""
    count = 0
    while all(len(word) > count + 1 and word[count] == "0" for word in words):
        count += 1
    return count


def _class(words: Sequence[str]) -> str:
    seen = frozenset("".join(words))
    return next((name for name, members in _CLASSES if seen <= members), _ANY)


def _lengths(words: Sequence[str]) -> str:
    """Lengths as a quantifier; a varying length is given a margin of one on either side."""
    low, high = min(map(len, words)), max(map(len, words))
    if low == high:
        return "" if low == 1 else f"{{{low}}}"
    return f"{{{max(1, low - 1)},{high + 1}}}"
