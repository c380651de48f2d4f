"""Standard input; what may not be read, is missing, damaged, empty or too large, and how that is said."""

from __future__ import annotations

import errno
import gzip
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spamtide.collector import collect
from spamtide.errors import BadDataError, NoInputError, UsageError
from spamtide.settings import Limits

MAIL = b"Subject: a\n\nbody\n"
OTHER = b"Subject: b\n\nbody\n"
FROM_LINE = b"From x@example.org Wed Jul  3 12:34:56 2002\n"


def test_stdin_is_one_message(read: Callable) -> None:
    """Even when it holds what an mbox would split; a From_ line goes to the envelope; nothing is nothing."""
    outcome = read("-", stdin=io.BytesIO(FROM_LINE + MAIL + b"\n" + FROM_LINE + OTHER))
    (message,) = outcome.messages
    assert message.data == MAIL + b"\n" + FROM_LINE + OTHER
    assert (message.sensor, message.source, message.envelope.mail_from) == ("stdin", "-", "x@example.org")
    assert "holds no mail" in str(read("-", stdin=io.BytesIO(b"")).error)


def test_stdin_is_the_process_s_own_by_default(read: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `stdin`, what is piped into the program is read."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MAIL)))
    assert read("-").data == [MAIL]


def test_stdin_cannot_be_read_twice() -> None:
    """It is refused before anything is read."""
    with pytest.raises(UsageError):
        collect(["-", "-"])


def test_a_missing_path_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """`collect` itself raises, not its first item, and says how many are missing."""
    (tmp_path / "a.eml").write_bytes(MAIL)
    paths = [str(tmp_path / name) for name in ("a.eml", "b.eml", "c\udc80.eml", "a.eml/d", "nul\0")]
    with pytest.raises(NoInputError, match=r"b\.eml.*\+3 more"):
        collect(paths)


def test_what_may_not_be_read_is_said_at_the_end(
    tmp_path: Path, read: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is read, and the error names the file and counts the others."""
    for name in ("a.eml", "b.eml", "c.eml"):
        (tmp_path / name).write_bytes(MAIL)
    really_open = Path.open

    def refuse(path: Path, *args: object, **options: object) -> object:
        if path.name in {"a.eml", "b.eml"}:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    outcome = read(tmp_path)
    assert outcome.data == [MAIL]
    assert isinstance(outcome.error, NoInputError)
    assert "a.eml: Permission denied (+1 more)" in outcome.error.message


def test_a_folder_that_may_not_be_listed_is_said_at_the_end(
    tmp_path: Path, read: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its siblings are read."""
    (tmp_path / "shut").mkdir()
    (tmp_path / "z.eml").write_bytes(MAIL)
    really_scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    outcome = read(tmp_path)
    assert outcome.data == [MAIL]
    assert isinstance(outcome.error, NoInputError)


class Failing(io.BytesIO):
    """A device that fails after its good bytes."""

    def read(self, count: int | None = -1) -> bytes:
        """Give what there is, then fail."""
        data = super().read(count)
        if not data:
            raise OSError(errno.EIO, "Input/output error")
        return data

    def fileno(self) -> int:
        """Anything that can be asked for its status."""
        return 0


@pytest.mark.parametrize("packed", [False, True])
def test_a_failing_disk_loses_nothing_that_was_read(
    tmp_path: Path, read: Callable, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    """Messages before the fault come out, the one in it is named, other files go on."""
    data = FROM_LINE + MAIL + b"\n" + FROM_LINE + OTHER
    (tmp_path / "a").write_bytes(gzip.compress(data) if packed else data)
    (tmp_path / "b.eml").write_bytes(OTHER)
    really_open = Path.open

    def failing(path: Path, *args: object, **options: object) -> object:
        file = really_open(path, *args, **options)
        if path.name != "a":
            return file
        with file:
            return Failing(file.read()[: -8 if packed else None])

    monkeypatch.setattr(Path, "open", failing)
    outcome = read(tmp_path)
    assert outcome.data == [MAIL, OTHER]
    assert outcome.reasons == {f"{tmp_path}/a#2": "read-error"}
    assert isinstance(outcome.error, NoInputError)
    assert "Input/output error" in outcome.error.message


def test_a_source_without_mail_is_bad_data(tmp_path: Path, read: Callable) -> None:
    """An empty folder, an empty file, a folder of images: said at the end, after the other paths."""
    empty, images, box = tmp_path / "empty", tmp_path / "images", tmp_path / "x.mbox"
    empty.mkdir()
    images.mkdir()
    (images / "a.png").write_bytes(b"\x89PNG")
    box.write_bytes(b"")
    good = tmp_path / "a.eml"
    good.write_bytes(b"")
    outcome = read(empty, images, box, good)
    assert outcome.data == [b""]
    assert isinstance(outcome.error, BadDataError)
    assert "empty: holds no mail (+2 more)" in outcome.error.message


def test_the_first_error_decides_the_class(tmp_path: Path, read: Callable) -> None:
    """A damaged archive before an empty folder: BadDataError naming the archive, one more."""
    (tmp_path / "cut.gz").write_bytes(gzip.compress(FROM_LINE + MAIL)[:-3])
    (tmp_path / "empty").mkdir()
    outcome = read(tmp_path / "cut.gz", tmp_path / "empty")
    assert "cut.gz" in str(outcome.error)
    assert "+1 more" in str(outcome.error)


def test_a_too_large_file_is_hashed(tmp_path: Path, read: Callable) -> None:
    """It counts as mail: its folder is not empty."""
    (tmp_path / "a.eml").write_bytes(MAIL + b"x" * 1000)
    outcome = read(tmp_path, limits=Limits(message_bytes=1000))
    (item,) = outcome.unreadable
    assert (item.reason, item.size, item.data) == ("too-large", len(MAIL) + 1000, MAIL + b"x" * 1000)
    assert outcome.error is None
