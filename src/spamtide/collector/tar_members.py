"""Members of a tar archive, read front to back.

Headers are `tarfile`'s business; the data is read here, because `tarfile` drops what it has read of a
member when the archive breaks off inside it.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

from spamtide.collector.stream import Damage, Stream

HEADER_BYTES = 2**20
"""Most bytes that one extended header may take; a hostile one claims gigabytes."""

_DIGIT_RUN = re.compile(rb"[0-9]{100}")
"""No honest pax header has one; older versions of tarfile take quadratic time over them (CVE-2024-6232)."""


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
            while (member := archive.next()) is not None:
                # Else tarfile remembers every member of a large archive; its stubs do not know the list.
                archive.members.clear()  # type: ignore[attr-defined]
                if member.isreg():
                    part = stream.part(member.size, f"{stream.where}!{member.name}")
                    yield member.name, None if member.issparse() else part
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
