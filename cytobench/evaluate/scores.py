"""Fold by fold: from stored folds to metrics with the interval that the protocol allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate import metrics
from cytobench.evaluate.cohort_facts import too_small
from cytobench.evaluate.comparisons import cv_auc_influence
from cytobench.evaluate.influence import influence, of_prevalence
from cytobench.evaluate.intervals import (
    Estimate,
    delong,
    delong_logit,
    out_of_bag,
    repeated,
    repeated_auc,
    wilson_share,
)
from cytobench.evaluate.meta import OverSites, auc_over_sites, mean_of_sites
from cytobench.evaluate.out_of_fold import OutOfFold, out_of_fold

Floats = NDArray[np.float64]
FoldMetric = Callable[[FoldResult], float]


def _auc(fold: FoldResult) -> float:
    return metrics.auc(fold.predictions.y, fold.predictions.prediction)


def _brier(fold: FoldResult) -> float:
    return metrics.brier(fold.predictions.y, fold.predictions.prediction)


def _log_loss(fold: FoldResult) -> float:
    return metrics.log_loss(fold.predictions.y, fold.predictions.prediction)


def _auprc(fold: FoldResult) -> float:
    return metrics.average_precision(fold.predictions.y, fold.predictions.prediction)


def _against_null(loss: Callable[..., float]) -> FoldMetric:
    """Share of the loss of the training part's prevalence that the model removes."""

    def metric(fold: FoldResult) -> float:
        y = fold.predictions.y
        null = loss(y, np.full(len(y), fold.train_mean))
        return metrics.skill(loss(y, fold.predictions.prediction), null)

    return metric


def _at_threshold(metric: Callable[..., float]) -> FoldMetric:
    """A metric of decisions, at the threshold that was chosen inside the fold."""
    return lambda fold: metric(
        fold.predictions.y, np.asarray(fold.predictions.prediction) >= fold.threshold
    )


def _rmse(fold: FoldResult) -> float:
    return float(np.sqrt(metrics.mse(fold.predictions.y, fold.predictions.prediction)))


def _spearman(fold: FoldResult) -> float:
    return metrics.spearman(fold.predictions.y, fold.predictions.prediction)


def _mae(fold: FoldResult) -> float:
    return metrics.mae(fold.predictions.y, fold.predictions.prediction)


def _r2(fold: FoldResult) -> float:
    return metrics.r2_against(fold.predictions.y, fold.predictions.prediction, fold.train_mean)


METRICS: dict[str, dict[str, FoldMetric]] = {
    "classification": {
        "auc": _auc,
        "auprc": _auprc,
        "brier": _brier,
        "brier_skill": _against_null(metrics.brier),
        "log_loss": _log_loss,
        "log_loss_skill": _against_null(metrics.log_loss),
        "balanced_accuracy": _at_threshold(metrics.balanced_accuracy),
        "sensitivity": _at_threshold(metrics.sensitivity),
        "specificity": _at_threshold(metrics.specificity),
    },
    "regression": {"mae": _mae, "rmse": _rmse, "r2": _r2, "spearman": _spearman},
}
HEADLINE = {"classification": "auc", "regression": "mae"}
LOWER_IS_BETTER = ("brier", "log_loss", "mae", "rmse")
LEAVE_ONE_OUT = ("leave_one_site_out", "leave_one_study_out")
"""Protocols whose folds are sites or studies: these, not patients, are the unit."""
SHARES = ("auc", "auprc", "balanced_accuracy", "sensitivity", "specificity")
"""Metrics between 0 and 1 whose interval is made on the logit scale."""


class _ByFold(Mapping[str, Floats]):
    """Fold values, one metric at a time."""

    def __init__(self, metric: Mapping[str, FoldMetric], folds: Sequence[FoldResult]) -> None:
        self._metric = metric
        self._folds = folds
        self._values: dict[str, Floats] = {}

    def __getitem__(self, name: str) -> Floats:
        if name not in self._values:
            function = self._metric[name]
            self._values[name] = np.array([function(fold) for fold in self._folds])
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metric)

    def __len__(self) -> int:
        return len(self._metric)


@dataclass(frozen=True)
class Scores:
    """A cell's fold values and estimates.

    Attributes
    ----------
    kind : {"classification", "regression"}
    protocol : str
    folds : sequence of FoldResult
    """

    kind: str
    protocol: str
    folds: Sequence[FoldResult]

    @cached_property
    def by_fold(self) -> Mapping[str, Floats]:
        """Metric -> one value for each fold; NaN where undefined (one class in the test part).

        A metric is computed when it is looked up.
        """
        return _ByFold(METRICS[self.kind], self.folds)

    @cached_property
    def out_of_fold(self) -> OutOfFold:
        """The same predictions by patient and repeat."""
        return out_of_fold(self.folds)

    @property
    def sizes(self) -> tuple[float, float]:
        """Mean number of training and of test patients."""
        train = [fold.n_train for fold in self.folds]
        test = [len(fold.predictions.y) for fold in self.folds]
        return float(np.mean(train)), float(np.mean(test))

    def estimate(self, metric: str) -> Estimate:
        """The metric with the interval that the protocol allows."""
        values = self.by_fold[metric]
        if self.protocol in LEAVE_ONE_OUT:
            summary = self.over_sites if metric == "auc" else None
            if summary:
                return summary.mean
            return mean_of_sites(values, *self.sizes, share=metric in SHARES)
        if self.protocol == "bootstrap":
            return out_of_bag(values)
        if len(self.folds) == 1:
            return self._locked(metric, self.folds[0])
        return replace(self._resampled(metric, values), mc_se=self._monte_carlo(values))

    @cached_property
    def over_sites(self) -> OverSites | None:
        """Random-effects summary of the sites' AUCs, with what to expect at the next site.

        None under other protocols, for a number as outcome, and with fewer than five sites.
        """
        if self.protocol not in LEAVE_ONE_OUT or self.kind == "regression":
            return None
        return auc_over_sites(
            [(fold.predictions.y, fold.predictions.prediction) for fold in self.folds]
        )

    @property
    def by_influence(self) -> Estimate | None:
        """The AUC with LeDell's influence-curve interval, value and width averaged over repeats.

        A second opinion without resampling; the fitted models are taken as given. None for a number
        as outcome, and where some fold holds one class.
        """
        if self.kind == "regression":
            return None
        repeats: dict[int, list[tuple[Sequence[float], Sequence[float]]]] = {}
        for fold in self.folds:
            parts = fold.predictions
            repeats.setdefault(fold.repeat, []).append((parts.y, parts.prediction))
        found = [cv_auc_influence(folds) for folds in repeats.values()]
        ends = [(e.value, e.low, e.high) for e in found if e.low is not None]
        if len(ends) < len(found):
            return None
        value, low, high = np.mean(np.array(ends, dtype=float), axis=0)
        return Estimate(float(value), float(low), float(high), found[0].method)

    def _resampled(self, metric: str, values: Floats) -> Estimate:
        if metric == "auc":
            of_repeats = [delong(y, p)[1] for y, p in self.out_of_fold.repeats()]
            return repeated_auc(values, of_repeats, *self.sizes)
        each = influence(metric, self.out_of_fold)
        of_patients = float("nan") if each is None else float(each.var(ddof=1)) / len(each)
        extra = of_prevalence(self.out_of_fold) if metric == "auprc" else 0.0
        return repeated(values, of_patients, *self.sizes, extra=extra, share=metric in SHARES)

    def _monte_carlo(self, values: Floats) -> float | None:
        """Standard deviation of the repeats' means over the root of their number."""
        repeat = np.array([fold.repeat for fold in self.folds])
        means = [
            float(np.nanmean(part))
            for number in np.unique(repeat)
            if not np.isnan(part := values[repeat == number]).all()
        ]
        if len(means) < 2:
            return None
        return float(np.std(means, ddof=1)) / math.sqrt(len(means))

    def by_site(self, metric: str, labels: Sequence[str]) -> dict[str, tuple[Estimate, int]]:
        """Site -> metric on the site's patients with its interval, and their number.

        Those of :attr:`hidden` are left out.
        """
        if self.protocol not in LEAVE_ONE_OUT:
            return {}
        return {
            labels[fold.fold]: (self._locked(metric, fold), len(fold.predictions.y))
            for position, fold in enumerate(self.folds)
            if position not in self.hidden
        }

    @cached_property
    def hidden(self) -> frozenset[int]:
        """Positions of folds that stand for a site or study too small for numbers of its own."""
        if self.protocol not in LEAVE_ONE_OUT:
            return frozenset()
        return too_small([len(fold.predictions.y) for fold in self.folds])

    def _locked(self, metric: str, fold: FoldResult) -> Estimate:
        """The metric on one test set that no other fold shares."""
        y, p = np.asarray(fold.predictions.y), np.asarray(fold.predictions.prediction)
        if metric == "auc":
            return delong_logit(y, p)
        value = METRICS[self.kind][metric](fold)
        if metric in ("sensitivity", "specificity"):
            of = int((y == (metric == "sensitivity")).sum())
            return wilson_share(value, of)
        each = influence(metric, out_of_fold([fold]))
        if each is None:
            return Estimate(value, None, None, "no interval: one test set")
        if len(each) < 2:
            return Estimate(value, None, None, "no interval: one patient")
        return _around(value, each)

    @cached_property
    def seconds(self) -> float:
        """Median seconds for one outer fold, tuning included."""
        return float(np.median([sum(fold.timings.values()) for fold in self.folds]))


def _around(value: float, each: Floats) -> Estimate:
    """A value with the normal interval of what each patient contributes to it."""
    half = 1.959964 * float(each.std(ddof=1)) / math.sqrt(len(each))
    return Estimate(value, value - half, value + half, "normal interval over patients")
