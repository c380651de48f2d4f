"""The one decoded text of a message that signatures see. Its line forms are fixed (DESIGN, Signature files).

    client: <address>
    helo: <HELO>
    header-order: <skeleton>
    traits: <habits of the mail engine, see `traits`>
    header Name: <value, unfolded, encoded words as written>        one line a field
    subject: <decoded>
    link: <address>                                                 one line a link
    text:
    <visible text>

A field value holds no line end, so no message can forge a line above `text:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from spamtide.model import Message

LINE_CHARS = 4000
"""Characters of one header line."""
HEADERS_CHARS = 100_000
"""Characters of all header lines together."""
TEXT_CHARS = 200_000
"""Characters of visible text."""

_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")


def render(
    message: Message, headers: Iterable[tuple[str, str]], client: str, helo: str, skeleton: str, traits: str
) -> list[str]:
    """Lines of the rendering, down to `text:`; bounded. `headers` are names and values, in order.

    Control characters, line ends inside a line and recipients are still to be taken out.
    """
    shown = list(map(": ".join, headers))
    sizes = list(map(len, shown))
    if sum(sizes) > HEADERS_CHARS or max(sizes, default=0) > LINE_CHARS:
        shown = list(_bounded(shown))
    return [
        f"client: {client}",
        f"helo: {helo}",
        f"header-order: {skeleton}",
        f"traits: {traits}",
        *map("header ".__add__, shown),
        f"subject: {message.subject}",
        *map("link: ".__add__, message.links),
        "text:",
    ]


def _bounded(lines: list[str]) -> Iterator[str]:
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
