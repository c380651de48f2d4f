"""Read `knowledge.yaml`: strict, with file, line and reason for everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

from spamtide.errors import SettingsError
from spamtide.knowledge.graph import (
    RELATIONS,
    Alias,
    Entity,
    EntityKind,
    Knowledge,
    Period,
    Relation,
    Trust,
    parse_period,
)

KNOWLEDGE_FILE = "knowledge.yaml"
SHIPPED = Path(__file__).parent / KNOWLEDGE_FILE
SHIPPED_SIGNATURES = Path(__file__).parent / "signatures"
"""Folder of the shipped signature files."""

MAX_BYTES = 4 * 2**20
"""A knowledge file is written by people; a larger one is a mistake."""

_SECTIONS: dict[str, EntityKind] = {
    "botnets": "botnet",
    "programmes": "programme",
    "brands": "brand",
    "operators": "operator",
}
_TRUST: dict[str, Trust] = {"high": "high", "medium": "medium", "low": "low"}
_ENTITY_KEYS = {"aliases", "alias_source", "period", "source", "confidence", "note"}
_RELATION_KEYS = {"kind", "subject", "object", "period", "source", "confidence", "note"}
_TOP_KEYS = {*_SECTIONS, "sources", "relations", "replace", "shared_hosts"}
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")

Scalar = tuple[str, int]
"""A scalar as written, and its line."""


def load_knowledge(path: Path | None = None) -> Knowledge:
    """The shipped knowledge, with the user's file over it.

    An entity of the user's file takes the place of a shipped one of the same name; relations are added.
    `replace: true` at the top of the file leaves the shipped knowledge out. A file that does not exist
    means the shipped knowledge alone, as for `spamtide.toml`.

    Args:
        path: an observatory's knowledge.yaml; None for the shipped one.

    Raises:
        SettingsError: a file is not YAML or breaks a rule of the format; the message names file and line.
    """
    shipped = _shipped()
    if path is None or not path.exists():
        return shipped.knowledge()
    return _File(path).read(base=shipped).knowledge()


@cache
def _shipped() -> _File:
    """The shipped file, read once a process."""
    return _File(SHIPPED).read(base=None)


class _File:
    """One knowledge file while it is read: entities and relations found so far, and where."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sources: dict[str, str] = {}
        self.publishers: dict[str, str] = {}
        self.shared_hosts: set[str] = set()
        self.entities: dict[str, Entity] = {}
        self.relations: list[Relation] = []

    def knowledge(self) -> Knowledge:
        """The result, with aliases resolved. A name proper always wins over another entity's alias."""
        names: dict[str, str] = {}
        for entity in self.entities.values():
            for alias in entity.aliases:
                names.setdefault(alias.alias.casefold(), entity.name)
        names.update({name.casefold(): name for name in self.entities})
        shared = frozenset(self.shared_hosts)
        return Knowledge(dict(self.entities), names, tuple(self.relations), dict(self.publishers), shared)

    def read(self, base: _File | None) -> _File:
        """Read the file over `base`."""
        top = self._mapping(self._compose(), "the file")
        self._known(top, _TOP_KEYS, "the file")
        replace = "replace" in top and self._scalar(top["replace"][0], "replace")[0].lower() == "true"
        if base is not None:
            self.sources.update(base.sources)
            self.publishers.update(base.publishers)
            self.shared_hosts.update(base.shared_hosts)
            if not replace:
                self.entities.update(base.entities)
                self.relations.extend(base.relations)
        for key, (node, line) in self._section(top, "sources").items():
            self._source(key, node, line)
        if "shared_hosts" in top:
            for item in self._items(top["shared_hosts"][0], "shared_hosts"):
                self._shared_host(*self._scalar(item, "shared_hosts"))
        for section, kind in _SECTIONS.items():
            self._entities(self._section(top, section), kind)
        names = self.knowledge().names
        if "relations" in top:
            for item in self._items(top["relations"][0], "relations"):
                self.relations.append(self._relation(item, names))
        return self

    def _source(self, key: str, node: object, line: int) -> None:
        """A short name for a publication: its address, or a mapping of that and who published it."""
        fields = {"address": (node, line)} if _is_scalar(node) else self._mapping(node, f"source '{key}'")
        self._known(fields, {"address", "by"}, f"source '{key}'")
        if "address" not in fields:
            self._fail(line, f"source '{key}' has no 'address'")
        address = self._address(self._scalar(fields["address"][0], key)[0], line)
        self.sources[key] = address
        if "by" in fields:
            self.publishers[address] = self._scalar(fields["by"][0], "by")[0]

    def _shared_host(self, text: str, line: int) -> None:
        """A registered domain; '-' in front takes a shipped one off the list."""
        host = text.removeprefix("-").lower()
        if not _DOMAIN.fullmatch(host):
            self._fail(line, f"'{text}' is no domain: write example.org, without scheme or path")
        (self.shared_hosts.discard if text.startswith("-") else self.shared_hosts.add)(host)

    def _section(self, top: dict[str, tuple[object, int]], name: str) -> dict[str, tuple[object, int]]:
        """A section of the file; a missing one is empty."""
        return self._mapping(top[name][0], name) if name in top else {}

    def _entities(self, section: dict[str, tuple[object, int]], kind: EntityKind) -> None:
        for name, (body, line) in section.items():
            if not name:
                self._fail(line, f"a {kind} has no name")
            other = next((e for e in self.entities.values() if e.name.casefold() == name.casefold()), None)
            if other is not None and other.file == str(self.path):
                self._fail(line, f"'{name}' is already a {other.kind} (line {other.line})")
            if other is not None:
                del self.entities[other.name]
            self.entities[name] = self._entity(name, kind, body, line)

    def _entity(self, name: str, kind: EntityKind, node: object, line: int) -> Entity:
        fields = self._mapping(node, f"{kind} '{name}'")
        self._known(fields, _ENTITY_KEYS, f"{kind} '{name}'")
        source, confidence, period, note = self._fact(fields, line, f"{kind} '{name}'")
        alias_source = source
        if "alias_source" in fields:
            text, at = self._scalar(fields["alias_source"][0], "alias_source")
            alias_source = self._address(text, at)
        aliases = []
        if "aliases" in fields:
            for item in self._items(fields["aliases"][0], "aliases"):
                text, at = self._scalar(item, "alias")
                if text.casefold() == name.casefold() or not text:
                    self._fail(at, f"alias '{text}' of '{name}' says nothing new")
                aliases.append(Alias(text, name, alias_source, confidence))
        return Entity(name, kind, source, confidence, tuple(aliases), period, note, str(self.path), line)

    def _relation(self, node: object, names: Mapping[str, str]) -> Relation:
        line = _line(node)
        fields = self._mapping(node, "a relation")
        self._known(fields, _RELATION_KEYS, "a relation")
        for key in ("kind", "subject", "object"):
            if key not in fields:
                self._fail(line, f"the relation has no '{key}'")
        kind, at = self._scalar(fields["kind"][0], "kind")
        if kind not in RELATIONS:
            self._fail(at, f"no such relation '{kind}'; known: {', '.join(sorted(RELATIONS))}")
        subjects, objects = RELATIONS[kind]
        subject = self._end(fields["subject"][0], subjects, names)
        thing = self._end(fields["object"][0], objects, names)
        source, confidence, period, note = self._fact(fields, line, f"relation {subject} {kind} {thing}")
        return Relation(kind, subject, thing, source, confidence, period, note, str(self.path), line)

    def _end(self, node: object, kinds: tuple[EntityKind, ...], names: Mapping[str, str]) -> str:
        """One end of a relation: the name of an entity of a fitting kind, or free text."""
        text, line = self._scalar(node, "an end of the relation")
        if not kinds:
            return text
        name = names.get(text.casefold())
        if name is None:
            self._fail(line, f"'{text}' is not among the entities; add it, or correct its spelling")
        elif self.entities[name].kind not in kinds:
            self._fail(line, f"'{name}' is a {self.entities[name].kind}, wanted {' or '.join(kinds)}")
        return name

    def _fact(
        self, fields: dict[str, tuple[object, int]], line: int, what: str
    ) -> tuple[str, Trust, Period, str]:
        """What every fact has: source, confidence, period and note."""
        for key in ("source", "confidence"):
            if key not in fields:
                self._fail(line, f"{what} has no '{key}'")
        text, at = self._scalar(fields["source"][0], "source")
        source = self._address(text, at)
        text, at = self._scalar(fields["confidence"][0], "confidence")
        if text not in _TRUST:
            self._fail(at, f"confidence '{text}' is not one of high, medium, low")
        period = Period()
        if "period" in fields:
            written, place = self._scalar(fields["period"][0], "period")
            try:
                period = parse_period(written)
            except ValueError as error:
                self._fail(place, str(error))
        note = self._scalar(fields["note"][0], "note")[0] if "note" in fields else ""
        return source, _TRUST[text], period, note

    def _address(self, text: str, line: int) -> str:
        """A source: an address, or a key of `sources`."""
        if text in self.sources:
            return self.sources[text]
        if not text.startswith(("https://", "http://")):
            self._fail(line, f"source '{text}' is neither an address nor a key of 'sources'")
        return text

    # ------------------------------------------------------------------ YAML nodes

    def _compose(self) -> object:
        import yaml

        try:
            data = self.path.read_bytes()
        except OSError as error:
            message = f"{self.path}: cannot be read: {error}"
            raise SettingsError(message) from error
        if len(data) > MAX_BYTES:
            self._fail(1, f"larger than {MAX_BYTES} bytes")
        # Nodes, not values: they know their lines, and no YAML tag is ever acted upon.
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        try:
            node: object = yaml.compose(data.decode("utf-8"), Loader=loader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or str(error).splitlines()[0]
            self._fail(mark.line + 1 if mark else 1, f"not valid YAML: {reason}")
        return yaml.MappingNode("tag:yaml.org,2002:map", []) if node is None else node

    def _mapping(self, node: object, what: str) -> dict[str, tuple[object, int]]:
        """Key -> (value node, line of the key)."""
        import yaml

        if not isinstance(node, yaml.MappingNode):
            self._fail(_line(node), f"{what} should be a mapping (key: value)")
        found: dict[str, tuple[object, int]] = {}
        for key, value in node.value:
            name, line = self._scalar(key, "a key")
            if name in found:
                self._fail(line, f"'{name}' stands twice in {what}")
            found[name] = (value, line)
        return found

    def _items(self, node: object, what: str) -> Iterator[object]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            self._fail(_line(node), f"{what} should be a list")
        yield from node.value

    def _scalar(self, node: object, what: str) -> Scalar:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            self._fail(_line(node), f"{what} should be a single value")
        return str(node.value).strip(), _line(node)

    def _known(self, fields: dict[str, tuple[object, int]], known: set[str], what: str) -> None:
        for key, (_, line) in fields.items():
            if key not in known:
                self._fail(line, f"{what} has no field '{key}'; known: {', '.join(sorted(known))}")

    def _fail(self, line: int, reason: str) -> NoReturn:
        message = f"{self.path}:{line}: {reason}"
        raise SettingsError(message)


def _is_scalar(node: object) -> bool:
    import yaml

    return isinstance(node, yaml.ScalarNode)


def _line(node: object) -> int:
    """Line of a YAML node, counted from 1."""
    mark = getattr(node, "start_mark", None)
    return mark.line + 1 if mark is not None else 1
