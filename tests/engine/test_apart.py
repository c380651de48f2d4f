"""Work that is done apart: the same results in the same order, whatever happens to the processes."""

from __future__ import annotations

import os
import time

import pytest

from spamtide.engine import Apart, apart


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_are_in_the_items_order(workers: int, count: int) -> None:
    """Whatever the number of processes; what the function holds need not be picklable."""
    held = {number: str(number) for number in range(count)}
    assert Apart(workers)(lambda number: held[number], list(range(count))) == list(held.values())


def test_what_a_process_leaves_is_done_here() -> None:
    """One that dies in the middle costs time and nothing else."""
    here = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != here:
            os._exit(1)
        return number**2

    assert Apart(3)(work, [1, 2, 3, 4]) == [1, 4, 9, 16]


def test_a_failure_is_raised_here() -> None:
    """Also one that only another process met."""
    with pytest.raises(ZeroDivisionError):
        Apart(2)(lambda number: 1 // number, [1, 0])


def test_results_that_do_not_travel_are_made_here() -> None:
    """Such as functions."""
    assert [one() for one in Apart(2)(lambda number: lambda: number, [1, 2, 3])] == [1, 2, 3]


@pytest.mark.parametrize("workers", [1, 2])
def test_aside(workers: int) -> None:
    """Something else is done meanwhile; what its process does not find out, is found out here."""
    here, held = os.getpid(), {"a": 1}
    assert Apart(workers).aside(lambda: held)() == held
    assert Apart(workers).aside(lambda: here if os.getpid() == here else os._exit(1))() == here
    with pytest.raises(ZeroDivisionError):
        Apart(workers).aside(lambda: 1 // 0)()


def test_a_process_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its part is done here."""
    monkeypatch.setattr(apart, "PATIENCE", 0.2)
    here = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != here:
            time.sleep(60)
        return -number

    assert Apart(2)(work, [1, 2, 3]) == [-1, -2, -3]
