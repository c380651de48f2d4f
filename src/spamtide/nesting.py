"""What lexbor must not be given: nesting or attributes that cost it quadratic time, and two references."""

from __future__ import annotations

import re
from html.entities import html5

DEPTH = 512
"""Open elements that are laid out, as in Chromium."""
FEW_TAGS = 2000
"""Fewer tags than this cannot be nested deep enough to cost time, and their depth is not counted."""
MOST_ATTRIBUTES = 256
"""Of one tag. lexbor holds each against all before it: 100,000 of them take it a minute."""

_ATTRIBUTE = (
    r"[ \t\n\f\r/]*+[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+"
    r"(?:[ \t\n\f\r]*+=[ \t\n\f\r]*+(?:\"[^\"]*+\"|'[^']*+'|[^ \t\n\f\r>]*+))?+"
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_LONG_TAG = re.compile(rf"<[a-zA-Z/][^>]{{{2 * MOST_ATTRIBUTES}}}")
_QUOTED_END = re.compile(r"""=[ \t\n\f\r]*+(?:"[^">]*+>|'[^'>]*+>)""")
_WITH_ATTRIBUTES = re.compile(
    # Comments, and what holds no tags, are passed over.
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(?P<raw>script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[ \t\n\f\r/>])"
    rf"(?P<its>(?:{_ATTRIBUTE})*+)"
    r"[^>]*+>.*?(?:</(?P=raw)|\Z)"
    rf"|</?[a-z][^ \t\n\f\r/>]*+(?P<held>(?:{_ATTRIBUTE})*+)",
    re.IGNORECASE | re.DOTALL,
)
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
    """Whether an HTML text would cost too much to lay out: nested, or one tag's attributes; linear."""
    return (source.count("<") > FEW_TAGS and _depth(source) > DEPTH) or _too_wide(source)


def _too_wide(source: str) -> bool:
    """Whether a tag has more than MOST_ATTRIBUTES."""
    # Each takes two characters; a tag goes on behind a '>' only where quotes hold it.
    if not _LONG_TAG.search(source) and not _QUOTED_END.search(source):
        return False
    for found in _WITH_ATTRIBUTES.finditer(source):
        held = found["held"] or found["its"] or ""
        if len(held) > 2 * MOST_ATTRIBUTES and len(_ATTRIBUTES.findall(held)) > MOST_ATTRIBUTES:
            return True
    return False


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
