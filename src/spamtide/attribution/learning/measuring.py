"""Measure drafts of rules on lab mail that was kept back, on other families and on ham."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from spamtide.attribution.learning.lab import Family, Mail
from spamtide.attribution.rulefile import Draft, LearnedRule, Near, source
from spamtide.attribution.signature.guarded import Guard, split
from spamtide.attribution.signature.near import ORDER, Faults
from spamtide.attribution.signature.ruleset import SCAN_SECONDS

SHARED_SHARE = 0.05
SHARED_RATIO = 0.1
SHARED_MESSAGES = 3
"""A rule is a kit's, not a family's, where it matches so many messages of another family, and that is this
share of the other family's mail or this part of the share that it matches of its own."""
MAX_CONFIDENCE = 99
CAPS = ((4.0, 97), (3.0, 95), (2.5, 90), (2.0, 80), (1.0, 60))
"""Most confidence in a skeleton with so many telling habits: an order of headers alone is a hint, since other
engines that no lab has seen may use it, and the whole of an engine may be rented."""
ENCLOSED = ((24.0, 95), (16.0, 90), (10.0, 80))
"""The same for a subject with an attachment's name, by their bits (see `enclosed`)."""
SAID = ((12, 99), (9, 95), (1, 90))
"""The same for a text by the words that a match adds up to: one sentence of seven words may be anybody's, who
need not have written any mail that it was measured on."""
IMITATION = 60
"""Most confidence in a skeleton that is a mail program's in every respect: its users write the same."""
HAM_LIMIT = 0.001
"""Share of ham from which on, and from two messages on, what a rule matches is what people write as well."""
PRIOR = {"template": 500, "skeleton": 200}
"""Messages without a hit that a rule is credited with before any is seen: seven words in a row, or four
habits of one author's at once, do not meet by chance in a few hundred messages. With no ham to measure on,
confidence rests on this alone."""
LEAST_NEAR = 50
"""Confidence above which what is left of a skeleton says anything."""

BEFORE = dt.timedelta(days=365)
AFTER = dt.timedelta(days=730)
"""How long before the first and after the last lab message a rule counts. Published fingerprints of bots
stopped hitting after two to four years (history of SpamAssassin's bot rules)."""


def scan_drafts(
    drafts: Sequence[Draft], families: Sequence[Family], ham: Sequence[Mail]
) -> dict[Draft, frozenset[str]]:
    """Messages that each draft matches; a draft that YARA-X does not take is left out."""
    import yara_x

    compiler = yara_x.Compiler(includes_enabled=False)
    taken: dict[str, Draft] = {}
    for number, draft in enumerate(drafts):
        compiler.new_namespace(f"n{number}")
        try:
            compiler.add_source(source(draft, f"r{number}", ()))
        except yara_x.CompileError:  # pragma: no cover - the drafts are made to be taken
            continue
        taken[f"r{number}"] = draft
    scanner = yara_x.Scanner(compiler.build())
    scanner.fast_scan(yes=True)
    scanner.set_timeout(SCAN_SECONDS)
    found: dict[str, set[str]] = {rule: set() for rule in taken}
    for mail in (*(m for family in families for m in family.mail), *ham):
        try:
            matching = scanner.scan(mail.rendering.encode("utf-8", "replace")).matching_rules
        except (yara_x.TimeoutError, yara_x.ScanError):
            continue
        for rule in matching:
            found[rule.identifier].add(mail.sha256)
    return {draft: frozenset(found[rule]) for rule, draft in taken.items()}


def near_hits(
    drafts: Sequence[Draft], families: Sequence[Family], ham: Sequence[Mail]
) -> Mapping[Draft, Mapping[tuple[str, str], int]]:
    """(fault, family or '') -> messages that each skeleton misses by it, of those that none matches."""
    named = {f"r{number}": draft for number, draft in enumerate(drafts)}
    texts = []
    for rule, draft in named.items():
        keys = [key for key, _ in draft.strings if key != "never"]
        texts.append(source(draft, rule, [("near", "; ".join(f"{key} 0 % (0 of 0)" for key in keys))]))
    guard = Guard(split([(Path("drafts"), "".join(texts))])[1])
    found: dict[Draft, Counter[tuple[str, str]]] = {draft: Counter() for draft in drafts}
    for name, mail in [*((family.name, family.mail) for family in families), ("", ham)]:
        for message in mail:
            for hit in guard.hits(message.rendering.encode("utf-8", "replace")):
                if hit.fault:
                    found[named[hit.rule]][hit.fault, name] += 1
    return found


def with_near(rule: LearnedRule, hits: Mapping[tuple[str, str], int]) -> LearnedRule:
    """A measured skeleton with the faults that it forgives: those that leave enough of it.

    Args:
        rule: the skeleton.
        hits: what `near_hits` counted for it.
    """
    patterns = [(key, pattern[1:-1].encode()) for key, pattern in rule.draft.strings]
    strings = [(key, pattern) for key, pattern in patterns if key not in {"order", "never"}]
    faults = Faults([key for key, _ in strings], [pattern for _, pattern in strings], frozenset())
    worth = dict(rule.draft.worth)
    n = rule.others + rule.ham
    near = []
    for fault in (ORDER, *(key for key, _ in strings)):
        lost = [fault] if fault == ORDER else faults.lost(fault)
        left = rule.draft.telling - sum(worth.get(key, 0.25) for key in lost)
        other = sum(
            count
            for (what, family), count in hits.items()
            if what == fault and family != rule.family and family not in rule.shared_with
        )
        precision = 1 / (1 + (other + 0.5) / (n + min(PRIOR["skeleton"], 4**left)))
        # What everybody writes is not surer in part.
        sure = min(rule.confidence, _cap(replace(rule.draft, telling=left)), round(100 * precision))
        if sure > LEAST_NEAR:
            near.append(Near(fault, sure, other, n))
    return replace(rule, near=tuple(near))


def measure_draft(
    draft: Draft, families: Sequence[Family], ham: Sequence[Mail], unseen: set[str], hits: frozenset[str]
) -> LearnedRule:
    """Count a draft's hits and say what they are worth."""
    own = next(family for family in families if family.name == draft.family)
    by_family = {f.name: [m.sha256 for m in f.mail] for f in families if f.name != draft.family}
    counts = {name: sum(s in hits for s in mail) for name, mail in by_family.items()}
    found = [m for m in own.mail if m.sha256 in hits]
    days = sorted(m.day for m in found if m.day)
    first, last = (days[0], days[-1]) if days else (None, None)
    in_period = [m for m in own.mail if not days or (m.day and days[0] <= m.day <= days[-1])]
    share = len(found) / max(1, len(in_period))
    shared = tuple(
        name
        for name, mail in by_family.items()
        if counts[name] >= max(SHARED_MESSAGES, min(SHARED_SHARE, SHARED_RATIO * share) * len(mail))
    )
    rest = [name for name in by_family if name not in shared]
    negatives = {s for name in rest for s in by_family[name]} | {m.sha256 for m in ham}
    late = set(() if draft.late else (m.sha256 for m in own.rest))
    held = [m for m in in_period if m.sha256 in late]
    rule = LearnedRule(
        rule="",
        draft=draft,
        confidence=0,
        lab_messages=len(draft.sha256),
        lab_hits=len(found),
        lab_total=len(own.mail),
        held_out=len(held),
        held_out_hits=sum(m.sha256 in hits for m in held),
        others=sum(len(by_family[name]) for name in rest),
        other_hits=sum(counts[name] for name in rest),
        ham=len(ham),
        ham_hits=sum(m.sha256 in hits for m in ham),
        unseen=len(negatives & unseen),
        unseen_hits=len(negatives & unseen & hits),
        shared_with=shared,
        first=first,
        last=last,
        valid_from=first - BEFORE if first else None,
        expires=last + AFTER if last else None,
    )
    return replace(rule, confidence=confidence(rule, share))


def confidence(rule: LearnedRule, share: float) -> int:
    """Expected precision in per cent: hits on the family against hits on as much other mail.

    Where there were false hits at all, it is not above the precision by count, h / (h + f). Nor is it above
    an imitation's where people write what it matches: how much of the mail to come is theirs is not known.

    Args:
        rule: the measured rule.
        share: share of the family's lab mail that it matches, over the days of its first to last hit.
    """
    if not rule.lab_hits:
        return 0
    telling = rule.draft.telling
    prior = PRIOR["template"] if rule.draft.layer == "template" else min(PRIOR["skeleton"], 4**telling)
    false = rule.other_hits + rule.ham_hits
    rate = (false + 0.5) / (max(rule.unseen, false) + prior)
    precision = min(share / (share + rate), rule.lab_hits / (rule.lab_hits + false))
    people = rule.ham_hits > max(1, HAM_LIMIT * rule.ham)
    return min(IMITATION if people else MAX_CONFIDENCE, _cap(rule.draft), round(100 * precision))


def _cap(draft: Draft) -> int:
    """Most confidence that a rule can have, whatever it was measured on."""
    if draft.layer != "skeleton":
        if draft.telling:
            return next((cap for least, cap in ENCLOSED if draft.telling >= least), 50)
        return next((cap for least, cap in SAID if draft.words >= least), MAX_CONFIDENCE)
    if draft.imitates:
        return IMITATION
    return next((cap for least, cap in CAPS if draft.telling >= least), 50)
