"""Bytes that arrive in blocks, can be looked ahead into, and may break off.

Everything that the collector reads, from a plain file to a member of a tar in a zip, is a `Stream`. A
stream that breaks off gives all its good bytes first and raises `Damage` afterwards, again and again, so
that no layer above can mistake the break for a clean end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

BLOCK_BYTES = 2**18
"""Bytes asked of a file at once."""
HEAD_BYTES = 64 * 2**10
"""Bytes of something unreadable that are kept as its sample (model.Unreadable.data)."""
EXPANSION = 1000
"""Bytes unpacked for each byte on disk, over all layers of a path, beyond which it is a bomb. One layer of
deflate cannot exceed 1032; mail stays below 100 even when every message is the same."""
EXPANSION_FLOOR = 2**30
"""Bytes that any path may unpack to, however small it is."""


class Damage(Exception):  # noqa: N818 - not a fault of the program: it ends one stream and is handled here
    """A stream ends before it should.

    Args:
        where: source of the layer that broke (a path, or a member of an archive).
        reason: one of REASONS.
        detail: one line for a person.
    """

    def __init__(self, where: str, reason: str, detail: str) -> None:
        super().__init__(f"{where}: {detail}")
        self.reason = reason
        self.where = where
        self.detail = detail


class Budget:
    """What one path may unpack to, so that a bomb ends in bounded time."""

    def __init__(self) -> None:
        self.left = EXPANSION_FLOOR

    def earn(self, count: int) -> None:
        """Count `count` bytes read from disk for the first time."""
        self.left += EXPANSION * count

    def spend(self, count: int, where: str) -> None:
        """Count `count` unpacked bytes.

        Raises:
            Damage: the path has unpacked to more than it may.
        """
        self.left -= count
        if self.left < 0:
            raise Damage(where, "archive-bomb", "unpacks to far more than any mail would")


class Stream:
    """A forward reader over `pull`, which gives the next block, or b'' at the end, or raises Damage."""

    def __init__(self, pull: Callable[[], bytes], where: str) -> None:
        self.where = where
        self.failure: Damage | None = None
        """The break, once it was met; bytes before it may still be unread."""
        self.position = 0
        """Bytes taken so far."""
        self._pull = pull
        self._buffer = b""
        self._at = 0
        self._ended = False

    def _fetch(self) -> bytes:
        """Next block from below; b'' when there is no more or when it broke off."""
        if self._ended:
            return b""
        try:
            block = self._pull()
        except Damage as damage:
            self.failure = damage
            block = b""
        self._ended = not block
        return block

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes without taking them; fewer only when there are no more."""
        missing = count - (len(self._buffer) - self._at)
        if missing > 0:
            blocks = [self._buffer[self._at :]]
            while missing > 0 and (block := self._fetch()):
                blocks.append(block)
                missing -= len(block)
            self._buffer, self._at = b"".join(blocks), 0
        return self._buffer[self._at : self._at + count]

    def block(self, most: int = BLOCK_BYTES) -> bytes:
        """Take at least one and at most `most` bytes; b'' at the clean end.

        Raises:
            Damage: the stream broke off here.
        """
        if self._at >= len(self._buffer):
            self._buffer, self._at = self._fetch(), 0
            if not self._buffer and self.failure:
                raise self.failure
        data = self._buffer[self._at : self._at + most]
        self._at += len(data)
        self.position += len(data)
        return data

    def take(self, count: int) -> bytes:
        """Take `count` bytes; fewer only at the end or before a break."""
        data = self.peek(count)
        self._at += len(data)
        self.position += len(data)
        return data

    def give_back(self, count: int) -> None:
        """Un-take the last `count` bytes of what the last `block` or `take` gave."""
        self._at -= count
        self.position -= count

    def skip(self, count: int) -> None:
        """Take and drop up to `count` bytes; fewer when the stream ends before.

        Raises:
            Damage: the stream broke off on the way.
        """
        while count > 0 and (block := self.block(min(count, BLOCK_BYTES))):
            count -= len(block)

    def drain(self) -> None:
        """Read to the end, so that checksums behind the last message are checked too.

        Raises:
            Damage: the stream broke off on the way.
        """
        while self.block():
            pass

    def part(self, size: int, where: str) -> Stream:
        """View of the next `size` bytes, named `where`. Both read from one place: finish it first."""
        left = size

        def pull() -> bytes:
            nonlocal left
            if left <= 0:
                return b""
            block = self.block(min(left, BLOCK_BYTES))
            if not block:
                raise Damage(self.where, "archive-cut", f"ends {left} bytes early")
            left -= len(block)
            return block

        return Stream(pull, where)


@dataclass(frozen=True, slots=True)
class Gathered:
    """All of a stream, or its head where it is too large or broke off."""

    data: bytes
    """All bytes when `reason` is '', else the first HEAD_BYTES."""
    sha256: str
    """Of all bytes read; of `data` where the stream broke off."""
    size: int
    """Bytes read."""
    reason: str = ""
    """'' when `data` is whole, else one of REASONS."""


def gather(stream: Stream, limit: int) -> Gathered:
    """Read a stream to its end; one of more than `limit` bytes is hashed, not held."""
    digest = hashlib.sha256()
    kept: list[bytes] = []
    held = size = 0
    try:
        while block := stream.block():
            digest.update(block)
            size += len(block)
            if size <= limit or held < HEAD_BYTES:
                kept.append(block)
                held += len(block)
            elif held > HEAD_BYTES:
                kept, held = [b"".join(kept)[:HEAD_BYTES]], HEAD_BYTES
    except Damage as damage:
        head = b"".join(kept)[:HEAD_BYTES]
        return Gathered(head, hashlib.sha256(head).hexdigest(), size, damage.reason)
    data = b"".join(kept)
    if size > limit:
        return Gathered(data[:HEAD_BYTES], digest.hexdigest(), size, "too-large")
    return Gathered(data, digest.hexdigest(), size)
