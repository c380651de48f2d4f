"""The simulator's own template language, compiled once and rendered many times.

    {red|green|blue}     one of them, at random; alternatives may hold macros, and may be empty
    {$link}              a value of the message that is being made
    {?hex:8} {?digit:2-4}  random characters of a class (see ALPHABETS), a fixed number or a range
    {@fruit}             one entry of a word list; entries may hold macros

Everything else stands for itself. A literal brace cannot be written: no template of ours needs one.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence

from spamtide.simulate.stream import Dice

Values = Mapping[str, str]
Piece = str | Callable[[Dice, Values], str]
Program = tuple[Piece, ...]
WordLists = Mapping[str, Sequence[str]]

ALPHABETS: Mapping[str, str] = {
    "digit": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "alnum": string.ascii_lowercase + string.digits,
    "ALNUM": string.ascii_uppercase + string.digits,
    "mixed": string.ascii_letters + string.digits,
    "consonant": "bcdfghjklmnprstvwxz",
    "vowel": "aeiou",
}


class MacroError(ValueError):
    """A template of this package is written wrongly; tests compile every one of them."""


def compile_macro(source: str, words: WordLists | None = None) -> Program:
    """Compile a template.

    Raises:
        MacroError: unbalanced braces, an unknown class or list, or a choice of one.
    """
    pieces: list[Piece] = []
    start = depth = begin = 0
    for place, character in enumerate(source):
        if character == "{":
            if depth == 0:
                pieces.append(source[start:place])
                begin = place + 1
            depth += 1
        elif character == "}":
            depth -= 1
            if depth < 0:
                message = f"'}}' without '{{' in {source!r}"
                raise MacroError(message)
            if depth == 0:
                pieces.append(_compile_inner(source[begin:place], words or {}))
                start = place + 1
    if depth:
        message = f"'{{' without '}}' in {source!r}"
        raise MacroError(message)
    pieces.append(source[start:])
    return tuple(piece for piece in pieces if piece != "")


def render(program: Program, dice: Dice, values: Values) -> str:
    """Make one text of a compiled template.

    Raises:
        KeyError: the template names a value that the message does not have.
    """
    return "".join([piece if isinstance(piece, str) else piece(dice, values) for piece in program])


def _compile_inner(inner: str, words: WordLists) -> Piece:
    """Compile what stands between one pair of braces."""
    if inner.startswith("$"):
        return _value(inner[1:])
    if inner.startswith("?"):
        return _characters(inner[1:])
    if inner.startswith("@"):
        if inner[1:] not in words:
            message = f"no word list '{inner[1:]}'"
            raise MacroError(message)
        return _choice([compile_macro(entry, words) for entry in words[inner[1:]]])
    options = _split(inner)
    if len(options) == 1:
        message = f"a choice of one: {inner!r}"
        raise MacroError(message)
    return _choice([compile_macro(option, words) for option in options])


def _split(inner: str) -> list[str]:
    """Split alternatives at the bars that stand outside inner braces."""
    options = [""]
    depth = 0
    for character in inner:
        depth += (character == "{") - (character == "}")
        if character == "|" and depth == 0:
            options.append("")
        else:
            options[-1] += character
    return options


def _value(name: str) -> Piece:
    def give(_dice: Dice, values: Values) -> str:
        return values[name]

    return give


def _characters(spec: str) -> Piece:
    name, _, span = spec.partition(":")
    if name not in ALPHABETS:
        message = f"no class of characters '{name}'"
        raise MacroError(message)
    alphabet = ALPHABETS[name]
    low, _, high = (span or "1").partition("-")
    least, most = int(low), int(high or low)

    def give(dice: Dice, _values: Values) -> str:
        return dice.text(alphabet, least if least == most else dice.between(least, most))

    return give


def _choice(options: Sequence[Program]) -> Piece:
    # Most alternatives are plain words; they are kept as such to save a call for each.
    plain: list[str | Program] = [
        "".join(map(str, option)) if all(isinstance(piece, str) for piece in option) else option
        for option in options
    ]
    count = len(plain)

    def give(dice: Dice, values: Values) -> str:
        chosen = plain[dice.number(count)]
        return chosen if isinstance(chosen, str) else render(chosen, dice, values)

    return give
