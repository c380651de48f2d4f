"""One observatory: a directory with settings, signatures, knowledge, events and a lake."""

from __future__ import annotations

import errno
import secrets
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from spamtide.errors import NoInputError, UnavailableError, UsageError
from spamtide.schema import KEYS
from spamtide.settings import SETTINGS_FILE, Settings, load_settings
from spamtide.store import Lake

SIGNATURES_FOLDER = "signatures"
KNOWLEDGE_FILE = "knowledge.yaml"
EVENTS_FILE = "events.csv"
LANDING_FOLDER = "landing"
RECIPIENT_KEY = "recipients"

SETTINGS_TEMPLATE = """\
# Settings of a Spamtide observatory. Every value shown is the default; docs/settings.md explains each.

name = "Spamtide observatory"

[observing]
# Relays of your own whose Received headers are believed and stepped over: networks or host names
# ('.example.net' for all below it). Private addresses always are.
# trusted_relays = ["192.0.2.0/24", "mx.example.net"]
# Headers in which your own gateway writes the client's address.
# source_headers = ["X-Sender-IP"]

[measuring]
# Base period of the index (100); the data choose it when these are empty.
# base_since = "2026-01-01"
# base_until = "2026-01-28"

[controlling]
# Control servers that you may check yourself with `spamtide control --check`. Nothing else is contacted.
# hosts = ["192.0.2.7:8080 rustock"]

[running]
# Worker processes; 0 means one a processor.
# workers = 0
# Remove raw mail older than this many days on update; 0 keeps it.
# raw_retention_days = 0
"""

KNOWLEDGE_TEMPLATE = """\
# What you know beyond the shipped facts (docs/knowledge.md). Every entry has a source and a confidence (high,
# medium or low). A brand is looked for in mail from the next `spamtide update` on.

# brands:
#   Maple Meds: {aliases: [MapleRx], source: https://example.org/maple, confidence: high}
# programmes:
#   NorthRx: {source: https://example.org/northrx, confidence: medium}
# relations:
#   - {kind: belongs-to, subject: Maple Meds, object: NorthRx, period: 2026-03..,
#      source: https://example.org/northrx, confidence: high}
"""
EVENTS_TEMPLATE = "date_start,date_end,kind,subject_type,subject,summary,source_url,confidence\n"


_TEMPLATES = {
    SETTINGS_FILE: SETTINGS_TEMPLATE,
    EVENTS_FILE: EVENTS_TEMPLATE,
    KNOWLEDGE_FILE: KNOWLEDGE_TEMPLATE,
}


@dataclass(frozen=True, slots=True)
class Observatory:
    """An open observatory."""

    directory: Path
    settings: Settings
    lake: Lake

    @property
    def signatures(self) -> Path:
        """Folder of the user's and the learned signatures."""
        return self.directory / SIGNATURES_FOLDER

    @property
    def landing(self) -> Path:
        """Folder of the saved landing pages; it need not exist."""
        return self.directory / LANDING_FOLDER

    @property
    def knowledge(self) -> Path | None:
        """The user's knowledge file, when there is one."""
        path = self.directory / KNOWLEDGE_FILE
        return path if path.is_file() else None

    @property
    def events(self) -> Path | None:
        """The user's events file, when there is one."""
        path = self.directory / EVENTS_FILE
        return path if path.is_file() else None

    def recipient_key(self) -> bytes:
        """The secret that recipients' addresses are hashed with; made at first use, then kept."""
        rows = self.lake.read("keys").to_pylist()
        for row in rows:
            if row["name"] == RECIPIENT_KEY:
                return bytes(row["value"])
        key = secrets.token_bytes(32)
        self.lake.append("keys", pa.table({"name": [RECIPIENT_KEY], "value": [key]}, schema=KEYS))
        return key


def is_observatory(directory: Path) -> bool:
    """Whether a directory holds an observatory."""
    return (directory / SETTINGS_FILE).is_file()


def init_observatory(directory: Path) -> Observatory:
    """Make an observatory of a directory; what is there already stays as it is.

    Raises:
        UsageError: the path is a file, or tables cannot be kept there.
        NoInputError: the directory cannot be made or written to.
    """
    if directory.exists() and not directory.is_dir():
        message = f"{directory} is a file"
        raise UsageError(message, "name a directory")
    Lake.at(directory)
    try:
        for folder in (directory, directory / SIGNATURES_FOLDER, directory / "lake"):
            folder.mkdir(parents=True, exist_ok=True)
        for name, text in _TEMPLATES.items():
            if not (directory / name).exists():
                (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise
        message = f"cannot write to {directory}: {error.strerror}"
        raise NoInputError(message, "choose a directory that you may write to") from error
    return open_observatory(directory)


def open_observatory(directory: Path) -> Observatory:
    """Open an observatory that exists.

    Raises:
        UnavailableError: there is none.
        SettingsError: its settings are wrong.
    """
    if not is_observatory(directory):
        message = f"no observatory at {directory}"
        raise UnavailableError(message, "make one with `spamtide init`, or name one with -C")
    return Observatory(directory, load_settings(directory), Lake.at(directory))
