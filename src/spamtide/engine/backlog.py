"""A backlog: what may be done later, job after job in a thread, while the program goes on with other things.

For writing: the libraries that write leave the interpreter free meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from spamtide.each import Result


class Backlog:
    """Jobs in the order in which they are given; after one that failed, none is begun any more.

    As a context it waits for them in the end, and raises what the first that failed raised.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "backlog")
        self._jobs: list[Future[None]] = []
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for all jobs; where the program failed beside them, only for the one that is under way."""
        self._failed = self._failed or kind is not None
        self._thread.shutdown(wait=True)
        if kind is None:
            self.wait()

    def __call__(self, job: Callable[[], Result]) -> Callable[[], Result]:
        """Have a job done.

        Returns:
            What waits for the job and those before it, raises as `wait`, and gives what the job gave. That is
            kept for as long as this is, and nowhere else.
        """
        given: list[Result] = []
        self._jobs.append(self._thread.submit(self._do, lambda: given.append(job())))
        asked = list(self._jobs)

        def result() -> Result:
            _settle(asked)
            return given[0]

        return result

    def wait(self) -> None:
        """Wait for the jobs so far.

        Raises:
            BaseException: what the first that failed raised.
        """
        _settle(self._jobs)

    def _do(self, job: Callable[[], object]) -> None:
        if self._failed:
            return
        try:
            job()
        except BaseException:
            self._failed = True
            raise


def _settle(jobs: list[Future[None]]) -> None:
    wait(jobs)
    for job in jobs:
        job.result()
