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
import csv
import datetime as dt
import hashlib
import random
from dataclasses import dataclass, field
from pathlib import Path

from hostile_engines import DOMAINS, Engine, Machine, Moment, engine, helo, outlook_like, text, twin, word
from hostile_mail import Place, Text, compose, fill, honest, make_text

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
                    data, m = honest(rng, place, START, DAYS)
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
