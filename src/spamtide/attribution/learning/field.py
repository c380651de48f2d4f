"""One header field of a face of an engine, and what of it is a machine's rather than the engine's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from spamtide.attribution.learning.grammar import Grammar, grammar, literal
from spamtide.attribution.learning.order import Face

UNSEEN = 0.03
"""Where values seen once make up more than this of all, others are still to come, and no list is complete."""
MANY_MACHINES = 10
"""From so many machines on, a value that all of them write is no machine's choice."""
FULL = 8.0
"""Bits from which a grammar tells an engine as well as any single thing can."""
MANY_VALUES = 10
"""Different values from which a machine is seen to change them."""

Bound = Literal["engine", "template", "machine", "site"]


@dataclass(frozen=True, slots=True)
class Element:
    """One habit."""

    key: str
    """Identifier of its string in a rule."""
    pattern: str
    """YARA regular expression, with its slashes."""
    bound: Bound
    """What the habit belongs to as far as the lab can tell; 'engine' makes it hard."""
    telling: float
    """How much it says: 1 for a grammar of one author's, near 0 for what most mailers do."""


OPEN = "\ufffc"
"""Stands for what is a machine's; no header holds it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One header field of a face."""

    name: str
    values: Sequence[str]
    machines: int
    owners: Sequence[str]
    """The machine that wrote each value; '' where it is not known."""
    hosts: AbstractSet[str]
    """What the id-host trait says of the face."""
    masks: Sequence[re.Pattern[str]]
    """By value, what finds its machine's own name and address in it."""

    @property
    def key(self) -> str:
        """Its name as an identifier."""
        return re.sub(r"\W+", "_", self.name.lower(), flags=re.ASCII).strip("_") or "header"

    @property
    def bound(self) -> Bound:
        """Whose a value is that never changes on a machine."""
        return "engine" if self.machines >= MANY_MACHINES or not self.kept else "machine"

    @property
    def kept(self) -> bool:
        """Whether each machine keeps to one value."""
        if self.machines == 1:
            return len(set(self.values)) == 1
        by_machine: dict[str, str] = {}
        pairs = zip(self.owners, self.values, strict=True)
        return all(by_machine.setdefault(owner, value) == value for owner, value in pairs)

    def grammar(self, values: Sequence[str]) -> Grammar:
        """The grammar of `values`, one of each message, in which machines' names and addresses stand open."""
        hidden = [mask.sub(OPEN, value) for value, mask in zip(values, self.masks, strict=True)]
        return opened(grammar(hidden, self.machines, named=True))

    def element(self, body: str, bound: Bound, telling: float, suffix: str = "") -> Element:
        """A habit of this field: what its value looks like."""
        return Element(self.key + suffix, f"/header {literal(self.name)}: {body}\\n/", bound, telling)


SHORT_NAME = 4
"""Shorter names of machines may stand anywhere by accident."""
_COMMON_LABELS = frozenset({"mail", "smtp", "mime", "part", "next"})
"""First labels that authors write as well."""
_PRIVATE = (
    r"(?<![0-9])(?:(?:10|127)\.\d{1,3}|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2}(?![0-9])"
)
"""Addresses of a machine that nobody outside its network sees."""


def opened(made: Grammar) -> Grammar:
    """A grammar with what is a machine's left open."""
    return replace(made, pattern=made.pattern.replace(literal(OPEN), r'[^\s<>"]{0,255}'))


@lru_cache(maxsize=4096)
def mask(helo: str, address: str) -> re.Pattern[str]:
    """What finds a machine's name, its first label, and its addresses."""
    name = helo.strip("[]").rstrip(".")
    first = name.partition(".")[0]
    own = [each for each in (name, address, first) if len(each) >= SHORT_NAME and not each.isdigit()]
    own = [each for each in own if each.lower() not in _COMMON_LABELS]
    named = [re.escape(each) for each in dict.fromkeys(own)]
    return re.compile(
        "|".join([*(rf"(?<![0-9A-Za-z])\[?{each}\]?(?![0-9A-Za-z])" for each in named), _PRIVATE]),
        re.IGNORECASE,
    )


def is_drawn(values: Sequence[str], machines: int) -> bool:
    """Whether values change from message to message, and not from machine to machine."""
    return len(set(values)) >= max(MANY_VALUES, 3 * machines)


def worth_of(made: Grammar) -> float:
    """How much a grammar says, 0 to 1."""
    return max(0.0, min(1.0, made.bits / FULL))


def values_of(face: Face, key: str) -> set[str]:
    """Values of a trait that are no accident."""
    counts = Counter(layout.traits.get(key, "") for layout in face.layouts)
    return {value for value, count in counts.items() if value and count >= UNSEEN * len(face.layouts)}
