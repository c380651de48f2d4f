"""Work on many things: in turn here, in several processes where an engine is at hand (`engine.Apart`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Each(Protocol):
    """How a stage does the same to each of some items: one after the other, or side by side."""

    def __call__(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results in the items' order; `work` is pure."""


def in_turn(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do one after the other: the Each of tests, and of whoever has no engine."""
    return [work(item) for item in items]
