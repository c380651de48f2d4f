"""Hostile values, drawn from seeds: texts of every width of characters, pieces of mail, odd sizes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

WIDE = ("\u0100", "\u0e01", "\u2003", "\u3000", "\u4e16", "\ufeff", "\u200b", "\u201d", "\uff1e", "\u0130")
ASTRAL = ("\U0001f600", "\U00010000", "\U0010ffff", "\U0001d400")
LONE = ("\ud800", "\udfff", "\udbff")
LATIN = ("\x80", "\x85", "\x9f", "\xa0", "\xad", "\xe9", "\xff")
ASCII = tuple(map(chr, range(128)))
DATES = (
    "Wed, 03 Nov 2010 08:15:30 +0300", " Feb ", "2010", "24:00:00", "+9999", " ", ":", "1", "03", "-", ",",
)  # fmt: skip
NAMED = (
    "viagra", "V1@GRA", "vvii agra", "argaiv", "c a n a d i a n", "pills", "soft", "tabs", "cialis",
    "made1wording",
)  # fmt: skip
TOKENS = (
    "http://", "HTTPS://", "www.", "WWW.", "://", "a.b", "@", "%40", "=40", "&#64;", "=3D", "&amp;", "&nGt;",
    "&copy", "&#x110000;", "&#0;", "&#12;", f"&{'z' * 40};", "<a href=", "<td>", "<table>", "</table>", "<p>",
    "<font color=white>", "<!--", "-->", "<style>", "</style>", "<script>", "<b>", "</b>", "<", ">", '"', "'",
    "=", "rcpt.", "rcpt.0f@a.b", "dear x,", "\ntext:", " for ", "rfc822;", "<x@y.z>", "From ", ">From ", ":",
    "Subject:", "received:", "\n", "\r\n", "\n ", "\n\t", "\n\n", " :", "NextPart", "Boundary", "a" * 33,
    "0" * 31, ")" * 40, " " * 40, "xkcdqwrt", "x\x02y", "`", "\x7f", *NAMED[:4], DATES[0],
)  # fmt: skip
BYTES = (b"\0", b"\xff", b"\xe3\x80\x80", b"\xc2\x85", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80")
SIZES = (0, 1, 2, 3, 7, 8, 15, 31, 32, 33, 63, 64, 65, 127, 128, 200, 1000)
LARGE = (4000, 8191, 8192, 8193, 2**16 - 1, 2**16, 2**16 + 1, 100_001)
MANY = 1_000_000
"""Words of a text now and then."""


class Hostile:
    """Draws values; `mail` are real or golden messages to cut and damage."""

    def __init__(self, mail: Sequence[bytes]) -> None:
        self.dice = random.Random(0)
        self.mail = mail

    def size(self) -> int:
        """Small, at the edge of a register or of sixteen bits, seldom large."""
        return self.dice.choice(LARGE if self.dice.random() < 0.01 else SIZES)

    def text(self, tokens: Sequence[str] = TOKENS) -> str:
        """Of one width of characters, or of all."""
        dice = self.dice
        kind = dice.random()
        if kind < 0.15:
            errors = dice.choice(("replace", "surrogateescape"))
            return self.cut().decode(dice.choice(("latin-1", "utf-8")), errors)
        if kind < 0.1501:
            return dice.choice(tokens)[:1] + " a" * MANY
        alphabet: tuple[str, ...] = ASCII
        for chance, more in ((0.5, LATIN), (0.3, WIDE), (0.15, ASTRAL), (0.05, LONE)):
            alphabet = (*alphabet, *more) if dice.random() < chance else alphabet
        if kind < 0.25:
            return dice.choice((*alphabet, *tokens)) * self.size()
        size = self.size()
        mixed = [*dice.choices(tokens, k=8), *dice.choices(alphabet, k=4)]
        text = "".join(dice.choices(mixed, k=max(1, size // 4)))
        return text[:size] if dice.random() < 0.5 else text

    def texts(self, most: int = 6) -> list[str]:
        """A few of them."""
        return [self.text() for _ in range(self.dice.randrange(most))]

    def data(self) -> bytes:
        """A text in UTF-8."""
        return self.text().encode("utf-8", "replace")

    def whole(self) -> bytes:
        """A message, damaged."""
        return self.damaged(self.dice.choice(self.mail)[:20_000])

    def cut(self) -> bytes:
        """A piece of a message, damaged."""
        data = self.dice.choice(self.mail)
        start = self.dice.choice((0, self.dice.randrange(len(data) + 1)))
        return self.damaged(data[start : start + self.dice.choice((300, 3000, 30_000))])

    def damaged(self, data: bytes) -> bytes:
        """Bytes with bits turned, pieces lost, doubled, and tokens written in."""
        dice, out = self.dice, bytearray(data)
        for _ in range(dice.choice((0, 1, 3, 10))):
            at = dice.randrange(len(out) + 1)
            kind = dice.randrange(5)
            if kind == 0:
                del out[at : at + dice.choice((1, 2, 30))]
            elif kind == 1 and at < len(out):
                out[at] ^= 1 << dice.randrange(8)
            elif kind == 2:
                out[at:at] = dice.choice(TOKENS).encode("utf-8", "replace")
            elif kind == 3:
                out[at:at] = dice.choice(BYTES)
            else:
                out[at:at] = out[dice.randrange(len(out) + 1) :][: dice.choice((5, 50, 500))]
        return bytes(out)


def messages(paths: Sequence[Path] = ()) -> Iterator[bytes]:
    """Golden messages, and those of other files and archives."""
    for path in sorted((Path(__file__).parents[1] / "message" / "corpus").glob("*.eml")):
        yield path.read_bytes()
    if paths:
        from spamtide.collector import collect
        from spamtide.model import RawMessage

        for raw in collect([str(path) for path in paths]):
            if isinstance(raw, RawMessage):
                yield raw.data
