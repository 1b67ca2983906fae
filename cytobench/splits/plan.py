"""The split plan: frozen index arrays with a hash, shared by every model of a leaderboard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import SplitError

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """One outer fold as positions of patients in the cohort's rows.

    Attributes
    ----------
    label : str
        The site or study that is tested.
    beside : bool
        Made for a table beside the protocol's claim (one study against another): never part of the
        estimate that ranks a model.
    trained_on : str
        The study that such a fold is trained on.
    """

    repeat: int
    fold: int
    train: Index
    test: Index
    label: str = ""
    beside: bool = False
    trained_on: str = ""

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            positions = np.asarray(getattr(self, name), dtype=np.intp).copy()
            positions.setflags(write=False)
            object.__setattr__(self, name, positions)


@dataclass(frozen=True)
class SplitPlan:
    """All outer folds of a protocol on one cohort and task.

    Attributes
    ----------
    protocol : str
    claim : str
        What generalisation the protocol speaks about.
    inner_folds : int
    notes : sequence of str
        What had to give way, in words (strata that were merged, sites never tested).

    Raises
    ------
    SplitError
        ``E410`` where a patient is in both parts of a fold.
    """

    protocol: str
    claim: str
    splits: Sequence[Split]
    inner_folds: int
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "splits", tuple(self.splits))
        object.__setattr__(self, "notes", tuple(self.notes))
        for split in self.splits:
            shared = np.intersect1d(split.train, split.test)
            if len(shared):
                raise SplitError(
                    "E410",
                    f"patient at row {shared[0]} is in the training and the test part",
                    where=f"{self.protocol}, repeat {split.repeat}, fold {split.fold}",
                )

    @cached_property
    def hash(self) -> str:
        """Sha256 of protocol and index arrays; equal hashes mean comparable results."""
        state = hashlib.sha256(f"{self.protocol}/{self.inner_folds}".encode())
        for split in self.splits:
            for part in (split.train, split.test):
                state.update(len(part).to_bytes(8, "little"))
                state.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return state.hexdigest()
