"""Near-identical skeletons: what tells two captured families of one kit apart becomes part of their rules.

A habit that may be the templates' is soft (see `element`). Where it held through many of them, and another
family shares all hard habits and never has this one, it is what tells the two apart. What may be a machine's
never does: two labs, or two machines of one lab, differ without their bots differing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from spamtide.attribution.learning.lab import Family, Mail
from spamtide.attribution.rulefile import Deviation, Draft

LEAST = 10
"""Messages of another family that a rule must match before it is made sharper against it."""
TEMPLATES = 4
"""Templates that a habit must have held through."""
NEVER = 0.05
"""Share of them that may have the habit all the same."""


def sharpened(
    drafts: Sequence[Draft], families: Sequence[Family], hits: Mapping[Draft, frozenset[str]]
) -> list[Draft]:
    """The drafts, each with the soft habits that families which share the rest of it do not have."""
    mail = {family.name: family.mail for family in families}
    return [_against(draft, mail, hits.get(draft, frozenset())) for draft in drafts]


def _against(draft: Draft, mail: Mapping[str, Sequence[Mail]], hits: frozenset[str]) -> Draft:
    """One draft, sharpened against every family that it matches."""
    for name in sorted(mail):
        shared = (
            [m.rendering.encode() for m in mail[name] if m.sha256 in hits] if name != draft.family else []
        )
        if len(shared) >= LEAST:
            draft = _without(draft, shared)
    return draft


def _without(draft: Draft, shared: Sequence[bytes]) -> Draft:
    """Move soft habits that other mail lacks into the rule."""
    moved: list[tuple[str, str]] = []
    left: list[Deviation] = []
    for deviation in draft.deviations:
        if deviation.bound != "template" or deviation.seen < TEMPLATES:
            left.append(deviation)
            continue
        kept = [deviation.strings[0]]
        for key, pattern in deviation.strings[1:]:
            habit = re.compile(pattern[1:-1].encode())
            having = sum(habit.search(rendering) is not None for rendering in shared)
            (moved if having <= NEVER * len(shared) else kept).append((key, pattern))
        if len(kept) > 1:
            left.append(replace(deviation, strings=tuple(kept)))
    if not moved:
        return draft
    *strings, last = draft.strings
    never = [last] if last[0] == "never" else []
    strings = [*(strings if never else draft.strings), *moved]
    condition = "all of them"
    if never:
        condition = f"all of ({', '.join('$' + key for key, _ in strings)}) and not $never"
    return replace(
        draft, strings=(*strings, *never), condition=condition, deviations=tuple(left),
        telling=round(draft.telling + 0.25 * len(moved), 2),
    )  # fmt: skip
