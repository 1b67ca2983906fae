"""A setting that has to be a number or a truth value, checked where a configuration is read."""

from __future__ import annotations

import math
from typing import Any

from cytobench.core.errors import UsageError

FARTHEST = 1e15
"""No setting goes that far, and a whole number up to it is exact as a float."""


def whole(value: Any, code: str, where: str, low: int = 0, high: int = 1_000_000) -> int:
    """A whole number in a range.

    Raises
    ------
    UsageError
        With the code that is given.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        reach = f"from {low} to {high}" if high <= FARTHEST else "of 64 bits"
        said = f"must be a whole number {reach}, not {value!r}"
        raise UsageError(code, said, where=where)
    return value


def real(value: Any, code: str, where: str) -> float:
    """A finite number.

    Raises
    ------
    UsageError
        With the code that is given.
    """
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A whole number may be too long for a float.
    if not (right and abs(value) <= FARTHEST and math.isfinite(value)):
        raise UsageError(code, f"must be a number, not {value!r}", where=where)
    return float(value)


def truth(value: Any, code: str, where: str) -> bool:
    """True or false.

    Raises
    ------
    UsageError
        With the code that is given.
    """
    if not isinstance(value, bool):
        raise UsageError(code, f"must be true or false, not {value!r}", where=where)
    return value
