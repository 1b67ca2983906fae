"""What the probes of a cohort look at: patients with a known outcome, and its forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.audit.association import permutations_of, some_of
from cytobench.audit.twins import Twins, find_twins
from cytobench.data.cohort import Cohort, ScaleOutcome
from cytobench.data.target import Target
from cytobench.splits.plan import SplitPlan

Floats = NDArray[np.float64]
FAMILY_LEVEL = 0.01
"""Chance that an honest cohort gets any warning from the tests of association together."""
TESTS = 6
"""Tests of association: missingness, site, plate, row order, drop-out by severity and by arm."""
LEVEL = FAMILY_LEVEL / TESTS
"""Of each test (Bonferroni)."""


@dataclass(frozen=True)
class View:
    """A cohort under one task and split plan, with what several probes share.

    Attributes
    ----------
    seed : int
        Of the permutations.
    """

    cohort: Cohort
    target: Target
    plan: SplitPlan
    seed: int

    @property
    def binary(self) -> bool:
        """Whether the outcome is a class."""
        return self.target.task.outcome_kind == "classification"

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Positions of patients whose outcome is known: of all, or of 20,000 of very many."""
        known = self.target.known
        return known[some_of(len(known), self.seed)]

    @cached_property
    def y(self) -> Floats:
        """Their outcome, shape (n_rows,)."""
        return self.target.y[self.rows]

    @cached_property
    def shuffled(self) -> Floats:
        """These outcomes in random orders, shape (n_rows, permutations)."""
        return permutations_of(self.y, self.seed)

    @cached_property
    def baseline(self) -> pd.DataFrame:
        """Analytes and clinical columns of all patients, without companion columns."""
        frame = self.cohort.baseline()
        return frame[[column for column in frame.columns if column not in self.cohort.flags]]

    @cached_property
    def numbers(self) -> Mapping[str, Floats]:
        """Numeric baseline columns of all patients, NaN where missing."""
        return {
            str(name): column.to_numpy(dtype=np.float64, na_value=np.nan)
            for name, column in self.baseline.items()
            if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
        }

    @cached_property
    def categories(self) -> Mapping[str, NDArray[np.str_]]:
        """Text columns of all patients; empty strings where missing."""
        return {
            str(name): np.array(["" if pd.isna(value) else str(value) for value in column])
            for name, column in self.baseline.items()
            if str(name) not in self.numbers
        }

    @cached_property
    def outcomes(self) -> Mapping[str, Floats]:
        """Every form of the outcome, for all patients: the task's, the endpoint, the change."""
        forms = {self.target.task.outcome_name: self.target.y}
        outcome = self.cohort.outcome
        if isinstance(outcome, ScaleOutcome):
            before, after = self.scores
            forms[outcome.endpoint] = after
            with np.errstate(divide="ignore", invalid="ignore"):
                change = np.where(before > 0, 100 * (after - before) / before, np.nan)
            forms["percent change"] = change
        return forms

    @cached_property
    def scores(self) -> tuple[Floats, Floats]:
        """Scores before and after treatment; only for a :class:`ScaleOutcome`."""
        outcome = self.cohort.outcome
        assert isinstance(outcome, ScaleOutcome)
        before, after = (
            self.cohort.column(name).to_numpy(dtype=np.float64, na_value=np.nan)
            for name in (outcome.baseline, outcome.endpoint)
        )
        return before, after

    @cached_property
    def log_analytes(self) -> Floats:
        """Analytes of all patients on a logarithmic scale, shape (n, n_analytes).

        A zero stands for a non-detect and counts as half the smallest positive value.
        """
        columns = []
        for analyte in self.cohort.panel:
            values = self.numbers[analyte.name].copy()
            positive = values[values > 0]
            if analyte.scale == "linear" and len(positive):
                values[values == 0] = positive.min() / 2
                values = np.log(values)
            columns.append(values)
        return np.column_stack(columns) if columns else np.empty((len(self.cohort), 0))

    @cached_property
    def twins(self) -> Twins:
        """Rows that are too much alike to be two patients."""
        return find_twins(self.log_analytes)

    def crossing(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
        """In how many folds each pair of patients is parted by train and test, shape (n_pairs,)."""
        count = np.zeros(len(first), dtype=np.intp)
        for train, test in self._sides():
            count += (train[first] & test[second]) | (test[first] & train[second])
        return count

    def _sides(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        for split in self.plan.splits:
            sides = np.zeros((2, len(self.cohort)), dtype=bool)
            sides[0, split.train], sides[1, split.test] = True, True
            yield sides[0], sides[1]
