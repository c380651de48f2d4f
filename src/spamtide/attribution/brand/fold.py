# ruff: noqa: RUF001 - this file is about characters that are taken for others
"""Letters as a reader takes them: look-alikes, accents and digits in place of letters, all as plain letters.

Text becomes one byte a character through a table, so that a message costs a few array operations. What parts
letters without being one (white space, punctuation, marks, invisible characters) is left out, and a letter
that is repeated stands once.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

FOREIGN = 1
"""Folded form of a letter that looks like none of ours: it parts words and belongs to none."""
_PLANES = 0x20000
"""Code points of the table; the last, a permanent non-character, stands for those above."""
_LETTERS = (
    (0, 0x2E80),
    (0xA4D0, 0xA500),
    (0xA640, 0xAC00),
    (0xF900, 0x10000),
    (0x1D400, 0x1D800),
    (0x1F100, 0x1F200),
)
"""Blocks of code points in which letters like ours are."""
_EAST_ASIAN = ((0x2E80, 0xA4D0), (0xA500, 0xA640), (0xAC00, 0xD800))
"""First code point, and the one past the last, of East Asian scripts: all of it is folded to FOREIGN."""

_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s"}
_SAME = {"l": "i"}
"""Plain letters that stand for one another: a reader takes l, I and 1 as one stroke."""
_LOOK_ALIKE = {
    # Cyrillic
    "а": "a", "в": "b", "е": "e", "ё": "e", "з": "e", "и": "n", "й": "n", "к": "k", "м": "m", "н": "h",
    "о": "o", "п": "n", "р": "p", "с": "c", "т": "t", "у": "y", "ф": "o", "х": "x", "ч": "y", "ѕ": "s",
    "і": "i", "ї": "i", "ј": "j", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ѵ": "v", "ь": "b", "һ": "h", "г": "r",
    "я": "r", "ѡ": "w", "ո": "n", "ӏ": "i", "ү": "y", "ғ": "f", "ҏ": "p", "є": "e", "э": "e", "д": "a",
    # Greek
    "α": "a", "β": "b", "γ": "y", "δ": "d", "ε": "e", "ζ": "z", "η": "n", "θ": "o", "ι": "i", "κ": "k",
    "λ": "a", "μ": "u", "ν": "v", "ξ": "e", "ο": "o", "π": "n", "ρ": "p", "σ": "o", "ς": "c", "τ": "t",
    "υ": "u", "φ": "o", "χ": "x", "ω": "w", "ϲ": "c", "ϳ": "j", "Α": "a", "Ν": "n", "Η": "h", "Ρ": "p",
    "Μ": "m", "Υ": "y", "Χ": "x", "Σ": "e", "Λ": "a", "Π": "n",
    # Armenian, Cherokee, Lisu, Latin letters that do not decompose
    "օ": "o", "ս": "u", "ց": "g", "հ": "h", "ք": "p", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ı": "i", "ł": "i",
    "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ƅ": "b", "ƒ": "f", "ɪ": "i", "ʏ": "y", "ʀ": "r", "ɴ": "n",
    "ʜ": "h", "ʟ": "i", "ʙ": "b", "ɢ": "g", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ᴊ": "j", "ᴋ": "k",
    "ᴍ": "m", "ᴏ": "o", "ᴘ": "p", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "ᴦ": "r", "ꜱ": "s",
    "ꞁ": "i", "ᶜ": "c", "ß": "b", "æ": "a", "œ": "o", "ð": "d", "þ": "p", "ƿ": "p", "ʋ": "v", "ɛ": "e",
    "ꓮ": "a", "ꓐ": "b", "ꓚ": "c", "ꓓ": "d", "ꓰ": "e", "ꓝ": "f", "ꓖ": "g", "ꓧ": "h", "ꓲ": "i", "ꓙ": "j",
    "ꓗ": "k", "ꓡ": "i", "ꓟ": "m", "ꓠ": "n", "ꓳ": "o", "ꓑ": "p", "ꓣ": "r", "ꓢ": "s", "ꓔ": "t", "ꓴ": "u",
    "ꓦ": "v", "ꓪ": "w", "ꓫ": "x", "ꓬ": "y", "ꓜ": "z", "Ꭺ": "a", "Ᏼ": "b", "Ꮯ": "c", "Ꭼ": "e", "Ꮐ": "g",
    "Ꮋ": "h", "Ꮖ": "i", "Ꭻ": "j", "Ꮶ": "k", "Ꮮ": "i", "Ꮇ": "m", "Ꮲ": "p", "Ꭱ": "r", "Ꮪ": "s", "Ꭲ": "t",
    "Ꮩ": "v", "Ꮃ": "w", "Ꮍ": "y", "Ꮓ": "z", "ɐ": "a", "ɔ": "c", "ǝ": "e", "ɟ": "f", "ɥ": "h", "ɯ": "m",
    "ɹ": "r", "ʇ": "t", "ʌ": "v", "ʍ": "w", "ʎ": "y", "№": "n",
    # signs
    "€": "e", "£": "i", "¢": "c", "¥": "y", "©": "c", "®": "r", "†": "t", "∂": "d", "∆": "a", "ª": "a",
    "º": "o", "°": "o", "¡": "i", "¦": "i", "₣": "f", "₤": "i", "₦": "n", "₩": "w", "₮": "t", "₱": "p",
    "ⓘ": "i",
}  # fmt: skip
"""Characters of other scripts and signs -> the letter that they pass for. Ours: looked at in common fonts."""

_ASCII = 128
_LEAST_RUN = 2


@cache
def _table() -> NDArray[np.uint8]:
    """Code point -> folded byte, 0 for what is left out. Made once a process, in a tenth of a second."""
    table = np.zeros(_PLANES, dtype=np.uint8)
    for first, last in _EAST_ASIAN:
        table[first:last] = FOREIGN
    for first, last in _LETTERS:
        table[first:last] = [_folded(chr(code)) for code in range(first, last)]
    return table


@cache
def letters_by_code() -> bytes:
    """Code point -> folded byte, 0 for what is left out; the last stands for those above."""
    return _table().tobytes()


@cache
def _ascii() -> tuple[bytes, bytes]:
    """Translation of ASCII bytes, and the bytes to leave out."""
    table = _table()[:256].tobytes()
    return table, bytes(code for code in range(_ASCII) if not table[code])


def _folded(char: str) -> int:
    """Folded byte of one character."""
    known = _LOOK_ALIKE.get(char) or _LOOK_ALIKE.get(char.lower())
    if known is None:
        plain = unicodedata.normalize("NFKD", char)
        base = next((c for c in plain if not unicodedata.combining(c) and c not in "()"), "")
        known = _LOOK_ALIKE.get(base) or _LOOK_ALIKE.get(base.lower()) or base.lower()
    known = _LEET.get(known, known)
    known = _SAME.get(known, known)
    if len(known) == 1 and known.isascii() and known.isalnum():
        return ord(known)
    return FOREIGN if unicodedata.category(char)[0] in "LN" else 0


def fold(text: str) -> bytes:
    """The letters of a text, folded: lower-case letters, digits and FOREIGN, no two alike in a row. Total."""
    if text.isascii():
        table, parting = _ascii()
        letters = text.encode("ascii").translate(table, parting)
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
        letters = _table().take(codes, mode="clip").tobytes().translate(None, b"\0")
    if len(letters) < _LEAST_RUN:
        return letters
    every = np.frombuffer(letters, dtype=np.uint8)
    fresh = np.empty(len(every), dtype=np.bool_)
    fresh[0] = True
    np.not_equal(every[1:], every[:-1], out=fresh[1:])
    return every[fresh].tobytes()


def places_of(text: str) -> NDArray[np.int64]:
    """Offset in a text of each byte that `fold` makes of it."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
    letters = _table().take(codes, mode="clip")
    places = letters.nonzero()[0]
    kept = letters[places]
    fresh = np.ones(len(kept), dtype=np.bool_)
    np.not_equal(kept[1:], kept[:-1], out=fresh[1:])
    return places[fresh].astype(np.int64)


def is_letter(char: str) -> bool:
    """Whether a character counts as a letter or digit, look-alikes included."""
    code = ord(char)
    return code < _PLANES and letters_by_code()[code] > 0
