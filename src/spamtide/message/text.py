"""Tidying of visible text: white space and characters that no reader sees. Every function is linear."""

from __future__ import annotations

import re

from spamtide.compiled import native

_CONTROLS = [chr(code) for code in (*range(32), 127) if chr(code) not in "\t\n"]
_NO_CONTROLS = dict.fromkeys(map(ord, _CONTROLS))
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")
UNSEEN = ("\u00ad", "\u034f", "\u180e", "\u200b", "\u2060", "\ufeff")
"""Soft hyphen, combining grapheme joiner, zero-width characters: they part the letters of a word unseen."""
_PRINTABLE = UNSEEN[1]
"""The one of them that Python calls printable."""
_BLANK_LINES = re.compile(r"\n{3,}")


def tidy_words(line: str) -> str:
    """One line with every run of white space as one space."""
    return " ".join(line.split())


def tidy_lines(text: str) -> str:
    """Text with its lines kept, white space within them tidied, and at most one empty line in a row."""
    if native:
        return native.tidy_lines(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    for space in "\t\f\v\u00a0\u3000":
        if space in text:  # one character is found far faster than it is replaced
            text = text.replace(space, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    text = text.replace(" \n", "\n").replace("\n ", "\n")
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip(" \n")


def drop_unseen(text: str, defects: set[str]) -> str:
    """Text without control and zero-width characters, so that a word parted by them reads as it looks."""
    if native.is_seen(text) if native else text.isprintable() and _PRINTABLE not in text:
        return text  # most texts; most single lines
    if any(map(text.__contains__, _CONTROLS)):  # hardly ever; asked so, it costs a tenth of a translation
        defects.add("control-characters")
        text = text.translate(_NO_CONTROLS)
    if text.isascii():
        return text
    for character in UNSEEN:
        if character in text:
            text = text.replace(character, "")
    data = text.encode("utf-8", "replace")
    kept = _C1_BYTES.sub(b"", data)
    if len(kept) != len(data):
        defects.add("control-characters")
        text = kept.decode("utf-8")
    return text
