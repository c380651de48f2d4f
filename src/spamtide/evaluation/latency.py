"""How soon a new template is known: `learn` and `update` are repeated while the lab's mail comes in.

All mail of the wild lies there from the start; the lab's is ingested in the order in which it was caught, in
steps. After each step, for each template of the lab: is the wild mail with it given its family's name?
"""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spamtide import pipeline
from spamtide.evaluation.scoring import Outcome, Score, score
from spamtide.ingest import Source, ingest
from spamtide.observatory import Observatory
from spamtide.simulate import mail_of

STEP = 50
"""Lab messages, of all families, between two times of learning."""
WITHIN = (0, 50, 100, 200)
"""Lab messages after the first sighting for which a row is made; the last is the bound that is asked for."""
KNOWN = 0.95
"""Share of a template's wild messages from which it counts as attributed."""

_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One template of a family in the lab."""

    campaign: str
    family: str
    first: int
    """Lab messages before its first one."""
    wild: int
    """Wild messages with it."""
    right: Mapping[int, int]
    """Lab messages that were learned from -> wild messages with it that were given the family's name."""

    def at(self, place: int) -> int:
        """Rightly named wild messages at the last time of learning up to so many lab messages."""
        return self.right[max((count for count in self.right if count <= place), default=min(self.right))]


def latency(
    observatory: Observatory,
    world: Path,
    truth: Sequence[Mapping[str, str]],
    say: Callable[[str], None],
) -> list[Sighting]:
    """Let a simulated world's lab mail come in step by step, and say what was known when.

    Templates that are there in the first step are left out: they are not new, their families are.

    Args:
        observatory: an empty one.
        world: folder that `simulate` filled.
        truth: rows of its truth_messages.csv.gz.
        say: called with a line for a person as the work goes on.
    """
    mail = mail_of(world)
    ingest(observatory, Source(mail.spam, label="spam"))
    ingest(observatory, Source(mail.ham, label="ham"))
    caught = sorted(
        (when, message, family)
        for family, path in mail.lab.items()
        for when, message in messages_of(gzip.decompress(path.read_bytes()))
    )
    steps: dict[int, Counter[str]] = {}
    at = 0
    while at < len(caught):
        for family in sorted({name for _, _, name in caught[at : at + STEP]}):
            part = world / f"step-{at}-{family}.mbox"
            part.write_bytes(b"".join(m for _, m, name in caught[at : at + STEP] if name == family))
            ingest(observatory, Source((str(part),), sensor="lab", lab=family))
        at = min(at + STEP, len(caught))
        list(pipeline.learn_signatures(observatory, ()))
        pipeline.update(observatory)
        steps[at] = _right(observatory, truth)
        say(f"learned from {at:,} of {len(caught):,} lab messages")
    return _sightings(_order(observatory), truth, steps)


def messages_of(mbox: bytes) -> Iterator[tuple[dt.datetime, bytes]]:
    """Messages of an mbox, From_ lines and all, with the time of that line."""
    starts = [found.start() for found in _FROM_LINE.finditer(mbox)]
    for start, end in zip(starts, [*starts[1:], len(mbox)], strict=True):
        line = mbox[start : mbox.index(b"\n", start)].decode("ascii", "replace")
        when = dt.datetime.strptime(" ".join(line.split()[-5:]), "%a %b %d %H:%M:%S %Y").replace(
            tzinfo=dt.UTC
        )
        yield when, mbox[start:end]


def _order(observatory: Observatory) -> list[str]:
    """SHA-256 of the lab's mail as it was caught."""
    rows = observatory.lake.query(
        "SELECT DISTINCT sha256, received_at FROM observations WHERE lab IS NOT NULL "
        "ORDER BY received_at, sha256"
    )
    return [str(one) for one in rows["sha256"].to_pylist()]


def _right(observatory: Observatory, truth: Sequence[Mapping[str, str]]) -> Counter[str]:
    """Campaign -> wild messages that have its family's name."""
    rows = observatory.lake.query("SELECT DISTINCT sha256, botnet FROM attributions").to_pylist()
    said = {row["sha256"]: row["botnet"] for row in rows}
    return Counter(
        row["campaign"] for row in truth if row["kind"] == "spam" and said.get(row["sha256"]) == row["family"]
    )


def _sightings(
    order: Sequence[str], truth: Sequence[Mapping[str, str]], steps: Mapping[int, Counter[str]]
) -> list[Sighting]:
    """New templates, by first sighting."""
    lab = {row["sha256"]: (row["campaign"], row["family"]) for row in truth if row["kind"] == "lab"}
    wild = Counter(row["campaign"] for row in truth if row["kind"] == "spam")
    first: dict[tuple[str, str], int] = {}
    for place, sha256 in enumerate(order):
        first.setdefault(lab[sha256], place)
    return [
        Sighting(name, family, place, wild[name], {count: right[name] for count, right in steps.items()})
        for (name, family), place in first.items()
        if place >= STEP and wild[name]
    ]


def rows(
    world: str, sightings: Sequence[Sighting], lab: int, mates: Collection[str] = frozenset()
) -> list[Score]:
    """Rows of the accuracy table: what part of new templates' wild mail is named so many lab messages later.

    A template counts in a row if the lab goes on for so long after its first sighting.

    Args:
        world: name for the rows.
        sightings: what `latency` gave.
        lab: lab messages in all.
        mates: families that rent a kit together; they get rows of their own as well.
    """
    table = []
    for after in WITHIN:
        seen = [one for one in sightings if lab - one.first >= after]
        when = f"{after} lab messages after their first" if after else "before the lab saw them"
        target = ">= 95 %" if after == WITHIN[-1] else ""
        table.append(
            score(f"{world}: messages of new templates named, {when}", _messages(seen, after), target)
        )
    alone = [one for one in seen if one.family not in mates]
    table.append(score(f"{world}: the same without kit mates", _messages(alone, WITHIN[-1])))
    whole = [Outcome(one.campaign, one.at(one.first + WITHIN[-1]) >= KNOWN * one.wild) for one in seen]
    what = f"{world}: new templates with {KNOWN:.0%} of their messages named, {WITHIN[-1]} lab messages after"
    table.append(score(what, whole))
    return table


def _messages(sightings: Sequence[Sighting], after: int) -> list[Outcome]:
    """One outcome a wild message, so many lab messages after its template was first seen."""
    return [
        Outcome(one.campaign, place < one.at(one.first + after))
        for one in sightings
        for place in range(one.wild)
    ]
