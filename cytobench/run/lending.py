"""A large cohort is loaded once: worker processes of this machine map what their run has loaded."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cytobench.core.hashing import digest
from cytobench.core.process import left_by_the_gone, lives, this_process
from cytobench.data.cohort import Cohort

LARGE = 4 * 1024**2
"""Bytes of a table; a smaller one is loaded sooner than it is shared."""
ROOM = 4
"""How many times the table must fit into what memory a temporary file may take."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in it, for this user alone
PREFIX = "cytobench-"

_lender: list[Path | None] = []
"""While this process lends: its folder, None before there is something in it."""
_borrowed: list[Path] = []
"""In a worker: where its run lends."""


@contextmanager
def lending() -> Iterator[None]:
    """Lend every large cohort that this process loads from now on, until the end of the block."""
    _lender[:] = [None]
    try:
        yield
    finally:
        folder = lent()
        _lender.clear()
        if folder:
            give_up(folder)


def lent() -> str:
    """The folder that this process lends from; empty where it lends nothing."""
    return str(_lender[0]) if _lender and _lender[0] else ""


def borrow(folder: str) -> None:
    """In a worker: look there before a cohort is loaded; an empty name is no folder."""
    _borrowed[:] = [Path(folder)] if folder else []


def give_up(folder: str) -> None:
    """Remove what was lent; whoever has mapped it keeps it."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def offer(cohort: Cohort, *asked: str) -> None:
    """Lend a cohort under what it was asked for by, if this process lends and it is large."""
    if not _lender:
        return
    size = int(cohort.table.memory_usage(deep=False).sum())
    if size < LARGE:
        return
    from joblib import dump

    cohort.fingerprint  # noqa: B018 - computed once, for every worker
    folder = _lender[0] or own_folder(size)
    _lender[0] = folder
    path = folder / f"{digest(asked)}.new"
    try:
        dump(_state(cohort), path)
    except OSError:  # no room after all: every worker loads it
        path.unlink(missing_ok=True)
    else:
        path.rename(path.with_suffix(""))


def borrowed(*asked: str) -> Cohort | None:
    """The cohort that the run has loaded, its columns mapped and not copied; None where none is."""
    if not _borrowed:
        return None
    from joblib import load

    path = _borrowed[0] / digest(asked)
    try:
        state = load(path, mmap_mode="r")
    except FileNotFoundError:
        return None
    cohort: Cohort = object.__new__(Cohort)
    vars(cohort).update(state, table=state["_frozen"].copy(deep=False))
    return cohort


def _state(cohort: Cohort) -> dict[str, object]:
    """All of a cohort; its table once, of which the other one is a shallow copy."""
    return {name: value for name, value in vars(cohort).items() if name != "table"}


def own_folder(size: int) -> Path:
    """A folder for so many bytes, which workers of this machine and this user alone can reach.

    In memory where there is room, so that no row reaches a disk. Whoever asks for it gives it up;
    that of a process that was killed goes when the next one asks.
    """
    elsewhere = Path(tempfile.gettempdir())
    for within in (SHARED_MEMORY, elsewhere):
        _sweep(within)
    free = 0
    with suppress(OSError):
        free = shutil.disk_usage(SHARED_MEMORY).free
    within = SHARED_MEMORY if free >= ROOM * size else elsewhere
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{this_process()}.", dir=within))


def _sweep(within: Path) -> None:
    """Remove what this user's processes left behind that were killed with all their workers."""
    for folder, process in left_by_the_gone(within.glob(f"{PREFIX}*"), PREFIX):
        if _own(folder):
            _remove_semaphores(process.pid)
            give_up(str(folder))


def _remove_semaphores(pid: int) -> None:
    """Those that joined a process to its workers, which loky names after it."""
    if lives(pid):
        return  # another one has this number now, and perhaps semaphores of its own
    for path in SHARED_MEMORY.glob(f"sem.loky-{pid}-*"):
        if _own(path):
            path.unlink(missing_ok=True)


def _own(path: Path) -> bool:
    """Whether it is there and this user's: anyone may put something into these folders."""
    with suppress(FileNotFoundError):
        return path.lstat().st_uid == os.getuid()
    return False
