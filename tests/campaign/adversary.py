"""Hostile worlds in plain English, as bytes of mail: campaigns that try not to be seen as one.

Shares nothing with the simulator or with `conftest.plant`. A topic is a bank of ideas; an idea is told in
several wordings, and a wording has words that may be spun: `{cheap|low-cost}`. A campaign tells some ideas of
one topic about its own brand. What its messages do to hide that is set by `Habits`.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

START = dt.datetime(2010, 5, 3, tzinfo=dt.UTC)


def _read_bank() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Topic -> ideas -> wordings, from the file beside this one."""
    lines = (Path(__file__).parent / "wordings.txt").read_text(encoding="utf-8").splitlines()
    bank: dict[str, list[list[str]]] = {}
    topic, idea = "", True
    for line in lines:
        if line.startswith("["):
            topic = line.strip("[]")
            bank[topic], idea = [], True
        elif not line:
            idea = True
        elif topic:
            if idea:
                bank[topic].append([])
            bank[topic][-1].append(line)
            idea = False
    return {name: tuple(map(tuple, ideas)) for name, ideas in bank.items()}


BANK = _read_bank()
NOVEL, SALAD = (BANK.pop(name)[0][0].split() for name in ("novel", "salad"))
STEMS = tuple(
    map(
        "".join,
        product(("bl", "c", "dr", "f", "gl", "h", "k", "m", "n", "p", "s", "tr", "v"), "aeiou", "lnrx"),
    )
)
BRANDS = ("Group", "Direct", "Express", "Partners", "House", "Club")
PATHS = ("", "go", "shop/index.php?id=", "p/{}/view.html", "{}")
SHARED_HOSTS = ("sites.google.com", "t.co", "bit.ly", "www.dropbox.com")


@dataclass(frozen=True)
class Habits:
    """What messages of a campaign do to look different."""

    paraphrase: bool = False
    """Each message tells each idea in any of its wordings, in any order."""
    spin: float = 0.2
    """Share of the spinnable words that a message draws anew."""
    buster: tuple[str, ...] = ("none", "tail", "head", "hidden", "novel")
    footer: int = 0
    """Sentences of a footer that campaigns of one topic share."""
    variants: int = 0
    """So many rewritings of a campaign's text are sent in volume; 0: paraphrase is by message."""
    pooled: bool = False
    """All campaigns of a topic advertise the same brand on the same hosts."""
    housed: bool = False
    """All campaigns of a topic are sent by one engine, in one layout, with links of one shape."""


@dataclass
class Campaign:
    """What the messages of one campaign have in common."""

    number: int
    topic: str
    ideas: list[tuple[str, ...]]
    subjects: list[str]
    brand: str
    product: str
    address: str
    hosts: list[str]
    """Empty: a new host each message."""
    path: str
    engine: int
    buster: str
    footer: str
    choices: dict[str, str] = field(default_factory=dict)
    html: bool = False


def word(dice: random.Random, parts: int = 2) -> str:
    return "".join(dice.choices(STEMS, k=parts))


def spin(text: str, dice: random.Random, share: float, fixed: dict[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        options = found[1].split("|")
        if len(options) == 1:
            return found[0]
        if found[0] not in fixed:
            fixed[found[0]] = dice.choice(options)
        return dice.choice(options) if dice.random() < share else fixed[found[0]]

    return re.sub(r"\{([^{}]*)\}", one, text)


def found_campaign(
    number: int, dice: random.Random, habits: Habits, told: Sequence[list[tuple[str, ...]]] = ()
) -> Campaign:
    """A new campaign; of any one in `told` it tells at most half of the ideas again."""
    topic = dice.choice(list(BANK))
    ideas = dice.sample(BANK[topic], dice.randint(4, 7))
    for _ in range(50):
        if all(2 * len(set(ideas) & set(one)) <= min(len(ideas), len(one)) for one in told):
            break
        topic = dice.choice(list(BANK))
        ideas = dice.sample(BANK[topic], dice.randint(4, 7))
    subjects = [
        dice.choice(idea)[: dice.randint(30, 70)].rsplit(" ", 1)[0].replace("{B}", "").replace("{P}", "")
        for idea in dice.sample(ideas, dice.randint(1, 3))
    ]
    subjects = [re.sub(r"\{[^}]*$", "", subject) for subject in subjects]
    own = [
        word(dice, 3) + dice.choice((".com", ".net", ".ru", ".info", ".biz"))
        for _ in range(dice.randint(1, 6))
    ]
    common = random.Random(topic)
    pool = [f"{word(common, 3)}.com" for _ in range(8)]
    voice = common if habits.pooled else dice
    made = Campaign(
        number=number,
        topic=topic,
        ideas=ideas,
        subjects=subjects,
        brand=f"{word(voice).title()} {voice.choice(BRANDS)}",
        product=word(dice, 2).title() + dice.choice(("", "ex", "in", "or")),
        address=f"{word(dice)}{dice.randint(1, 99)}@{dice.choice(('gmail.com', 'yahoo.com', 'aol.com'))}",
        hosts=pool if habits.pooled else dice.choice(([], own, own, [dice.choice(SHARED_HOSTS)])),
        path=dice.choice(PATHS),
        engine=dice.randrange(5),
        buster=dice.choice(habits.buster),
        footer=" ".join(x for idea in BANK[topic][-habits.footer :] for x in idea) if habits.footer else "",
        html=dice.random() < 0.4,
    )
    if habits.housed:
        made.engine, made.path, made.html = common.randrange(5), common.choice(PATHS), common.random() < 0.4
    return made


def write(campaign: Campaign, habits: Habits, dice: random.Random, when: dt.datetime) -> bytes:
    """One message of a campaign."""
    c = campaign
    sentences, fixed = tell(c, habits, dice)
    head, tail, hidden = noise(c.buster, dice)
    greeting = "" if c.topic == "fraud" else f"{dice.choice(('Dear', 'Hello', 'Hi'))} {word(dice).title()},"
    link = "" if c.topic in {"fraud", "jobs"} and "{A}" in str(c.ideas) else address(c, dice)
    half = max(1, len(sentences) // 2)
    numbers = str(dice.randint(11, 95))
    footer = spin(c.footer, random.Random(1), 0, {})
    parts = [head, greeting, " ".join(sentences[:half]), link, " ".join(sentences[half:]), footer, tail]
    body = "\n\n".join(filter(None, parts)) + "\n"
    subject = spin(dice.choice(c.subjects), dice, habits.spin, fixed)
    if c.buster != "none":
        subject += f" {dice.randint(100, 99999)}"
    told = {
        "{B}": c.brand,
        "{P}": c.product,
        "{N}": numbers,
        "{A}": c.address,
        "{Y}": str(1990 + c.number % 15),
    }
    for slot, value in told.items():
        body, subject = body.replace(slot, value), subject.replace(slot, value)
    return envelope(c.engine, subject, body, hidden, when, dice, html=c.html)


def tell(c: Campaign, habits: Habits, dice: random.Random) -> tuple[list[str], dict[str, str]]:
    """The ideas of a campaign in this message's words, and the choices made."""
    fixed: dict[str, str] = {} if habits.paraphrase else c.choices
    reader = dice
    if habits.variants:
        reader = random.Random(f"{c.number} {dice.randrange(habits.variants)}")
    told = []
    for place, idea in enumerate(c.ideas):
        wording = fixed.setdefault(f"wording {place}", reader.choice(idea))
        told.append(spin(wording, reader, habits.spin, fixed))
    if habits.paraphrase:
        reader.shuffle(told)
    return told, fixed


def noise(buster: str, dice: random.Random) -> tuple[str, str, str]:
    """What stands before the text, after it, and unseen in it."""
    letters = " ".join("".join(dice.choices("bcdfghklmnprst aeiou", k=9)) for _ in range(6))
    start = dice.randrange(len(NOVEL) - 40)
    told = {
        "head": (letters, "", ""),
        "tail": ("", " ".join(dice.choices(SALAD, k=dice.randint(8, 20))), ""),
        "hidden": ("", "", " ".join(dice.choices(NOVEL + SALAD, k=40))),
        "novel": ("", " ".join(NOVEL[start : start + dice.randint(15, 40)]), ""),
    }
    return told.get(buster, ("", "", ""))


def address(c: Campaign, dice: random.Random) -> str:
    """A link of the campaign."""
    host = dice.choice(c.hosts) if c.hosts else f"{word(dice, 3)}.{dice.choice(('com', 'ru', 'cn'))}"
    path = c.path.replace("{}", word(dice)) + (str(dice.getrandbits(30)) if "=" in c.path else "")
    return f"http://{host}/{path}"


def envelope(
    engine: int,
    subject: str,
    body: str,
    hidden: str,
    when: dt.datetime,
    dice: random.Random,
    *,
    html: bool = False,
) -> bytes:
    """Bytes of a mail as one of some engines writes it."""
    ip = ".".join(str(dice.randint(1, 223)) for _ in range(4))
    stamp = when.strftime("%a, %d %b %Y %H:%M:%S +0000")
    sender = f"{word(dice)}@{word(dice, 3)}.com"
    mark = "".join(dice.choices("0123456789abcdef", k=16))
    order = [
        f"From: {sender}",
        f"To: trap{dice.randrange(50)}@trap.example",
        f"Subject: {subject}",
        f"Date: {stamp}",
        f"Message-ID: <{mark}@{sender.split('@')[1]}>",
        "MIME-Version: 1.0",
    ]
    order = order[engine:] + order[:engine]
    if engine == 1:
        order.append("X-Mailer: Microsoft Outlook Express 6.00.2900.2869")
    if html or hidden:
        shown = "".join(f"<p>{line}</p>" for line in body.split("\n") if line)
        unseen = f'<div style="display:none">{hidden}</div>' if hidden else ""
        order.append("Content-Type: text/html; charset=utf-8")
        body = f"<html><body>{shown}{unseen}</body></html>\n"
    else:
        order.append("Content-Type: text/plain; charset=utf-8")
    if engine == 3:
        order.append("Content-Transfer-Encoding: base64")
        body = base64.encodebytes(body.encode()).decode()
    received = f"Received: from {word(dice)} ([{ip}]) by mx.trap.example; {stamp}"
    return "\n".join([received, *order, "", body]).encode()


@dataclass(frozen=True)
class Letters:
    """Mail in order of arrival, and the true campaign of each by SHA-256."""

    mails: list[tuple[dt.datetime, bytes]]
    truth: dict[str, int]
    topic: dict[int, str]


def world(
    seed: int, habits: Habits, campaigns: int = 40, singles: int = 80, most: int = 120, days: int = 60
) -> Letters:
    """Campaigns of very different sizes over sixty days, among single letters of the same topics."""
    dice = random.Random(seed)
    mails: list[tuple[dt.datetime, bytes, int]] = []
    topic = {}
    told: list[list[tuple[str, ...]]] = []
    for number in range(campaigns + singles):
        campaign = found_campaign(number, dice, habits, told)
        if number < campaigns:
            told.append(campaign.ideas)
        topic[number] = campaign.topic
        begin, span = dice.uniform(0, days * 0.8), dice.choice((1, 4, 12))
        size = 1 if number >= campaigns else max(3, int(most * dice.random() ** 2))
        for _ in range(size):
            when = START + dt.timedelta(days=begin + dice.uniform(0, span))
            mails.append((when, write(campaign, habits, dice, when), number))
    mails.sort()
    return Letters(
        [(when, data) for when, data, _ in mails],
        {hashlib.sha256(data).hexdigest(): number for _, data, number in mails},
        topic,
    )
