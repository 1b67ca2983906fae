"""Encoded parts of a cohort, and what its folds share: baseline, matrix, subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import Input
from cytobench.data.cohort import Cohort
from cytobench.data.subgroups import subgroups
from cytobench.preprocess.matrix import Encoded, Matrix
from cytobench.preprocess.pipeline import baseline_frame
from cytobench.preprocess.recipe import Recipe

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Part:
    """Encoded features and outcome of some patients, at positions `rows` of the cohort.

    Attributes
    ----------
    kept : dict
        What a solver keeps for the next trial.
    """

    made: pd.DataFrame | Encoded
    y: Floats
    rows: Rows
    kept: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def X(self) -> pd.DataFrame:  # noqa: N802 - scikit-learn's name
        """The features as a model sees them."""
        return self.made.frame() if isinstance(self.made, Encoded) else self.made

    @cached_property
    def values(self) -> Floats:
        """The features as an array."""
        if isinstance(self.made, Encoded):
            return self.made.array()
        return np.ascontiguousarray(self.made.to_numpy(dtype=np.float64))


@lru_cache(maxsize=8)
def frame_of(cohort: Cohort, inputs: tuple[Input, ...], recipe: Recipe | None) -> pd.DataFrame:
    """The baseline columns; never changed in place."""
    return baseline_frame(cohort, inputs, recipe)


def matrix_of(
    frame: pd.DataFrame, cohort: Cohort, inputs: tuple[Input, ...], recipe: Recipe
) -> Matrix | None:
    """What encodes this very frame by a plain recipe; None where a Pipeline has to."""
    return _matrix(_Same(frame), cohort, inputs, recipe)


@lru_cache(maxsize=2)
def subgroups_of(cohort: Cohort) -> Mapping[str, Sequence[str]]:
    """Subgroup -> level of each patient."""
    return subgroups(cohort)


class _Same:
    """A frame that is equal to itself alone, so that a cache can be asked for it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __hash__(self) -> int:
        return id(self.frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.frame is self.frame


@lru_cache(maxsize=8)
def _matrix(
    same: _Same, cohort: Cohort, inputs: tuple[Input, ...], recipe: Recipe
) -> Matrix | None:
    matrix = Matrix(same.frame, cohort, inputs, recipe)
    return matrix if matrix.usable else None
