"""The numbers behind the words of `spamtide explain` about a botnet, counted in the stored mail when asked.

An update weighs mail by the million and keeps what it concludes, not what it counted on the way. So these are
counts of the mail around a campaign as it stands now, for a person to judge the words by. They are not the
weights: those stand beside the words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spamtide.attribution import MARK, REACH_WEEKS, Ruleset, rules_of
from spamtide.campaign import resolve
from spamtide.knowledge import Knowledge
from spamtide.model import UNKNOWN
from spamtide.observatory import Observatory
from spamtide.store import rollup
from spamtide.store.standing import Around

MOST_FAMILIES = 3
"""Families that are told of."""
MOST_DOMAINS = 4
"""Domains of its links that are told of."""
EPOCH = dt.date(1970, 1, 1)
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """What is explained."""

    campaign: str | None
    """Its name as it is now; None for a message without one."""
    days: tuple[dt.date, dt.date]
    """First and last."""
    families: Sequence[str]
    """Botnets that its evidence names, the most important first."""
    address: str | None = None
    """Of a message."""
    domains: Sequence[str] = ()
    """Of a message's links, where its evidence names a programme."""
    hits: Collection[str] = ()
    """A message's rules."""


def counted(observatory: Observatory, asked: Asked, ruleset: Ruleset, knowledge: Knowledge) -> dict[str, Any]:
    """Counts around a campaign, and for each family that its evidence names, the first ones.

    Args:
        observatory: the observatory.
        asked: what is explained.
        ruleset: the rules that were used.
        knowledge: resolves aliases.
    """
    first, last = ((day - EPOCH).days // _WEEK for day in asked.days)
    names = rollup.aliases(resolve(observatory.lake.read("lineage")))
    around = Around(observatory.lake, names, asked.campaign, (first - REACH_WEEKS, last + REACH_WEEKS))
    told = around.whole(asked.address, asked.domains[:MOST_DOMAINS]) | {
        "since": (EPOCH + dt.timedelta(weeks=around.weeks[0])).isoformat(),
        "until": (EPOCH + dt.timedelta(weeks=around.weeks[1] + 1, days=-1)).isoformat(),
        "families": {},
    }
    for family in asked.families[:MOST_FAMILIES]:
        engines, words = rules_of(family, ruleset, knowledge)
        faults = [
            hit for hit in asked.hits if hit not in ruleset.signatures and hit.partition(MARK)[0] in engines
        ]
        told["families"][family] = around.of_family(family, engines, words, faults)
    return told


def counted_lines(told: Mapping[str, Any]) -> list[str]:
    """The counts, for a person."""
    mine, sent = told["campaign"], told["address"]
    lines = [
        "",
        f"counted in the mail of {told['since']} to {told['until']}, the weeks that answers look at:",
    ]
    if mine["messages"]:
        where = f"on {_many(mine['days'], 'day')} from {_many(mine['addresses'], 'address')}"
        messages = _many(mine["messages"], "message")
        lines.append(f"  its campaign: {messages} of the wild {where}: {_answers(mine['answers'])}")
        if mine["programmes"].keys() != {UNKNOWN}:
            lines.append(f"    it advertises: {_answers(mine['programmes'])}")
    if sent:
        lines.append(f"  its address: {_many(sum(sent.values()), 'message')}: {_answers(sent)}")
    for domain, answers in told["domains"].items():
        lines.append(f"  links to {domain}: {_many(sum(answers.values()), 'message')}: {_answers(answers)}")
    if told["labs"]:
        lines.append(f"  labs had its campaign: {_answers(told['labs'])}")
    for family, one in told["families"].items():
        lines += [f"  {family}", *(f"    {line}" for line in _of_family(family, one))]
    return lines


def _of_family(family: str, one: Mapping[str, Any]) -> list[str]:
    """One family's counts."""
    engine, rented, lab = one["engine"], one["rented"], one["lab"]
    lines = []
    if engine["messages"]:
        where = f"in {_many(engine['campaigns'], 'campaign')} from {_many(engine['addresses'], 'address')}"
        parts = f"{engine['mine']:,} of them in this campaign, {engine['worded']:,} with its words"
        messages = _many(engine["messages"], "message")
        lines.append(f"its engine: {messages} {where}, {parts}: {_answers(engine['answers'])}")
    if rented["own"] or rented["others"]:
        lines.append(
            f"with its engine and no other family's, of all weeks: by their addresses {rented['own']:,} "
            f"are its own and {rented['others']:,} others'; of {rented['untold']:,} they do not tell"
        )
    for hit, count in one["faults"].items():
        lines.append(f"with {hit}: {_many(count['messages'], 'message')}, {count['worded']:,} with its words")
    near = [
        f"{one['near'][whose]['met']:,} of {one['near'][whose]['addresses']:,} {what}"
        for whose, what in (
            ("campaign", "of this campaign"),
            ("own", "of its own mail"),
            ("others", "of all other mail"),
        )
        if whose in one["near"]
    ]
    if "campaign" in one["near"] and "own" in one["near"]:
        lines.append(f"addresses that sent another of its campaigns within two weeks: {', '.join(near)}")
    if lab["messages"]:
        lines.append(
            f"in the lab: {_many(lab['messages'], 'message')}, {lab['same_days']:,} on days on which this "
            f"campaign came; {lab['mine']:,} of this campaign"
        )
    return lines or [f"nothing else is known of {family} in these weeks"]


def _many(count: int, noun: str) -> str:
    """'1 address', '1,200 addresses'."""
    return f"{count:,} {noun if count == 1 else noun + ('es' if noun.endswith('s') else 's')}"


def _answers(answers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in answers.items())
