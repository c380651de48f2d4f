"""The compiled form keeps nothing, stands failed allocations, and stays within its memory."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from operator import sub
from pathlib import Path

import pytest
from asking import Asking, Call
from drive import starved
from hostile import Hostile, messages

from spamtide.compiled import native

pytestmark = pytest.mark.usefixtures("compiled")
ROOT = Path(__file__).parents[2]
TIMES = 40
AGAIN = 4
"""What is lost is lost each time; the interpreter's own lists of free objects fill once."""


@pytest.fixture(scope="module")
def made() -> list[Call]:
    """Some calls of each function."""
    return Asking(Hostile(list(messages()))).calls(range(100, 106))


def kept(call: Callable[[], object]) -> tuple[int, int]:
    """Bytes that remain allocated by a call, and the most references to what everybody shares."""
    shared = (None, True, False, (), "", b"")
    gc.collect()  # empties the interpreter's lists of free objects
    size, references = tracemalloc.get_traced_memory()[0], list(map(sys.getrefcount, shared))
    call()
    gc.collect()
    more = tracemalloc.get_traced_memory()[0] - size
    return more, max(map(sub, map(sys.getrefcount, shared), references))


@pytest.fixture
def traced() -> Iterator[None]:
    """Allocations are followed."""
    gc.freeze()  # a collection need not look at what is there already
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.unfreeze()


@pytest.mark.usefixtures("traced")
def test_calls_keep_nothing(made: list[Call]) -> None:
    """Neither memory nor references, however often they are made."""
    assert len({name for name, _ in made}) == 43
    for name, given in made:
        function = getattr(native, name)

        def often(function: Callable[..., object] = function, given: tuple[object, ...] = given) -> None:
            for _ in range(TIMES):
                function(*given)

        size, references = min(kept(often) for _ in range(AGAIN))
        assert (name, size < TIMES * 30, references < TIMES // 4) == (name, True, True)


# CPython's own test module; distributions leave it out of what a user installs.
@pytest.mark.skipif(find_spec("_testcapi") is None, reason="this Python cannot let allocations fail")
def test_failed_allocations_are_stood(made: list[Call]) -> None:
    """Each of a call's in turn: MemoryError or the answer, and nothing is kept either.

    In a process of its own, which has no other threads: theirs fail as well, and the one by which a worker of
    the tests hears what to run next would not survive it.
    """
    alone = get_context("fork").Process(target=_starve, args=(made,))
    alone.start()
    alone.join()
    assert alone.exitcode == 0, "what it says of it is above"


def _starve(made: list[Call]) -> None:
    """Let each allocation of each call fail."""
    gc.freeze()
    tracemalloc.start()
    failed = 0
    for call in made:
        failed += starved(native, [call])
        again = partial(starved, native, [call])
        size, references = min(kept(again) for _ in range(AGAIN))
        assert (call[0], size < 1000, references < 4) == (call[0], True, True)
    assert failed > 1000


@pytest.mark.slow
def test_nothing_is_touched_beyond_its_end(tmp_path: Path, sanitizer: Path) -> None:
    """Built with checks of every address and operation, each function is driven with hostile values."""
    environment = os.environ | {"CC": "gcc"}
    build = [sys.executable, str(ROOT / "native" / "build.py"), "--sanitized", str(tmp_path)]
    subprocess.run(build, check=True, env=environment, capture_output=True)  # noqa: S603 - our own interpreter
    environment |= {
        "LD_PRELOAD": str(sanitizer),
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    module = next(tmp_path.iterdir())
    drive = [
        sys.executable,
        str(Path(__file__).parent / "drive.py"),
        "--module",
        str(module),
        "--rounds",
        "300",
    ]
    done = subprocess.run(drive, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - as above
    assert done.stderr == ""
    assert done.returncode == 0
    assert min(json.loads(done.stdout).values()) > 0
