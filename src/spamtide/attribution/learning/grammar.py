"""Regular expressions inferred from values that a mailer wrote: Message-IDs, boundaries, mailer names.

A value is cut into separators, which are kept, and runs of letters and digits. A run becomes a literal only
where a mailer's author must have typed it: words, zero padding, short constants. Whatever may be a clock's
slow digits, a process number or one machine's mark becomes a class with lengths, for a lab has few machines
and few days. What comes out is a person's regular expression, without nested quantifiers, in YARA-X's syntax.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_SHAPES = 5
"""More different arrangements of separators than this among the values, and they are described as one run."""
MAX_LITERALS = 8
"""Up to so many different values are listed as they are."""
MIN_SHARE = 0.02
"""An arrangement that fewer of the values have is left out as an accident."""
CHANCE = 1e-3
"""A narrower class is believed where a wider one would look like it with no more than this probability."""
FEW_MACHINES = 3
"""From so many machines on, what all of them write alike is the mailer's."""
STEADY = 22
"""Values from which an unpadded number would have shown a shorter one: 0.9 ** 22 is a tenth."""
COUNTED_MACHINES = 10
"""From so many machines on, numbers are as long as they are anywhere."""
NAME = r'[^\s<>@"]{1,80}'
"""What a machine or its user may be called."""
SHORT = 2
"""Characters of a constant that is kept whatever it is made of."""
ENOUGH = 8
"""Values from which a short constant counts as one."""

_JOINS = frozenset("-_")
_TOKENS = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]")
_RUNS = re.compile(r"[0-9]+|[a-z]+|[A-Z]+")
_DIGITS = frozenset("0123456789")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CLASSES = (
    ("[0-9]", _DIGITS),
    ("[0-9a-f]", frozenset("0123456789abcdef")),
    ("[0-9A-F]", frozenset("0123456789ABCDEF")),
    ("[a-z]", _LOWER),
    ("[A-Z]", _UPPER),
    ("[0-9a-z]", _DIGITS | _LOWER),
    ("[0-9A-Z]", _DIGITS | _UPPER),
    ("[A-Za-z]", _LOWER | _UPPER),
    ("[0-9A-Za-z]", _DIGITS | _LOWER | _UPPER),
)
_NOT_HEX = re.compile(r"[g-zG-Z]")
_SPECIAL = frozenset("\\^$.|?*+()[]{}/")


@dataclass(frozen=True, slots=True)
class Grammar:
    """A pattern with how much it says."""

    pattern: str
    bits: float
    """Rough count of choices that another author would have made otherwise; 0 for one that takes anything."""


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


def grammar(values: Sequence[str], machines: int = 1, *, named: bool = False) -> Grammar:
    """A regular expression for all but accidental ones of `values`.

    Args:
        values: at least one.
        machines: on how many machines they were written; 1 when not known.
        named: whether a machine's or a user's name may stand in them.
    """
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for value in values:
        tokens = _TOKENS.findall(value)
        shape = tuple("" if token[0].isalnum() and token.isascii() else token for token in tokens)
        groups.setdefault(shape, []).append(tokens)
    floor = MIN_SHARE * len(values)
    kept = [shape for shape in sorted(groups) if len(groups[shape]) >= floor]
    if not kept or len(kept) > MAX_SHAPES:
        return _one_run(values)
    made = [_one_shape(shape, groups[shape], machines, named=named) for shape in kept]
    patterns = list(dict.fromkeys(pattern for pattern, _ in made))
    return Grammar(_either(patterns), min(bits for _, bits in made) - 2 * (len(patterns) - 1))


def listed(values: Sequence[str]) -> str | None:
    """The values themselves as alternatives, when they are few."""
    distinct = sorted(set(values))
    if not distinct or len(distinct) > MAX_LITERALS:
        return None
    return _either([literal(value) for value in distinct])


def _either(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


def _one_run(values: Sequence[str]) -> Grammar:
    """Values of many arrangements: what all begin with, then their characters and lengths."""
    start = _common(values)
    rest = [value[len(start) :] for value in values]
    seen = frozenset("".join(rest))
    letters = frozenset(char for char in seen if char.isalnum() and char.isascii())
    name = _class(["".join(sorted(letters))]) if letters else "[]"
    others = "".join(literal(char) if char != "-" else "\\-" for char in sorted(seen - letters))
    low, high = min(map(len, rest)), max(map(len, rest))
    body = f"{name[:-1]}{others}]{{{max(0, low - 2)},{high + 4}}}" if seen else ""
    return Grammar(literal(start) + body, 2.0 * len(start))


def _one_shape(
    shape: Sequence[str], rows: Sequence[Sequence[str]], machines: int, *, named: bool
) -> tuple[str, float]:
    """Separators as they are, a slot between them; and its bits."""
    out, bits = [], 0.0
    opened = _names(shape, rows) if named and machines < FEW_MACHINES else {}
    for place, separator in enumerate(shape):
        if place in opened:
            out.append(opened[place])
        elif separator:
            out.append(literal(separator))
            bits += 0.2 if place and shape[place - 1] == separator else 1.0
        else:
            pattern, worth = _slot([row[place] for row in rows], machines)
            out.append(pattern)
            bits += worth
    return "".join(out), bits


def _names(shape: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Places of constant words that may be what somebody called the one machine, or its user.

    An author's word comes first ("NextPart", "Pine"), or is written in both cases ("JavaMail"). Words that a
    '-' or '_' joins are one name.
    """
    found: dict[int, str] = {}
    words = [place for place, separator in enumerate(shape) if not separator]
    constant = {place for place in words if len({row[place] for row in rows}) == 1}
    for place in words[1:]:
        word = rows[0][place]
        joined = place - 2 in found and shape[place - 1] in _JOINS and place in constant
        begins = "".join(shape[place + 1 : place + 2]) in _JOINS and place + 2 in constant
        plain = word.isalpha() and word in {word.lower(), word.upper(), word.capitalize()}
        if joined:
            found |= {place - 1: "", place: ""}
        elif place in constant and plain and (begins or len(word) > SHORT) and _NOT_HEX.search(word):
            found[place] = NAME
    return found


def _slot(words: Sequence[str], machines: int) -> tuple[str, float]:
    """A run of letters and digits: a constant, a row of finer runs, or a class with lengths; and its bits."""
    if len(set(words)) == 1 and _typed(words[0], len(words), machines):
        return literal(words[0]), min(10.0, 2.0 * len(words[0]))
    split = [_RUNS.findall(word) for word in words] if len(set(words)) >= ENOUGH else [[]]
    kinds = {tuple(_kind(run) for run in row) for row in split}
    if len(kinds) == 1 and 1 < len(split[0]) <= 4:  # noqa: PLR2004 - more runs are random letters and digits
        columns = [[row[place] for row in split] for place in range(len(split[0]))]
        if all(len({len(word) for word in column}) == 1 for column in columns):
            parts = [_slot(column, machines) for column in columns]
            return "".join(part for part, _ in parts), sum(worth for _, worth in parts)
    words = sorted(set(words))  # a machine's mark seen often is still one example
    start = _common(words)
    if machines < FEW_MACHINES:
        start = "" if start.startswith("0") else start  # perhaps a counter that is still low
    rest = [word[len(start) :] for word in words]
    lengths, worth = _lengths(rest)
    if machines < COUNTED_MACHINES and len(set(map(len, rest))) > 1:
        lengths = _counted(rest) or lengths
    pattern = _class(rest) + lengths if any(rest) else ""
    return literal(start) + pattern, worth + min(10.0, 2.0 * len(start))


def _typed(word: str, count: int, machines: int) -> bool:
    """Whether a constant run must come from the mailer's author, and not from a clock or one machine."""
    if machines >= FEW_MACHINES or not word.strip("0"):
        return True
    if len(word) <= SHORT:
        return count >= ENOUGH or word.isalpha()
    return word.isalpha() and _NOT_HEX.search(word) is not None


def _common(words: Sequence[str]) -> str:
    """What all words begin with, as far as it is zero padding, or letters and signs that no clock writes."""
    first, last = min(words), max(words)
    size = 0
    while size < min(len(first), len(last)) and first[size] == last[size]:
        size += 1
    start = first[: min(size, min(map(len, words)) - 1)]
    zeros = len(start) - len(start.lstrip("0"))
    if zeros:
        return start[:zeros]
    match = re.match(r"[^0-9]*", start)
    head = match[0] if match else ""
    return head if _NOT_HEX.search(head) or not any(char.isalnum() for char in head) else ""


def _kind(run: str) -> str:
    """The run's kind, so that equal arrangements compare equal."""
    return "0" if run.isdigit() else "g" if run.islower() else "G"


def _class(words: Sequence[str]) -> str:
    """The narrowest class that the characters do not merely happen to fall into."""
    text = "".join(words)
    seen = frozenset(text)
    fitting = [(name, members) for name, members in _CLASSES if seen <= members]
    for name, members in fitting:
        wider = [other for _, other in _CLASSES if members < other]
        if all((len(members) / len(other)) ** len(text) <= CHANCE for other in wider):
            return name
    return fitting[-1][0] if fitting else "[0-9A-Za-z]"


def _lengths(words: Sequence[str]) -> tuple[str, float]:
    """Lengths as a quantifier, with room for what a few values do not show; and the bits of it."""
    low, high = min(map(len, words)), max(map(len, words))
    if low == high and _fixed(words):
        return ("" if low == 1 else f"{{{low}}}"), 2.0
    margin = 1 if len(words) >= STEADY else 2
    return f"{{{max(1, low - margin)},{high + margin}}}", 1.0


def _counted(words: Sequence[str]) -> str:
    """Lengths of numbers that are not padded: a process number, or a clock since the machine was started.

    How long they are is the machine's; '' for what is no number.
    """
    seen = frozenset("".join(words))
    most = 10 if seen <= _DIGITS else 8 if any(seen <= members for _, members in _CLASSES[1:3]) else 0
    return f"{{1,{max(most, 2 + max(map(len, words)))}}}" if most else ""


def _fixed(words: Sequence[str]) -> bool:
    """Whether words of one length are of that length by design: padded numbers, or random letters.

    A number that is not padded never begins with a zero, and one in ten of random ones (one in sixteen, in
    hexadecimal) is shorter.
    """
    if len(words) < ENOUGH:
        return False
    text = "".join(words)
    if text.isalpha() and _NOT_HEX.search(text):
        return True
    mixed = _NOT_HEX.search(text) is not None
    return mixed or any(word[0] == "0" for word in words)
