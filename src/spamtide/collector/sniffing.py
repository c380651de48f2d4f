"""What a file is: told by its content first, by its name where the content leaves it open."""

from __future__ import annotations

import tarfile
from typing import Literal

from spamtide.collector.compressed import FRAME_STARTS
from spamtide.collector.from_line import FIELD, from_line

SNIFF_BYTES = 8192
"""Bytes of the start of a file that decide."""

Unread = Literal["format-unsupported", "no-header", "not-mail"]
Kind = Literal["gz", "bz2", "xz", "zst", "tar", "zip", "mbox", "message", Unread]
PACKED: tuple[Kind, ...] = ("gz", "bz2", "xz", "zst")

MESSAGE_SUFFIXES = (".eml",)
"""A file of such a name is one message whatever it holds."""
MBOX_SUFFIXES = (".mbox", ".mbx", ".mboxrd", ".mboxo", ".mboxcl", ".mboxcl2")
PACKED_SUFFIXES: dict[str, tuple[Kind, str]] = {
    ".gz": ("gz", ""),
    ".bz2": ("bz2", ""),
    ".xz": ("xz", ""),
    ".zst": ("zst", ""),
    ".zstd": ("zst", ""),
    ".tgz": ("gz", ".tar"),
    ".tbz": ("bz2", ".tar"),
    ".tbz2": ("bz2", ".tar"),
    ".txz": ("xz", ".tar"),
    ".tzst": ("zst", ".tar"),
}
"""Suffix -> (compression, suffix of the name inside)."""
CONTAINER_SUFFIXES: dict[str, Kind] = {".tar": "tar", ".zip": "zip"}
UNSUPPORTED_SUFFIXES = (".7z", ".rar", ".pst", ".ost", ".msg", ".dbx", ".emlx", ".lz", ".lz4", ".z")
"""Mail may be in such a file, but Spamtide cannot read it: said, rather than passed over as no mail."""
UNSUPPORTED_STARTS = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"!BDN",
    b"LZIP",
    b"\x04\x22\x4d\x18",
    b"\x1f\x9d",
)
DOCUMENT_SUFFIXES = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".jar", ".apk", ".whl")
"""Zip archives by content that hold no mail."""
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")

MAIL_FIELDS = frozenset(
    [
        "apparently-to",
        "authentication-results",
        "bcc",
        "cc",
        "content-transfer-encoding",
        "content-type",
        "date",
        "delivered-to",
        "delivery-date",
        "dkim-signature",
        "domainkey-signature",
        "envelope-to",
        "errors-to",
        "from",
        "in-reply-to",
        "message-id",
        "mime-version",
        "newsgroups",
        "organization",
        "precedence",
        "received",
        "received-spf",
        "references",
        "reply-to",
        "return-path",
        "sender",
        "status",
        "subject",
        "thread-index",
        "thread-topic",
        "to",
        "user-agent",
    ],
)
"""Field names (lower case) that make a block of `name: value` lines a message's header."""
MAIL_FIELD_FAMILIES = ("x-", "resent-", "list-", "arc-")
HEADER_LINES = 20
"""Lines that are looked at for header fields."""


def kind_of(head: bytes, name: str, *, certain: bool = False, single: bool = False) -> Kind:
    """Say what a file is.

    Args:
        head: its first SNIFF_BYTES; all of it when it is shorter.
        name: its name, or its name inside a compressed file.
        certain: a user named it, so that it is passed over for a reason only.
        single: where it was found, files are single messages (a Maildir, stdin).
    """
    name = name.lower()
    if name.endswith(MESSAGE_SUFFIXES):
        return "message"
    packed = _packed_as(head)
    if packed or single:
        # An empty file in a Maildir was delivered as a message; nothing on stdin is nothing.
        return packed or ("message" if head or not certain else "not-mail")
    if _is_tar(head, name):
        return "tar"
    if head.startswith(ZIP_STARTS):
        return "not-mail" if name.endswith(DOCUMENT_SUFFIXES) and not certain else "zip"
    if head.startswith(UNSUPPORTED_STARTS):
        return "format-unsupported"
    return (
        _text_kind(head, name)
        or (_promised_kind if certain and head else _claimed_kind)(head, name)
        or "not-mail"
    )


def _promised_kind(head: bytes, name: str) -> Kind:
    """What a file is that a user named, where neither its content nor its name makes that plain."""
    return _claimed_kind(head.replace(b"\0", b""), name) or ("message" if headed(head) else "no-header")


def inner_name(name: str) -> str:
    """Name of what a compressed file holds."""
    for suffix, (_, inner) in PACKED_SUFFIXES.items():
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] + inner
    return name


def _packed_as(head: bytes) -> Kind | None:
    """Compression by content."""
    return next((kind for kind in PACKED if head.startswith(FRAME_STARTS[kind])), None)


def _text_kind(head: bytes, name: str) -> Kind | None:
    """Message or mbox by content."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if from_line(text) is not None:
        return "mbox"
    if looks_like_header(text):
        return "mbox" if name.endswith(MBOX_SUFFIXES) else "message"
    return None


def _claimed_kind(head: bytes, name: str) -> Kind | None:
    """What the name says of a file whose content does not (a cut or damaged one, mostly)."""
    if name.endswith(UNSUPPORTED_SUFFIXES):
        return "format-unsupported"
    if head and name.endswith(MBOX_SUFFIXES) and b"\0" not in head:
        return "mbox"
    for suffix, (packing, _) in PACKED_SUFFIXES.items():
        if name.endswith(suffix):
            return packing
    for suffix, container in CONTAINER_SUFFIXES.items():
        if name.endswith(suffix):
            return container
    return None


def _is_tar(head: bytes, name: str) -> bool:
    """Whether a tar archive begins here; an old one without a magic number is known by its checksum."""
    block = head[: tarfile.BLOCKSIZE]
    if block[257:262] != b"ustar" and not name.endswith(".tar"):
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError, OverflowError):
        return False
    return True


def headed(text: bytes) -> bool:
    """Whether a text begins with a header, if only with one field of whatever name.

    Enough where mail is promised: by a user who named the file, or by an mbox around it.
    """
    text = text.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    return FIELD.match(text) is not None or looks_like_header(text)


def looks_like_header(head: bytes) -> bool:
    """Whether a text's first lines are header fields of a message, even of a damaged one.

    Up to HEADER_LINES lines before the first blank one are looked at. When the first of them is a field,
    half of them must be fields or continuations and one name must be a mail header's; when the first is
    something else, two different names must be.
    """
    lines = []
    for line in head.split(b"\n", HEADER_LINES)[:HEADER_LINES]:
        if not line.strip():
            break
        lines.append(line)
    if not lines:
        return False
    fields = [line for line in lines if FIELD.match(line)]
    continued = sum(1 for line in lines if line[:1] in b" \t")
    names = {line.partition(b":")[0].strip().lower().decode("ascii", "replace") for line in fields}
    known = sum(1 for name in names if name in MAIL_FIELDS or name.startswith(MAIL_FIELD_FAMILIES))
    if FIELD.match(lines[0]):
        return known > 0 and 2 * (len(fields) + continued) >= len(lines)
    return known > 1
