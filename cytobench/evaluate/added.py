"""What one model adds to another on the same splits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.comparisons import (
    ROPE,
    PairedAuc,
    Posterior,
    bayesian_correlated_t,
    paired_delong,
)
from cytobench.evaluate.decision import contributions, percentile
from cytobench.evaluate.influence import influence
from cytobench.evaluate.intervals import (
    NO_SPREAD,
    Estimate,
    corrected_t,
    nadeau_bengio,
    out_of_bag,
    repeated,
)
from cytobench.evaluate.meta import FEWEST_SITES, mean_of_sites
from cytobench.evaluate.scores import HEADLINE, LEAVE_ONE_OUT, LOWER_IS_BETTER, Scores

if TYPE_CHECKING:
    from cytobench.evaluate.assessment import Assessment

Floats = NDArray[np.float64]

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
        Two-sided, on the headline metric, unadjusted: the corrected resampled t-test, over five
        left-out sites or more too, or DeLong's on a locked test set; NaN under other protocols.
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
        outcome, and where no fold has both classes.
        """
        if self._resampled is None:
            return None
        drawn = self._resampled()
        drawn = drawn[~np.isnan(drawn)]
        if not len(drawn):
            return None
        low, high = np.quantile(drawn, [0.025, 0.975])
        value = self.differences["auc"].value
        method = f"paired patient bootstrap, {len(drawn)} resamples, no refit"
        return Estimate(value, min(value, float(low)), max(value, float(high)), method)


def added_value(model: Assessment, reference: Assessment, name: str) -> Added:
    """Compare a model with a reference, fold by fold and patient by patient.

    Parameters
    ----------
    name : str
        What the reference is called.

    Raises
    ------
    ValueError
        Where the two were not tested on the same patients in the same folds.
    """
    mine, other = model.scores, reference.scores
    if _tested(mine) != _tested(other):
        raise ValueError("the two cells were tested on different patients or in other folds")
    found = {}
    for metric in ADDED[model.kind]:
        sign = -1 if metric in LOWER_IS_BETTER else 1
        difference = sign * (mine.by_fold[metric] - other.by_fold[metric])
        found[metric] = _difference(metric, difference, mine, other)
    if model.kind == "classification":
        at = np.array([model.decide_at])
        each = contributions(mine.out_of_fold, at) - contributions(other.out_of_fold, at)
        found["net_benefit"] = percentile(each[:, 0], model.weights)
    drawn = None
    if model.kind == "classification":
        drawn = partial(_paired_resamples, model, reference)
    return Added(name, found, *_compared(mine, other), drawn)


def _compared(mine: Scores, other: Scores) -> tuple[float, Posterior | None]:
    """P-value and posterior of the headline metric's difference."""
    headline = HEADLINE[mine.kind]
    first, second = mine.by_fold[headline], other.by_fold[headline]
    if mine.protocol == "repeated_stratified":
        sign = -1 if headline in LOWER_IS_BETTER else 1
        posterior = bayesian_correlated_t(sign * (first - second), *mine.sizes, rope=ROPE[headline])
        return corrected_t(first, second, *mine.sizes)[1], posterior
    if mine.protocol in LEAVE_ONE_OUT and np.isfinite(first - second).sum() >= FEWEST_SITES:
        return corrected_t(first, second, *mine.sizes)[1], None
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
    if len(difference) > 1 and abs(value) > NO_SPREAD > np.nanstd(difference):
        return Estimate(value, None, None, "no interval: the same difference in every fold")
    first = influence(metric, mine.out_of_fold)
    second = influence(metric, other.out_of_fold)
    each = None if first is None or second is None else first - second
    if mine.protocol == "repeated_stratified":
        if each is None:
            return nadeau_bengio(difference, *mine.sizes)
        return repeated(difference, float(each.var(ddof=1)) / len(each), *mine.sizes)
    if mine.protocol in LEAVE_ONE_OUT:
        return mean_of_sites(difference, *mine.sizes)
    if mine.protocol == "bootstrap":
        return out_of_bag(difference)
    if mine.protocol == "holdout" and metric == "auc":
        return _locked_auc(mine, other).difference
    if mine.protocol == "holdout" and each is not None and len(each) > 1:
        half = 1.959964 * float(each.std(ddof=1)) / math.sqrt(len(each))
        return Estimate(value, value - half, value + half, "paired, normal interval over patients")
    return Estimate(value, None, None, "no interval: one test set")
