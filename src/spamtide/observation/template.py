"""Message-IDs and MIME boundaries as shapes: what a mailing engine's generator leaves behind.

The alphabet. A run of ASCII letters and digits becomes one class with its length:

    9{8}  digits                    A{8}  capitals             a{8}  small letters
    h{8}  hex, small, with digits   H{8}  hex, capital         x{8}  small letters and digits
    X{8}  capitals and digits       w{8}  anything mixed

Hex counts as such from six characters on. A run of one has no length. Words of `LITERALS` stand as they
are. Everything else is kept; three or more of one character become '-{4}'. On the right of the '@' of a
Message-ID runs lose their lengths, for hosts differ where the engine does not.
"""

from __future__ import annotations

import re
from functools import lru_cache

from spamtide.compiled import native

SHAPE_CHARS = 120
INPUT_CHARS = 400

LITERALS = frozenset(
    {
        "NextPart", "Part", "part", "PART", "Boundary", "boundary", "BOUNDARY", "next", "NEXT", "Alt", "alt",
        "mixed", "MIME", "Apple", "Mail", "JavaMail", "SMTPIN", "Mutt", "Pine", "qmail", "localhost", "root",
    }
)  # fmt: skip
"""Words that engines write themselves, kept as they are."""

_RUN = re.compile(r"[A-Za-z0-9]+|([^A-Za-z0-9])\1{2,}")
_CLASSES = (
    ("9", re.compile(r"[0-9]+")),
    ("a", re.compile(r"[a-z]+")),
    ("A", re.compile(r"[A-Z]+")),
    ("h", re.compile(r"[0-9a-f]{6,}")),
    ("H", re.compile(r"[0-9A-F]{6,}")),
    ("x", re.compile(r"[0-9a-z]+")),
    ("X", re.compile(r"[0-9A-Z]+")),
    ("w", re.compile(r"[0-9A-Za-z]+")),
)


def message_id_shape(message_id: str) -> str:
    """Shape of a Message-ID, brackets and all; '' for none."""
    left, at, right = message_id[:INPUT_CHARS].rpartition("@")
    if not at:
        left, right = right, ""
    return (_shape(left, sized=True) + at + _shape(right, sized=False))[:SHAPE_CHARS]


def boundary_shape(boundary: str) -> str:
    """Shape of a MIME boundary; '' for none."""
    return _shape(boundary[:INPUT_CHARS], sized=True)[:SHAPE_CHARS]


def _shape(text: str, *, sized: bool) -> str:
    """A text with each run of letters and digits as its class."""
    shape = native.shape(text, LITERALS, sized) if native else None
    return _RUN.sub(_with_length if sized else _without_length, text) if shape is None else shape


def _with_length(match: re.Match[str]) -> str:
    return _sized(match[0])


@lru_cache(maxsize=16384)
def _sized(run: str) -> str:
    """What a run becomes where lengths are kept."""
    if run in LITERALS:
        return run
    shown = _class(run) if run.isalnum() and run.isascii() else run[0]
    return shown if len(run) == 1 else f"{shown}{{{len(run)}}}"


def _without_length(match: re.Match[str]) -> str:
    run = match[0]
    return run if match[1] or run in LITERALS else _class(run)


@lru_cache(maxsize=16384)
def _class(run: str) -> str:
    """The narrowest class of a run."""
    return next(name for name, pattern in _CLASSES if pattern.fullmatch(run))
