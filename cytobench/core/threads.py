"""One thread for each piece of work: more beside a busy neighbour cost many times what one does."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Keep BLAS and OpenMP to one thread within a ``with`` block.

    The process's libraries are looked for again only where modules have been imported since: that
    search takes as long as a small fit.
    """
    from threadpoolctl import get_cached_controller

    limited: AbstractContextManager[Any] = get_cached_controller().limit(limits=1)
    return limited
