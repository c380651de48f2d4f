"""No recipient's address leaves the raw table: each is replaced by a keyed hash wherever it stands.

A trap is burnt when its addresses are known, and an innocent recipient is nobody's business. The keyed hash
(BLAKE2b, RFC 7693) lets one recipient be followed through an observatory without being named outside it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from spamtide.model import Header

TOKEN = "rcpt."  # noqa: S105 - the beginning of a pseudonym, no secret
HEX_CHARS = 16
FEW_DOMAINS = 16
"""Recipients' domains up to which each is searched for; beyond, every separator is looked at instead."""
ENCODED = 100
"""Recipients whose base64 form is looked for as well."""
ENCODED_CHARS = 8
"""A shorter address has a base64 form that stands in innocent text."""

RECIPIENT_FIELDS = frozenset(
    {"to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "apparently-to", "x-rcpt-to",
     "x-real-to", "x-apparently-to", "x-forwarded-to", "x-forwarded-for", "resent-to", "resent-cc", "resent-bcc", "x-delivered-to"}
)  # fmt: skip
"""Lower-case names of the fields that hold recipients; each Received header may name one more ('for <...>')."""

SEPARATORS = (b"@", b"%40", b"%2540", b"=", b"%3d", b"%253d", b"&#64;", b"&#x40;")
"""What may stand between local part and domain: plain, percent-encoded once or twice, VERP ('user=domain')."""

_SPLIT = re.compile(r"[\s<>,;:\"()\[\]\\]+")
_FOR = re.compile(r"(?:\bfor\s+<?|rfc822;)([^\s<>;()]+@[^\s<>;()]+)")
_ANY_SEPARATOR = re.compile(b"|".join(re.escape(separator) for separator in SEPARATORS))


def recipients_of(
    headers: Iterable[Header], received: Iterable[str], envelope: Iterable[str]
) -> frozenset[str]:
    """Every recipient's address that a message names, in lower case."""
    found: set[str] = set()
    for header in headers:
        if "@" in header.value and header.name.lower() in RECIPIENT_FIELDS:
            found.update(_SPLIT.split(header.value))
    for value in received:
        if "@" in value:
            found.update(_FOR.findall(value))
    for path in envelope:
        found.update(_SPLIT.split(path))
    words = {_lower(word.strip("'.")) for word in found if "@" in word}
    return frozenset(word for word in words if "@" in word[1:-1])


def _lower(text: str) -> str:
    """Text with ASCII letters in lower case: what can be done to bytes without moving an offset."""
    return text.encode("utf-8", "replace").lower().decode("utf-8")


@lru_cache(maxsize=4096)
def _token(address: str, key: bytes) -> str:
    """What stands for an address."""
    digest = hashlib.blake2b(address.encode("utf-8", "replace"), digest_size=HEX_CHARS // 2, key=key[:64])
    return TOKEN + digest.hexdigest()


def _base64(address: str) -> bytes:
    """The characters of base64 that an address alone decides, where it is encoded by itself."""
    data = address.encode("utf-8", "replace")
    return base64.b64encode(data)[: len(data) * 8 // 6]


class Redactor:
    """Replaces the addresses of one set of recipients; made once a message.

    Args:
        addresses: recipients' addresses in lower case.
        key: secret of the observatory, up to 64 bytes; the hashes of two observatories do not match.
    """

    __slots__ = ("_lengths", "_literals", "_locals", "tokens")

    def __init__(self, addresses: frozenset[str], key: bytes) -> None:
        """Hash every address and lay out what is searched for."""
        tokens = {address: _token(address, key) for address in addresses}
        self.tokens = tuple(sorted(tokens.values()))
        self._locals: dict[bytes, dict[bytes, bytes]] = {}
        """Domain -> local part, plain and percent-encoded -> token."""
        for address, token in tokens.items():
            local, _, domain = address.rpartition("@")
            forms = self._locals.setdefault(domain.encode("utf-8", "replace"), {})
            for form in {local, quote(local, safe="", errors="replace").lower()}:
                forms[form.encode("utf-8", "replace")] = token.encode()
        self._lengths = {
            domain: sorted({len(form) for form in forms}, reverse=True)
            for domain, forms in self._locals.items()
        }
        self._literals = {
            _base64(address): tokens[address].encode()
            for address in sorted(addresses)[:ENCODED]
            if len(address) >= ENCODED_CHARS
        }

    def __call__(self, text: str) -> str:
        """Text with every recipient's address replaced, in any letter case."""
        if not self._locals:
            return text
        data = text.encode("utf-8", "replace")
        for literal, token in self._literals.items():
            if literal in data:
                data = data.replace(literal, token)
        lower = data.lower()
        pieces: list[bytes] = []
        done = 0
        for start, domain in self._places(lower):
            begin, token = self._local_before(lower, start, domain)
            if token and begin >= done:
                pieces += [data[done:begin], token]
                done = start + len(domain)
        return b"".join([*pieces, data[done:]]).decode("utf-8")

    def _local_before(self, lower: bytes, start: int, domain: bytes) -> tuple[int, bytes]:
        """Offset and token of the longest local part of a recipient that ends before a domain; b'' for none."""
        if not lower.endswith(SEPARATORS, 0, start):
            return start, b""
        for separator in SEPARATORS:
            end = start - len(separator)
            if end < 0 or not lower.startswith(separator, end):
                continue
            for length in self._lengths[domain]:
                token = self._locals[domain].get(lower[end - length : end]) if length <= end else None
                if token:
                    return end - length, token
        return start, b""

    def _places(self, lower: bytes) -> list[tuple[int, bytes]]:
        """Offsets at which a recipient's domain stands, in order."""
        places: list[tuple[int, bytes]] = []
        if len(self._locals) <= FEW_DOMAINS:
            for domain in self._locals:
                at = lower.find(domain)
                while at >= 0:
                    places.append((at, domain))
                    at = lower.find(domain, at + 1)
        else:
            lengths = sorted({len(domain) for domain in self._locals}, reverse=True)
            for match in _ANY_SEPARATOR.finditer(lower):
                at = match.end()
                for length in lengths:
                    domain = lower[at : at + length]
                    if domain in self._locals:
                        places.append((at, domain))
        places.sort(key=lambda place: (place[0], -len(place[1])))
        return places
