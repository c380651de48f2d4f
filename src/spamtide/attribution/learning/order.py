"""Header orders as one pattern: fields that are always there, and those that come and go.

Orders that agree on how their common fields follow one another are one face of an engine with optional
fields; orders that contradict each other are two faces (a bot that claims to be several mailers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from spamtide.attribution.learning.grammar import literal
from spamtide.attribution.learning.layout import ORDER, Layout

ALIKE = 0.7
"""Orders that have so many of their fields in common, and in one sequence, are one face."""
ALWAYS = 0.995
"""Share of a face's messages that a required field is in: one in two hundred may be damaged."""
GAP = 2000
"""Characters that others' fields may take up before and after."""


@dataclass(slots=True)
class Face:
    """One way in which an engine builds its headers."""

    sequence: list[str]
    """Every field seen, in order."""
    counts: Counter[str]
    layouts: list[Layout]
    sha256: list[str]

    def required(self, unless: Collection[str]) -> list[str]:
        """Fields that (nearly) all messages have; names in `unless`, in lower case, are left out."""
        floor = ALWAYS * len(self.layouts)
        return [name for name in self.sequence if self.counts[name] >= floor and name.lower() not in unless]


def faces(messages: Sequence[tuple[str, Layout]]) -> list[Face]:
    """Sort messages into faces, the most frequent first; the order of messages decides nothing."""
    orders: dict[tuple[str, ...], list[tuple[str, Layout]]] = {}
    for sha256, layout in sorted(messages, key=lambda item: item[0]):
        orders.setdefault(layout.order, []).append((sha256, layout))
    found: list[Face] = []
    for order in sorted(orders, key=lambda order: (-len(orders[order]), -len(order), order)):
        if not order:
            continue
        own = orders[order]
        face = next((face for face in found if _joins(face, order)), None)
        if face is None:
            face = Face(list(dict.fromkeys(order)), Counter(), [], [])
            found.append(face)
        face.counts.update(dict.fromkeys(order, len(own)))
        face.layouts.extend(layout for _, layout in own)
        face.sha256.extend(sha256 for sha256, _ in own)
    return sorted(found, key=lambda face: (-len(face.layouts), face.sequence))


def _joins(face: Face, order: tuple[str, ...]) -> bool:
    """Add an order's fields to a face's sequence where they fit; says whether they do."""
    names = list(dict.fromkeys(order))
    common = [name for name in names if name in face.counts]
    if len(common) < ALIKE * max(len(names), sum(count > 0 for count in face.counts.values()) - 1):
        return False
    if common != [name for name in face.sequence if name in set(common)]:
        return False
    merged, at = list(face.sequence), 0
    for name in names:
        if name in face.counts:
            at = merged.index(name) + 1
        else:
            merged.insert(at, name)
            at += 1
    face.sequence = merged
    return True


def order_pattern(face: Face, unless: Collection[str]) -> str:
    """The face's order as a pattern over the header-order line; others may have put fields around it."""
    required = set(face.required(unless))
    names = face.sequence
    first = next((place for place, name in enumerate(names) if name in required), 0)
    last = max((place for place, name in enumerate(names) if name in required), default=0)
    parts = [
        f"{literal(name)}," if name in required else f"({literal(name)},)?" for name in names[first:last]
    ]
    parts.append(literal(names[last]) + "[,\\n]")
    before = f"([^\\n]{{0,{GAP}}},)?"
    return f"/{literal(ORDER)}{before}{''.join(parts)}/"
