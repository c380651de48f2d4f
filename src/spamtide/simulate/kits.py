"""The mailers of the simulated senders, as data. Each decides order, case and grammar of what it writes.

Traits are invented; only two published ones are followed in spirit: an engine that claims Outlook Express
with one fixed build and one pair of time words in Message-ID and boundary, and one that writes to many
recipients (record/fingerprints.yaml). Lethic and Mega-D share the kit 'tandem'.
"""

from __future__ import annotations

from collections.abc import Mapping

from spamtide.simulate.kits_overlap import OVERLAPPING
from spamtide.simulate.world import Kit

_OUTLOOK_BOUNDARY = "----=_NextPart_000_{?HEX:4}_{$tick}.{$word}"

_KITS = (
    Kit(
        "press",
        headers=(
            ("Message-ID", "<{?hex:12}${$tick}${$word}@{$machine}>"),
            ("From", '"{$display}" <{$from}>'),
            ("To", "{$to}"),
            ("Subject", "{$subject}"),
            ("Date", "{$date}"),
            ("MIME-Version", "1.0"),
            ("Content-Type", 'multipart/alternative;\n\tboundary="{$boundary}"'),
            ("X-Priority", "3"),
            ("X-MSMail-Priority", "Normal"),
            ("X-Mailer", "Microsoft Outlook Express 6.00.2900.3664"),
            ("X-MimeOLE", "Produced By Microsoft MimeOLE V6.00.2900.3350"),
        ),
        body="alternative",
        charset="iso-8859-1",
        encoding="quoted-printable",
        boundary=_OUTLOOK_BOUNDARY,
        preamble="This is a multi-part message in MIME format.\n\n",
        parts={
            "plain": 'Content-Type: text/plain;\n\tcharset="iso-8859-1"\n'
            "Content-Transfer-Encoding: quoted-printable\n",
            "html": 'Content-Type: text/html;\n\tcharset="iso-8859-1"\n'
            "Content-Transfer-Encoding: quoted-printable\n",
        },
        helo=("{$rdns}", "{$machine}"),
        sender="{$address}",
        reverse_path="{$first}{?lower:2}@{$rdns_domain}",
        display="{$local} {@trade} {shop|desk|team}",
    ),
    Kit(
        "caravan",
        headers=(
            ("Message-ID", "<{?HEX:8}.{?digit:7}@{$from_domain}>"),
            ("Date", "{$date}"),
            ("From", "{$display} <{$from}>"),
            ("User-Agent", "Thunderbird 2.0.0.22 (Windows/20090605)"),
            ("MIME-Version", "1.0"),
            ("To", "{$to}"),
            ("Subject", "{$subject}"),
            ("Content-Type", 'multipart/related;\n boundary="{$boundary}"'),
        ),
        body="related",
        charset="ISO-8859-1",
        encoding="7bit",
        boundary="------------{?digit:24}",
        preamble="This is a multi-part message in MIME format.\n",
        parts={
            "html": "Content-Type: text/html; charset=ISO-8859-1\nContent-Transfer-Encoding: 7bit\n",
            "image": 'Content-Type: image/gif;\n name="{?lower:6}.gif"\nContent-Transfer-Encoding: base64\n'
            "Content-ID: <part1.{?digit:8}.{?digit:8}@{$from_domain}>\n"
            'Content-Disposition: inline;\n filename="{?lower:6}.gif"\n',
        },
        helo=("{$from_domain}", "{$rdns}"),
        recipients=(2, 6),
        address="{$address}",
        joint=",\n ",
        skew=7200,
        forged="from 253.1{?digit:2}.2{?digit:1}.{?digit:1} by mx{?digit:1}.{$from_domain}; {$date}",
    ),
    Kit(
        "ferry",
        headers=(
            ("From", "{$display} <{$from}>"),
            ("To", "{$to}"),
            ("Subject", "{$subject}"),
            ("Date", "{$date}"),
            ("Message-ID", "<{?hex:8}-{?hex:4}-{?hex:4}-{?hex:12}@{$from_domain}>"),
            ("Mime-Version", "1.0"),
            ("Content-type", "text/html; charset=windows-1251"),
            ("Content-transfer-encoding", "8bit"),
            ("X-Priority", "1 (Highest)"),
        ),
        body="html",
        charset="windows-1251",
        encoding="8bit",
        helo=("{$machine}", "localhost"),
        display="{@first} {?upper:1}.",
        zone="-0500",
    ),
    Kit(
        "tandem",
        headers=(
            ("Date", "{$date}"),
            ("From", "{$display} <{$from}>"),
            ("X-Mailer", "The Bat! (v3.71.14) Home"),
            ("Reply-To", "{$display} <{$from}>"),
            ("X-Priority", "3 (Normal)"),
            ("Message-ID", "<{?digit:9}.{$clock}@{$from_domain}>"),
            ("To", "{$to}"),
            ("Subject", "{$subject}"),
            ("MIME-Version", "1.0"),
            ("Content-Type", 'multipart/alternative;\n boundary="{$boundary}"'),
        ),
        body="alternative",
        charset="us-ascii",
        encoding="7bit",
        boundary="----------{?ALNUM:15}",
        parts={
            "plain": "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n",
            "html": "Content-Type: text/html; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n",
        },
        helo=("[{$ip}]", "{$word}"),
        recipients=(1, 3),
        address="{$address}",
    ),
    Kit(
        "lantern-works",
        headers=(
            ("MIME-Version", "1.0"),
            ("Content-Type", 'text/html; charset="utf-8"'),
            ("Content-Transfer-Encoding", "base64"),
            ("Message-Id", "<{?lower:6}{?digit:8}@{?lower:7}>"),
            ("Subject", "{$subject}"),
            ("From", '"{$display}" <{$from}>'),
            ("To", "{$to}"),
            ("Date", "{$date}"),
        ),
        body="html",
        charset="utf-8",
        encoding="base64",
        helo=("{?lower:7}",),
        subject="encoded",
        address='"{$local}" <{$address}>',
        zone="+0000",
    ),
    Kit(
        "hand-press",
        headers=(
            ("Date", "{$date}"),
            ("To", "{$to}"),
            ("From", "{$display} <{$from}>"),
            ("Reply-to", "{$display} <{$from}>"),
            ("Subject", "{$subject}"),
            ("Message-ID", "<{?hex:32}@{$host}>"),
            ("X-Priority", "3"),
            ("X-Mailer", "PHPMailer [version 1.73]"),
            ("MIME-Version", "1.0"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Content-Type", 'text/html; charset="iso-8859-15"'),
        ),
        body="html",
        charset="iso-8859-15",
        encoding="8bit",
        helo=("{$from_domain}",),
        sender="{news|info|office|sales}@{@plant}{@trade}.test",
        display="{@plant} {@trade}",
        address="{$address}",
    ),
    Kit(
        "loose-leaf",
        headers=(
            ("Subject", "{$subject}"),
            ("Date", "{$date}"),
            ("From", "<{$from}>"),
            ("To", "{$to}"),
            ("Mime-version", "1.0"),
            ("Content-type", "multipart/alternative; boundary={$boundary}"),
            ("X-Mailer", "Microsoft Office Outlook, Build 11.0.5510"),
            ("Thread-Index", "Ac{?mixed:22}"),
            ("Message-id", "<{?ALNUM:10}.{?digit:3}@{$machine}>"),
        ),
        body="alternative",
        charset="us-ascii",
        encoding="7bit",
        boundary="{?hex:10}.{?digit:6}",
        parts={
            "plain": "Content-type: text/plain\n",
            "html": "Content-type: text/html\n",
        },
        helo=("{$machine}",),
        zone="-0480",
        skew=20000,
        closes=False,
        defects=("CloseBoundaryNotFoundDefect",),
    ),
    Kit(
        "webmail",
        headers=(
            ("Message-ID", "<{?digit:5}.{$client}.{?digit:10}.squirrel@{$relay}>"),
            ("Date", "{$date}"),
            ("Subject", "{$subject}"),
            ("From", '"{$display}" <{$from}>'),
            ("Reply-To", "{$first}.{$last}{?digit:2}@{@provider}"),
            ("User-Agent", "SquirrelMail/1.4.9a"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain;charset=iso-8859-1"),
            ("Content-Transfer-Encoding", "8bit"),
            ("X-Priority", "3 (Normal)"),
            ("Importance", "Normal"),
            ("X-Originating-IP", "[{$client}]"),
            ("To", "undisclosed-recipients:;"),
        ),
        body="plain",
        charset="iso-8859-1",
        encoding="8bit",
        helo=("{$relay}",),
        sender="{$first}.{$last}@{$relay_domain}",
        forged="from {$client}\n        (SquirrelMail authenticated user {$first})\n"
        "        by {$relay} with HTTP;\n"
        "        {$date}",
        skew=2,
    ),
)

KITS: Mapping[str, Kit] = {kit.name: kit for kit in (*_KITS, *OVERLAPPING)}
"""Every mailer by name."""
