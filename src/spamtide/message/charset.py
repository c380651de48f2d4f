"""Bytes to text: charsets as mail really claims them, and RFC 2047 encoded words.

Claims are widened as the WHATWG Encoding Standard does (Latin-1 is read as Windows-1252, GB2312 as
GB18030), for that is what every reader shows and so what every sender tests with. UTF-8 under the name of
another charset is read as UTF-8, for hardly a word in a charset of single bytes is UTF-8 by chance.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
"""Python codec -> the superset that is decoded instead."""

NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
"""Python codecs that are no charsets of mail; some of them take quadratic time."""

SHIFTING = ("utf-7", "utf-16", "utf-32", "iso2022", "hz")
"""Beginnings of Python codecs under which ASCII bytes are not ASCII text."""

ASCII_NAMES = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "7bit", "8bit", "default"})
"""Claims that amount to no claim."""

NAME_CHARS = 100
"""Characters of a claimed charset that are looked at."""

_PROBE = b"\xd0\xb0\x88\x9f"
"""Letters of UTF-8, EUC and GBK, and of Shift JIS."""
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([BbQq])\?([^?]*)\?=")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_HEX_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")


@lru_cache(maxsize=1024)
def codec_of(charset: str) -> str | None:
    """Python codec for a charset as claimed; None when there is none."""
    name = charset.strip().strip("'\"").split("*")[0].lower()  # RFC 2231: charset*language
    for candidate in (
        name,
        name.replace("_", "-"),
        name.removeprefix("x-"),
        name.replace("windows", "cp", 1),
    ):
        try:
            info = codecs.lookup(candidate)
        except (LookupError, ValueError, UnicodeError):
            continue
        if info.name in NO_CHARSETS or not getattr(info, "_is_text_encoding", True):
            return None
        return WIDER.get(info.name, info.name)
    return None


@lru_cache(maxsize=256)
def _is_single_bytes(codec: str) -> bool:
    """Whether each byte is a character; in the others some of these four are parts of one."""
    return not codec.startswith(SHIFTING) and len(_PROBE.decode(codec, "replace")) == len(_PROBE)


def decode_text(data: bytes, charset: str, defects: set[str]) -> str:
    """Decode `data` under the charset that was claimed; total. Names of defects are added to `defects`."""
    unclaimed = charset.lower() in ASCII_NAMES
    codec = None if unclaimed else codec_of(charset[:NAME_CHARS])
    if data.isascii() and not (codec and codec.startswith(SHIFTING)):
        return data.decode("ascii")
    if codec is None:
        defects.add("8bit-without-charset" if unclaimed else "unknown-charset")
        return _guess(data)
    if _is_single_bytes(codec):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        if codec == "cp1252":
            return data.decode("latin-1")
        defects.add("undecodable-text")
        text = data.decode(codec, "replace")
    if codec == "utf-7":  # the only codec here that yields lone surrogates
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def _guess(data: bytes) -> str:
    """Decode bytes of an unknown charset: UTF-8 where they fit it, else Windows-1252, else Latin-1."""
    for codec in ("utf-8", "cp1252"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def decode_words(value: str, defects: set[str]) -> str:
    """Decode the RFC 2047 encoded words of a header value; whatever is no such word stays as it is.

    Neighbouring words of one charset are joined before decoding, for senders split characters between words.
    """
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending = b""
    charset = ""
    position = 0
    for match in _WORD.finditer(value):
        gap = value[position : match.start()]
        name = match[1].lower()
        adjacent = bool(pending) and not gap.strip()
        if not adjacent or name != charset:
            if pending:
                pieces.append(decode_text(pending, charset, defects))
            if not adjacent:
                pieces.append(gap)
            pending = b""
        charset = name
        pending += _word_bytes(match[2], match[3], defects)
        position = match.end()
    if pending:
        pieces.append(decode_text(pending, charset, defects))
    rest = value[position:]
    if "=?" in rest:
        defects.add("encoded-word")
    pieces.append(rest)
    return "".join(pieces)


def _word_bytes(encoding: str, payload: str, defects: set[str]) -> bytes:
    """Bytes of one encoded word."""
    data = payload.encode("utf-8", "replace")
    if encoding in "Qq":
        return _HEX_ESCAPE.sub(lambda m: binascii.unhexlify(m[1]), data.replace(b"_", b" "))
    clean = _NOT_BASE64.sub(b"", data)
    if len(clean) % 4 == 1:  # one character of base64 carries less than a byte
        defects.add("encoded-word")
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
