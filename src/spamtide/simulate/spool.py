"""Files of a simulation: where they go, mboxrd in gzip, and the refusal to touch what is not ours.

The marker (README.txt) is written first and truth.json last, so a folder with the marker and without the
truth is an interrupted simulation and may be made again.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from spamtide.errors import UnavailableError, UsageError
from spamtide.simulate.letter import Letter
from spamtide.simulate.world import World

MARKER = "README.txt"
MARKER_LINE = "This is a SIMULATION made by Spamtide. Nothing in it was ever sent or received."
TRUTH = "truth.json"
MESSAGES = "truth_messages.csv.gz"
EVENTS = "events.csv"
CONTROL = "control.csv"
SENSORS = "sensors"
LAB = "lab"
OWN = {
    **dict.fromkeys((MARKER, TRUTH, MESSAGES, EVENTS, CONTROL), ()),
    SENSORS: ("*.mbox.gz",),
    LAB: ("*.mbox.gz",),
}
"""Everything that a simulation's folder may hold: name -> patterns inside, where it is a folder."""
LEVEL = 2
"""gzip level: within a tenth of the best size for such text, in a third of the time."""

_MBOX = ".mbox.gz"
_QUOTED = re.compile(rb"^(>*From )", re.MULTILINE)


def prepare(out: Path) -> None:
    """Make the folder, or empty one that a former simulation left.

    Raises:
        UsageError: the folder holds something that no simulation wrote.
        UnavailableError: the folder cannot be made or written.
    """
    try:
        if out.exists():
            _check(out)
            for name, patterns in OWN.items():
                for pattern in patterns:
                    for path in sorted((out / name).glob(pattern)):
                        path.unlink()
                if not patterns and name != MARKER:
                    (out / name).unlink(missing_ok=True)
        (out / SENSORS).mkdir(parents=True, exist_ok=True)
        (out / LAB).mkdir(exist_ok=True)
    except OSError as error:
        message = f"{out}: cannot be written: {error.strerror or error}"
        raise UnavailableError(message) from error


def _check(out: Path) -> None:
    """Refuse a folder with anything in it that a simulation does not write."""
    advice = "give an empty or a new folder, or one that a former simulation made"
    if not out.is_dir():
        message = f"{out}: is not a folder"
        raise UsageError(message, advice)
    entries = sorted(path.name for path in out.iterdir())
    if not entries:
        return
    marker = out / MARKER
    is_ours = marker.is_file() and marker.read_text("utf-8", errors="replace").startswith(MARKER_LINE)
    strange = [name for name in entries if name not in OWN]
    for folder in (SENSORS, LAB):
        if (out / folder).is_dir():
            strange += [
                f"{folder}/{path.name}" for path in (out / folder).iterdir() if not path.match(OWN[folder][0])
            ]
    if not is_ours or strange:
        message = f"{out}: holds files that no simulation wrote ({', '.join((strange or entries)[:3])})"
        raise UsageError(message, advice)


class Mbox:
    """One gzipped mboxrd file; the same letters give the same bytes."""

    def __init__(self, path: Path) -> None:
        """Open the file; its name and time are left out of the gzip header."""
        self.path = path
        self.messages = 0
        self.bytes = 0
        self._file = path.open("wb")
        self._zip = gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=self._file, mtime=0)

    def add(self, letters: Sequence[Letter]) -> None:
        """Append letters, each with its From_ line (reception time in UTC) and a blank line after it."""
        buffer = io.BytesIO()
        for letter in letters:
            line = f"From {letter.reverse or 'MAILER-DAEMON'} {time.asctime(time.gmtime(letter.at))}\n"
            buffer.write(line.encode("ascii"))
            data = letter.data
            buffer.write(_QUOTED.sub(rb">\1", data) if b"From " in data else data)
            buffer.write(b"\n")
            self.bytes += len(letter.data)
        self.messages += len(letters)
        self._zip.write(buffer.getvalue())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()
        self._file.close()


@dataclass(frozen=True, slots=True)
class Mail:
    """Files of a simulation's mail, in order, as paths that `ingest` takes."""

    spam: tuple[str, ...]
    ham: tuple[str, ...]
    lab: Mapping[str, Path]
    """Family -> what its bot sent in the lab."""


def mail_of(out: Path) -> Mail:
    """The mail in a folder that a simulation filled."""
    spam, ham = (
        tuple(map(str, sorted((out / SENSORS).glob(f"*.{label}{_MBOX}")))) for label in ("spam", "ham")
    )
    return Mail(
        spam, ham, {path.name.removesuffix(_MBOX): path for path in sorted((out / LAB).glob(f"*{_MBOX}"))}
    )


def true_messages(out: Path) -> list[dict[str, str]]:
    """What each message of a simulation is, by the columns of `run.COLUMNS`."""
    with gzip.open(out / MESSAGES, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_gzip(path: Path, data: bytes) -> None:
    """Write a gzip file whose bytes depend on the data alone."""
    path.write_bytes(gzip.compress(data, LEVEL, mtime=0))


def readme(world: World, seed: int, scale: float) -> str:
    """Say what the folder is, in the folder."""
    return (
        f"{MARKER_LINE}\n\n"
        f"World: {world.title} ({world.name}), {world.since} to {world.until}.\n"
        f"Seed {seed}, scale {scale:g}.\n"
        f"Each message ends its headers with X-Spamtide-Simulated: {world.name}/{seed}.\n"
        "Names of botnets and brands are those of the published record; messages, counts, addresses\n"
        "and hosts are invented. Hosts end in .example, .test or .invalid; addresses are reserved ones.\n\n"
        "    sensors/NAME.spam.mbox.gz   what sensor NAME received       spamtide ingest --label spam FILE\n"
        "    sensors/NAME.ham.mbox.gz    its legitimate mail             spamtide ingest --label ham FILE\n"
        "    lab/FAMILY.mbox.gz          what the lab's bot sent         spamtide ingest --lab FAMILY FILE\n"
        "    truth.json                  counts, changes, sensors: what a perfect observatory would say\n"
        "    truth_messages.csv.gz       what each message really is\n"
        "    events.csv                  what was announced outside the mail\n"
        "    control.csv                 checks of control servers           spamtide control FILE\n"
    )
