"""SVG for a page: the renderer's output with stable ids, a name for screen readers and nothing active."""

from __future__ import annotations

import html
import re
import unicodedata

_SIZE = re.compile(r'<svg ([^>]*?)width="(\d+(?:\.\d+)?)" height="(\d+(?:\.\d+)?)"')
_ACTIVE = re.compile(r"<(script|foreignObject|iframe|image|a)\b|\son\w+=|javascript:", re.IGNORECASE)


def clean_text(text: str, length: int = 200) -> str:
    """Text fit for a page: no control characters, no marks that turn the reading direction, bounded."""
    kept = []
    for char in text[: 8 * length]:
        category = unicodedata.category(char)
        if category in {"Cc", "Zl", "Zp"}:
            kept.append(" ")
        elif not category.startswith("C"):
            kept.append(char)
    line = " ".join("".join(kept).split())
    return line if len(line) <= length else f"{line[: length - 3].rstrip()}..."


def embed(svg: str, name: str, label: str) -> str:
    """Make an SVG embeddable: ids that belong to `name`, a label, the width of its surroundings.

    Raises:
        ValueError: the SVG holds something active, which the renderer never writes.
    """
    if _ACTIVE.search(re.sub(r">[^<]*<", "><", svg)):
        message = f"the {name} chart holds active content"
        raise ValueError(message)
    renamed: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        return renamed.setdefault(match[0], f"{name}-clip-{len(renamed) + 1}")

    stable = re.sub(r'(?<=id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))', rename, svg)
    shown = html.escape(clean_text(label, 600), quote=True)

    def sized(match: re.Match[str]) -> str:
        # Visible: a reader's font may be wider than the one that the renderer measured labels in.
        style = f"width:100%;max-width:{match[2]}px;height:auto;overflow:visible"
        return f'<svg {match[1]}role="img" aria-label="{shown}" style="{style}"'

    return _SIZE.sub(sized, stable, count=1)
