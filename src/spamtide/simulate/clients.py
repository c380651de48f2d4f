"""The mail programs of honest people, lists, publishers and robots, as data."""

from __future__ import annotations

from collections.abc import Mapping

from spamtide.simulate.world import Kit

_PLAIN_UTF8 = (
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
)
_ALTERNATIVE = {
    "plain": "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n",
    "html": "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n",
}

CLIENTS: Mapping[str, tuple[Kit, ...]] = {
    "person": (
        Kit(
            "apple",
            headers=(
                ("From", "{$first} {$last} <{$from}>"),
                ("Content-Type", 'multipart/alternative; boundary="{$boundary}"'),
                ("Subject", "{$subject}"),
                ("Date", "{$date}"),
                ("Message-Id", "<{?HEX:8}-{?HEX:4}-{?HEX:4}-{?HEX:4}-{?HEX:12}@{$from_domain}>"),
                ("To", "{$address}"),
                ("Mime-Version", "1.0 (Apple Message framework v1081)"),
                ("X-Mailer", "Apple Mail (2.1081)"),
            ),
            body="alternative",
            charset="utf-8",
            encoding="quoted-printable",
            boundary="Apple-Mail-{?digit:1}-{?digit:9}",
            parts=_ALTERNATIVE,
        ),
        Kit(
            "thunderbird",
            headers=(
                ("Message-ID", "<{?HEX:8}.{?digit:7}@{$from_domain}>"),
                ("Date", "{$date}"),
                ("From", "{$first} {$last} <{$from}>"),
                ("User-Agent", "Mozilla/5.0 (X11; U; Linux i686; en-US; rv:1.9.1.11) Thunderbird/3.0.6"),
                ("MIME-Version", "1.0"),
                ("To", "{$address}"),
                ("Subject", "{$subject}"),
                ("References", "{$earlier}"),
                ("In-Reply-To", "{$earlier}"),
                ("Content-Type", "text/plain; charset=UTF-8; format=flowed"),
                ("Content-Transfer-Encoding", "8bit"),
            ),
            body="plain",
            charset="utf-8",
            encoding="8bit",
        ),
        Kit(
            "mutt",
            headers=(
                ("Date", "{$date}"),
                ("From", "{$first} {$last} <{$from}>"),
                ("To", "{$reader} <{$address}>"),
                ("Subject", "{$subject}"),
                ("Message-ID", "<{$clock}.G{?upper:1}{?digit:4}@{$from_domain}>"),
                ("References", "{$earlier}"),
                ("MIME-Version", "1.0"),
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Disposition", "inline"),
                ("Content-Transfer-Encoding", "8bit"),
                ("In-Reply-To", "{$earlier}"),
                ("User-Agent", "Mutt/1.5.20 (2009-06-14)"),
            ),
            body="plain",
            charset="utf-8",
            encoding="8bit",
        ),
        Kit(
            "outlook",
            headers=(
                ("From", '"{$first} {$last}" <{$from}>'),
                ("To", "<{$address}>"),
                ("Subject", "{$subject}"),
                ("Date", "{$date}"),
                ("Message-ID", "<{?digit:3}{?HEX:1}{?hex:8}${?hex:8}${?hex:8}$@{$from_domain}>"),
                ("MIME-Version", "1.0"),
                ("Content-Type", 'multipart/alternative;\n\tboundary="{$boundary}"'),
                ("X-Mailer", "Microsoft Office Outlook 12.0"),
                ("Thread-Index", "Act{?mixed:21}=="),
                ("Content-Language", "en-us"),
            ),
            body="alternative",
            charset="utf-8",
            encoding="quoted-printable",
            boundary="----=_NextPart_000_{?HEX:4}_{?HEX:8}.{?HEX:8}",
            preamble="This is a multi-part message in MIME format.\n\n",
            parts=_ALTERNATIVE,
        ),
    ),
    "list": (
        Kit(
            "mailman",
            headers=(
                ("Date", "{$date}"),
                ("From", "{$first} {$last} <{$from}>"),
                ("To", "{$list}"),
                ("Message-ID", "<{$clock}.{?hex:6}@{$from_domain}>"),
                ("References", "{$earlier}"),
                ("In-Reply-To", "{$earlier}"),
                *_PLAIN_UTF8,
                ("Subject", "{$subject}"),
                ("X-BeenThere", "{$list}"),
                ("X-Mailman-Version", "2.1.13"),
                ("Precedence", "list"),
                ("List-Id", "<{$list_id}>"),
                ("List-Unsubscribe", "<mailto:{$list_request}?subject=unsubscribe>"),
                ("List-Post", "<mailto:{$list}>"),
                ("Sender", "{$list_bounces}"),
                ("Errors-To", "{$list_bounces}"),
            ),
            body="plain",
            charset="utf-8",
            encoding="8bit",
        ),
    ),
    "newsletter": (
        Kit(
            "bulk",
            headers=(
                ("Date", "{$date}"),
                ("From", "{$title} <letter@{$publisher}>"),
                ("Reply-To", "office@{$publisher}"),
                ("To", "{$address}"),
                ("Message-ID", "<{?digit:8}.{?digit:5}.{?digit:10}@mailer.{$publisher}>"),
                ("Subject", "{$subject}"),
                ("MIME-Version", "1.0"),
                ("Content-Type", 'multipart/alternative;\n boundary="{$boundary}"'),
                ("List-Unsubscribe", "<http://www.{$publisher}/leave/{?hex:16}>"),
                ("Precedence", "bulk"),
                ("X-Campaign", "{?digit:5}"),
            ),
            body="alternative",
            charset="utf-8",
            encoding="quoted-printable",
            boundary="_----------={?digit:16}",
            parts=_ALTERNATIVE,
        ),
    ),
    "notice": (
        Kit(
            "robot",
            headers=(
                ("To", "{$address}"),
                ("Subject", "{$subject}"),
                ("From", "{$title} <no-reply@{$publisher}>"),
                ("Date", "{$date}"),
                ("Message-Id", "<E1O{?mixed:5}-{?digit:4}{?mixed:2}-{?mixed:2}@app{?digit:1}.{$publisher}>"),
                ("Auto-Submitted", "auto-generated"),
                *_PLAIN_UTF8,
            ),
            body="plain",
            charset="utf-8",
            encoding="8bit",
        ),
    ),
}
"""Mail programs by kind of correspondent."""
