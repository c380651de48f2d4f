"""Names given to a simulated world's mail, held against who sent it and what it sells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from spamtide import pipeline
from spamtide.attribution import load_signatures
from spamtide.evaluation.scoring import Outcome, Score, score
from spamtide.model import UNKNOWN
from spamtide.observatory import Observatory
from spamtide.simulate.world import World

Truth = list[dict[str, str]]
"""Rows of truth_messages.csv.gz."""


def of_names(
    world: World, observatory: Observatory, truth: Truth, known: set[str], *, each: bool = False
) -> list[Score]:
    """The rows of one world on the names of its senders and of what they advertise.

    Args:
        world: the simulated world.
        observatory: one that holds its mail and whose `update` has run.
        truth: what each message is.
        known: campaigns that the lab showed.
        each: whether each family has rows of its own as well.
    """
    of_kit, strangers = mates(world), _strangers(world)
    answers = observatory.lake.query(
        "SELECT a.sha256, a.sensor, a.botnet, a.programme, o.label FROM attributions a JOIN observations o "
        "ON o.sha256 = a.sha256 AND o.sensor = a.sensor"
    ).to_pylist()
    said = {row["sha256"]: row["botnet"] for row in answers}
    by: dict[str, list[Outcome]] = defaultdict(list)
    for row in truth:
        got = said.get(row["sha256"], UNKNOWN)
        _sort(row, got, row["campaign"] in known, of_kit.get(row["family"], frozenset()), by)
        if row["kind"] == "spam" and row["family"] in strangers:
            by["stranger"].append(Outcome(row["campaign"], got in strangers[row["family"]]))
    table = [
        score(f"{world.name}: {what}", by[key], target)
        for key, what, target in (
            ("recall", "families with a lab, known templates: recall", ">= 95 %"),
            ("precision", "answers that name a family: precision", ">= 99 %"),
            ("new", "new templates before the lab saw them: recall", ">= 70 %"),
            ("new precision", "new templates: precision of the names given", ">= 98 %"),
            ("kit known", "of which kit mates, known templates: recall", ""),
            ("kit new", "kit mates, new templates: recall", ""),
            ("kit", "kit mates under the other tenant's name", "<= 1 %"),
            ("stranger", "tenants of a kit that no lab has, under another tenant's name", "<= 1 %"),
            ("dark", "families that no lab has, under a known name", "<= 1 %"),
            ("ham", "simulated legitimate mail with a botnet's name", "<= 0.01 %"),
        )
        if by[key] or target
    ]
    if each:
        table += _by_family(world.name, truth, said, known)
    table += _programmes(world.name, observatory, truth, {row["sha256"]: row["programme"] for row in answers})
    for kind in ("botnet", "programme"):
        real = [
            Outcome(row["sha256"], row[kind] != UNKNOWN) for row in answers if row["sensor"] == "real-ham"
        ]
        if real:
            table.append(score(f"real legitimate mail with a {kind}'s name", real, "<= 0.01 %"))
    return table


def _by_family(world: str, truth: Truth, said: Mapping[str, str], known: set[str]) -> list[Score]:
    """Recall of each family with a lab, and what of each other one went under a name."""
    found: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for row in truth:
        if row["kind"] != "spam":
            continue
        got = said.get(row["sha256"], UNKNOWN)
        if row["botnet"] == UNKNOWN:
            found["no lab has it, under a known name", row["family"]].append(
                Outcome(row["campaign"], got != UNKNOWN)
            )
        else:
            what = "known templates: recall" if row["campaign"] in known else "new templates: recall"
            found[what, row["family"]].append(Outcome(row["campaign"], got == row["family"]))
    return [score(f"{world}, {family}: {what}", found[what, family]) for what, family in sorted(found)]


def _programmes(world: str, observatory: Observatory, truth: Truth, said: Mapping[str, str]) -> list[Score]:
    """The rows on what is advertised; the brands of the worlds are in disguise now and then."""
    rules = load_signatures(pipeline.signature_folders(observatory)).signatures.values()
    known = {rule.name for rule in rules if rule.kind == "programme"}
    by: dict[str, list[Outcome]] = defaultdict(list)
    for row in truth:
        got = said.get(row["sha256"], UNKNOWN)
        unit = row["campaign"] or row["sha256"]
        if row["kind"] == "ham":
            by["ham"].append(Outcome(unit, got != UNKNOWN))
        elif row["kind"] == "spam":
            if got != UNKNOWN:
                by["precision"].append(Outcome(unit, got == row["programme"]))
            if row["programme"] in known:
                by["recall"].append(Outcome(unit, got == row["programme"]))
            else:
                by["other"].append(Outcome(unit, got != UNKNOWN))
    return [
        score(f"{world}: {what}", by[key], target)
        for key, what, target in (
            ("recall", "programmes with a rule: recall", ">= 90 %"),
            ("precision", "answers that name a programme: precision", ">= 98 %"),
            ("other", "advertisers without a rule, under a programme's name", "<= 1 %"),
            ("ham", "simulated legitimate mail with a programme's name", "<= 0.01 %"),
        )
    ]


def mates(world: World) -> dict[str, frozenset[str]]:
    """Families with a lab that rent one kit with others that have one -> those others."""
    tenants: dict[str, set[str]] = defaultdict(set)
    for sender in world.senders:
        if sender.captured:
            tenants[sender.kit].add(sender.name)
    return {name: frozenset(group - {name}) for group in tenants.values() if len(group) > 1 for name in group}


def _strangers(world: World) -> dict[str, frozenset[str]]:
    """Families that no lab has and whose kit captured families rent -> those families."""
    captured = {(sender.kit, sender.name) for sender in world.senders if sender.captured}
    found = {
        sender.name: frozenset(name for kit, name in captured if kit == sender.kit)
        for sender in world.senders
        if not sender.captured
    }
    return {name: group for name, group in found.items() if group}


def _sort(
    row: dict[str, str],
    got: str,
    known: bool,  # noqa: FBT001 - a fact of the row
    others: frozenset[str],
    by: dict[str, list[Outcome]],
) -> None:
    """Put one message where it counts."""

    def count(key: str, success: bool) -> None:  # noqa: FBT001 - an outcome
        by[key].append(Outcome(row["campaign"] or row["sha256"], success))

    if row["kind"] == "ham":
        count("ham", got != UNKNOWN)
    if row["kind"] != "spam":
        return
    if got != UNKNOWN:
        count("precision", got == row["family"])
    if row["botnet"] == UNKNOWN:
        count("dark", got != UNKNOWN)
        return
    if others:
        count("kit", got in others)
        count("kit known" if known else "kit new", got == row["family"])
    if known:
        count("recall", got == row["family"])
    elif not others:
        count("new", got == row["family"])
        if got != UNKNOWN:
            count("new precision", got == row["family"])
