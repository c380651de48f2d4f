"""The MIME tree of a message as a flat list of leaves.

fast-mail-parser (Rust) reads it first, the standard library after it where the first refuses or is known to
be wrong; a body of one part needs neither. Both are given a message of our own making: the header fields that
our scan found to govern the body, and the body cut to the bounds. So both see the same structure, and neither
can lose a message over a header that it dislikes. Leaves come back as bytes; text is decoded in one place
(`charset`), whichever parser gave it.
"""

from __future__ import annotations

import binascii
import email
import email.message
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from fast_mail_parser import ParseError, parse_email_tree

from spamtide.message.header import Scan
from spamtide.settings import Limits

DASHED_LINES = 5000
"""Lines that begin with '--' (as boundaries do) that are given to a parser."""
STDLIB_LINES = 60_000
"""Lines that are given to the standard library, whose parser takes a microsecond or more for each."""
LAYOUT_CHARS = 500
KEPT_CHARS = 300
"""A longer value is read anew each time: what is kept of hostile mail stays small."""

ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "quoted-printable", "base64"})
"""Content-Transfer-Encodings of RFC 2045; fast-mail-parser knows no others."""

_GOVERNING = ("content-type", "content-transfer-encoding", "content-disposition")
COMPOSITE = frozenset({"multipart", "message/r", "message/d", "message/p", "message/e"})
"""Beginnings of the types whose bodies hold parts."""
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|\Z)")
_OTHER_NAME = b"ToldApartBySpamtide"
_SPACE_BYTES = b" \t\r\n"
_BASE64_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,64})\s*/\s*([A-Za-z0-9!#$&^_.+-]{1,64})")
_PARAMETER = {
    name: re.compile(rf"[;\s]{name}\s*=\s*(?:\"([^\"]*)\"?|([^\s;\"]+))", re.IGNORECASE)
    for name in ("boundary", "charset", "name", "filename")
}


@dataclass(slots=True)
class Leaf:
    """One part that holds no parts."""

    content_type: str
    """'type/subtype' in lower case; 'text/plain' when none or a broken one is claimed."""
    charset: str
    encoding: str
    """As written; '' when there is none."""
    attached: bool
    name: str
    content: bytes
    """Transfer encoding undone."""


@dataclass(slots=True)
class Body:
    """The MIME structure of one message."""

    layout: str = "text/plain"
    boundary: str = ""
    leaves: list[Leaf] = field(default_factory=list)
    parser: Literal["fast", "stdlib", "none"] = "none"


class _Node(NamedTuple):
    """A node of either parser's tree, in one shape."""

    header: Mapping[str, str]
    """Header fields by lower-case name, the first of each."""
    name: str
    children: Sequence[Any]
    """Nodes of the parser's own kind."""
    content: Callable[[], bytes]
    """Bytes of a leaf, transfer encoding undone; raises ParseError where that fails."""


class _Doubtful(Exception):  # noqa: N818 - not an error: the fast parser's answer is not to be trusted here
    """The fast parser may have got this structure wrong."""


def parameter(value: str, name: str) -> str:
    """A parameter of a Content-Type value, as written; '' when there is none."""
    return _parameter(value, name) if len(value) <= KEPT_CHARS else _parameter.__wrapped__(value, name)


@lru_cache(maxsize=4096)
def _parameter(value: str, name: str) -> str:
    match = _PARAMETER[name].search(value)
    return (match[1] or match[2] or "") if match else ""


def media_type(value: str, defects: set[str]) -> str:
    """'type/subtype' in lower case; what has no such form counts as text/plain (RFC 2045 section 5.2)."""
    kind, broken = _media_type(value) if len(value) <= KEPT_CHARS else _media_type.__wrapped__(value)
    if broken:
        defects.add("content-type")
    return kind


@lru_cache(maxsize=4096)
def _media_type(value: str) -> tuple[str, bool]:
    """The type, and whether the value has no such form."""
    if not value:
        return "text/plain", False
    match = _TYPE.match(value)
    if match:
        return f"{match[1]}/{match[2]}".lower(), False
    html = value.strip().lower().startswith(("html", "text/html"))
    return "text/html" if html else "text/plain", True


def read_body(scan: Scan, body: bytes, limits: Limits, defects: set[str]) -> Body:
    """Take the body of a message apart; total. Names of defects are added to `defects`."""
    governing = {name: value for name in _GOVERNING if (value := scan.first(name))}
    body = _cut(body, limits, defects)
    single = _single(governing, body, defects)
    if single is not None:
        return single
    data = _message_of(governing, body)
    found = _fast(data, body, limits, defects) or _stdlib(data, body, limits, defects)
    if found is None:
        defects.add("unparsable")
        found = Body(
            leaves=[Leaf("text/plain", "", "", attached=False, name="", content=body[: limits.text_chars])]
        )
    return found


def _message_of(governing: Mapping[str, str], body: bytes) -> bytes:
    """The bytes that the parsers are given."""
    head = "".join([f"{name}: {value}\n" for name, value in governing.items()])
    return head.encode("utf-8", "replace") + b"\n" + body


def _cut(body: bytes, limits: Limits, defects: set[str]) -> bytes:
    """Body within the bounds that keep the parsers quick."""
    if len(body) > limits.body_bytes:
        defects.add("body-too-long")
        body = body[: limits.body_bytes]
    if len(body) > 3 * DASHED_LINES and body.count(b"\n--") > DASHED_LINES:
        defects.add("too-many-parts")
        body = b"\n--".join(body.split(b"\n--", DASHED_LINES)[:DASHED_LINES])
    return body


def _single(governing: Mapping[str, str], body: bytes, defects: set[str]) -> Body | None:
    """A body of one part, which has no structure to parse; None for any other."""
    encoding = governing.get("content-transfer-encoding", "").strip()
    known = encoding.lower()
    claimed = governing.get("content-type", "")
    if known not in ENCODINGS or claimed.lstrip()[:9].lower() in COMPOSITE:
        return None
    kind = media_type(claimed, defects)
    content = body
    if known == "base64":
        content = decode_base64(body, defects)
    else:
        if known == "quoted-printable":
            if _BAD_ESCAPE.search(body):
                defects.add("quoted-printable")
            content = binascii.a2b_qp(body)
        content = _line_feeds(content)
    charset = parameter(claimed, "charset").strip().lower()
    name = ""
    if "name" in claimed or "content-disposition" in governing:
        name = parameter(governing.get("content-disposition", ""), "filename") or parameter(claimed, "name")
    leaf = Leaf(kind, charset, encoding, attached=False, name=name, content=content)
    return Body(layout=kind, leaves=[leaf], parser="fast")


def _line_feeds(content: bytes) -> bytes:
    """Content with LF line ends, for those are the transport's; the last ones belong to the boundary."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    return content.rstrip(b"\n")


def decode_base64(data: bytes, defects: set[str]) -> bytes:
    """Undo base64 as far as it goes: characters outside its alphabet are passed over, a broken end is cut."""
    clean = data.translate(None, _SPACE_BYTES)
    if clean.translate(None, _BASE64_BYTES) or len(clean) % 4:
        defects.add("base64")
        clean = _NOT_BASE64.sub(b"", clean.partition(b"=")[0])
        clean = clean[:-1] if len(clean) % 4 == 1 else clean  # one character carries less than a byte
        clean += b"=" * (-len(clean) % 4)
    try:
        return binascii.a2b_base64(clean)
    except binascii.Error:
        defects.add("base64")
        return b""


def _fast(data: bytes, body: bytes, limits: Limits, defects: set[str]) -> Body | None:
    """Read with fast-mail-parser; None when it refuses or when its answer is doubtful."""
    walk = _Walk(_fast_node, Body(parser="fast"), body, limits)
    try:
        found = walk.take(parse_email_tree(data, mode="lazy"))
    except (ParseError, _Doubtful):
        told = _told_apart(body, walk.boundaries)
        if told is None:
            return None
        again = _fast(data[: len(data) - len(body)] + told, told, limits, defects)
        if again:
            defects.add("boundary-prefix")
        return again
    defects |= walk.defects
    return found


def _told_apart(body: bytes, boundaries: Sequence[str]) -> bytes | None:
    """A body whose inner boundary, which begins with the outer one, has another name; None where unsure.

    Sure is that it stands on lines of its own and in one header field of a part, and nowhere else.
    """
    if len(boundaries) != 2 or not boundaries[0] or not boundaries[1].startswith(boundaries[0]):  # noqa: PLR2004
        return None
    inner = boundaries[1].encode("utf-8", "replace")
    lines = len(re.findall(rb"^--%b(?:--)?[ \t]*\r?$" % re.escape(inner), body, re.MULTILINE))
    if not lines or body.count(inner) != lines + 1 or _OTHER_NAME in body:
        return None
    return body.replace(inner, _OTHER_NAME)


def _fast_node(part: Any) -> _Node:  # noqa: ANN401 - the library ships no types for its nodes here
    header = {name.lower(): values[0] for name, values in reversed(part.headers.items())}
    return _Node(header, part.filename, part.children, lambda: part.content or b"")


def _stdlib(data: bytes, body: bytes, limits: Limits, defects: set[str]) -> Body | None:
    """Read with the standard library; None where bounds forbid it or it fails."""
    if data.count(b"\n") > STDLIB_LINES:
        defects.add("body-too-long")
        data = b"\n".join(data.split(b"\n", STDLIB_LINES)[:STDLIB_LINES])
    if data.lower().count(b"boundary=") > 10 * limits.depth:
        return None  # its time grows with lines times depth
    walk = _Walk(_stdlib_node, Body(parser="stdlib"), body, limits)
    try:
        root = email.message_from_bytes(data)
        found = walk.take(root)
        broken = {type(defect).__name__ for part in root.walk() for defect in part.defects}
    except Exception:  # noqa: BLE001 - total: whatever a message does to the library, it costs one message
        return None
    if any(name.startswith("InvalidBase64") for name in broken):
        walk.defects.add("base64")
    defects |= walk.defects
    return found


def _stdlib_node(part: email.message.Message) -> _Node:
    header = {name.lower(): str(value) for name, value in reversed(part.items())}
    payload: Any = part.get_payload()
    children: list[email.message.Message] = payload if isinstance(payload, list) else []
    if part.get_content_type() == "message/delivery-status":
        blocks = b"\n".join(child.as_bytes() for child in children)
        return _Node(header, "", (), lambda: blocks)
    return _Node(header, part.get_filename() or "", children, lambda: _decoded(part))


def _decoded(part: email.message.Message) -> bytes:
    """Bytes of a leaf, transfer encoding undone."""
    content: Any = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


class _Walk:
    """One way through the tree of one parser, depth first, within the bounds."""

    def __init__(self, node_of: Callable[[Any], _Node], found: Body, body: bytes, limits: Limits) -> None:
        """Take the parser's own kind of node by `node_of`; fill `found`."""
        self.defects: set[str] = set()
        self._node_of = node_of
        self._found = found
        self._body = body
        self._limits = limits
        self.boundaries: list[str] = []
        self._looked_at = 0

    def take(self, root: Any) -> Body:  # noqa: ANN401 - a node of either library
        """Walk the whole tree; raises _Doubtful where the fast parser is not to be trusted."""
        self._found.layout = self._visit(self._node_of(root), 0)[:LAYOUT_CHARS]
        names = self.boundaries
        self._found.boundary = names[0] if names else ""
        if len(names) > 1 and any(a and a != b and b.startswith(a) for a in names for b in names):
            self.defects.add("boundary-prefix")
            if self._found.parser == "fast":  # it takes '--boundary-2' for '--boundary'
                raise _Doubtful
        return self._found

    def _visit(self, node: _Node, depth: int) -> str:
        """Take one node and what is under it; its layout."""
        self._looked_at += 1
        claimed = node.header.get("content-type", "")
        kind = media_type(claimed, self.defects)
        if kind.startswith("multipart/"):
            boundary = parameter(claimed, "boundary").rstrip()
            self.boundaries.append(boundary)
            if "body-too-long" not in self.defects:
                _name_boundary(boundary, self._body, self.defects)
            if not node.children:
                if self._found.parser == "fast":  # it keeps no text of such a part
                    raise _Doubtful
                kind = "text/plain"
        if not node.children:
            leaf = _leaf(node, kind, at_root=depth == 0)
            if leaf.encoding.lower() not in ENCODINGS:
                self.defects.add("unknown-encoding")
                if self._found.parser == "fast":  # it knows no others
                    raise _Doubtful
            self._found.leaves.append(leaf)
            return kind
        return f"{kind}({self._inner(node, depth)})"

    def _inner(self, node: _Node, depth: int) -> str:
        """Layouts of the parts of one node, joined by commas."""
        if depth >= self._limits.depth:
            self.defects.add("too-deep")
            return "..."
        layouts: list[str] = []
        for child in node.children:
            if self._looked_at >= self._limits.parts:
                self.defects.add("too-many-parts")
                break
            layouts.append(self._visit(self._node_of(child), depth + 1))
        return ",".join(layouts)


def _name_boundary(boundary: str, body: bytes, defects: set[str]) -> None:
    """Name what is wrong with the boundary of one multipart."""
    line = b"--" + boundary.encode("utf-8", "replace")
    if not boundary:
        defects.add("no-boundary")
    elif line not in body:
        defects.add("boundary-not-found")
    elif line + b"--" not in body:
        defects.add("unclosed-multipart")


def _leaf(node: _Node, kind: str, *, at_root: bool) -> Leaf:
    """One leaf; raises ParseError where the fast parser cannot undo its transfer encoding."""
    encoding = node.header.get("content-transfer-encoding", "").strip()
    content = node.content()
    if encoding.lower() != "base64":
        content = _line_feeds(content)
    claimed = node.header.get("content-type", "")
    disposition = node.header.get("content-disposition", "")
    return Leaf(
        content_type=kind,
        charset=parameter(claimed, "charset").strip().lower(),
        encoding=encoding,
        attached=disposition.strip().lower().startswith("attachment") and not at_root,
        name=node.name,
        content=content,
    )
