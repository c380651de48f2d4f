"""Our own scan of the header block: order, letter case, folding and line ends are evidence, and are kept.

Every MIME library loses some of it. One pattern is matched at each field, so the scan is linear. Source:
RFC 5322 sections 2.2 and 4.5 (obsolete syntax).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from spamtide.model import Header
from spamtide.settings import Limits

SINGLE = frozenset(
    {
        "date",
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "bcc",
        "message-id",
        "in-reply-to",
        "references",
        "subject",
    }
)
"""Fields that may stand once (RFC 5322 section 3.6)."""

_BLANK_LINE = re.compile(rb"\n\r*\n")
_FIELD = re.compile(r"([!-9;-~]+)([ \t]*):[ \t]*([^\n]*)((?:\n[ \t][^\n]*)*)\n?")
"""Name, obsolete white space, first line, lines that continue it."""


class Scan(NamedTuple):
    """The header block, read."""

    headers: tuple[Header, ...]
    names: list[str]
    """Their names in lower case."""
    body: int
    """Offset of the body in the bytes that were scanned."""

    def first(self, name: str) -> str:
        """Value of the first field of a name, given in lower case; '' when there is none."""
        return self.headers[self.names.index(name)].value if name in self.names else ""


def single_line_ends(data: bytes) -> bytes:
    """Give bytes whose only line ends are carriage returns (old Macintosh mailers) line feeds instead."""
    return data.replace(b"\r", b"\n") if b"\n" not in data and b"\r" in data else data


def scan_headers(data: bytes, limits: Limits, defects: set[str]) -> Scan:
    """Read the header block of a message; total. Names of defects are added to `defects`."""
    start = _after_from_line(data, defects)
    end, body = _ends(data, start, limits, defects)
    text = _decode(_line_feeds(data[start:end], defects), defects)
    headers: list[Header] = []
    position = junk = 0
    """`junk` is where the lines without a field name began since the last field, plus one; 0 when there
    are none."""
    while position < len(text):
        match = _FIELD.match(text, position)
        if match is None:
            junk = junk or position + 1
            position = _after_line(text, position)
            continue
        if junk:
            _name_junk(text[junk - 1 : position], defects)
            junk = 0
        if len(headers) >= limits.headers:
            defects.add("too-many-headers")
            break
        headers.append(_header(match, defects))
        position = match.end()
    if not headers:
        defects.add("no-headers")
        return Scan((), [], start if text.strip() else body)
    if junk and text[junk - 1 :].strip():
        # Text that runs on from the last field is body whose empty line is missing.
        defects.add("no-header-end")
        body = _line_back(data, end, text.count("\n", junk - 1) + 1)
    if body >= len(data):
        defects.add("no-body")
    names = [header.name.lower() for header in headers]
    if len(set(names)) < len(names) and any(names.count(name) > 1 for name in SINGLE):
        defects.add("duplicate-header")
    return Scan(tuple(headers), names, body)


def _header(match: re.Match[str], defects: set[str]) -> Header:
    """One field, unfolded."""
    name, space, value, continued = match.groups()
    if space:
        defects.add("space-before-colon")
    if not continued:
        return Header(name, value.rstrip())
    texts = [value.rstrip()]
    folds = []
    for line in continued.split("\n")[1:]:
        text = line.lstrip(" \t")
        folds.append(line[: len(line) - len(text)])
        texts.append(text.rstrip())
    if "" in texts[1:]:
        defects.add("blank-fold")
    return Header(name, " ".join(texts).strip(), "|".join(folds))


def _after_from_line(data: bytes, defects: set[str]) -> int:
    """Offset after an mbox separator line, which some collections leave in front of each message."""
    if not data.startswith((b"From ", b">From ")):
        return 0
    defects.add("from-line")
    line_end = data.find(b"\n")
    return line_end + 1 if line_end >= 0 else len(data)


def _ends(data: bytes, start: int, limits: Limits, defects: set[str]) -> tuple[int, int]:
    """Offsets of the end of the header block and of the body."""
    for blank in (b"\n", b"\r\n"):
        if data.startswith(blank, start):
            return start, start + len(blank)
    match = _BLANK_LINE.search(data, start, start + limits.header_bytes + limits.body_bytes)
    if match:
        end, body = match.start(), match.end()
    else:
        end = body = len(data)
    if end - start > limits.header_bytes:
        defects.add("headers-too-long")
        cut = data.rfind(b"\n", start, start + limits.header_bytes)
        end = cut if cut > start else start + limits.header_bytes
        if not match:
            body = end
    return end, body


def _line_feeds(block: bytes, defects: set[str]) -> bytes:
    """Header block with LF line ends; a carriage return that stands alone becomes a space."""
    if b"\r" not in block:
        return block
    pairs = block.count(b"\r\n")
    if pairs and block.count(b"\n") != pairs:
        defects.add("mixed-line-ends")
    block = block.replace(b"\r\n", b"\n")
    if b"\r" in block.removesuffix(b"\r"):  # the last one belongs to the empty line
        defects.add("bare-cr")
    return block.replace(b"\r", b" ")


def _decode(block: bytes, defects: set[str]) -> str:
    """Header block as text: UTF-8 where a line is UTF-8, else Latin-1."""
    if block.isascii():
        return block.decode("ascii")
    defects.add("8bit-header")
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(_decode_line(line) for line in block.split(b"\n"))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _after_line(text: str, position: int) -> int:
    """Offset after the line that begins at `position`."""
    line_end = text.find("\n", position)
    return line_end + 1 if line_end >= 0 else len(text)


def _name_junk(junk: str, defects: set[str]) -> None:
    """Name what was left out between two fields."""
    defects.add("stray-fold" if junk.startswith((" ", "\t")) else "header-without-colon")


def _line_back(data: bytes, end: int, lines: int) -> int:
    """Offset at which the last `lines` lines before `end` begin."""
    position = end
    for _ in range(lines):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1
