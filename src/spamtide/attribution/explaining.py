"""The evidence for and against one message's answers, as lines for a person."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from spamtide.attribution.evidence import ALONE, MAX_PROBABILITY, posterior, sense_of, sums, tally
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.attribution.spoken import ENGINE_LAYERS, shared_with
from spamtide.knowledge import Knowledge
from spamtide.model import UNKNOWN, Evidence, Signature
from spamtide.settings import Attributing

DEFAULT = Attributing()
_MEASURED = ("lab_days", "lab_hits", "held_out_hits", "other_families", "ham_hits", "false_hits_unseen")
"""Meta of learned rules that say what was measured, in this order."""
KEPT = 1e-4
"""To what an answer's probability is rounded where it is kept."""
_STRENGTH = ((0.0, "against"), (1.0, "weak"), (2.2, "fair"), (float("inf"), "strong"))
"""(log-odds up to, word): fair from about 73 %, strong from 90 % by itself."""


def explain(
    row: Mapping[str, Any],
    attribution: Mapping[str, Any],
    ruleset: Ruleset,
    knowledge: Knowledge,
    *,
    attributing: Attributing = DEFAULT,
) -> tuple[str, ...]:
    """Say which rules and ties speak for and against each answer, or why it is unknown.

    Args:
        row: the message's observation, as a row of OBSERVATIONS; missing keys are left out of the text.
        attribution: its row of ATTRIBUTIONS; `evidence` may be JSON or already read.
        ruleset: the rules that were used.
        knowledge: gives what is published about the answer.
        attributing: the thresholds that were used.
    """
    evidence = attribution.get("evidence") or []
    items: Sequence[Mapping[str, Any]] = json.loads(evidence) if isinstance(evidence, str) else evidence
    lines = [f"message {row.get('sha256', attribution.get('sha256', ''))}"]
    for key, word in (("sensor", "sensor"), ("received_at", "received"), ("source_ip", "address")):
        if row.get(key):
            lines.append(f"  {word}: {row[key]}")
    if row.get("campaign"):
        lines.append(f"  campaign: {row['campaign']}")
    thresholds = {"botnet": attributing.botnet_confidence, "programme": attributing.programme_confidence}
    for kind, threshold in thresholds.items():
        name = str(attribution.get(kind) or UNKNOWN)
        own = [item for item in items if item.get("kind") == kind]
        lines.append("")
        lines.extend(_answer(kind, name, float(attribution.get(f"{kind}_confidence") or 0), own, threshold))
        heard: set[tuple[str, str]] = set()
        for item in sorted(own, key=lambda item: (-float(item["weight"]), item["name"], item["what"])):
            lines.append(_piece(item) + _again(item, heard))
            lines.extend(_numbers(item, ruleset))
        lines.extend(_addition([Evidence(**item) for item in own]))
        lines.extend(_published(name, knowledge))
    return tuple(lines)


def rules_of(family: str, ruleset: Ruleset, knowledge: Knowledge) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of the rules that look for a botnet's engine, and of those for its texts; shared ones among them.

    Args:
        family: the botnet, under any of its names.
        ruleset: the rules.
        knowledge: resolves aliases.
    """
    wanted = knowledge.canonical(family).casefold()
    own = [
        one
        for one in ruleset.signatures.values()
        if one.kind == "botnet"
        and "unlike" not in one.meta
        and wanted in {knowledge.canonical(name).casefold() for name in (one.name, *shared_with(one))}
    ]
    engines = tuple(one.rule for one in own if one.meta.get("layer") in ENGINE_LAYERS)
    return engines, tuple(one.rule for one in own if one.rule not in engines)


def _answer(
    kind: str, name: str, confidence: float, items: Sequence[Mapping[str, Any]], threshold: float
) -> list[str]:
    """The answer, or why there is none."""
    if name != UNKNOWN:
        best, probability = posterior(tally([Evidence(**item) for item in items]))
        if best == name and abs(probability - confidence) < KEPT:  # that which is not rounded
            confidence = probability
        return [f"{kind}: {name}, {confidence:.1%} sure (asked for: {threshold:.0%})"]
    if not any(float(item["weight"]) > 0 for item in items):
        return [f"{kind}: unknown; nothing that counts speaks for any"]
    scores = tally([Evidence(**item) for item in items])
    joint = [item for item in items if item.get("layer") == "joint"]
    if joint:
        return [f"{kind}: unknown; {joint[0]['name'].replace('|', ' or ')}: {joint[0]['what']}"]
    rivals = sorted(key for key, score in scores.items() if score > 0)
    best, probability = posterior(scores)
    if len(rivals) > 1:
        return [f"{kind}: unknown; the evidence is divided between {', '.join(rivals)}"]
    if best == UNKNOWN:
        return [f"{kind}: unknown; what speaks against it weighs as much as what speaks for it"]
    return [f"{kind}: unknown; {best} is {probability:.1%} likely, {threshold:.0%} is asked for"]


def _piece(item: Mapping[str, Any]) -> str:
    weight = float(item["weight"])
    word = "no weight" if weight == 0 else next(word for limit, word in _STRENGTH if weight <= limit)
    return f"  {weight:+.2f} {item['name']} ({item['layer']}, {word}): {item['what']}"


def _again(item: Mapping[str, Any], heard: set[tuple[str, str]]) -> str:
    """Whether a piece is not added, since a stronger one that is told already saw the same thing."""
    one = Evidence(**item)
    key = (one.name, sense_of(one))
    told = one.weight > 0 and key in heard
    if one.weight > 0:
        heard.add(key)
    return f" [not added: {key[1]} counts once]" if told else ""


def _addition(evidence: Sequence[Evidence]) -> list[str]:
    """How the pieces make the probability: every number that counts, so that a person can add them up."""
    if any(item.layer == "lab" for item in evidence):
        return ["  the lab's word is taken as it is; nothing is added up"]
    found = {name: one for name, one in sums(evidence).items() if one.senses or one.against}
    if not any(item.weight > 0 for item in evidence):
        return []
    lines = []
    for name, one in sorted(found.items(), key=lambda pair: (-pair[1].total, pair[0])):
        single = sum(weight > 0 for weight in one.senses.values()) == 1
        parts = [
            f"{weight:+.2f} {sense}" + (_held(sense, weight) if single else "")
            for sense, weight in one.senses.items()
        ]
        parts += [f"{one.against:+.2f} against"] if one.against else []
        worth = f"e^{one.total:.2f} = {math.exp(one.total):,.2f}" if one.total > 0 else "which is no support"
        lines.append(f"  sum {name}: {', '.join(parts)}: {one.total:+.2f}, {worth}")
    shares = [math.exp(one.total) for one in found.values() if one.total > 0]
    best, probability = posterior({name: one.total for name, one in found.items()})
    if shares:
        whole = " + ".join(["1", *(f"{share:,.2f}" for share in sorted(shares, reverse=True))])
        most = ", which is the most that is said" if probability >= MAX_PROBABILITY else ""
        lines.append(
            f"  {best}: {max(shares):,.2f} of {whole} (1 for none of these) = {probability:.1%}{most}"
        )
    return lines


def _held(sense: str, weight: float) -> str:
    """Says where a sense gives no more than it may by itself."""
    cap = ALONE.get(sense)
    return " (the most by itself)" if cap and weight >= math.log(cap / (1 - cap)) - 1e-3 else ""


def _rule(item: Mapping[str, Any], ruleset: Ruleset) -> Signature | None:
    words = str(item["what"]).replace(",", " ").split()
    return ruleset.signatures.get(words[1]) if len(words) > 1 and words[0] == "rule" else None


def _numbers(item: Mapping[str, Any], ruleset: Ruleset) -> list[str]:
    """What is known of a rule: its place, its author's confidence, and what was measured."""
    signature = _rule(item, ruleset)
    if signature is None:
        return []
    dates = " to ".join(str(day) if day else "..." for day in (signature.valid_from, signature.expires))
    lines = [
        f"        {signature.file}:{signature.line}, confidence {signature.confidence} %, counts {dates}"
    ]
    measured = [
        f"{key.replace('_', ' ')} {signature.meta[key]}" for key in _MEASURED if key in signature.meta
    ]
    if measured:
        lines.append(f"        measured: {'; '.join(measured)}")
    if signature.reference:
        lines.append(f"        see {signature.reference}")
    return lines


def _published(name: str, knowledge: Knowledge) -> list[str]:
    """What is published about an answer: its other names."""
    entity = knowledge.find(name)
    if entity is None or not entity.aliases:
        return []
    return [f"  also called {', '.join(alias.alias for alias in entity.aliases)} ({entity.source})"]
