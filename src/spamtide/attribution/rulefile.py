"""Learned rules as records, and their text: YARA-X that a person reads, edits and reviews like code."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from spamtide.wilson import wilson

AUTHOR = "learned by spamtide"


@dataclass(frozen=True, slots=True)
class Deviation:
    """Mail that a skeleton rule matches and that differs from all lab mail, perhaps not by its engine."""

    bound: Literal["engine", "template", "machine", "site"]
    """What the difference may belong to."""
    seen: int
    """Templates, machines or sites that the lab mail is from."""
    strings: tuple[tuple[str, str], ...]
    """The order, then what all lab mail had."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule before it is measured: what it looks for."""

    family: str
    layer: Literal["skeleton", "template"]
    strings: tuple[tuple[str, str], ...]
    """(identifier without '$', YARA pattern: a quoted text or a regular expression)."""
    condition: str
    sha256: tuple[str, ...]
    """The lab messages that it was learned from."""
    late: bool = False
    """Learned from the newest lab mail, so that no later lab mail could test it."""
    telling: float = 0.0
    """Of a skeleton: how many habits of one author's it holds; of an attachment's name: bits; else 0."""
    imitates: str = ""
    """Of a skeleton: the mail program that it imitates in every respect; '' for none."""
    deviations: tuple[Deviation, ...] = ()
    worth: tuple[tuple[str, float], ...] = ()
    """Of a skeleton: (string, how much of `telling` is its)."""
    words: int = 0
    """Of a template: words that a match adds up to, at least."""


@dataclass(frozen=True, slots=True)
class Near:
    """What is left of a skeleton that a message misses by one thing."""

    fault: str
    confidence: int
    """0-100, as that of a rule of what is left."""
    hits: int
    """Other families' lab mail and ham with this fault and no other."""
    n: int


@dataclass(frozen=True, slots=True)
class LearnedRule:
    """A learned rule with its measured numbers."""

    rule: str
    """Identifier."""
    draft: Draft
    confidence: int
    """0-100: expected precision, see `learning.confidence`."""
    lab_messages: int
    """Lab messages of the family that it was learned from."""
    lab_hits: int
    """Lab messages of the family that it matches, of all."""
    lab_total: int
    held_out: int
    """Lab messages of the family kept back from the learner, between the rule's first and last hit."""
    held_out_hits: int
    others: int
    """Lab messages of other families that do not share the kit."""
    other_hits: int
    ham: int
    """Other mail (ham)."""
    ham_hits: int
    unseen: int
    """Messages of other families and ham that the learner did not look at."""
    unseen_hits: int
    shared_with: tuple[str, ...] = ()
    """Families that the rule matches as well: it names none of them alone."""
    first: dt.date | None = None
    """Day of the first lab message that it matches."""
    last: dt.date | None = None
    near: tuple[Near, ...] = ()
    """Of a skeleton: the faults that it forgives."""
    missed: tuple[int, int] | None = None
    """Of a skeleton: (later lab messages of the family without a skeleton of earlier ones, of how many)."""
    valid_from: dt.date | None = None
    expires: dt.date | None = None

    @property
    def family(self) -> str:
        """The family that it was learned from."""
        return self.draft.family


def at_most(hits: int, n: int) -> float:
    """Upper end of the 95 % interval of a share of `hits` in `n`; 1 where n is 0."""
    return wilson(hits / n, n)[1] if n else 1.0


def slug(name: str) -> str:
    """A name as part of an identifier or a file name."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "family"


def quoted(text: str) -> str:
    """`text` as a YARA string, readable where it can be."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        else:
            out.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace"))
    return '"' + "".join(out) + '"'


def source(draft: Draft, rule: str, meta: Sequence[tuple[str, str | int]]) -> str:
    """One rule as YARA text."""
    return _rule_text(rule, meta, draft.strings, draft.condition)


def _rule_text(
    rule: str, meta: Sequence[tuple[str, str | int]], strings: Sequence[tuple[str, str]], condition: str
) -> str:
    width = max((len(key) for key, _ in meta), default=0)
    lines = [f"rule {rule}", "{", *(["    meta:"] if meta else [])]
    for key, value in meta:
        lines.append(f"        {key:<{width}} = {value if isinstance(value, int) else quoted(value)}")
    lines.append("    strings:")
    width = max((len(name) for name, _ in strings), default=0)
    lines.extend(f"        ${name:<{width}} = {pattern}" for name, pattern in strings)
    lines.extend(["    condition:", f"        {condition}", "}"])
    return "\n".join(lines) + "\n"


def text_of(family: str, rules: Sequence[LearnedRule]) -> str:
    """The signature file of one family."""
    head = (
        f"// Signatures of {quoted(family)}, learned from mail that its bot sent in the lab.\n"
        "// Meta says what was measured: on lab mail kept back from the learner, other families and ham.\n"
        "// Edit freely under another file name; this file is written anew by `spamtide learn`.\n"
    )
    told = [
        text for rule in rules for text in (source(rule.draft, rule.rule, _meta(rule)), *_deviations(rule))
    ]
    return "\n".join([head, *told])


def _meta(rule: LearnedRule) -> list[tuple[str, str | int]]:
    """Everything measured, as meta."""
    meta: list[tuple[str, str | int]] = [
        ("kind", "botnet"),
        ("name", rule.draft.family),
        ("layer", rule.draft.layer),
        ("confidence", rule.confidence),
        ("author", AUTHOR),
    ]
    if rule.shared_with:
        meta.append(("shared_with", "; ".join(rule.shared_with)))
    for key, day in (("valid_from", rule.valid_from), ("expires", rule.expires)):
        if day is not None:
            meta.append((key, day.isoformat()))
    if rule.first and rule.last:
        meta.append(("lab_days", f"{rule.first} to {rule.last}"))
    meta.append(("lab_messages", rule.lab_messages))
    meta.append(("lab_hits", f"{rule.lab_hits} of {rule.lab_total}"))
    if rule.draft.layer == "skeleton":
        pass  # made from all lab mail; see family_missed
    elif rule.draft.late:
        meta.append(("held_out_hits", "none: learned from the newest lab mail"))
    else:
        meta.append(("held_out_hits", f"{rule.held_out_hits} of {rule.held_out}"))
    meta.append(("other_families", f"{rule.other_hits} of {rule.others}"))
    meta.append(("ham_hits", f"{rule.ham_hits} of {rule.ham}"))
    bound = 100 * at_most(rule.unseen_hits, rule.unseen)
    meta.append(("false_hits_unseen", f"{rule.unseen_hits} of {rule.unseen}, at most {bound:.2g} %"))
    if rule.draft.imitates:
        meta.append(("imitates", rule.draft.imitates))
    if rule.missed is not None:
        meta.append(("family_missed", f"{rule.missed[0]} of {rule.missed[1]}"))
    if rule.near:
        told = [f"{one.fault} {one.confidence} % ({one.hits} of {one.n})" for one in rule.near]
        meta.append(("near", "; ".join(told)))
    return meta


def _deviations(rule: LearnedRule) -> list[str]:
    """Rules for mail that has a skeleton and not what went with it in the lab."""
    told = []
    for deviation in rule.draft.deviations:
        keys = ", ".join(f"${key}" for key, _ in deviation.strings[1:])
        condition = f"$order and not all of ({keys})"
        meta: list[tuple[str, str | int]] = [
            ("kind", "botnet"),
            ("name", rule.draft.family),
            ("layer", "skeleton"),
            ("confidence", 0),
            ("author", AUTHOR),
            ("unlike", rule.rule),
            ("unlike_lab", f"0 of {deviation.seen} {deviation.bound}s"),
        ]
        for key, day in (("valid_from", rule.valid_from), ("expires", rule.expires)):
            if day is not None:
                meta.append((key, day.isoformat()))
        text = _rule_text(f"{rule.rule}_other_{deviation.bound}", meta, deviation.strings, condition)
        told.append(text)
    return told


def renamed(rule: LearnedRule, name: str) -> LearnedRule:
    """The same rule under another identifier."""
    return replace(rule, rule=name)
