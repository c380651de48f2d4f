"""Folders and Maildirs as lists of files, in an order that depends on names alone."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spamtide.collector.naming import MAILDIR_FOLDERS, is_maildir
from spamtide.collector.sidecar import SIDECAR_SUFFIX
from spamtide.collector.sniffing import MESSAGE_SUFFIXES


@dataclass(frozen=True, slots=True)
class Found:
    """One file in a folder."""

    path: str
    inner: str
    """Its path inside the folder that the walk began at."""
    size: int
    sidecar: str = ""
    """Path of the side-car that stands beside it; '' for none."""
    single: bool = False
    """Whether it stands in a Maildir's new/ or cur/, where each file is one message."""
    fault: OSError | None = None
    """Why it cannot be looked at; None when it can."""
    special: str = ""
    """'' for a plain file, else what it is instead."""


def walk(folder: str) -> Iterator[Found]:
    """Give the files below a folder, sorted by name at each level.

    Links are followed, and each real folder is read once, so a loop of links ends. A Maildir's tmp/ holds
    what is still being written, and is passed over; so is a side-car beside its message. Nothing is written.
    """
    visited: set[tuple[int, int]] = set()
    top = Path(folder).resolve()
    single = top.name in MAILDIR_FOLDERS and is_maildir(top.parent)
    pending: list[Iterator[Found | _Folder]] = [iter([_Folder(folder, "", single=single)])]
    while pending:
        found = next(pending[-1], None)
        if found is None:
            pending.pop()
        elif isinstance(found, Found):
            yield found
        else:
            pending.append(_entries(found, visited))


def input_size(paths: Sequence[str]) -> int | None:
    """Bytes on disk over all paths, folders walked; None when one is stdin or a pipe, which have no size."""
    total = 0
    for path in paths:
        if path == "-":
            return None
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            continue  # `collect` says so, with a reason
        if stat.S_ISDIR(status.st_mode):
            total += sum(found.size for found in walk(path))
        elif stat.S_ISREG(status.st_mode):
            total += status.st_size
        else:
            return None
    return total


def sidecar_of(path: str) -> str:
    """Path of the side-car of a message; '' when it has none."""
    folder, name = os.path.split(path)
    beside = (os.path.join(folder, sidecar) for sidecar in _sidecar_names(name))
    return next((sidecar for sidecar in beside if os.path.isfile(sidecar)), "")


def _sidecar_names(name: str) -> list[str]:
    """Names that the side-car of a file may have."""
    stem, suffix = os.path.splitext(name)
    names = [name + SIDECAR_SUFFIX]
    return [*names, stem + SIDECAR_SUFFIX] if suffix.lower() in MESSAGE_SUFFIXES else names


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is yet to be read."""

    path: str
    inner: str
    single: bool = False


def _entries(folder: _Folder, visited: set[tuple[int, int]]) -> Iterator[Found | _Folder]:
    """What one folder holds."""
    try:
        status = os.stat(folder.path)
        with os.scandir(folder.path) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        yield Found(folder.path, folder.inner, 0, fault=error)
        return
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    maildir = is_maildir(Path(folder.path))
    described = {name for name in names if name.endswith(SIDECAR_SUFFIX)}
    for name in names:
        path = os.path.join(folder.path, name)  # a Path costs as much as reading the file
        inner = f"{folder.inner}/{name}" if folder.inner else name
        if (maildir and name == "tmp") or (name in described and _is_sidecar(name, names)):
            continue
        try:
            status = os.stat(path)
        except OSError as error:
            dangling = os.path.islink(path)
            fault = None if dangling else error
            yield Found(path, inner, 0, fault=fault, special="a link that leads nowhere" if dangling else "")
            continue
        if stat.S_ISDIR(status.st_mode):
            yield _Folder(path, inner, single=maildir and name in MAILDIR_FOLDERS)
        elif stat.S_ISREG(status.st_mode):
            beside = next((one for one in _sidecar_names(name) if one in described), "") if described else ""
            sidecar = os.path.join(folder.path, beside) if beside else ""
            yield Found(path, inner, status.st_size, sidecar, folder.single and not name.startswith("."))
        else:
            yield Found(path, inner, 0, special="no plain file")


def _is_sidecar(name: str, names: list[str]) -> bool:
    """Whether a file stands beside the message that it describes; `names` is sorted."""
    stem = name.removesuffix(SIDECAR_SUFFIX)
    candidates = [stem, *(stem + suffix for suffix in MESSAGE_SUFFIXES)]
    places = [(bisect_left(names, candidate), candidate) for candidate in candidates]
    return any(place < len(names) and names[place] == candidate for place, candidate in places)
