"""Letters of the hostile worlds: texts, how an engine writes them, what a place adds, and honest mail."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from hostile_engines import MAILERS, Machine, Moment, Variant, outlook_like, text, word

# ---------------------------------------------------------------------------- content

Part = str | list[str]
"""A fixed word, or words of which each message has one."""


@dataclass
class Text:
    """A template: lines of fixed words and slots."""

    name: str
    lines: list[list[Part]]
    subject: list[Part]
    kind: str
    born: float


def vocabulary(rng: random.Random, size: int) -> list[str]:
    return [word(rng) for _ in range(size)]


COMMON = vocabulary(random.Random(77), 700)


def make_text(rng: random.Random, name: str, born: float) -> Text:
    """Constant stretches, choices and random slots; one in six is written anew for every message."""
    kind = rng.choice(("macro", "macro", "macro", "spun", "short", "free"))

    def line(words: int, spin: float) -> list[Part]:
        made: list[Part] = []
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


def fill(parts: Sequence[Part], rng: random.Random) -> str:
    return " ".join(part if isinstance(part, str) else rng.choice(part) for part in parts)


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


def honest(rng: random.Random, place: Place, since: dt.datetime, days: int) -> tuple[bytes, Moment]:
    """Mail of people, shops and lists, through the mailers that bots imitate."""
    machine = Machine.drawn(rng)
    at = since + dt.timedelta(days=rng.random() * days)
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
            (lambda m: text(m.rng, "h", 12).upper() + "$" + text(m.rng, "h", 8) + "$" + text(m.rng, "h", 8)),
        )
    elif kind == "shop":
        body = f"Dear {word(rng)}\nyour weekly offers\n" + body + "\nTo leave this list follow the link below"
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
            (n, 1.0) for n in ("MIME-Version", "Date", "Message-ID", "Subject", "From", "To", "Content-Type")
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
