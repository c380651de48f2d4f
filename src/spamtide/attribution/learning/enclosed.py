"""Templates of mail without text: the grammar of its subject and of its attachment's name.

Mail that only carries a file ("Coupon 2919149", coupon_30_2919149.pdf) has no words to share. What its author
wrote is a subject with slots and a file name with slots, and often one value in both; that is learned as the
slots of a text are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spamtide.attribution.learning.grammar import literal
from spamtide.attribution.rulefile import Draft

MIN_SUPPORT = 6
"""Fewer messages of one form make no rule."""
MIN_SHARE = 0.02
MAX_FORMS = 8
"""Most rules a family; a family with more forms of names has none."""
MAX_LISTED = 8
"""Up to so many different words, numbers or subjects are listed as they are."""
SEEN = 3
"""Times that each of them must have been seen on average, else others are still to come."""
COVER = 0.95
"""Share of the messages that what is listed must cover."""
MAX_CHARS = 120
LEAST_BITS = 10.0
ECHO_BITS = 8.0
"""What a value in both says: few authors put it there."""

_RUN = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]+")
_SIMPLE = re.compile(r"([A-Za-z]*)([0-9]*)([A-Za-z]*)")
_ECHO = re.compile(r"^traits: .* echo=(\w+)$", re.MULTILINE)
Token = tuple[str, str]
"""(kind: w for letters, d for digits, x for both mixed, the sign itself for others; text)."""


@dataclass(frozen=True, slots=True)
class _Enclosed:
    """What a message says beside its text."""

    sha256: str
    subject: str
    name: str
    echo: str


@dataclass(frozen=True, slots=True)
class _Form:
    """A pattern with how much it says."""

    pattern: str
    bits: float


def enclosed_drafts(family: str, documents: Mapping[str, str], *, late: bool = False) -> list[Draft]:
    """Rules around subjects and attachments' names, from mail that shares no words.

    Args:
        family: the family's name.
        documents: sha256 -> rendering.
        late: the messages are the newest, with no later ones to test the rules.
    """
    mail = [found for sha256, text in sorted(documents.items()) if (found := _enclosed(sha256, text))]
    groups: dict[tuple[str, ...], list[_Enclosed]] = {}
    for one in mail:
        groups.setdefault(tuple(kind for kind, _ in _tokens(one.name)), []).append(one)
    floor = max(MIN_SUPPORT, math.ceil(MIN_SHARE * len(mail)))
    kept = [shape for shape in sorted(groups) if len(groups[shape]) >= floor]
    if len(kept) > MAX_FORMS:
        return []
    return [draft for shape in kept if (draft := _draft(family, groups[shape], late=late))]


def _enclosed(sha256: str, rendering: str) -> _Enclosed | None:
    """Subject and first attachment's name; None without an attachment."""
    head = rendering.partition("\ntext:")[0]
    lines = head.split("\n")
    names = [line.removeprefix("attachment: ") for line in lines if line.startswith("attachment: ")]
    if not names or len(names[0]) > MAX_CHARS:
        return None
    subject = next((line[9:] for line in lines if line.startswith("subject: ")), "")
    echo = _ECHO.search(head)
    return _Enclosed(sha256, subject, names[0], echo[1] if echo else "none")


def _draft(family: str, mail: Sequence[_Enclosed], *, late: bool) -> Draft | None:
    """One rule for attachments whose names are built alike, if it says enough."""
    name = _form([_tokens(one.name) for one in mail])
    strings = [("attachment", f"/attachment: {name.pattern}\\n/")]
    bits = name.bits
    subject = _subject([one.subject for one in mail])
    if subject:
        strings.insert(0, ("subject", f"/subject: {subject.pattern}\\n/"))
        bits += subject.bits
    echoes = {one.echo for one in mail}
    if len(echoes) == 1 and "none" not in echoes:
        strings.append(("echo", f"/traits: [^\\n]{{0,400}} echo={echoes.pop()}\\n/"))
        bits += ECHO_BITS
    if bits < LEAST_BITS:
        return None
    sha256 = tuple(one.sha256 for one in mail)
    return Draft(family, "template", tuple(strings), "all of them", sha256, late, telling=round(bits, 2))


def _subject(subjects: Sequence[str]) -> _Form | None:
    """A few subjects as they are, else those of one form; None where they have nothing in common."""
    few = _listed(subjects)
    if few:
        worth = sum(_worth(subject) * count for subject, count in Counter(subjects).items()) / len(subjects)
        return _Form(few, max(0.0, worth - math.log2(len(set(subjects)))))
    tokens = [_tokens(subject) for subject in subjects if len(subject) <= MAX_CHARS]
    shapes = Counter(tuple(kind for kind, _ in row) for row in tokens)
    if not shapes:
        return None
    shape, count = min(shapes.items(), key=lambda item: (-item[1], item[0]))
    if count < COVER * len(subjects):
        return None
    form = _form([row for row in tokens if tuple(kind for kind, _ in row) == shape])
    return form if form.bits >= LEAST_BITS / 2 else None


def _worth(text: str) -> float:
    """What a constant says."""
    return sum(
        3.0 + (2.0 if len(part) > 4 else 0.0) if kind in {"w", "d", "x"} else 0.5  # noqa: PLR2004 - short words are common ones
        for kind, part in _tokens(text)
    )


def _tokens(text: str) -> list[Token]:
    """Runs of letters, of digits and of both, and the signs between them."""
    found: list[Token] = []
    for run in _RUN.findall(text):
        simple = _SIMPLE.fullmatch(run)
        if not run[0].isascii() or not run[0].isalnum():
            found.append((run, run))
        elif simple and not (simple[1] and simple[2] and simple[3]):
            kinds = zip("wdw", simple.groups(), strict=True)
            found.extend((kind, part) for kind, part in kinds if part)
        else:
            found.append(("x", run))
    return found


def _form(rows: Sequence[Sequence[Token]]) -> _Form:
    """The pattern of values of one shape."""
    out, bits = [], 0.0
    for place, (kind, _) in enumerate(rows[0]):
        values = [row[place][1] for row in rows]
        few = _listed(values)
        if kind not in {"w", "d", "x"}:
            out.append(literal(kind))
            bits += 0.5
        elif few:
            out.append(few)
            worth = max(_worth(value) for value in values)
            bits += max(0.0, worth - math.log2(len(set(values))))
        else:
            low, high = min(map(len, values)), max(map(len, values))
            letters = {"w": "[A-Za-z]", "d": "[0-9]", "x": "[0-9A-Za-z]"}[kind]
            out.append(f"{letters}{{{low}}}" if low == high else f"{letters}{{{max(1, low - 1)},{high + 1}}}")
            bits += 3.0 if low == high and low > 1 else 1.0
    return _Form("".join(out), bits)


def _listed(values: Sequence[str]) -> str | None:
    """Values as alternatives where they are few and seen often; the rare ones are left out."""
    counts = Counter(values)
    kept = sorted(value for value, count in counts.items() if count >= SEEN)
    covered = sum(counts[value] for value in kept)
    if not kept or len(kept) > MAX_LISTED or covered < COVER * len(values):
        return None
    parts = [literal(value) for value in kept]
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"
