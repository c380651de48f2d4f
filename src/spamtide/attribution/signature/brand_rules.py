"""Rules for the brands of a user's knowledge file that no signature looks for yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from spamtide.attribution.brand.words import LEAST_LETTERS, MOST_LETTERS, wording_of
from spamtide.attribution.rulefile import quoted, slug
from spamtide.knowledge import KNOWLEDGE_FILE, SHIPPED_SIGNATURES, Entity, Knowledge, Period

_CONFIDENCE = {"high": 92, "medium": 88, "low": 84}
"""Trust in the entry -> confidence of its rule. The wording is plain to see; whose it is may be in doubt."""
_ANY = Period()
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time in which a brand stands for one name."""

    name: str
    since: dt.date | None
    until: dt.date | None


def brand_source(knowledge: Knowledge, taken: Collection[bytes]) -> tuple[Path, str] | None:
    """Signatures of the brands and programmes that a user's knowledge file adds; None where there are none.

    A brand that is said to belong to one programme answers with it while it does, and else with itself.
    Each rule stands on the line of its entry, so that what is said of the rule points there.

    Args:
        knowledge: shipped and the user's.
        taken: folded wording that signatures look for already; their authors said what it stands for.
    """
    shipped = str(SHIPPED_SIGNATURES.parent / KNOWLEDGE_FILE)
    lines: dict[int, str] = {}
    path = None
    for entity in knowledge.entities.values():
        if entity.file == shipped or entity.kind not in {"brand", "programme"}:
            continue
        said = (entity.name, *(alias.alias for alias in entity.aliases))
        texts = [text for text in said if _is_sought(text, taken)]
        if texts:
            path = Path(entity.file)
            lines[entity.line] = " ".join(_rules(entity, texts, knowledge))
    if path is None:
        return None
    return path, "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1)) + "\n"


def _is_sought(text: str, taken: Collection[bytes]) -> bool:
    """Whether a rule is made for a name; what is no wording ('24/7 Pills') is sought as it stands."""
    word = wording_of(text, cased=False)
    if word is None:
        return sum(map(str.isalpha, text)) >= LEAST_LETTERS and len(text) <= MOST_LETTERS
    return word.letters not in taken


def _rules(entity: Entity, texts: list[str], knowledge: Knowledge) -> Iterator[str]:
    """One rule for each stretch of time."""
    strings = " ".join(f"$s{n} = {quoted(text)} nocase fullword" for n, text in enumerate(texts))
    for number, stretch in enumerate(_stretches(entity, knowledge)):
        meta = [
            'kind = "programme"',
            f"name = {quoted(stretch.name)}",
            f"confidence = {_CONFIDENCE[entity.confidence]}",
            f"reference = {quoted(entity.source)}",
            f'note = "made from the entry of {entity.kind}s"',
        ]
        meta += [f'valid_from = "{stretch.since}"'] if stretch.since else []
        meta += [f'expires = "{stretch.until}"'] if stretch.until else []
        yield (
            f"rule known_{slug(entity.name)}_{entity.line}_{number} "
            f"{{ meta: {' '.join(meta)} strings: {strings} condition: any of them }}"
        )


def _stretches(entity: Entity, knowledge: Knowledge) -> list[_Stretch]:
    """What the name stands for, over time."""
    owners = [r for r in knowledge.relations if r.kind == "belongs-to" and r.subject == entity.name]
    if len({owner.object for owner in owners}) != 1:
        return [_Stretch(entity.name, None, None)]
    since, until = owners[0].period.since, owners[0].period.until
    if any(owner.period == _ANY for owner in owners):
        since = until = None
    found = [_Stretch(owners[0].object, since, until)]
    if since:
        found.append(_Stretch(entity.name, None, since - _DAY))
    if until:
        found.append(_Stretch(entity.name, until + _DAY, None))
    return found
