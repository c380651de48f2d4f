"""Worlds that a seed draws: families, kits and templates by the dozen, to measure with many campaigns.

The shipped worlds are told by hand and have a few dozen campaigns each; what an interval by campaign can show
with them is little. Here the cast is drawn: engines of their own, near-twins that differ in one grammar, kits
with several tenants of which the lab has all, some or one, imitators of one mail program with a flaw each,
and texts that several families send. Nothing happens in them but that templates come and go.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from spamtide.simulate.stream import Dice, Streams
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Creative, Kit, Sender, Sensor, World

Encoding = Literal["7bit", "8bit", "quoted-printable", "base64"]
SINCE, DAYS = dt.date(2012, 3, 5), 112
TEMPLATES = 14
"""Templates of one family and programme."""
PERIOD = 8
"""Days after which the oldest template in use gives way; two are in use at a time."""
SHARED = 3
"""Of them, texts that the programme hands to several families."""
PROGRAMMES = ("Larch Remedies", "Copper Lane Watches", "Nine Harbours Casino", "Quill Diplomas")
"""Nobody's brands."""
OWN_ENGINES, UNSEEN_ENGINES = 5, 2
"""Families with an engine of their own, with a lab and without."""

_TOKENS = (
    "{?hex:8}", "{?HEX:8}", "{?digit:9}", "{$clock}", "{$tick}", "{$word}", "{?lower:6}", "{?ALNUM:12}",
    "{?hex:12}", "{?digit:6}",
)  # fmt: skip
_SIGNS = (".", "$", "-", "_", "")
_HOSTS = ("{$from_domain}", "{$from_domain}", "{$machine}", "{?lower:7}", "[{$ip}]")
_STARTS = ("----=_NextPart_000_", "----=_Part_", "------------", "b1_", "_000_", "=_", "--")
_MAILERS = (
    "The Bat! (v3.99.{1|2|3|27}) Professional", "Microsoft Outlook, Build 10.0.{2616|2627|4510}",
    "Microsoft Windows Live Mail 14.0.8{064|089|117}.206", "Apple Mail (2.{926|936|1078})",
    "PHPMailer [version 1.73]", "MIME-tools 5.503 (Entity 5.501)", "Foxmail 6, {13, 102|14, 103}, 15 [cn]",
    "Calypso Version 3.30.00.00", "KMail/1.9.{4|7|10}",
)  # fmt: skip
_OPTIONAL = (
    ("X-Priority", "3"), ("X-Priority", "3 (Normal)"), ("X-Priority", "1"), ("X-MSMail-Priority", "Normal"),
    ("Importance", "Normal"), ("Reply-To", "<{$from}>"), ("X-Accept-Language", "en-us, en"),
    ("Organization", "{@plant} {@trade}"), ("X-Sender", "{$from}"), ("Content-Language", "en"),
)  # fmt: skip
_CHARSETS = ("us-ascii", "iso-8859-1", "windows-1252", "utf-8", "koi8-r", "windows-1250")
_BOTS = (60, 100, 160)
_EXPRESS_IDS = (
    "<{?hex:12}${?hex:8}${?hex:8}@{$from_domain}>",
    "<{?hex:4}{$tick}${$word}${?hex:8}@{$machine}>",
    "<{?HEX:12}.{?digit:6}@{$machine}>",
)
_EXPRESS_BOUNDARIES = (
    "----=_NextPart_000_{?HEX:4}_{$tick}.{?HEX:8}",
    "----=_NextPart_{?digit:3}_{?HEX:4}_{?HEX:8}.{?HEX:8}",
    "----=_NextPart_000_{?HEX:8}_{?HEX:8}",
)


def drawn_world(seed: int) -> World:
    """Draw a world; the same seed gives the same one."""
    streams = Streams("drawn-cast", seed)
    creatives: list[Creative] = []
    shared = {
        programme: [
            _creative(streams.dice("shared", programme, n), f"shared-{n}", programme) for n in range(9)
        ]
        for programme in PROGRAMMES
    }
    creatives += [one for group in shared.values() for one in group]
    kits, cast = _engines(streams)
    senders = []
    for name, kit, captured in cast:
        dice = streams.dice("sender", name)
        chosen = dice.sample(PROGRAMMES, 2)
        repertoire = {}
        for place, programme in enumerate(chosen):
            own = [
                _creative(streams.dice("text", name, programme, n), f"{name}-{place}-{n}", programme)
                for n in range(TEMPLATES - SHARED)
            ]
            creatives += own
            texts = [*own, *dice.sample(shared[programme], SHARED)]
            repertoire[programme] = tuple(one.name for one in dice.sample(texts, len(texts)))
        senders.append(
            Sender(
                name,
                kit=kit,
                level=9 if captured else 7,
                mix=dict.fromkeys(chosen, 0.5),
                repertoire=repertoire,
                captured=captured,
                period=PERIOD,
                phase=dice.number(PERIOD),
                bots=dice.pick(_BOTS),
                lifetime=10.0 + dice.number(20),
                host=f"{dice.text('bcdfgklmnprstvz', 3)}{{@noun}}{{?digit:2}}.example",
                lab=4.0,
            )
        )
    return World(
        name="drawn",
        title=f"A cast drawn from seed {seed}",
        since=SINCE,
        until=SINCE + dt.timedelta(days=DAYS - 1),
        sensors=(
            Sensor("alder", 0.4, "postfix", "mx.alder.example", "+0000", ham=4),
            Sensor("birch", 0.35, "exim", "mail.birch.example", "+0100", ham=3),
            Sensor("cedar", 0.25, "qmail", "cedar.example", "+0000"),
        ),
        senders=tuple(senders),
        invented=PROGRAMMES,
        kits=tuple(kits),
        creatives=tuple(creatives),
    )


def _engines(streams: Streams) -> tuple[list[Kit], list[tuple[str, str, bool]]]:
    """Kits, and (family, kit, whether a lab has it)."""
    kits: list[Kit] = []
    cast: list[tuple[str, str, bool]] = []

    def add(kit: Kit, *families: tuple[str, bool]) -> Kit:
        kits.append(kit)
        cast.extend((family, kit.name, captured) for family, captured in families)
        return kit

    own = [add(_kit(streams.dice("kit", n), f"own-{n}"), (f"own{n}", True)) for n in range(OWN_ENGINES)]
    add(_twin(streams.dice("twin"), own[0], "twin"), ("twin", True))
    add(_twin(streams.dice("dark-twin"), own[1], "dark-twin"), ("dark-twin", False))
    add(
        _kit(streams.dice("kit", "both"), "both"), ("tenant-a", True), ("tenant-b", True), ("tenant-x", False)
    )
    add(_kit(streams.dice("kit", "one"), "one"), ("owner", True), ("renter", False))
    for number, identifier in enumerate(_EXPRESS_IDS):
        captured = number < len(_EXPRESS_IDS) - 1
        add(_express(f"express-{number}", identifier, number), (f"express{number}", captured))
    for number in range(UNSEEN_ENGINES):
        add(_kit(streams.dice("kit", "dark", number), f"dark-{number}"), (f"dark{number}", False))
    return kits, cast


# ---------------------------------------------------------------------------- kits


def _grammar(dice: Dice, pieces: int) -> str:
    """Tokens with one sign between them."""
    return dice.pick(_SIGNS).join(dice.pick(_TOKENS) for _ in range(pieces))


def _identifier(dice: Dice) -> str:
    return f"<{_grammar(dice, dice.between(2, 3))}@{dice.pick(_HOSTS)}>"


def _boundary(dice: Dice) -> str:
    return dice.pick(_STARTS) + _grammar(dice, dice.between(1, 3))


def _kit(dice: Dice, name: str) -> Kit:
    """An engine of nobody's: order, letter case, grammars and habits are drawn."""
    charset, several = dice.pick(_CHARSETS), dice.chance(0.6)
    fold = dice.pick((" ", "\n\t", "\n "))
    mark = dice.pick(('"', ""))
    kind = f"{fold}charset={mark}{charset}{mark}"
    plainly: Encoding = "7bit" if charset == "us-ascii" else "8bit"
    encodings: tuple[Encoding, ...] = ("quoted-printable", "base64", plainly)
    encoding = dice.pick(encodings)
    fields = [
        (dice.pick(("Message-ID", "Message-Id", "Message-id")), _identifier(dice)),
        ("From", dice.pick(('"{$display}" <{$from}>', "{$display} <{$from}>"))),
        ("To", "{$to}"),
        ("Subject", "{$subject}"),
        ("Date", "{$date}"),
        (dice.pick(("MIME-Version", "Mime-Version")), "1.0"),
        *{field[0]: field for field in dice.sample(_OPTIONAL, dice.between(0, 3))}.values(),
    ]
    if dice.chance(0.7):
        fields.append((dice.pick(("X-Mailer", "X-Mailer", "User-Agent")), dice.pick(_MAILERS)))
    if several:
        fields.append(("Content-Type", f'multipart/alternative;{fold}boundary="{{$boundary}}"'))
    else:
        fields.append(("Content-Type", f"text/html;{kind}"))
        fields.append((dice.pick(("Content-Transfer-Encoding", "Content-transfer-encoding")), encoding))
    part = f"Content-Type: text/{{}};{kind}\nContent-Transfer-Encoding: {encoding}\n"
    return Kit(
        name,
        headers=tuple(dice.sample(fields, len(fields))),
        body="alternative" if several else "html",
        charset=charset,
        encoding=encoding,
        boundary=_boundary(dice),
        preamble=dice.pick(("", "This is a multi-part message in MIME format.\n\n")),
        parts={"plain": part.format("plain"), "html": part.format("html")},
        helo=(dice.pick(("{$machine}", "{$rdns}", "[{$ip}]", "{$from_domain}", "localhost")),),
        address=dice.pick(("<{$address}>", "{$address}")),
        sender=dice.pick(
            ("{$first}.{$last}@{@provider}", "{$first}{?digit:3}@{@provider}", "{?lower:8}@{@provider}")
        ),
        zone=dice.pick(("local", "local", "+0000")),
        skew=dice.pick((60, 300, 3600)),
    )


def _twin(dice: Dice, kit: Kit, name: str) -> Kit:
    """The same engine but for the grammar of its Message-ID."""
    headers = tuple(
        (field, _identifier(dice) if field.lower() == "message-id" else value) for field, value in kit.headers
    )
    return replace(kit, name=name, headers=headers)


def _express(name: str, identifier: str, flaw: int) -> Kit:
    """Outlook Express as a bot writes it: right but for Message-ID and boundary."""
    charset = "windows-1252"
    part = f'Content-Type: text/{{}};\n\tcharset="{charset}"\nContent-Transfer-Encoding: quoted-printable\n'
    return Kit(
        name,
        headers=(
            ("Message-ID", identifier),
            ("From", '"{$display}" <{$from}>'),
            ("To", "<{$address}>"),
            ("Subject", "{$subject}"),
            ("Date", "{$date}"),
            ("MIME-Version", "1.0"),
            ("Content-Type", 'multipart/alternative;\n\tboundary="{$boundary}"'),
            ("X-Priority", "3"),
            ("X-MSMail-Priority", "Normal"),
            ("X-Mailer", "Microsoft Outlook Express 6.00.{2800.1106|2900.2180|2900.5512}"),
            ("X-MimeOLE", "Produced By Microsoft MimeOLE V6.00.2900.{2180|5579}"),
        ),
        body="alternative",
        charset=charset,
        encoding="quoted-printable",
        boundary=_EXPRESS_BOUNDARIES[flaw],
        preamble="This is a multi-part message in MIME format.\n\n",
        parts={"plain": part.format("plain"), "html": part.format("html")},
        helo=("{$machine}",),
    )


# ---------------------------------------------------------------------------- texts

_VOCABULARY = (*WORDS["noun"], *WORDS["adjective"], *WORDS["verb"], *WORDS["plant"])


def _words(dice: Dice, count: int) -> str:
    """Words of an advertisement, now and then one of two."""
    found = []
    for _ in range(count):
        word = dice.pick(_VOCABULARY)
        found.append(f"{{{word}|{dice.pick(_VOCABULARY)}}}" if dice.chance(0.08) else word)
    return " ".join(found)


def _sentence(dice: Dice, words: tuple[int, int]) -> str:
    text = _words(dice, dice.between(*words))
    slot = dice.pick(("", "", " ${$dollars}", " {?digit:2}%", ", {$local}"))
    return text[0].upper() + text[1:] + slot + dice.pick((".", "!", ""))


def _creative(dice: Dice, name: str, programme: str) -> Creative:
    """One advertisement: a few sentences and a link."""
    subjects: Sequence[str] = [_sentence(dice, (3, 6)).rstrip(".") for _ in range(dice.between(1, 3))]
    return Creative(
        name if not name.startswith("shared") else f"{name}-{programme}",
        programme,
        subject=subjects[0] if len(subjects) == 1 else f"{{{'|'.join(subjects)}}}",
        lines=tuple(_sentence(dice, (7, 13)) for _ in range(dice.between(2, 5))),
        call=f"{programme}: {_words(dice, 3)}",
        layout=dice.pick(("note", "banner", "plain", "imitation")),
        path=dice.pick(("{?lower:5}/{?digit:3}.html", "?{?hex:8}", "{@noun}/")),
        buster=dice.pick(("", "", "words", "code", "hidden")),
    )
