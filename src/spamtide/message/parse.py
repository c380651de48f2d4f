"""Bytes to Message: the header scan, the MIME tree, then text, HTML and links, each within its bound."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from itertools import chain

from spamtide.message.charset import decode_text, decode_words
from spamtide.message.header import Scan, scan_headers, single_line_ends, without_lead
from spamtide.message.html import NO_PAGE, read_html
from spamtide.message.mime import Leaf, read_body
from spamtide.message.text import drop_unseen, tidy_lines, tidy_words
from spamtide.message.url import first_distinct, urls_in_text
from spamtide.model import Message, Part
from spamtide.settings import Limits

HTML = "text/html"
SHOWN = frozenset({HTML, "text/plain", "text/enriched", "text/richtext"})
"""Types of the leaves that are shown as text."""
SUBJECT_CHARS = 1000
NAME_CHARS = 200
BYTES_A_CHARACTER = 4
"""The most that a character takes in any charset of mail."""
ESCAPE = "\x1b"
"""With it begin the characters of ISO-2022-JP and its kin, which are ASCII to the eye of a scanner."""
_HIGH = re.compile("[\x80-\xff]+")
_DEFAULTS = Limits()


def parse(data: bytes, limits: Limits = _DEFAULTS) -> Message:
    """Say what the bytes of one message hold.

    Total: any bytes give a Message, within the bounds of `limits`; what is wrong is named in `defects`, by
    names of `DEFECTS`. Text is decoded and tidied; headers are as the sender wrote them.
    """
    defects: set[str] = set()
    try:
        return _parse(data, limits, defects)
    except Exception:  # noqa: BLE001 - the promise is total; the fault is named and the message kept
        return replace(_nothing("internal"), size=len(data))


def _nothing(defect: str) -> Message:
    """A message of which nothing can be said but one defect."""
    return Message((), "", "", "", "", (), "", "", "", "", (), 0, (defect,), "none")


def _parse(data: bytes, limits: Limits, defects: set[str]) -> Message:
    """As `parse`, as long as nothing here is wrong."""
    size = len(data)
    if not data:
        return _nothing("empty")
    if b"\0" in data:
        defects.add("nul")
    data = without_lead(single_line_ends(data))
    scan = scan_headers(data, limits, defects)
    body = read_body(scan, data[scan.body : scan.body + limits.body_bytes + 1], limits, defects)
    shown = [leaf for leaf in body.leaves if leaf.content_type in SHOWN and not leaf.attached]
    first = shown[0] if shown else None
    plain = _decoded([leaf for leaf in shown if leaf.content_type != HTML], limits.text_chars, defects)
    plain = _bounded(drop_unseen(tidy_lines(plain), defects), limits.text_chars, "text-too-long", defects)
    html = _decoded([leaf for leaf in shown if leaf.content_type == HTML], limits.html_chars, defects)
    html = _bounded(html, limits.html_chars, "html-too-long", defects)
    page = read_html(html, limits.links, defects) if html else NO_PAGE
    visible = drop_unseen(page.text, defects)
    text = _bounded(_joined(plain, visible), limits.text_chars, "text-too-long", defects)
    urls = chain(urls_in_text(plain), page.urls, urls_in_text(visible))
    return Message(
        headers=scan.headers,
        subject=_one_line(_read_as(scan, data, first.charset if first else ""), defects)[:SUBJECT_CHARS],
        text=text,
        html=html,
        hidden=drop_unseen(page.hidden, defects)[: limits.text_chars],
        links=first_distinct(urls, limits.links, defects),
        layout=body.layout,
        charset=first.charset if first else "",
        encoding=first.encoding if first else "",
        boundary=body.boundary,
        parts=tuple(_part(leaf, defects) for leaf in body.leaves if leaf not in shown),
        size=size,
        defects=tuple(sorted(defects)),
        parser=body.parser,
    )


def _decoded(leaves: list[Leaf], chars: int, defects: set[str]) -> str:
    """Texts of leaves, one under the other. No more bytes are decoded than `chars` characters can need."""
    texts: list[str] = []
    for leaf in leaves:
        if chars <= 0:
            break
        content = leaf.content
        if len(content) > BYTES_A_CHARACTER * chars:
            content = content[: BYTES_A_CHARACTER * chars]
        text = decode_text(content, leaf.charset, defects)
        chars -= len(text)
        texts.append(text)
    return "\n".join(texts)


def _bounded(text: str, chars: int, defect: str, defects: set[str]) -> str:
    """Text cut to a bound; the cut is named."""
    if len(text) <= chars:
        return text
    defects.add(defect)
    return text[:chars]


def _joined(plain: str, visible: str) -> str:
    """Plain text, then those lines of the HTML that hold a word which the plain text does not.

    Spam often carries an innocent plain alternative beside the HTML that readers are shown; both are what a
    reader may see, and what both say is wanted once.
    """
    if not plain or not visible:
        return plain or visible
    known = set(plain.split())
    new = [line for line in visible.split("\n") if not known.issuperset(line.split())]
    return "\n".join([plain, *new])


def _read_as(scan: Scan, data: bytes, charset: str) -> str:
    """The subject, in the charset of the text where its bytes are neither encoded nor UTF-8."""
    value = scan.first("subject")
    if value.isascii() and ESCAPE not in value:
        return value
    try:
        raw = value.encode("latin-1")
    except UnicodeEncodeError:
        return value
    high = _HIGH.search(value)
    if high and high[0].encode() in data[: scan.body]:
        return value  # it was UTF-8
    unread: set[str] = set()
    text = decode_text(raw, charset, unread)
    return value if unread else text


def _one_line(value: str, defects: set[str]) -> str:
    """A header value or a file name, decoded, on one line."""
    return drop_unseen(tidy_words(decode_words(value, defects)), defects)


def _part(leaf: Leaf, defects: set[str]) -> Part:
    """What is kept of a leaf that is not shown as text."""
    name = _one_line(leaf.name, defects)[:NAME_CHARS]
    return Part(leaf.content_type, name, len(leaf.content), hashlib.sha256(leaf.content).hexdigest())
