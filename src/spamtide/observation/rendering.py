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
from collections.abc import Iterable

from spamtide.model import Header, Message

LINE_CHARS = 4000
"""Characters of one header line."""
HEADERS_CHARS = 100_000
"""Characters of all header lines together."""
TEXT_CHARS = 200_000
"""Characters of visible text."""

_CONTROL_BYTES = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")


def render(message: Message, headers: Iterable[Header], client: str, helo: str, skeleton: str) -> list[str]:
    """Lines of the rendering, down to `text:`; bounded.

    Control characters, line ends inside a line and recipients are still to be taken out.
    """
    lines = [f"client: {client}", f"helo: {helo}", f"header-order: {skeleton}"]
    size = 0
    for header in headers:
        line = f"header {header.name}: {header.value}"
        if len(line) > LINE_CHARS:
            line = line[:LINE_CHARS]
        size += len(line)
        if size > HEADERS_CHARS:
            break
        lines.append(line)
    lines.append(f"subject: {message.subject}")
    lines += [f"link: {link}" for link in message.links]
    lines.append("text:")
    return lines


def joined_lines(lines: list[str]) -> str:
    """Lines joined by line ends; a line end inside one becomes a space, so that none can forge another."""
    text = "\n".join(lines)
    if text.count("\n") >= len(lines):
        text = "\n".join([line.replace("\n", " ") for line in lines])
    return text


def drop_controls(text: str) -> str:
    """Text without control characters other than line feed and tab, and without lone surrogates."""
    data = text.encode("utf-8", "replace")
    kept = data.translate(None, _CONTROL_BYTES)
    if not text.isascii():
        kept = _C1_BYTES.sub(b"", kept)
    return kept.decode("utf-8")
