"""Planning: what a cohort's size supports, and the cells of a learning curve on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytobench.config import compose_jobs, keys_of
from cytobench.core.cards import INPUTS, Input
from cytobench.core.errors import UsageError
from cytobench.core.hashing import canonical_json
from cytobench.data.cohort import Cohort
from cytobench.data.target import BENEFIT, Target, build_target, task_from_config
from cytobench.evaluate.learning_curve import LearningCurve, fit_learning_curve
from cytobench.evaluate.sample_size import (
    SampleSize,
    binary_sample_size,
    binary_shrinkage,
    continuous_sample_size,
    continuous_shrinkage,
    cox_snell_from_auc,
    supported_parameters,
)
from cytobench.evaluate.scores import HEADLINE, LOWER_IS_BETTER, METRICS
from cytobench.preprocess.pipeline import baseline_frame, build_encoder
from cytobench.preprocess.recipe import recipe_from_config
from cytobench.run.cells import Cell, load_cohort
from cytobench.run.jobs import Jobs, plan_jobs
from cytobench.run.session import Planned
from cytobench.run.store import PLANNING, RunStore, StoredCell

FRACTION = "protocol.train_fraction"
FRACTIONS = (0.3, 0.45, 0.6, 0.8, 1.0)
REPEATS = 2
ANTICIPATED = {"classification": (0.65, 0.70, 0.75), "regression": (0.05, 0.10, 0.20)}
"""AUCs, or R2s, that a model may be hoped to reach."""
WITHIN = {"classification": 0.01, "regression": 1.0}
"""What counts as having reached the plateau: AUC, or per cent of the baseline score."""
BEYOND = (1.0, 1.5, 2.0, 4.0)
"""Multiples of the largest training part at which the curve is told."""


@dataclass(frozen=True)
class Inventory:
    """What there is to fit a model to.

    Attributes
    ----------
    n : int
        Patients with a known outcome.
    events : int or None
        Those with the outcome; None for a number as outcome.
    mean, sd : float
        Of the outcome.
    parameters : mapping
        ``"analytes"``, ``"clinical"``, ``"both"`` -> candidate parameters: columns after
        preprocessing, a category of k levels counted k - 1 times, before any selection.
    """

    dataset: str
    task: str
    kind: str
    meaning: str
    n: int
    events: int | None
    mean: float
    sd: float
    parameters: Mapping[str, int]

    @property
    def prevalence(self) -> float | None:
        """Share of patients with the outcome."""
        return None if self.events is None else self.events / self.n


@dataclass(frozen=True)
class Adequacy:
    """One kind of input at one anticipated performance.

    Attributes
    ----------
    anticipated : float
        AUC, or R2.
    size : SampleSize
        What Riley's criteria ask for.
    available : float
        Patients there are over patients required.
    shrinkage : float
        Calibration slope to expect in new patients at the cohort's size; NaN where there are too
        few patients for the approximation.
    events_per_parameter : float or None
        Patients with the rarer outcome per candidate parameter, in the cohort.
    supported : int
        Candidate parameters that the cohort's size supports.
    """

    inputs: str
    anticipated: float
    size: SampleSize
    available: float
    shrinkage: float
    events_per_parameter: float | None
    supported: int


@dataclass(frozen=True)
class ModelCurve:
    """The learning curve of one model.

    Attributes
    ----------
    repeats : int
        Of the cross-validation at each fraction.
    unfinished : sequence of float
        Fractions of the training part that are missing from the curve.
    """

    model: str
    metric: str
    curve: LearningCurve
    repeats: int
    unfinished: Sequence[float] = ()


def plan_curve(overrides: Sequence[str]) -> Jobs:
    """The cells of a learning curve: each asked-for model at every training fraction.

    Two repeats and the fractions of `FRACTIONS`, unless the overrides say otherwise; no floors.

    Raises
    ------
    UsageError
        ``E122`` for a protocol that has no training fractions.
    """
    keys = keys_of(overrides)
    chosen = [text for text in overrides if text.startswith("protocol=")]
    if any(text != "protocol=repeated_stratified" for text in chosen):
        raise UsageError(
            "E122",
            "has no training fractions; a learning curve needs protocol=repeated_stratified",
            where=chosen[0],
            hint="leave the override out, or add --no-curve",
        )
    asked = ["protocol=repeated_stratified", "floors=[]"]
    if "protocol.repeats" not in keys:
        asked.append(f"protocol.repeats={REPEATS}")
    if FRACTION not in keys:
        asked.append(f"{FRACTION}=" + ",".join(f"{fraction:g}" for fraction in FRACTIONS))
    jobs = plan_jobs([*asked, *(text for text in overrides if text not in chosen)])
    return replace(jobs, cells=[replace(cell, suite=PLANNING) for cell in jobs.cells])


def inventory(overrides: Sequence[str]) -> Inventory:
    """Count patients, events and candidate parameters.

    Raises
    ------
    UsageError
        ``E123`` where the overrides ask for several cohorts, tasks or ways of preprocessing.
    CytobenchError
        Where the cohort cannot be loaded, or cannot answer the task.
    """
    configs = compose_jobs(overrides)
    config = configs[0]
    for name in ("dataset", "task", "preprocess", "data"):
        if any(other[name] != config[name] for other in configs):
            raise UsageError("E123", "one at a time when planning", where=name)
    cohort = load_cohort(config["dataset"], config["data"])
    task = task_from_config(config["task"])
    if task.kind == BENEFIT:
        raise UsageError(
            "E123",
            "sample sizes and learning curves are those of predictions, not of treatment rules",
            where="task=benefit",
            hint=f"plan for its outcome: task={task.outcome}",
        )
    target = build_target(cohort, task)
    y = target.y[target.known]
    binary = task.outcome_kind == "classification"
    return Inventory(
        dataset=cohort.name,
        task=task.name,
        kind=task.outcome_kind,
        meaning=target.meaning,
        n=len(y),
        events=int(y.sum()) if binary else None,
        mean=float(y.mean()),
        sd=float(y.std(ddof=1)),
        parameters=_parameters(cohort, target, config["preprocess"]),
    )


def _parameters(cohort: Cohort, target: Target, preprocess: Mapping[str, Any]) -> dict[str, int]:
    kinds: dict[str, tuple[Input, ...]] = {name: (name,) for name in INPUTS}
    present = {name: kind for name, kind in kinds.items() if cohort.baseline_columns(kind)}
    if len(present) == len(INPUTS):
        present["both"] = INPUTS
    recipe = recipe_from_config(preprocess)
    counted = {}
    for name, kind in present.items():
        encoder = build_encoder(cohort, kind, recipe)
        frame = baseline_frame(cohort, kind, recipe).iloc[target.known]
        columns = encoder.fit_transform(frame).shape[1]
        # The levels of a category add up to 1: one of them is no parameter of its own.
        if columns > len(encoder.text_):
            counted[name] = columns - len(encoder.text_)
    return counted


def adequacy(found: Inventory, anticipated: Sequence[float] = ()) -> list[Adequacy]:
    """Riley's criteria for every kind of input and anticipated performance.

    Parameters
    ----------
    anticipated : sequence of float
        AUCs for a binary outcome, R2s for a continuous one; by default `ANTICIPATED`.
    """
    return [
        _adequacy(found, inputs, parameters, performance)
        for inputs, parameters in found.parameters.items()
        for performance in anticipated or ANTICIPATED[found.kind]
    ]


def _adequacy(found: Inventory, inputs: str, parameters: int, performance: float) -> Adequacy:
    prevalence = found.prevalence
    if prevalence is None:
        r2 = performance
        mean, sd = (found.mean, found.sd) if found.mean else (None, None)
        size = continuous_sample_size(parameters, r2, mean, sd)
        shrinkage = continuous_shrinkage(found.n, parameters, r2)
    else:
        r2 = cox_snell_from_auc(performance, prevalence)
        size = binary_sample_size(parameters, prevalence, r2)
        shrinkage = binary_shrinkage(found.n, parameters, r2)
    rarer = None if found.events is None else min(found.events, found.n - found.events)
    return Adequacy(
        inputs,
        performance,
        size,
        found.n / size.required,
        shrinkage,
        None if rarer is None else rarer / parameters,
        supported_parameters(found.n, r2, prevalence),
    )


def learning_curves(planned: Sequence[Planned], store: RunStore) -> list[ModelCurve]:
    """One curve for each model, from stored folds alone; incomplete cells are left out."""
    together: dict[str, list[Planned]] = {}
    for item in planned:
        together.setdefault(_apart_from_fraction(item.cell), []).append(item)
    return [_curve(items, store) for items in together.values()]


def _apart_from_fraction(cell: Cell) -> str:
    protocol = {**cell.config["protocol"], "train_fraction": None}
    parts = {name: node for name, node in cell.config.items() if name != "audit"}
    return canonical_json({**parts, "protocol": protocol})


def _curve(items: Sequence[Planned], store: RunStore) -> ModelCurve:
    return curve_of([store.read_cell(item.key) for item in items])


def curve_of(cells: Sequence[StoredCell]) -> ModelCurve:
    """The curve through cells that differ in the training fraction alone."""
    about = cells[0].about
    kind = str(about["task"]["kind"])
    metric = HEADLINE[kind]
    sizes, folds, unfinished, share = [], [], [], 0.0
    for stored in cells:
        fraction = float(stored.about["protocol"]["train_fraction"])
        if not stored.complete:
            unfinished.append(fraction)
            continue
        patients = float(np.mean([fold.n_train for fold in stored.folds]))
        tested = float(np.mean([len(fold.predictions.y) for fold in stored.folds]))
        # How folds share patients is set by the whole training part, not by the part drawn of it.
        share = tested * fraction / patients
        sizes.append(patients)
        folds.append([METRICS[kind][metric](fold) for fold in stored.folds])
    largest = max(sizes, default=0.0)
    curve = fit_learning_curve(
        sizes,
        np.array(folds).reshape(len(sizes), -1),
        larger_is_better=metric not in LOWER_IS_BETTER,
        best=0.0 if metric in LOWER_IS_BETTER else 1.0,
        test_share=share,
        grid=[largest * times for times in BEYOND],
        within=WITHIN[kind],
        seed=int(about["config"]["seed"]),
    )
    repeats = int(about["protocol"]["repeats"])
    return ModelCurve(str(about["model"]["name"]), metric, curve, repeats, unfinished)
