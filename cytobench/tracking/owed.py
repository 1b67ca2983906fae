"""Cells that MLflow is owed: an empty file for each that a run has handed over, till it is written.

A run that has nothing to compute thus knows without MLflow whether there is something to write.
Where the store is not ours to write nothing is noted, and ``cytobench track`` looks at every cell.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cytobench.run.claims import WORKING

OWED = "unmirrored"


def owe(root: Path, key: str) -> None:
    """Note a cell of the store in `root`, which is to be written."""
    path = _note(root, key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def is_owed(root: Path, key: str) -> bool:
    """Whether a cell was handed over and is not known to be written."""
    return _note(root, key).exists()


def settle(root: Path, key: str) -> None:
    """A cell is written."""
    with suppress(OSError):
        _note(root, key).unlink(missing_ok=True)


def _note(root: Path, key: str) -> Path:
    return root / WORKING / OWED / key
