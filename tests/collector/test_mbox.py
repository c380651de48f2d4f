"""Splitting of mbox files."""

from __future__ import annotations

import datetime as dt
import hashlib
import mailbox

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from spamtide.collector.from_line import from_line, read_from_line
from spamtide.collector.mbox import Piece, quoting, split, undo
from spamtide.collector.stream import HEAD_BYTES, Damage, Stream

F = b"From a@example.org Wed Jul  3 12:34:56 2002\n"
G = b"From b@example.org Thu Jul  4 12:34:56 2002\n"
NO_LIMIT = 2**26

GOLDEN = {
    "empty": (b"", []),
    "blank lines only": (b"\n\r\n\n", []),
    "one message": (F + b"A: 1\n\nbody\n\n", [b"A: 1\n\nbody\n"]),
    "two messages": (F + b"A: 1\n\nbody\n\n" + G + b"B: 2\n\nx\n\n", [b"A: 1\n\nbody\n", b"B: 2\n\nx\n"]),
    "no blank line at the end": (F + b"A: 1\n\nbody\n", [b"A: 1\n\nbody\n"]),
    "no final newline": (F + b"A: 1\n\nbody", [b"A: 1\n\nbody"]),
    "only one blank line goes": (
        F + b"A: 1\n\nbody\n\n\n\n" + G + b"B: 2\n\n\n",
        [b"A: 1\n\nbody\n\n\n", b"B: 2\n\n"],
    ),
    "leading blank lines": (b"\n\n" + F + b"A: 1\n\nx\n\n", [b"A: 1\n\nx\n"]),
    "CRLF": (
        (F + b"A: 1\n\n>From x\n\n" + G + b"B: 2\n\ny\n\n").replace(b"\n", b"\r\n"),
        [b"A: 1\r\n\r\nFrom x\r\n", b"B: 2\r\n\r\ny\r\n"],
    ),
    "empty message": (F + b"\n" + G + b"B: 2\n\n\n", [b"", b"B: 2\n\n"]),
    "From_ line at the very end": (F + b"A: 1\n\nx\n\n" + G.rstrip(), [b"A: 1\n\nx\n", b""]),
    "a sentence is no From_ line": (F + b"A: 1\n\nx\n\nFrom here on\n\n", [b"A: 1\n\nx\n\nFrom here on\n"]),
    "a letter head is no From_ line": (
        F + b"A: 1\n\nx\n\nFrom the desk of X\nTel: 1\n\n",
        [b"A: 1\n\nx\n\nFrom the desk of X\nTel: 1\n"],
    ),
    "dated, but neither blank line nor field": (
        F + b"A: 1\n\nx\n" + G + b"y z\n\n",
        [b"A: 1\n\nx\n" + G + b"y z\n"],
    ),
    "dated, no blank line, but a field": (
        F + b"A: 1\n\nx\n" + G + b"B: 2\n\n\n",
        [b"A: 1\n\nx\n", b"B: 2\n\n"],
    ),
    "two From_ lines are one message": (F + G + b"A: 1\n\nx\n\n", [G + b"A: 1\n\nx\n"]),
    "undated file": (
        b"From a\nA: 1\n\nx\n\nFrom b\nB: 2\n\ny\n\nFrom c\nno field\n\n",
        [b"A: 1\n\nx\n", b"B: 2\n\ny\n\nFrom c\nno field\n"],
    ),
    "text before the first From_ line": (b"A: 1\n\nx\n\n" + G + b"B: 2\n\n\n", [b"A: 1\n\nx\n", b"B: 2\n\n"]),
    "mboxrd by default": (F + b"A: 1\n\n>From x\n>>From y\n\n", [b"A: 1\n\nFrom x\n>From y\n"]),
    "mboxrd by its neighbours": (F + b"A: 1\n\n>so\n>>From y\n>on\n\n", [b"A: 1\n\n>so\n>From y\n>on\n"]),
    "mboxo by its neighbours": (
        F + b"A: 1\n\n>From x\n\n>>so\n>>From y\n\n",
        [b"A: 1\n\nFrom x\n\n>>so\n>>From y\n"],
    ),
    "quoting in the middle of a line stays": (F + b"A: 1\n\nx >From y\n\n", [b"A: 1\n\nx >From y\n"]),
}


def in_blocks(data: bytes, size: int, *, cut: bool = False) -> Stream:
    """Stream that gives `size` bytes at a time, and breaks off at the end when `cut`."""
    blocks = iter([data[start : start + size] for start in range(0, len(data), size)])

    def pull() -> bytes:
        block = next(blocks, b"")
        if cut and not block:
            source = "x"
            raise Damage(source, "archive-cut", "cut")
        return block

    return Stream(pull, "x")


def pieces(data: bytes, size: int = 2**20, limit: int = NO_LIMIT) -> list[Piece]:
    return list(split(in_blocks(data, size), limit))


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("size", [1, 7, 2**20])
def test_golden_mboxes_split_as_stated(name: str, size: int) -> None:
    """Each case of the table gives its messages, whatever the block size."""
    data, expected = GOLDEN[name]
    found = pieces(data, size)
    assert [piece.data for piece in found] == expected
    assert [piece.sha256 for piece in found] == [hashlib.sha256(data).hexdigest() for data in expected]
    assert not any(piece.reason for piece in found)


LINES = st.sampled_from(
    [
        b"",
        b"\r",
        b"A: 1",
        b"text",
        b">From x",
        b">>From x",
        b">>x",
        b">x",
        b"From x",
        F[:-1],
        G[:-1],
        b"From_",
        b"F" * 1100,
    ]
)
MBOXES = st.lists(LINES, max_size=30).map(b"\n".join)


@given(MBOXES, st.integers(1, 64), st.sampled_from([NO_LIMIT, 0, 10, 1000]))
@settings(deadline=None)
@example(F + b"A: 1\n\n" + b"x" * 3000 + b"\n\n" + G + b"B: 2\n\n", 5, 1000)
def test_splitting_does_not_depend_on_the_block_size(data: bytes, size: int, limit: int) -> None:
    """Small blocks and one large block give the same pieces, too large ones with their hash included."""
    assert pieces(data, size, limit) == pieces(data, 2**20, limit)


@given(st.lists(st.lists(LINES, max_size=6).map(b"\n".join), max_size=8))
@settings(deadline=None)
def test_what_an_mboxrd_writer_quoted_comes_back(bodies: list[bytes]) -> None:
    """Writing as mboxrd and reading gives every message back, byte for byte."""
    whole = [b"Subject: x\n\n" + body + b"\n" for body in bodies]
    quoted = [
        b"".join(
            b">" + line if line.lstrip(b">").startswith(b"From ") else line
            for line in body.splitlines(keepends=True)
        )
        for body in whole
    ]
    votes = quoting(b"".join(F + body + b"\n" for body in quoted))
    found = pieces(b"".join(F + body + b"\n" for body in quoted))
    assert votes == "mboxo" or [piece.data for piece in found] == whole
    assert len(found) == len(whole)


@given(MBOXES, st.integers(0, 400))
@settings(deadline=None)
def test_a_cut_mbox_gives_a_prefix_and_the_rest_as_cut(data: bytes, kept: int) -> None:
    """Messages before a cut are those of the whole; what there is of the last one says that it is cut."""
    data = F + b"A: 1\n\n" + data
    assume(quoting(data[:kept]) == quoting(data))  # a cut in the first MiB may take away the evidence
    whole = pieces(data)
    found: list[Piece] = []
    with pytest.raises(Damage):
        # On an exception, extend keeps what came before it.
        found.extend(split(in_blocks(data[:kept], 50, cut=True), NO_LIMIT))
    *before, last = found
    assert last.reason == "archive-cut"
    assert [piece.data for piece in before] == [piece.data for piece in whole[: len(before)]]


def test_a_too_large_message_is_hashed_as_it_would_be_stored() -> None:
    """Its hash and size are those of the unquoted message; only its head is kept."""
    body = b"A: 1\n\n" + b">From x\nline\n" * 20_000
    large, small = pieces(F + body + b"\n" + G + b"B: 2\n\n\n", 4096, limit=1000)
    plain = body.replace(b">From ", b"From ")
    assert (large.reason, large.size) == ("too-large", len(plain))
    assert large.sha256 == hashlib.sha256(plain).hexdigest()
    assert large.data == plain[:HEAD_BYTES]
    assert small.data == b"B: 2\n\n"


def test_a_message_of_exactly_the_limit_is_kept() -> None:
    """The bound is on the message, without From_ line and separator."""
    body = b"A: 1\n\n" + b"x" * 993 + b"\n"
    assert [piece.reason for piece in pieces(F + body + b"\n", 100, limit=1000)] == [""]
    assert [piece.reason for piece in pieces(F + b"A" + body + b"\n", 100, limit=1000)] == ["too-large"]


@given(st.lists(st.binary(max_size=60), max_size=5))
@settings(deadline=None, max_examples=50)
def test_the_standard_library_counts_the_same(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]
) -> None:
    """What `mailbox.mbox` wrote is split where `mailbox.mbox` splits it."""
    path = tmp_path_factory.mktemp("mbox") / "x.mbox"
    box = mailbox.mbox(path)
    for body in bodies:
        box.add(b"Subject: x\n\n" + body)
    box.close()
    data = path.read_bytes()
    oracle = mailbox.mbox(path)
    assert len(pieces(data)) == len(oracle) == len(bodies)
    oracle.close()


FROM_LINES = {
    "From a@b.c Wed Jul  3 12:34:56 2002": ("a@b.c", "2002-07-03T12:34:56"),
    "From a@b.c  Wed Jul 3 12:34 2002": ("a@b.c", "2002-07-03T12:34:00"),
    "From a@b.c Wed Jul  3 12:34:56 EDT 2002": ("a@b.c", "2002-07-03T16:34:56"),
    "From 123@xxx Mon Aug 17 22:32:39 +0000 2015": ("123@xxx", "2015-08-17T22:32:39"),
    "From a@b.c Wed Jul  3 12:34:56 2002 +0200": ("a@b.c", "2002-07-03T10:34:56"),
    "From a@b.c Wed, 3 Jul 2002 12:34:56 -0130": ("a@b.c", "2002-07-03T14:04:56"),
    "From <> Wed Jul  3 12:34:56 2002": ("", "2002-07-03T12:34:56"),
    "From <a@b.c> Wed Jul  3 12:34:56 2002": ("a@b.c", "2002-07-03T12:34:56"),
    "From - Wed Jul  3 12:34:56 2002": (None, "2002-07-03T12:34:56"),
    "From user at b.c Wed Jul  3 12:34:56 2002": (None, "2002-07-03T12:34:56"),
    "From MAILER-DAEMON Wed Jul  3 12:34:56 2002": (None, "2002-07-03T12:34:56"),
    "From mboxrd@z Thu Jan  1 00:00:00 1970": (None, None),
    "From 4ce6fbc Mon Sep 17 00:00:00 2001": ("4ce6fbc", None),
    "From a@b.c Wed Feb 31 12:34:56 2002": ("a@b.c", None),
    "From a@b.c Wed Jul 3 99:99:99 2002": ("a@b.c", None),
    "From a@b.c": ("a@b.c", None),
}


@pytest.mark.parametrize("line", FROM_LINES)
def test_from_lines_give_sender_and_time(line: str) -> None:
    """Placeholders of writers are not taken for facts."""
    sender, at = FROM_LINES[line]
    envelope = read_from_line(line.encode())
    expected = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC) if at else None
    assert (envelope.mail_from, envelope.received_at) == (sender, expected)


@given(st.binary(max_size=100))
def test_any_from_line_can_be_read(rest: bytes) -> None:
    """Nothing in a From_ line raises."""
    line = from_line(b"From " + rest + b"\nSubject: x\n")
    read_from_line(line or b"From " + rest)


def test_a_message_of_its_own_loses_its_from_line() -> None:
    """A single message that carries a From_ line is the same message as without it."""
    plain = b"A: 1\n\nFrom x\n"
    assert undo(F + b"A: 1\n\n>From x\n\n").data == plain
    assert undo(plain).data == plain
    assert undo(b"From nowhere in particular\nx y\n").from_line == b""


@pytest.mark.parametrize(
    "text",
    [b">" * 2**20, b">>From \n" * 2**17, b"\nFrom " * 2**17, b"From " * 2**17, b"\nFrom x Wed Jul " * 2**16],
    ids=["quotes", "quoted", "starts", "words", "half dates"],
)
def test_text_built_to_be_slow_is_one_message(text: bytes) -> None:
    """A MiB in which every few bytes could begin something holds nothing (a quadratic one would hang)."""
    assert len(pieces(F + b"A: 1\n\n" + text)) == 1
