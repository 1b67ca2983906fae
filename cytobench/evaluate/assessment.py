"""Everything that is said of one cell, from its stored folds alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate.adequacy import Adequacy, adequacy
from cytobench.evaluate.calibration import (
    distance_estimates,
    intercept,
    linear_calibration,
    over_repeats,
    slope,
)
from cytobench.evaluate.comparisons import (
    ROPE,
    PairedAuc,
    Posterior,
    bayesian_correlated_t,
    paired_delong,
    resampled_auc,
)
from cytobench.evaluate.decision import (
    DecisionCurve,
    contributions,
    decision_curve,
    net_benefit_at,
    percentile,
    resampled_patients,
)
from cytobench.evaluate.influence import influence
from cytobench.evaluate.intervals import Estimate, corrected_t, nadeau_bengio, out_of_bag, repeated
from cytobench.evaluate.scores import HEADLINE, LOWER_IS_BETTER, METRICS, Scores
from cytobench.evaluate.subgroup import Interaction, Subgroup, subgroup_table

Floats = NDArray[np.float64]

RESAMPLES = 2000
MOST_DRAWS = 40_000_000
"""Resamples times patients: what is kept in memory at once (320 MB)."""
ADDED = {"classification": ("auc", "log_loss", "brier"), "regression": ("mae", "r2")}
"""Fold metrics whose difference to the clinical floor is shown."""


@dataclass(frozen=True)
class Added:
    """What a model adds to a reference model on the same splits.

    Attributes
    ----------
    differences : mapping
        Metric -> difference with its interval, positive where the model is better, whichever way
        the metric runs; ``net_benefit`` at the declared threshold among them.
    p : float
        Two-sided, on the headline metric, unadjusted: the corrected resampled t-test, or DeLong's
        on a locked test set; NaN under other protocols.
    posterior : Posterior or None
        Of the headline metric's difference, under repeated cross-validation.
    """

    reference: str
    differences: Mapping[str, Estimate]
    p: float
    posterior: Posterior | None = None
    _resampled: Callable[[], Floats] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def by_bootstrap(self) -> Estimate | None:
        """Difference of AUC by the paired bootstrap over patients: a second opinion.

        Nothing is refitted, so that it is too short where training varies. None for a number as
        outcome.
        """
        if self._resampled is None:
            return None
        drawn = self._resampled()
        drawn = drawn[~np.isnan(drawn)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        value = self.differences["auc"].value
        method = f"paired patient bootstrap, {len(drawn)} resamples, no refit"
        return Estimate(value, min(value, float(low)), max(value, float(high)), method)


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
    _shared: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
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
        y = self.scores.out_of_fold.y
        most = max(200, min(self.resamples, MOST_DRAWS // max(1, len(y))))
        key = f"weights/{most}/{hash(y.tobytes())}"
        if key not in self._shared:
            self._shared[key] = resampled_patients(y, most, self.seed)
        found: Floats = self._shared[key]
        return found

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
                [(float((y - p).mean()), _standard_error(y - p)) for y, p in repeats],
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
        """The number of patients against what the model's size asks for."""
        n = len(self.scores.out_of_fold.y)
        prevalence = self.prevalence if self.kind == "classification" else None
        return adequacy(self.scores.folds, n, prevalence)

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
        mine, other = self.scores, reference.scores
        if _tested(mine) != _tested(other):
            raise ValueError("the two cells were tested on different patients or in other folds")
        found = {}
        for metric in ADDED[self.kind]:
            sign = -1 if metric in LOWER_IS_BETTER else 1
            difference = sign * (mine.by_fold[metric] - other.by_fold[metric])
            found[metric] = _difference(metric, difference, mine, other)
        if self.kind == "classification":
            at = np.array([self.decide_at])
            each = contributions(mine.out_of_fold, at) - contributions(other.out_of_fold, at)
            found["net_benefit"] = percentile(each[:, 0], self.weights)
        drawn = None
        if self.kind == "classification":
            drawn = partial(_paired_resamples, self, reference)
        return Added(name, found, *self._tested(other), drawn)

    def _tested(self, other: Scores) -> tuple[float, Posterior | None]:
        """P-value and posterior of the headline metric's difference."""
        headline = HEADLINE[self.kind]
        mine = self.scores
        first, second = mine.by_fold[headline], other.by_fold[headline]
        if mine.protocol == "repeated_stratified":
            sign = -1 if headline in LOWER_IS_BETTER else 1
            posterior = bayesian_correlated_t(
                sign * (first - second), *mine.sizes, rope=ROPE[headline]
            )
            return corrected_t(first, second, *mine.sizes)[1], posterior
        if mine.protocol == "holdout" and headline == "auc":
            return _locked_auc(mine, other).p, None
        return float("nan"), None


def _tested(scores: Scores) -> list[list[str]]:
    """Who was tested in each fold, in order."""
    return [list(fold.predictions.patient) for fold in scores.folds]


def _paired_resamples(first: Assessment, second: Assessment) -> Floats:
    """Differences of the mean AUC over folds, both models in the same resamples."""
    found: Floats = first.resampled - second.resampled
    return found


def _locked_auc(mine: Scores, other: Scores) -> PairedAuc:
    """DeLong's comparison on the one test set."""
    first, second = mine.folds[0].predictions, other.folds[0].predictions
    return paired_delong(first.y, first.prediction, second.prediction)


def _difference(metric: str, difference: Floats, mine: Scores, other: Scores) -> Estimate:
    """A paired difference with the interval that the protocol allows; above 0 mine is better.

    Under repeated cross-validation differences of the AUC need no factor: the corrected t covers.
    For losses the larger of two variances counts, as for the losses themselves.
    """
    value = float(np.nanmean(difference)) if not np.isnan(difference).all() else float("nan")
    first = influence(metric, mine.out_of_fold)
    second = influence(metric, other.out_of_fold)
    each = None if first is None or second is None else first - second
    if mine.protocol == "repeated_stratified":
        if each is None:
            return nadeau_bengio(difference, *mine.sizes)
        return repeated(difference, float(each.var(ddof=1)) / len(each), *mine.sizes)
    if mine.protocol == "bootstrap":
        return out_of_bag(difference)
    if mine.protocol == "holdout" and metric == "auc":
        return _locked_auc(mine, other).difference
    if mine.protocol == "holdout" and each is not None and len(each) > 1:
        half = 1.959964 * float(each.std(ddof=1)) / math.sqrt(len(each))
        return Estimate(value, value - half, value + half, "paired, normal interval over patients")
    return Estimate(value, None, None, f"no interval of differences under {mine.protocol}")


def _standard_error(values: Floats) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else float("nan")


def assess(
    kind: str,
    protocol: str,
    folds: Sequence[FoldResult],
    task: Mapping[str, Any],
    *,
    resamples: int = RESAMPLES,
    shared: dict[str, Any] | None = None,
) -> Assessment:
    """Assess stored folds under the declarations of a task.

    Parameters
    ----------
    shared : dict, optional
        Kept between the cells of one board, so that resampled patients are drawn once.
    """
    low, high = task.get("thresholds", (0.2, 0.8))
    return Assessment(
        Scores(kind, protocol, folds),
        (float(low), float(high)),
        float(task.get("decide_at", 0.5)),
        resamples=resamples,
        _shared={} if shared is None else shared,
    )
