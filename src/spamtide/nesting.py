"""What lexbor must not be given: elements nested so deep that it takes quadratic time, and two references."""

from __future__ import annotations

import re
from html.entities import html5

DEPTH = 512
"""Open elements that are laid out, as in Chromium."""
FEW_TAGS = 2000
"""Fewer tags than this cannot be nested deep enough to cost time, and their depth is not counted."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset(
    {"br", "img", "hr", "input", "meta", "link", "area", "base", "col", "embed", "param", "wbr"}
)


_GROWING = {f"&{name}": html5[name] for name in ("nGt;", "nLt;")}


def spelt_out(source: str) -> str:
    """HTML with the two references that stand for more bytes than they have as the characters they stand for.

    lexbor (of selectolax 1.0.2) makes no room for the byte that each of them grows by, and writes beyond the
    end of its buffer.
    """
    for reference, characters in _GROWING.items():
        if reference in source:
            source = source.replace(reference, characters)
    return source


def too_deep(source: str) -> bool:
    """Whether an HTML text would cost too much to lay out; linear."""
    return source.count("<") > FEW_TAGS and _depth(source) > DEPTH


def _depth(source: str) -> int:
    """Upper bound on the elements open at one time, counting each end tag against a start tag of its name."""
    open_now: dict[str, int] = {}
    depth = deepest = 0
    for slash, name in _TAG.findall(source.lower()):
        if name in _VOID:
            continue
        count = open_now.get(name, 0)
        if not slash:
            open_now[name] = count + 1
            depth += 1
            deepest = max(deepest, depth)
        elif count:
            open_now[name] = count - 1
            depth -= 1
    return deepest
