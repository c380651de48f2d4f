"""`python -m spamtide` and the `spamtide` command."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

FEW_COLLECTIONS = 50_000
"""New objects from one collection of garbage to the next; Python's own 700 cost a tenth of every start."""


class _WithoutPandas(MetaPathFinder):
    """Makes pandas look not installed: pyarrow imports it wherever it is, a second of every start."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the finder protocol
        target: ModuleType | None = None,  # noqa: ARG002 - the finder protocol
    ) -> ModuleSpec | None:
        """Refuse pandas, leave all else to others."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)
        return None


def prepare() -> None:
    """What a process does before it imports the rest, so that it starts and runs in less time."""
    gc.set_threshold(FEW_COLLECTIONS)
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # its threads spin for nothing: no matrix here is large
    sys.meta_path.insert(0, _WithoutPandas())


def open_standard_streams() -> None:
    """Give a standard stream that was closed before the start (`>&-`) to the null device.

    Else the first file that is opened takes its number, and what is meant for the reader goes into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - kept open


def main() -> None:
    """Run the command line and leave with its exit code."""
    prepare()
    open_standard_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a letter is shown its number
        sys.stdout.reconfigure(errors="backslashreplace")
    from spamtide.cli import run

    code = run(sys.argv[1:])
    with suppress(OSError, ValueError):  # a closed pipe is the reader's choice
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads of native libraries now and then abort an ordinary exit, after all work is done and committed.
    os._exit(code)


if __name__ == "__main__":
    main()
