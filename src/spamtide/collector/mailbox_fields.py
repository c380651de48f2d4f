"""Header fields that mailbox programs write into a stored message: they say what its reader did with it.

Like the From_ line and the quoting of an mbox they belong to the mailbox. They come, go and change as mail
is read, so that a message with them would be another one after each look. A program writes its fields in
front of all others or behind them, never between them: so those are left out that lead or end a header
block. One further in was there before the mail was delivered (the receiving relay puts Received in front),
and stays: it is the sender's, or of a mailbox that the mail passed through.
"""

from __future__ import annotations

import re

MAILBOX_FIELDS: dict[str, str] = {
    "status": "mutt, Pine, Dovecot, UW IMAP, KMail, qpopper: read or old",
    "x-status": "the same: answered, flagged, deleted",
    "x-keywords": "Dovecot, UW IMAP, Pine: labels",
    "x-uid": "Dovecot, UW IMAP: the message's number",
    "x-imap": "UW IMAP: the mailbox's numbers, in its first message",
    "x-imapbase": "Dovecot, UW IMAP: the same",
    "x-uidl": "qpopper, Thunderbird: the message's name under POP3",
    "content-length": "System V, mutt, Dovecot: bytes of the body (mboxcl)",
    "lines": "mutt: lines of the body",
    "x-account-key": "Thunderbird: the account that fetched it",
    "x-mozilla-status": "Thunderbird: read, answered, flagged, deleted",
    "x-mozilla-status2": "the same",
    "x-mozilla-keys": "Thunderbird: labels",
    "x-gmail-labels": "Google's export: labels",
    "x-gm-thrid": "Google's export: the conversation",
    "x-evolution": "Evolution: number and flags",
    "x-evolution-source": "Evolution: the account that fetched it",
    "x-kmail-encryptionstate": "KMail",
    "x-kmail-signaturestate": "KMail",
    "x-kmail-mdn-sent": "KMail",
    "x-becky-status": "Becky",
    "x-vm-v5-data": "VM in Emacs: flags and what it looked up",
    "x-rmail-attributes": "Rmail in Emacs: flags",
}
"""Field name in lower case -> who writes it, and what it says."""

HEAD_BYTES = 16_384
"""Where the end of the header block is looked for first."""
MOST_LINES = 100
"""Lines of mailbox fields at either end of a header block that are looked at; more are left as they are."""

_FIELD = re.compile(rb"(?:%s)[ \t]{0,8}:" % "|".join(MAILBOX_FIELDS).encode(), re.IGNORECASE)


def without_mailbox_fields(data: bytes) -> bytes:
    """Leave out the fields that a mailbox program wrote; the same bytes where there are none.

    A header block of nothing else stays as it is. Linear in the length of the header block.
    """
    if data[:1] in (b"\n", b"\r"):
        return data
    end = _end_of_header(data)
    start = _behind_leading(data, end)
    stop = _before_ending(data, start, end)
    if (start, stop) == (0, end) or start >= stop:
        return data
    return data[start:stop] + data[end:]


def _end_of_header(data: bytes) -> int:
    """Where the blank line stands that ends the header block; the length of the message without one."""
    for most in (HEAD_BYTES, len(data)):
        plain = data.find(b"\n\n", 0, most)
        wide = data.find(b"\n\r\n", 0, plain if plain >= 0 else most)
        at = wide if wide >= 0 else plain
        if at >= 0:
            return at + 1
    return len(data)


def _behind_leading(data: bytes, end: int) -> int:
    """Where the first field stands that is no mailbox's; 0 for too many of these."""
    start = at = 0
    for _ in range(MOST_LINES):
        if at > start and data[at : at + 1] not in (b" ", b"\t"):
            start = at
        if at >= end or (at == start and not _FIELD.match(data, at, end)):
            return start
        at = data.find(b"\n", at, end) + 1 or end
    return 0


def _before_ending(data: bytes, start: int, end: int) -> int:
    """Where the mailbox's fields begin that end the header block; its end for too many of them."""
    stop = at = end
    for _ in range(MOST_LINES):
        if at <= start:
            return stop
        at = data.rfind(b"\n", start, at - 1) + 1 or start
        if data[at : at + 1] in (b" ", b"\t"):
            continue
        if not _FIELD.match(data, at, end):
            return stop
        stop = at
    return end
