"""Answers that are asked for again, kept up to a number of bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """Keeps answers until they fill `most` bytes; what comes later is made each time.

    Nothing is thrown out: folds are done in the same order again and again, and whatever kept the
    latest would never have the one that is asked for next.

    Parameters
    ----------
    size : callable
        Bytes of an answer.
    """

    def __init__(self, most: int, size: Callable[[Answer], int]) -> None:
        self.left = most
        self.size = size
        self.answers: dict[Hashable, Answer] = {}

    def get(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """The answer to `key`; nobody may change it in place."""
        if key in self.answers:
            return self.answers[key]
        answer = make()
        size = self.size(answer)
        if size <= self.left:
            self.left -= size
            self.answers[key] = answer
        return answer
