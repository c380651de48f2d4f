"""A mailer at work: kit, values and content become the bytes of a message below the sensor's own headers."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

from spamtide.simulate.macro import Program, Values, compile_macro, render
from spamtide.simulate.stream import Dice
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Kit

MARK = "X-Spamtide-Simulated"
"""Header that every simulated message carries, always the last one: '<world>/<seed>'."""
WORD_BYTES = 42
"""Bytes of a subject in one RFC 2047 word."""
PIXELS = 2
"""The inline image is a GIF of this many pixels a side, with a comment that makes each copy differ."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """A kit with its macros compiled."""

    kit: Kit
    headers: tuple[tuple[str, Program], ...]
    parts: dict[str, Program]
    boundary: Program
    helo: tuple[Program, ...]
    reverse_path: Program
    sender: Program
    display: Program
    address: Program
    forged: Program


def make_mailer(kit: Kit) -> Mailer:
    """Compile a kit.

    Raises:
        MacroError: one of its macros is written wrongly.
    """
    return Mailer(
        kit=kit,
        headers=tuple((name, compile_macro(value, WORDS)) for name, value in kit.headers),
        parts={name: compile_macro(block, WORDS) for name, block in kit.parts.items()},
        boundary=compile_macro(kit.boundary, WORDS),
        helo=tuple(compile_macro(habit, WORDS) for habit in kit.helo),
        reverse_path=compile_macro(kit.reverse_path, WORDS),
        sender=compile_macro(kit.sender, WORDS),
        display=compile_macro(kit.display, WORDS),
        address=compile_macro(kit.address, WORDS),
        forged=compile_macro(kit.forged, WORDS),
    )


@dataclass(frozen=True, slots=True)
class Content:
    """What one message says."""

    subject: str
    text: str
    html: str


def compose(mailer: Mailer, values: dict[str, str], content: Content, dice: Dice, mark: str) -> bytes:
    """Write a message without the receiving server's headers.

    `values` must hold what the kit's macros name; 'subject' and 'boundary' are added here. A header that
    comes out empty is left out, as a client does that has nothing to say in it.
    """
    kit = mailer.kit
    values["boundary"] = render(mailer.boundary, dice, values)
    values["subject"] = encode_words(content.subject, kit.subject, kit.charset)
    lines = []
    if kit.forged:
        lines.append(f"Received: {render(mailer.forged, dice, values)}\n")
    for name, program in mailer.headers:
        value = render(program, dice, values)
        if value:
            lines.append(f"{name}: {value}\n")
    lines.append(f"{MARK}: {mark}\n\n")
    return "".join(lines).encode("utf-8") + _body(mailer, values, content, dice)


def encode_words(text: str, how: Literal["raw", "encoded"], charset: str) -> str:
    """Write a subject as it is, or as RFC 2047 words (always where it is not ASCII)."""
    if how == "raw" and text.isascii():
        return text
    words = []
    start = 0
    while start < len(text):
        stop = start + WORD_BYTES
        while len(text[start:stop].encode(charset, "replace")) > WORD_BYTES:
            stop -= 1
        encoded = base64.b64encode(text[start:stop].encode(charset, "replace")).decode("ascii")
        words.append(f"=?{charset}?B?{encoded}?=")
        start = stop
    return "\n ".join(words)


def _body(mailer: Mailer, values: Values, content: Content, dice: Dice) -> bytes:
    """Write the body that the kit's headers announce."""
    kit = mailer.kit
    if kit.body == "plain":
        return _encode(content.text.encode(kit.charset, "replace"), kit.encoding)
    html = _encode(content.html.encode(kit.charset, "xmlcharrefreplace"), kit.encoding)
    if kit.body == "html":
        return html
    parts = []
    if kit.body == "alternative":
        text = _encode(content.text.encode(kit.charset, "replace"), kit.encoding)
        parts.append(_part(mailer, "plain", values, dice) + text)
        parts.append(_part(mailer, "html", values, dice) + html)
    else:
        parts.append(_part(mailer, "html", values, dice) + html)
        parts.append(_part(mailer, "image", values, dice) + base64.encodebytes(_picture(dice)))
    line = f"--{values['boundary']}".encode("ascii")
    body = kit.preamble.encode("ascii") + b"".join(line + b"\n" + part + b"\n" for part in parts)
    return body + line + b"--\n" if kit.closes else body


def _part(mailer: Mailer, name: str, values: Values, dice: Dice) -> bytes:
    """Write the header block of a MIME part."""
    return render(mailer.parts[name], dice, values).encode("ascii") + b"\n"


def _encode(data: bytes, encoding: str) -> bytes:
    """Apply a Content-Transfer-Encoding."""
    if encoding == "quoted-printable":
        return binascii.b2a_qp(data, istext=True)
    if encoding == "base64":
        return base64.encodebytes(data)
    return data


def _picture(dice: Dice) -> bytes:
    """Make a tiny valid GIF of one colour that no other message has."""
    colour = bytes(dice.number(256) for _ in range(3))
    comment = bytes(dice.between(97, 122) for _ in range(24))
    size = PIXELS.to_bytes(2, "little")
    return (
        b"GIF89a" + size + size + b"\x80\x00\x00" + colour + b"\x00\x00\x00"
        b"!\xfe" + bytes([len(comment)]) + comment + b"\x00"
        b",\x00\x00\x00\x00" + size + size + b"\x00\x02\x03\x84\x51\x00\x00;"
    )
