"""Legitimate mail: people, mailing lists, newsletters and notices. It shows that a sensor is up, and
keeps the learner honest about what ordinary mail looks like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from spamtide.simulate import honest_text as said
from spamtide.simulate import network
from spamtide.simulate.engine import Content, compose, make_mailer
from spamtide.simulate.letter import Letter, Post, receive_time, seal
from spamtide.simulate.macro import compile_macro, render
from spamtide.simulate.place import Delivery, mail_date, trace
from spamtide.simulate.stream import Dice, Streams
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Kit, Sensor

PEOPLE, LISTS, PUBLISHERS = 14, 2, 5
"""Correspondents of one sensor, by kind."""
KINDS = ("person",) * 9 + ("list",) * 4 + ("newsletter",) * 4 + ("notice",) * 3
"""Each kind as often as it is likely."""

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

_CHAT = [compile_macro(line, WORDS) for line in said.CHAT]
_LIST_TALK = [compile_macro(line, WORDS) for line in said.LIST_TALK]
_NEWS = [compile_macro(line, WORDS) for line in said.NEWS]
_TOPICS = [compile_macro(line, WORDS) for line in said.TOPICS]
_GREETINGS = [compile_macro(line, WORDS) for line in said.GREETINGS]
_FAREWELLS = [compile_macro(line, WORDS) for line in said.FAREWELLS]
_NOTICES = [(compile_macro(a, WORDS), compile_macro(b, WORDS)) for a, b in said.NOTICES.values()]
_NEWSLETTERS = [
    compile_macro(
        said.NEWSLETTER_HTML.replace(
            "%ITEMS%",
            "\n".join(said.NEWSLETTER_ITEM.replace("%ITEM%", said.NEWS[(i * 3 + k) % len(said.NEWS)]) for k in range(3)),
        ),
        WORDS,
    )
    for i in range(len(said.NEWS))
]


class HonestWriter:
    """Writes the legitimate mail of one sensor."""

    def __init__(self, sensor: Sensor, streams: Streams) -> None:
        """Choose the correspondents of a sensor."""
        dice = streams.dice("correspondents", sensor.name)
        self._mark = f"{streams.world}/{streams.seed}"
        self._mailers = {kind: tuple(make_mailer(kit) for kit in kits) for kind, kits in CLIENTS.items()}
        self._people = [self._person(dice) for _ in range(PEOPLE)]
        self._lists = [self._list(dice, order) for order in range(LISTS)]
        self._publishers = [self._publisher(dice, order) for order in range(PUBLISHERS)]

    def write(self, day: dt.date, post: Post, dice: Dice) -> Letter:
        """Write one message that arrives at `post` on a day."""
        at = receive_time(day, dice)
        kind = dice.pick(KINDS)
        mailers = self._mailers[kind]
        if kind == "person":
            order = dice.number(PEOPLE)
            values, mailer = dict(self._people[order]), mailers[order % len(mailers)]
        elif kind == "list":
            values = dice.pick(self._people) | dice.pick(self._lists)
            mailer = dice.pick(mailers)
        else:
            values, mailer = dict(dice.pick(self._publishers)), dice.pick(mailers)
        self._address(values, post, at, dice)
        content = _content(kind, values, dice)
        body = compose(mailer, values, content, dice, self._mark)
        reverse = values.get("list_bounces") or values.get("bounces") or values["from"]
        delivery = Delivery(at, values["server"], values["server_name"], values["server_name"], reverse, post.addresses[0])
        top = trace(post.dialect, post.relay, post.zone, delivery, dice) + _submission(kind, values, at, dice)
        return seal(at, reverse, top.encode("ascii") + body, "", "")

    def _address(self, values: dict[str, str], post: Post, at: int, dice: Dice) -> None:
        """Add reader, dates and thread."""
        sent = at - dice.between(2, 120)
        address = post.addresses[0]
        values["address"] = address
        values["reader"] = address.partition("@")[0].capitalize()
        values["date"] = mail_date(sent, values["zone"])
        values["clock"] = "".join(filter(str.isdigit, dt.datetime.fromtimestamp(sent, tz=dt.UTC).isoformat()[:19]))
        values["charset"] = "utf-8"
        values["earlier"] = f"<{dice.number(10**9):x}.{dice.number(10**6)}@{values['domain']}>" if dice.chance(0.5) else ""

    @staticmethod
    def _person(dice: Dice) -> dict[str, str]:
        """Choose somebody with a mailbox at a provider or at home."""
        first, last = dice.pick(WORDS["first"]), dice.pick(WORDS["last"])
        if dice.chance(0.5):
            server = network.provider_machine(dice.pick(WORDS["provider"]))
            domain, ip, name = server.domain, server.ip, server.rdns
        else:
            domain = f"{dice.pick(WORDS['plant'])}-{last.lower()}.example"
            ip, name = f"198.51.100.{dice.between(1, 250)}", f"mail.{domain}"
        return {
            "first": first,
            "last": last,
            "from": f"{first}.{last}@{domain}".lower(),
            "from_domain": domain,
            "domain": domain,
            "server": ip,
            "server_name": name,
            "home": f"251.{dice.number(256)}.{dice.number(256)}.{dice.between(1, 254)}",
            "zone": dice.pick(network.ZONES),
        }

    @staticmethod
    def _list(dice: Dice, order: int) -> dict[str, str]:
        """Choose a mailing list."""
        name, domain = dice.pick(WORDS["noun"]), f"lists.{dice.pick(WORDS['plant'])}.example"
        return {
            "list": f"{name}@{domain}",
            "list_id": f"{name}.{domain}",
            "list_request": f"{name}-request@{domain}",
            "list_bounces": f"{name}-bounces@{domain}",
            "tag": name,
            "server": f"192.0.2.{order * 40 + dice.between(1, 39)}",
            "server_name": domain,
        }

    @staticmethod
    def _publisher(dice: Dice, order: int) -> dict[str, str]:
        """Choose somebody who sends newsletters and notices."""
        domain = f"{dice.pick(WORDS['noun'])}-{dice.pick(WORDS['trade'])}.example"
        return {
            "publisher": domain,
            "domain": domain,
            "from": f"letter@{domain}",
            "title": f"{dice.pick(WORDS['adjective'])} {dice.pick(WORDS['noun'])} society".title(),
            "bounces": f"bounce-{dice.number(10**6)}@mailer.{domain}",
            "server": f"192.0.2.{100 + order * 30 + dice.between(1, 29)}",
            "server_name": f"mailer.{domain}",
            "zone": dice.pick(("+0100", "+0200", "-0500")),
        }


def _submission(kind: str, values: Mapping[str, str], at: int, dice: Dice) -> str:
    """Received header of the server that took the mail from its author; machines submit locally."""
    if kind not in {"person", "list"}:
        return ""
    return (
        f"Received: from [192.168.{dice.number(4)}.{dice.between(2, 99)}] (unknown [{values['home']}])\n"
        f"\tby {values['server_name']} (Postfix) with ESMTPSA id {dice.number(16**9):09X};\n"
        f"\t{mail_date(at - 2, '+0000')}\n"
    )


def _content(kind: str, values: dict[str, str], dice: Dice) -> Content:
    """Write subject and text for one kind of mail."""
    if kind == "notice":
        subject, text = dice.pick(_NOTICES)
        return Content(render(subject, dice, values), render(text, dice, values), "")
    if kind == "newsletter":
        items = [render(item, dice, values) for item in dice.sample(_NEWS, 3)]
        html = render(dice.pick(_NEWSLETTERS), dice, values)
        return Content(f"{values['title']}: {items[0].split(':')[0]}", "\n\n".join(items) + "\n", html)
    lines = _CHAT if kind == "person" else _LIST_TALK
    chosen = [render(line, dice, values) for line in dice.sample(lines, dice.between(2, 6))]
    subject = render(dice.pick(_TOPICS), dice, values)
    if kind == "list":
        subject = f"[{values['tag']}] {subject}"
        chosen[0] = "> " + chosen[0]
    blocks = [render(dice.pick(_GREETINGS), dice, values), *chosen, render(dice.pick(_FAREWELLS), dice, values)]
    text = "\n\n".join(blocks) + "\n"
    html = "<html><body>" + "".join(f"<p>{block}</p>\n" for block in blocks) + "</body></html>\n"
    return Content(("Re: " if values["earlier"] else "") + subject, text, html)

