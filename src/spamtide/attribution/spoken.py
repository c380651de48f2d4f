"""What the rules say of a message by themselves, on the day it was received."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from spamtide.attribution.evidence import odds_of, posterior, tally
from spamtide.attribution.signature.guarded import forgiven
from spamtide.attribution.signature.near import MARK
from spamtide.attribution.signature.passing import PASSING
from spamtide.attribution.signature.quoted import QUOTED
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.knowledge import Knowledge
from spamtide.model import Evidence, Signature

Kind = Literal["botnet", "programme"]

LAYERS: Mapping[Kind, str] = {"botnet": "template", "programme": "brand"}
"""Layer of a rule whose meta names none."""
ENGINE_LAYERS = frozenset({"skeleton", "dialect"})
"""Layers that see the mail engine; families may rent the same one."""

TEXT_LAYERS = frozenset({"template", "campaign"})
"""Layers that see the text."""
MOST_AGAINST = 4.0
"""Log-odds that the absence takes away at most. Programmes hand the same text to many senders, so that
words alone do not hold out against another engine."""
KIT = 0.2
"""Log-odds that a kit of several families gives each of them: it is theirs or a tenant's that no lab has,
one as likely as the other, so that nobody is named because the others are ruled out."""
RENTED = 1.0
"""Log-odds that an engine loses by itself where it is used in another way than in all lab mail: kits are
rented, and tenants set them differently."""
ALTERED = 0.03
"""Share of a botnet's mail that differs from all of its lab mail in one thing: what relays, gateways and
lists do on the way, and what an engine takes from its machine. Believed, not measured: no lab sees it."""
TEMPLATE = "template"
"""What a deviation is bound to that another user of the engine sets for all of its mail."""
RIVAL = 0.5
"""Share of the best botnet's log-odds from which another's engine speaks for it as much."""
SURE_ENGINE = 2.0
"""Log-odds that an engine gives from which words that the message quotes count: people whose own mail program
an engine imitates pass on its spam."""
MENTIONED = 0.4
"""Log-odds of a brand that a list's letter mentions in passing (60 %): with the domain of its links, or its
campaign's word, it may be advertised all the same."""
EVEN = 0.5
"""A p-value above this does not speak against anything."""


@dataclass(frozen=True, slots=True)
class Names:
    """The answers that rules and lab can give, by kind, spelt as they will be shown."""

    botnet: tuple[str, ...]
    programme: tuple[str, ...]
    spelling: Mapping[tuple[Kind, str], str]
    """(kind, name as a rule or the lab writes it) -> the name to use."""
    skeletons: tuple[Signature, ...] = ()
    """Rules whose absence says something."""
    captured: frozenset[str] = frozenset()
    """Botnets that labs have mail of."""

    def of(self, kind: Kind) -> tuple[str, ...]:
        """The names of one kind, sorted."""
        return self.botnet if kind == "botnet" else self.programme


@dataclass(frozen=True, slots=True)
class Spoken:
    """Evidence of one set of hits at one time."""

    evidence: Mapping[Kind, tuple[Evidence, ...]]
    absent: Mapping[str, Evidence]
    """Botnet -> what the absence of its skeletons takes away from it."""
    near: Mapping[str, Evidence]
    """The same where they are there but for one thing, for a botnet that words speak for."""
    leaning: str | None
    """The botnet that only its engine speaks for, if the rules name one."""
    faults: tuple[str, ...] = ()
    """The hits that say so, where it has no other skeleton."""
    candidates: tuple[str, ...] = ()
    """Botnets whose addresses are to be asked: those that the engine speaks for, first the one that words too
    speak for."""
    unlike: tuple[str, ...] = ()
    """The hits that say that the engine is used as in none of the lab's templates."""
    quoted: frozenset[str] = frozenset()
    """Botnets of which only words that the message quotes are there: its text and links are another's."""


def answer_names(
    ruleset: Ruleset, knowledge: Knowledge, families: Iterable[str], programmes: Iterable[str] = ()
) -> Names:
    """Collect the names. Aliases are resolved; a family is spelt as its lab spells it.

    Args:
        ruleset: the rules.
        knowledge: resolves aliases.
        families: families that labs have mail of.
        programmes: programmes that are named by other means than rules.
    """
    families = sorted(families, reverse=True)
    lab = {knowledge.canonical(name).casefold(): name for name in families}
    written: dict[Kind, set[str]] = {"botnet": set(families), "programme": set(programmes)}
    for signature in ruleset.signatures.values():
        written[signature.kind].update({signature.name, *shared_with(signature)})
    spelling: dict[tuple[Kind, str], str] = {}
    chosen: dict[Kind, tuple[str, ...]] = {}
    for kind, names in written.items():
        first: dict[str, str] = {}
        for name in sorted(names):
            use = knowledge.canonical(name)
            use = lab.get(use.casefold(), use) if kind == "botnet" else use
            spelling[kind, name] = first.setdefault(use.casefold(), use)
        chosen[kind] = tuple(sorted(first.values()))
    skeletons = tuple(s for s in ruleset.signatures.values() if "family_missed" in s.meta)
    captured = frozenset(spelling["botnet", name] for name in families)
    return Names(chosen["botnet"], chosen["programme"], spelling, skeletons, captured)


def shared_with(signature: Signature) -> tuple[str, ...]:
    """Other families that a rule speaks for as much as for its own."""
    return tuple(name.strip() for name in signature.meta.get("shared_with", "").split(";") if name.strip())


def borders(ruleset: Ruleset) -> list[dt.date]:
    """Days on which some rule begins or ceases to count, in order."""
    days = set()
    for signature in ruleset.signatures.values():
        if signature.valid_from:
            days.add(signature.valid_from)
        if signature.expires:
            days.add(signature.expires + dt.timedelta(days=1))
    return sorted(days)


def in_force(signature: Signature, day: dt.date | None) -> bool:
    """Whether a rule counts for mail of `day`; of an unknown day, every rule does."""
    if day is None:
        return True
    return not (
        (signature.valid_from and day < signature.valid_from)
        or (signature.expires and day > signature.expires)
    )


def speak(
    hits: Sequence[str],
    day: dt.date | None,
    ruleset: Ruleset,
    names: Names,
    more: Sequence[Evidence] = (),
) -> Spoken:
    """Weigh the hits of one message.

    Args:
        hits: rule ids; those that the rule set does not know say nothing.
        day: day of reception, None when unknown.
        ruleset: the rules.
        names: from `answer_names`.
        more: evidence that comes with the message as rules' does: what a saved landing page says.
    """
    found: dict[Kind, list[Evidence]] = {"botnet": [], "programme": []}
    against: list[Evidence] = []
    near: dict[str, Evidence] = {}
    unlike: list[str] = []
    for rule in sorted(set(hits)):
        signature = ruleset.signatures.get(rule)
        if signature is None:
            _forgive(near, rule, day, ruleset, names)
            continue
        if "unlike" in signature.meta:
            item = _unlike(signature, hits, names) if in_force(signature, day) else None
            against.extend([item] if item else [])
            unlike.extend([rule] if item and bound_of(signature) == TEMPLATE else [])
        else:
            found[signature.kind].extend(_evidence(signature, day, names))
    worded = {item.name for item in found["botnet"] if item.weight > 0 and item.layer not in ENGINE_LAYERS}
    sent_by = {
        item.name for item in found["botnet"] if item.weight >= SURE_ENGINE and item.layer in ENGINE_LAYERS
    }
    said = _marked(QUOTED, hits, day, ruleset, names)
    found["botnet"] += [item if item.name in sent_by else _said_by_another(item) for item in said]
    found["programme"] += [_in_passing(item) for item in _marked(PASSING, hits, day, ruleset, names)]
    for item in more:
        found[item.kind].append(item)
    kept: dict[Kind, tuple[Evidence, ...]] = {kind: _strongest(items) for kind, items in found.items()}
    counting = [item for item in kept["botnet"] if item.weight > 0]
    kept["botnet"] = (*kept["botnet"], *_deviating(against))
    users = {item.name for item in counting if item.layer in ENGINE_LAYERS}
    absent = _absent(day, names, _engines(hits, day, ruleset, names))
    near = {} if users else {name: item for name, item in near.items() if name in absent}
    speaking = {item.name: absent.get(item.name) for item in counting}
    speaking |= {item.name: near[item.name] for item in counting if item.name in near and forgives([item])}
    # Texts are handed to many senders: words that come with another engine speak for their family in vain.
    scores = tally([*counting, *(item for item in speaking.values() if item)])
    best, _ = posterior(scores)
    rivals = _of_engine_alone(best, scores, counting)
    faults = tuple(sorted(rule for rule in set(hits) if MARK in rule)) if near else ()
    return Spoken(
        kept,
        absent,
        near,
        leaning=best if len(rivals) == 1 else None,
        faults=faults,
        candidates=tuple(rivals or _asked(best, users | set(near), near)),
        unlike=tuple(unlike),
        quoted=frozenset(item.name for item in said) - worded - sent_by,
    )


def _marked(
    mark: str, hits: Iterable[str], day: dt.date | None, ruleset: Ruleset, names: Names
) -> list[Evidence]:
    """What rules say that match only what the message quotes, or mentions in passing, as if it were said."""
    rules = sorted({hit.removesuffix(mark) for hit in hits if hit.endswith(mark)})
    signatures = [ruleset.signatures[rule] for rule in rules if rule in ruleset.signatures]
    return [item for signature in signatures for item in _evidence(signature, day, names)]


def _said_by_another(item: Evidence) -> Evidence:
    """What words of another say: nothing, unless the engine is surely there, as spam quotes letters, too."""
    return replace(item, weight=0.0, what=f"{item.what}, but only words that the message quotes")


def _in_passing(item: Evidence) -> Evidence:
    """What a brand says that is mentioned once in the running prose of a list's letter: little."""
    what = f"{item.what}, but only once in the running prose of a mailing list's letter"
    return replace(item, weight=min(item.weight, MENTIONED), what=what)


def _of_engine_alone(best: str, scores: Mapping[str, float], counting: Sequence[Evidence]) -> list[str]:
    """Botnets that their engine speaks for about as much as for the best, if nothing else speaks for that."""
    own = [item.layer in ENGINE_LAYERS for item in counting if item.name == best]
    if scores.get(best, 0.0) <= 0 or not all(own):
        return []
    return [name for name in sorted(scores) if scores[name] >= RIVAL * scores[best]]


def _asked(best: str, users: Collection[str], near: Collection[str]) -> list[str]:
    """Botnets whose addresses are to be asked where words speak for the best; `users` have the engine."""
    # A text of one tenant may be another's as well: programmes hand them to many.
    return [best, *sorted(set(users) - {best})] if best in users else sorted(near)


def _forgive(
    near: dict[str, Evidence], hit: str, day: dt.date | None, ruleset: Ruleset, names: Names
) -> None:
    """Add what a skeleton that matches but for one thing takes away from its families; the least of each.

    Without it, that they have no such skeleton would be taken away; with all of it, it would be given.
    """
    rule, _, fault = hit.rpartition(MARK)
    signature = ruleset.signatures.get(rule)
    left = forgiven(signature.meta.get("near", "")).get(fault) if signature else None
    if signature is None or left is None or not in_force(signature, day):
        return
    sure, hits, n = left
    weight = min(0.0, odds_of(sure / 100) + math.log(ALTERED))
    what = f"rule {rule} but for its {fault}, as {hits} of {n} other messages ({sure} % without)"
    for written in (signature.name, *shared_with(signature)):
        name = names.spelling["botnet", written]
        if name not in near or near[name].weight < weight:
            near[name] = Evidence("skeleton", "botnet", name, max(-MOST_AGAINST, weight), what)


def forgives(found: Iterable[Evidence]) -> bool:
    """Whether a text speaks: an engine that differs in one thing may be another's, or a new one."""
    return any(item.weight > 0 and item.layer in TEXT_LAYERS for item in found)


def _evidence(signature: Signature, day: dt.date | None, names: Names) -> list[Evidence]:
    """What one rule says: for its own name, and for each family that shares it."""
    kind = signature.kind
    layer = signature.meta.get("layer", LAYERS[kind])
    own = names.spelling[kind, signature.name]
    if not in_force(signature, day):
        span = f"{signature.valid_from or ''} to {signature.expires or ''}".strip()
        return [Evidence(layer, kind, own, 0.0, f"rule {signature.rule} matches, but is in force {span}")]
    weight = odds_of(signature.confidence / 100)
    shared = shared_with(signature)
    said = f"rule {signature.rule}" + (f", shared with {', '.join(shared)}" if shared else "")
    if weight == 0:
        said += f", too unsure to count ({signature.confidence} %)"
    if shared and layer in ENGINE_LAYERS:
        weight = min(weight, KIT)
    also = [names.spelling[kind, name] for name in shared]
    return [Evidence(layer, kind, name, weight, said) for name in dict.fromkeys([own, *also])]


def _strongest(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The strongest piece for each answer and layer: rules of one layer see the same thing."""
    best: dict[tuple[str, str], Evidence] = {}
    for item in items:
        key = (item.name, item.layer)
        if key not in best or item.weight > best[key].weight:
            best[key] = item
    return tuple(best[key] for key in sorted(best))


def _engines(hits: Iterable[str], day: dt.date | None, ruleset: Ruleset, names: Names) -> set[str]:
    """Botnets of which some skeleton is there, be it too vague to name anybody."""
    found = set()
    for signature in (ruleset.signatures[hit] for hit in set(hits) if hit in ruleset.signatures):
        skeleton = signature.meta.get("layer") == "skeleton" and "unlike" not in signature.meta
        if skeleton and in_force(signature, day):
            found |= {names.spelling[signature.kind, n] for n in (signature.name, *shared_with(signature))}
    return found


def _deviating(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Deviations of one message: for each answer the strongest, for they may have one cause."""
    best: dict[str, Evidence] = {}
    for item in items:
        if item.name not in best or item.weight < best[item.name].weight:
            best[item.name] = item
    return tuple(best[name] for name in sorted(best))


def _absent(day: dt.date | None, names: Names, present: set[str]) -> dict[str, Evidence]:
    """What speaks against each family whose later lab mail nearly always had a skeleton of its earlier."""
    found: dict[str, Evidence] = {}
    for signature in names.skeletons:
        missed = _share(signature.meta.get("family_missed"))
        name = names.spelling[signature.kind, signature.name]
        if missed is None or name in present or not in_force(signature, day):
            continue
        p = (missed[0] + 1) / (missed[1] + 1)
        if p <= EVEN:
            what = (
                f"has none of its skeletons, as {missed[0]} of {missed[1]} later lab messages (p = {p:.2g})"
            )
            found[name] = Evidence("skeleton", "botnet", name, max(-MOST_AGAINST, math.log(p)), what)
    return found


def bound_of(signature: Signature) -> str:
    """What all lab mail may have had in common by chance, for a rule of what it never was."""
    return signature.rule.rpartition("_")[2]


def _unlike(signature: Signature, hits: Collection[str], names: Names) -> Evidence | None:
    """What a deviation from all lab mail takes away, where the skeleton that it belongs to is there."""
    of = signature.meta["unlike"]
    seen = _share(signature.meta.get("unlike_lab"))
    if of not in hits or seen is None:
        return None
    p = (seen[0] + 1) / (seen[1] + 1)
    bound = bound_of(signature)
    what = f"rule {signature.rule}: unlike all of its lab mail, from {seen[1]} {bound}s (p = {p:.2g})"
    name = names.spelling[signature.kind, signature.name]
    weight = math.log(p / EVEN) - (RENTED if bound == TEMPLATE else 0.0)
    if weight >= 0:
        return None
    return Evidence("skeleton", signature.kind, name, max(-MOST_AGAINST, weight), what)


_SHARE = re.compile(r"(\d+) of (\d+)")


def _share(text: str | None) -> tuple[int, int] | None:
    """The two numbers of 'a of b'; None where there are none."""
    match = _SHARE.match(text or "")
    return (int(match[1]), int(match[2])) if match else None
