"""Folded bytes to hashed words, for a batch at once.

Words are parted, classed and hashed over the whole batch's bytes, because a Python loop over words
costs several times more than all the hashing that follows. A word's hash depends on nothing but its
letters, so it is the same in every process and on every day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.mixing import mix
from spamtide.compiled import native

U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

WORDS_KEPT = 1_000
"""Words of one message that are compared, at most."""
WORD_BYTES = 40
"""Bytes of a word that are compared; a multiple of 8."""
LONGEST_WORD = 24
"""A longer Latin word is random or data, not a word."""
LONGEST_MIXED = 8
"""A word of letters and digits is kept as such below this length ('100mg'), else taken for random."""
CONSONANT_RUN = 5
"""So many consonants in a row make a Latin word random."""
SALAD_WORDS = 12
"""Latin words from which a line can be taken for padding: of so many, prose has a short one."""
SHORT_WORD = 3
"""Letters of a short word: articles, prepositions, pronouns."""
RANDOM_SHARE = 3
"""A line of which one word in so many is random is all padding."""
WORDS_LEFT = 10
"""Padding is left out only of a text that keeps so many words; else it may be a language of long words."""

NUMBER = np.uint64(1 << 16)
"""Stands for every number, price, date and telephone number."""
LINK = np.uint64(2 << 16)
"""Stands for every web or mail address; hosts rotate."""

_INNER = b".:-_=&%+#*|~@'`^$\\/?"
"""Left out inside a word: 'v-i-a-g-r-a', 'e-mail' and '49.95' are one word each."""
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_DIGIT, _MARK, _END, _LINE, _GAP = b"0\x7f\x02\n "
"""Every digit becomes '0'; _MARK stands in an address, _END after each text, _GAP between words.
The last three are the lowest, so that a byte above _GAP is in a word."""


def _reading_table() -> bytes:
    """How each byte is read before words are parted: lower case, digits alike, the rest a gap."""
    table = bytearray([_GAP] * 256)
    table[_LINE] = _LINE
    for byte in (*_INNER, *_LETTERS, *range(128, 256)):
        table[byte] = byte
    for upper, lower in zip(_LETTERS.upper(), _LETTERS, strict=True):
        table[upper] = lower
    for byte in b"0123456789":
        table[byte] = _DIGIT
    return bytes(table)


_READING = _reading_table()
_CONSONANT = np.isin(np.arange(256), list(b"bcdfghjklmnpqrstvwxz"))
_LETTER = np.isin(np.arange(256), list(_LETTERS))
_LOW_BYTES = np.array([(1 << (8 * kept)) - 1 for kept in range(9)], dtype=np.uint64)
"""Masks that keep the first 0 to 8 bytes of a little-endian word."""


_UNSEEN, _SIGN = b"` "
"""What characters outside ASCII that are no letters become: left out inside a word, or a gap."""

_NO_LETTERS: tuple[tuple[int, int, int], ...] = (
    (0x00A0, 0x00AC, _SIGN),
    (0x00AD, 0x00AD, _UNSEEN),  # soft hyphen
    (0x00AE, 0x00BF, _SIGN),
    (0x0300, 0x036F, _UNSEEN),  # accents, which NFKD has parted from their letters
    (0x061C, 0x061C, _UNSEEN),
    (0x2000, 0x200A, _SIGN),
    (0x200B, 0x200F, _UNSEEN),  # zero-width space, joiners, direction marks
    (0x2010, 0x2029, _SIGN),
    (0x202A, 0x202E, _UNSEEN),
    (0x202F, 0x205F, _SIGN),
    (0x2060, 0x206F, _UNSEEN),
    (0x20A0, 0x20CF, _SIGN),  # currency
    (0x2190, 0x2BFF, _SIGN),  # arrows, boxes, ornaments
    (0x3000, 0x3020, _SIGN),
    (0xFE00, 0xFE0F, _UNSEEN),  # variation selectors
    (0xFEFF, 0xFEFF, _UNSEEN),
    (0x1F000, 0x1FAFF, _SIGN),  # emoji
)
"""Code points, first and last, and what they become; all others count as letters. Ascending."""
_NO_LETTERS_TABLE = np.array(_NO_LETTERS, dtype=np.int64).tobytes()
"""The same for the compiled form."""
_RULES = (
    WORDS_KEPT, LONGEST_WORD, LONGEST_MIXED, CONSONANT_RUN, SALAD_WORDS, SHORT_WORD, RANDOM_SHARE, WORDS_LEFT,
    int(NUMBER), int(LINK),
)  # fmt: skip
"""What the compiled form is told; it knows WORD_BYTES itself."""
_FIRST, _LAST, _BECOMES = (np.array(column) for column in zip(*_NO_LETTERS, strict=True))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a batch of texts, as hashes in reading order."""

    hashes: U64
    """One a word; NUMBER and LINK stand for their class."""
    text: Ints
    """Which text each word is of, ascending."""


def read_words(texts: Sequence[bytes]) -> Words:
    """Part folded texts (see `folding.fold`) into hashed words.

    Numbers and addresses become their class, random words are left out, repeated classes count once.
    """
    if native:
        found = native.read_words(list(texts), _READING, _INNER, _NO_LETTERS_TABLE, _RULES)
        return Words(np.frombuffer(found[0], np.uint64), np.frombuffer(found[1], np.int64))
    raw = _read(texts)
    inside = raw > _GAP
    starts = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1  # the buffer begins with a gap
    ends = np.flatnonzero(inside[:-1] & ~inside[1:]) + 1
    text = _numbered(starts, raw == _END)
    line = _numbered(starts, (raw == _END) | (raw == _LINE))
    looks = _look_at(raw, starts, ends - starts)
    kept = ~looks.random & ~_padding(looks, line, text)
    hashes = _hash_words(raw, starts, ends - starts)
    hashes = np.where(looks.address, LINK, np.where(looks.number, NUMBER, hashes))
    return _bounded(hashes[kept], text[kept])


def _read(texts: Sequence[bytes]) -> U8:
    """All texts in one buffer: gaps, letters, '0' for a run of digits, marks in addresses, ends."""
    buffer = bytearray((b"  " + b" ".join(texts) + b" " * 4).translate(_READING))
    raw = np.frombuffer(buffer, dtype=np.uint8)
    _blank_no_letters(raw)
    raw[_address_signs(raw)] = _MARK
    if texts:
        raw[1 + np.cumsum([len(text) + 1 for text in texts])] = _END
    parted = np.frombuffer(buffer.translate(None, _INNER) + b" " * WORD_BYTES, dtype=np.uint8)
    # '20mg' and '100mg' are the same word: of a run of digits one is kept.
    repeated = np.zeros(parted.size, dtype=np.bool_)
    digit = parted == _DIGIT
    np.logical_and(digit[1:], digit[:-1], out=repeated[1:])
    return parted[~repeated]


def _blank_no_letters(raw: U8) -> None:
    """Write what `_NO_LETTERS` says over the UTF-8 of its characters, in place."""
    for lead, last_lead, size in ((0xC2, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF4, 4)):
        at = np.flatnonzero((raw >= lead) & (raw <= last_lead))
        if not at.size:
            continue
        code = (raw[at] & (0x7F >> size)).astype(np.int64)
        for step in range(1, size):
            code = (code << 6) | (raw[at + step] & 0x3F)
        entry = np.searchsorted(_FIRST, code, side="right") - 1
        listed = (entry >= 0) & (code <= _LAST[entry])
        for step in range(size):
            raw[at[listed] + step] = _BECOMES[entry[listed]]


def _address_signs(raw: U8) -> Ints:
    """Where the sign of an address stands: 'x://', 'xx.yy', 'x@y'."""
    sign = (raw == ord("@")) | (raw == ord(".")) | (raw == ord(":"))
    at = np.flatnonzero(sign[2:-2]) + 2
    sign, before, ahead = raw[at], raw[at - 1], raw[at + 1]
    word_before = _LETTER[before] | (before == _DIGIT)
    mail = (sign == ord("@")) & word_before & (_LETTER[ahead] | (ahead == _DIGIT))
    scheme = (sign == ord(":")) & (ahead == ord("/")) & (raw[at + 2] == ord("/"))
    # Two characters before and two letters after tell 'shop.example' from 'e.g.' and 'v.i.a.g.r.a'.
    host = (sign == ord(".")) & word_before & (raw[at - 2] > _GAP) & _LETTER[ahead] & _LETTER[raw[at + 2]]
    return np.asarray(at[mail | scheme | host])


def _numbered(starts: Ints, stop: Flags) -> Ints:
    """How many stops stand before each word."""
    until = np.searchsorted(starts, np.flatnonzero(stop))
    return np.repeat(np.arange(until.size + 1), np.diff(until, prepend=0, append=starts.size))


def _hash_words(raw: U8, starts: Ints, lengths: Ints) -> U64:
    """Hash the bytes of each word, eight at a time."""
    eights = np.ndarray((raw.size - 7,), dtype="<u8", buffer=raw, strides=(1,))
    hashes = np.zeros(starts.size, dtype=np.uint64)
    for offset in range(0, WORD_BYTES, 8):
        longer = np.flatnonzero(lengths > offset) if offset else slice(None)
        here = eights[starts[longer] + offset] & _LOW_BYTES[np.minimum(lengths[longer] - offset, 8)]
        hashes[longer] = mix(hashes[longer] ^ here)
    return hashes


@dataclass(frozen=True, slots=True)
class _Looks:
    """What kind of word each one looks like; a word of no kind is foreign or plain."""

    number: Flags
    address: Flags
    random: Flags
    latin: Flags
    """Nothing but Latin letters."""
    short: Flags
    """Latin, and at most SHORT_WORD letters."""


def _look_at(raw: U8, starts: Ints, lengths: Ints) -> _Looks:
    """Class each word by the bytes in it."""

    def held(where: Flags) -> Ints:
        word = np.searchsorted(starts, np.flatnonzero(where), side="right") - 1
        return np.bincount(word, minlength=starts.size)

    digits = held(raw == _DIGIT)
    address = held(raw == _MARK) > 0
    ascii_only = held(raw > _MARK) == 0
    consonant = _CONSONANT[raw]
    run = consonant[: -CONSONANT_RUN + 1].copy()
    for shift in range(1, CONSONANT_RUN):
        run &= consonant[shift : consonant.size - CONSONANT_RUN + 1 + shift]
    number = digits == lengths
    mixed = (digits > 0) & ~number
    random = (held(run) > 0) | (ascii_only & (lengths > LONGEST_WORD))
    random |= mixed & ((digits > 1) | (lengths >= LONGEST_MIXED))
    latin = ascii_only & ~address & (digits == 0)
    return _Looks(
        number=number & ~address,
        address=address,
        random=random & ~address,
        latin=latin,
        short=latin & (lengths <= SHORT_WORD),
    )


def _padding(looks: _Looks, line: Ints, text: Ints) -> Flags:
    """Words in lines of random words, and of dictionary words without the short ones that prose needs."""
    lines = int(line[-1]) + 1 if line.size else 0
    words, latin, short, random = (
        np.bincount(line, weights=flags, minlength=lines)
        for flags in (np.ones(line.size), looks.latin, looks.short, looks.random)
    )
    salad = (latin >= SALAD_WORDS) & (short * SALAD_WORDS < latin)
    noise = (random > 1) & (random * RANDOM_SHARE >= words)
    padding = (salad | noise)[line]
    left = np.bincount(text[~padding], minlength=int(text[-1]) + 1 if text.size else 0)
    return padding & (left >= WORDS_LEFT)[text]


def _bounded(hashes: U64, text: Ints) -> Words:
    """Count a class once where it repeats, and keep the first WORDS_KEPT words of each text."""
    again = np.zeros(hashes.size, dtype=np.bool_)
    again[1:] = (hashes[1:] <= LINK) & (hashes[1:] == hashes[:-1]) & (text[1:] == text[:-1])
    hashes, text = hashes[~again], text[~again]
    counts = np.bincount(text)
    if counts.size and counts.max() > WORDS_KEPT:
        place = np.arange(text.size) - np.repeat(np.cumsum(counts) - counts, counts)
        hashes, text = hashes[place < WORDS_KEPT], text[place < WORDS_KEPT]
    return Words(hashes, text)
