"""What MLflow is told of a treatment rule: its value, its gains, and what a run says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.evaluate.benefit.assessment import BenefitAssessment
from cytobench.evaluate.benefit.value import aipw
from cytobench.leaderboard.benefit import SINGLE, BenefitRow
from cytobench.leaderboard.benefit_sheet import TITLES
from cytobench.leaderboard.tables import number
from cytobench.run.store import StoredCell

METRICS = {
    "value": "value",
    "autoc": "AUTOC",
    "benefit_slope": "slope of benefit",
    "regret": "regret",
}
"""Numbers that are mirrored; the rest is a table."""


def values_of(cell: StoredCell, row: BenefitRow | None) -> dict[str, float]:
    """Metric -> value, for a complete cell; NaN where undefined."""
    assessment = _assessment(cell)
    value = assessment.estimate("value")
    found = {shown: assessment.estimate(name).value for name, shown in METRICS.items()}
    found |= {"value lower": _or_nan(value.low), "value upper": _or_nan(value.high)}
    if row is not None and row.gain is not None:
        found |= {
            "gain": row.gain.difference.value,
            "gain lower": _or_nan(row.gain.difference.low),
            "gain upper": _or_nan(row.gain.difference.high),
            "treatment changed": row.gain.changed,
        }
    if row is not None and row.over_rule is not None:
        found["gain over CRP rule"] = row.over_rule.difference.value
    return {**found, "s per fold": assessment.seconds}


def value_of_fold(fold: FoldResult) -> float:
    """Mean doubly robust outcome under the rule in one test part."""
    (part,) = BenefitAssessment([fold]).decided
    return float(np.mean(aipw(part.trial, part.choice)))


def result_line(cell: StoredCell, row: BenefitRow | None) -> str:
    """The main result in a sentence, or the refusal."""
    assessment = _assessment(cell)
    if assessment.refusal is not None:
        return f"**Refused**: {assessment.refusal}."
    said = f"value **{number(assessment.estimate('value'))}**"
    if row is not None and row.gain is not None:
        said += f"; gain over the {SINGLE} **{number(row.gain.difference, signed=True)}**"
    return f"{said}. {len(cell.folds)} folds, {assessment.n} patients."


def number_rows(row: BenefitRow) -> list[tuple[str, Any]]:
    """Every number with its name."""
    found = [(TITLES[name], estimate) for name, estimate in row.assessment.estimates.items()]
    if row.gain is not None:
        found.append((f"gain over {SINGLE}", row.gain.difference))
    if row.over_rule is not None:
        found.append(("gain over the CRP rule", row.over_rule.difference))
    return found


def _assessment(cell: StoredCell) -> BenefitAssessment:
    return BenefitAssessment(cell.folds, int(cell.about["task"]["smallest_arm"]))


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
