"""The one decoded text of a message that signatures see. Its line forms are fixed (DESIGN, Signature files).

    client: <address>
    helo: <HELO>
    header-order: <skeleton>
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

from spamtide.model import Header, Message

LINE_CHARS = 4000
"""Characters of one header line."""
HEADERS_CHARS = 100_000
"""Characters of all header lines together."""
TEXT_CHARS = 200_000
"""Characters of visible text."""

_CONTROLS = [chr(code) for code in (*range(32), 127) if chr(code) not in "\t\n"]
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")


def render(message: Message, headers: Iterable[Header], client: str, helo: str, skeleton: str) -> list[str]:
    """Lines of the rendering, down to `text:`; bounded.

    Control characters, line ends inside a line and recipients are still to be taken out.
    """
    shown = [f"header {header.name}: {header.value}" for header in headers]
    if sum(map(len, shown)) > LINE_CHARS:
        shown = list(_bounded(shown))
    lines = [f"client: {client}", f"helo: {helo}", f"header-order: {skeleton}", *shown]
    lines.append(f"subject: {message.subject}")
    lines += [f"link: {link}" for link in message.links]
    lines.append("text:")
    return lines


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


def drop_controls(text: str) -> str:
    """Text without control characters other than line feed and tab, and without lone surrogates."""
    for control in _CONTROLS:
        if control in text:  # hardly ever, and quicker asked than translated
            text = text.replace(control, "")
    if text.isascii():
        return text
    return _C1_BYTES.sub(b"", text.encode("utf-8", "replace")).decode("utf-8")
