"""Names: of the sensor that a source stands for, and of the source itself."""

from __future__ import annotations

import os
from pathlib import Path

from spamtide.collector.sniffing import CONTAINER_SUFFIXES, MBOX_SUFFIXES, MESSAGE_SUFFIXES, PACKED_SUFFIXES

SENSOR_SUFFIXES = (
    *PACKED_SUFFIXES,
    *CONTAINER_SUFFIXES,
    *MBOX_SUFFIXES,
    *MESSAGE_SUFFIXES,
    ".mail",
    ".txt",
    ".spam",
    ".ham",
)
"""Endings of a file name that say how or what it holds, not where it was received."""
STDIN_SENSOR = "stdin"
MAILDIR_FOLDERS = ("new", "cur")


def shown(text: str) -> str:
    """Return a file name as text that can be stored and shown: bytes outside UTF-8 and controls escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def sensor_of_file(path: str) -> str:
    """Sensor of an mbox or an archive: its name without suffixes and label word."""
    name = Path(path).absolute().name
    bare = name
    while suffix := next((s for s in SENSOR_SUFFIXES if bare.lower().endswith(s) and len(bare) > len(s)), ""):
        bare = bare[: -len(suffix)]
    return shown(bare.strip() or name)


def sensor_of_folder(path: str) -> str:
    """Sensor of a folder or Maildir: its resolved name; of a Maildir's own folders, the Maildir's."""
    folder = Path(path).resolve()
    if folder.name in MAILDIR_FOLDERS and is_maildir(folder.parent):
        folder = folder.parent
    return shown(folder.name) or "root"


def sensor_of_message(path: str) -> str:
    """Sensor of a single message: the folder that it is in."""
    return sensor_of_folder(str(Path(path).absolute().parent))


def is_maildir(folder: Path) -> bool:
    """Whether a folder is a Maildir."""
    return all(os.path.isdir(folder / name) for name in MAILDIR_FOLDERS)  # noqa: PTH112 - Path's raises where it may not look
