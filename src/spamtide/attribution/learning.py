"""Learn signatures from mail that bots sent in the lab, and measure them on mail that was kept back.

Each family's lab mail is ordered by time: rules are made from the first part and measured on the rest, on
the other families and on ham. What is new in the last part gets rules as well (a bot that turned to a new
template yesterday is the normal case), marked as not measured on later mail.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from spamtide.attribution.evidence import odds_of, posterior, tally
from spamtide.attribution.rulefile import (
    Draft,
    LearnedRule,
    at_least,
    at_most,
    renamed,
    slug,
    source,
    text_of,
)
from spamtide.attribution.signature import SCAN_SECONDS
from spamtide.attribution.skeleton import skeleton_drafts
from spamtide.attribution.template import ROUNDS, allowed_windows, template_drafts
from spamtide.model import Evidence

FIRST_PART = 0.75
"""Share of a family's lab mail, the earliest, that rules are made from."""
SMALL_FAMILY = 20
"""With fewer lab messages there is nothing to keep back; the rules say so."""
MAX_LAB = 4000
"""Lab messages per family that are looked at, evenly over time."""
MAX_LEARN = 1500
"""Of these, so many make rules."""
MAX_NEGATIVES = 4000
"""Ham messages that anchors are checked against while they are chosen; all are measured."""
MAX_NEGATIVES_FAMILY = 500
"""The same for each other family."""

SHARED_SHARE = 0.05
SHARED_RATIO = 0.1
SHARED_MESSAGES = 3
"""A rule is a kit's, not a family's, where it matches so many messages of another family, and that is this
share of the other family's mail or this part of the share that it matches of its own."""
MIN_CONFIDENCE = 75
"""A less sure rule is not written."""
MAX_CONFIDENCE = 99
CAPS = {1: 60, 2: 80, 3: 95}
"""Most confidence in a skeleton rule of so many strings: an order of headers alone is a hint, since other
engines that no lab has seen may use it."""
PRIOR = {"template": 500, "skeleton": 200}
"""Messages without a hit that a rule is credited with before any is seen: seven words in a row, or four
header grammars at once, do not meet by chance in a few hundred messages. With no ham to measure on,
confidence rests on this alone."""
NOMINAL = 0.9
"""Threshold at which `HeldOut` counts an answer."""

BEFORE = dt.timedelta(days=365)
AFTER = dt.timedelta(days=730)
"""How long before the first and after the last lab message a rule counts. Published fingerprints of bots
stopped hitting after two to four years (history of SpamAssassin's bot rules)."""


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


@dataclass(frozen=True, slots=True)
class _Mail:
    """One message, as far as the learner looks at it."""

    sha256: str
    day: dt.date | None
    rendering: str


@dataclass(frozen=True, slots=True)
class _Family:
    name: str
    mail: tuple[_Mail, ...]
    """In order of time."""
    first: tuple[_Mail, ...]
    """What rules are made from; all of it for a small family."""
    rest: tuple[_Mail, ...]


def learn(lab: pa.Table, others: pa.Table, *, known: Sequence[str] = ()) -> Learned:
    """Make and measure signatures for every family in the lab mail.

    The same mail in any order gives the same text.

    Args:
        lab: columns sha256, lab, received_at and rendering of OBSERVATIONS, one row a lab message.
        others: sha256 and rendering of mail that no lab family sent (ham); may be empty.
        known: rule ids of other signature files, which are not used again.
    """
    families = _families(lab)
    ham = _mail(others)
    halves = (
        [m for m in ham if _half(m.sha256)],
        [m for m in ham if not _half(m.sha256)],
    )
    drafts = _made(
        families, halves[0], {f.name: f.first for f in families}, {f.name: f.first for f in families}
    )
    hits = _hits(drafts, families, ham)
    fresh = {layer: {f.name: _fresh(f, drafts, hits, layer) for f in families if f.rest} for layer in PRIOR}
    late = _made(families, halves[0], fresh["skeleton"], fresh["template"], late=True)
    hits.update(_hits(late, families, ham))
    unseen = {m.sha256 for m in halves[1]} | {m.sha256 for f in families for m in f.rest}
    rules = [
        _measure(draft, families, ham, unseen, hits[draft]) for draft in [*drafts, *late] if draft in hits
    ]
    kept = [rule for rule in rules if rule.confidence >= MIN_CONFIDENCE and rule.lab_hits]
    kept = _named(_covered(kept, families, hits), known)
    text = {
        family.name: text_of(family.name, own)
        for family in families
        if (own := [rule for rule in kept if rule.draft.family == family.name])
    }
    return Learned(
        text, tuple(kept), tuple(_held_out(family, kept, hits) for family in families if family.rest)
    )


# ---------------------------------------------------------------------------- reading


def _mail(table: pa.Table) -> list[_Mail]:
    """Rows as messages: one a content, in order of time and hash."""
    if table.num_rows == 0:
        return []
    times = (
        table["received_at"].to_pylist() if "received_at" in table.column_names else [None] * table.num_rows
    )
    found: dict[str, tuple[dt.datetime | None, str]] = {}
    for sha256, time, rendering in zip(
        table["sha256"].to_pylist(), times, table["rendering"].to_pylist(), strict=True
    ):
        before = found.get(sha256)
        if before is None or _when(time) < _when(before[0]):
            found[sha256] = (time, rendering or "")
    order = sorted(found, key=lambda sha256: (_when(found[sha256][0]), sha256))
    return [_Mail(sha256, _day(found[sha256][0]), found[sha256][1]) for sha256 in order]


def _day(time: dt.datetime | None) -> dt.date | None:
    return time.date() if time else None


def _when(time: dt.datetime | None) -> float:
    return time.timestamp() if time else float("-inf")


def _families(lab: pa.Table) -> list[_Family]:
    import pyarrow.compute as pc

    families = []
    for name in sorted({name for name in lab["lab"].unique().to_pylist() if name}):
        mail = _evenly(_mail(lab.filter(pc.equal(lab["lab"], name))), MAX_LAB)
        cut = len(mail) if len(mail) < SMALL_FAMILY else int(FIRST_PART * len(mail))
        families.append(_Family(name, tuple(mail), tuple(mail[:cut]), tuple(mail[cut:])))
    return families


def _evenly(mail: Sequence[_Mail], most: int) -> list[_Mail]:
    """At most `most` messages, spread evenly over the sequence."""
    if len(mail) <= most:
        return list(mail)
    return [mail[i * len(mail) // most] for i in range(most)]


def _half(sha256: str) -> bool:
    """Whether the learner may look at a message of the other mail; decided by its hash, so for ever."""
    return hashlib.sha256(sha256.encode()).digest()[0] < 128  # noqa: PLR2004 - half of a byte's values


# ---------------------------------------------------------------------------- making rules


def _made(
    families: Sequence[_Family],
    ham: Sequence[_Mail],
    for_skeletons: Mapping[str, Sequence[_Mail]],
    for_templates: Mapping[str, Sequence[_Mail]],
    *,
    late: bool = False,
) -> list[Draft]:
    """Rules of both layers from some of each family's mail."""
    untested = {family.name: late or not family.rest for family in families}
    drafts = []
    for name, mail in for_skeletons.items():
        found = [(m.sha256, m.rendering) for m in _evenly(mail, MAX_LEARN)]
        drafts.extend(skeleton_drafts(name, found, late=untested[name]))
    chosen = {name: _evenly(mail, MAX_LEARN) for name, mail in for_templates.items()}
    return drafts + _templates(chosen, untested, families, ham)


def _templates(
    mail: Mapping[str, Sequence[_Mail]],
    late: Mapping[str, bool],
    families: Sequence[_Family],
    ham: Sequence[_Mail],
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


def _negatives(families: Sequence[_Family], ham: Sequence[_Mail]) -> Iterable[tuple[str, str]]:
    """Mail that anchors are checked against while they are chosen, with its family."""
    for family in families:
        yield from ((family.name, m.rendering) for m in _evenly(family.first, MAX_NEGATIVES_FAMILY))
    yield from (("", m.rendering) for m in _evenly(ham, MAX_NEGATIVES))


def _fresh(
    family: _Family, drafts: Sequence[Draft], hits: Mapping[Draft, frozenset[str]], layer: str
) -> list[_Mail]:
    """Held-out mail of a family that none of its rules of a layer matches."""
    own = [hits[d] for d in drafts if d in hits and d.family == family.name and d.layer == layer]
    return [m for m in family.rest if not any(m.sha256 in found for found in own)]


# ---------------------------------------------------------------------------- measuring


def _hits(
    drafts: Sequence[Draft], families: Sequence[_Family], ham: Sequence[_Mail]
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


def _measure(
    draft: Draft, families: Sequence[_Family], ham: Sequence[_Mail], unseen: set[str], hits: frozenset[str]
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

    Where there were false hits at all, it is not above the precision by count, h / (h + f).

    Args:
        rule: the measured rule.
        share: share of the family's lab mail that it matches, over the days of its first to last hit.
    """
    if not rule.lab_hits:
        return 0
    strings = len(rule.draft.strings)
    prior = PRIOR[rule.draft.layer] if rule.draft.layer == "template" or strings not in CAPS else 4**strings
    false = rule.other_hits + rule.ham_hits
    rate = (false + 0.5) / (max(rule.unseen, false) + prior)
    precision = min(share / (share + rate), rule.lab_hits / (rule.lab_hits + false))
    cap = CAPS.get(strings, MAX_CONFIDENCE) if rule.draft.layer == "skeleton" else MAX_CONFIDENCE
    return min(cap, round(100 * precision))


def _covered(
    rules: Sequence[LearnedRule], families: Sequence[_Family], hits: Mapping[Draft, frozenset[str]]
) -> list[LearnedRule]:
    """Tell each skeleton rule how much of its family's held-out mail all skeleton rules together match.

    One hit and one miss are added to the counts (Laplace), so that little mail never looks like certainty.
    """
    share: dict[str, float] = {}
    for family in families:
        own = [hits[r.draft] for r in rules if r.draft.family == family.name and r.draft.layer == "skeleton"]
        if own and family.rest:
            covered = sum(any(m.sha256 in found for found in own) for m in family.rest)
            share[family.name] = (covered + 1) / (len(family.rest) + 2)
    return [
        replace(rule, coverage=share.get(rule.draft.family)) if rule.draft.layer == "skeleton" else rule
        for rule in rules
    ]


def _held_out(family: _Family, rules: Sequence[LearnedRule], hits: Mapping[Draft, frozenset[str]]) -> HeldOut:
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
