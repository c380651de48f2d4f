"""A file that is being read: its progress is told, its faults become the end of a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from spamtide.collector.stream import BLOCK_BYTES, Budget, Damage, Stream


class Disk:
    """An open file.

    Args:
        file: opened unbuffered for reading.
        where: its source, for messages.
        size: its size in bytes, as far as it is known.
        on_bytes: told of every byte read, `size` bytes in sum for a file that was read to its end.
    """

    def __init__(self, file: BinaryIO, where: str, size: int, on_bytes: Callable[[int], None] | None) -> None:
        self.file = file
        self.where = where
        self.size = size
        self.budget = Budget()
        """What may be unpacked from what was read so far."""
        self._on_bytes = on_bytes
        self._told = 0

    def _read(self, count: int) -> bytes:
        """One read; a fault of the system ends the stream."""
        try:
            data = self.file.read(count)
        except OSError as error:
            raise Damage(self.where, "read-error", error.strerror or str(error)) from error
        self._tell(len(data))
        return data

    def _tell(self, count: int) -> None:
        """Count bytes read, never more than the size (a zip may be read in places more than once)."""
        count = min(count, max(self.size - self._told, 0)) if self.size else count
        self._told += count
        self.budget.earn(count)
        if count and self._on_bytes:
            self._on_bytes(count)

    def finish(self) -> None:
        """Report what was never read (the rest of a damaged file, a zip's directory)."""
        self._tell(max(self.size - self._told, 0))

    def stream(self) -> Stream:
        """All of the file, from where it stands; works for pipes too."""
        # One byte more than the file holds, so that the end of a small file costs no large buffer.
        count = min(self.size + 1, BLOCK_BYTES) if self.size else BLOCK_BYTES
        return Stream(lambda: self._read(count), self.where)

    def region(self, offset: int, hint: int, where: str) -> Stream:
        """The file from `offset` on, of which about `hint` bytes will be wanted."""
        position, count = offset, min(hint, BLOCK_BYTES)

        def pull() -> bytes:
            nonlocal position
            try:
                self.file.seek(position)
            except (OSError, ValueError, OverflowError) as error:
                raise Damage(where, "archive-damaged", f"points outside the file: {error}") from error
            data = self._read(count)
            position += len(data)
            return data

        return Stream(pull, where)
