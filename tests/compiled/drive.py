"""Drive each compiled function with hostile values and hold it against its Python; also under sanitizers.

    python tests/compiled/drive.py --seconds 600 --mail FOLDER_OR_FILE...
    python tests/compiled/drive.py --module BUILT.so ...      another build than the installed one

Prints a JSON object of runs by function. A difference ends it, with the seed that shows it again.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.machinery import ExtensionFileLoader
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

SELDOM = 50
"""Rounds between two of a slow function."""
MOST_ALLOCATIONS, ENOUGH = 300, 6
STARVED = "no memory"


def starve(call: Callable[[], object], first: int, last: int) -> object:
    """Answer of a call of which some allocations fail; STARVED where it gives up."""
    import _testcapi

    _testcapi.set_nomemory(first, last)
    try:
        return call()
    except (MemoryError, TypeError):  # the latter where the interpreter asks for an array in vain
        return STARVED
    finally:
        _testcapi.remove_mem_hooks()


def starved(native: object, made: Sequence[tuple[str, tuple[Any, ...]]]) -> int:
    """Let every allocation of each call fail in turn; how often it gave up.

    MemoryError may come of it, the right answer, or None, which asks the Python.
    """
    failed = 0
    for name, given in made:

        def call(name: str = name, given: tuple[Any, ...] = given) -> object:
            return getattr(native, name)(*given)

        right, fed = repr(call()), 0
        for number in range(MOST_ALLOCATIONS):
            ends = starve(call, number, number + 1), starve(call, number, 0)
            if not {*map(repr, ends)} <= {right, repr(None), repr(STARVED)}:
                message = f"{name}{given!r:.2000} without memory: {ends!r:.2000}"
                raise AssertionError(message)
            failed += ends.count(STARVED)
            fed = 0 if STARVED in ends else fed + 1
            if fed == ENOUGH:  # the call has no more allocations than that
                break
    return failed


ODD: tuple[Any, ...] = (
    None, 0, -1, 2**70, 1.5, "", "a\ud800", "To: x", b"", b"x" * 300, bytearray(8), [], [None], [b"a", "b"],
    (), (None,), (1, 2), {}, {b"a": ()}, {b"b": ((b"c", b"d"),)}, set(), {1}, str, tuple, len, object(),
    np.zeros(0), np.zeros((3, 64), np.uint32), np.zeros(4, np.int64), np.full(4, -9, np.int64),
    memoryview(b"abcd" * 64), np.zeros((64, 64), np.uint32).T, (np.zeros(3), np.zeros(3), np.zeros(3)),
    tuple(np.zeros((4, 3))),
)  # fmt: skip


def misused(native: object, dice: random.Random) -> int:
    """Hand each function what none of its users would; how often it refused. Nothing worse may come of it."""
    refused = 0
    for name in dir(native):
        function = getattr(native, name)
        if name.startswith("_") or not callable(function) or name == "join_groups":
            continue  # the last trusts that the groups it is handed have no cycle
        for given in (dice.choices(ODD, k=size) for size in (0, 1, 2, 3, 4, 5, 7, 9) for _ in range(40)):
            try:
                function(*given)
            except SystemError:
                raise
            except Exception:  # noqa: BLE001 - each may refuse in its own way; only a crash is a fault
                refused += 1
    return refused


def load(module: Path) -> None:
    """Put a build in the place of the installed one, before anything asks for it."""
    loader = ExtensionFileLoader("spamtide._native", str(module))
    spec = importlib.util.spec_from_loader("spamtide._native", loader)
    if spec is None:
        raise ImportError(module)
    sys.modules["spamtide._native"] = importlib.util.module_from_spec(spec)
    loader.exec_module(sys.modules["spamtide._native"])


def main() -> None:
    """Run; ends with 1 at a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", type=Path)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=0, help="instead of a number of rounds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="functions whose names hold this")
    parser.add_argument("--mail", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    if given.module:
        load(given.module)
    sys.path.insert(0, str(Path(__file__).parent))
    from asking import SLOW, Asking
    from hostile import Hostile, messages

    from spamtide.compiled import native

    if native is None:
        sys.exit("there is no compiled form here")
    asking = Asking(Hostile(list(messages(given.mail))))
    names = [name for name in asking.table if given.only in name]
    runs: Counter[str] = Counter({"refused": misused(native, random.Random(given.seed))})
    if importlib.util.find_spec("_testcapi"):
        runs["allocations that failed"] = starved(native, asking.calls(range(given.seed, given.seed + 8)))
    started = time.monotonic()
    for number in count():
        if time.monotonic() - started > given.seconds if given.seconds else number == given.rounds:
            break
        for name in names:
            if name in SLOW and number % SELDOM:
                continue
            compiled, plain = asking.both(name, given.seed * 10**9 + number)
            if compiled != plain:
                sys.exit(f"{name}, round {number}: {compiled!r:.2000}\n is not {plain!r:.2000}")
            runs[name] += 1
    sys.stdout.write(json.dumps(runs) + "\n")


if __name__ == "__main__":
    main()
