"""Read saved pages out of a WARC file (ISO 28500), plain or gzipped; strict, bounded, nothing is fetched."""

from __future__ import annotations

import datetime as dt
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn
from urllib.parse import urlsplit

from spamtide.errors import SettingsError

MOST_RECORDS = 100_000
"""Records of a WARC file that are read."""
MOST_HEADER_BYTES = 64 * 2**10
MOST_PAGE_BYTES = 4 * 2**20
"""Bytes of one record that are kept; the rest is read over."""
MOST_BYTES = 4 * 2**30
"""Bytes of one file, unpacked."""
_OK = 200


class Saved(NamedTuple):
    """One saved page."""

    host: str
    """In lower case."""
    day: dt.date | None
    """Day of capture."""
    body: bytes
    where: str
    """File and record, for a person."""


def read_warc(path: Path) -> Iterator[Saved]:
    """The HTML pages that a WARC file holds, in order: responses with status 200, and resources.

    Raises:
        SettingsError: the file is no WARC or is cut off; the message is 'file:1: record N (byte B): reason'.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]  # reads alike
            yield from _Records(path, stream).pages()
    except (OSError, EOFError, zlib.error) as error:
        _fail(path, f"cannot be read: {error}")


class _Records:
    """A WARC file while it is read."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path, self.stream = path, stream
        self.number = self.at = 0

    def pages(self) -> Iterator[Saved]:
        """Every page."""
        while self.number < MOST_RECORDS and (fields := self._head()):
            kind = fields.get("warc-type", "").lower()
            size = fields.get("content-length", "")
            if not size.isdigit():
                self._fail("no Content-Length")
            content = self._take(int(size))
            if kind in {"response", "resource"}:
                page = _http_body(content) if kind == "response" else content
                if page is not None and _is_html(page):
                    yield self._saved(fields, page)

    def _saved(self, fields: dict[str, str], page: bytes) -> Saved:
        try:
            host = urlsplit(fields.get("warc-target-uri", "").strip("<>")).hostname or ""
        except ValueError:
            host = ""
        if not host:
            self._fail("no address (WARC-Target-URI)")
        try:
            day = dt.date.fromisoformat(fields.get("warc-date", "")[:10])
        except ValueError:
            day = None
        return Saved(host.lower(), day, page, f"{self.path}, record {self.number}")

    def _head(self) -> dict[str, str]:
        """Header fields of the next record; none at the end of the file."""
        line = self._line()
        while line in {b"\r\n", b"\n"}:
            line = self._line()
        if not line:
            return {}
        self.number += 1
        if not line.startswith(b"WARC/"):
            self._fail("does not begin with 'WARC/'")
        fields: dict[str, str] = {}
        size = 0
        while (line := self._line()).strip():
            size += len(line)
            name, colon, value = line.decode("utf-8", "replace").partition(":")
            if not colon or size > MOST_HEADER_BYTES:
                self._fail("a header line without a colon" if not colon else "its header is too long")
            fields[name.strip().lower()] = value.strip()
        return fields

    def _line(self) -> bytes:
        line = self.stream.readline(MOST_HEADER_BYTES)
        self._count(len(line))
        return line

    def _take(self, size: int) -> bytes:
        """The content of a record, cut to what is kept."""
        kept = self.stream.read(min(size, MOST_PAGE_BYTES))
        left = size - len(kept)
        self._count(len(kept))
        while left > 0 and (piece := self.stream.read(min(left, 2**20))):
            left -= len(piece)
            self._count(len(piece))
        if left > 0:
            self._fail(f"cut off: {left} bytes are missing")
        return kept

    def _count(self, size: int) -> None:
        self.at += size
        if self.at > MOST_BYTES:
            self._fail(f"more than {MOST_BYTES} bytes")

    def _fail(self, reason: str) -> NoReturn:
        _fail(self.path, f"record {self.number} (byte {self.at}): {reason}")


def _http_body(content: bytes) -> bytes | None:
    """The page of a kept HTTP answer, unpacked; None for any but a whole 200."""
    head, gap, body = content.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = lines[0].split(maxsplit=2)
    if not gap or len(status) < 2 or status[1] != str(_OK):  # noqa: PLR2004 - version and status
        return None
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip().lower()
    if "chunked" in fields.get("transfer-encoding", ""):
        body = _dechunked(body)
    if fields.get("content-encoding", "") in {"gzip", "x-gzip", "deflate"}:
        try:
            body = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MOST_PAGE_BYTES)
        except zlib.error:
            return None
    return body


def _dechunked(body: bytes) -> bytes:
    """The content of HTTP chunks, as far as they are whole; a body that has none stays as it is."""
    parts = []
    at = 0
    while at < len(body):
        end = body.find(b"\r\n", at)
        try:
            size = int(body[at:end].split(b";")[0], 16) if end >= 0 else -1
        except ValueError:
            size = -1
        if size <= 0:
            break
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size
    return b"".join(parts) or body


def _is_html(page: bytes) -> bool:
    head = page[:4096].lower()
    return any(mark in head for mark in (b"<html", b"<!doctype html", b"<head", b"<body", b"<title"))


def _fail(path: Path, reason: str) -> NoReturn:
    message = f"{path}:1: {reason}"
    raise SettingsError(message)
