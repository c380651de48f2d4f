"""One piece of spam from start to end: machine, template, links, recipients, mailer, receiving server."""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.simulate import network
from spamtide.simulate.creatives import CREATIVES
from spamtide.simulate.engine import Content, compose, make_mailer
from spamtide.simulate.kits import KITS
from spamtide.simulate.macro import render
from spamtide.simulate.place import Delivery, mail_date, offset_of, trace
from spamtide.simulate.stream import Dice, Streams
from spamtide.simulate.template import Template, make_template
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Sender, World

HOURS = tuple(
    hour for hour in range(24) for _ in range(round(10 + 4 * math.cos(2 * math.pi * (hour - 15) / 24)))
)
"""Hours of the day (UTC), each as often as mail is likely in it."""
FILETIME_EPOCH = 11_644_473_600
"""Seconds from 1601 to 1970: some mailers write Windows time into their ids."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One simulated message and what is true of it."""

    at: int
    """When it was received, in seconds since 1970, UTC."""
    ip: str
    """Address that the receiving server took it from."""
    reverse: str
    """Reverse path, for the mbox From_ line."""
    data: bytes
    sha256: str
    message_id: str
    programme: str
    campaign: str


@dataclass(frozen=True, slots=True)
class Post:
    """Where a letter arrives: a sensor on a day, or the lab's sink."""

    dialect: str
    relay: str
    zone: str
    addresses: tuple[str, ...]
    """Recipients that live there."""


class SpamWriter:
    """Writes the mail of one sender."""

    def __init__(self, world: World, sender: Sender, mix: NDArray[np.float64], streams: Streams) -> None:
        """Prepare a sender; `mix` is the share of each of its programmes, shape (days, programmes)."""
        self.sender = sender
        self._days = world.days
        kits = {kit.name: kit for kit in world.kits}
        self._mailer = make_mailer(kits.get(sender.kit) or KITS[sender.kit])
        creatives = {creative.name: creative for creative in world.creatives}
        self._mix: list[list[float]] = np.cumsum(mix, axis=1).tolist()
        self._programmes = tuple(sender.mix)
        self._fleet = network.Fleet(sender, len(world.days), streams)
        self._hosts = network.LinkHosts(sender, streams)
        self._templates = {
            programme: tuple(
                make_template(sender, creatives.get(name) or CREATIVES[name], streams) for name in names
            )
            for programme, names in sender.repertoire.items()
        }
        self._lab = network.lab_machines(sender, len(world.days), streams)
        self._mark = f"{streams.world}/{streams.seed}"

    def write(self, day: int, post: Post, dice: Dice, *, lab: bool = False) -> Letter:
        """Write one message that arrives at `post` on a day (its number in the world)."""
        at = receive_time(self._days[day], dice)
        machine = dice.pick(self._lab[day // 7]) if lab else self._fleet.pick(day, dice)
        template = self._template(day, dice)
        recipients = dice.sample(post.addresses, dice.between(*self._mailer.kit.recipients))
        values = self._values(at, machine, recipients, dice)
        if self.sender.provider:
            machine = network.provider_machine(values["provider"])
        self._add_links(values, template, day, dice)
        content = Content(
            subject=render(template.subject, dice, values),
            text=render(template.text, dice, values),
            html="" if self._mailer.kit.body == "plain" else render(template.html, dice, values),
        )
        body = compose(self._mailer, values, content, dice, self._mark)
        delivery = Delivery(
            at=at,
            ip=machine.ip,
            rdns=machine.rdns,
            helo=render(dice.pick(self._mailer.helo), dice, values),
            reverse=render(self._mailer.reverse_path, dice, values),
            recipient=recipients[0],
        )
        data = trace(post.dialect, post.relay, post.zone, delivery, dice).encode("ascii") + body
        return seal(delivery, data, template.programme, template.campaign)

    def _template(self, day: int, dice: Dice) -> Template:
        """Choose a programme by the day's mix, and one of its templates that are in use."""
        share = dice.fraction()
        row = self._mix[day]
        place = next((i for i, edge in enumerate(row) if share < edge), len(row) - 1)
        templates = self._templates[self._programmes[place]]
        epoch = (day + self.sender.phase) // self.sender.period
        return templates[(epoch + dice.number(self.sender.active)) % len(templates)]

    def _values(self, at: int, machine: network.Machine, recipients: list[str], dice: Dice) -> dict[str, str]:
        """Everything that macros of kit and template may name, except links."""
        kit = self._mailer.kit
        zone = machine.zone if kit.zone == "local" else kit.zone
        sent = at - dice.between(1, 40) + dice.between(-kit.skew, kit.skew)
        local, _, domain = recipients[0].partition("@")
        provider = dice.pick(WORDS["provider"])
        server = network.provider_machine(provider)
        ticks = (sent + FILETIME_EPOCH) * 10_000_000 + dice.number(10_000_000)
        values = {
            "first": dice.pick(WORDS["first"]),
            "last": dice.pick(WORDS["last"]),
            "provider": provider,
            "relay": server.rdns,
            "relay_domain": server.domain,
            "client": machine.ip,
            "ip": machine.ip,
            "machine": machine.name,
            "name": machine.name,
            "rdns": machine.rdns or machine.name,
            "rdns_domain": machine.domain,
            "address": recipients[0],
            "local": local,
            "domain": domain,
            "date": mail_date(sent, zone),
            "clock": "{:04}{:02}{:02}{:02}{:02}{:02}".format(*_local_time(sent, zone)),
            "tick": f"{ticks >> 32:08x}",
            "word": f"{ticks & 0xFFFFFFFF:08x}",
            "charset": kit.charset,
            "dollars": f"{dice.between(1, 4)}.{dice.number(10)}{dice.pick('059')}",
        }
        values["from"] = render(self._mailer.sender, dice, values).lower()
        values["from_domain"] = values["from"].rpartition("@")[2]
        values["display"] = render(self._mailer.display, dice, values)
        values["to"] = kit.joint.join(
            render(self._mailer.address, dice, {"address": each, "local": each.partition("@")[0]})
            for each in recipients
        )
        return values

    def _add_links(self, values: dict[str, str], template: Template, day: int, dice: Dice) -> None:
        """Add the link, its host and the picture's address."""
        if not template.linked:
            values["host"] = values["relay"]
            return
        host = self._hosts.pick(template.programme, day, dice)
        values["host"] = host
        values["base"] = f"http://{host}/"
        values["link"] = values["base"] + render(template.path, dice, values)
        values["image"] = (
            f"{values['base']}{dice.pick(WORDS['noun'])}{dice.number(90)}.{dice.pick(('jpg', 'gif'))}"
        )


def receive_time(day: dt.date, dice: Dice) -> int:
    """Draw an instant of a UTC day."""
    return calendar.timegm(day.timetuple()) + dice.pick(HOURS) * 3600 + dice.number(3600)


def seal(delivery: Delivery, data: bytes, programme: str, campaign: str) -> Letter:
    """Hash a finished message and note what is true of it."""
    head = data[: data.find(b"\n\n")].lower()
    start = head.find(b"\nmessage-id: ") + len(b"\nmessage-id: ")
    return Letter(
        at=delivery.at,
        ip=delivery.ip,
        reverse=delivery.reverse,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        message_id=data[start : data.find(b"\n", start)].decode("ascii"),
        programme=programme,
        campaign=campaign,
    )


def _local_time(at: int, zone: str) -> tuple[int, ...]:
    """Year to second of an instant in a zone."""
    local = dt.datetime.fromtimestamp(at + offset_of(zone), tz=dt.UTC)
    return local.year, local.month, local.day, local.hour, local.minute, local.second
