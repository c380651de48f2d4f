"""Engines of the hostile worlds: machines, grammars of identifiers, header habits, imitations and near twins."""

from __future__ import annotations

import copy
import datetime as dt
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

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
