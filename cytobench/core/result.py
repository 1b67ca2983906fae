"""What one fold leaves behind: the record from which every number on a leaderboard is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 5
"""Version of what a run store holds; older ones are read, newer ones refused."""
KEY_VERSION = 4
"""Part of a cell's key: raised when the same cell would get other numbers."""


@dataclass(frozen=True)
class Predictions:
    """The test part of one fold, one entry per patient.

    Attributes
    ----------
    patient : sequence of str
        Pseudonyms, never the cohort's identifiers.
    y : sequence of float
        The outcome: 0 or 1 (response, remission), or the percent change; its fall where a treatment
        is chosen.
    prediction : sequence of float
        Probability of the positive class, or the predicted percent change; where a treatment is
        chosen, the position of the arm in :attr:`FoldResult.arms`.
    arm, site : sequence of str
        Empty strings where the cohort has none.
    truth : sequence of float
        On simulated cohorts the Bayes-optimal prediction, else NaN.
    groups : mapping
        Subgroup (``"sex"``, ``"CRP"`` ...) -> each patient's level, in words; empty where unknown.
    by_arm : mapping
        Where a treatment is chosen: what -> arm -> a number for each patient. ``"outcome"`` and
        ``"propensity"`` come from the framework's own models, the same for every row of a board;
        ``"truth"`` is known on simulated cohorts; ``"predicted"``, the model's own outcomes up to a
        term common to all arms, is missing for rules.
    """

    patient: Sequence[str]
    y: Sequence[float]
    prediction: Sequence[float]
    arm: Sequence[str]
    site: Sequence[str]
    truth: Sequence[float]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_arm: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class InnerPredictions:
    """What every trial predicted for the training part, out of fold of the inner splits.

    Attributes
    ----------
    y : sequence of float, length n_train
    predictions : mapping
        Trial number -> n_train predictions in the order of `y`. Trials that failed are not here;
        number 0 stands for the defaults where nothing was tuned.
    """

    y: Sequence[float]
    predictions: Mapping[int, Sequence[float]]


@dataclass(frozen=True)
class Trial:
    """One hyper-parameter setting, scored on the inner splits of one fold; lower is better."""

    number: int
    params: Mapping[str, Any]
    score: float | None
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class FoldResult:
    """One outer fold: predictions for its test part, and how they came about.

    Attributes
    ----------
    threshold : float or None
        Decision threshold chosen on inner out-of-fold predictions; None for regression.
    parameters : int
        Candidate parameters: columns after preprocessing, a category of k levels counted k - 1.
    left_out : mapping
        Analyte -> share below detection in the training part, for those not given to the model.
    train_mean : float
        Mean outcome of the training part, the null model's prediction.
    inner : InnerPredictions or None
        None where no inner split was made, and where a reader did not ask for it.
    curves : mapping
        Learning curves of the final fit, one value an epoch; empty where the model has none.
    arms : sequence of str
        The treatments that are chosen between; empty for other tasks.
    best_single : str
        The arm that was best for all in the training part.
    timings : mapping
        Seconds: ``tune``, ``fit``, ``predict``.
    versions : mapping
        Of the packages that predictions depend on.
    environment : mapping
        Machine, system, libraries and threads of the process that computed it.
    """

    fold: int
    repeat: int
    n_train: int
    predictions: Predictions
    params: Mapping[str, Any]
    trials: Sequence[Trial]
    threshold: float | None
    train_mean: float
    timings: Mapping[str, float]
    features: Sequence[str] = ()
    parameters: int = 0
    left_out: Mapping[str, float] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    arms: Sequence[str] = ()
    best_single: str = ""
    inner: InnerPredictions | None = None


@dataclass(frozen=True)
class FoldFailure:
    """A fold that raised; stored as a failure, never read as a result, tried again next time."""

    fold: int
    error: str
    where: str
    traceback: str
    hint: str = ""
