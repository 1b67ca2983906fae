"""Turns: processes that mirror the same run store write to MLflow one after the other."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType


class Turn:
    """A lock of the operating system, which lets go of it when its process ends; reentrant.

    Where the system or the file system has none, or the store is not ours to write, nobody waits: a
    cell may then be in MLflow twice, which ``cytobench track --rebuild`` mends.

    Parameters
    ----------
    path : Path
        The lock's file; it names who wrote last.
    others_wrote : callable
        Called at the beginning of a turn where somebody else has had one since.
    """

    def __init__(self, path: Path, others_wrote: Callable[[], None]) -> None:
        self.path = path
        self.others_wrote = others_wrote
        self._name = secrets.token_hex(8).encode()
        self._handle: int | None = None
        self._depth = 0

    def __enter__(self) -> Turn:
        self._depth += 1
        if self._depth == 1:
            self._handle = _locked(self.path)
            if self._handle is not None and os.pread(self._handle, 64, 0) != self._name:
                os.pwrite(self._handle, self._name, 0)
                self.others_wrote()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth == 0 and self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _locked(path: Path) -> int | None:
    """An open file that nobody else has locked; None where that cannot be."""
    with suppress(ImportError, OSError):
        import fcntl

        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            os.close(handle)
            raise
        return handle
    return None
