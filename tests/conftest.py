"""Fixtures that more than one room uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spamtide.compiled import native

REQUIRE_ALL = os.environ.get("SPAMTIDE_REQUIRE_ALL") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, long files come first, so that none is left for one worker at the end.

    Those are files with slow tests, and those that run the command itself. The order stays as drawn in both.
    """
    if not hasattr(config, "workerinput"):
        return
    long = {item.path for item in items if item.get_closest_marker("slow") or item.path.parent.name == "path"}
    items.sort(key=lambda item: item.path not in long)


def missing(reason: str) -> None:
    """Skip with a reason on a user's machine; fail where everything is required (CI)."""
    if REQUIRE_ALL:
        pytest.fail(f"required, but missing: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def compiled() -> None:
    """The compiled form of inner loops: not asked for without a compiler; with one, CI must have built it."""
    if native is None:
        (missing if shutil.which("cc") else pytest.skip)("there is no compiled form here to compare with")


@pytest.fixture(scope="session")
def sanitizer() -> Path:
    """The compiler's checks of addresses: not asked for without gcc on Linux; with it, CI must have them."""
    gcc = shutil.which("gcc") if sys.platform == "linux" else None
    if gcc is None:
        # A machine without a compiler runs the Python form, which has nothing to check.
        pytest.skip("no gcc, whose sanitizer this needs")
    ask = [gcc, "-print-file-name=libasan.so"]
    told = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603 - the gcc that is on the path, no outside words
    library = Path(told.stdout.strip())
    if not library.is_absolute():
        missing("gcc has no address sanitizer (libasan)")
    return library


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder of the real-mail corpora: SPAMTIDE_CORPORA, else shared/corpora beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "corpora"
    folder = Path(os.environ.get("SPAMTIDE_CORPORA", str(default)))
    if not (folder / "csdmc2010.tar.gz").is_file():
        missing("no real-mail corpora; set SPAMTIDE_CORPORA to their folder")
    return folder
