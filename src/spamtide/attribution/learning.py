"""Learn signatures from mail that bots sent in the lab, and measure them on mail that was kept back.

Each family's lab mail is ordered by time: rules are made from the first part and measured on the rest, on
the other families and on ham. What is new in the last part gets rules as well (a bot that turned to a new
template yesterday is the normal case), marked as not measured on later mail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from spamtide.attribution.evidence import odds_of, posterior, tally
from spamtide.attribution.lab import Family, Mail, evenly, half, read_families, read_mail
from spamtide.attribution.measuring import PRIOR, measure_draft, scan_drafts, with_coverage
from spamtide.attribution.rulefile import Draft, LearnedRule, at_least, at_most, renamed, slug, text_of
from spamtide.attribution.skeleton import skeleton_drafts
from spamtide.attribution.template import ROUNDS, allowed_windows, template_drafts
from spamtide.model import Evidence

MAX_LEARN = 1500
"""Most messages of a family that make rules; more are measured."""
MAX_NEGATIVES = 4000
"""Ham messages that anchors are checked against while they are chosen; all are measured."""
MAX_NEGATIVES_FAMILY = 500
"""The same for each other family."""

MIN_CONFIDENCE = 75
"""A less sure rule is not written."""
NOMINAL = 0.9
"""Threshold at which `HeldOut` counts an answer."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How the rules of the first part answer for later lab mail of one family, at NOMINAL confidence."""

    family: str
    n: int
    right: int
    wrong: int
    unknown: int
    right_low: float
    """Lower end of the 95 % interval for the share answered rightly (Wilson)."""
    wrong_high: float
    """Upper end of the 95 % interval for the share answered wrongly (Wilson)."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned."""

    text: Mapping[str, str]
    """Family -> the text of its signature file; families without a rule are left out."""
    rules: tuple[LearnedRule, ...]
    held_out: tuple[HeldOut, ...]
    """By family, for those with held-out mail."""

    def files(self) -> dict[str, str]:
        """File name -> text, for the observatory's signatures folder."""
        names = _slugs(self.text)
        return {f"learned-{names[family]}.yar": text for family, text in self.text.items()}


def learn(lab: pa.Table, others: pa.Table, *, known: Sequence[str] = ()) -> Learned:
    """Make and measure signatures for every family in the lab mail.

    The same mail in any order gives the same text.

    Args:
        lab: columns sha256, lab, received_at and rendering of OBSERVATIONS, one row a lab message.
        others: sha256 and rendering of mail that no lab family sent (ham); may be empty.
        known: rule ids of other signature files, which are not used again.
    """
    families = read_families(lab)
    ham = read_mail(others)
    shown = [m for m in ham if half(m.sha256)]
    first = {family.name: family.first for family in families}
    drafts = _made(families, shown, first, first)
    hits = scan_drafts(drafts, families, ham)
    fresh = {layer: {f.name: _fresh(f, drafts, hits, layer) for f in families if f.rest} for layer in PRIOR}
    late = _made(families, shown, fresh["skeleton"], fresh["template"], late=True)
    hits.update(scan_drafts(late, families, ham))
    unseen = {m.sha256 for m in ham if not half(m.sha256)} | {m.sha256 for f in families for m in f.rest}
    taken = [draft for draft in (*drafts, *late) if draft in hits]
    rules = [measure_draft(draft, families, ham, unseen, hits[draft]) for draft in taken]
    kept = [rule for rule in rules if rule.confidence >= MIN_CONFIDENCE and rule.lab_hits]
    kept = _named(with_coverage(kept, families, hits), known)
    text = {
        family.name: text_of(family.name, own)
        for family in families
        if (own := [rule for rule in kept if rule.draft.family == family.name])
    }
    return Learned(
        text, tuple(kept), tuple(_held_out(family, kept, hits) for family in families if family.rest)
    )


# ---------------------------------------------------------------------------- making rules


def _made(
    families: Sequence[Family],
    ham: Sequence[Mail],
    for_skeletons: Mapping[str, Sequence[Mail]],
    for_templates: Mapping[str, Sequence[Mail]],
    *,
    late: bool = False,
) -> list[Draft]:
    """Rules of both layers from some of each family's mail."""
    untested = {family.name: late or not family.rest for family in families}
    drafts = []
    for name, mail in for_skeletons.items():
        found = [(m.sha256, m.rendering) for m in evenly(mail, MAX_LEARN)]
        drafts.extend(skeleton_drafts(name, found, late=untested[name]))
    chosen = {name: evenly(mail, MAX_LEARN) for name, mail in for_templates.items()}
    return drafts + _templates(chosen, untested, families, ham)


def _templates(
    mail: Mapping[str, Sequence[Mail]],
    late: Mapping[str, bool],
    families: Sequence[Family],
    ham: Sequence[Mail],
) -> list[Draft]:
    """Template rules, in rounds: windows that are shorter are tried on what longer ones left over."""
    documents = {name: {m.sha256: m.rendering for m in own} for name, own in mail.items()}
    drafts: list[Draft] = []
    for size, words in ROUNDS:
        allowed = allowed_windows(documents, _negatives(families, ham), size)
        for name, own in documents.items():
            found = template_drafts(name, own, allowed[name], size, words, late=late[name])
            drafts.extend(found)
            for sha256 in {sha256 for draft in found for sha256 in draft.sha256}:
                del own[sha256]
    return drafts


def _negatives(families: Sequence[Family], ham: Sequence[Mail]) -> Iterable[tuple[str, str]]:
    """Mail that anchors are checked against while they are chosen, with its family."""
    for family in families:
        yield from ((family.name, m.rendering) for m in evenly(family.first, MAX_NEGATIVES_FAMILY))
    yield from (("", m.rendering) for m in evenly(ham, MAX_NEGATIVES))


def _fresh(
    family: Family, drafts: Sequence[Draft], hits: Mapping[Draft, frozenset[str]], layer: str
) -> list[Mail]:
    """Held-out mail of a family that none of its rules of a layer matches."""
    own = [hits[d] for d in drafts if d in hits and d.family == family.name and d.layer == layer]
    return [m for m in family.rest if not any(m.sha256 in found for found in own)]


# ---------------------------------------------------------------------------- checking


def _held_out(family: Family, rules: Sequence[LearnedRule], hits: Mapping[Draft, frozenset[str]]) -> HeldOut:
    """Answers that rules of the first parts, alone and by themselves, give for a family's later mail."""
    tested = [rule for rule in rules if not rule.draft.late]
    right = wrong = 0
    for mail in family.rest:
        evidence = [
            Evidence(rule.draft.layer, "botnet", name, odds_of(rule.confidence / 100), rule.rule)
            for rule in tested
            if mail.sha256 in hits[rule.draft]
            for name in (rule.draft.family, *rule.shared_with)
        ]
        name, probability = posterior(tally(evidence))
        if probability >= NOMINAL:
            right, wrong = (right + 1, wrong) if name == family.name else (right, wrong + 1)
    n = len(family.rest)
    return HeldOut(family.name, n, right, wrong, n - right - wrong, at_least(right, n), at_most(wrong, n))


# ---------------------------------------------------------------------------- naming


def _slugs(names: Iterable[str]) -> dict[str, str]:
    """Family -> part of an identifier; families whose names look alike are numbered."""
    found: dict[str, str] = {}
    for name in sorted(names):
        base, number = slug(name), 1
        while slug(name) + (f"_{number}" if number > 1 else "") in found.values():
            number += 1
        found[name] = base if number == 1 else f"{base}_{number}"
    return found


def _named(rules: Sequence[LearnedRule], known: Sequence[str]) -> list[LearnedRule]:
    """Give rules their identifiers: by family and layer, the oldest first."""
    slugs = _slugs({rule.draft.family for rule in rules})
    taken = set(known)
    named: list[LearnedRule] = []
    for rule in sorted(
        rules,
        key=lambda r: (r.draft.family, r.draft.layer, r.first or dt.date.min, r.draft.strings),
    ):
        number = 1
        while (name := f"learned_{slugs[rule.draft.family]}_{rule.draft.layer}_{number}") in taken:
            number += 1
        taken.add(name)
        named.append(renamed(rule, name))
    return named
