"""Which contents have a campaign: asked of 64 bits of each hash, and of the memberships only if need be.

A day's mail is new as a rule, and to find that among ten million hashes of 64 characters took longer than to
cluster it. Two hashes with the same number cost one look at the memberships.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.compiled import native
from spamtide.schema import CONTENTS, MEMBERSHIPS
from spamtide.store.lake import Files, Lake

ROWS = 1 << 20
"""Contents that are looked at at once: bounds memory."""
JOINED_BYTES = 16 * 2**20
"""Most bytes of a file into which small ones are joined: a day's do not make a year's be written again."""
READ = 16
"""Characters of a hash that are read."""
_SIEVE_BITS = 20
"""Of a first look: of a day's contents it lets one in forty others pass, and stays near the processor."""
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)


def members(lake: Lake, files: Files) -> pa.Table:
    """MEMBERSHIPS of the contents of some files of observations."""
    keep(lake)
    asked = lake.query("SELECT DISTINCT sha256 FROM part", part=files)
    if not _any_known(lake, _digests(asked["sha256"].combine_chunks())):
        return MEMBERSHIPS.empty_table()
    return lake.query(
        "SELECT m.sha256, m.campaign FROM memberships m SEMI JOIN part o ON o.sha256 = m.sha256", part=files
    )


def keep(lake: Lake) -> None:
    """Bring the table up to the memberships; it is made anew where it cannot be told what is new.

    Then join the files of the memberships, where many are small: now the table says what their rows are.
    """
    version, since = lake.version("memberships"), lake.note("contents").get("memberships")
    if version is None or since == version:
        return
    added = lake.added("memberships", since) if lake.only_added("memberships", since) else None
    note = {"memberships": version}
    if added is None:
        lake.replace("contents", _contents(lake, lake.files("memberships")), note)
    else:
        lake.append("contents", _contents(lake, Files("memberships", added)), note)
        lake.compact("contents")
    lake.compact("memberships", JOINED_BYTES)
    joined = lake.version("memberships")
    if joined == version + 1:  # else somebody added to them meanwhile, and the table is made anew next time
        lake.append("contents", CONTENTS.empty_table(), {"memberships": joined})


def _contents(lake: Lake, files: Files) -> pa.Table:
    """CONTENTS of some files of memberships."""
    found = [
        pa.table([pa.array(_digests(batch["sha256"]).view(np.int64))], schema=CONTENTS)
        for batch in _read(lake, files)
    ]
    return pa.concat_tables([CONTENTS.empty_table(), *found])


def _read(lake: Lake, files: Files) -> Iterator[pa.RecordBatch]:
    if files.paths:
        yield from lake.stream("SELECT sha256 FROM part", ROWS, part=files)


def _any_known(lake: Lake, asked: NDArray[np.uint64]) -> bool:
    """Whether any of some contents may be known."""
    if not asked.size:
        return False
    shift = np.uint64(64 - _SIEVE_BITS)
    sieve = np.zeros(1 << _SIEVE_BITS, dtype=np.bool_)
    sieve[asked >> shift] = True
    asked, bits = np.sort(asked), np.packbits(sieve, bitorder="little")
    for batch in lake.batches("contents", ["digest"], ROWS):
        known = batch["digest"].to_numpy().view(np.uint64)
        if native:
            if native.any_met(known, bits, asked):
                return True
            continue
        left = known[sieve[known >> shift]]
        place = np.searchsorted(asked, left)
        if (asked[np.minimum(place, asked.size - 1)] == left).any():
            return True
    return False


def _digests(hashes: pa.Array) -> NDArray[np.uint64]:
    """A number of each hash, from its first characters."""
    whole = hashes.cast(pa.large_binary())
    width = 64
    if pc.all(pc.equal(pc.binary_length(whole), width)).as_py() is not True:  # none, or of a maker of tests
        padded = [(text or "")[:READ].encode().ljust(READ, b"0") for text in hashes.to_pylist()]
        whole, width = pa.array(padded, pa.large_binary()), READ
    start = np.frombuffer(whole.buffers()[1], dtype=np.int64)[whole.offset] if len(whole) else 0
    data = np.frombuffer(whole.buffers()[2] or b"", dtype=np.uint8)[start : start + width * len(whole)]
    words = np.ascontiguousarray(data.reshape(len(whole), width)[:, :READ]).view("<u8").astype(np.uint64)
    words ^= words >> np.uint64(29)
    words *= _FACTORS
    words ^= words >> np.uint64(32)
    words *= _FACTORS
    return np.asarray(words[:, 0] + words[:, 1])
