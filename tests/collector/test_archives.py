"""Archives and compressed files: whole, nested, cut, damaged and hostile."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import random
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spamtide.collector.stream import HEAD_BYTES
from spamtide.errors import BadDataError
from spamtide.settings import Limits

SEEDED = random.Random(7)
MESSAGES = [
    b"Subject: message %d\n\n" % number + SEEDED.randbytes(1500).hex().encode() + b"\n" for number in range(8)
]
NAMES = [f"spam/{number}.eml" for number in range(len(MESSAGES))]
FROM_LINE = b"From a@example.org Wed Jul  3 12:34:56 2002\n"
MBOX = b"".join(FROM_LINE + message + b"\n" for message in MESSAGES)


def tar(members: dict[str, bytes], style: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=style) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def zipped_blindly(members: dict[str, bytes]) -> bytes:
    """As written to a pipe: sizes follow the data."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

        tell = seek

    buffer = Pipe()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zst(data: bytes) -> bytes:
    """With a block for each KiB, so that a cut leaves something to read."""
    packer = zstandard.ZstdCompressor().compressobj()
    parts = []
    for start in range(0, len(data), 1024):
        parts += [
            packer.compress(data[start : start + 1024]),
            packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK),
        ]
    return b"".join([*parts, packer.flush()])


MEMBERS = dict(zip(NAMES, MESSAGES, strict=True))
KINDS: dict[str, bytes] = {
    "x.tar": tar(MEMBERS),
    "x-gnu.tar": tar(MEMBERS, tarfile.GNU_FORMAT),
    "x-ustar.tar": tar(MEMBERS, tarfile.USTAR_FORMAT),
    "x.tar.gz": gz(tar(MEMBERS)),
    "x.tgz": gz(tar(MEMBERS)),
    "x.tar.bz2": bz2.compress(tar(MEMBERS)),
    "x.tar.xz": lzma.compress(tar(MEMBERS)),
    "x.tar.zst": zst(tar(MEMBERS)),
    "x.zip": zipped(MEMBERS),
    "x-stored.zip": zipped(MEMBERS, zipfile.ZIP_STORED),
    "x-bz2.zip": zipped(MEMBERS, zipfile.ZIP_BZIP2),
    "x-blind.zip": zipped_blindly(MEMBERS),
    "x.mbox": MBOX,
    "x.mbox.gz": gz(MBOX),
    "x.mbox.bz2": bz2.compress(MBOX),
    "x.mbox.xz": lzma.compress(MBOX),
    "x.mbox.zst": zst(MBOX),
    "x.members.gz": b"".join(gz(FROM_LINE + message + b"\n") for message in MESSAGES),
    "x.frames.zst": b"".join(zst(FROM_LINE + message + b"\n") for message in MESSAGES),
    "x-nested.tar": tar({"a.mbox.gz": gz(MBOX)}),
    "x-nested.zip": zipped({"a/b.tar.zst": zst(tar(MEMBERS))}),
    "x-zip-in-tar.tgz": gz(tar({"a.zip": zipped(MEMBERS)})),
    "x-blind-zip-in-zip.zip": zipped({"a.zip": zipped_blindly(MEMBERS)}, zipfile.ZIP_STORED),
    "no-suffix": gz(tar(MEMBERS)),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_every_message(tmp_path: Path, read: Callable, name: str) -> None:
    """All messages come out, in stored order, each with its hash, and nothing is said to be wrong."""
    path = tmp_path / name
    path.write_bytes(KINDS[name])
    outcome = read(path)
    assert outcome.data == MESSAGES
    assert outcome.error is None
    assert outcome.unreadable == []
    assert [m.sha256 for m in outcome.messages] == [hashlib.sha256(data).hexdigest() for data in MESSAGES]


@pytest.mark.parametrize("name", KINDS)
def test_a_cut_file_gives_a_prefix_and_says_so(tmp_path: Path, read: Callable, name: str) -> None:
    """At every cut: what comes out is a prefix of the whole, and the rest is reported."""
    whole = KINDS[name]
    path = tmp_path / name
    step = max(len(whole) // 97, 1)
    for size in [*range(0, len(whole), step), *range(max(len(whole) - 24, 0), len(whole))]:
        path.write_bytes(whole[:size])
        outcome = read(path)
        count = len(outcome.messages)
        if name == "x.mbox" and outcome.data != MESSAGES[:count]:
            # A plain mbox has no end mark: its last message is taken as it stands.
            assert outcome.data[:-1] == MESSAGES[: count - 1]
            assert (MESSAGES[count - 1] + b"\n" + FROM_LINE).startswith(outcome.data[-1])
            continue
        assert outcome.data == MESSAGES[:count], size
        if outcome.error is None:
            assert (
                name == "x.mbox" or outcome.data == MESSAGES or name.startswith(("x.members", "x.frames"))
            ), size
        else:
            assert isinstance(outcome.error, BadDataError)
            assert str(path) in outcome.error.message
        assert set(outcome.reasons.values()) <= {"archive-cut", "not-mail"}, size


def test_a_cut_tar_gives_every_message_before_the_cut(tmp_path: Path, read: Callable) -> None:
    """Not one that is wholly there is lost, and the one that is cut is named with what there is of it."""
    path = tmp_path / "x.tar"
    whole = tar(MEMBERS, tarfile.USTAR_FORMAT)
    block = len(MESSAGES[0]) + 511 & ~511
    for whole_ones in range(len(MESSAGES)):
        path.write_bytes(whole[: whole_ones * (512 + block) + 512 + 100])
        outcome = read(path)
        assert len(outcome.messages) == whole_ones
        (cut,) = outcome.unreadable
        assert (cut.reason, cut.size, cut.data) == ("archive-cut", 100, MESSAGES[whole_ones][:100])
        assert cut.source == f"{path}!{NAMES[whole_ones]}"


def test_a_cut_gz_gives_all_that_zlib_can_decode(tmp_path: Path, read: Callable) -> None:
    """The oracle is zlib itself: each message that it decodes up to the next From_ line is there."""
    path = tmp_path / "x.mbox.gz"
    whole = gz(MBOX)
    for size in range(200, len(whole), 611):
        path.write_bytes(whole[:size])
        decoded = zlib.decompressobj(31).decompress(whole[:size])
        assert len(read(path).messages) == max(decoded.count(b"\n" + FROM_LINE), 0)


def test_other_paths_go_on_after_a_cut_one(tmp_path: Path, read: Callable) -> None:
    """One damaged archive keeps no other path from being read, and the error at the end names it."""
    cut, good = tmp_path / "cut.tar.gz", tmp_path / "good.tar.gz"
    cut.write_bytes(gz(tar(MEMBERS))[:-2000])
    good.write_bytes(gz(tar(MEMBERS)))
    outcome = read(cut, good)
    assert outcome.data[-len(MESSAGES) :] == MESSAGES
    assert isinstance(outcome.error, BadDataError)
    assert "cut.tar.gz" in outcome.error.message
    assert "more" not in outcome.error.message


def test_after_the_copy_is_finished_everything_is_there_once(tmp_path: Path, read: Callable) -> None:
    """Reading a half-written file and later the whole gives the same messages by identity, none beside."""
    path = tmp_path / "x.mbox.gz"
    path.write_bytes(gz(MBOX)[:-3000])
    early = {message.sha256 for message in read(path).messages}
    path.write_bytes(gz(MBOX))
    assert early < {message.sha256 for message in read(path).messages}


def test_a_damaged_member_does_not_stop_the_others(tmp_path: Path, read: Callable) -> None:
    """In a zip and in a tar the members behind a damaged one are read."""
    broken = gz(MESSAGES[0])[:-40]
    members = {"0.eml.gz": broken, **dict(zip(NAMES[1:], MESSAGES[1:], strict=True))}
    for name, data in {"x.tar": tar(members), "x.zip": zipped(members)}.items():
        path = tmp_path / name
        path.write_bytes(data)
        outcome = read(path)
        assert outcome.data == MESSAGES[1:]
        assert list(outcome.reasons.values()) == ["archive-cut"]
        assert "0.eml.gz" in str(outcome.error)


def test_a_wrong_checksum_is_noticed(tmp_path: Path, read: Callable) -> None:
    """A flipped byte in a stored zip member, and one in the checksum of a gz, are damage."""
    data = bytearray(zipped(MEMBERS, zipfile.ZIP_STORED))
    data[data.index(MESSAGES[2]) + 50] ^= 1
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    outcome = read(path)
    assert outcome.data == MESSAGES[:2] + MESSAGES[3:]
    assert outcome.reasons == {f"{path}!{NAMES[2]}": "archive-damaged"}
    assert isinstance(outcome.error, BadDataError)
    data = bytearray(gz(MBOX))
    data[-6] ^= 1
    path = tmp_path / "x.mbox.gz"
    path.write_bytes(data)
    outcome = read(path)
    assert outcome.data == MESSAGES[:-1]
    assert list(outcome.reasons.values()) == ["archive-damaged"]


def test_an_encrypted_member_is_named_and_the_others_read(tmp_path: Path, read: Callable) -> None:
    """The password bit of one member: it is given as it is stored, with a hash of its own."""
    data = bytearray(zipped(MEMBERS))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.infolist()[1]
    data[info.header_offset + 6] |= 1
    entry = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    data[entry + 8] |= 1
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    outcome = read(path)
    assert outcome.data == [MESSAGES[0], *MESSAGES[2:]]
    (locked,) = outcome.unreadable
    assert (locked.reason, locked.size) == ("encrypted", info.compress_size)
    assert locked.sha256 == hashlib.sha256(locked.data).hexdigest()
    assert outcome.error is None


def test_an_unknown_zip_method_is_member_unreadable(tmp_path: Path, read: Callable) -> None:
    """Lzma inside a zip is not read, and that is said."""
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(MEMBERS, zipfile.ZIP_LZMA))
    outcome = read(path)
    assert set(outcome.reasons.values()) == {"member-unreadable"}
    assert "holds no mail" in str(outcome.error)


def test_other_formats_are_said_to_be_unsupported(tmp_path: Path, read: Callable) -> None:
    """A 7z is neither a message nor passed over in silence."""
    path = tmp_path / "x.7z"
    path.write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    outcome = read(path)
    assert outcome.reasons == {str(path): "format-unsupported"}
    assert "holds no mail" in str(outcome.error)


def test_names_that_climb_are_only_shown(tmp_path: Path, read: Callable) -> None:
    """Path traversal and absolute names are text in `source`; nothing is written anywhere."""
    names = ["../../etc/x.eml", "/etc/y.eml", "a/\udc80\n.eml"]
    members = dict(zip(names, MESSAGES, strict=False))
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape"
    ) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "x.tar"
    path.write_bytes(buffer.getvalue())
    outcome = read(path)
    assert [m.source for m in outcome.messages] == [
        f"{path}!../../etc/x.eml",
        f"{path}!/etc/y.eml",
        f"{path}!a/\\udc80\\n.eml",
    ]
    assert sorted(tmp_path.rglob("*")) == [folder, path]


def test_links_and_devices_in_a_tar_are_passed_over(tmp_path: Path, read: Callable) -> None:
    """They hold no mail of their own."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"special{kind!r}.eml")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("a.eml")
        info.size = len(MESSAGES[0])
        archive.addfile(info, io.BytesIO(MESSAGES[0]))
    path = tmp_path / "x.tar"
    path.write_bytes(buffer.getvalue())
    outcome = read(path)
    assert (outcome.data, outcome.unreadable, outcome.error) == ([MESSAGES[0]], [], None)


def test_nesting_is_followed_to_a_fixed_depth(tmp_path: Path, read: Callable) -> None:
    """Three tar.gz within one another are read; a fourth layer is refused by name."""
    data = MESSAGES[0]
    name = "x.eml"
    for level in range(4):
        data, name = gz(tar({name: data})), f"{level}.tar.gz"
        path = tmp_path / name
        path.write_bytes(data)
        outcome = read(path)
        if level < 3:
            assert outcome.data == [MESSAGES[0]]
        else:
            assert list(outcome.reasons.values()) == ["too-deep"]


def peak(read: Callable, path: Path, **options: object) -> tuple[object, int]:
    """Outcome of a reading, and the most memory (bytes) that Python held during it."""
    tracemalloc.start()
    try:
        return read(path, **options), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst", "zip", "tar.gz"])
def test_a_bomb_is_hashed_in_bounded_memory(tmp_path: Path, read: Callable, kind: str) -> None:
    """64 MiB of one byte: too large, hashed whole, and never held."""
    size = 2**26
    zeros = b"A: 1\n\n" + bytes(size)
    packed = {
        "gz": gz,
        "bz2": bz2.compress,
        "xz": lambda data: lzma.compress(data, preset=0),
        "zst": zstandard.ZstdCompressor(19).compress,
        "zip": lambda data: zipped({"x.eml": data}),
        "tar.gz": lambda data: gz(tar({"x.eml": data})),
    }[kind](zeros)
    path = tmp_path / f"x.{kind}"
    path.write_bytes(packed)
    outcome, most = peak(read, path, limits=Limits(message_bytes=2**20))
    (bomb,) = outcome.unreadable
    assert (bomb.reason, bomb.size, len(bomb.data)) == ("too-large", len(zeros), HEAD_BYTES)
    assert bomb.sha256 == hashlib.sha256(zeros).hexdigest()
    assert most < 48 * 2**20


def test_bombs_in_bombs_end(tmp_path: Path, read: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that unpacks to far more than it weighs is given up after a fixed multiple of its size."""
    monkeypatch.setattr("spamtide.collector.stream.EXPANSION_FLOOR", 2**26)
    inner = zstandard.ZstdCompressor(3).compress(bytes(2**26)) * 16
    path = tmp_path / "x.zst"
    path.write_bytes(zstandard.ZstdCompressor(3).compress(inner * 64))
    outcome = read(path, limits=Limits(message_bytes=2**20))
    assert "archive-bomb" in outcome.reasons.values()
    assert isinstance(outcome.error, BadDataError)


def test_a_header_that_claims_gigabytes_is_refused(tmp_path: Path, read: Callable) -> None:
    """A long-name header of 8 GiB is damage, not an allocation."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33 - 1
    path = tmp_path / "x.tar"
    path.write_bytes(
        tar({"a.eml": MESSAGES[0]}, tarfile.GNU_FORMAT)[: 512 + (len(MESSAGES[0]) + 511 & ~511)]
        + info.tobuf(tarfile.GNU_FORMAT)
        + bytes(2**16)
    )
    outcome, most = peak(read, path)
    assert outcome.data == [MESSAGES[0]]
    assert "claims" in str(outcome.error)
    assert most < 16 * 2**20


def test_a_pax_header_of_digits_is_refused(tmp_path: Path, read: Callable) -> None:
    """The shape that makes older tarfile quadratic never reaches it."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 2**19
    path = tmp_path / "x.tar"
    path.write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + b"1" * 2**19 + bytes(10240))
    assert "run of digits" in str(read(path).error)


def test_a_zip_behind_which_another_ends_is_not_taken_for_it(tmp_path: Path, read: Callable) -> None:
    """A cut zip that ends just behind a whole zip stored in it is read by its own members."""
    inner = zipped({"inner.eml": MESSAGES[1]})
    whole = zipped({"first.eml": MESSAGES[0], "in.zip": inner}, zipfile.ZIP_STORED)
    path = tmp_path / "x.zip"
    path.write_bytes(whole[: whole.index(inner) + len(inner)])
    outcome = read(path)
    assert [m.source for m in outcome.messages] == [f"{path}!first.eml", f"{path}!in.zip!inner.eml"]
    assert isinstance(outcome.error, BadDataError)


FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize(
    "name",
    ["x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz", "x.tar.zst", "x.zip", "x-blind.zip", "x-nested.zip"],
)
@given(flips=FLIPS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_never_raises_anything_else(
    tmp_path: Path, read: Callable, name: str, flips: list[tuple[float, int]]
) -> None:
    """Flipped bytes anywhere give messages, reasons and at most a BadDataError."""
    data = bytearray(KINDS[name])
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    path = tmp_path / name
    path.write_bytes(data)
    outcome = read(path)
    assert outcome.error is None or isinstance(outcome.error, BadDataError)
