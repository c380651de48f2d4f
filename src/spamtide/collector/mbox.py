"""Splitting of mbox files: pure, in blocks, the same for every block size.

An mbox is messages one after the other, each below a line `From sender date` (the From_ line). There is no
standard that all writers keep (RFC 4155 names a default; the variants are known by the names that Rahul
Dhesi and Daniel J. Bernstein gave them), so the rules are stated here:

* A line that begins with `From ` starts a message when it holds a date as asctime writes it, and a blank
  line stands before it or a header field below it. Where a file's own first From_ line has no such date, a
  blank line before and a header field below do as well.
* One blank line at a message's end belongs to the file, not to the message, at the end of the file too:
  so a message has the same bytes whether or not another one follows.
* Fields that mailbox programs write into a message are left out (`mailbox_fields`).
* Quoting is undone: in mboxo `>From ` at the start of a line becomes `From `; in mboxrd every
  `>>...From ` loses one `>`. Which of the two a file is, `quoting` tells from its first MiB.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from spamtide.collector.from_line import AHEAD_BYTES, FIELD, FROM_LINE_BYTES, dated, from_line
from spamtide.collector.mailbox_fields import without_mailbox_fields
from spamtide.collector.stream import BLOCK_BYTES, HEAD_BYTES, Damage, Stream

QUOTING_BYTES = 2**20
"""How much of a file decides between mboxo and mboxrd."""

Quoting = Literal["mboxo", "mboxrd"]

_UNQUOTE: dict[Quoting, tuple[re.Pattern[bytes], bytes]] = {
    # (what to look for, its replacement); a run of '>' is bounded so that a cut line cannot matter
    "mboxo": (re.compile(rb"^>From ", re.MULTILINE), b"From "),
    "mboxrd": (re.compile(rb"^>(>{0,99}From )", re.MULTILINE), rb"\1"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of an mbox."""

    from_line: bytes
    """Its From_ line without the line end; b'' for a message that has none."""
    data: bytes
    """The message, or its first HEAD_BYTES when `reason` is not ''."""
    sha256: str
    size: int
    """Bytes of the message."""
    reason: str = ""
    """'' or one of REASONS: too large, or the file broke off in it."""
    as_read: str = ""
    """As in RawMessage."""


def quoting(head: bytes) -> Quoting:
    """Tell mboxo from mboxrd by the first QUOTING_BYTES of a file.

    The two differ only in lines that begin with two or more `>` and then `From `. Such a line stands in a
    reply that quotes without blanks; its neighbours show how deep. When a neighbour begins with as many
    `>`, the writer added none: mboxo. When one begins with one fewer, the writer added one: mboxrd. The
    majority counts; without any such line, or in a draw, it is mboxrd, which modern writers use.
    """
    if b">>From " not in head:
        return "mboxrd"
    votes = 0
    for match in re.finditer(rb"^(>{2,99})From ", head, re.MULTILINE):
        depth = len(match[1])
        above = head[max(match.start() - FROM_LINE_BYTES, 0) : max(match.start() - 1, 0)]
        before = above.rpartition(b"\n")[2]
        below = head[match.end() : match.end() + FROM_LINE_BYTES].partition(b"\n")[2]
        depths = {len(line) - len(line.lstrip(b">")) for line in (before, below)}
        votes += (depth in depths) - (depth not in depths and depth - 1 in depths)
    return "mboxo" if votes > 0 else "mboxrd"


def split(stream: Stream, limit: int) -> Iterator[Piece]:
    """Give the messages of an mbox in order, in bounded memory.

    Args:
        stream: the file. Text before its first From_ line is a message without one.
        limit: bytes above which a message is hashed, not held.

    Raises:
        Damage: the file broke off; what was there of its last message was given before.
    """
    style = quoting(stream.peek(QUOTING_BYTES))
    _skip_blank_lines(stream)
    first = from_line(stream.peek(AHEAD_BYTES))
    if first is None and not stream.peek(1) and not stream.failure:
        return
    if first is not None:
        stream.skip(stream.peek(AHEAD_BYTES).find(b"\n") + 1 or len(first))
    loose = first is not None and not dated(first)
    message = _Message(first or b"", limit, style)
    for found in _segments(stream, loose=loose):
        if isinstance(found, _FromLine):
            yield message.finish()
            message = _Message(found.line, limit, style)
        else:
            message.add(found)
    if stream.failure:
        yield message.finish(stream.failure.reason)
        raise stream.failure
    yield message.finish()


def undo(data: bytes) -> Piece:
    """Take the From_ line off a file that is one message, and undo what the mbox did to it."""
    head = data.lstrip(b"\r\n") if data[:1] in b"\r\n" else data
    line = from_line(head)
    if line is None:
        return whole(data, hashlib.sha256(data).hexdigest())
    message = _Message(line, len(data), quoting(head[:QUOTING_BYTES]))
    message.add(head[head.find(b"\n") + 1 or len(head) :])
    return message.finish()


def whole(data: bytes, sha256: str) -> Piece:
    """A file that is one message, of this hash, without what a mailbox program wrote into it."""
    own = without_mailbox_fields(data)
    if own is data:
        return Piece(b"", data, sha256, len(data))
    return Piece(b"", own, hashlib.sha256(own).hexdigest(), len(own), as_read=sha256)


def _skip_blank_lines(stream: Stream) -> None:
    """Pass over blank lines in front of the first message."""
    while (head := stream.peek(FROM_LINE_BYTES)) and (blank := len(head) - len(head.lstrip(b"\r\n"))):
        stream.skip(blank)


@dataclass(frozen=True, slots=True)
class _FromLine:
    """A message ends here and another one, with this From_ line, begins."""

    line: bytes


def _segments(stream: Stream, *, loose: bool) -> Iterator[bytes | _FromLine]:
    """Cut an mbox, after its first From_ line, into pieces of messages and the From_ lines between them.

    Ends at the end of the stream or where it broke off (see Stream.failure).
    """
    held = b""
    fresh = True  # whether `held` begins where a message begins
    ended = False
    while not ended:
        try:
            block = stream.block()
        except Damage:
            block = b""
        ended = not block
        held += block
        start = scan = 0
        while (at := held.find(b"\nFrom ", scan)) >= 0 and (ended or len(held) - at >= AHEAD_BYTES):
            line = _separator(held, at, blank=fresh and at == start, loose=loose)
            scan = at + 1
            if line is not None:
                yield held[start:scan]
                yield _FromLine(line.rstrip(b"\r"))
                start = scan = min(scan + len(line) + 1, len(held))
                fresh = True
        # Keep what cannot be judged yet, and before it the two bytes that may end a blank line.
        end = len(held) if ended else max((at if at >= 0 else len(held) - len(b"\nFrom ")) - 2, start)
        if end > start:
            yield held[start:end]
            fresh = False
        held = held[end:]


def _separator(held: bytes, at: int, *, blank: bool, loose: bool) -> bytes | None:
    """Return the From_ line behind the line end at `at`, without its own, if it is one."""
    line, _, below = held[at + 1 : at + AHEAD_BYTES].partition(b"\n")
    if len(line) > FROM_LINE_BYTES:
        return None
    blank = blank or held[at - 1 : at] == b"\n" or held[at - 2 : at] == b"\n\r"
    field = FIELD.match(below) is not None
    if dated(line):
        return line if blank or field else None
    return line if loose and blank and field else None


class _Message:
    """One message while it is put together."""

    def __init__(self, line: bytes, limit: int, style: Quoting) -> None:
        self._line = line
        self._limit = limit
        self._pattern, self._plain = _UNQUOTE[style]
        self._parts: list[bytes] = []
        self._held = 0
        self._spilled: _Spilled | None = None

    def add(self, segment: bytes) -> None:
        """Add the next bytes; once there are too many, hash and drop them."""
        self._parts.append(segment)
        self._held += len(segment)
        if self._spilled or self._held > self._limit + len(b"\r\n"):
            self._spill()

    def finish(self, reason: str = "") -> Piece:
        """End the message; `reason` says that the file broke off in it."""
        data = _without_blank_line(_joined(self._parts))
        as_read = ""
        if self._spilled:
            self._hash(data)
            head, digest, size = (
                bytes(self._spilled.head),
                self._spilled.digest.hexdigest(),
                self._spilled.size,
            )
            reason = reason or "too-large"
        else:
            stored = self._unquoted(data)
            data = without_mailbox_fields(stored)
            if data is not stored:
                as_read = hashlib.sha256(stored).hexdigest()
            head, digest, size = data, hashlib.sha256(data).hexdigest(), len(data)
            reason = reason or ("too-large" if size > self._limit else "")
        if reason:
            head = head[:HEAD_BYTES]
        if reason not in {"", "too-large"}:
            digest = hashlib.sha256(head).hexdigest()
        return Piece(self._line, head, digest, size, reason, as_read)

    def _spill(self) -> None:
        """Hash what is held, but for the last line, which is not yet whole."""
        self._spilled = self._spilled or _Spilled()
        carried = b""
        for index, part in enumerate(self._parts):
            self._parts[index] = b""
            carried += part
            # Up to the last line end that is no part of a blank line at the end.
            end = carried.rfind(b"\n", 0, max(len(carried) - 3, 0)) + 1
            if not end and len(carried) > HEAD_BYTES:
                end = len(carried) - 3  # a line this long is not quoted anywhere but at its start
            self._hash(carried[:end])
            carried = carried[end:]
        self._parts = [carried]

    def _hash(self, text: bytes) -> None:
        """Hash one more piece of a message that is too large."""
        spilled = self._spilled
        if spilled is None or not text:
            return
        start = (text.find(b"\n") + 1 or len(text)) if spilled.midline else 0
        spilled.midline = not text.endswith(b"\n")
        plain = text[:start] + self._unquoted(text[start:])
        spilled.digest.update(plain)
        spilled.size += len(plain)
        if len(spilled.head) < HEAD_BYTES:
            spilled.head += plain[: HEAD_BYTES - len(spilled.head)]

    def _unquoted(self, data: bytes) -> bytes:
        """Undo the quoting of whole lines; of many, in blocks, as each match costs memory for a while."""
        if b">From " not in data:
            return data
        plain = io.BytesIO()
        start = 0
        while start < len(data):
            end = data.find(b"\n", start + BLOCK_BYTES) + 1 or len(data)
            plain.write(self._pattern.sub(self._plain, data[start:end]))
            start = end
        return plain.getvalue()


class _Spilled:
    """What is known of a message that is too large to be held."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.head = bytearray()
        self.size = 0
        self.midline = False
        """Whether the last piece ended inside a line."""


def _joined(parts: list[bytes]) -> bytes:
    """Join and let go of the parts one by one, so that a large message is never held twice."""
    if len(parts) == 1:
        return parts.pop()
    whole = io.BytesIO()
    for index, part in enumerate(parts):
        parts[index] = b""
        whole.write(part)
    parts.clear()
    return whole.getvalue()


def _without_blank_line(data: bytes) -> bytes:
    """Take off the one blank line that an mbox puts behind each message."""
    if data.endswith((b"\n\n", b"\n\r\n")):
        return data[:-2] if data.endswith(b"\r\n") else data[:-1]
    return b"" if data in {b"\n", b"\r\n"} else data
