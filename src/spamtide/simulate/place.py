"""Where mail is received: the trace headers that a sensor's mail exchanger writes on top.

The wording of each dialect follows what that server software writes by default; the hosts are invented.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass

from spamtide.simulate.macro import Program, compile_macro, render
from spamtide.simulate.stream import Dice
from spamtide.simulate.world import Sensor

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

LAB_RELAY = "sinkhole.lab.example"
LAB_ZONE = "+0000"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of server writes Received and what stands around it."""

    named: str
    """The peer, where its address has a name."""
    bare: str
    """The peer, where it has none."""
    block: str
    """All header fields that the server adds, on top of the message."""


DIALECTS: Mapping[str, Dialect] = {
    "postfix": Dialect(
        named="{$helo} ({$rdns} [{$ip}])",
        bare="{$helo} (unknown [{$ip}])",
        block="Return-Path: <{$reverse}>\nX-Original-To: {$recipient}\nDelivered-To: {$recipient}\n"
        "Received: from {$peer}\n\tby {$relay} (Postfix) with {SMTP|ESMTP|ESMTP} id {?HEX:10}\n"
        "\tfor <{$recipient}>; {$received}\n",
    ),
    "exim": Dialect(
        named="{$rdns} ([{$ip}] helo={$helo})",
        bare="[{$ip}] (helo={$helo})",
        block="Return-path: <{$reverse}>\nEnvelope-to: {$recipient}\nDelivery-date: {$received}\n"
        "Received: from {$peer}\n\tby {$relay} with {smtp|esmtp} (Exim 4.71)\n"
        "\t(envelope-from <{$reverse}>)\n"
        "\tid 1O{?mixed:4}-{?digit:4}{?mixed:2}-{?mixed:2}\n\tfor {$recipient}; {$received}\n",
    ),
    "sendmail": Dialect(
        named="{$helo} ({$rdns} [{$ip}])",
        bare="{$helo} ([{$ip}])",
        block="Return-Path: <{$reverse}>\nReceived: from {$peer}\n"
        "\tby {$relay} (8.14.3/8.14.3) with {SMTP|ESMTP} id o{?digit:1}{?upper:1}{?mixed:5}{?digit:6}\n"
        "\tfor <{$recipient}>; {$received}\n",
    ),
    "qmail": Dialect(
        named="{$rdns} (HELO {$helo}) ({$ip})",
        bare="unknown (HELO {$helo}) ({$ip})",
        block="Return-Path: <{$reverse}>\nDelivered-To: {$recipient}\n"
        "Received: (qmail {?digit:5} invoked from network); {$received_bare}\nReceived: from {$peer}\n"
        "  by {$relay} with SMTP; {$received_bare}\n",
    ),
    "exchange": Dialect(
        named="{$helo} ({$ip})",
        bare="{$helo} ({$ip})",
        block="Received: from {$peer} by {$relay} (10.20.0.5)\n"
        " with Microsoft SMTP Server id 8.1.393.1; {$received}\nReturn-Path: {$reverse}\n",
    ),
    "amavis": Dialect(
        named="{$helo} ({$rdns} [{$ip}])",
        bare="{$helo} (unknown [{$ip}])",
        block="Return-Path: <{$reverse}>\nDelivered-To: {$recipient}\n"
        "Received: from localhost (localhost [127.0.0.1])\n\tby {$relay} (Postfix) with ESMTP id {?HEX:9}\n"
        "\tfor <{$recipient}>; {$received}\n"
        "Received: from {$relay} ([127.0.0.1])\n"
        "\tby localhost ({$relay} [127.0.0.1]) (amavisd-new, port 10024)\n"
        "\twith ESMTP id {?mixed:12} for <{$recipient}>;\n\t{$received}\n"
        "Received: from {$peer}\n\tby {$relay} (Postfix) with {SMTP|ESMTP} id {?HEX:9}\n"
        "\tfor <{$recipient}>; {$received}\n",
    ),
    "sink": Dialect(
        named="{$helo} ([{$ip}])",
        bare="{$helo} ([{$ip}])",
        block="Return-Path: <{$reverse}>\nReceived: from {$peer}\n\tby {$relay} with SMTP id {?digit:9};\n"
        "\t{$received}\n",
    ),
}
"""Every kind of server by name; 'sink' is the lab's."""

_COMPILED: Mapping[str, tuple[Program, Program, Program]] = {
    name: (compile_macro(dialect.named), compile_macro(dialect.bare), compile_macro(dialect.block))
    for name, dialect in DIALECTS.items()
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One SMTP transaction as the receiving server saw it."""

    at: int
    """Seconds since 1970, UTC."""
    ip: str
    rdns: str
    """Name of the address; '' when it has none."""
    helo: str
    reverse: str
    """The reverse path, without brackets."""
    recipient: str


def relay_on(sensor: Sensor, day: dt.date) -> str:
    """Host name of a sensor's mail exchanger on a day."""
    relay = sensor.relay
    for resize in sensor.resizes:
        if resize.relay and resize.day <= day:
            relay = resize.relay
    return relay


def trace(dialect: str, relay: str, zone: str, delivery: Delivery, dice: Dice) -> str:
    """Header fields that the server writes on top of one message, ended by a line feed."""
    named, bare, block = _COMPILED[dialect]
    values = {
        "ip": delivery.ip,
        "rdns": delivery.rdns,
        "helo": delivery.helo,
        "reverse": delivery.reverse,
        "recipient": delivery.recipient,
        "relay": relay,
        "received": mail_date(delivery.at, zone),
        "received_bare": mail_date(delivery.at, "-0000", weekday=False),
    }
    values["peer"] = render(named if delivery.rdns else bare, dice, values)
    return render(block, dice, values)


def offset_of(zone: str) -> int:
    """Seconds east of UTC that a zone's digits say; '-0480', which some bots write, is read as is."""
    sign = -1 if zone.startswith("-") else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60)


def mail_date(at: int, zone: str, *, weekday: bool = True) -> str:
    """Write an instant as RFC 5322 wants it, independent of the machine's locale."""
    t = time.gmtime(at + offset_of(zone))
    text = f"{t.tm_mday} {MONTHS[t.tm_mon - 1]} {t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} {zone}"
    return f"{WEEKDAYS[t.tm_wday]}, {text}" if weekday else text
