"""Header skeletons: how a mail engine builds its headers, as rules over the rendering.

An engine writes the same headers in the same order and letter case and fills them by fixed grammars. That
outlives every template (Botnet Judo 2010 keeps headers and body apart for the same reason), but families that
rent one mailer kit share it; `learn` measures that and says so.

A rule asks for all hard elements of a face. Beside it stand a few *deviations*: mail that has the engine but
not what all lab mail had of its templates, or of its machines. A deviation speaks against, by the number of
templates or machines that the lab has seen: with n of them alike, the next one differs with a probability of
about 1 / (n + 1) (the conformal p-value of the first exception).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from spamtide.attribution.learning.element import elements_of
from spamtide.attribution.learning.field import Bound, Element
from spamtide.attribution.learning.genuine import imitated
from spamtide.attribution.learning.layout import STANDARD, Layout, machines_of
from spamtide.attribution.learning.order import GAP, Face, faces, order_pattern
from spamtide.attribution.rulefile import Deviation, Draft

MIN_MESSAGES = 3
"""Fewer messages of one face make no rule."""
MIN_SHARE = 0.01
"""A face that fewer of the family's messages show makes no rule."""
MAX_RULES = 16
"""Most faces per family, the most frequent first."""
MAX_STRINGS = 14
TELLING_FIELDS = (
    "X-Mailer", "User-Agent", "X-MimeOLE", "X-MSMail-Priority", "X-Priority", "Importance", "Thread-Index",
    "Content-Class", "X-Accept-Language", "Mime-Version", "MIME-Version", "Message-Id", "Message-ID",
)  # fmt: skip
"""Fields whose absence is a habit, as long as a family never has them."""
ADDED = "message-id"
"""A field that a server adds where the sender left it out: wild mail does not show its absence."""
ENOUGH = 10
"""Messages of a face from which an absence is a habit."""
LONG_ORDER = 7
"""An order of so many fields is one author's."""


def skeleton_drafts(
    family: str,
    messages: Sequence[tuple[str, Layout]],
    *,
    unless: Collection[str] = frozenset(),
    templates: int = 1,
) -> list[Draft]:
    """Rules for the faces of a family's lab messages.

    Args:
        family: the family's name.
        messages: (sha256, header lines), in any order.
        unless: lower-case names of fields that the place of capture added.
        templates: how many templates the messages are made from.
    """
    floor = max(MIN_MESSAGES, MIN_SHARE * len(messages))
    drafts = []
    for face in faces(messages)[:MAX_RULES]:
        if len(face.layouts) < floor or not face.required(unless):
            continue
        drafts.append(_draft(family, face, unless, templates))
    return drafts


def _draft(family: str, face: Face, unless: Collection[str], templates: int) -> Draft:
    elements = elements_of(face, unless)
    order = order_pattern(face, unless)
    strings = [("order", order)]
    chosen = [element for element in elements if element.bound == "engine"][: MAX_STRINGS - 1]
    strings += [(element.key, element.pattern) for element in chosen]
    condition = "all of them"
    absent = _absent(face)
    if absent:
        strings.append(("never", absent))
        condition = f"all of ({', '.join('$' + key for key, _ in strings[:-1])}) and not $never"
    bounds: tuple[tuple[Bound, int], ...] = (
        ("template", templates),
        ("machine", machines_of(face.layouts)),
        ("site", 1),
    )
    return Draft(
        family=family,
        layer="skeleton",
        strings=tuple(strings),
        condition=condition,
        sha256=tuple(sorted(face.sha256)),
        telling=round(_order_worth(face, unless) + sum(element.telling for element in chosen), 2),
        imitates=imitated(face.layouts, unless),
        worth=(("order", _order_worth(face, unless)), *((e.key, e.telling) for e in chosen)),
        deviations=tuple(
            Deviation(bound, seen, (("order", order), *((e.key, e.pattern) for e in soft)))
            for bound, seen in bounds
            if (soft := _soft(elements, bound))
        ),
    )


def _soft(elements: Sequence[Element], bound: Bound) -> list[Element]:
    return [element for element in elements if element.bound == bound]


def _order_worth(face: Face, unless: Collection[str]) -> float:
    """How much an order says: its length, and whether a field is in it that few mailers know."""
    names = face.required(unless)
    worth = 1.0 if len(names) >= LONG_ORDER else 0.5
    return worth + (0.5 if any(name.lower() not in STANDARD for name in names) else 0.0)


def _absent(face: Face) -> str | None:
    """A pattern for an order with fields that the face never has."""
    if len(face.layouts) < ENOUGH:
        return None
    own = {name.lower() for name in face.counts}
    never = [
        name
        for name in TELLING_FIELDS
        if name not in face.counts and (name.lower() != ADDED or name.lower() in own)
    ]
    return f"/header-order: ([^\\n]{{0,{GAP}}},)?({'|'.join(never)})[,\\n]/" if never else None
