"""Our own scan of the header block: order, letter case, folding and line ends are evidence, so nothing is tidied away.

Every MIME library loses some of it. The scan is linear: the block is split once at the line ends that no continuation
line follows. Source: RFC 5322 sections 2.2 and 4.5 (obsolete syntax).
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
_NAME = re.compile(r"[!-9;-~]+")
_CONTINUES = (" ", "\t")


class Scan(NamedTuple):
    """The header block, read."""

    headers: tuple[Header, ...]
    body: int
    """Offset of the body in the bytes that were scanned."""


def single_line_ends(data: bytes) -> bytes:
    """Give bytes whose only line ends are carriage returns (old Macintosh mailers) line feeds instead."""
    return data.replace(b"\r", b"\n") if b"\n" not in data and b"\r" in data else data


def scan_headers(data: bytes, limits: Limits, defects: set[str]) -> Scan:
    """Read the header block of a message; total. Names of defects are added to `defects`."""
    start = _after_from_line(data, defects)
    end, body = _ends(data, start, limits, defects)
    text = _decode(_line_feeds(data[start:end], defects), defects)
    headers: list[Header] = []
    junk: list[list[str]] = []
    """Lines without a field name since the last field."""
    for lines in _fields(text):
        header = _header(lines, defects)
        if header is None:
            junk.append(lines)
            continue
        if junk:
            _name_junk(junk, defects)
            junk = []
        if len(headers) >= limits.headers:
            defects.add("too-many-headers")
            break
        headers.append(header)
    if not headers:
        defects.add("no-headers")
        return Scan((), start if text.strip() else body)
    if junk and any(line.strip() for lines in junk for line in lines):
        # Text that runs on from the last field is body whose empty line is missing.
        defects.add("no-header-end")
        body = _line_back(data, end, sum(map(len, junk)))
    _name_repeats(headers, defects)
    return Scan(tuple(headers), body)


def _fields(text: str) -> list[list[str]]:
    """Lines of the block, each with the lines that continue it."""
    fields: list[list[str]] = []
    for line in text.split("\n"):
        if line[:1] in _CONTINUES and fields:
            fields[-1].append(line)
        else:
            fields.append([line])
    return fields


def _header(lines: list[str], defects: set[str]) -> Header | None:
    """One field, unfolded; None when it has no name."""
    name, colon, value = lines[0].partition(":")
    if not colon:
        return None
    if not _NAME.fullmatch(name):
        name = name.rstrip(" \t")
        if not _NAME.fullmatch(name):
            return None
        defects.add("space-before-colon")
    if len(lines) == 1:
        return Header(name, value.strip(" \t"))
    texts = [value.strip(" \t")]
    folded = []
    for line in lines[1:]:
        text = line.lstrip(" \t")
        folded.append(line[: len(line) - len(text)])
        texts.append(text.rstrip(" \t"))
    if not all(texts[1:]):
        defects.add("blank-fold")
    return Header(name, " ".join(texts).strip(" "), "|".join(folded))


def _name_repeats(headers: list[Header], defects: set[str]) -> None:
    """Name fields that stand more often than they may."""
    names = [header.name.lower() for header in headers]
    if len(set(names)) < len(names) and any(names.count(name) > 1 for name in SINGLE):
        defects.add("duplicate-header")


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
        if body >= len(data):
            defects.add("no-body")
    else:
        end = body = len(data)
        defects.add("no-body" if data.endswith(b"\n") else "no-header-end")
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
    if block.count(b"\n") != pairs:
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


def _name_junk(junk: list[list[str]], defects: set[str]) -> None:
    """Name what was left out between two fields."""
    for lines in junk:
        defects.add("stray-fold" if lines[0][:1] in _CONTINUES else "header-without-colon")


def _line_back(data: bytes, end: int, lines: int) -> int:
    """Offset at which the last `lines` lines before `end` begin."""
    position = end
    for _ in range(lines):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1
