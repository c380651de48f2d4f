"""Real mail programs that bots claim to be: what a perfect imitation looks like.

Where a family's headers are what the real program writes, any other imitator of it, and every user of it,
writes the same: such a skeleton is a hint and names nobody. Each program is written loosely, for a skeleton
that is wrongly taken for an imitation only loses confidence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from spamtide.attribution.learning.layout import Layout

SHARE = 0.9
"""Share of a face's messages that must look like the program's."""


@dataclass(frozen=True, slots=True)
class Program:
    """What one mail program writes."""

    name: str
    mailer: re.Pattern[str]
    """X-Mailer or User-Agent."""
    order: tuple[str, ...]
    """Its fields in order; a message has them in this order, not necessarily all."""
    message_id: re.Pattern[str]
    boundary: re.Pattern[str]
    date: re.Pattern[str]


_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_PADDED = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_NEXT_PART = re.compile(r"----=_NextPart_\d{3}_[0-9A-F]{4}_[0-9A-F]{8}\.[0-9A-F]{8}")

PROGRAMS = (
    Program(
        "Outlook Express",
        re.compile(r"Microsoft (Outlook Express|Windows (Live )?Mail) [\d.]+"),
        ("Message-ID", "Reply-To", "From", "To", "Cc", "References", "In-Reply-To", "Subject", "Date",
         "Organization", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "X-Priority",
         "X-MSMail-Priority", "Disposition-Notification-To", "Importance", "X-Mailer", "X-MimeOLE"),
        re.compile(r"<[0-9a-f]{12}\$[0-9a-f]{8}\$[0-9a-f]{8}@[^@>\s]+>|<[0-9A-F]{32}@[^@>\s]+>"),
        _NEXT_PART,
        _DATE,
    ),
    Program(
        "Outlook",
        re.compile(r"Microsoft (Office )?Outlook.*"),
        ("Reply-To", "From", "To", "Cc", "References", "In-Reply-To", "Subject", "Date", "Organization",
         "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "X-Priority",
         "X-MSMail-Priority", "X-Mailer", "X-MimeOLE", "Importance", "In-Reply-To", "Thread-Index",
         "Content-Language"),
        re.compile(r"<[0-9A-Fa-f]{12}\$[0-9A-Fa-f]{8}\$[0-9A-Fa-f]{8}@[^@>\s]+>|<[A-Za-z0-9+/=$!&.-]{20,}@[^@>\s]+>"),
        _NEXT_PART,
        _DATE,
    ),
    Program(
        "Thunderbird",
        re.compile(r"(Mozilla/5\.0 .*)?(Thunderbird|Icedove)[ /][\d.]+.*|Mozilla Thunderbird.*"),
        ("Message-ID", "Date", "From", "Reply-To", "Organization", "User-Agent", "X-Accept-Language",
         "MIME-Version", "To", "CC", "Cc", "Subject", "References", "In-Reply-To", "X-Enigmail-Version",
         "OpenPGP", "Content-Type", "Content-Transfer-Encoding"),
        re.compile(r"<[0-9A-F]{8}\.[0-9]{7,8}@[^@>\s]+>|<[0-9a-f-]{36}@[^@>\s]+>"),
        re.compile(r"-{8,14}[0-9A-Za-z]{20,26}"),
        _PADDED,
    ),
    Program(
        "The Bat!",
        re.compile(r"The Bat! \(v?[\d.]+\).*"),
        ("Date", "From", "X-Mailer", "Reply-To", "Organization", "X-Priority", "Message-ID", "To", "CC",
         "Subject", "In-Reply-To", "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
        re.compile(r"<\d{5,12}\.\d{14}@[^@>\s]+>"),
        re.compile(r"-{10}[0-9A-F]{15,20}"),
        _DATE,
    ),
    Program(
        "Apple Mail",
        re.compile(r"Apple Mail \([\d.]+\)"),
        ("Message-Id", "From", "To", "Cc", "In-Reply-To", "Content-Type", "Content-Transfer-Encoding",
         "Mime-Version", "Subject", "Date", "References", "X-Mailer"),
        re.compile(r"<[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}@[^@>\s]+>"),
        re.compile(r"Apple-Mail[-=_0-9A-F]+"),
        _DATE,
    ),
    Program(
        "PHPMailer",
        re.compile(r"PHPMailer .*"),
        ("Date", "Return-Path", "To", "From", "Reply-To", "Reply-to", "Subject", "Message-ID", "X-Priority",
         "X-Mailer", "MIME-Version", "Content-Transfer-Encoding", "Content-Type"),
        re.compile(r"<[0-9a-f]{32}@[^@>\s]+>"),
        re.compile(r"b\d_[0-9a-f]{32}"),
        _DATE,
    ),
)  # fmt: skip


_VERSION = re.compile(r"Outlook Express 6\.00\.(\d{4})\.(\d{4})")
_OLE = re.compile(r"V6\.00\.(\d{4})\.(\d{4})")
_LATER = 400
"""The library of a real Outlook Express is of its build, or from an update soon after."""


def _pair(mailer: str, library: str) -> bool:
    """Whether a build of Outlook Express and its MIME library go together."""
    build, ole = _VERSION.search(mailer), _OLE.search(library)
    if build is None or ole is None:
        return True
    return build[1] == ole[1] and 0 <= int(ole[2]) - int(build[2]) <= _LATER


def imitated(layouts: Sequence[Layout], unless: Collection[str] = frozenset()) -> str:
    """The program whose headers these are in every respect looked at; '' for none.

    Fields named in `unless`, in lower case, are passed over.
    """
    for program in PROGRAMS:
        if sum(_written_by(program, layout, unless) for layout in layouts) >= SHARE * len(layouts):
            return program.name
    return ""


def _written_by(program: Program, layout: Layout, unless: Collection[str]) -> bool:
    """Whether one message is the program's in every respect."""
    headers = layout.headers
    mailer = headers.get("X-Mailer") or headers.get("User-Agent", "")
    place = {name: number for number, name in enumerate(program.order)}
    at = [place.get(name, -1) for name in layout.order if name.lower() not in unless]
    identifier = next((value for name, value in headers.items() if name.lower() == "message-id"), "")
    boundary = re.search(r'boundary="?([^"]+)"?', headers.get("Content-Type", ""))
    if _VERSION.search(mailer) and not _pair(mailer, headers.get("X-MimeOLE", "")):
        return False
    return (
        layout.traits.get("clock") != "shared"
        and program.mailer.fullmatch(mailer) is not None
        and -1 not in at
        and at == sorted(at)
        and program.message_id.fullmatch(identifier.strip()) is not None
        and (boundary is None or program.boundary.fullmatch(boundary[1]) is not None)
        and program.date.fullmatch(headers.get("Date", "").strip()) is not None
    )
