"""Members of a zip archive: by its directory where the file can be searched, else front to back.

A zip's directory stands at its end, so a half-written or nested zip has to be read by the small header in
front of each member (APPNOTE.TXT 4.3). Both ways end in the same `ZipMember`.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from spamtide.collector.compressed import unpack
from spamtide.collector.disk import Disk
from spamtide.collector.stream import BLOCK_BYTES, Budget, Damage, Stream

DIRECTORY_BYTES = 16 * 2**20
"""Largest directory that is loaded (some 200,000 members); a zip with a larger one is read front to back."""

METHODS: dict[int, str] = {0: "", 8: "deflate", 12: "bz2", 93: "zst"}
"""Compression method (APPNOTE.TXT 4.4.5) -> key of compressed.DECODERS; '' is stored as it is."""

_ENCRYPTED = 0x1
_SIZES_FOLLOW = 0x8
_UTF8 = 0x800
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_EXTRA = struct.Struct("<HH")
_LOCAL_SIGN = b"PK\x03\x04"
_DESCRIPTOR_SIGN = b"PK\x07\x08"
_DIRECTORY_SIGNS = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08")
_TAIL_BYTES = 2**16 + 200
"""The end record with its longest comment, and the zip64 records before it."""
_ZIP64_LOCATOR = 20
_FULL = 0xFFFFFFFF
"""A size of this value stands in the zip64 field instead."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One file of a zip."""

    name: str
    stream: Stream
    """Its content; as it is stored when `refusal` is not ''."""
    refusal: str = ""
    """'' or the reason (of REASONS) why the content cannot be had."""


class _Header(NamedTuple):
    """The fixed part of the header in front of a member, as far as it is used."""

    flags: int
    method: int
    crc: int
    packed_size: int
    plain_size: int
    name_size: int
    extra_size: int


def zip_members(disk: Disk) -> Iterator[ZipMember]:
    """Give the members of a zip file, in the order in which they are stored.

    Raises:
        Damage: the zip is cut or damaged; whatever is readable was given before.
    """
    too_long = _directory_bytes(disk.file) > DIRECTORY_BYTES
    entries = None if too_long else _directory(disk.file)
    if entries is None:
        whole = disk.region(0, BLOCK_BYTES, disk.where)
        yield from zip_stream_members(whole, disk.budget, complete=too_long)
        return
    for info in entries:
        if info.is_dir():
            continue
        where = f"{disk.where}!{info.filename}"
        hint = _LOCAL.size + 2 * len(info.filename) + 64 + info.compress_size
        stored = disk.region(info.header_offset, hint, disk.where)
        try:
            header = _local_header(stored)
            stored.skip(header.name_size + header.extra_size)
        except Damage as damage:
            yield ZipMember(info.filename, _broken(damage))
            continue
        packed = stored.part(info.compress_size, where)
        yield _member(info.filename, info.flag_bits, info.compress_type, info.CRC, packed, disk.budget)


def zip_stream_members(stream: Stream, budget: Budget, *, complete: bool = True) -> Iterator[ZipMember]:
    """Give the members of a zip front to back, by the header in front of each.

    Args:
        stream: the zip.
        budget: what it may unpack to.
        complete: whether a directory behind the members is a clean end; if not, it was already found wrong.

    Raises:
        Damage: the zip is cut or damaged, or not `complete`.
    """
    while (sign := stream.peek(4)) == _LOCAL_SIGN:
        header = _local_header(stream)
        encoding = "utf-8" if header.flags & _UTF8 else "cp437"
        name = stream.take(header.name_size).decode(encoding, "surrogateescape")
        size = _packed_size(header, stream.take(header.extra_size))
        where = f"{stream.where}!{name}"
        if size is None and (not METHODS.get(header.method) or header.flags & _ENCRYPTED):
            raise Damage(where, "archive-damaged", "nothing says where this member of the zip ends")
        packed = stream if size is None else stream.part(size, where)
        crc = None if header.flags & _SIZES_FOLLOW else header.crc
        member = _member(name, header.flags, header.method, crc, packed, budget)
        if not name.endswith("/"):
            yield member
        # Of a member whose size is known the packed bytes are passed over, so that damage in it ends there.
        (member.stream if size is None else packed).drain()
        if header.flags & _SIZES_FOLLOW:
            _skip_descriptor(stream)
    if stream.failure and len(sign) < len(_LOCAL_SIGN):
        raise stream.failure
    if len(sign) < len(_LOCAL_SIGN):
        raise Damage(stream.where, "archive-cut", "the zip ends without its directory")
    if sign not in _DIRECTORY_SIGNS:
        raise Damage(stream.where, "archive-damaged", "something that is no member stands in the zip")
    if not complete:
        raise Damage(stream.where, "archive-cut", "the zip's directory is cut or damaged")
    stream.drain()


def _directory_bytes(file: BinaryIO) -> int:
    """Size that the zip claims for its directory; 0 when it names none. Follows zipfile's own search."""
    try:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - _TAIL_BYTES, 0))
        tail = file.read(_TAIL_BYTES)
        at = tail.rfind(b"PK\x05\x06")
        size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
        if at >= _ZIP64_LOCATOR and tail[at - _ZIP64_LOCATOR :].startswith(b"PK\x06\x07"):
            record = tail.rfind(b"PK\x06\x06", 0, at)
            size = max(
                size if size != _FULL else 0, int.from_bytes(tail[record + 40 : record + 48], "little")
            )
    except OSError:
        return 0
    return size


def _directory(file: BinaryIO) -> list[zipfile.ZipInfo] | None:
    """Members by the zip's directory, in stored order; None when it is missing, damaged or another's."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = sorted(archive.infolist(), key=lambda info: info.header_offset)
    except (zipfile.BadZipFile, NotImplementedError, OSError, OverflowError, ValueError, struct.error):
        return None
    # A cut zip may end behind a whole zip that is stored in it: then that one's directory is found.
    return None if entries and entries[0].header_offset else entries


def _local_header(stream: Stream) -> _Header:
    """Take the fixed part of the header in front of a member."""
    data = stream.take(_LOCAL.size)
    if len(data) < _LOCAL.size:
        raise stream.failure or Damage(stream.where, "archive-cut", "ends in the header of a member")
    fields = _LOCAL.unpack(data)
    if fields[0] != _LOCAL_SIGN:
        raise Damage(stream.where, "archive-damaged", "the zip's directory points at no member")
    return _Header(fields[2], fields[3], *fields[6:11])


def _packed_size(header: _Header, extra: bytes) -> int | None:
    """Size of a member as it is stored; None when only its data tells."""
    if header.packed_size == 0 and header.flags & _SIZES_FOLLOW and METHODS.get(header.method):
        return None
    if header.packed_size != _FULL:
        return header.packed_size
    # zip64 (APPNOTE.TXT 4.5.3): fields of (id, size, data); id 1 holds the plain size, then the packed one.
    while len(extra) >= _EXTRA.size:
        kind, size = _EXTRA.unpack_from(extra)
        if kind == 1:
            start = _EXTRA.size + (8 if header.plain_size == _FULL else 0)
            return int.from_bytes(extra[start : start + 8], "little")
        extra = extra[_EXTRA.size + size :]
    return header.packed_size


def _skip_descriptor(stream: Stream) -> None:
    """Take the sizes that follow a member: 4 or 8 bytes each, with or without a sign of their own."""
    signed = stream.peek(4) == _DESCRIPTOR_SIGN
    for length in (16, 24) if signed else (12, 20):
        if stream.peek(length + 2)[length:] == b"PK":
            stream.skip(length)
            return
    stream.skip(16 if signed else 12)


def _member(name: str, flags: int, method: int, crc: int | None, packed: Stream, budget: Budget) -> ZipMember:
    """Say how a member's content is had from its packed bytes."""
    if flags & _ENCRYPTED:
        return ZipMember(name, packed, "encrypted")
    if method not in METHODS:
        return ZipMember(name, packed, "member-unreadable")
    kind = METHODS[method]
    plain = unpack(packed, kind, budget, frames=False) if kind else packed
    return ZipMember(name, plain if crc is None else _checked(plain, crc, packed.where))


def _checked(plain: Stream, crc: int, where: str) -> Stream:
    """Pass a member's content on; at its end, compare its checksum."""
    seen = 0

    def pull() -> bytes:
        nonlocal seen
        block = plain.block()
        seen = zlib.crc32(block, seen)
        if not block and seen != crc:
            raise Damage(where, "archive-damaged", "the checksum of this member is wrong")
        return block

    return Stream(pull, where)


def _broken(damage: Damage) -> Stream:
    """Stream that holds nothing but its break."""

    def pull() -> bytes:
        raise damage

    return Stream(pull, damage.where)
