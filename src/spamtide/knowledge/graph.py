"""The knowledge graph as frozen records, and the questions that other rooms ask of it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EntityKind = Literal["botnet", "programme", "brand", "operator"]
Trust = Literal["high", "medium", "low"]

RELATIONS: dict[str, tuple[tuple[EntityKind, ...], tuple[EntityKind, ...]]] = {
    "advertised": (("botnet",), ("brand", "programme")),
    "carried": (("botnet",), ()),
    "belongs-to": (("brand",), ("programme",)),
    "operated-by": (("botnet", "programme", "brand"), ("operator",)),
    "succeeded-by": (("botnet", "programme"), ("botnet", "programme")),
    "sister-of": (("programme",), ("programme",)),
    "resembles": (("brand", "botnet"), ("brand", "botnet")),
    "installed": (("botnet",), ("botnet",)),
    "uses": (("botnet",), ()),
}
"""Kind of relation -> kinds its subject may be, kinds its object may be (none: the object is free text)."""

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """A published stretch of time; an open side means that nothing is known about it."""

    since: dt.date | None = None
    until: dt.date | None = None

    def covers(self, day: dt.date) -> bool:
        """Whether `day` falls into the period."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def parse_period(text: str) -> Period:
    """Read '2008', '2008-11', '2008-11-25', 'A..B', 'A..' or '..B'; a coarse date means all of it.

    Raises:
        ValueError: the text is no such period, or ends before it starts.
    """
    first, dots, last = text.partition("..")
    since = _bound(first, end=False)
    until = _bound(last if dots else first, end=True)
    if since and until and until < since:
        message = f"period '{text}' ends before it starts"
        raise ValueError(message)
    return Period(since, until)


def _bound(text: str, *, end: bool) -> dt.date | None:
    """First or last day of a year, month or day."""
    if not text.strip():
        return None
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        message = f"'{text}' is no date: want YYYY, YYYY-MM or YYYY-MM-DD"
        raise ValueError(message)
    year, month = int(match[1]), int(match[2] or (12 if end else 1))
    last_day = calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 1  # noqa: PLR2004 - months of a year
    return dt.date(year, month, int(match[3] or (last_day if end else 1)))


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for an entity, and who uses it."""

    alias: str
    name: str
    source: str
    confidence: Trust


@dataclass(frozen=True, slots=True)
class Entity:
    """A botnet, programme, brand or operator."""

    name: str
    kind: EntityKind
    source: str
    """Address of the publication."""
    confidence: Trust
    aliases: tuple[Alias, ...] = ()
    period: Period = field(default_factory=Period)
    note: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Relation:
    """One published fact that ties two entities, or an entity and a theme, together."""

    kind: str
    """A key of RELATIONS."""
    subject: str
    """Name of an entity."""
    object: str
    """Name of an entity; for 'carried' and 'uses' a description."""
    source: str
    confidence: Trust
    period: Period = field(default_factory=Period)
    note: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that is publicly known, shipped and added by the user."""

    entities: Mapping[str, Entity]
    """By name, in the order of the files."""
    names: Mapping[str, str]
    """Every name and alias in lower case -> the name to use."""
    relations: tuple[Relation, ...]
    publishers: Mapping[str, str] = field(default_factory=dict)
    """Address of a publication -> who published it, where the file says so."""
    shared_hosts: frozenset[str] = frozenset()
    """Registered domains that anybody may send links to: shorteners, mail and web hosts, well-known sites."""

    @property
    def botnets(self) -> Mapping[str, Entity]:
        """The botnets by name."""
        return self._of("botnet")

    @property
    def programmes(self) -> Mapping[str, Entity]:
        """The affiliate programmes by name."""
        return self._of("programme")

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """Every alias of every entity."""
        return tuple(alias for entity in self.entities.values() for alias in entity.aliases)

    def _of(self, kind: EntityKind) -> dict[str, Entity]:
        return {name: entity for name, entity in self.entities.items() if entity.kind == kind}

    def canonical(self, name: str) -> str:
        """The name to use: aliases resolved, letter case ignored; an unknown name stays as it is."""
        return self.names.get(name.strip().casefold(), name.strip())

    def find(self, name: str) -> Entity | None:
        """The entity that goes by `name` or an alias, if any."""
        return self.entities.get(self.canonical(name))

    def about(self, name: str, day: dt.date | None = None) -> tuple[Relation, ...]:
        """Relations with `name` on either side, those whose period covers `day` if one is given."""
        wanted = self.canonical(name)
        return tuple(
            relation
            for relation in self.relations
            if wanted in (self.canonical(relation.subject), self.canonical(relation.object))
            and (day is None or relation.period.covers(day))
        )

    def said_by(self, source: str) -> str:
        """Who published a source: as the file says, else the host's name without 'www.'."""
        host = source.partition("://")[2].partition("/")[0]
        return self.publishers.get(source) or host.removeprefix("www.") or source

    def programmes_of(self, brand: str, day: dt.date | None = None) -> tuple[str, ...]:
        """Programmes that the brand is said to belong to, on `day` if one is given; several name none."""
        return self._objects("belongs-to", brand, day)

    def operators_of(self, name: str, day: dt.date | None = None) -> tuple[str, ...]:
        """Operators that a botnet, programme or brand is linked to; see the relation for who says so."""
        return self._objects("operated-by", name, day)

    def advertised_by(self, name: str, day: dt.date | None = None) -> tuple[str, ...]:
        """Botnets that are published to have advertised a brand or a programme, on `day` if one is given."""
        wanted = self.canonical(name)
        facts = self.about(wanted, day)
        return tuple(sorted({r.subject for r in facts if r.kind == "advertised" and r.object == wanted}))

    def _objects(self, kind: str, subject: str, day: dt.date | None) -> tuple[str, ...]:
        wanted = self.canonical(subject)
        return tuple(
            sorted({r.object for r in self.about(wanted, day) if r.kind == kind and r.subject == wanted})
        )
