"""Tasks: from a cohort's scores or label to the outcome that a model is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import SplitError, UsageError, did_you_mean
from cytobench.core.settings import real
from cytobench.data.arms import SMALLEST_ARM, arms_of, refuse_small
from cytobench.data.cohort import Cohort, LabelOutcome, ScaleOutcome

REMISSION_AT = {"HAM-D17": 7.0, "MADRS": 10.0, "QIDS-SR16": 5.0, "PHQ-9": 4.0, "HADS-D": 7.0}
"""Scores at or below which a patient is in remission, the scales' standard cut-offs."""

BENEFIT = "benefit"
OUTCOME_KINDS: Mapping[str, Literal["classification", "regression"]] = {
    "response": "classification", "remission": "classification", "percent_change": "regression",
}  # fmt: skip
KINDS = ("classification", "regression", BENEFIT)
PROPENSITIES = ("auto", "known", "fitted")

USUAL_REDUCTION = 0.5
"""Share of the baseline score that a responder has lost at least."""
ROUNDING = 1e-9
"""Points of a scale."""


@dataclass(frozen=True)
class Task:
    """An outcome definition, from a composed ``task`` node.

    Attributes
    ----------
    name : {"response", "remission", "percent_change", "benefit"}
    kind : {"classification", "regression", "benefit"}
    minimum_reduction : float
        Share of the baseline score that a responder has lost at least.
    remission_at : float or None
        Overrides the scale's cut-off.
    thresholds : pair of float
        Range of probabilities at which a decision is conceivable, for the decision curve.
    decide_at : float
        The probability in this range at which leaderboards compare net benefit.
    outcome : str
        Of ``benefit``: what a treatment is chosen for, the name of another task.
    arms : sequence of str
        Of ``benefit``: the arms to choose between; none for all of the cohort's.
    propensity : {"auto", "known", "fitted"}
        Of ``benefit``: how probable each arm was. ``known`` is the arm's share, right where chance
        alone assigned it in one proportion; ``fitted`` is a model of the baseline, fitted in each
        training part; ``auto`` goes by the cohort's card.
    smallest_arm : int
        Of ``benefit``: patients of known outcome below which an arm is refused.
    """

    name: str
    kind: Literal["classification", "regression", "benefit"]
    minimum_reduction: float = USUAL_REDUCTION
    remission_at: float | None = None
    thresholds: tuple[float, float] = (0.2, 0.8)
    decide_at: float = 0.5
    outcome: str = ""
    arms: tuple[str, ...] = ()
    propensity: Literal["auto", "known", "fitted"] = "auto"
    smallest_arm: int = SMALLEST_ARM

    @property
    def outcome_name(self) -> str:
        """The outcome's definition: the task's own name, or what a treatment is chosen for."""
        return self.outcome if self.kind == BENEFIT else self.name

    @property
    def sign(self) -> float:
        """-1 where the outcome is a percent change turned into a fall, so that higher is better."""
        return -1.0 if self.kind == BENEFIT and self.outcome_kind == "regression" else 1.0

    @property
    def outcome_kind(self) -> Literal["classification", "regression"]:
        """Whether the outcome is a class or a number."""
        return OUTCOME_KINDS[self.outcome_name]


@dataclass(frozen=True)
class Target:
    """The outcome of every patient of a cohort under one task.

    Attributes
    ----------
    y : array, shape (n_patients,)
        0 or 1, or the percent change; NaN where the outcome is unknown. Under ``benefit`` higher
        is better: a percent change has its sign turned; NaN outside the arms that are compared.
    truth : array, shape (n_patients,)
        Bayes-optimal prediction on simulated cohorts, else NaN.
    meaning : str
        What 1 (or the number) stands for.
    """

    task: Task
    y: NDArray[np.float64]
    truth: NDArray[np.float64]
    meaning: str

    @property
    def known(self) -> NDArray[np.intp]:
        """Positions of the patients whose outcome is known."""
        return np.flatnonzero(~np.isnan(self.y))


def task_from_config(config: Mapping[str, Any]) -> Task:
    """Build a task from its configuration.

    Raises
    ------
    UsageError
        ``E110`` for an unknown task or field.
    """
    fields = {**config, "arms": _arms(config.get("arms"))}
    # YAML's lists as tuples: a task is a key, of audits that are made once.
    fields = {key: tuple(part) if isinstance(part, list) else part for key, part in fields.items()}
    try:
        task = Task(**fields)
    except TypeError as error:
        raise UsageError("E110", str(error), where="task") from error
    _check_numbers(task)
    low, high = task.thresholds
    if not 0 < low <= task.decide_at <= high < 1:
        raise UsageError(
            "E110",
            f"must hold 0 < {low:g} <= decide_at = {task.decide_at:g} <= {high:g} < 1",
            where="task.thresholds",
        )
    known = (*_DEFINITIONS, BENEFIT)
    if task.name not in known:
        raise UsageError(
            "E110", f"there is no task {task.name!r}", hint=f"there are: {', '.join(known)}"
        )
    if task.kind == BENEFIT:
        _check_benefit(task)
    return task


def _check_numbers(task: Task) -> None:
    if not isinstance(task.thresholds, tuple) or len(task.thresholds) != 2:
        raise UsageError("E110", "expected two probabilities", where="task.thresholds")
    for value in task.thresholds:
        real(value, "E110", "task.thresholds")
    for name in ("decide_at", "minimum_reduction", "remission_at"):
        if name != "remission_at" or task.remission_at is not None:
            real(getattr(task, name), "E110", f"task.{name}")
    if task.kind not in KINDS:
        raise UsageError(
            "E110",
            f"unknown value {task.kind!r}",
            where="task.kind",
            hint=did_you_mean(str(task.kind), list(KINDS)),
        )


def _arms(value: Any) -> tuple[str, ...]:
    """The arms that a task names, as the text that labels are."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UsageError(
            "E110", f"expected a list of arms, not {value!r}", where="task.arms",
            hint="write task.arms=[A,B]",
        )  # fmt: skip
    return tuple(str(name) for name in value)


def _check_benefit(task: Task) -> None:
    for name, value, options in (
        ("outcome", task.outcome, tuple(_DEFINITIONS)),
        ("propensity", task.propensity, PROPENSITIES),
    ):
        if value not in options:
            raise UsageError(
                "E110",
                f"unknown value {value!r}",
                where=f"task.{name}",
                hint=did_you_mean(str(value), list(options)),
            )
    if not isinstance(task.smallest_arm, int) or task.smallest_arm < 2:
        raise UsageError(
            "E110", f"must be 2 or more, not {task.smallest_arm!r}", where="task.smallest_arm"
        )


def build_target(cohort: Cohort, task: Task) -> Target:
    """The outcome of every patient.

    Raises
    ------
    SplitError
        ``E401`` where the cohort cannot answer the task, ``E402`` where the outcome is constant,
        ``E403`` and ``E404`` where there are too few arms, or too few patients in one.
    """
    y, meaning = _DEFINITIONS[task.outcome_name](cohort, task)
    if task.kind == BENEFIT:
        if task.sign < 0:
            meaning = meaning.replace("change", "fall", 1)
        arms = arms_of(cohort, task.arms)
        y = np.where(arms.received >= 0, task.sign * y, np.nan)
        refuse_small(cohort, arms, ~np.isnan(y), task.smallest_arm)
    known = y[~np.isnan(y)]
    if len(known) == 0 or np.all(known == known[0]):
        value = "missing" if len(known) == 0 else f"{known[0]:g}"
        raise SplitError(
            "E402",
            f"{task.outcome_name} is {value} for all {len(y)} patients",
            where=f"cohort {cohort.name!r}",
            hint="check the outcome's columns, and the rows that the cohort keeps",
        )
    truth = np.full(len(y), np.nan)
    name = task.outcome_name
    if cohort.truth is not None and name in cohort.truth.columns and is_usual(cohort, task):
        truth = task.sign * cohort.truth[name].to_numpy(dtype=np.float64, copy=True)
    return Target(task, y, truth, meaning)


def permuted(cohort: Cohort, target: Target, seed: int) -> Target:
    """The target with outcomes exchanged between patients of the same study, site and arm.

    Whole patients are permuted, so that a model fitted to the result can know nothing; what these
    differ in stays (Good 2005, Permutation, Parametric, and Bootstrap Tests of Hypotheses,
    ch. 3). The truth of a simulated cohort no longer holds and becomes NaN.
    """
    draw = np.random.default_rng(seed)
    y = target.y.copy()
    known = target.known
    labels = [cohort.labels(role) for role in ("study", "site", "arm")]
    strata = ["\x1f".join(label[row] for label in labels) for row in known]
    stratum = np.unique(strata, return_inverse=True)[1]
    for value in np.unique(stratum):
        rows = known[stratum == value]
        y[rows] = y[draw.permutation(rows)]
    return Target(target.task, y, np.full(len(y), np.nan), target.meaning)


def is_usual(cohort: Cohort, task: Task) -> bool:
    """Whether the task is defined as usual: a cohort's truth speaks of nothing else."""
    if task.minimum_reduction != USUAL_REDUCTION:
        return False
    cutoff = cohort.outcome.remission_at if isinstance(cohort.outcome, ScaleOutcome) else None
    return task.remission_at is None or task.remission_at == cutoff


def _scores(cohort: Cohort, task: Task) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    outcome = cohort.outcome
    if not isinstance(outcome, ScaleOutcome):
        raise SplitError(
            "E401",
            f"{task.outcome_name} needs scores before and after treatment; this cohort has a ready "
            f"label ({outcome.meaning})",
            where=f"cohort {cohort.name!r}",
            hint="use task=response",
        )
    before = cohort.column(outcome.baseline).to_numpy(dtype=np.float64, na_value=np.nan)
    after = cohort.column(outcome.endpoint).to_numpy(dtype=np.float64, na_value=np.nan)
    # A score of 0 before treatment cannot fall: no change is defined.
    return np.where(before > 0, before, np.nan), after, outcome.scale


def _response(cohort: Cohort, task: Task) -> tuple[NDArray[np.float64], str]:
    if isinstance(cohort.outcome, LabelOutcome):
        label = cohort.column(cohort.outcome.column).to_numpy(dtype=np.float64, na_value=np.nan)
        return label.copy(), cohort.outcome.meaning
    before, after, scale = _scores(cohort, task)
    unknown = np.isnan(before) | np.isnan(after)
    # 1 - 0.8 is a little below 0.2: a fall from 25 to 5 is one by 80 % all the same.
    y = np.where(unknown, np.nan, after <= (1 - task.minimum_reduction) * before + ROUNDING)
    return y, f"{scale} fell by at least {task.minimum_reduction:.0%}"


def _remission(cohort: Cohort, task: Task) -> tuple[NDArray[np.float64], str]:
    before, after, scale = _scores(cohort, task)
    assert isinstance(cohort.outcome, ScaleOutcome)
    cutoff = task.remission_at
    if cutoff is None:
        cutoff = cohort.outcome.remission_at
    if cutoff is None:
        cutoff = REMISSION_AT.get(scale)
    if cutoff is None:
        raise SplitError(
            "E401",
            f"no cut-off for remission is known for {scale!r}",
            where=f"cohort {cohort.name!r}",
            hint="set task.remission_at=...",
        )
    unknown = np.isnan(before) | np.isnan(after)
    return np.where(unknown, np.nan, after <= cutoff), f"{scale} at most {cutoff:g} at the end"


def _percent_change(cohort: Cohort, task: Task) -> tuple[NDArray[np.float64], str]:
    before, after, scale = _scores(cohort, task)
    return 100 * (after - before) / before, f"change of {scale} in per cent of baseline"


_DEFINITIONS = {
    "response": _response,
    "remission": _remission,
    "percent_change": _percent_change,
}
