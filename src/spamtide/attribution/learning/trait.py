"""Habits of a face that no single header line shows, from the traits line."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from spamtide.attribution.learning.field import MANY_MACHINES, Bound, Element, is_drawn, values_of
from spamtide.attribution.learning.grammar import literal
from spamtide.attribution.learning.order import Face

MACHINE_HOSTS = frozenset({"literal", "name", "domain", "none"})
"""Forms of what an engine writes that asks its machine for its name."""


def traits_of(face: Face, machines: int) -> Iterator[Element]:
    """Habits that no single line shows, from the traits line."""
    hosts = values_of(face, "id-host")
    if hosts and hosts <= {"none", "relay"}:
        hosts = {"none", "relay"}  # some servers add a Message-ID, and some do not
    elif hosts & MACHINE_HOSTS and len(hosts - MACHINE_HOSTS) <= 1 and not _draws_hosts(face, machines):
        yield from _machine_hosts(hosts, machines)
        hosts = set()
    if hosts and len(hosts) <= 2:  # noqa: PLR2004 - more forms are none
        yield _trait("id_host", f"id-host={_any(hosts)} ", "engine", 0.25)
    clocks = values_of(face, "clock")
    if len(clocks) == 1 and clocks != {"none"}:
        yield _trait("clock", f"[^\\n]{{0,40}}clock={_any(clocks)} ", "engine", 0.25)
    folds = values_of(face, "fold")
    if len(folds) == 1:
        yield _trait(
            "fold", f"[^\\n]{{0,80}}fold={_any(folds)} ", "engine", 0.0 if folds == {"none"} else 0.25
        )
    helos = values_of(face, "helo") - {"none"}
    if len(helos) == 1:
        yield _trait("helo", f"[^\\n]{{0,60}}helo={_any({*helos, 'none'})} ", "machine", 0.25)
    layouts = values_of(face, "layout")
    if layouts and len(layouts) <= 2:  # noqa: PLR2004 - more layouts are the templates'
        yield _trait("layout", f"[^\\n]{{0,100}}layout={_any(layouts)} ", "template", 0.25)


def _machine_hosts(hosts: set[str], machines: int) -> Iterator[Element]:
    """That it writes its machine's name is the engine's habit; what kind of name that is, the machine's."""
    told = 0.25 if hosts <= MACHINE_HOSTS else 0.0
    if machines >= MANY_MACHINES:
        yield _trait("id_host", f"id-host={_any(hosts)} ", "engine", told)
        return
    yield _trait("id_host", f"id-host={_any(hosts | MACHINE_HOSTS)} ", "engine", told)
    yield _trait("id_host_form", f"id-host={_any(hosts)} ", "machine", 0.25)


def _draws_hosts(face: Face, machines: int) -> bool:
    """Whether the right sides of Message-IDs change from message to message."""
    found = [
        value.rpartition("@")[2]
        for layout in face.layouts
        for name, value in layout.headers.items()
        if name.lower() == "message-id"
    ]
    return is_drawn(found, machines)


def _any(values: Collection[str]) -> str:
    parts = [literal(value) for value in sorted(values)]
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


def _trait(key: str, body: str, bound: Bound, telling: float) -> Element:
    return Element(key, f"/traits: {body}/", bound, telling)
