"""Where a link leads that a filter has rewritten: a campaign's links are the same behind every gateway."""

from __future__ import annotations

import re
from urllib.parse import unquote

_WRAPPED = re.compile(
    r"[?&](?:u|url|q|a|target|redirect)=(https?(?:%3a|-3a|:)(?:%2f|_|-2f|/){2}[^&]*)|/v3/__(https?:/{1,2}.*?)__;",
    re.IGNORECASE,
)
"""A whole address as a parameter, as most rewriters and redirectors have it, or between underscores."""
_ESCAPED = re.compile(r"-([0-9A-Fa-f]{2})")
MOST_LAYERS = 3
"""Rewriters one after another that are looked through."""


def target(link: str) -> str:
    """The address inside a rewritten or redirected link, or the link itself."""
    for _ in range(MOST_LAYERS):
        if link.find("http", 8) < 0:
            return link
        found = _WRAPPED.search(link)
        if not found:
            return link
        inner = found[1] or found[2]
        if "://" not in inner and "%" not in inner:  # '-3A__' for '://'
            inner = _ESCAPED.sub(r"%\1", inner).replace("_", "/")
        link = unquote(inner)
    return link
