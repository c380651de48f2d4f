"""Paths of all kinds, names of sensors, progress, any bytes under any name."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spamtide.collector import REASONS, collect, input_size
from spamtide.collector.naming import sensor_of_file
from spamtide.collector.sniffing import kind_of
from spamtide.errors import BadDataError
from spamtide.model import RawMessage

MAIL = b"Subject: a\n\nbody\n"
OTHER = b"Subject: b\n\nbody\n"
FROM_LINE = b"From x@example.org Wed Jul  3 12:34:56 2002\n"


def maildir(folder: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


# ------------------------------------------------ what is what

KINDS: dict[str, tuple[str, bytes, str]] = {
    "header": ("a", b"Received: from x\nSubject: y\n\n", "message"),
    "header, blank lines first": ("a.txt", b"\r\n\r\nSubject: y\r\n\r\n", "message"),
    "header behind rubbish": ("a.txt", b"rubbish\nFrom: x\nTo: y\n\n", "message"),
    "unknown field, then a known one": ("a.txt", b"Foo-Bar: 1\nSubject: y\n\n", "message"),
    "X- field": ("a", b"X-Spam: 1\n\n", "message"),
    "continued field": ("a", b"Received: from x\n\tby y\n\tfor z\nfoo\n\n", "message"),
    "sender's quoted From_": ("a", b">From x\nSubject: y\n\n", "message"),
    "only the name says mail": ("a.EML", b"\x89PNG", "message"),
    "empty eml": ("a.eml", b"", "message"),
    "From_ line": ("a.txt", FROM_LINE + MAIL, "mbox"),
    "undated From_ line": ("a", b"From x\nSubject: y\n\n", "mbox"),
    "mbox without From_ line": ("a.mbox", MAIL, "mbox"),
    "empty": ("a", b"", "not-mail"),
    "image": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "not-mail"),
    "cmds": ("cmds", b"mv 1 00001.7848dde101aa985090474a91ec93fcf0\nmv 2 00002.d94f\n", "not-mail"),
    "readme": ("README", b"Welcome to the corpus.\n\nFrom: is a header\nTo: is one too\n", "not-mail"),
    "readme with a colon": ("README.txt", b"Note: this is a corpus\nand not mail\n\n", "not-mail"),
    "a sentence": ("a.txt", b"From here on it is text.\nMore of it.\n", "not-mail"),
    "json": ("truth.json", b'{"from": 1,\n "to": 2}\n', "not-mail"),
    "markup": ("a.html", b"<!doctype html>\n<html>", "not-mail"),
    "link": ("a.url", b"http://example.org/\n", "not-mail"),
    "folder file": (".DS_Store", b"\0\0\0\1Bud1" + bytes(100), "not-mail"),
    "word file": ("a.docx", b"PK\x03\x04" + bytes(100), "not-mail"),
    "gz": ("a", b"\x1f\x8b\x08", "gz"),
    "gz by name alone": ("a.gz", b"\x1f", "gz"),
    "mail that only claims to be gz": ("a.gz", MAIL, "message"),
    "bz2": ("a", b"BZh9", "bz2"),
    "xz": ("a", b"\xfd7zXZ\x00", "xz"),
    "zst": ("a", b"\x28\xb5\x2f\xfd", "zst"),
    "zip": ("a", b"PK\x03\x04", "zip"),
    "cut tar": ("a.tar", b"spam/1.eml" + bytes(90), "tar"),
    "7z": ("a", b"7z\xbc\xaf\x27\x1c", "format-unsupported"),
    "Outlook": ("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "format-unsupported"),
}


@pytest.mark.parametrize("case", KINDS)
def test_files_in_folders_are_told_by_content_and_name(case: str) -> None:
    """Both ways: nothing that looks like mail is passed over, nothing else is taken for it."""
    name, head, kind = KINDS[case]
    assert kind_of(head, name) == kind


@pytest.mark.parametrize(
    "case", [case for case, (_, head, kind) in KINDS.items() if kind == "not-mail" and head]
)
def test_what_the_user_names_is_never_passed_over_in_silence(case: str) -> None:
    """The same bytes, named by the user, are mail or refused with a reason (a Word file is an archive)."""
    name, head, _ = KINDS[case]
    assert kind_of(head, name, certain=True) in {"message", "no-header", "zip"}


NO_MAIL = {
    "random bytes": random.Random(125).randbytes(50_000),
    "random bytes without zeros": random.Random(126).randbytes(50_000).replace(b"\0", b"\1"),
    "a note": b"Buy milk.\nAnd bread.\n",
    "base64": b"aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=\n" * 60,
}


@pytest.mark.parametrize("case", NO_MAIL)
@pytest.mark.parametrize("name", ["a.mbox", "a.mbox.gz", "a.bin", "a"])
def test_a_named_file_that_is_no_mail_is_refused_with_a_reason(
    tmp_path: Path, read: Callable, case: str, name: str
) -> None:
    """Nothing of it is stored as mail; its hash and its beginning are kept, and the run fails."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(NO_MAIL[case]) if name.endswith(".gz") else NO_MAIL[case])
    outcome = read(path)
    assert outcome.messages == []
    assert set(outcome.reasons.values()) == {"no-header"}
    assert outcome.unreadable[0].sha256 == hashlib.sha256(NO_MAIL[case]).hexdigest()
    assert outcome.unreadable[0].data == NO_MAIL[case]
    assert isinstance(outcome.error, BadDataError)


@pytest.mark.parametrize("head", [b"Foo: bar\n\nbody\n", b"\n\nX-Odd : 1\n", b"garbage\nFrom: a\nTo: b\n\nx"])
def test_a_named_file_with_one_field_is_mail(tmp_path: Path, read: Callable, head: bytes) -> None:
    """Even a field of no known name will do where a person says that it is mail."""
    path = tmp_path / "odd"
    path.write_bytes(head)
    assert [m.data for m in read(path).messages] == [head]


def test_of_an_mbox_cut_at_its_front_the_rest_is_read(tmp_path: Path, read: Callable) -> None:
    """The end of a message whose header is gone is no message; the whole ones behind it are."""
    path = tmp_path / "a.mbox"
    path.write_bytes(b"\0\0ut pills.\n\nFrom a@b.example Tue Mar  5 10:00:00 2024\n" + MAIL)
    outcome = read(path)
    assert [m.data for m in outcome.messages] == [MAIL]
    assert outcome.reasons == {f"{path}#1": "no-header"}
    assert outcome.error is None


def test_not_mail_is_counted_and_has_no_content(tmp_path: Path, read: Callable) -> None:
    """An image beside a message is an Unreadable without data."""
    (tmp_path / "a.eml").write_bytes(MAIL)
    (tmp_path / "b.png").write_bytes(b"\x89PNG")
    outcome = read(tmp_path)
    assert outcome.reasons == {f"{tmp_path}/b.png": "not-mail"}
    assert outcome.unreadable[0].data == b""
    assert outcome.error is None


def test_every_reason_is_explained() -> None:
    """Each line of the table is one line of text."""
    assert all(text and "\n" not in text for text in REASONS.values())


# ------------------------------------------------ folders


def test_folders_are_read_in_the_order_of_names(tmp_path: Path, read: Callable) -> None:
    """Depth first, sorted at each level, whatever the order of creation."""
    for name in ("b/z.eml", "b/a.eml", "c.eml", "a.eml", ".h/x.eml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"Subject: {name}\n\n".encode())
    outcome = read(tmp_path)
    assert [m.source for m in outcome.messages] == [
        f"{tmp_path}/{name}" for name in (".h/x.eml", "a.eml", "b/a.eml", "b/z.eml", "c.eml")
    ]
    assert {m.sensor for m in outcome.messages} == {tmp_path.name}


def test_a_maildir_gives_new_and_cur_and_is_left_alone(tmp_path: Path, read: Callable) -> None:
    """Every file there is one message, even an empty or a compressed one; tmp/ is passed over."""
    box = maildir(tmp_path / "trap")
    (box / "new" / "1.a").write_bytes(b"")
    (box / "new" / "2.a").write_bytes(b"no header at all")
    (box / "cur" / "3.a:2,S").write_bytes(FROM_LINE + MAIL + b"\n" + FROM_LINE + OTHER)
    (box / "cur" / "4.a:2,S").write_bytes(gzip.compress(MAIL))
    (box / "tmp" / "5.a").write_bytes(MAIL)
    (box / "dovecot.index").write_bytes(bytes(50))
    before = {path: path.stat().st_mtime_ns for path in box.rglob("*")}
    outcome = read(box)
    assert outcome.data == [MAIL + b"\n" + FROM_LINE + OTHER, MAIL, b"", b"no header at all"]
    assert outcome.reasons == {f"{box}/dovecot.index": "not-mail"}
    assert {m.sensor for m in outcome.messages} == {"trap"}
    assert {path: path.stat().st_mtime_ns for path in box.rglob("*")} == before
    assert {m.sensor for m in read(box / "cur").messages} == {"trap"}
    assert len(read(box / "new").messages) == 2


def test_loops_of_links_end(tmp_path: Path, read: Callable) -> None:
    """Links are followed; each real folder is read once, and dead links are counted."""
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "a" / "1.eml").write_bytes(MAIL)
    (tmp_path / "out" / "2.eml").write_bytes(OTHER)
    (tmp_path / "in" / "a" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "b").symlink_to(tmp_path / "in" / "a")
    (tmp_path / "in" / "c").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "dead.eml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in" / "self.eml").symlink_to(tmp_path / "in" / "self.eml")
    outcome = read(tmp_path / "in")
    assert outcome.data == [MAIL, OTHER]
    assert list(outcome.reasons.values()) == ["not-mail", "not-mail"]
    assert outcome.error is None


def test_pipes_in_folders_are_not_opened(tmp_path: Path, read: Callable) -> None:
    """A FIFO in a folder would hang the reader; named by the user, it is read."""
    fifo = tmp_path / "fifo.eml"
    os.mkfifo(fifo)
    (tmp_path / "a.eml").write_bytes(MAIL)
    assert read(tmp_path).reasons == {str(fifo): "not-mail"}
    named = tmp_path / "named"
    os.mkfifo(named)
    writer = threading.Thread(target=lambda: named.write_bytes(gzip.compress(FROM_LINE + MAIL)))
    writer.start()
    assert read(named).data == [MAIL]
    writer.join()


def test_a_zip_from_a_pipe_is_read_front_to_back(tmp_path: Path, read: Callable) -> None:
    """What cannot be searched has no directory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.eml", MAIL)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(buffer.getvalue()))
    writer.start()
    outcome = read(fifo)
    writer.join()
    assert (outcome.data, outcome.error) == ([MAIL], None)


def test_names_that_are_no_text_are_escaped(tmp_path: Path, read: Callable) -> None:
    """A file name that is not UTF-8, or holds a line end, gives a source that can be stored."""
    (tmp_path / os.fsdecode(b"caf\xe9.eml")).write_bytes(MAIL)
    (tmp_path / "line\nend.eml").write_bytes(OTHER)
    sources = [m.source for m in read(tmp_path).messages]
    assert sources == [f"{tmp_path}/caf\\udce9.eml", f"{tmp_path}/line\\nend.eml"]
    assert all(source.encode("utf-8").isascii() for source in sources)
    (bad,) = (path for path in tmp_path.iterdir() if "caf" in path.name)
    assert read(bad).messages[0].source.endswith("caf\\udce9.eml")


def test_members_selects_by_path(tmp_path: Path, read: Callable) -> None:
    """One source can be read twice under two labels; what does not match is not even counted."""
    for name in ("spam/1.eml", "ham/2.eml", "ham/readme"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(MAIL if name == "spam/1.eml" else OTHER)
    path = tmp_path.parent / f"{tmp_path.name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("spam/1.eml", "ham/2.eml", "ham/readme"):
            archive.write(tmp_path / name, name)
    for source in (tmp_path, path):
        spam = read(source, members="spam/*")
        ham = read(source, members="ham/*.eml", label="ham", lab="family")
        assert (spam.data, spam.unreadable, spam.error) == ([MAIL], [], None)
        assert (ham.data, ham.unreadable, ham.error) == ([OTHER], [], None)
        assert {(m.label, m.lab) for m in ham.messages} == {("ham", "family")}
        assert "matches 'x/*'" in str(read(source, members="x/*").error)
    (tmp_path / "box").write_bytes(FROM_LINE + MAIL)
    assert read(tmp_path / "box", members="spam/*").data == [MAIL]


# ------------------------------------------------ sensors

SENSORS = {
    "linux-sctp.spam.mbox.gz": "linux-sctp",
    "linux-sctp.ham.mbox.gz": "linux-sctp",
    "csdmc2010.tar.gz": "csdmc2010",
    "glitchy-419.zip": "glitchy-419",
    "phishing-pot-to-2023.tar.gz": "phishing-pot-to-2023",
    "trap.example.org.tgz": "trap.example.org",
    "2019-January.txt.gz": "2019-January",
    "Inbox": "Inbox",
    "a.MBOX": "a",
    "spam.mbox": "spam",
    ".mbox": ".mbox",
    "x.spam": "x",
}


@pytest.mark.parametrize("name", SENSORS)
def test_a_sensor_is_named_after_the_file(name: str) -> None:
    """Suffixes and label words say how and what, not where."""
    assert sensor_of_file(f"/some/folder/{name}") == SENSORS[name]


def test_single_messages_are_named_after_their_folder(
    tmp_path: Path, read: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So are compressed ones; an mbox is named after itself; `sensor` overrules all; '.' has a name."""
    folder = tmp_path / "trap7"
    folder.mkdir()
    (folder / "a.eml").write_bytes(FROM_LINE + MAIL)
    (folder / "b.eml.gz").write_bytes(gzip.compress(OTHER))
    (folder / "Inbox").write_bytes(FROM_LINE + MAIL)
    monkeypatch.chdir(folder)
    outcome = read("a.eml", "./b.eml.gz", "Inbox", ".")
    assert [m.sensor for m in outcome.messages] == ["trap7", "trap7", "Inbox", "trap7", "trap7", "trap7"]
    assert [m.source for m in outcome.messages] == [
        "a.eml",
        "./b.eml.gz",
        "Inbox#1",
        "./Inbox#1",
        "./a.eml",
        "./b.eml.gz",
    ]
    assert {m.sensor for m in read(".", "a.eml", sensor="here").messages} == {"here"}


# ------------------------------------------------ progress


def test_progress_adds_up_to_the_size(tmp_path: Path) -> None:
    """Over folders, archives, damaged and skipped files: what is told sums up to `input_size`."""
    (tmp_path / "a.mbox.gz").write_bytes(gzip.compress(FROM_LINE + MAIL * 1000))
    (tmp_path / "b.png").write_bytes(b"\x89PNG" + bytes(2**21))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("1.eml", MAIL)
    (tmp_path / "d.gz").write_bytes(b"\x1f\x8brubbish")
    told: list[int] = []
    items = collect([str(tmp_path)], on_bytes=told.append)
    with pytest.raises(BadDataError):
        list(items)
    expected = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert sum(told) == input_size([str(tmp_path)]) == expected
    assert input_size([str(tmp_path), "-"]) is None
    assert input_size([str(tmp_path / "missing")]) == 0


# ------------------------------------------------ anything at all

FRAGMENTS = st.sampled_from(
    [
        b"From ",
        FROM_LINE,
        MAIL,
        b"\n",
        b"\r\n",
        b"\x1f\x8b\x08\0",
        b"BZh9",
        b"\x28\xb5\x2f\xfd",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\xfd7zXZ\x00",
        bytes(512),
        b"ustar",
    ]
)


@given(
    data=st.lists(FRAGMENTS | st.binary(max_size=80), max_size=8).map(b"".join),
    name=st.sampled_from(
        ["x", "x.eml", "x.mbox", "x.gz", "x.tar.gz", "x.zip", "x.tar", "x.tar.zst", "x.meta", "x.txz"]
    ),
    inside=st.booleans(),
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_under_any_name_are_read_or_refused_in_order(
    tmp_path_factory: pytest.TempPathFactory, read: Callable, data: bytes, name: str, *, inside: bool
) -> None:
    """Messages, reasons of the table, and at most one error that tells the user: nothing else, ever."""
    folder = tmp_path_factory.mktemp("any")
    path = folder / name
    path.write_bytes(data)
    outcome = read(folder if inside else path)
    assert outcome.error is None or isinstance(outcome.error, BadDataError)
    assert set(outcome.reasons.values()) <= set(REASONS)
    assert all(m.source.encode() and m.sensor for m in outcome.messages)
    assert outcome.messages or outcome.unreadable or outcome.error


def test_stopping_early_closes_quietly(tmp_path: Path) -> None:
    """Who stops reading after one message gets no error from the rest."""
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress((FROM_LINE + MAIL + b"\n") * 3)[:-4])
    items = collect([str(path)])
    assert isinstance(next(items), RawMessage)
    items.close()
    assert next(items, None) is None
