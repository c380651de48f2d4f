"""A brand that a mailing list's letter mentions once, in running prose, is not what it advertises.

Newsletters and lists write about spam, and about shops. Programme rules are asked again of such a letter
without its running prose, and of each paragraph of it: those that match one of these alone are *in passing*.
What advertises says its brand where it is read: in the subject, the sender's name, a link, a short line, or
more than once. What such a mention is worth, `spoken` says.
"""

from __future__ import annotations

import re

PASSING = "?"
"""Stands behind the identifier of a rule that only matches a mention in passing."""
VERSION = "1"
"""Of what counts as in passing: with another, the same rules say something else."""
LEAST_WORDS = 12
"""Words from which a paragraph may be running prose."""
LEAST_SMALL = 0.6
"""Share of its words, at least, that begin with a small letter: headlines and price lists do not."""
WRAPPED = range(50, 101)
"""Characters of a line that the next one may go on from: a shorter one is a heading or an entry, a longer
one is a paragraph by itself."""
MOST_PARAGRAPHS = 200
"""Paragraphs that are looked at; of a longer letter nothing is said to be in passing."""

_TEXT = "\ntext:\n"
_OF_A_LIST = re.compile(r"^header (?:list-id|list-post|list-unsubscribe):", re.IGNORECASE | re.MULTILINE)
_ENDS = re.compile(r"[.!?][\"')\]]*(?:\s|$)")
_ENDED = re.compile(r"[.!?:][\"')\]]*$")


def apart(rendering: str) -> tuple[str, list[str]] | None:
    """A list's letter without its running prose, and the same with each paragraph of it; None for no such.

    Args:
        rendering: the message's.
    """
    at = rendering.find(_TEXT)
    if at < 0 or not _OF_A_LIST.search(rendering, 0, at):
        return None
    head, text = rendering[: at + len(_TEXT)], rendering[at + len(_TEXT) :]
    paragraphs = _paragraphs(text)
    prose = [one for one in paragraphs if _runs(one)]
    if not prose or len(paragraphs) > MOST_PARAGRAPHS:
        return None
    rest = head + "\n".join(one for one in paragraphs if not _runs(one))
    return rest, [f"{rest}\n{one}" for one in prose]


def _paragraphs(text: str) -> list[str]:
    """Lines, those that an author's program wrapped joined to one."""
    found: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        if goes_on and line.strip():
            found[-1] += f"\n{line}"
        else:
            found.append(line)
        goes_on = len(line) in WRAPPED and not _ENDED.search(line.rstrip())
    return found


def _runs(paragraph: str) -> bool:
    """Whether a paragraph is running prose: a sentence of some words, most of them in small letters."""
    words = [word for word in paragraph.split() if word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    return len(words) >= LEAST_WORDS and small >= LEAST_SMALL * len(words) and bool(_ENDS.search(paragraph))
