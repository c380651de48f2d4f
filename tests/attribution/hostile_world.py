"""Worlds drawn at random to find where attribution fails: engines, families, labs, sensors and ham from one seed.

Nothing here is shared with `spamtide.simulate`: there engines are written by hand, here each world draws its own
from the habits of real mailers (header order and case, clocks, counters and machine names in Message-IDs and
boundaries, rotating X-Mailers, optional headers, forged Received, HELO habits), and then makes life hard:
near-twins that differ in one grammar, kits with several tenants, one text sent by several families, families
that no lab has, labs of few messages and one machine, and people whose real mailers the bots imitate.

    python tests/attribution/hostile_world.py DIR --seed 3      writes DIR/lab/*.mbox, sensors/*.mbox, truth.csv

A world may be made harder in one way more (`--hard`, see HARD). `measure_hostile.py` measures attribution on them.
"""

from __future__ import annotations

import argparse
import base64
import csv
import datetime as dt
import hashlib
import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

START = dt.datetime(2011, 2, 7, tzinfo=dt.UTC)
DAYS = 42
LAB_ENDS = 28
"""The lab runs so many days; templates that are new after it are what the lab has not seen."""
HARD = {
    "plain": "two tenants with a lab and one without; an owner and a renter; a near twin with a lab, one without",
    "same-texts": "the kit's tenants send the same texts; links and addresses are their own",
    "overlap-10": "of the addresses of each of the kit's tenants, 10 % are its mates' as well",
    "overlap-30": "the same, 30 %",
    "late": "the tenant without a lab and the renter begin after the lab's end, with much mail",
    "crowd": "three more tenants without a lab rent the kit, one more rents the owner's engine",
    "takeover": "from day 21 one tenant sends the other's texts too, and the renter the owner's",
    "daily": "the tenants' templates are of one day each",
    "copycat": "two more near twins without a lab, who send half of their mail from the family's texts",
    "strangers": "six more near twins without a lab, of as many families",
}
"""How a world may be made harder -> what is in it."""
TAKEN = 21
"""Day from which texts are taken over."""
HEX = "0123456789abcdef"
CLASSES = {
    "d": string.digits,
    "h": HEX,
    "H": HEX.upper(),
    "a": string.ascii_lowercase,
    "A": string.ascii_uppercase,
    "x": string.ascii_lowercase + string.digits,
    "w": string.ascii_letters + string.digits,
}
VOWELS, CONSONANTS = "aeiou", "bcdfgklmnprstvz"
MAILERS = (
    "Microsoft Outlook Express 6.00.2800.1106",
    "Microsoft Outlook Express 6.00.2900.2180",
    "Microsoft Outlook Express 6.00.2900.5512",
    "Microsoft Outlook Express 6.00.2900.5931",
    "Microsoft Windows Mail 6.0.6000.20661",
    "Microsoft Windows Live Mail 14.0.8064.206",
    "Microsoft Office Outlook 11",
    "Microsoft Office Outlook 12.0",
    "Microsoft Office Outlook, Build 11.0.5510",
    "Microsoft Outlook, Build 10.0.2616",
    "The Bat! (v2.00.18) Personal",
    "The Bat! (v3.0.1.33) Professional",
    "The Bat! (v4.0.18) UNREG / CD5BF9353B3B7091",
    "Calypso Version 3.30.00.00",
    "QUALCOMM Windows Eudora Version 7.1.0.9",
    "PHPMailer [version 1.73]",
    "Mozilla Thunderbird 1.0.6 (Windows/20050716)",
    "Apple Mail (2.936)",
    "MIME-tools 5.503 (Entity 5.501)",
    "Pegasus Mail for Windows (4.41)",
    "Lotus Notes Release 6.5.1",
    "KMail/1.9.4",
    "Foxmail 6, 13, 102, 15 [cn]",
    "aspNetEmail ver 3.5.2.10",
)
OLE = ("6.00.2800.1106", "6.00.2900.2180", "6.00.2900.3350", "6.00.2900.5579", "6.00.2900.5512")
DOMAINS = (
    "mailpost.example",
    "plaza.example",
    "webbox.test",
    "freeinbox.test",
    "cityline.example",
    "home.invalid",
)
ZONES = ("+0000", "-0500", "+0300", "+0530", "-0800", "+0100", "+0900", "-0300")


def text(rng: random.Random, kind: str, count: int) -> str:
    return "".join(rng.choice(CLASSES[kind]) for _ in range(count))


def word(rng: random.Random, syllables: int = 0) -> str:
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(syllables or rng.randint(2, 4)))


# ---------------------------------------------------------------------------- machines


@dataclass
class Machine:
    """One bot: what of it shows in its mail."""

    ip: str
    name: str
    rdns: str
    zone: str
    pid: int
    serial: str
    counter: int
    own: random.Random

    @classmethod
    def drawn(cls, rng: random.Random) -> Machine:
        ip = f"{rng.choice([24, 59, 78, 83, 88, 93, 117, 189, 201, 213])}.{rng.randint(1, 254)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}"
        dashed = ip.replace(".", "-")
        rdns = rng.choice(
            ("", f"{dashed}.dsl.{word(rng)}.example", f"host{rng.randint(2, 999)}.{word(rng)}.test")
        )
        name = rng.choice(
            (word(rng).upper() + "-PC", word(rng), "user-" + text(rng, "h", 10), word(rng).upper())
        )
        return cls(ip, name, rdns, rng.choice(ZONES), rng.randint(100, 9999), text(rng, "h", 8),
                   rng.randint(1, 4000), random.Random(rng.random()))  # fmt: skip


@dataclass
class Moment:
    """What one message is made from, besides its content."""

    rng: random.Random
    machine: Machine
    at: dt.datetime
    sender: str
    recipient: str

    @property
    def ticks(self) -> int:
        return int((self.at.timestamp() + 11_644_473_600) * 10_000_000) + self.rng.randint(0, 9_999_999)


Token = Callable[[Moment], str]


def token(rng: random.Random, *, boundary: bool) -> Token:
    """One piece of an identifier, as engines make them."""
    kind = rng.choice("dddhhHHaAxwwclukpsn" if not boundary else "dddhhHHaAxwwclu")
    size = rng.choice((2, 4, 4, 5, 6, 7, 8, 8, 10, 12, 16))
    if kind in CLASSES:
        return lambda m: text(m.rng, kind, size)
    if kind == "c":
        form = rng.choice(("%Y%m%d%H%M%S", "%d%m%Y%H%M", "%y%m%d", "%H%M%S"))
        return lambda m: m.at.strftime(form)
    if kind == "l":
        fixed = rng.choice((word(rng), word(rng).upper(), "000", "NextPart", "Part", "msg", "X"))
        return lambda _: fixed
    if kind == "u":
        return (
            (lambda m: str(int(m.at.timestamp())))
            if rng.random() < 0.5
            else (lambda m: f"{int(m.at.timestamp()):x}")
        )
    if kind == "k":
        width = rng.choice((0, 4, 6))

        def counted(m: Moment) -> str:
            m.machine.counter += m.rng.randint(1, 3)
            return f"{m.machine.counter:0{width}d}" if width else str(m.machine.counter)

        return counted
    if kind == "p":
        return lambda m: str(m.machine.pid)
    if kind == "s":
        return lambda m: m.machine.serial
    low, high = rng.choice(((2, 6), (4, 9), (8, 12)))
    letters = rng.choice("dahx")
    return lambda m: text(m.rng, letters, m.rng.randint(low, high))


def identifier(rng: random.Random, *, boundary: bool = False) -> Token:
    """A grammar of two to five pieces."""
    pieces: list[Token] = []
    for place in range(rng.randint(2, 4)):
        if place:
            mark = rng.choice(("", ".", "$", "-", "_", "=") if boundary else ("", ".", "$", "-", "_", "."))
            pieces.append(lambda _, mark=mark: mark)
        pieces.append(token(rng, boundary=boundary))
    fresh = rng.choice("hHwd")
    size = rng.randint(6, 10)
    pieces.append(lambda m: text(m.rng, fresh, size))
    return lambda m: "".join(piece(m) for piece in pieces)


def host(rng: random.Random) -> Token:
    kind = rng.choice(("from", "from", "machine", "machine", "word", "fixed", "rdns", "ip", "rcpt"))
    fixed = word(rng)
    return {
        "from": lambda m: m.sender.partition("@")[2],
        "machine": lambda m: m.machine.name,
        "word": lambda m: text(m.rng, "a", m.rng.randint(5, 9)),
        "fixed": lambda _: fixed,
        "rdns": lambda m: m.machine.rdns or m.machine.name,
        "ip": lambda m: f"[{m.machine.ip}]",
        "rcpt": lambda m: m.recipient.partition("@")[2],
    }[kind]


def oe_id(m: Moment) -> str:
    """As Outlook Express makes them: counter, clock, address."""
    m.machine.counter += 1
    octets = bytes(int(part) for part in m.machine.ip.split("."))[::-1].hex()
    return f"{m.machine.counter & 0xFFFF:04x}{m.ticks >> 32:08x}${m.ticks & 0xFFFFFFFF:08x}${octets}"


def oe_boundary(m: Moment) -> str:
    return (
        f"----=_NextPart_000_{m.machine.counter & 0xFFFF:04X}_{m.ticks >> 32:08X}.{m.ticks & 0xFFFFFFFF:08X}"
    )


# ---------------------------------------------------------------------------- engines


@dataclass
class Variant:
    """One face of an engine: a header order with the values that go with it."""

    order: list[tuple[str, float]]
    """Header name in its own case, and how often it is there."""
    mailers: list[str]
    mid: Token
    mid_host: Token
    boundary: Token
    mailer_field: str
    content_type: str
    layout: str
    encoding: str
    charset: str
    zone: str
    day_name: bool
    pad_day: bool
    from_form: str
    to_form: str
    fold: str
    extras: dict[str, list[str]]
    per_bot_mailer: bool
    subject_encoded: bool
    ole: list[str]


@dataclass
class Engine:
    name: str
    variants: list[Variant]
    helo: Callable[[Moment], str]
    forged: bool
    helo_kind: str = ""


CASES = (
    ("Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    ("Message-Id", "Mime-Version", "Content-Type", "Content-Transfer-Encoding"),
    ("Message-ID", "MIME-Version", "Content-type", "Content-transfer-encoding"),
    ("MESSAGE-ID", "MIME-version", "Content-type", "Content-Transfer-Encoding"),
)


def variant(rng: random.Random, mailers: list[str]) -> Variant:
    mid, mime, ctype, cte = rng.choice(CASES)
    layout = rng.choice(("plain", "html", "html", "alternative", "alternative", "related"))
    names = [
        (mid, 1.0),
        ("From", 1.0),
        ("To", 1.0),
        ("Subject", 1.0),
        ("Date", 1.0),
        (mime, 1.0),
        (ctype, 1.0),
    ]
    if layout in {"plain", "html"} or rng.random() < 0.3:
        names.append((cte, 1.0))
    mailer_field = rng.choice(("X-Mailer", "X-Mailer", "X-Mailer", "User-Agent", ""))
    if mailer_field:
        names.append((mailer_field, 1.0))
    extras = {
        "X-Priority": [rng.choice(("3", "3 (Normal)", "1", "1 (Highest)"))],
        "X-MSMail-Priority": ["Normal"],
        "Importance": [rng.choice(("Normal", "High"))],
        "Reply-To": [""],
        "X-Sender": [""],
        "Errors-To": [""],
        "X-Accept-Language": ["en-us, en"],
        "Organization": [word(rng).title()],
        f"X-{word(rng).title()}-{rng.choice(('ID', 'Token', 'Ref'))}": [""],
        "Sensitivity": ["Normal"],
        "Thread-Index": [""],
    }
    chosen = rng.sample(sorted(extras), rng.randint(0, 4))
    names += [(name, rng.choice((1.0, 1.0, 1.0, 0.5, 0.8))) for name in chosen]
    if rng.random() < 0.5:
        rng.shuffle(names)
    else:
        at = rng.randint(0, len(names))
        names = names[at:] + names[:at]
    return Variant(
        order=names,
        mailers=mailers,
        mid=identifier(rng),
        mid_host=host(rng),
        boundary=identifier(rng, boundary=True),
        mailer_field=mailer_field,
        content_type=rng.choice(
            ('{t}; charset="{c}"', "{t}; charset={c}", '{t};\n\tcharset="{c}"', "{t};\n charset={c}")
        ),
        layout=layout,
        encoding=rng.choice(("7bit", "8bit", "quoted-printable", "base64", "7Bit")),
        charset=rng.choice(
            ("us-ascii", "iso-8859-1", "ISO-8859-1", "windows-1251", "utf-8", "Windows-1252", "koi8-r")
        ),
        zone=rng.choice(("local", "local", "local", "+0000", "-0700", "GMT")),
        day_name=rng.random() < 0.9,
        pad_day=rng.random() < 0.6,
        from_form=rng.choice(('"{n}" <{a}>', "{n} <{a}>", "<{a}>", "{a}", '"{a}" <{a}>')),
        to_form=rng.choice(("<{a}>", "{a}", '"{l}" <{a}>', "{l} <{a}>")),
        fold=rng.choice(("\t", " ", "        ")),
        extras={name: extras[name] for name in chosen},
        per_bot_mailer=rng.random() < 0.3,
        subject_encoded=rng.random() < 0.15,
        ole=[],
    )


def outlook_like(rng: random.Random, *, perfect: bool) -> Variant:
    """An imitation of Outlook Express; an imperfect one gets some grammars wrong, as most real ones do."""
    made = variant(rng, rng.sample(MAILERS[:4], rng.randint(1, 3)))
    names = ["Message-ID", "From", "To", "Subject", "Date", "MIME-Version", "Content-Type", "X-Priority",
             "X-MSMail-Priority", "X-Mailer", "X-MimeOLE"]  # fmt: skip
    made.order = [(name, 1.0) for name in names]
    made.mailer_field, made.layout, made.fold = "X-Mailer", "alternative", "\t"
    made.mid, made.mid_host, made.boundary = oe_id, lambda m: m.machine.name, oe_boundary
    made.extras = {"X-Priority": ["3"], "X-MSMail-Priority": ["Normal"]}
    made.ole = [f"Produced By Microsoft MimeOLE V{rng.choice(OLE)}"]
    made.from_form, made.to_form, made.day_name, made.pad_day = '"{n}" <{a}>', "<{a}>", True, False
    made.zone = "local"
    if perfect:
        return made
    for fault in rng.sample(("mid", "boundary", "host", "zone", "order", "to", "hex"), rng.randint(1, 3)):
        if fault == "mid":
            made.mid = identifier(rng)
        elif fault == "boundary":
            made.boundary = identifier(rng, boundary=True)
        elif fault == "host":
            made.mid_host = host(rng)
        elif fault == "zone":
            made.zone = rng.choice(("+0000", "-0000", "GMT"))
        elif fault == "order":
            moved = made.order.pop(rng.randrange(len(made.order)))
            made.order.insert(rng.randrange(len(made.order)), moved)
        elif fault == "to":
            made.to_form = rng.choice(("{a}", '"{l}" <{a}>'))
        else:
            size = rng.choice((4, 6, 12))
            made.mid = lambda m: f"{text(m.rng, 'h', size)}${text(m.rng, 'h', 8)}${text(m.rng, 'h', 8)}"
    return made


def helo(rng: random.Random) -> tuple[str, Callable[[Moment], str]]:
    kind = rng.choice(
        ("rdns", "machine", "machine", "literal", "ip", "from", "localhost", "random", "fixed", "rcpt")
    )
    fixed = word(rng)
    return kind, {
        "rdns": lambda m: m.machine.rdns or m.machine.name,
        "machine": lambda m: m.machine.name,
        "literal": lambda m: f"[{m.machine.ip}]",
        "ip": lambda m: m.machine.ip,
        "from": lambda m: m.sender.partition("@")[2],
        "localhost": lambda _: "localhost",
        "random": lambda m: text(m.rng, "a", m.rng.randint(5, 9)),
        "fixed": lambda _: fixed,
        "rcpt": lambda m: m.recipient.partition("@")[2],
    }[kind]


def engine(rng: random.Random, name: str) -> Engine:
    kind = rng.random()
    kind_name, habit = helo(rng)
    if kind < 0.25:
        variants = [outlook_like(rng, perfect=False)]
    elif kind < 0.45:  # one order for each mailer that it claims to be
        variants = [variant(rng, [mailer]) for mailer in rng.sample(MAILERS, rng.randint(2, 5))]
    else:
        variants = [variant(rng, rng.sample(MAILERS, rng.choice((1, 1, 2, 5, 12))))]
    return Engine(name, variants, habit, rng.random() < 0.3, kind_name)


def twin(rng: random.Random, of: Engine, name: str) -> Engine:
    """The same engine but for one grammar."""
    import copy

    made = [copy.copy(each) for each in of.variants]
    trait = rng.choice(("boundary", "mid", "zone", "from", "type"))
    fresh = variant(rng, ["x"])
    for each in made:
        if trait == "boundary" and each.layout in {"alternative", "related"}:
            each.boundary = fresh.boundary
        elif trait == "zone" and each.zone == "local":
            each.zone = "GMT"
        elif trait == "from" and each.from_form != "<{a}>":
            each.from_form = "<{a}>"
        elif trait == "type" and each.layout in {"plain", "html"}:
            each.content_type = "{t}; charset={c}; format=flowed"
        else:
            each.mid = fresh.mid
    return Engine(name, made, of.helo, of.forged, of.helo_kind)


# ---------------------------------------------------------------------------- content


@dataclass
class Text:
    """A template: lines of fixed words and slots."""

    name: str
    lines: list[list[object]]
    subject: list[object]
    kind: str
    born: float


def vocabulary(rng: random.Random, size: int) -> list[str]:
    return [word(rng) for _ in range(size)]


COMMON = vocabulary(random.Random(77), 700)


def make_text(rng: random.Random, name: str, born: float) -> Text:
    """Constant stretches, choices and random slots; one in six is written anew for every message."""
    kind = rng.choice(("macro", "macro", "macro", "spun", "short", "free"))

    def line(words: int, spin: float) -> list[object]:
        made: list[object] = []
        for _ in range(words):
            if rng.random() < spin:
                made.append(rng.sample(COMMON, rng.choice((2, 3, 6))))
            else:
                made.append(rng.choice(COMMON))
        return made

    spin = {"macro": 0.12, "spun": 0.45, "short": 0.1, "free": 1.0}[kind]
    count = 1 if kind == "short" else rng.randint(3, 8)
    lines = [line(rng.randint(6, 16), spin) for _ in range(count)]
    return Text(name, lines, line(rng.randint(2, 6), max(spin, 0.3)), kind, born)


def fill(parts: Sequence[object], rng: random.Random) -> str:
    return " ".join(part if isinstance(part, str) else rng.choice(part) for part in parts)  # type: ignore[arg-type]  # choices are lists


# ---------------------------------------------------------------------------- writing


def date_of(at: dt.datetime, made: Variant, machine: Machine) -> str:
    zone = machine.zone if made.zone == "local" else made.zone
    hours = 0 if zone in {"GMT", "-0000"} else int(zone[:3]) + int(zone[0] + zone[3:]) / 60
    local = at + dt.timedelta(hours=hours)
    day = f"{local.day:02d}" if made.pad_day else str(local.day)
    name = local.strftime("%a, ") if made.day_name else ""
    return f"{name}{day} {local.strftime('%b %Y %H:%M:%S')} {zone}"


def encoded(body: str, encoding: str, charset: str) -> str:
    if encoding == "base64":
        return base64.encodebytes(body.encode(charset, "replace")).decode()
    return body


def compose(made: Variant, m: Moment, body: str, subject: str, link: str) -> str:
    rng = m.rng
    name = f"{word(m.rng).title()} {word(m.rng).title()}"
    rcpt_local = m.recipient.partition("@")[0]
    boundary = made.boundary(m)
    mid = f"<{made.mid(m)}@{made.mid_host(m)}>"
    types = {"plain": "text/plain", "html": "text/html"}
    if made.layout in types:
        ctype = made.content_type.format(t=types[made.layout], c=made.charset)
    else:
        ctype = f'multipart/{made.layout};\n{made.fold}boundary="{boundary}"'
    mailer = (
        made.mailers[hash_of(m.machine.name) % len(made.mailers)]
        if made.per_bot_mailer
        else rng.choice(made.mailers)
    )
    shown = (
        f"=?{made.charset}?B?{base64.b64encode(subject.encode()).decode()}?="
        if made.subject_encoded
        else subject
    )
    values = {
        "message-id": mid,
        "from": made.from_form.format(n=name, a=m.sender),
        "to": made.to_form.format(l=rcpt_local, a=m.recipient),
        "subject": shown,
        "date": date_of(m.at, made, m.machine),
        "mime-version": "1.0",
        "content-type": ctype,
        "content-transfer-encoding": made.encoding,
        "reply-to": m.sender,
        "x-sender": m.sender,
        "errors-to": m.sender,
        "thread-index": "Ac" + text(rng, "w", 22) + "==",
        "x-mimeole": rng.choice(made.ole) if made.ole else "",
        made.mailer_field.lower(): mailer,
    }
    lines = []
    for header, chance in made.order:
        if rng.random() >= chance:
            continue
        value = values.get(header.lower()) or (made.extras.get(header) or [""])[0] or text(rng, "h", 12)
        lines.append(f"{header}: {value}")
    shown_body = body.replace("\n", "</p>\n<p>")
    html = f'<html><body>\n<p>{shown_body}</p>\n<a href="{link}">{subject}</a>\n</body></html>\n'
    plain = f"{body}\n\n{link}\n"
    if made.layout == "plain":
        content = encoded(plain, made.encoding, made.charset)
    elif made.layout == "html":
        content = encoded(html, made.encoding, made.charset)
    else:
        head = f'Content-Type: {{}};\n\tcharset="{made.charset}"\nContent-Transfer-Encoding: 7bit\n\n'
        content = f"--{boundary}\n{head.format('text/plain')}{plain}\n--{boundary}\n{head.format('text/html')}{html}\n--{boundary}--\n"
    return "\n".join(lines) + "\n\n" + content


def hash_of(value: str) -> int:
    return int(hashlib.sha256(value.encode()).hexdigest()[:8], 16)


# ---------------------------------------------------------------------------- places


@dataclass
class Place:
    """Where mail arrives, and what that adds to it."""

    name: str
    kind: str
    recipients: list[str]

    def trace(self, m: Moment, helo_said: str) -> str:
        stamp = m.at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        client = f"{m.machine.rdns or 'unknown'} [{m.machine.ip}]"
        host_name = f"mx.{self.name}.example"
        if self.kind == "postfix":
            return (f"Return-Path: <{m.sender}>\nX-Original-To: {m.recipient}\nDelivered-To: {m.recipient}\n"
                    f"Received: from {helo_said} ({client})\n\tby {host_name} (Postfix) with SMTP id {text(m.rng, 'H', 10)}\n"
                    f"\tfor <{m.recipient}>; {stamp}\n")  # fmt: skip
        if self.kind == "exim":
            return (f"Return-path: <{m.sender}>\nEnvelope-to: {m.recipient}\nDelivery-date: {stamp}\n"
                    f"Received: from [{m.machine.ip}] (helo={helo_said})\n\tby {host_name} with smtp (Exim 4.69)\n"
                    f"\tid {text(m.rng, 'w', 6)}-{text(m.rng, 'w', 6)}-{text(m.rng, 'w', 2)}\n\tfor {m.recipient}; {stamp}\n"
                    f"X-Spam-Score: {m.rng.randint(10, 80) / 10}\nX-Spam-Flag: YES\n")  # fmt: skip
        if self.kind == "odd":
            return (f"X-Trap-Session: {text(m.rng, 'h', 16)}\nX-Trap-Node: n{m.rng.randint(1, 4)}\n"
                    f"Received: from {helo_said} ({client}) by {host_name} with ESMTP; {stamp}\n")  # fmt: skip
        if self.kind == "sink":
            return (f"X-Lab-Capture: {text(m.rng, 'd', 6)}\nReceived: from {helo_said} (lab [{m.machine.ip}])\n"
                    f"\tby sink.{self.name}.example with SMTP; {stamp}\n")  # fmt: skip
        return ""


@dataclass
class Source:
    """A family, or another sender of spam."""

    name: str
    engine: Engine
    captured: bool
    texts: list[Text]
    per_day: float
    fleet: list[Machine]
    kind: str
    lab_machines: list[Machine] = field(default_factory=list)
    lab_size: int = 0
    active: int = 2
    kit: str = ""
    begins: float = 0.0
    borrowed: list[Text] = field(default_factory=list)
    """Another's texts, of which half of its mail is from `borrows` on."""
    borrows: float = 0.0


@dataclass
class World:
    """Draws everything from one seed."""

    seed: int
    scale: float = 1.0
    hard: str = "plain"
    sources: list[Source] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        rng = self.rng
        shared_text = [make_text(rng, f"affiliate-{n}", n * 9.0) for n in range(4)]
        engines = [engine(rng, f"e{n}") for n in range(6)]
        specs: list[tuple[str, Engine, bool, str]] = [
            (f"known{n}", e, True, "known") for n, e in enumerate(engines)
        ]
        specs.append(("twin", twin(rng, engines[0], "twin"), True, "known"))
        kit = engine(rng, "kit")
        specs += [
            ("tenant-a", kit, True, "tenant"),
            ("tenant-b", kit, True, "tenant"),
            ("tenant-x", kit, False, "stranger-tenant"),
        ]
        rented = engine(rng, "rented")
        specs += [("owner", rented, True, "owner"), ("renter", rented, False, "renter")]
        specs += [(f"dark{n}", engine(rng, f"d{n}"), False, "unknown") for n in range(2)]
        specs.append(("dark-twin", twin(rng, engines[1], "dark-twin"), False, "unknown"))
        specs.append(
            (
                "dark-outlook",
                Engine("do", [outlook_like(rng, perfect=False)], *helo(rng)[1:], False),
                False,
                "unknown",
            )
        )
        specs += self._more(engines, kit, rented)
        for name, made, captured, kind in specs:
            texts = [make_text(rng, f"{name}-{n}", n * 7.0) for n in range(7)]
            if name in {"known2", "known3", "dark0", "dark-outlook"}:
                texts = [t for pair in zip(shared_text, texts, strict=False) for t in pair]
                texts = [Text(t.name, t.lines, t.subject, t.kind, 6.0 * n) for n, t in enumerate(texts)]
            fleet = [Machine.drawn(rng) for _ in range(rng.choice((30, 80, 200)))]
            lab = [Machine.drawn(rng) for _ in range(rng.choice((1, 1, 2, 4)))]
            self.sources.append(
                Source(name, made, captured, texts, rng.choice((4, 8, 12)), fleet, kind, lab,
                       rng.choice((25, 60, 150, 300)), rng.choice((1, 2, 3)), "kit" if made is kit else ""))  # fmt: skip
        self._harden(random.Random(f"{self.seed} {self.hard}"))

    def _more(
        self, engines: list[Engine], kit: Engine, rented: Engine
    ) -> list[tuple[str, Engine, bool, str]]:
        """Senders that a harder world has besides."""
        rng = random.Random(f"{self.seed} more")
        if self.hard == "crowd":
            crowd = [(f"tenant-{n}", kit, False, "stranger-tenant") for n in ("u", "v", "w")]
            return [*crowd, ("renter-2", rented, False, "renter")]
        if self.hard == "copycat":
            return [(f"copycat{n}", twin(rng, engines[n], f"copycat{n}"), False, "copycat") for n in (2, 4)]
        if self.hard == "strangers":
            return [(f"near{n}", twin(rng, e, f"near{n}"), False, "unknown") for n, e in enumerate(engines)]
        return []

    def _harden(self, rng: random.Random) -> None:
        """Make the kits' senders as `hard` says; the rest of the world stays as it is."""
        named = {source.name: source for source in self.sources}
        tenants = [source for source in self.sources if source.kit]
        if self.hard == "same-texts":
            for source in tenants:
                source.texts, source.active = tenants[0].texts, tenants[0].active
        elif self.hard.startswith("overlap"):
            share = int(self.hard.rpartition("-")[2]) / 100
            own = {source.name: list(source.fleet) for source in tenants}
            for source in tenants:
                others = [m for name, fleet in own.items() if name != source.name for m in fleet]
                count = int(share * len(source.fleet))
                source.fleet[:count] = rng.sample(others, count)
        elif self.hard == "late":
            for name in ("tenant-x", "renter"):
                named[name].begins, named[name].per_day = LAB_ENDS, 30
        elif self.hard == "takeover":
            for taker, taken in (("tenant-b", "tenant-a"), ("renter", "owner")):
                named[taker].borrowed, named[taker].borrows = named[taken].texts, TAKEN
        elif self.hard == "daily":
            for source in tenants:
                source.texts = [make_text(rng, f"{source.name}-{n}", float(n)) for n in range(DAYS)]
                source.active = 1
        elif self.hard == "copycat":
            for number in (2, 4):
                named[f"copycat{number}"].borrowed = named[f"known{number}"].texts

    def text_of(self, source: Source, day: float, rng: random.Random) -> Text:
        texts = source.texts
        if source.borrowed and day >= source.borrows and rng.random() < 0.5:
            texts = source.borrowed
        born = [t for t in texts if t.born <= day]
        return rng.choice(born[-source.active :])

    def letter(
        self, source: Source, day: float, place: Place, machines: list[Machine]
    ) -> tuple[bytes, Moment, Text]:
        rng = self.rng
        machine = rng.choice(machines)
        at = START + dt.timedelta(days=day)
        sender = f"{word(rng)}{rng.choice(('', '.', '_'))}{word(rng)}@{rng.choice(DOMAINS)}"
        m = Moment(rng, machine, at, sender, rng.choice(place.recipients))
        chosen = self.text_of(source, day, rng)
        made = (
            source.engine.variants[0]
            if len(source.engine.variants) == 1
            else rng.choice(source.engine.variants)
        )
        body = "\n".join(fill(line, rng) for line in chosen.lines)
        if rng.random() < 0.4:
            body += f"\n{text(rng, 'x', 8)} {word(rng)} {word(rng)}"
        hosts = random.Random(f"{source.name}{int(day // 3)}")
        link = f"http://{word(hosts)}{word(hosts)}.example/{text(rng, 'x', 5)}"
        helo_said = source.engine.helo(m)
        forged = ""
        if source.engine.forged:
            forged = f"Received: from {word(rng)} ([{rng.randint(1, 250)}.{rng.randint(1, 250)}.2.{rng.randint(1, 250)}]) by {m.sender.partition('@')[2]}; {at.strftime('%a, %d %b %Y %H:%M:%S +0000')}\n"
        trace = place.trace(m, helo_said)
        if place.kind == "sink-bare":
            trace = ""
        data = trace + forged + compose(made, m, body, fill(chosen.subject, rng), link)
        return data.encode("utf-8", "replace"), m, chosen

    def write(self, out: Path) -> None:
        """Write sensors, labs and ham as mbox files, and truth.csv."""
        for folder in ("lab", "sensors"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        rng = self.rng
        places = [
            Place("alder", "postfix", [f"{word(rng)}@alder.example" for _ in range(25)]),
            Place("birch", "exim", [f"{word(rng)}@birch.example" for _ in range(25)]),
            Place("cedar", "odd", [f"{word(rng)}@cedar.example" for _ in range(25)]),
        ]
        for place in places:
            with Box(out / "sensors" / f"{place.name}.spam.mbox") as box:
                for source in self.sources:
                    count = int(source.per_day * (DAYS - source.begins) * self.scale / len(places))
                    for _ in range(count):
                        day = source.begins + rng.random() * (DAYS - source.begins)
                        data, m, chosen = self.letter(source, day, place, source.fleet)
                        self.note(data, "spam", place.name, source, chosen, m)
                        box.add(data, m)
            with Box(out / "sensors" / f"{place.name}.ham.mbox") as box:
                for _ in range(int(220 * self.scale)):
                    data, m = self.honest(place)
                    self.note(data, "ham", place.name, None, None, m)
                    box.add(data, m)
        for source in self.sources:
            if not source.captured:
                continue
            kind = rng.choice(("sink", "sink", "sink-bare"))
            place = Place(
                "lab", kind, [f"victim{n}@target{n % 3}.test" for n in range(rng.choice((1, 10, 60)))]
            )
            with Box(out / "lab" / f"{source.name}.mbox") as box:
                for _ in range(source.lab_size):
                    day = rng.random() * LAB_ENDS
                    data, m, chosen = self.letter(source, day, place, source.lab_machines)
                    self.note(data, "lab", source.name, source, chosen, m)
                    box.add(data, m)
        with (out / "truth.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)

    def note(
        self, data: bytes, kind: str, place: str, source: Source | None, chosen: Text | None, m: Moment
    ) -> None:
        self.rows.append({
            "sha256": hashlib.sha256(data).hexdigest(),
            "kind": kind,
            "place": place,
            "family": source.name if source else "",
            "class": source.kind if source else "ham",
            "kit": source.kit or source.engine.name if source else "",
            "captured": str(int(bool(source and source.captured))),
            "text": chosen.name if chosen else "",
            "text_kind": chosen.kind if chosen else "",
            "new": str(int(bool(chosen and chosen.born >= LAB_ENDS))),
            "day": f"{(m.at - START).total_seconds() / 86400:.2f}",
        })  # fmt: skip

    def honest(self, place: Place) -> tuple[bytes, Moment]:
        """Mail of people, shops and lists, through the mailers that bots imitate."""
        rng = self.rng
        machine = Machine.drawn(rng)
        at = START + dt.timedelta(days=rng.random() * DAYS)
        sender = f"{word(rng)}@{word(rng)}.example"
        m = Moment(rng, machine, at, sender, rng.choice(place.recipients))
        kind = rng.choice(("oe", "oe", "thunderbird", "shop", "list", "webmail", "outlook"))
        body = "\n".join(
            " ".join(rng.choice(COMMON) for _ in range(rng.randint(5, 14))) for _ in range(rng.randint(2, 7))
        )
        made = outlook_like(random.Random(5), perfect=True)
        made.mailers = list(MAILERS[:4])
        if kind == "thunderbird":
            made.order = [
                (n, 1.0)
                for n in (
                    "Message-ID",
                    "Date",
                    "From",
                    "User-Agent",
                    "MIME-Version",
                    "To",
                    "Subject",
                    "Content-Type",
                    "Content-Transfer-Encoding",
                )
            ]
            made.mid, made.mid_host = (
                (lambda m: f"{int(m.at.timestamp()):X}.{text(m.rng, 'd', 7)}"),
                lambda m: m.sender.partition("@")[2],
            )
            made.mailer_field, made.mailers = (
                "User-Agent",
                [
                    "Thunderbird 2.0.0.24 (Windows/20100228)",
                    "Mozilla/5.0 (X11; U; Linux i686; en-US; rv:1.9.1.16) Gecko/20101227 Thunderbird/3.0.11",
                ],
            )
            made.layout, made.content_type, made.charset, made.encoding = (
                "plain",
                "{t}; charset={c}; format=flowed",
                "ISO-8859-1",
                "7bit",
            )
            made.from_form, made.to_form, made.ole = "{n} <{a}>", "{a}", []
        elif kind == "outlook":
            made.order = [
                (n, 1.0)
                for n in (
                    "From",
                    "To",
                    "Subject",
                    "Date",
                    "Message-ID",
                    "MIME-Version",
                    "Content-Type",
                    "X-Mailer",
                    "Thread-Index",
                    "X-MimeOLE",
                )
            ]
            made.mailers, made.mid = (
                ["Microsoft Office Outlook 11", "Microsoft Office Outlook 12.0"],
                (
                    lambda m: (
                        text(m.rng, "h", 12).upper() + "$" + text(m.rng, "h", 8) + "$" + text(m.rng, "h", 8)
                    )
                ),
            )
        elif kind == "shop":
            body = (
                f"Dear {word(rng)}\nyour weekly offers\n"
                + body
                + "\nTo leave this list follow the link below"
            )
            made.order = [
                (n, 1.0)
                for n in (
                    "Date",
                    "To",
                    "From",
                    "Subject",
                    "Message-ID",
                    "X-Priority",
                    "X-Mailer",
                    "MIME-Version",
                    "Content-Type",
                )
            ]
            made.mailers, made.mid = ["PHPMailer [version 1.73]"], lambda m: text(m.rng, "h", 32)
            made.boundary, made.ole = (lambda m: "b1_" + text(m.rng, "h", 32)), []
        elif kind == "webmail":
            made.order = [
                (n, 1.0)
                for n in ("MIME-Version", "Date", "Message-ID", "Subject", "From", "To", "Content-Type")
            ]
            made.mid, made.mid_host, made.ole = (
                (lambda m: "AANLk" + text(m.rng, "w", 26)),
                lambda _: "mail.webbox.test",
                [],
            )
            made.boundary, made.mailer_field = (lambda m: text(m.rng, "h", 28)), ""
        data = compose(made, m, body, f"{word(rng)} {word(rng)}", f"http://{word(rng)}.example/")
        trace = place.trace(m, machine.rdns or machine.name)
        if kind == "list":
            trace += "List-Id: <talk.lists.example>\nSender: talk-bounces@lists.example\nPrecedence: list\n"
        return (trace + data).encode("utf-8", "replace"), m


class Box:
    """An mbox file in order of time."""

    def __init__(self, path: Path) -> None:
        self.path, self.letters = path, []  # type: ignore[var-annotated]  # of letters

    def __enter__(self) -> Box:
        return self

    def add(self, data: bytes, m: Moment) -> None:
        self.letters.append((m.at, data))

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)
        with self.path.open("wb") as file:
            for at, data in sorted(self.letters):
                file.write(
                    b"From bot@invalid " + at.strftime("%a %b %d %H:%M:%S %Y").encode() + b"\n" + data + b"\n"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument(
        "--hard", choices=list(HARD), default="plain", help="; ".join(f"{k}: {v}" for k, v in HARD.items())
    )
    told = parser.parse_args()
    World(told.seed, told.scale, told.hard).write(told.out)
