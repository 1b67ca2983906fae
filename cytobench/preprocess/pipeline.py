"""From a cohort's roles to a scikit-learn transformer, to be fitted inside a training part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytobench.core.cards import Input
from cytobench.core.errors import UsageError
from cytobench.data.cohort import Cohort


@dataclass(frozen=True)
class Recipe:
    """A composed ``preprocess`` node."""

    name: str
    log: bool = True
    censored: str = "llod_sqrt2"
    missing: str = "median"
    indicators: bool = False
    scale: bool = True


def recipe_from_config(config: Mapping[str, Any]) -> Recipe:
    """Read a ``preprocess`` node.

    Raises
    ------
    UsageError
        ``E112`` for an unknown option or value.
    """
    try:
        recipe = Recipe(**config)
    except TypeError as error:
        raise UsageError("E112", str(error), where="preprocess") from error
    allowed = {"censored": ("llod_sqrt2",), "missing": ("median", "mean")}
    for field, values in allowed.items():
        given = getattr(recipe, field)
        if given not in values:
            raise UsageError(
                "E112",
                f"{given!r} is unknown",
                where=f"preprocess.{field}",
                hint=f"there are: {', '.join(values)}",
            )
    return recipe


def build_encoder(cohort: Cohort, inputs: Sequence[Input], recipe: Recipe) -> Any:
    """An unfitted transformer from baseline columns to a numeric DataFrame without gaps.

    Analytes: censored values, logarithm, imputation, scaling. Numbers among the clinical columns:
    imputation, scaling. Text: one-hot, an unseen category as zeros, a missing one as its own.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from cytobench.preprocess.assay import AssayValues

    analytes = cohort.analytes if "analytes" in inputs else ()
    clinical = list(cohort.clinical) if "clinical" in inputs else []
    numeric = [column for column in clinical if _is_numeric(cohort.column(column))]
    text = [column for column in clinical if column not in numeric]
    impute = SimpleImputer(
        strategy=recipe.missing, add_indicator=recipe.indicators, keep_empty_features=True
    )
    numbers = Pipeline(
        [("impute", impute), *([("scale", StandardScaler())] if recipe.scale else [])]
    )
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=float)
    columns = ColumnTransformer(
        [("numbers", numbers, [*analytes, *numeric]), ("categories", categories, text)],
        verbose_feature_names_out=False,
    )
    linear = tuple(analyte.name for analyte in cohort.panel if analyte.scale == "linear")
    assay = AssayValues(analytes, linear if analytes else (), recipe.log)
    return Pipeline([("assay", assay), ("columns", columns)]).set_output(transform="pandas")


def baseline_frame(cohort: Cohort, inputs: Sequence[Input]) -> pd.DataFrame:
    """Baseline columns as the encoder wants them: numbers as floats, text as objects without NA.

    Nothing is fitted here; a missing category becomes the text ``"missing"``.
    """
    frame = cohort.baseline(inputs)
    for column in cohort.clinical:
        if column not in frame.columns:
            continue
        if _is_numeric(frame[column]):
            frame[column] = frame[column].astype("float64")
        else:
            text = frame[column].astype(object)
            frame[column] = text.where(text.notna(), "missing").astype(str).astype(object)
    return frame


def _is_numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))
