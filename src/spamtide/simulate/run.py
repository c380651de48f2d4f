"""The verb of this room: make a world's mail and write it down with the truth."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spamtide.errors import UnavailableError, UsageError
from spamtide.model import UNKNOWN
from spamtide.simulate import control, spool
from spamtide.simulate.legit import HonestWriter
from spamtide.simulate.letter import Letter, Post, SpamWriter
from spamtide.simulate.place import LAB_RELAY, LAB_ZONE, relay_on
from spamtide.simulate.stream import Dice, Streams
from spamtide.simulate.truth import Truth, as_json, true_changes
from spamtide.simulate.volume import draw_volumes
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Sensor, World
from spamtide.simulate.worlds import WORLDS

TRAPS = 16
"""Addresses of one sensor."""
LAB_ADDRESSES = 200
"""Addresses that the lab's bots are told to write to, and the domains that these spread over."""
LAB_DOMAINS = 40
MAX_SCALE = 100.0
COLUMNS = (
    "sha256",
    "kind",
    "place",
    "day",
    "family",
    "botnet",
    "programme",
    "campaign",
    "source_ip",
    "message_id",
)
"""Columns of truth_messages.csv.gz. kind: spam, ham or lab; place: the sensor, or the lab's family; family:
who really sent it; botnet and programme: the right answer, which is 'unknown' for a family that no lab
has, or for no programme."""


def simulate(
    world: str,
    out: Path,
    *,
    seed: int = 2010,
    scale: float = 1.0,
    on_message: Callable[[int], None] | None = None,
) -> Truth:
    """Write the mail of a world into a folder, with everything that is true of it.

    The same world, seed and scale give the same bytes, file by file. A folder that a former simulation made
    is made again; any other folder must be empty or new.

    Args:
        world: a name in WORLDS.
        out: the folder; it gets sensors/, lab/, truth.json, truth_messages.csv.gz, events.csv, control.csv,
            README.txt.
        seed: any whole number; another seed gives another draw of the same story.
        scale: factor on all mail.
        on_message: called after every message with the number of messages made so far.

    Raises:
        UsageError: no such world, a scale out of range, or a folder with other things in it.
        UnavailableError: the folder cannot be written.
    """
    if world not in WORLDS:
        message = f"no such world '{world}'"
        raise UsageError(message, f"known: {', '.join(WORLDS)}")
    return simulate_world(WORLDS[world], out, seed=seed, scale=scale, on_message=on_message)


def simulate_world(
    world: World,
    out: Path,
    *,
    seed: int = 2010,
    scale: float = 1.0,
    on_message: Callable[[int], None] | None = None,
) -> Truth:
    """Do what `simulate` does for a world that is not shipped, for instance one with other sensors."""
    if not 0 < scale <= MAX_SCALE:
        message = f"a scale of {scale} does not work"
        raise UsageError(message, f"give a number above 0 and up to {MAX_SCALE:g}")
    spool.prepare(out)
    try:
        return _Run(world, out, Streams(world.name, seed), scale, on_message).make()
    except OSError as error:
        message = f"{out}: cannot be written: {error.strerror or error}"
        raise UnavailableError(message) from error


class _Run:
    """One simulation on its way to disk."""

    def __init__(
        self,
        world: World,
        out: Path,
        streams: Streams,
        scale: float,
        on_message: Callable[[int], None] | None,
    ) -> None:
        self._world = world
        self._out = out
        self._streams = streams
        self._scale = scale
        self._on_message = on_message
        self._volumes = draw_volumes(world, streams, scale)
        self._writers = [
            SpamWriter(world, sender, self._volumes.mix[sender.name], streams) for sender in world.senders
        ]
        self._rows: list[tuple[str, ...]] = []
        self._programmes = {
            (sender.name, programme): np.zeros(len(world.days), dtype=np.int64)
            for sender in world.senders
            for programme in sender.mix
        }
        self._messages = {"spam": 0, "ham": 0, "lab": 0}
        self._size = 0

    def make(self) -> Truth:
        """Write every file, the marker first and the truth last."""
        (self._out / spool.MARKER).write_text(
            spool.readme(self._world, self._streams.seed, self._scale), "utf-8"
        )
        for row, sensor in enumerate(self._world.sensors):
            self._spam(sensor, row)
            if sensor.ham:
                self._ham(sensor, row)
        for writer in self._writers:
            if writer.sender.captured:
                self._lab(writer)
        truth = self._truth()
        spool.write_gzip(self._out / spool.MESSAGES, _table(COLUMNS, self._rows))
        (self._out / spool.EVENTS).write_bytes(_events(self._world))
        (self._out / spool.CONTROL).write_bytes(_control(self._world, self._streams))
        # One line for each top-level key: arrays stay compact, and a difference can be read.
        lines = [
            f"{json.dumps(key)}: {json.dumps(value)}" for key, value in as_json(self._world, truth).items()
        ]
        (self._out / spool.TRUTH).write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
        return truth

    def _spam(self, sensor: Sensor, row: int) -> None:
        """Write the spam of one sensor, day by day in order of arrival."""
        traps = _addresses(sensor.name, TRAPS, self._streams)
        with spool.Mbox(self._out / spool.SENSORS / f"{sensor.name}.spam.mbox.gz") as mbox:
            for day, date in enumerate(self._world.days):
                post = Post(sensor.dialect, relay_on(sensor, date), sensor.zone, traps)
                letters: list[tuple[Letter, str, str]] = []
                for writer in self._writers:
                    name = writer.sender.name
                    count = int(self._volumes.spam[name][row, day])
                    if not count:
                        continue
                    dice = self._streams.dice("mail", name, sensor.name, date)
                    answer = name if writer.sender.captured else UNKNOWN
                    letters += [(writer.write(day, post, dice), name, answer) for _ in range(count)]
                letters.sort(key=lambda item: item[0].at)
                mbox.add([letter for letter, _, _ in letters])
                for letter, name, answer in letters:
                    self._programmes[name, letter.programme][day] += 1
                    self._note("spam", sensor.name, date.isoformat(), (name, answer), letter)

    def _ham(self, sensor: Sensor, row: int) -> None:
        """Write the legitimate mail of one sensor."""
        writer = HonestWriter(sensor, self._streams)
        readers = _addresses(sensor.name, 1, self._streams)
        with spool.Mbox(self._out / spool.SENSORS / f"{sensor.name}.ham.mbox.gz") as mbox:
            for day, date in enumerate(self._world.days):
                post = Post(sensor.dialect, relay_on(sensor, date), sensor.zone, readers)
                dice = self._streams.dice("ham", sensor.name, date)
                letters = [writer.write(date, post, dice) for _ in range(int(self._volumes.ham[row, day]))]
                letters.sort(key=lambda letter: letter.at)
                mbox.add(letters)
                for letter in letters:
                    self._note("ham", sensor.name, date.isoformat(), ("", ""), letter)

    def _lab(self, writer: SpamWriter) -> None:
        """Write what the lab's bot of one family sent."""
        name = writer.sender.name
        post = Post("sink", LAB_RELAY, LAB_ZONE, _targets(self._streams))
        with spool.Mbox(self._out / spool.LAB / f"{name}.mbox.gz") as mbox:
            for day, date in enumerate(self._world.days):
                dice = self._streams.dice("lab-mail", name, date)
                count = int(self._volumes.lab[name][day])
                letters = [writer.write(day, post, dice, lab=True) for _ in range(count)]
                letters.sort(key=lambda letter: letter.at)
                mbox.add(letters)
                for letter in letters:
                    self._note("lab", name, date.isoformat(), (name, name), letter)

    def _note(self, kind: str, place: str, day: str, sender: tuple[str, str], letter: Letter) -> None:
        """Note what one message really is."""
        programme = letter.programme or (UNKNOWN if kind != "ham" else "")
        self._rows.append(
            (
                letter.sha256,
                kind,
                place,
                day,
                *sender,
                programme,
                letter.campaign,
                letter.ip,
                letter.message_id,
            )
        )
        self._messages[kind] += 1
        self._size += len(letter.data)
        if self._on_message:
            self._on_message(len(self._rows))

    def _truth(self) -> Truth:
        """Put together what was drawn and written."""
        volumes, world = self._volumes, self._world
        return Truth(
            world=world.name,
            seed=self._streams.seed,
            scale=self._scale,
            days=world.days,
            sensors=tuple(sensor.name for sensor in world.sensors),
            expected=volumes.expected,
            spam=volumes.spam,
            programmes=self._programmes,
            programmes_expected={
                (sender.name, programme): volumes.expected[sender.name].sum(axis=0)
                * volumes.mix[sender.name][:, column]
                for sender in world.senders
                for column, programme in enumerate(sender.mix)
            },
            ham=volumes.ham,
            lab=volumes.lab,
            changes=true_changes(world),
            messages=self._messages,
            size=self._size,
        )


def _addresses(place: str, count: int, streams: Streams) -> tuple[str, ...]:
    """Make up addresses that live at a place."""
    dice: Dice = streams.dice("addresses", place)
    lefts = ("first", "last", "noun", "plant")
    found: dict[str, None] = {}
    while len(found) < count:
        local = dice.pick(WORDS[dice.pick(lefts)]).lower()
        if dice.chance(0.4):
            local = f"{local}.{dice.pick(WORDS['last']).lower()}"
        found[f"{local}@{place}.example"] = None
    return tuple(found)


def _targets(streams: Streams) -> tuple[str, ...]:
    """Make up the addresses on the lists of the lab's bots, over many domains."""
    dice = streams.dice("targets")
    domains = [f"{dice.pick(WORDS['noun'])}{dice.pick(WORDS['trade'])}" for _ in range(LAB_DOMAINS)]
    each = LAB_ADDRESSES // LAB_DOMAINS
    return tuple(
        address for domain in dict.fromkeys(domains) for address in _addresses(domain, each, streams)
    )


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    """Write rows as CSV with line feeds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _events(world: World) -> bytes:
    """Write the world's outside events."""
    return _table(
        ("date", "kind", "subject_kind", "subject", "summary", "source"),
        [
            (each.day.isoformat(), each.kind, each.subject_kind, each.subject, each.summary, each.source)
            for each in world.events
        ],
    )


def _control(world: World, streams: Streams) -> bytes:
    """Write the checks of control servers, as a list that `spamtide control` imports."""
    return _table(
        control.COLUMNS,
        [
            (each.host, str(each.port), each.family, each.at.isoformat(), "01"[each.alive], control.SOURCE)
            for each in control.looks(world, streams)
        ],
    )
