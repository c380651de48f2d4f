"""The one decoded text of a message that signatures see. Its line forms are fixed (DESIGN, Signature files).

    client: <address>
    helo: <HELO>
    header-order: <skeleton>
    traits: <habits of the mail engine, see `traits`>
    header Name: <value, unfolded, encoded words as written>        one line a field
    subject: <decoded>
    link: <address>                                                 one line a link
    attachment: <file name as claimed>                              one line a named part
    text:
    <visible text>

A field value holds no line end, so no message can forge a line above `text:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from operator import add
from typing import NamedTuple

from spamtide.compiled import native
from spamtide.model import Message

LINE_CHARS = 4000
"""Characters of one header line."""
HEADERS_CHARS = 100_000
"""Characters of all header lines together."""
NAME_CHARS, MOST_NAMES = 200, 20
"""Characters of an attachment's name, and attachments that are looked at."""
TEXT_CHARS = 200_000
"""Characters of visible text."""

_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")


class Frame(NamedTuple):
    """What of an observation stands in its rendering besides the message."""

    client: str
    helo: str
    skeleton: str
    traits: str


def render(above: list[str], message: Message, names: list[str], values: list[str], frame: Frame) -> bytes:
    """The lines `above`, then the rendering, in UTF-8, without control characters but line feed and tab.

    `names` and `values` are those of the header fields, in order. No line but those of the visible text holds
    a line end. Bounded; recipients are still to be taken out.
    """
    order, traits = f"header-order: {frame.skeleton}", f"traits: {frame.traits}"
    top = [*above, f"client: {frame.client}", f"helo: {frame.helo}", order, traits]
    below = [f"subject: {message.subject}", *map("link: ".__add__, message.links)]
    if message.parts:
        named = [part.name[:NAME_CHARS] for part in message.parts[:MOST_NAMES] if part.name]
        below += map("attachment: ".__add__, named)
    below.append("text:")
    text = message.text[:TEXT_CHARS]
    if native:
        data = native.render(top, names, values, below, text, LINE_CHARS, HEADERS_CHARS)
        if data is not None:
            return data
    sizes = list(map(add, map(len, names), map(len, values)))
    fits = sum(sizes) + 2 * len(sizes) <= HEADERS_CHARS and max(sizes, default=0) + 2 <= LINE_CHARS
    shown: Iterable[str] = map(": ".join, zip(names, values, strict=True))
    lines = [*top, *map("header ".__add__, shown if fits else _bounded(shown)), *below]
    return drop_controls(f"{joined_lines(lines)}\n{text}")


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    """Header lines within the bounds on one and on all of them."""
    size = 0
    for line in lines:
        size += min(len(line), LINE_CHARS)
        if size > HEADERS_CHARS:
            return
        yield line[:LINE_CHARS]


def joined_lines(lines: list[str]) -> str:
    """Lines joined by line ends; a line end inside one becomes a space, so that none can forge another."""
    text = "\n".join(lines)
    if text.count("\n") >= len(lines):
        text = "\n".join([line.replace("\n", " ") for line in lines])
    return text


def drop_controls(text: str) -> bytes:
    """Text in UTF-8, without control characters but line feed and tab, and without lone surrogates."""
    data = text.encode("utf-8", "replace")
    data = data.translate(None, _CONTROLS)
    return data if text.isascii() else _C1_BYTES.sub(b"", data)
