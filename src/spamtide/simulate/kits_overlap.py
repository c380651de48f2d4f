"""Mailers that overlap as real ones do: several imitate one mail program, and one claims to be many.

Traits are invented. All three imitators of Outlook Express get something wrong, each something else.
"""

from __future__ import annotations

from dataclasses import replace

from spamtide.simulate.world import Kit

_PART = 'Content-Type: text/{};\n\tcharset="windows-1252"\nContent-Transfer-Encoding: quoted-printable\n'
_NAMES = (
    "{The Bat! (v2.00.2) Personal|The Bat! (v3.0.1.33) Professional|Calypso Version 3.30.00.00|"
    "QUALCOMM Windows Eudora Version 5.1|Pegasus Mail for Windows (v4.01)}"
)

_EXPRESS = Kit(
    "express-grey",
    headers=(
        ("Message-ID", "<{?hex:4}{$tick}${$word}${?hex:8}@{$machine}>"),
        ("From", '"{$display}" <{$from}>'),
        ("To", "{$to}"),
        ("Subject", "{$subject}"),
        ("Date", "{$date}"),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'multipart/alternative;\n\tboundary="{$boundary}"'),
        ("X-Priority", "3"),
        ("X-MSMail-Priority", "Normal"),
        ("X-Mailer", "Microsoft Outlook Express 6.00.{2800.1106|2900.2180|2900.5512}"),
        ("X-MimeOLE", "Produced By Microsoft MimeOLE V6.00.2900.2527"),
    ),
    body="alternative",
    charset="windows-1252",
    encoding="quoted-printable",
    boundary="----=_NextPart_000_{?HEX:4}_{$tick}.{?HEX:8}",
    preamble="This is a multi-part message in MIME format.\n\n",
    parts={"plain": _PART.format("plain"), "html": _PART.format("html")},
    helo=("{$machine}",),
)
_GREEN = replace(
    _EXPRESS,
    name="express-green",
    headers=(("Message-ID", "<{?hex:12}${?hex:8}${?hex:8}@{$from_domain}>"), *_EXPRESS.headers[1:]),
    boundary="----=_NextPart_{?digit:3}_{?HEX:4}_{?HEX:8}.{?HEX:8}",
    helo=("{$from_domain}",),
)
_DARK = replace(
    _EXPRESS,
    name="express-dark",
    headers=(("Message-ID", "<{?HEX:8}.{?digit:9}@{$machine}>"), *_EXPRESS.headers[1:]),
    helo=("localhost",),
)
_MOSAIC = Kit(
    "mosaic",
    headers=(
        ("Date", "{$date}"),
        ("From", "{$display} <{$from}>"),
        ("X-Mailer", _NAMES),
        ("X-Priority", "3"),
        ("Message-ID", "<{?digit:9}.{$clock}@{$machine}>"),
        ("To", "{$to}"),
        ("Subject", "{$subject}"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/html; charset={iso-8859-1|us-ascii|windows-1251}"),
        ("Content-Transfer-Encoding", "7bit"),
    ),
    body="html",
    charset="us-ascii",
    encoding="7bit",
    helo=("[{$ip}]", "{$machine}"),
)

OVERLAPPING = (_EXPRESS, _GREEN, _DARK, _MOSAIC)
"""Three imitators of one program, of which one has no lab, and an engine of many names."""
