"""The same for many boards: in several processes, and in sight, where somebody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from cytobench import console
from cytobench.run.engine import available_cores

Item = TypeVar("Item")
Made = TypeVar("Made")

MANY = 10
"""Boards. Fewer are made in less time than processes take to start."""


def over_boards(
    make: Callable[[Item], Made], items: Sequence[Item], *, waited_for: bool
) -> Iterator[Made]:
    """What is made of each, in their order.

    Parameters
    ----------
    make : callable
        Can be pickled, as the items and what it makes of them can.
    items : sequence
        Each reads as the name of its board.
    waited_for : bool
        Use every core for many of them, and show on standard error how far it is.
    """
    if not waited_for or len(items) < MANY:
        yield from map(make, items)
        return
    from joblib import Parallel, delayed

    workers = min(available_cores(), len(items))
    made = Parallel(n_jobs=workers, batch_size=1, return_as="generator")(
        delayed(make)(item) for item in items
    )
    with console.progress(len(items), "leaderboards", of="boards") as advance:
        for item, one in zip(items, made, strict=True):
            advance(str(item))
            yield one
