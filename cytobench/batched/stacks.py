"""Problems of one shape as stacks of arrays, small enough to stay in a core's cache."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from cytobench.batched.problem import Problem

FLOATS = 2**18
"""Numbers in a stack of features: two megabytes."""

Item = TypeVar("Item")


def alike(
    items: Sequence[Item],
    key: Callable[[Item], Hashable],
    floats: Callable[[Item], int],
    most: int = FLOATS,
) -> Iterator[list[int]]:
    """Positions of items with equal keys, in pieces of no more than `most` numbers.

    Nothing is padded: what numpy computes for one matrix of a stack does not depend on the others.

    Parameters
    ----------
    floats : callable
        Numbers that an item brings into the stack.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, item in enumerate(items):
        groups.setdefault(key(item), []).append(position)
    for group in groups.values():
        size = max(most // max(floats(items[group[0]]), 1), 1)
        yield from (group[start : start + size] for start in range(0, len(group), size))


def two_classes(problem: Problem) -> None:
    """Refuse a training part with one class, as scikit-learn does.

    Raises
    ------
    ValueError
    """
    if problem.y.min() == problem.y.max():
        raise ValueError(
            f"two classes are needed, and all {len(problem.y)} training patients are of class "
            f"{problem.y[0]:g}"
        )
