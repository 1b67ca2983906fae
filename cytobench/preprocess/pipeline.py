"""From a cohort's roles to an encoder, to be fitted inside a training part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cytobench.core.cards import Input
from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.cohort import Cohort
from cytobench.preprocess.encoder import (
    BATCH,
    Encoder,
    is_numeric,
    numeric_columns,
    text_columns,
)
from cytobench.preprocess.recipe import Recipe

__all__ = [
    "BATCH",
    "baseline_frame",
    "build_encoder",
    "check_recipe",
    "left_out",
    "numeric_columns",
    "text_columns",
    "uncorrected",
]


def build_encoder(
    cohort: Cohort,
    inputs: Sequence[Input],
    recipe: Recipe,
    *,
    random_state: int = 0,
    draw: int = 0,
) -> Encoder:
    """An unfitted transformer from baseline columns to a numeric DataFrame without gaps.

    Analytes: those hardly detected left out, values beyond limits, logarithm, batch, features of
    the domain, imputation, scaling. Numbers among the clinical columns: imputation, scaling. Text:
    one-hot, an unseen category as zeros, a missing one as its own.

    Parameters
    ----------
    random_state, draw : int
        Of the imputation of values beyond limits, where it is random.
    """
    steps = _assay_steps(cohort, recipe, random_state, draw) if "analytes" in inputs else []
    return Encoder(steps, recipe)


def check_recipe(cohort: Cohort, recipe: Recipe) -> None:
    """Refuse, before any fold, what is asked of columns that the cohort does not have.

    Raises
    ------
    DataError
        ``E363`` or ``E364`` where a group of features cannot be computed, ``E366`` as
        :func:`baseline_frame`.
    """
    from cytobench.preprocess.features import check_groups

    check_groups(recipe.features, {analyte.name: analyte.unit for analyte in cohort.panel})
    if recipe.batch != "none":
        _batches(cohort, recipe)


def _assay_steps(
    cohort: Cohort, recipe: Recipe, random_state: int, draw: int
) -> list[tuple[str, Any]]:
    from cytobench.preprocess.batch import ComBat
    from cytobench.preprocess.censored import CENSORED, LogConcentrations
    from cytobench.preprocess.detection import DetectedEnough
    from cytobench.preprocess.features import DomainFeatures

    linear = tuple(analyte.name for analyte in cohort.panel if analyte.scale == "linear")
    randomness = {"random_state": random_state, "draw": draw} if recipe.censored == "draws" else {}
    censored = CENSORED[recipe.censored](
        cohort.analytes, linear, recipe.censored_indicators, **randomness
    )
    steps: list[tuple[str, Any]] = [
        ("detected", DetectedEnough(cohort.analytes, recipe.max_below, linear, (BATCH,))),
        ("censored", censored),
    ]
    if recipe.log:
        steps.append(("log", LogConcentrations(linear)))
    if recipe.batch == "combat":
        corrected = tuple(name for name in cohort.analytes if name not in recipe.batch_except)
        steps.append(("batch", ComBat(corrected, BATCH, recipe.batch_unseen)))
    if recipe.features:
        logs = {
            analyte.name: "ln" if analyte.scale == "linear" else "log2" for analyte in cohort.panel
        }
        units = {analyte.name: analyte.unit for analyte in cohort.panel}
        steps.append(("features", DomainFeatures(recipe.features, logs, units)))
    return steps


def baseline_frame(
    cohort: Cohort, inputs: Sequence[Input], recipe: Recipe | None = None
) -> pd.DataFrame:
    """Baseline columns as the encoder wants them: numbers as floats, text as objects without NA.

    Nothing is fitted here; a missing category becomes the text ``"missing"``.

    Parameters
    ----------
    recipe : Recipe, optional
        Brings the batch with it, where batches are corrected.

    Raises
    ------
    DataError
        ``E366`` where the cohort has no such batches, or no such analyte to leave out.
    """
    frame = cohort.baseline(inputs)
    for column in cohort.clinical:
        if column not in frame.columns:
            continue
        if is_numeric(frame[column]):
            frame[column] = frame[column].astype("float64")
        else:
            text = frame[column].astype(object)
            frame[column] = text.where(text.notna(), "missing").astype(str).astype(object)
    if recipe is not None and recipe.batch != "none" and "analytes" in inputs:
        frame[BATCH] = _batches(cohort, recipe)
    return frame


def _batches(cohort: Cohort, recipe: Recipe) -> Any:
    role: Any = recipe.batch_by
    labels = cohort.labels(role)
    if not any(labels):
        raise DataError(
            "E366",
            f"batches are to be corrected by {role}, and the cohort has none",
            where=f"cohort {cohort.name!r}",
            hint=f"name the column with `{role}:` in the dataset's YAML, or set "
            "preprocess.batch_by",
        )
    unknown = sorted(set(recipe.batch_except) - set(cohort.analytes))
    if unknown:
        raise DataError(
            "E366",
            f"{unknown[0]!r} is no analyte of the cohort",
            where="preprocess.batch_except",
            hint=did_you_mean(unknown[0], list(cohort.analytes)),
        )
    return np.asarray(labels, dtype=object)


def left_out(encoder: Any) -> Mapping[str, float]:
    """Analyte -> share below detection, for those that a fitted encoder left out."""
    detected = encoder.named_steps.get("detected")
    return {} if detected is None else dict(detected.dropped_)


def uncorrected(encoder: Any, X: pd.DataFrame) -> list[str]:
    """What a fitted encoder could not correct for batches, in words; empty where nothing is left.

    Parameters
    ----------
    X : DataFrame
        The rows that it is applied to.
    """
    batch = encoder.named_steps.get("batch")
    if batch is None:
        return []
    said = []
    unseen = batch.unseen_in(X)
    if unseen:
        names = ", ".join(f"{name or 'no batch'}: {n}" for name, n in sorted(unseen.items()))
        said.append(f"{sum(unseen.values())} test rows of batches not seen in training ({names})")
    constant = [
        name for name, varies in zip(batch.columns_, batch.varies_, strict=True) if not varies
    ]
    if constant:
        said.append(f"constant within a batch and left as they are: {', '.join(constant)}")
    return said
