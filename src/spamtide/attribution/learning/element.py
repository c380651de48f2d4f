"""What the headers of one face of an engine have in common, as patterns: one element a habit.

A *hard* element is the engine's: no new template and no other machine changes it. A *soft* one held for all
lab mail too, but may belong to the templates or to the machines that the lab happened to see; mail without it
is not refused, it is doubted, by how few templates or machines stand behind it (see `skeleton`). What a
machine keeps to is taken for the machine's until MANY_MACHINES keep to the same: its name, its language, the
build of its mail program, what an administrator set. What changes from message to message on one machine is
the engine's or the template's.
"""

from __future__ import annotations

from collections.abc import Collection

from spamtide.attribution.learning.field import Element, Field, mask, values_of
from spamtide.attribution.learning.habit import READERS, any_other
from spamtide.attribution.learning.layout import machines_of
from spamtide.attribution.learning.order import Face
from spamtide.attribution.learning.trait import traits_of

MAX_VALUE = 400
"""Longer values hold no grammar that a person would read."""


def elements_of(face: Face, unless: Collection[str]) -> list[Element]:
    """Every habit of a face, the most telling kinds first."""
    machines = machines_of(face.layouts)
    found: list[Element] = list(traits_of(face, machines))
    for name in face.required(unless):
        having = [layout for layout in face.layouts if name in layout.headers]
        values = [layout.headers[name] for layout in having]
        if not values or max(map(len, values)) > MAX_VALUE:
            continue
        owners = [layout.machine for layout in having]
        reader = READERS.get(name.lower(), any_other)
        masks = [mask(layout.helo, layout.machine) for layout in having]
        found.extend(reader(Field(name, values, machines, owners, values_of(face, "id-host"), masks)))
    keys = [element.key for element in found]
    unique = [element for place, element in enumerate(found) if element.key not in keys[:place]]
    return sorted(unique, key=lambda element: (-element.telling, element.key))
