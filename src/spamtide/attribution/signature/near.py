"""Mail that a skeleton rule misses by one thing: what was altered on its way, or another machine's habit.

A gateway writes its own field between the engine's, spells 'Message-Id' its own way, folds a header anew or
takes X-Mailer out; another machine's process numbers are longer than those of the lab's. All strings of such
mail match but those of one field, or its order is right but for the spelling of names, for fields between, or
for one field that is gone or moved. That one thing is its *fault*. Which faults a rule forgives, `learn`
measures and writes into the rule (`near`); what is left of it is worth less than the whole, see `spoken`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ORDER = "order"
"""The fault of mail whose fields are not in order as they should be."""
MARK = "~"
"""Stands between a rule's identifier and the fault, where a message has all of the rule but for this."""
MOST_FIELDS = 100
"""Fields of a message beyond which it is like nothing; engines write some twenty, gateways as many again."""
EXTRA = 3
"""Fields that others may have written between the engine's."""
TRAITS = {"id_host": ("message-id",), "clock": ("message-id", "content-type"), "fold": ("content-type",)}
"""String of the traits line -> the fields that it is read off."""

_START = re.compile(rb"header-order: (?:\(\[\^\\n\]\{0,\d+\},\)\?)?(.*)\[,\\n\]", re.DOTALL)
_TOKEN = re.compile(rb"\(((?:[^(),\\]|\\.)+),\)\?|((?:[^(),\\]|\\.)+)(?:,|\Z)", re.DOTALL)
_FIELD = re.compile(rb"header ((?:[^:\\]|\\.)+): ")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """How an order line is like a rule's order, but not quite."""

    lacking: bytes
    """Lower-case name of the one field that is gone; b'' for none."""
    respelt: tuple[tuple[bytes, bytes], ...]
    """(name as the message has it, as the rule has it), where letter case differs."""
    order: bytes
    """The message's order line with the rule's spelling."""


class Fields:
    """The fields of one message in order, as every rule's order is held against them."""

    def __init__(self, names: Sequence[bytes]) -> None:
        self.names = names
        self.lower = [name.lower() for name in names]
        self.present = frozenset(self.lower)


class Sequenced:
    """The order that a rule demands, as names."""

    def __init__(self, pattern: bytes) -> None:
        inner = _START.fullmatch(pattern)
        tokens = _TOKEN.findall(inner[1]) if inner else []
        self.required = [_plain(name) for _, name in tokens if name]
        self._lower = [name.lower() for name in self.required]
        self._known = {_plain(one or other).lower(): _plain(one or other) for one, other in tokens}
        self._all = frozenset(self._lower)

    def read(self, fields: Fields) -> Reading | None:
        """How a message's fields are like these; None where more than one thing is different."""
        names, lower = fields.names, fields.lower
        missing = self._all - fields.present
        if not self._all or len(missing) > 1:
            return None
        lacking = next(iter(missing), b"")
        wanted = [name for name in self._lower if name != lacking]
        found = _within(wanted, lower)
        if found is None and not lacking:
            # One field stands elsewhere.
            tries = (_within(wanted[:at] + wanted[at + 1 :], lower) for at in range(len(wanted)))
            found = next((at for at in tries if at is not None), None)
        if not found:
            return None
        between = range(found[0], found[-1] + 1)
        extra = sum(lower[at] not in self._known for at in between)
        respelt = {
            names[at]: self._known[name]
            for at, name in enumerate(lower)
            if name in self._known and names[at] != self._known[name]
        }
        if extra > (0 if lacking else EXTRA) or (lacking and respelt):
            return None
        spelt = b",".join(respelt.get(name, name) for name in names)
        return Reading(lacking, tuple(sorted(respelt.items())), b"header-order: " + spelt + b"\n")


def _plain(name: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", name)


def _within(wanted: Sequence[bytes], names: Sequence[bytes]) -> list[int] | None:
    """Places of `wanted` among `names`, in this order; None where they are not there so."""
    places, at = [], 0
    for name in wanted:
        try:
            at = names.index(name, at) + 1
        except ValueError:
            return None
        places.append(at - 1)
    return places


class Faults:
    """What the strings of one rule are read off, and which faults it forgives."""

    def __init__(self, keys: Sequence[str], patterns: Sequence[bytes], forgiven: frozenset[str]) -> None:
        self.forgiven = forgiven
        self._fields = [_fields(key, pattern) for key, pattern in zip(keys, patterns, strict=True)]
        self._keys = keys
        self._of: dict[bytes, str] = {}
        for key, pattern in zip(keys, patterns, strict=True):
            field = _FIELD.match(pattern)
            name = _plain(field[1]).lower() if field else b""
            if name and len(key) < len(self._of.get(name, key + " ")):
                self._of[name] = key

    def lost(self, fault: str) -> list[str]:
        """Strings that a message with a fault may lack."""
        if fault not in self._of.values():
            return [fault]
        whole = self._fields[self._keys.index(fault)]
        return [key for key, fields in zip(self._keys, self._fields, strict=True) if fields & whole]

    def field_of(self, place: int) -> frozenset[bytes]:
        """Lower-case names of the fields that a string is read off."""
        return self._fields[place]

    def named(self, missing: Sequence[int], fields: frozenset[bytes], *, ordered: bool) -> str:
        """The fault of a message, '' where it is none that is forgiven.

        Args:
            missing: places of the strings that it does not have.
            fields: fields that all of them are read off, and the field that is gone.
            ordered: whether its order is as the rule has it.
        """
        if ordered and len(missing) == 1:
            fault = self._keys[missing[0]]
        elif not missing and not fields:
            fault = ORDER
        else:
            fault = next((self._of[name] for name in sorted(fields) if name in self._of), ORDER)
        return fault if fault in self.forgiven else ""


def _fields(key: str, pattern: bytes) -> frozenset[bytes]:
    field = _FIELD.match(pattern)
    if field:
        return frozenset({_plain(field[1]).lower()})
    return frozenset(name.encode() for name in TRAITS.get(key, (f"trait {key}",)))
