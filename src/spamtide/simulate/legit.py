"""Legitimate mail: people, mailing lists, newsletters and notices.

It shows that a sensor is up, and keeps the learner honest about what ordinary mail looks like.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from spamtide.simulate import honest_text as said
from spamtide.simulate import network
from spamtide.simulate.clients import CLIENTS
from spamtide.simulate.engine import Content, compose, make_mailer
from spamtide.simulate.letter import Letter, Post, receive_time, seal
from spamtide.simulate.macro import compile_macro, render
from spamtide.simulate.place import Delivery, mail_date, trace
from spamtide.simulate.stream import Dice, Streams
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Sensor

PEOPLE, LISTS, PUBLISHERS = 14, 2, 5
"""Correspondents of one sensor, by kind."""
KINDS = ("person",) * 9 + ("list",) * 4 + ("newsletter",) * 4 + ("notice",) * 3
"""Each kind as often as it is likely."""

_CHAT = [compile_macro(line, WORDS) for line in said.CHAT]
_LIST_TALK = [compile_macro(line, WORDS) for line in said.LIST_TALK]
_NEWS = [compile_macro(line, WORDS) for line in said.NEWS]
_TOPICS = [compile_macro(line, WORDS) for line in said.TOPICS]
_GREETINGS = [compile_macro(line, WORDS) for line in said.GREETINGS]
_FAREWELLS = [compile_macro(line, WORDS) for line in said.FAREWELLS]
_NOTICES = [(compile_macro(a, WORDS), compile_macro(b, WORDS)) for a, b in said.NOTICES.values()]
_NEWSLETTER = compile_macro(said.NEWSLETTER, WORDS)
_ARTICLE = compile_macro(said.ARTICLE, WORDS)


class HonestWriter:
    """Writes the legitimate mail of one sensor."""

    def __init__(self, sensor: Sensor, streams: Streams) -> None:
        """Choose the correspondents of a sensor."""
        dice = streams.dice("correspondents", sensor.name)
        self._mark = f"{streams.world}/{streams.seed}"
        self._mailers = {kind: tuple(make_mailer(kit) for kit in kits) for kind, kits in CLIENTS.items()}
        self._people = [_person(dice) for _ in range(PEOPLE)]
        self._lists = [_list(dice, order) for order in range(LISTS)]
        self._publishers = [_publisher(dice, order) for order in range(PUBLISHERS)]

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
        delivery = Delivery(
            at, values["server"], values["server_name"], values["server_name"], reverse, post.addresses[0]
        )
        top = trace(post.dialect, post.relay, post.zone, delivery, dice) + _submission(kind, values, at, dice)
        return seal(delivery, top.encode("ascii") + body, "", "")

    @staticmethod
    def _address(values: dict[str, str], post: Post, at: int, dice: Dice) -> None:
        """Add reader, dates and thread."""
        sent = at - dice.between(2, 120)
        address = post.addresses[0]
        values["address"] = address
        values["reader"] = address.partition("@")[0].partition(".")[0].capitalize()
        values["date"] = mail_date(sent, values["zone"])
        values["clock"] = "".join(
            filter(str.isdigit, dt.datetime.fromtimestamp(sent, tz=dt.UTC).isoformat()[:19])
        )
        values["charset"] = "utf-8"
        values["earlier"] = (
            f"<{dice.number(10**9):x}.{dice.number(10**6)}@{values['domain']}>" if dice.chance(0.5) else ""
        )


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
        title, notice = dice.pick(_NOTICES)
        return Content(render(title, dice, values), render(notice, dice, values), "")
    if kind == "newsletter":
        items = [render(item, dice, values) for item in dice.sample(_NEWS, 3)]
        articles = [render(_ARTICLE, dice, values | {"item": item}) for item in items]
        html = render(_NEWSLETTER, dice, values | {"articles": "\n".join(articles)})
        return Content(f"{values['title']}: {items[0].split(':')[0]}", "\n\n".join(items) + "\n", html)
    lines = _CHAT if kind == "person" else _LIST_TALK
    chosen = [render(line, dice, values) for line in dice.sample(lines, dice.between(2, 6))]
    subject = render(dice.pick(_TOPICS), dice, values)
    if kind == "list":
        subject = f"[{values['tag']}] {subject}"
        chosen[0] = "> " + chosen[0]
    blocks = [
        render(dice.pick(_GREETINGS), dice, values),
        *chosen,
        render(dice.pick(_FAREWELLS), dice, values),
    ]
    text = "\n\n".join(blocks) + "\n"
    html = "<html><body>" + "".join(f"<p>{block}</p>\n" for block in blocks) + "</body></html>\n"
    return Content(("Re: " if values["earlier"] else "") + subject, text, html)
