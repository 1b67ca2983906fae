"""A person's own regular expressions: refused where they are none, and given up after some time.

A pattern such as ``(a+)+$`` takes time that doubles with each letter. Python's own engine cannot be
stopped in a thread or on Windows; that of the package `regex`, which reads the same patterns, can.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from cytobench.core.errors import DataError

SECONDS = 5.0
"""Of computing, for everything that one pattern is held against; a good one takes milliseconds."""


class Pattern:
    """A compiled pattern that answers within a time.

    Parameters
    ----------
    text : str
        As it stands in the configuration.
    where : str
        Its place there, for errors.
    seconds : float, optional
        `SECONDS`, if not given.

    Raises
    ------
    DataError
        ``E322`` for a text that is no regular expression.
    """

    def __init__(self, text: str, where: str, seconds: float | None = None) -> None:
        import regex

        self.text, self.where = text, where
        self.left = SECONDS if seconds is None else seconds
        try:
            self._compiled = regex.compile(text)
        except (regex.error, OverflowError, RecursionError, ValueError) as error:
            raise DataError("E322", f"is no regular expression: {error}", where=where) from error

    @property
    def groups(self) -> int:
        """How many groups in brackets it has."""
        return int(self._compiled.groups)

    def search(self, cell: str) -> Any:
        """Its first match in a cell; None where there is none.

        Raises
        ------
        DataError
            ``E328`` once all cells have taken longer than they may.
        """
        return self._within(self._compiled.search, cell)

    def fullmatch(self, cell: str) -> Any:
        """Its match of a whole cell; None where there is none; raises as :meth:`search` does."""
        return self._within(self._compiled.fullmatch, cell)

    def _within(self, look: Any, cell: str) -> Any:
        begun = perf_counter()
        try:
            return look(cell, timeout=max(self.left, 1e-3))
        except TimeoutError as error:
            raise DataError(
                "E328",
                f"the pattern {self.text!r} takes too long on {cell[:60]!r}",
                where=self.where,
                hint="a repetition within a repetition, such as (a+)+, doubles the time with "
                "each letter: write each part once, and begin with ^",
            ) from error
        finally:
            self.left -= perf_counter() - begun
