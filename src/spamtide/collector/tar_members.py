"""Members of a tar archive, read front to back.

Headers are `tarfile`'s business; the data is read here, because `tarfile` drops what it has read of a
member when the archive breaks off inside it.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator

from spamtide.collector.stream import Damage, Stream

HEADER_BYTES = 2**20
"""Most bytes that one extended header may take; a hostile one claims gigabytes."""

_DIGIT_RUN = re.compile(rb"[0-9]{100}")
"""No honest pax header has one; older versions of tarfile take quadratic time over them (CVE-2024-6232)."""


_NUMBERS = re.compile(rb"[0-7 \0]*")
_SIZE = re.compile(rb"[0-7]{11}[ \0]")
_CHECKSUM = re.compile(rb"[0-7]{6}[ \0]{2}")
_ADLER_MODULUS = 65521


class _Headers:
    """The face of a Stream that `tarfile` needs: read, tell, and seek forwards."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.last = b""
        """What the last read gave: tells an end-of-archive mark from a cut and from rubbish."""

    def read(self, count: int) -> bytes:
        """Read header blocks; refuse what only an attack would hold."""
        if count > HEADER_BYTES:
            raise Damage(self._stream.where, "archive-damaged", f"a tar header claims {count} bytes")
        data = self._stream.take(count)
        if len(data) > tarfile.BLOCKSIZE and _DIGIT_RUN.search(data):
            raise Damage(self._stream.where, "archive-damaged", "a tar header holds a run of digits")
        self.last = data
        return data

    def tell(self) -> int:
        """Bytes read so far."""
        return self._stream.position

    def seek(self, position: int) -> None:
        """Go on to a later place; a way back would be a loop laid by the archive."""
        if position < self._stream.position:
            raise Damage(self._stream.where, "archive-damaged", "a tar header points backwards")
        self._stream.skip(position - self._stream.position)


def _plain_file(block: bytes) -> tuple[str, int] | None:
    """Name and size of the member whose header says nothing unusual; None for any other.

    Most members are such, and tarfile takes longer over a header than all else takes over a small message.
    """
    if len(block) != tarfile.BLOCKSIZE or block[156] not in b"0\0":
        return None
    name, prefix = block[:100].partition(b"\0")[0], block[345:500].partition(b"\0")[0]
    numbers = block[100:124] + block[136:148] + block[329:345]
    if not name or name.endswith(b"/") or not _NUMBERS.fullmatch(numbers):
        return None
    if not _SIZE.fullmatch(block, 124, 136) or not _CHECKSUM.fullmatch(block, 148, 156):
        return None
    # The checksum is the sum of all bytes, itself taken for spaces; Adler-32 knows the same sum by one more.
    summed = zlib.adler32(b"%b        %b" % (block[:148], block[156:])) & 0xFFFF
    if summed != (int(block[148:154], 8) + 1) % _ADLER_MODULUS:
        return None
    whole = prefix + b"/" + name if prefix else name
    return whole.decode("utf-8", "surrogateescape"), int(block[124:135], 8)


def _at_header(archive: tarfile.TarFile, headers: _Headers) -> bool:
    """Go on to the next header; False where tarfile has to do that.

    It has read the first header already, keeps what a global header says of all, and says what is wrong where
    the archive ends too early.
    """
    if archive.firstmember is not None or archive.pax_headers:  # type: ignore[attr-defined]
        return False
    if headers.tell() < archive.offset:
        headers.seek(archive.offset - 1)
        return len(headers.read(1)) == 1
    return headers.tell() == archive.offset


def tar_members(stream: Stream) -> Iterator[tuple[str, Stream | None]]:
    """Give (name, data) of each file in a tar, in order; data is None for a sparse file.

    The data must be read, or left alone, before the next member is asked for. Folders, links and devices
    hold no mail of their own and are passed over.

    Raises:
        Damage: the archive ends without its end mark, or holds something that is no header.
    """
    headers = _Headers(stream)
    try:
        # tarfile is given a forward reader where it expects a file; it uses these three methods alone.
        with tarfile.TarFile(fileobj=headers, mode="r", errors="surrogateescape") as archive:  # type: ignore[arg-type]
            while True:
                plain = _plain_file(stream.peek(tarfile.BLOCKSIZE)) if _at_header(archive, headers) else None
                if plain:
                    name, size = plain
                    headers.read(tarfile.BLOCKSIZE)
                    blocks = -(-size // tarfile.BLOCKSIZE)
                    archive.offset = headers.tell() + blocks * tarfile.BLOCKSIZE
                    yield name, stream.part(size, f"{stream.where}!{name}")
                elif (member := archive.next()) is None:
                    break
                elif member.isreg():
                    part = stream.part(member.size, f"{stream.where}!{member.name}")
                    yield member.name, None if member.issparse() else part
                # Else tarfile remembers every member of a large archive; its stubs do not know the list.
                archive.members.clear()  # type: ignore[attr-defined]
    except (tarfile.TarError, ValueError, OverflowError, UnicodeError) as error:
        if stream.failure:
            raise stream.failure from error
        reason = "archive-cut" if len(headers.last) < tarfile.BLOCKSIZE else "archive-damaged"
        raise Damage(stream.where, reason, f"the tar archive breaks off: {error}") from error
    if stream.failure:
        raise stream.failure
    if len(headers.last) < tarfile.BLOCKSIZE:
        raise Damage(stream.where, "archive-cut", "the tar archive ends without its end mark")
    if headers.last.strip(b"\0"):
        raise Damage(stream.where, "archive-damaged", "something that is no tar header stands in the archive")
    stream.drain()
