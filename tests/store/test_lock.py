"""The writer lock: one at a time, and dropped when its holder dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spamtide.errors import TryAgainError
from spamtide.store import writer_lock

HOLDER = """
import sys, time
from pathlib import Path
from spamtide.store import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_told_to_try_again_until_the_first_is_dead(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)  # noqa: S603 - our own interpreter
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"

    with pytest.raises(TryAgainError, match="another run"), writer_lock(tmp_path, wait_seconds=0.3):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with writer_lock(tmp_path, wait_seconds=5):
        assert (tmp_path / ".writer").exists()
