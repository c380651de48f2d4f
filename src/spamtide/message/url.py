"""http(s) addresses in text and HTML, with the damage that mail does to them undone.

Linear by design: text is searched for fixed strings ('://' and 'www.'), never with a pattern that starts
anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from spamtide.compiled import native

URL_CHARS = 2000
"""Characters of one address that are kept."""

_TEXT_END = re.compile(r"[\s<>\"'`{}|\\^\u00a0\u3000\uff1e\u201c\u201d\u3002\uff0c]")
_TRAILING = ".,;:!?*'\")]}>"
_PLAIN_URL = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(?:[/?#][!-\[\]-~]*)?\Z")
"""An address with nothing to undo."""
_SCHEME = re.compile(r"\s*(https?):[/\\]*", re.IGNORECASE)
_SPACE = re.compile(r"[\t\n\r\f\v\x00-\x08\x0e-\x1f\x7f]+")
_AUTHORITY_END = re.compile(r"[/?#\\]")


def urls_in_text(text: str) -> list[str]:
    """Addresses in plain text, in order: those with a scheme, and bare ones that begin with 'www.'."""
    if native:
        return native.urls_in_text(text, _clean_written)
    urls: list[str] = []
    end = 0
    for start in _starts(text):
        if start < end:
            continue  # an address inside an address
        found = _TEXT_END.search(text, start, start + URL_CHARS)
        end = found.start() if found else start + URL_CHARS
        urls.append(_clean_written(_trim(text[start:end])))
    return [url for url in urls if url]


def _clean_written(raw: str) -> str:
    """One address as it stands in a text, cleaned; '' when it is none."""
    return clean_url(raw.replace("&amp;", "&"))


def _starts(text: str) -> list[int]:
    """Offsets at which an address begins, in order."""
    found: list[int] = []
    position = text.find("://")
    while position >= 0:
        for scheme in ("https", "http"):
            start = position - len(scheme)
            if start >= 0 and text[start:position].lower() == scheme:
                found.append(start)
                break
        position = text.find("://", position + 3)
    for marker in ("www.", "WWW."):
        position = text.find(marker)
        while position >= 0:
            if position == 0 or not (text[position - 1].isalnum() or text[position - 1] in "/.@-_="):
                found.append(position)
            position = text.find(marker, position + 4)
    found.sort()
    return found


def _trim(raw: str) -> str:
    """Leave out punctuation that closes a sentence; keep a bracket that the address itself opened."""
    stripped = raw.rstrip(_TRAILING)
    closing = raw.count(")") - raw.count("(") if ")" in raw[len(stripped) :] else 0
    end = len(raw)
    while end > len(stripped):
        if raw[end - 1] == ")":
            if closing <= 0:
                break
            closing -= 1
        end -= 1
    return raw[:end]


def clean_url(raw: str) -> str:
    """One address as a browser would read it, or '' when it is none.

    Undone: quoted-printable leftovers ('=3D'), white space and control characters inside, backslashes for
    slashes. Scheme and host come out in lower case; a missing scheme becomes http.
    """
    if _PLAIN_URL.match(raw) and "=3" not in raw:
        return raw[:URL_CHARS]
    raw = _SPACE.sub("", raw[: 2 * URL_CHARS]).strip()
    if "=3" in raw:
        raw = raw.replace("=3D", "=").replace("=3d", "=")
    match = _SCHEME.match(raw)
    if match:
        scheme, rest = match[1].lower(), raw[match.end() :]
    elif raw[:4].lower() == "www.":
        scheme, rest = "http", raw
    else:
        return ""
    end = _AUTHORITY_END.search(rest)
    authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    userinfo, at, host = authority.rpartition("@")
    host = host.lower().rstrip(".")
    if not host or " " in host or host[0] in ".:-":
        return ""
    return f"{scheme}://{userinfo}{at}{host}{path.replace(' ', '%20')}"[:URL_CHARS]


def first_distinct(urls: Iterable[str], bound: int, defects: set[str]) -> tuple[str, ...]:
    """The first `bound` different addresses, in order."""
    seen: dict[str, None] = {}
    for url in urls:
        if url in seen:
            continue
        if len(seen) >= bound:
            defects.add("too-many-links")
            break
        seen[url] = None
    return tuple(seen)
