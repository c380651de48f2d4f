"""Tidying of visible text: white space and characters that no reader sees. Every function is linear."""

from __future__ import annotations

import re

_CONTROL_BYTES = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")
UNSEEN = ("\u00ad", "\u034f", "\u180e", "\u200b", "\u2060", "\ufeff")
"""Soft hyphen, combining grapheme joiner, zero-width characters: they part the letters of a word unseen."""
_BLANK_LINES = re.compile(r"\n{3,}")


def tidy_words(line: str) -> str:
    """One line with every run of white space as one space."""
    return " ".join(line.split())


def tidy_lines(text: str) -> str:
    """Text with its lines kept, white space within them tidied, and at most one empty line in a row."""
    if not text:
        return ""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join([" ".join(line.split()) for line in text.split("\n")])
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip("\n")


def drop_unseen(text: str, defects: set[str]) -> str:
    """Text without control and zero-width characters, so that a word parted by them reads as it looks."""
    if not text:
        return ""
    data = text.encode("utf-8", "replace")
    kept = data.translate(None, _CONTROL_BYTES)
    if not text.isascii():
        kept = _C1_BYTES.sub(b"", kept)
    if len(kept) != len(data):
        defects.add("control-characters")
        text = kept.decode("utf-8")
    if not text.isascii():
        for character in UNSEEN:
            if character in text:
                text = text.replace(character, "")
    return text
