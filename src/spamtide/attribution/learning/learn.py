"""Learn signatures from mail that bots sent in the lab, and measure them on mail that was kept back.

Each family's lab mail is ordered by time. Template rules are made from the first part and measured on the
rest, on the other families and on ham; what is new in the last part gets rules as well (a bot that turned to
a new template yesterday is the normal case), marked as not measured on later mail. Skeletons change seldom
and are few: they are made from all of it, and how well earlier mail would have known later mail is measured
apart.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from spamtide.attribution.learning.conformity import missed_later
from spamtide.attribution.learning.enclosed import enclosed_drafts
from spamtide.attribution.learning.lab import Family, Mail, evenly, half, read_families, read_mail
from spamtide.attribution.learning.layout import Layout, capture_fields, layout_of
from spamtide.attribution.learning.measuring import measure_draft, near_hits, scan_drafts, with_near
from spamtide.attribution.learning.sharpening import sharpened
from spamtide.attribution.learning.skeleton import skeleton_drafts
from spamtide.attribution.learning.template import ROUNDS, allowed_windows, template_drafts
from spamtide.attribution.rulefile import Draft, LearnedRule, renamed, slug, text_of

MAX_LEARN = 1500
"""Most messages of a family that make rules; more are measured."""
MAX_NEGATIVES = 4000
"""Ham messages that anchors are checked against while they are chosen; all are measured."""
MAX_NEGATIVES_FAMILY = 500
"""The same for each other family."""

MIN_CONFIDENCE = {"template": 75, "skeleton": 55}
"""A less sure rule is not written, but for skeletons of a family that another rule speaks for: a vague one
names nobody, but its absence says something of that rule's word."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned."""

    text: Mapping[str, str]
    """Family -> the text of its signature file; families without a rule are left out."""
    rules: tuple[LearnedRule, ...]

    def files(self) -> dict[str, str]:
        """File name -> text, for the observatory's signatures folder."""
        return dict(self.by_family().values())

    def by_family(self) -> dict[str, tuple[str, str]]:
        """Family -> name and text of its file."""
        names = _slugs(self.text)
        return {family: (f"learned-{names[family]}.yar", text) for family, text in self.text.items()}


def learn(
    lab: pa.Table, others: pa.Table, *, known: Sequence[str] = (), wild: Mapping[str, int] | None = None
) -> Learned:
    """Make and measure signatures for every family in the lab mail.

    The same mail in any order gives the same text.

    Args:
        lab: columns sha256, lab, received_at and rendering of OBSERVATIONS, one row a lab message.
        others: sha256 and rendering of mail that no lab family sent (ham); may be empty.
        known: rule ids of other signature files, which are not used again.
        wild: header field -> messages of the wild with it, and '' -> messages of the wild; tells fields that
            only the lab's capture writes.
    """
    families = read_families(lab)
    ham = read_mail(others)
    headers = {m.sha256: layout_of(m.rendering) for family in families for m in family.mail}
    by_family = {family.name: [headers[m.sha256] for m in family.mail] for family in families}
    fields = dict(wild or {})
    captured = capture_fields(by_family, fields, fields.pop("", 0))
    templates, hits = _templates_of(families, ham)
    counts = Counter(draft.family for draft in templates)
    contexts = {f.name: max(1, counts[f.name], _weeks(f.mail)) for f in families}
    skeletons = [
        draft
        for family in families
        for draft in skeleton_drafts(
            family.name, _read(family.mail, headers), unless=captured, templates=contexts[family.name]
        )
    ]
    hits.update(scan_drafts(skeletons, families, ham))
    sharper = sharpened(skeletons, families, hits)
    hits.update(scan_drafts([draft for draft in sharper if draft not in hits], families, ham))
    skeletons = sharper
    missed = {
        family.name: missed_later(family.name, family.mail, by_family[family.name], captured)
        for family in families
    }
    unseen = {m.sha256 for m in ham if not half(m.sha256)} | {m.sha256 for f in families for m in f.rest}
    rules = [measure_draft(draft, families, ham, unseen, hits[draft]) for draft in templates if draft in hits]
    everything = {m.sha256 for m in ham} | {m.sha256 for f in families for m in f.mail}
    taken = [draft for draft in skeletons if draft in hits]
    nearly = near_hits(taken, families, ham)
    for draft in taken:
        rule = measure_draft(draft, families, ham, everything, hits[draft])
        rules.append(with_near(replace(rule, missed=missed[draft.family]), nearly[draft]))
    kept = _named(_worth_writing(rules), known)
    text = {
        family.name: text_of(family.name, own)
        for family in families
        if (own := [rule for rule in kept if rule.draft.family == family.name])
    }
    return Learned(text, tuple(kept))


def _read(mail: Iterable[Mail], headers: Mapping[str, Layout]) -> list[tuple[str, Layout]]:
    return [(m.sha256, headers[m.sha256]) for m in mail]


def _weeks(mail: Sequence[Mail]) -> int:
    """Weeks in which there is mail: an affiliate's templates seldom live longer."""
    return len({m.day.toordinal() // 7 for m in mail if m.day})


def _worth_writing(rules: Sequence[LearnedRule]) -> list[LearnedRule]:
    hitting = [rule for rule in rules if rule.lab_hits]
    speaking = {r.draft.family for r in hitting if r.confidence >= MIN_CONFIDENCE[r.draft.layer]}
    return [
        rule
        for rule in hitting
        if rule.confidence >= MIN_CONFIDENCE[rule.draft.layer]
        or (rule.draft.layer == "skeleton" and rule.draft.family in speaking)
    ]


# ---------------------------------------------------------------------------- making rules


def _templates_of(
    families: Sequence[Family], ham: Sequence[Mail]
) -> tuple[list[Draft], dict[Draft, frozenset[str]]]:
    """Template rules of each family's earlier mail, then of what is new in the rest; and what they match."""
    shown = [m for m in ham if half(m.sha256)]
    untested = {family.name: not family.rest for family in families}
    first = {family.name: evenly(family.first, MAX_LEARN) for family in families}
    drafts = _templates(first, untested, families, shown)
    hits = scan_drafts(drafts, families, ham)
    fresh = {f.name: evenly(_fresh(f, drafts, hits), MAX_LEARN) for f in families if f.rest}
    late = _templates(fresh, dict.fromkeys(fresh, True), families, shown)
    hits.update(scan_drafts(late, families, ham))
    return [*drafts, *late], hits


def _templates(
    mail: Mapping[str, Sequence[Mail]],
    late: Mapping[str, bool],
    families: Sequence[Family],
    ham: Sequence[Mail],
) -> list[Draft]:
    """Template rules, in rounds: windows that are shorter are tried on what longer ones left over.

    What shares no words at all is told by what it encloses.
    """
    documents = {name: {m.sha256: m.rendering for m in own} for name, own in mail.items()}
    drafts: list[Draft] = []
    for size, words in ROUNDS:
        allowed = allowed_windows(documents, _negatives(families, ham), size)
        for name, own in documents.items():
            found = template_drafts(name, own, allowed[name], size, words, late=late[name])
            drafts.extend(found)
            for sha256 in {sha256 for draft in found for sha256 in draft.sha256}:
                del own[sha256]
    for name, own in documents.items():
        drafts.extend(enclosed_drafts(name, own, late=late[name]))
    return drafts


def _negatives(families: Sequence[Family], ham: Sequence[Mail]) -> Iterable[tuple[str, str]]:
    """Mail that anchors are checked against while they are chosen, with its family."""
    for family in families:
        yield from ((family.name, m.rendering) for m in evenly(family.first, MAX_NEGATIVES_FAMILY))
    yield from (("", m.rendering) for m in evenly(ham, MAX_NEGATIVES))


def _fresh(family: Family, drafts: Sequence[Draft], hits: Mapping[Draft, frozenset[str]]) -> list[Mail]:
    """Held-out mail of a family that none of its rules matches."""
    own = [hits[d] for d in drafts if d in hits and d.family == family.name]
    return [m for m in family.rest if not any(m.sha256 in found for found in own)]


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
