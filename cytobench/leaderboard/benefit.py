"""Rank treatment rules: value, what each gains over one treatment for all, ties as ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate.benefit.assessment import BenefitAssessment
from cytobench.evaluate.benefit.value import Gain
from cytobench.evaluate.intervals import Estimate, holm
from cytobench.leaderboard.collect import Entry, labels
from cytobench.leaderboard.rank import Board
from cytobench.run.store import StoredCell

ALPHA = 0.05
"""Of the difference to the first row, adjusted after Holm: patients are the unit, and folds share
none of those that they test."""
RULE = "crp_rule"
"""The published rule that every other is measured against."""
SINGLE = "best single arm"
EQUAL = 1e-9
"""True outcomes that differ by less do not differ."""
AnyBoard: TypeAlias = "Board | BenefitBoard"
Pick = Callable[[FoldResult], NDArray[np.intp]]


@dataclass(frozen=True)
class BenefitRow:
    """One line of a leaderboard of treatment rules.

    Attributes
    ----------
    role : {"model", "floor", "ceiling"}
    gain : Gain or None
        Over the best single arm as training showed it; None where the comparison is refused.
    p_gain : float or None
        Its p, adjusted after Holm over the models of the board; None for what is no model.
    over_rule : Gain or None
        Over the published cut-off of CRP, where that could be run.
    tied_with_best : bool or None
        None where the comparison is refused, and for the ceiling.
    cell : StoredCell or None
        None for what needs no model: one arm for everybody, the truth.
    """

    label: str
    role: str
    assessment: BenefitAssessment
    gain: Gain | None
    p_gain: float | None = None
    over_rule: Gain | None = None
    tied_with_best: bool | None = None
    p_against_best: float | None = None
    cell: StoredCell | None = None

    @property
    def n(self) -> int:
        """Patients that were tested on."""
        return self.assessment.n

    @property
    def folds(self) -> int:
        """Outer folds."""
        return len(self.assessment.folds)

    @property
    def seconds(self) -> float | None:
        """Median seconds for one outer fold; None for what needs no model."""
        return self.assessment.seconds if self.cell else None

    @property
    def verification(self) -> str:
        """``local``, or of a submission ``verified`` or ``recomputed``."""
        return self.cell.verification if self.cell else "local"

    def estimate(self, name: str) -> Estimate:
        """A number with its interval."""
        return self.assessment.estimate(name)


@dataclass(frozen=True)
class BenefitBoard:
    """A ranked entry of the benefit task.

    Attributes
    ----------
    rows : sequence of BenefitRow
        Highest value first.
    ceiling : BenefitRow or None
        The best arm of each patient, on simulated cohorts.
    refusal : str or None
        Why no rule can be judged here.
    """

    entry: Entry
    rows: Sequence[BenefitRow]
    ceiling: BenefitRow | None
    refusal: str | None
    kind: str = "benefit"
    headline: str = "value"

    @property
    def arms(self) -> tuple[str, ...]:
        """What was chosen between."""
        return self.rows[0].assessment.arms

    @property
    def rule(self) -> str | None:
        """Label of the row of the published rule."""
        found = _published(self.rows)
        return found.label if found else None


def rank_benefit(entry: Entry) -> BenefitBoard:
    """Order the rows by value, and test each against the best single arm and the first row."""
    task = entry.about["task"]
    names = labels(entry.cells)
    smallest = int(task["smallest_arm"])

    def row(
        label: str, role: str, folds: Sequence[FoldResult], cell: StoredCell | None
    ) -> BenefitRow:
        assessment = BenefitAssessment(folds, smallest)
        found = None if assessment.refusal else assessment.gain
        return BenefitRow(label, role, assessment, found, cell=cell)

    rows = [
        row(names[cell.key], cell.about["model"]["role"], cell.folds, cell) for cell in entry.cells
    ]
    folds, arms = entry.cells[0].folds, rows[0].assessment.arms
    references: dict[str, Pick] = {SINGLE: lambda fold: _all(fold, arms.index(fold.best_single))}
    references |= {f"all: {arm}": _one(position) for position, arm in enumerate(arms)}
    rows += [
        row(label, "floor", following(folds, pick), None) for label, pick in references.items()
    ]
    refusal = rows[0].assessment.refusal
    known = all("truth" in fold.predictions.by_arm for fold in folds)
    ceiling = row("truth", "ceiling", _by_truth(folds, arms), None) if known else None
    rows.sort(key=lambda row: (-_or_last(row.estimate("value").value), row.label))
    if refusal is None:
        rows = _over_rule(_tested(_tied(rows)))
    return BenefitBoard(entry, rows, ceiling, refusal)


def following(folds: Sequence[FoldResult], pick: Pick) -> list[FoldResult]:
    """The same folds under a rule that needs no model."""
    return [_choosing(fold, pick(fold), {}) for fold in folds]


def _by_truth(folds: Sequence[FoldResult], arms: Sequence[str]) -> list[FoldResult]:
    found = []
    for fold in folds:
        truth = fold.predictions.by_arm["truth"]
        known = np.column_stack([truth[arm] for arm in arms])
        # Where arms are equally good a rule has nothing to choose by: the best single one.
        single = arms.index(fold.best_single)
        unbeaten = known[:, single] >= known.max(axis=1) - EQUAL
        best = np.where(unbeaten, single, known.argmax(axis=1))
        found.append(_choosing(fold, best, {"predicted": truth}))
    return found


def _choosing(
    fold: FoldResult,
    choice: NDArray[np.intp],
    more: Mapping[str, Mapping[str, Sequence[float]]],
) -> FoldResult:
    parts = fold.predictions
    by_arm = {what: values for what, values in parts.by_arm.items() if what != "predicted"}
    return replace(
        fold,
        predictions=replace(
            parts, prediction=choice.astype(float).tolist(), by_arm={**by_arm, **more}
        ),
    )


def _all(fold: FoldResult, position: int) -> NDArray[np.intp]:
    return np.full(len(fold.predictions.y), position, dtype=np.intp)


def _one(position: int) -> Pick:
    return lambda fold: _all(fold, position)


def _or_last(value: float) -> float:
    return value if value == value else float("-inf")


def _tied(rows: list[BenefitRow]) -> list[BenefitRow]:
    best = rows[0]
    p = [best.assessment.gain_over(row.assessment).p for row in rows[1:]]
    adjusted = holm([1.0 if each != each else each for each in p])
    marked = [replace(best, tied_with_best=True)]
    marked += [
        replace(row, tied_with_best=each >= ALPHA, p_against_best=each)
        for row, each in zip(rows[1:], adjusted, strict=True)
    ]
    return marked


def _tested(rows: list[BenefitRow]) -> list[BenefitRow]:
    """Models' gains over the best single arm, adjusted for their number."""
    models = [row for row in rows if row.role == "model" and row.gain]
    adjusted = holm([1.0 if row.gain.p != row.gain.p else row.gain.p for row in models if row.gain])
    p = {id(row): each for row, each in zip(models, adjusted, strict=True)}
    return [replace(row, p_gain=p.get(id(row))) for row in rows]


def _published(rows: Sequence[BenefitRow]) -> BenefitRow | None:
    """The row of the published rule."""
    return next((row for row in rows if row.cell and row.cell.about["model"]["name"] == RULE), None)


def _over_rule(rows: list[BenefitRow]) -> list[BenefitRow]:
    reference = _published(rows)
    if reference is None:
        return rows
    return [
        row
        if row is reference
        else replace(row, over_rule=row.assessment.gain_over(reference.assessment))
        for row in rows
    ]
