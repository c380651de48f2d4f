"""What every command shares: the global options, the observatory that they name, and where is written to.

Names of sensors, subjects and families come from strangers: nothing that is printed here is read as markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType

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


def complain(line: str) -> None:
    """Say what went wrong, on one line of stderr, even when all else is quiet."""
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(" ".join(line.split()))


def show(told: RenderableType, *, wrap: bool = True) -> None:
    """Print what was asked for; without `wrap`, lines are as long as they are."""
    Console(highlight=False, markup=False, soft_wrap=not wrap).print(told)
