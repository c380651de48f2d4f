"""Programmes in a world that means to deceive: brand wording in many disguises, and mail that never says it.

Independent of the simulator and of the reader: disguises are made from lists of their own. Messages are real
bytes and go through the whole path in memory. Counted by campaign as well as by message, since the messages
of one campaign stand or fall together.
"""

# ruff: noqa: RUF001, E501, SIM905, ARG001, PLR0911 - look-alike letters, a seeded world, lists of words
# and disguises of one form

from __future__ import annotations

import datetime as dt
import hashlib
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.header import Header
from html import escape
from pathlib import Path

import numpy as np
import pytest

from spamtide import ingest as intake
from spamtide import pipeline
from spamtide.model import UNKNOWN
from spamtide.observatory import init_observatory
from spamtide.wilson import wilson

DAY = dt.datetime(2024, 3, 4, tzinfo=dt.UTC)

RULES = """
rule maple { meta: kind = "programme" name = "Maple Meds" strings: $a = "Maple Meds" nocase condition: $a }
rule boreal {
    meta: kind = "programme" name = "Boreal Bags" strings: $a = /Boreal ?Bags?/ fullword condition: $a
}
"""
KNOWLEDGE = """
brands:
  Tundra Tablets: {source: "https://a.example/2", confidence: high}
  Zuri Watches: {aliases: [ZuriTime], source: "https://a.example/4", confidence: medium}
programmes:
  NorthRx: {source: "https://a.example/3", confidence: high}
relations:
  - {kind: belongs-to, subject: Tundra Tablets, object: NorthRx, source: "https://a.example/5", confidence: high}
"""
BRANDS = {
    "Canadian Pharmacy": "Canadian Pharmacy",
    "Ultimate Replicas": "Ultimate Replicas",
    "Maple Meds": "Maple Meds",
    "Boreal Bags": "Boreal Bags",
    "Tundra Tablets": "NorthRx",
    "Zuri Watches": "Zuri Watches",
}
"""Brand -> the answer that is right."""
OTHERS = (
    "Helvetica Loans",
    "Canada Health News",
    "Replica of the ultimate kind",
    "Maple Tree Medicine",
    "Zurich Watch",
)
"""Advertisers that nobody knows, some close to a brand."""

LOOK = {"a": "аɑα", "c": "сϲ", "e": "её", "i": "іı", "o": "оοօ", "p": "рρ", "s": "ѕ", "y": "уү", "d": "ԁ", "n": "ո",
        "B": "ВΒ", "C": "СϹ", "M": "МΜ", "P": "РΡ", "T": "ТΤ", "R": "Ꭱ", "U": "ՍꓴU", "Z": "ΖZ", "h": "һ", "l": "ӏ", "t": "т"}  # fmt: skip
DIGITS = {"a": "@4", "e": "3", "i": "1!", "o": "0", "s": "$5", "t": "7", "l": "1", "B": "8"}


def looks(brand: str, draw: random.Random) -> str:
    return "".join(draw.choice(LOOK[c]) if c in LOOK and draw.random() < 0.7 else c for c in brand)


def digits(brand: str, draw: random.Random) -> str:
    made = "".join(draw.choice(DIGITS[c]) if c in DIGITS and draw.random() < 0.5 else c for c in brand)
    return made if made != brand else brand.replace("a", "@")


def spaced(brand: str, draw: random.Random) -> str:
    return draw.choice(["  ", "   ", " - "]).join(" ".join(word) for word in brand.split())


def dotted(brand: str, draw: random.Random) -> str:
    mark = draw.choice(".-_*~+")
    return (
        mark.join(brand.replace(" ", "")) if draw.random() < 0.5 else " ".join(map(mark.join, brand.split()))
    )


def unseen(brand: str, draw: random.Random) -> str:
    marks = ["\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\u034f", "\ufeff", "\u2063"]
    return "".join(c + (draw.choice(marks) if draw.random() < 0.6 else "") for c in brand)


def wide(brand: str, draw: random.Random) -> str:
    bold = draw.random() < 0.5

    def one(c: str) -> str:
        if not c.isascii() or not c.isalpha():
            return c
        if not bold:
            return chr(ord(c) + 0xFEE0)
        return chr(0x1D400 + ord(c) - 65) if c.isupper() else chr(0x1D41A + ord(c) - 97)

    return "".join(map(one, brand))


def accents(brand: str, draw: random.Random) -> str:
    marks = "\u0301\u0300\u0308\u0302\u0307"
    return "".join(
        c + (draw.choice(marks) if c in "aeiouyAEIOU" and draw.random() < 0.7 else "") for c in brand
    )


def joined(brand: str, draw: random.Random) -> str:
    return draw.choice(["", "-", "_", " | ", "\u00a0", " * "]).join(brand.split())


def jumping(brand: str, draw: random.Random) -> str:
    return "".join(c.upper() if place % 2 else c.lower() for place, c in enumerate(brand))


def backwards(brand: str, draw: random.Random) -> str:
    return "\u202e" + brand[::-1] + "\u202c"


def split(brand: str, draw: random.Random) -> str:
    first, last = brand.split(maxsplit=1)
    place = draw.randint(2, len(first) - 2)
    return f"{first[:place]}{draw.choice(' -.')}{first[place:]} {last}"


TEXT_DISGUISES: tuple[Callable[[str, random.Random], str], ...] = (
    looks, digits, spaced, dotted, unseen, wide, accents, joined, jumping, backwards, split,
)  # fmt: skip


def noise(draw: random.Random, size: int = 5) -> str:
    return "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=size))


def html_disguise(brand: str, draw: random.Random) -> str:
    """HTML that shows a brand with something between its letters."""
    kind = draw.randrange(9)
    if kind == 0:
        return "".join(escape(c) + (f"<!-- {noise(draw)} -->" if draw.random() < 0.5 else "") for c in brand)
    if kind == 1:
        return "".join(f"<span>{escape(c)}</span>" for c in brand)
    if kind == 2:
        return "".join(f"<b>{escape(c)}</b><i></i>" if draw.random() < 0.5 else escape(c) for c in brand)
    hidden = [
        "<font size=0>{}</font>", '<span style="display:none">{}</span>', '<font color="#ffffff">{}</font>',
        '<span style="font-size:0px">{}</span>', '<span style="position:absolute;left:-9999px">{}</span>',
    ]  # fmt: skip
    if kind < 6:
        frame = hidden[draw.randrange(len(hidden))]
        return "".join(
            escape(c) + (frame.format(noise(draw, 2)) if draw.random() < 0.4 else "") for c in brand
        )
    if kind == 6:
        return f'<bdo dir="rtl">{brand[::-1]}</bdo>'
    if kind == 7:
        return "".join(f"&#{ord(c)};" if draw.random() < 0.7 else c for c in brand)
    cells = "".join(f"<td>{c}</td>" for c in brand if c != " ")
    return f"<table><tr>{cells}</tr></table>"


WORDS = (
    "about after again always answer autumn before better bottle bridge careful certain change choose city clear "
    "corner country cover daily dinner doctor during early enough every family father final flower follow friend "
    "garden gather gentle ground happen health history house inside island kitchen later letter listen little "
    "market matter minute moment money morning mother mountain music narrow nature never number office open order "
    "parent people picture pleasant price private question quick quiet reason receive remember river season second "
    "secret seldom service several silver simple sister street summer surprise table thousand travel village visit "
    "walk warm water weather window winter wonder world yellow yesterday"
).split()


@dataclass(frozen=True)
class Sent:
    """One message of the world, and the truth about it."""

    data: bytes
    programme: str
    campaign: str
    ham: bool = False


def sentence(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(7, 13))).capitalize() + "."


def message(draw: random.Random, day: dt.datetime, subject: str, sender: str, plain: str, html: str) -> bytes:
    boundary = noise(draw, 12)
    head = (
        f"Received: from [198.51.{draw.randrange(256)}.{draw.randrange(256)}] by mx.trap.example with SMTP; "
        f"{day:%a, %d %b %Y %H:%M:%S} +0000\r\nFrom: {Header(sender).encode()} <{noise(draw)}@{noise(draw)}.example>\r\n"
        f"To: x@trap.example\r\nSubject: {Header(subject).encode()}\r\nDate: {day:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        f"Message-ID: <{noise(draw, 14)}@{noise(draw)}.example>\r\nMIME-Version: 1.0\r\n"
    )
    if not html:
        head += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        return head.encode() + plain.encode()
    head += f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    return (
        head.encode()
        + (
            f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"{plain}\r\n--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n\r\n<html><body bgcolor=#ffffff>{html}</body></html>\r\n--{boundary}--\r\n"
        ).encode()
    )


def spam_campaign(draw: random.Random, number: int, brand: str, right: str, size: int) -> Iterator[Sent]:
    """Copies of one text, personalised; a share of them say the brand, somewhere, in some dress."""
    lines = [sentence(draw) for _ in range(draw.randint(4, 9))]
    subject = sentence(draw)[:40]
    share = draw.choice([1.0, 1.0, 0.6, 0.3])
    known = brand in BRANDS
    slug = brand.lower().replace(" ", draw.choice(["", "-"]))
    hosts = [
        f"{noise(draw, 9)}.{draw.choice(['ru', 'com', 'cn', 'info'])}" for _ in range(draw.randint(2, 6))
    ]
    named_hosts = known and draw.random() < 0.2
    if named_hosts:
        hosts = [
            f"www.{draw.choice(['best', 'my', 'buy', ''])}{slug}{draw.randrange(100)}.com" for _ in hosts
        ]
    shortened = draw.random() < 0.25
    start = DAY + dt.timedelta(days=draw.randrange(25))
    for _ in range(size):
        day = start + dt.timedelta(hours=draw.randrange(24 * 10))
        host = "bit.ly" if shortened else draw.choice(hosts)
        link = f"http://{host}/{noise(draw, 6)}"
        says = draw.random() < share
        place = draw.choice(["text", "text", "html", "subject", "sender", "alt"]) if says else "nowhere"
        dress = draw.choice(TEXT_DISGUISES) if draw.random() < 0.8 else lambda text, _draw: text
        dressed = dress(brand, draw)
        body = [f"Dear {noise(draw, 6)},", *lines, f"Code {noise(draw, 8)}"]
        sender, title, html = noise(draw, 6).capitalize(), subject, ""
        if place == "text":
            body.insert(draw.randint(1, len(body)), f"Visit {dressed} now")
        if place == "subject":
            title = f"{dressed}: {subject}"
        if place == "sender":
            sender = dressed
        if known and draw.random() < 0.03:
            body.append(f"Better than {draw.choice(sorted(set(BRANDS) - {brand}))}!")
        if place in {"html", "alt"} or draw.random() < 0.4:
            shown = "".join(f"<p>{escape(line)}</p>" for line in body)
            shown += f"<p>{html_disguise(brand, draw)}</p>" if place == "html" else ""
            shown += f'<img src="{link}.png" alt="{dressed}">' if place == "alt" else ""
            html = f'{shown}<a href="{link}">here</a>'
            body = body if draw.random() < 0.5 else [noise(draw, 9)]
        plain = "\r\n".join([*body, link])
        yield Sent(message(draw, day, title, sender, plain, html), right, f"spam-{number}")


def ham(draw: random.Random, number: int) -> Sent:
    """Newsletters and letters that speak of medicine, Canada, maple, watches and bags."""
    topics = [
        "The Canadian pharmacy board met. Pharmacy owners in Canada asked for help.",
        "Our Canadian. Pharmacy students may apply until May.", "Maple syrup is not a medicine; meds are.",
        "A maple, meds and a table.", "Boreal forests; bags for the hike.", "The tundra. Tablets for school.",
        "Zurich watches the river.", "An ultimate guide. Replicas in museums.", "various drugs, focus drugs",
    ]  # fmt: skip
    link = (
        f"https://{draw.choice(['news.example', 'bit.ly', 'list-manage.com', 'lists.example'])}/{noise(draw)}"
    )
    body = "\r\n".join([sentence(draw), draw.choice(topics), sentence(draw), link])
    day = DAY + dt.timedelta(hours=draw.randrange(24 * 40))
    return Sent(
        message(draw, day, draw.choice(topics)[:50], "The Letter", body, ""),
        UNKNOWN,
        f"ham-{number}",
        ham=True,
    )


def world(seed: int, campaigns: int, size: int) -> list[Sent]:
    draw = random.Random(seed)
    sent: list[Sent] = []
    for number in range(campaigns):
        brand, right = draw.choice(sorted(BRANDS.items()))
        if draw.random() < 0.25:
            brand, right = draw.choice(OTHERS), UNKNOWN
        sent += spam_campaign(draw, number, brand, right, draw.randint(size // 2, size * 2))
    sent += [ham(draw, number) for number in range(campaigns * 4)]
    draw.shuffle(sent)
    return sent


def answers(sent: list[Sent], folder: Path) -> list[str]:
    """The programme that an observatory gives each message."""
    made = init_observatory(folder / "observatory")
    (made.signatures / "own.yar").write_text(RULES, encoding="utf-8")
    (made.directory / "knowledge.yaml").write_text(KNOWLEDGE, encoding="utf-8")
    for label in ("spam", "ham"):
        mails = folder / label
        mails.mkdir()
        for place, one in enumerate(sent):
            if one.ham == (label == "ham"):
                (mails / f"{place}.eml").write_bytes(one.data)
        intake.ingest(made, intake.Source((str(mails),), "trap", label))
    pipeline.update(made)
    rows = init_observatory(made.directory).lake.read("attributions", ["sha256", "programme"]).to_pylist()
    given = {row["sha256"]: row["programme"] for row in rows}
    return [given[hashlib.sha256(one.data).hexdigest()] for one in sent]


@dataclass(frozen=True)
class Score:
    """Counts of one run."""

    right: int
    named: int
    advertised: int
    false_ham: int
    ham: int
    wrong: Counter[tuple[str, str]]


def score(sent: list[Sent], given: list[str]) -> Score:
    named = [(one, name) for one, name in zip(sent, given, strict=True) if name != UNKNOWN]
    return Score(
        right=sum(one.programme == name for one, name in named),
        named=len(named),
        advertised=sum(one.programme != UNKNOWN for one in sent),
        false_ham=sum(one.ham for one, _ in named),
        ham=sum(one.ham for one in sent),
        wrong=Counter((one.programme, name) for one, name in named if one.programme != name),
    )


def bootstrap(sent: list[Sent], given: list[str], draws: int = 2000) -> dict[str, tuple[float, float]]:
    """95 % intervals of precision and recall when whole campaigns are drawn again."""
    counts: dict[str, list[int]] = {}
    for one, name in zip(sent, given, strict=True):
        found = counts.setdefault(one.campaign, [0, 0, 0])
        found[0] += UNKNOWN != name == one.programme
        found[1] += name != UNKNOWN
        found[2] += one.programme != UNKNOWN
    table = np.asarray(list(counts.values()))
    picks = np.random.default_rng(1).integers(0, len(table), size=(draws, len(table)))
    right, named, advertised = table[picks].sum(axis=1).T
    shares = {"precision": right / named, "recall": right / advertised}
    return {what: tuple(np.quantile(share, [0.025, 0.975]).tolist()) for what, share in shares.items()}


@pytest.mark.slow
def test_programmes_are_named_through_disguise(tmp_path: Path) -> None:
    """Recall at least 90 % at precision at least 98 %, both as lower 95 % bounds; no ham named."""
    sent = world(20101001, campaigns=40, size=40)
    found = score(sent, answers(sent, tmp_path))
    assert wilson(found.right / found.named, found.named)[0] >= 0.98, found
    assert wilson(found.right / found.advertised, found.advertised)[0] >= 0.90, found
    assert found.false_ham == 0, found


if __name__ == "__main__":
    # python tests/attribution/test_programme_world.py SEED CAMPAIGNS SIZE: the numbers of docs/accuracy.md
    with tempfile.TemporaryDirectory() as scratch:
        seed, campaigns, size = map(int, sys.argv[1:])
        mails = world(seed, campaigns, size)
        told = answers(mails, Path(scratch))
        one = score(mails, told)
        print(one)  # noqa: T201 - a report
        for what, hits, n in (("precision", one.right, one.named), ("recall", one.right, one.advertised)):
            low, high = wilson(hits / n, n)
            interval = f"Wilson {low:.4f} to {high:.4f}"
            low, high = bootstrap(mails, told)[what]
            print(f"{what} {hits}/{n} = {hits / n:.4f}, {interval}, by campaign {low:.4f} to {high:.4f}")  # noqa: T201 - a report
