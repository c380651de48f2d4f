"""No recipient's address leaves the raw table: each is replaced by a keyed hash wherever it stands.

A trap is burnt when its addresses are known, and an innocent recipient is nobody's business. The keyed hash
(BLAKE2b, RFC 7693) lets one recipient be followed through an observatory without being named outside it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple
from urllib.parse import quote

from spamtide.compiled import native

TOKEN = "rcpt."  # noqa: S105 - the beginning of a pseudonym, no secret
HEX_CHARS = 16
FEW_DOMAINS = 16
"""Recipients' domains up to which each is searched for; beyond, every separator is looked at instead."""
FEW_RECIPIENTS = 64
"""Recipients up to which the compiled form is used; it tries each of one domain in turn."""
KEPT_CHARS, KEPT_RECIPIENTS = 400, 8
"""Longer lists are read anew each time: what is kept of hostile mail stays small."""
ENCODED = 20
"""Recipients whose base64 form is looked for as well."""
ENCODED_BYTES = 8
"""A shorter address has a base64 form that stands in innocent text."""

RECIPIENT_FIELDS = frozenset(
    {
        "to", "cc", "bcc", "apparently-to", "delivered-to", "envelope-to", "resent-to", "resent-cc",
        "resent-bcc", "x-apparently-to", "x-delivered-to", "x-envelope-to", "x-forwarded-for",
        "x-forwarded-to", "x-original-to", "x-rcpt-to", "x-real-to",
    }
)  # fmt: skip
"""Lower-case names of the fields that hold recipients; each Received header may name one more ('for
<...>')."""

SEPARATORS = (b"@", b"%40", b"%2540", b"=40", b"=", b"%3d", b"%253d", b"&#64;", b"&#x40;")
"""What may stand between local part and domain: plain, percent-encoded once or twice, quoted-printable, VERP
('user=domain'), entities."""

_SPLIT = re.compile(r"[\s<>,;:\"()\[\]\\]+")
_FOR_MARKS = (" for ", "rfc822;")
"""What a Received header writes before a recipient (RFC 5321 section 4.4; ZMailer)."""
_PATH = re.compile(r"\s*<?([^\s<>;()@]{1,320}@[^\s<>;()]{1,320})")
_ONE_BYTE = frozenset(separator[0] for separator in SEPARATORS if len(separator) == 1)
_LONGER = tuple(separator for separator in SEPARATORS if len(separator) > 1)
_LAST_BYTES = frozenset(separator[-1] for separator in SEPARATORS)
_ANY_SEPARATOR = re.compile(b"|".join(re.escape(separator) for separator in SEPARATORS))


def recipients_of(values: Iterable[str], received: list[str], envelope: Iterable[str]) -> frozenset[str]:
    """Every recipient's address that a message names, in lower case.

    `values` are those of the RECIPIENT_FIELDS, `received` those of the Received headers.
    """
    found: set[str] = set()
    for value in (*values, *envelope, *(native.recipient_paths(received) if native else _paths(received))):
        if "@" in value:
            found |= _addresses(value) if len(value) <= KEPT_CHARS else _addresses.__wrapped__(value)
    return frozenset(found)


@lru_cache(maxsize=8192)
def _addresses(value: str) -> frozenset[str]:
    """Addresses in a list of mailboxes, in lower case."""
    words = [_lower(word.strip("'.")) for word in _SPLIT.split(value) if "@" in word]
    return frozenset([word for word in words if "@" in word[1:-1]])


def _paths(received: Iterable[str]) -> Iterator[str]:
    """Recipients that Received headers name."""
    for value, mark in product(received, _FOR_MARKS):
        at = value.find(mark)
        while at >= 0:
            at += len(mark)
            path = _PATH.match(value, at)
            if path:
                yield path[1]
            at = value.find(mark, at)


def _lower(text: str) -> str:
    """Text with ASCII letters in lower case: what can be done to bytes without moving an offset."""
    return text.encode("utf-8", "replace").lower().decode("utf-8")


class _Forms(NamedTuple):
    """One recipient's address as it may stand in a text; bytes, in lower case."""

    token: str
    domain: bytes
    locals: tuple[bytes, ...]
    """The local part, plain and percent-encoded."""
    literals: tuple[bytes, ...]
    """Base64 of the whole address, where letter case counts: by itself, then one and two bytes into a longer
    text; none when the address is too short to be told from other text."""


@lru_cache(maxsize=16384)
def _forms(address: str, key: bytes) -> _Forms:
    """Forms of an address, given in lower case."""
    data = address.encode("utf-8", "replace")
    digest = hashlib.blake2b(data, digest_size=HEX_CHARS // 2, key=key[:64])
    local, _, domain = data.rpartition(b"@")
    quoted = quote(local, safe="").lower().encode()
    literals = tuple(_base64(data, offset) for offset in range(3)) if len(data) >= ENCODED_BYTES else ()
    return _Forms(
        TOKEN + digest.hexdigest(), domain, (local,) if quoted == local else (local, quoted), literals
    )


def _base64(data: bytes, offset: int) -> bytes:
    """The characters of base64 that `data` alone decides, `offset` bytes after a group of three began."""
    encoded = base64.b64encode(b"\0" * offset + data)
    return encoded[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]


_Found = tuple[int, int, int, bytes]
"""Where a recipient's domain stands, its length below zero (so that of two the longer sorts first), where the
local part begins, and the token."""


class Redactor:
    """Replaces the addresses of one set of recipients.

    Args:
        addresses: recipients' addresses in lower case.
        key: secret of the observatory, up to 64 bytes; the hashes of two observatories do not match.
    """

    __slots__ = ("_few", "_in_words", "_lengths", "_literals", "_locals", "tokens")

    def __init__(self, addresses: frozenset[str], key: bytes) -> None:
        """Hash every address and lay out what is searched for."""
        forms = [_forms(address, key) for address in addresses]
        self.tokens = tuple(sorted([form.token for form in forms]))
        self._locals: dict[bytes, dict[bytes, bytes]] = {}
        """Domain -> local part -> token."""
        for form in forms:
            known = self._locals.setdefault(form.domain, {})
            for local in form.locals:
                known[local] = form.token.encode()
        self._lengths: dict[bytes, list[int]] = {}
        """Domain -> lengths of its local parts, once they are asked for; the compiled form never does."""
        self._few = (
            {
                domain: tuple(sorted(known.items(), key=lambda pair: -len(pair[0])))
                for domain, known in self._locals.items()
            }
            if len(forms) <= FEW_RECIPIENTS
            else {}
        )
        """Domain -> local parts and tokens for the compiled form, longest first; {} where there are many."""
        encoded = [form for form in forms if form.literals][:ENCODED]
        self._literals = [(form.literals[0], form.token.encode()) for form in encoded]
        """What may stand by itself, as in links."""
        self._in_words = [(one, form.token.encode()) for form in encoded for one in form.literals[1:]]
        """What may stand within an RFC 2047 word besides."""

    def __call__(self, text: str, *, words: bool = True) -> str:
        """Text with every recipient's address replaced, in any letter case.

        Without `words`, addresses within RFC 2047 words are not looked for.
        """
        if not self._locals:
            return text
        return self.in_bytes(text.encode("utf-8", "replace"), words=words).decode("utf-8")

    def in_bytes(self, data: bytes, *, words: bool = True) -> bytes:
        """As a call, of text in UTF-8."""
        if not self._locals:
            return data
        literals = self._literals + self._in_words if words else self._literals
        for literal, token in literals:
            if literal in data:
                data = data.replace(literal, token)
        if native and self._few:
            return native.redact(data, self._few)
        lower = data.lower()
        few = len(self._locals) <= FEW_DOMAINS
        found = self._found_by_domain(lower) if few else self._found_by_separator(lower)
        found.sort()
        pieces: list[bytes] = []
        done = 0
        for start, shorter, begin, token in found:
            if begin >= done:
                pieces += (data[done:begin], token)
                done = start - shorter
        pieces.append(data[done:])
        return b"".join(pieces)

    def _found_by_domain(self, lower: bytes) -> list[_Found]:
        """Addresses found by looking for each recipient's domain."""
        found: list[_Found] = []
        for domain in self._locals:
            at = lower.find(domain, 1)
            while at >= 0:
                if lower[at - 1] in _LAST_BYTES:
                    self._find_local(lower, at, domain, found)
                at = lower.find(domain, at + 1)
        return found

    def _found_by_separator(self, lower: bytes) -> list[_Found]:
        """What `_found_by_domain` finds, by looking at each separator: quicker where domains are many."""
        found: list[_Found] = []
        lengths = sorted({len(domain) for domain in self._locals})
        for match in _ANY_SEPARATOR.finditer(lower):
            ends = (match.end(), match.start() + 1) if match[0] == b"=40" else (match.end(),)
            for at in ends:
                for length in lengths:
                    domain = lower[at : at + length]
                    if domain in self._locals:
                        self._find_local(lower, at, domain, found)
        return found

    def _find_local(self, lower: bytes, at: int, domain: bytes, found: list[_Found]) -> None:
        """Add the longest recipient's local part that stands before a domain and a separator."""
        end = at - 1
        if lower[end] not in _ONE_BYTE:  # hardly ever; no separator ends in another
            end = at - next((len(longer) for longer in _LONGER if lower.endswith(longer, 0, at)), at)
        locals_ = self._locals[domain]
        lengths = self._lengths.get(domain)
        if lengths is None:
            lengths = self._lengths[domain] = sorted({len(local) for local in locals_}, reverse=True)
        for length in lengths:
            begin = end - length
            if begin >= 0 and (token := locals_.get(lower[begin:end])):
                found.append((at, -len(domain), begin, token))
                return


def redactor(addresses: frozenset[str], key: bytes) -> Redactor:
    """The Redactor of one set of recipients; a trap sees the same few sets over and over."""
    return _redactor(addresses, key) if len(addresses) <= KEPT_RECIPIENTS else Redactor(addresses, key)


_redactor = lru_cache(maxsize=1024)(Redactor)
