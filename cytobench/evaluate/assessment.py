"""Everything that is said of one cell, from its stored folds alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate.added import Added, added_value
from cytobench.evaluate.adequacy import Adequacy, adequacy
from cytobench.evaluate.calibration import (
    distance_estimates,
    intercept,
    linear_calibration,
    over_repeats,
    slope,
)
from cytobench.evaluate.comparisons import (
    resampled_auc,
)
from cytobench.evaluate.decision import (
    DecisionCurve,
    decision_curve,
    net_benefit_at,
    percentile,
    resampled_patients,
)
from cytobench.evaluate.intervals import Estimate, standard_error
from cytobench.evaluate.scores import METRICS, Scores
from cytobench.evaluate.subgroup import Interaction, Subgroup, subgroup_table

Floats = NDArray[np.float64]

RESAMPLES = 2000
MOST_DRAWS = 40_000_000
"""Resamples times patients: what is kept in memory at once (320 MB)."""


@dataclass(frozen=True)
class Assessment:
    """The numbers of one cell; parts that cost more are computed when first asked for.

    Parameters
    ----------
    scores : Scores
    thresholds : pair of float
        Declared range of the decision curve.
    decide_at : float
        Declared threshold of the compared net benefit.
    seed : int
        Of the resampled patients; equal seeds draw the same patients for every model of a board.
    """

    scores: Scores
    thresholds: tuple[float, float] = (0.2, 0.8)
    decide_at: float = 0.5
    seed: int = 0
    resamples: int = RESAMPLES
    _known: dict[str, Estimate] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def kind(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self.scores.kind

    @cached_property
    def prevalence(self) -> float:
        """Share of patients with the outcome: what the AUPRC of noise is."""
        return float(self.scores.out_of_fold.y.mean())

    @cached_property
    def weights(self) -> Floats:
        """Resampled patients, shape (resamples, n)."""
        n = len(self.scores.out_of_fold.y)
        most = max(200, min(self.resamples, MOST_DRAWS // max(1, n)))
        return resampled_patients(n, most, self.seed)

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Every number with its interval: fold metrics, then those of pooled predictions."""
        return {name: self.estimate(name) for name in METRICS[self.kind]} | self._pooled

    def estimate(self, name: str) -> Estimate:
        """One number with its interval; a fold metric is computed alone."""
        if name not in METRICS[self.kind]:
            return self._pooled[name]
        if name not in self._known:
            self._known[name] = self.scores.estimate(name)
        return self._known[name]

    @cached_property
    def _pooled(self) -> dict[str, Estimate]:
        return self._numbers() if self.kind == "regression" else self._probabilities()

    def _probabilities(self) -> dict[str, Estimate]:
        repeats = list(self.scores.out_of_fold.repeats())
        # A model that says one thing to everybody has only the folds' prevalences to differ by.
        constant = all(np.ptp(fold.predictions.prediction) < 1e-9 for fold in self.scores.folds)
        flat = "predictions hardly differ, or separate the outcomes"
        found = {
            "calibration_intercept": over_repeats(
                [intercept(y, p) for y, p in repeats],
                "GLM, one repeat's patients, models as given",
                "one class",
            ),
            "calibration_slope": over_repeats(
                [(float("nan"), float("nan")) if constant else slope(y, p) for y, p in repeats],
                "GLM, one repeat's patients, models as given",
                flat,
            ),
        }
        found |= distance_estimates(repeats, resamples=min(self.resamples, 500), seed=self.seed)
        found["net_benefit"] = net_benefit_at(self.scores.out_of_fold, self.decide_at, self.weights)
        unstable = self.scores.out_of_fold.instability
        if not np.isnan(unstable).any():
            found["instability"] = percentile(unstable, self.weights)
        return found

    def _numbers(self) -> dict[str, Estimate]:
        repeats = list(self.scores.out_of_fold.repeats())
        return {
            "calibration_slope": over_repeats(
                [linear_calibration(y, p) for y, p in repeats],
                "least squares, one repeat's patients",
                "predictions hardly differ",
            ),
            "calibration_intercept": over_repeats(
                [(float((y - p).mean()), standard_error(y - p)) for y, p in repeats],
                "mean residual, one repeat's patients",
                "one patient",
            ),
        }

    @cached_property
    def resampled(self) -> Floats:
        """Mean AUC over folds in every resample of patients, shape (resamples,)."""
        column = {patient: k for k, patient in enumerate(self.scores.out_of_fold.patients)}
        folds = [
            (
                np.array([column[patient] for patient in fold.predictions.patient], dtype=np.intp),
                np.asarray(fold.predictions.prediction, dtype=float),
            )
            for fold in self.scores.folds
        ]
        return resampled_auc(folds, self.scores.out_of_fold.y, self.weights)

    @cached_property
    def decision(self) -> DecisionCurve | None:
        """Net benefit over the declared thresholds; None for a number as outcome."""
        if self.kind == "regression":
            return None
        return decision_curve(self.scores.out_of_fold, self.thresholds, self.weights)

    @cached_property
    def adequacy(self) -> Adequacy | None:
        """The number of patients against what the model's size asks for.

        With one test set those of the training part: the others have developed nothing.
        """
        n, share, folds = len(self.scores.out_of_fold.y), self.prevalence, self.scores.folds
        if len(folds) == 1:
            n, share = folds[0].n_train, folds[0].train_mean
        return adequacy(folds, n, share if self.kind == "classification" else None)

    @cached_property
    def subgroups(self) -> tuple[list[Subgroup], list[Interaction]]:
        """Levels and interaction tests of every subgroup variable."""
        return subgroup_table(self.scores.out_of_fold, self.kind)

    def added_to(self, reference: Assessment, name: str) -> Added:
        """What this cell adds to another on the same splits.

        Differences of fold metrics carry the corrected t interval, that of net benefit a paired
        bootstrap over patients.

        Raises
        ------
        ValueError
            Where the two were not tested on the same patients in the same folds.
        """
        return added_value(self, reference, name)


def assess(
    kind: str,
    protocol: str,
    folds: Sequence[FoldResult],
    task: Mapping[str, Any],
    *,
    resamples: int = RESAMPLES,
) -> Assessment:
    """Assess stored folds under the declarations of a task."""
    low, high = task.get("thresholds", (0.2, 0.8))
    return Assessment(
        Scores(kind, protocol, folds),
        (float(low), float(high)),
        float(task.get("decide_at", 0.5)),
        resamples=resamples,
    )
