"""Our own scan of the header block: order, letter case, folding and line ends are evidence, and are kept.

Every MIME library loses some of it. One pattern is matched at each field, so the scan is linear. Source:
RFC 5322 sections 2.2 and 4.5 (obsolete syntax).
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import NamedTuple

from spamtide.compiled import native
from spamtide.model import Header
from spamtide.settings import Limits

SINGLE = (
    "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references",
    "subject",
)  # fmt: skip
"""Fields that may stand once (RFC 5322 section 3.6)."""

FLAGS = {
    1: "space-before-colon", 2: "blank-fold", 4: "duplicate-header", 8: "header-without-colon",
    16: "stray-fold", 32: "from-line",
}  # fmt: skip
"""Bit of the compiled form -> defect."""

_BLANK_LINE = re.compile(rb"\n\r*\n")
_FIELD = re.compile(r"(?:^|(?<=\n))([!-9;-~]++)([ \t]*+):[ \t]*+([^\n]*+)((?:\n[ \t][^\n]*+)*+)\n?+")
"""Name, obsolete white space, first line, lines that continue it. Possessive: giving back never helps."""
_LEADS = (b"\xef", b"\r", b"\n")
_LEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?[\r\n]*+(?=(?:received|return-path|delivered-to|date|from|to|subject|message-id):)",
    re.IGNORECASE,
)
"""What programs that save mail put in front of it. Other words with a colon may begin a body."""
_JUNK = re.compile(r"\n(?![!-9;-~]+[ \t]*:|[ \t]|\Z)")
"""A line end before a line that is no field and continues none. It begins with a fixed character, which the
engine finds fast; '^' would be tried at every character."""

_new = tuple.__new__
"""Makes a named tuple without a call of its own `__new__`, which costs as much again."""


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


def without_lead(data: bytes) -> bytes:
    """Give bytes that begin with a byte order mark or empty lines, and then a header field, without these."""
    if data[:1] not in _LEADS:
        return data
    lead = _LEAD.match(data)
    return data[lead.end() :] if lead else data


def scan_headers(data: bytes, limits: Limits, defects: set[str]) -> Scan:
    """Read the header block of a message; total. Names of defects are added to `defects`."""
    head = native.read_head(data, limits.headers, Header, SINGLE, limits.header_bytes) if native else None
    if head:  # most mail
        return _scanned(head[0], head[1], head[3], len(data), _named(head[2], defects))
    start = _after_from_line(data, defects)
    end, body = _ends(data, start, limits, defects)
    text = _decode(_line_feeds(data[start:end], defects), defects)
    read = native.read_fields(text, limits.headers, Header, SINGLE) if native else None
    if read:
        return _scanned(read[0], read[1], body, len(data), _named(read[2], defects))
    fields = _FIELD.findall(text)
    last = 0
    """Offset of what follows the last field."""
    if _JUNK.search(text) or not _FIELD.match(text):
        last = _name_junk(text, defects)
    if not fields:
        defects.add("no-headers")
        return Scan((), [], start if text.strip() else body)
    if last and text[last:].strip():
        # Text that runs on from the last field is body whose empty line is missing.
        defects.add("no-header-end")
        body = _line_back(data, end, text.count("\n", last) + 1)
    if len(fields) > limits.headers:
        defects.add("too-many-headers")
        del fields[limits.headers :]
    headers = [
        _unfolded(name, value, more, defects) if more else _new(Header, (name, value.rstrip(" \t"), ""))
        for name, _, value, more in fields
    ]
    if (" :" in text or "\t:" in text) and any(space for _, space, _, _ in fields):
        defects.add("space-before-colon")
    names = list(map(str.lower, map(itemgetter(0), fields)))
    if any(names.count(name) > 1 for name in SINGLE):
        defects.add("duplicate-header")
    return _scanned(tuple(headers), names, body, len(data), defects)


def _named(flags: int, defects: set[str]) -> set[str]:
    """Defects with those that the compiled form found."""
    if flags:
        defects.update(name for bit, name in FLAGS.items() if flags & bit)
    return defects


def _scanned(headers: tuple[Header, ...], names: list[str], body: int, size: int, defects: set[str]) -> Scan:
    """The scan of a block that was read."""
    if body >= size:
        defects.add("no-body")
    return _new(Scan, (headers, names, body))


def _unfolded(name: str, value: str, more: str, defects: set[str]) -> Header:
    """One field with the lines that continue it."""
    value = value.rstrip(" \t")
    spaces: list[str] = []
    for line in more[1:].split("\n"):
        text = line.lstrip(" \t")
        spaces.append(line[: len(line) - len(text)])
        text = text.rstrip(" \t")
        if not text:
            defects.add("blank-fold")
        value = f"{value} {text}"
    return _new(Header, (name, value.strip(" "), "|".join(spaces)))


def _name_junk(text: str, defects: set[str]) -> int:
    """Name what is no field among the fields; the offset of what follows the last field."""
    position = last = 0
    junk = False
    while position < len(text):
        match = _FIELD.match(text, position)
        if match:
            if junk:
                start = text[last]
                defects.add("stray-fold" if start in " \t" else "header-without-colon")
            junk = False
            position = last = match.end()
        else:
            junk = True
            position = _after_line(text, position)
    return last


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
    end, body = _blank_line(data, start, start + limits.header_bytes + limits.body_bytes)
    found = end >= 0
    if not found:
        end = body = len(data)
    if end - start > limits.header_bytes:
        defects.add("headers-too-long")
        cut = data.rfind(b"\n", start, start + limits.header_bytes)
        end = cut if cut > start else start + limits.header_bytes
        if not found:
            body = end
    return end, body


def _blank_line(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where the first empty line begins, at the line end above it, and where it ends; (-1, -1) for none."""
    end = data.find(b"\n\n", start, stop)
    if data.find(b"\n\r", start, stop if end < 0 else end) < 0:  # most mail; a pattern takes far longer
        return end, end + 2 if end >= 0 else -1
    match = _BLANK_LINE.search(data, start, stop)
    return match.span() if match else (-1, -1)


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


def _line_back(data: bytes, end: int, lines: int) -> int:
    """Offset at which the last `lines` lines before `end` begin."""
    position = end
    for _ in range(lines):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1
