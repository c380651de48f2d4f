"""What every command shares: the global options, the observatory that they name, and where is written to.

Names of sensors, subjects and families come from strangers: nothing that is printed here is read as markup,
and lines hold nothing that steers a terminal or turns the reading direction.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from spamtide.errors import BadDataError

if TYPE_CHECKING:  # late, so that the command line starts fast
    from spamtide.observatory import Observatory


@dataclass(slots=True)
class Face:
    """What the global options say."""

    directory: Path = Path()
    quiet: bool = False
    verbose: int = 0

    @property
    def console(self) -> Console:
        """Where diagnostics go."""
        return Console(stderr=True, quiet=self.quiet, highlight=False, soft_wrap=True, markup=False)

    def observatory(self, *, make: bool = False) -> Observatory:
        """The observatory of -C; made when there is none and the command fills it."""
        from spamtide.observatory import init_observatory, is_observatory, open_observatory

        if make and not is_observatory(self.directory):
            made = init_observatory(self.directory)
            self.console.print(f"Made an observatory at {made.directory.resolve()}")
            return made
        return open_observatory(self.directory)

    def observatory_if_any(self) -> Observatory | None:
        """The observatory of -C, for commands that work without one too."""
        from spamtide.observatory import is_observatory

        return self.observatory() if is_observatory(self.directory) else None


FACE = Face()
UNSEEN = dict.fromkeys(
    (
        *range(9),
        *range(11, 32),
        *range(127, 160),
        0x061C,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
)
"""Control characters but tab and line feed, and marks that turn the reading direction; for str.translate."""
PIPED_WIDTH = 240
"""Columns of a table that no terminal shows."""


def complain(line: str) -> None:
    """Say what went wrong, on one line of stderr, even when all else is quiet."""
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(
        " ".join(line.split()).translate(UNSEEN)
    )


@dataclass(frozen=True, slots=True)
class _Harmless:
    """A table or a group of them, of which UNSEEN is left out; the colours are rich's own."""

    told: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.told, options):
            yield Segment(segment.text.translate(UNSEEN), segment.style, segment.control)


def show(told: RenderableType, *, wrap: bool = True) -> None:
    """Print what was asked for; without `wrap`, lines are as long as they are.

    A table in a pipe or a file has room, so that no name in it is cut off or broken.
    """
    told = told.translate(UNSEEN) if isinstance(told, str) else _Harmless(told)
    width = PIPED_WIDTH if not sys.stdout.isatty() and "COLUMNS" not in os.environ else None
    Console(highlight=False, markup=False, soft_wrap=not wrap, width=width).print(told)


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that appears only when it is whole.

    What is there and no plain file (a device, a pipe, a link to one) is written to as it is, and stays.

    Raises:
        BadDataError: it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    as_it_is = path.is_symlink() or (path.exists() and not path.is_file())
    part = path if as_it_is else path.with_name(f".{path.name}.part")
    with _telling(path):
        stream = part.open("wb")
    try:
        with stream:
            yield stream
        if not as_it_is:
            with _telling(path):
                part.replace(path)
    finally:
        if not as_it_is:
            part.unlink(missing_ok=True)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Say of a file that it cannot be written."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        message = f"cannot write {path}: {error.strerror}"
        raise BadDataError(message) from error
