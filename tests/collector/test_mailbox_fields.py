"""What a mailbox program writes into a message belongs to the mailbox: the message stays the same one."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.collector import mailbox_fields
from spamtide.collector.mailbox_fields import MAILBOX_FIELDS, MOST_LINES, without_mailbox_fields

Read = Callable[..., Any]

OWN = b"Received: from a by b; Mon, 1 Mar 2010 10:00:00 +0000\nFrom: a@example.org\nSubject: one\n\tmore\n"
BODY = b"\nText\n\nStatus: RO\n"
FIRST = {
    "Thunderbird": b"X-Account-Key: account2\nX-UIDL: 17\nX-Mozilla-Status: 0001\n"
    b"X-Mozilla-Status2: 00000000\nX-Mozilla-Keys: junk                    \n",
    "Google": b"X-GM-THRID: 1612\nX-Gmail-Labels: =?UTF-8?Q?Spam,?=\n =?UTF-8?Q?Opened?=\n",
}
LAST = {
    "mutt": b"Status: RO\nContent-Length: 19\nLines: 3\n",
    "Dovecot": b"X-IMAPbase: 1267436 19 NonJunk\n\tJunk\nX-UID: 7\nStatus: O\nX-Keywords: Junk   \n  \n",
    "UW IMAP": b"Status: RO\nX-Status: A\nX-Keywords:\nX-UID: 12\n",
    "Evolution": b"X-Evolution: 0000001a-0010\n",
    "KMail": b"Status: RO\nX-Status: RC\nX-KMail-EncryptionState: N\nX-KMail-MDN-Sent:  \n",
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", [*FIRST, *LAST])
def test_what_each_program_writes_is_left_out(name: str, end: bytes) -> None:
    touched = FIRST.get(name, b"") + OWN + LAST.get(name, b"") + BODY

    assert without_mailbox_fields(touched.replace(b"\n", end)) == (OWN + BODY).replace(b"\n", end)


def test_untouched_mail_is_the_same_bytes() -> None:
    message = OWN + BODY

    assert without_mailbox_fields(message) is message


@pytest.mark.parametrize(
    "message",
    [
        # Below the receiving relay's Received, above other fields: from before it was delivered.
        b"Received: by x\nX-Mozilla-Status: 0001\nFrom: a\n\nText\n",
        b"Received: by x\nStatus: RO\nX-Status: A\nSubject: s\n\nText\n",
        # Of these alone, nothing would be left.
        b"Status: RO\nX-Status: A\n\nText\n",
        b"Status: RO\n",
        # No field of that name, no header, no bytes.
        b"From: a\nX-Statuses: 1\n\n",
        b"From: a\nStatus RO\n\n",
        b"\nStatus: RO\n\n",
        b"",
        # More than a program would write.
        b"From: a\n" + b"Status: R\n" * (MOST_LINES + 1) + b"\nText\n",
        b"Status: R\n" * (MOST_LINES + 1) + b"From: a\n\nText\n",
        b"From: a\nX-Keywords: b\n" + b" c\n" * MOST_LINES + b"\nText\n",
    ],
)
def test_what_may_be_the_senders_stays(message: bytes) -> None:
    assert without_mailbox_fields(message) is message


def test_a_message_without_a_body_and_a_long_header() -> None:
    assert without_mailbox_fields(b"From: a\nStatus: O\n") == b"From: a\n"
    assert without_mailbox_fields(b"From: a\nStatus: O") == b"From: a\n"
    long = b"From: a\nX-A: " + b"b" * 2 * mailbox_fields.HEAD_BYTES + b"\n"
    for blank in (b"\n", b"\r\n"):
        assert without_mailbox_fields(long + b"Status: O\n" + blank + b"T\n\nStatus: R") == (
            long + blank + b"T\n\nStatus: R"
        )


FIELDS = st.sampled_from(
    [b"From: a\n", b"Subject: s\n folded\n", b"X-A: b\r\n", b" \n", b"Status: RO\n", b"x-uid: 3\n\t4\n", b"x"]
)


@given(st.lists(FIELDS, max_size=8), st.binary(max_size=20))
def test_leaving_out_is_total_and_done_once(fields: list[bytes], rest: bytes) -> None:
    data = b"".join(fields) + rest

    once = without_mailbox_fields(data)

    assert without_mailbox_fields(once) == once
    assert once is data or len(once) < len(data)
    if not re.search(rb"(?i)" + b"|".join(name.encode() for name in MAILBOX_FIELDS), data):
        assert once is data


def messages(count: int) -> list[bytes]:
    """Different messages, as a Maildir holds them."""
    return [OWN.replace(b"one", b"no. %d" % number) + BODY for number in range(count)]


def test_an_mbox_that_a_reader_touched_holds_the_same_messages(read: Read, tmp_path: Path) -> None:
    """The standard library stands for the reader: it writes Status and X-Status into the file."""
    box = tmp_path / "home.mbox"
    box.write_bytes(b"".join(b"From a@b Mon Mar  1 10:00:00 2010\n" + m + b"\n" for m in messages(9)))
    before = read(box)
    reader = mailbox.mbox(box)
    for key in range(0, 9, 2):
        message = reader[key]
        message.set_flags("ROAF")
        reader[key] = message
    reader.flush()

    after = read(box)

    assert b"X-Status: FA" in box.read_bytes()
    assert before.data == after.data == messages(9)
    assert [m.sha256 for m in before.messages] == [m.sha256 for m in after.messages]
    assert [bool(m.as_read) for m in after.messages] == [key % 2 == 0 for key in range(9)]


def test_a_maildir_an_mbox_and_single_files_hold_the_same_messages(read: Read, tmp_path: Path) -> None:
    plain = messages(6)
    box = tmp_path / "a.mbox"
    box.write_bytes(
        b"".join(b"From a@b Mon Mar  1 10:00:00 2010\n" + FIRST["Thunderbird"] + m + b"\n" for m in plain)
    )
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    for number, message in enumerate(plain):
        (tmp_path / "Maildir" / "cur" / f"{number}:2,S").write_bytes(message)
        touched = message.replace(BODY, LAST["KMail"] + BODY)
        (tmp_path / f"{number}.eml").write_bytes(touched)

    found = [read(box), read(tmp_path / "Maildir"), read(*sorted(tmp_path.glob("*.eml")))]

    assert [outcome.data for outcome in found] == [plain] * 3
    assert len({m.sha256 for outcome in found for m in outcome.messages}) == 6
