"""Where a link leads that a filter has rewritten: a campaign's links are the same behind every gateway."""

from __future__ import annotations

import re
from urllib.parse import unquote

_PARAMETER = re.compile(
    r"[?&](?:u|url|q|a|target|redirect)=(https?(?:%3a|-3a|:)(?:%2f|_|-2f|/){2}[^&]*)", re.IGNORECASE
)
"""A whole address as a parameter, as most rewriters and redirectors have it."""
_BETWEEN = re.compile(r"/v3/__(?=https?:/)", re.IGNORECASE)
"""Where an address begins that stands between underscores."""
_ESCAPED = re.compile(r"-([0-9A-Fa-f]{2})")
MOST_LAYERS = 3
"""Rewriters one after another that are looked through."""


def target(link: str) -> str:
    """The address inside a rewritten or redirected link, or the link itself. Linear in the link."""
    for _ in range(MOST_LAYERS):
        if link.find("http", 8) < 0:
            return link
        inner = _inner(link)
        if inner is None:
            return link
        if "://" not in inner and "%" not in inner:  # '-3A__' for '://'
            inner = _ESCAPED.sub(r"%\1", inner).replace("_", "/")
        link = unquote(inner)
    return link


def _inner(link: str) -> str | None:
    """The whole address that a link holds, as it is written there; of two the first."""
    parameter, between = _PARAMETER.search(link), _BETWEEN.search(link)
    end = link.find("__;", between.end()) if between else -1
    if between and end >= 0 and (parameter is None or between.start() < parameter.start()):
        return link[between.end() : end]
    return parameter[1] if parameter else None
