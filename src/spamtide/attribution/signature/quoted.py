"""Words that a message quotes are another's, and say nothing of who sent it.

People forward and report spam whole, its header fields and all. Rules are asked again of such a message
without what it quotes: those that then match no more are *quoted*. What that is worth, `spoken` says.
"""

from __future__ import annotations

from spamtide.quoting import is_passed_on, without_quoted

QUOTED = ">"
"""Stands behind the identifier of a rule that only matches what a message quotes."""
VERSION = "1"
"""Of what counts as quoted: with another, the same rules say something else."""

_SUBJECT, _LINK, _TEXT = "\nsubject: ", "\nlink: ", "\ntext:"


def own_rendering(rendering: str) -> str | None:
    """A rendering without what the message quotes or passes on; None where it does not.

    The subject of the other letter goes, and links that stand in it.
    """
    at = rendering.find(_TEXT)
    if at < 0:
        return None
    head, text = rendering[:at], rendering[at + len(_TEXT) :]
    own = without_quoted(text)
    if own is None:
        return None
    lines = head.split("\n")
    kept = [line for line in lines if not _of_another(line, text, own)]
    return "\n".join(kept) + _TEXT + "\n" + own


def _of_another(line: str, text: str, own: str) -> bool:
    """Whether a line above the text is the other letter's subject, or a link in it."""
    if line.startswith(_LINK[1:]):
        link = line[len(_LINK) - 1 :]
        return link in text and link not in own
    return line.startswith(_SUBJECT[1:]) and is_passed_on(line[len(_SUBJECT) - 1 :])
