"""From a cell's stored folds to the numbers that a leaderboard shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate import metrics
from cytobench.evaluate.intervals import (
    Estimate,
    delong_logit,
    mean_of_patients,
    mean_of_sites,
    nadeau_bengio,
    nadeau_bengio_logit,
)

Floats = NDArray[np.float64]
FoldMetric = Callable[[FoldResult], float]


def _auc(fold: FoldResult) -> float:
    return metrics.auc(fold.predictions.y, fold.predictions.prediction)


def _brier(fold: FoldResult) -> float:
    return metrics.brier(fold.predictions.y, fold.predictions.prediction)


def _log_loss(fold: FoldResult) -> float:
    return metrics.log_loss(fold.predictions.y, fold.predictions.prediction)


def _balanced_accuracy(fold: FoldResult) -> float:
    decision = np.asarray(fold.predictions.prediction) >= fold.threshold
    return metrics.balanced_accuracy(fold.predictions.y, decision)


def _mae(fold: FoldResult) -> float:
    return metrics.mae(fold.predictions.y, fold.predictions.prediction)


def _r2(fold: FoldResult) -> float:
    return metrics.r2_against(fold.predictions.y, fold.predictions.prediction, fold.train_mean)


METRICS: dict[str, dict[str, FoldMetric]] = {
    "classification": {
        "auc": _auc,
        "brier": _brier,
        "log_loss": _log_loss,
        "balanced_accuracy": _balanced_accuracy,
    },
    "regression": {"mae": _mae, "r2": _r2},
}
HEADLINE = {"classification": "auc", "regression": "mae"}
LOWER_IS_BETTER = ("brier", "log_loss", "mae")
SHARES = ("auc", "balanced_accuracy")
"""Metrics between 0 and 1 whose interval is made on the logit scale."""


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
    def by_fold(self) -> dict[str, Floats]:
        """Metric -> one value for each fold; NaN where undefined (one class in the test part)."""
        return {
            name: np.array([metric(fold) for fold in self.folds])
            for name, metric in METRICS[self.kind].items()
        }

    @property
    def sizes(self) -> tuple[float, float]:
        """Mean number of training and of test patients."""
        train = [fold.n_train for fold in self.folds]
        test = [len(fold.predictions.y) for fold in self.folds]
        return float(np.mean(train)), float(np.mean(test))

    def estimate(self, metric: str) -> Estimate:
        """The metric with the interval that the protocol allows."""
        values = self.by_fold[metric]
        if self.protocol == "leave_one_site_out":
            return mean_of_sites(values)
        if len(self.folds) == 1:
            return self._locked(metric, self.folds[0])
        interval = nadeau_bengio_logit if metric in SHARES else nadeau_bengio
        return interval(values, *self.sizes)

    def by_site(self, metric: str, labels: Sequence[str]) -> dict[str, tuple[Estimate, int]]:
        """Site -> metric on the site's patients with its interval, and their number."""
        if self.protocol != "leave_one_site_out":
            return {}
        return {
            labels[fold.fold]: (self._locked(metric, fold), len(fold.predictions.y))
            for fold in self.folds
        }

    def _locked(self, metric: str, fold: FoldResult) -> Estimate:
        """The metric on one test set that no other fold shares."""
        y, p = np.asarray(fold.predictions.y), np.asarray(fold.predictions.prediction)
        losses: dict[str, Callable[[], Floats]] = {
            "brier": lambda: (p - y) ** 2,
            "mae": lambda: np.abs(p - y),
        }
        if metric == "auc":
            return delong_logit(y, p)
        if metric in losses:
            return mean_of_patients(losses[metric]())
        value = METRICS[self.kind][metric](fold)
        return Estimate(value, None, None, "no interval: one test set")

    @cached_property
    def seconds(self) -> float:
        """Median seconds for one outer fold, tuning included."""
        return float(np.median([sum(fold.timings.values()) for fold in self.folds]))
