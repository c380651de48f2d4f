"""A backlog: jobs in their order, none after one that failed, and none lost from sight."""

from __future__ import annotations

import threading

import pytest

from spamtide.engine import Backlog


def test_jobs_are_done_in_order_and_waited_for() -> None:
    done: list[int] = []
    with Backlog() as backlog:
        for number in range(20):
            backlog(lambda number=number: done.append(number))  # type: ignore[misc]  # bound on purpose
    assert done == list(range(20))


def test_one_may_wait_for_a_job_and_those_before_it() -> None:
    """And not for those after it."""
    go, done = threading.Event(), []
    with Backlog() as backlog:
        backlog(lambda: done.append("first"))
        stored = backlog(lambda: done.append("second"))
        backlog(go.wait)
        stored()
        assert done == ["first", "second"]
        go.set()


def test_what_a_job_gives_is_handed_over() -> None:
    """As often as it is asked for."""
    with Backlog() as backlog:
        number = backlog(lambda: 17)
    assert (number(), number()) == (17, 17)


def test_after_a_failure_nothing_is_begun() -> None:
    """What is stored later rests on what was stored before."""
    done: list[str] = []
    backlog = Backlog()
    stored = backlog(lambda: {}["nothing"])
    later = backlog(lambda: done.append("later"))
    for waiting in (stored, later, backlog.wait):
        with pytest.raises(KeyError):
            waiting()
    with pytest.raises(KeyError), backlog:
        pass
    assert not done


def test_where_the_programme_fails_its_own_failure_is_told() -> None:
    """The job under way is waited for, the others are left."""
    done: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        go.wait()
        done.append("first")

    backlog = Backlog()
    backlog(first)
    backlog(lambda: done.append("second"))
    begun.wait()
    threading.Timer(0.1, go.set).start()
    with pytest.raises(ZeroDivisionError), backlog:
        raise ZeroDivisionError
    assert done == ["first"]
