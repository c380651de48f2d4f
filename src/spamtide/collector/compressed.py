"""Decompression as streams: bounded in memory, and honest about a cut.

The file classes of the standard library lose the bytes that they had decoded when an input breaks off, and
`zstandard`'s takes a cut frame for a clean end. Here the decoders are driven block by block: every byte
that can be decoded is handed out, and then the break is reported.
"""

from __future__ import annotations

import bz2
import contextlib
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from spamtide.collector.stream import Budget, Damage, Stream

OUTPUT_BYTES = 2**18
"""Most bytes that one decoding step gives (zstd: see ZSTD_INPUT_BYTES)."""
INPUT_BYTES = 2**16
ZSTD_INPUT_BYTES = 2**9
"""A block of zstd takes 4 bytes at least and gives 128 KiB at most, so one step gives 16 MiB at most."""
MEMORY_BYTES = 2**27
"""Window or dictionary that a stream may ask for; `xz -9` needs half of it, `zstd --ultra` all of it."""
RESCUE_BYTES = 64
"""Step in which the last input before damage is decoded again, to get at its good part."""


class Decoder(Protocol):
    """One frame of a compressed stream."""

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the frame."""

    def feed(self, data: bytes) -> bytes:
        """Decode up to about OUTPUT_BYTES; call with b'' for more from the same input."""

    @property
    def hungry(self) -> bool:
        """Whether all input so far is used up."""


class Deflate:
    """gzip (wbits 31) or raw deflate (wbits -15)."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._broken: zlib.error | None = None

    @property
    def eof(self) -> bool:
        """See Decoder."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """See Decoder."""
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        """See Decoder."""
        return not self._inner.unconsumed_tail and not self._broken

    def feed(self, data: bytes) -> bytes:
        """See Decoder; what was decoded before a fault is given before the fault is raised."""
        if self._broken:
            raise self._broken
        data = self._inner.unconsumed_tail + data
        before = self._inner.copy()
        try:
            return self._inner.decompress(data, OUTPUT_BYTES)
        except zlib.error as error:
            self._broken = error
            return _rescue(before, data)


def _rescue(decoder: zlib._Decompress, data: bytes) -> bytes:
    """Decode input that is known to be damaged in small steps, up to the damage."""
    good: list[bytes] = []
    with contextlib.suppress(zlib.error):
        for start in range(0, len(data), RESCUE_BYTES):
            good += (decoder.decompress(data[start : start + RESCUE_BYTES]),)
    return b"".join(good)


class Buffered:
    """bz2 and xz, whose decoders keep their input themselves."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        """See Decoder."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """See Decoder."""
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        """See Decoder."""
        return self._inner.needs_input

    def feed(self, data: bytes) -> bytes:
        """See Decoder."""
        return self._inner.decompress(data, OUTPUT_BYTES)


class Zstandard:
    """zstd, bounded by feeding it little at a time."""

    hungry = True

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=MEMORY_BYTES).decompressobj(write_size=2**16)

    @property
    def eof(self) -> bool:
        """See Decoder."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """See Decoder."""
        return self._inner.unused_data

    def feed(self, data: bytes) -> bytes:
        """See Decoder."""
        return self._inner.decompress(data)


DECODERS: dict[str, tuple[Callable[[], Decoder], int]] = {
    "gz": (lambda: Deflate(31), INPUT_BYTES),
    "bz2": (lambda: Buffered(bz2.BZ2Decompressor()), INPUT_BYTES),
    "xz": (lambda: Buffered(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES)), INPUT_BYTES),
    "zst": (Zstandard, ZSTD_INPUT_BYTES),
    "deflate": (lambda: Deflate(-15), INPUT_BYTES),
}
"""Format -> (maker of a decoder for one frame, bytes fed to it at once)."""

FRAME_STARTS: dict[str, tuple[bytes, ...]] = {
    "gz": (b"\x1f\x8b",),
    "bz2": (b"BZh",),
    "xz": (b"\xfd7zXZ\x00",),
    "zst": (b"\x28\xb5\x2f\xfd", *(bytes([value, 0x2A, 0x4D, 0x18]) for value in range(0x50, 0x60))),
}
"""Format -> how a frame begins (RFC 1952, the bzip2 and xz formats, RFC 8878 with its skippable frames)."""

_FAULTS = (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError, EOFError, ValueError)


def unpack(packed: Stream, kind: str, budget: Budget, *, frames: bool = True) -> Stream:
    """Decode `packed`; `kind` is a key of DECODERS.

    With `frames`, frame follows frame as in a file, and zero bytes may pad its end. Without, reading stops
    behind the first frame and gives the rest back to `packed`.
    """
    make, step = DECODERS[kind]
    decoder = make()
    where = packed.where

    def advance() -> bytes:
        """Feed the decoder once."""
        if not decoder.hungry:
            return decoder.feed(b"")
        data = packed.block(step)
        out = decoder.feed(data)
        if not data and not out and not decoder.eof:
            raise Damage(where, "archive-cut", "the compressed file ends early")
        return out

    def pull() -> bytes:
        nonlocal decoder
        out = b""
        while not out:
            if decoder.eof:
                packed.give_back(len(decoder.unused_data))
                if not frames or not _more_frames(packed, kind):
                    return b""
                decoder = make()
            try:
                out = advance()
            except _FAULTS as error:
                raise Damage(where, "archive-damaged", f"the compressed data is damaged: {error}") from error
        budget.spend(len(out), where)
        return out

    return Stream(pull, where)


def _more_frames(packed: Stream, kind: str) -> bool:
    """Whether another frame follows; zero padding may."""
    while (head := packed.peek(8)) and not head.strip(b"\0"):
        packed.take(len(head))
    if not head:
        if packed.failure:
            raise packed.failure
        return False
    if not head.startswith(FRAME_STARTS[kind]):
        raise Damage(packed.where, "archive-damaged", "something else follows the compressed data")
    return True
