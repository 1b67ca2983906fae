"""Encoded parts of a cohort, and what its folds share: baseline, matrix, subgroups."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import Input
from cytobench.core.hashing import pseudonyms
from cytobench.data.cohort import Cohort
from cytobench.data.subgroups import subgroups
from cytobench.evaluate.cohort_facts import FEWEST
from cytobench.preprocess.matrix import Encoded, Matrix
from cytobench.preprocess.pipeline import baseline_frame
from cytobench.preprocess.recipe import Recipe

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Features:
    """Encoded features of some patients: an array, a frame, or both where both are asked for."""

    made: pd.DataFrame | Encoded

    @cached_property
    def X(self) -> pd.DataFrame:  # noqa: N802 - scikit-learn's name
        """With the names of the columns."""
        return self.made.frame() if isinstance(self.made, Encoded) else self.made

    @cached_property
    def values(self) -> Floats:
        """As an array, row by row."""
        if isinstance(self.made, Encoded):
            return self.made.array()
        return np.ascontiguousarray(self.made.to_numpy(dtype=np.float64))

    @cached_property
    def columns(self) -> list[str]:
        """Names of the columns."""
        made = self.made
        return made.columns if isinstance(made, Encoded) else [str(name) for name in made.columns]

    @cached_property
    def _by_column(self) -> Floats | None:
        """As an array laid out as the frame is, since the last bit of sums depends on it.

        None where the frame has more to say than numbers.
        """
        if isinstance(self.made, Encoded):
            return np.asfortranarray(self.made.array())
        if not all(dtype == np.float64 for dtype in self.made.dtypes):
            return None
        return np.asfortranarray(self.made.to_numpy())

    def of(self, estimator: Any) -> pd.DataFrame | Floats:
        """As this estimator wants them.

        A look at a frame takes scikit-learn as long as a small fit. So its own estimators get an
        array, a copy each since some write into it; others get the frame unless they ask for one.
        """
        if self._by_column is None or not takes_arrays(estimator):
            return self.X
        return self._by_column.copy(order="F")


@dataclass(frozen=True)
class Part(Features):
    """Encoded features and outcome of some patients, at positions `rows` of the cohort.

    Attributes
    ----------
    kept : dict
        What a solver keeps for the next trial.
    """

    y: Floats
    rows: Rows
    kept: dict[str, Any] = field(default_factory=dict)


def takes_arrays(estimator: Any) -> bool:
    """Whether an estimator looks at no column's name.

    It says so (``takes_arrays``), or is scikit-learn's own and no parameter of it can name one.
    """
    if hasattr(estimator, "takes_arrays"):
        return bool(estimator.takes_arrays)
    names = _parameters_of(estimator.__class__)
    return names is not None and all(
        isinstance(getattr(estimator, name), (str, int, float, bool, type(None))) for name in names
    )


@lru_cache
def _parameters_of(kind: Any) -> tuple[str, ...] | None:
    if not kind.__module__.startswith("sklearn."):
        return None
    return tuple(inspect.signature(kind).parameters)


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


@lru_cache(maxsize=2)
def pseudonyms_of(cohort: Cohort, salt: bytes) -> Sequence[str]:
    """The pseudonym of each patient in a store with this salt."""
    return pseudonyms(cohort.patients, salt)


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


def stored_names(
    columns: Sequence[str], frame: pd.DataFrame, categories: Sequence[str]
) -> list[str]:
    """Encoded columns as they are stored: a category of fewer than five patients has no name.

    What a few patients alone have may be what one of them has said.

    Parameters
    ----------
    columns : sequence of str
    frame : DataFrame
        Features of all patients, not encoded.
    categories : sequence of str
        Those of them that are encoded as a column for each level.
    """
    hidden: dict[str, str] = {}
    for name in categories:
        counts = frame[name].value_counts()
        rare = sorted(str(level) for level in counts.index[counts < FEWEST])
        hidden |= {f"{name}_{level}": f"{name}_(rare {k})" for k, level in enumerate(rare, 1)}
    return [hidden.get(column, column) for column in columns]
