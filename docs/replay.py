# ruff: noqa: E501 - rows of a table, and addresses
"""Make the pages of docs/replays/: what labs published beside what Spamtide says of a world made after it.

    python docs/replay.py WORLD DIR      DIR: what `spamtide demo DIR --world WORLD` made

The pages are made by hand of this command, not in CI: each world takes about a minute.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from spamtide.inquiry import reading
from spamtide.observatory import open_observatory
from spamtide.simulate import WORLDS

PAGES = Path(__file__).resolve().parent / "replays"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was published, and the claims to set beside it."""

    published: str
    source: str
    until: str
    """Last day of the four weeks whose bulletin is asked."""
    claims: tuple[tuple[str, str], ...]
    """(kind, subject) of each claim."""


SEED_POST = "http://labs.m86security.com/2010/10/spam-volumes-drop-after-spamit-shakeup/"
SOFTPEDIA = "http://news.softpedia.com/news/Rustock-Back-to-Spamming-in-Force-177368.shtml"
TECHMONITOR = "https://techmonitor.ai/technology/software/rustock-botnet-emails-1382bn-spams-daily-in-march-symantec-310311"

REPLAYS: dict[str, tuple[Row, ...]] = {
    "autumn-2010": (
        Row(
            "All spam fell two weeks in a row (M86).", SEED_POST, "2010-10-14",
            (("level", "total"), ("decomposition", "total"), ("decline", "total")),
        ),
        Row(
            "Rustock began to fall about 20 September and was negligible by the 23rd (M86).", SEED_POST,
            "2010-10-14", (("decline", "rustock"), ("cease", "rustock")),
        ),
        Row(
            "Its control servers were up, its bot in the lab went on, a few customers still got a trickle (M86).",
            SEED_POST, "2010-10-14", (("status", "rustock"),),
        ),
        Row("Pushdo and Grum went quiet, too (M86).", SEED_POST, "2010-10-14",
            (("decline", "grum"), ("cease", "grum"), ("decline", "cutwail"), ("cease", "cutwail"))),
        Row("SpamIt, behind Canadian Pharmacy, gave notice about 25 September (M86).", SEED_POST, "2010-10-14",
            (("advertised", "rustock"), ("event", "rustock"), ("nearby", "rustock"))),
        Row("Xarvester moved to Ultimate Replicas (a secondary source, medium confidence).",
            "http://www.infosecurity-magazine.com/view/13239/spam-volumes-are-dropping-at-last/",
            "2010-10-14", (("switch", "xarvester"),)),
        Row("Nobody knew how long it would last (M86).", SEED_POST, "2010-10-14", (("outlook", "rustock"),)),
    ),
    "mccolo-2008": (
        Row(
            "Spam fell by 41 % (IronPort, by the hour), 65 % (UAB, three days against thirty), 70 to 80 % (Postini).",
            "https://www.circleid.com/posts/spam_volumes_dropped_two_thirds/", "2008-11-20",
            (("level", "total"), ("decline", "total"), ("effect", "srizbi")),
        ),
        Row(
            "McColo lost its transit on 11 November; Srizbi, Rustock and Mega-D were run from there (CBL).",
            "https://www.circleid.com/posts/spam_volumes_dropped_two_thirds/", "2008-11-20",
            (("cease", "srizbi"), ("decline", "rustock"), ("cease", "rustock"), ("decline", "mega-d"),
             ("cease", "mega-d"), ("event", "srizbi"), ("nearby", "srizbi")),
        ),
        Row(
            "Rustock was back on 25 November (Sophos).",
            "https://nakedsecurity.sophos.com/2008/11/26/spam-is-up-by-200-rustock-botnet-revival-to-blame/",
            "2008-12-10", (("resume", "rustock"),),
        ),
        Row(
            "Mega-D re-established itself about three weeks after McColo (Marshal8e6, 8 December).",
            "http://www.net-security.org/secworld.php?id=6817", "2008-12-14", (("resume", "mega-d"),),
        ),
        Row(
            "The seven-day mean was back at its former level on 23 March 2009 (Postini).",
            "https://www.cnet.com/tech/services-and-software/postini-spam-up-again-following-mccolo-takedown/",
            "2009-03-29", (("level", "total"), ("status", "srizbi")),
        ),
    ),
    "rustock-pause-2010": (
        Row("Rustock all but stopped on 25 December (Symantec).",
            "https://news.hitb.org/index.php/content/spam-drops-rustock-other-botnets-go-quiet", "2011-01-06",
            (("decline", "rustock"), ("cease", "rustock"), ("status", "rustock"))),
        Row("Lethic was silent from 28 December, Xarvester from 31 December (Symantec).",
            "https://www.itbusiness.ca/news/spam-levels-rebound-as-rustock-awakes/14331", "2011-01-06",
            (("decline", "lethic"), ("cease", "lethic"), ("decline", "xarvester"), ("cease", "xarvester"))),
        Row("All spam was down by more than half (Symantec).",
            "https://www.theregister.com/2011/01/06/spam_volumes_shrink/", "2011-01-06",
            (("level", "total"), ("decomposition", "total"))),
        Row("Rustock was back on 10 January; volume nearly doubled within ten hours (Symantec).", SOFTPEDIA,
            "2011-01-16", (("resume", "rustock"), ("resume", "lethic"), ("resume", "xarvester"), ("level", "total"))),
        Row("It now carried Pharmacy Express (Symantec, MessageLabs).", SOFTPEDIA, "2011-02-06",
            (("switch", "rustock"),)),
    ),
    "rustock-takedown-2011": (
        Row("Rustock's control servers were seized on 16 March at about 14:45 GMT, and its mail stopped (CBL).",
            "https://reallyducksoup.blogspot.com/2011/03/rustock-botnet-flatlined.html", "2011-03-24",
            (("cease", "rustock"), ("decline", "rustock"), ("event", "rustock"))),
        Row("From 52 to 33 billion messages a day within a week, about a third less (MessageLabs).", TECHMONITOR,
            "2011-03-24", (("level", "total"), ("decomposition", "total"), ("decline", "total"))),
        Row("The month as a whole was only about 2 % lower: others filled in, Bagle most (MessageLabs).",
            TECHMONITOR, "2011-04-12", (("effect", "rustock"), ("rise", "bagle"), ("level", "total"))),
        Row("A week later nothing of Rustock had returned (SophosLabs).",
            "https://nakedsecurity.sophos.com/2011/03/24/one-week-later-rustock-and-pharmacy-express-still-flatlined/",
            "2011-03-24", (("status", "rustock"), ("outlook", "rustock"))),
    ),
    "necurs-2017": (
        Row("A last run on 20 December 2016, silence in the days after; about half of all spam (Sophos, Kaspersky).",
            "https://usa.kaspersky.com/about/press-releases/2017_5000-fold-decrease-in-spam-botnet-mailings",
            "2017-01-12", (("cease", "necurs"), ("decline", "necurs"), ("level", "total"), ("status", "necurs"))),
        Row("It was back on 20 March 2017 with penny-stock spam (Talos, Symantec).",
            "https://blogs.cisco.com/security/talos/necurs-diversifies-its-portfolio", "2017-04-02",
            (("resume", "necurs"), ("level", "total"))),
    ),
}  # fmt: skip


def main() -> None:
    """Write the page of one world."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("world", choices=sorted(REPLAYS))
    asked.add_argument("directory", type=Path)
    options = asked.parse_args()
    PAGES.mkdir(exist_ok=True)
    page = PAGES / f"{options.world}.md"
    page.write_text("\n".join(lines(options.world, options.directory)) + "\n", encoding="utf-8")
    print(f"{page.name} written", flush=True)
    os._exit(0)  # native threads now and then abort an ordinary exit


def lines(world: str, directory: Path) -> Iterator[str]:
    """The page's lines."""
    made = WORLDS[world]
    story = (import_module(module_of(world)).__doc__ or "").split("\n\n", 1)
    yield f"# {made.title}"
    yield ""
    yield f"Made by `spamtide demo DIR --world {world}` and `python docs/replay.py {world} DIR`."
    yield "**Everything that Spamtide says here is about simulated mail** of a world made after the record."
    yield ""
    yield " ".join(story[1].split()) if len(story) > 1 else ""
    yield ""
    yield "| published | Spamtide, in the bulletin of the four weeks to the day named |"
    yield "|---|---|"
    said = {row.until: claims(directory, row.until) for row in REPLAYS[world]}
    for row in REPLAYS[world]:
        told = [
            claim["sentence"] for claim in said[row.until] if (claim["kind"], claim["subject"]) in row.claims
        ]
        answer = "<br>".join(each.replace("|", "\\|") for each in told) or "nothing"
        yield f"| {row.published} [source]({row.source}) | {row.until}: {answer} |"
    yield ""
    yield "## What was true in the world, and what was found"
    yield ""
    yield "| true | onset | end | found | onset | end | inside both intervals |"
    yield "|---|---|---|---|---|---|---|"
    yield from held(directory)


def module_of(world: str) -> str:
    """Where the world is written down."""
    return f"spamtide.simulate.worlds.{world.replace('-', '_')}"


def claims(directory: Path, until: str) -> list[dict[str, str]]:
    """Claims of the four weeks that end on a day."""
    last = dt.date.fromisoformat(until)
    observatory = open_observatory(directory / "observatory")
    text = reading.bulletin(observatory, str(last - dt.timedelta(days=27)), until, "json")
    found: list[dict[str, str]] = json.loads(text)["claims"]
    return found


ALIKE = {"cease": "down", "decline": "down", "rise": "up", "resume": "up", "new": "up"}
NEAR_DAYS = 10


def held(directory: Path) -> Iterator[str]:
    """Each true change of a botnet or of the total beside the change that was found for it."""
    truth = json.loads((directory / "world" / "truth.json").read_text(encoding="utf-8"))
    found = open_observatory(directory / "observatory").lake.read("changes").to_pylist()
    for true in truth["changes"]:
        if true["subject_kind"] not in {"botnet", "total"}:
            continue
        onset = dt.date.fromisoformat(true["onset"])
        end = dt.date.fromisoformat(true["end"]) if true["end"] else None
        near = [
            each
            for each in found
            if (each["subject_kind"], each["subject"]) == (true["subject_kind"], true["subject"])
            and ALIKE.get(each["kind"], each["kind"]) == ALIKE.get(true["kind"], true["kind"])
            and abs((each["onset"] - onset).days) <= NEAR_DAYS
        ]
        name = f"{true['kind']} of {true['subject']}"
        if not near:
            yield f"| {name} | {onset} | {end or ''} | not found | | | |"
            continue
        best = min(near, key=lambda each: abs((each["onset"] - onset).days))
        inside = best["onset_low"] <= onset <= best["onset_high"]
        if end and best["end"] and best["kind"] not in {"surge", "switch"}:
            inside = inside and best["end_low"] <= end <= best["end_high"]
        ended = f"{best['end']} [{best['end_low']}, {best['end_high']}]" if best["end"] else ""
        began = f"{best['onset']} [{best['onset_low']}, {best['onset_high']}]"
        verdict = "yes" if inside else "**no**"
        yield f"| {name} | {onset} | {end or ''} | {best['kind']} | {began} | {ended} | {verdict} |"


if __name__ == "__main__":
    main()
