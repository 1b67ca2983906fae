"""The outcome: scores before and after treatment, or a ready label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.cohort import LabelOutcome, ScaleOutcome
from cytobench.data.columns import Reader
from cytobench.data.grammar import check_keys, listed, number, required
from cytobench.data.rows import holds, present

SCALE_KEYS = (
    "scale",
    "baseline",
    "endpoint",
    "week",
    "remission_at",
    "minimum_baseline",
    "baseline_date",
    "endpoint_date",
)
LABEL_KEYS = ("label", "positive", "negative", "meaning", "otherwise")
Columns = dict[str, NDArray[np.float64]]


def check_outcome(spec: Any) -> None:
    """Refuse an outcome that says too little, or what nobody reads.

    Raises
    ------
    DataError
        ``E322``.
    """
    if isinstance(spec, Mapping) and "label" in spec:
        check_keys(spec, LABEL_KEYS, "outcome")
        required(spec, "positive", "outcome")
        return
    check_keys(spec, SCALE_KEYS, "outcome")
    for key in ("scale", "baseline", "endpoint"):
        required(spec, key, "outcome (scores; a ready label needs `label:`)")
    if ("baseline_date" in spec) != ("endpoint_date" in spec):
        raise DataError("E322", "expected both baseline_date and endpoint_date", where="outcome")


def read_outcome(
    reader: Reader, spec: Mapping[str, Any]
) -> tuple[ScaleOutcome | LabelOutcome, Columns]:
    """The outcome, and the columns that it needs in the cohort's table.

    Raises
    ------
    DataError
        ``E318``, ``E319``, ``E321``, ``E327``.
    """
    if "label" in spec:
        meaning = str(spec.get("meaning") or f"{spec['label']} is {spec['positive']}")
        outcome = LabelOutcome("label", meaning, str(spec.get("otherwise") or ""))
        return outcome, {"label": _label(reader, spec)}
    _check_dates(reader, spec)
    scale = str(spec["scale"])
    before, after = f"{scale} before", f"{scale} after"
    columns = {
        before: reader.score(str(spec["baseline"]), "baseline"),
        after: reader.score(str(spec["endpoint"]), "endpoint"),
    }
    if np.isnan(columns[before] + columns[after]).all():
        raise DataError(
            "E319",
            "nobody has a score both at baseline and at the end",
            where=f"{reader.source.files}, columns {spec['baseline']!r} and {spec['endpoint']!r}",
            hint="check the two columns, and the rows that are kept",
        )
    remission_at, week = (_optional(spec, key) for key in ("remission_at", "week"))
    return ScaleOutcome(scale, before, after, remission_at, week), columns


def _optional(spec: Mapping[str, Any], key: str) -> float | None:
    return None if spec.get(key) is None else number(spec[key], f"outcome.{key}")


def _label(reader: Reader, spec: Mapping[str, Any]) -> NDArray[np.float64]:
    """A ready label as 1, 0 and NaN."""
    column = str(spec["label"])
    texts = reader.use(column, "outcome")
    known = present(texts)
    positive = holds(texts, spec["positive"])
    negative = known & ~positive
    if spec.get("negative") is not None:
        negative = holds(texts, spec["negative"])
    wrong = np.flatnonzero(known & (positive == negative))
    if len(wrong):
        row = int(wrong[0])
        both = "both" if positive[row] else "neither"
        words = "and" if positive[row] else "nor"
        options = [str(value) for key in ("positive", "negative") for value in listed(spec[key])]
        raise DataError(
            "E318",
            f"{texts[row]!r} is {both} positive {words} negative",
            where=reader.source.place(column, row),
            hint=did_you_mean(texts[row], options) + "; or leave such rows out with `rows:`",
        )
    if not (positive.any() and negative.any()):
        value = "positive" if positive.any() else "negative" if negative.any() else "missing"
        raise DataError(
            "E319",
            f"the outcome is {value} for all {len(texts)} patients",
            where=reader.source.place(column, 0),
            hint="check `positive:` and `negative:`, and the rows that are kept",
        )
    return np.where(positive, 1.0, np.where(negative, 0.0, np.nan))


def _check_dates(reader: Reader, spec: Mapping[str, Any]) -> None:
    """Refuse an end point that lies before its baseline (dates, or weeks as numbers)."""
    if "baseline_date" not in spec:
        return
    columns = [str(spec["baseline_date"]), str(spec["endpoint_date"])]
    before, after = (_moments(reader, column) for column in columns)
    if before.dtype.kind != after.dtype.kind and before.notna().any() and after.notna().any():
        raise DataError(
            "E327",
            f"{columns[0]!r} and {columns[1]!r} cannot be compared: one holds dates, one numbers",
            where=reader.source.place(columns[1], 0),
        )
    wrong = np.flatnonzero((after < before).to_numpy())
    if len(wrong):
        row = int(wrong[0])
        texts = [reader.source.texts(column)[row] for column in columns]
        raise DataError(
            "E321",
            f"the end point ({texts[1]}) is before the baseline ({texts[0]})",
            where=reader.source.place(columns[1], row),
            hint="correct the dates, or leave the row out with `rows:`",
        )


def _moments(reader: Reader, column: str) -> pd.Series:
    texts = reader.use(column, "date")
    said = pd.Series(
        [text.strip() if there else None for text, there in zip(texts, present(texts), strict=True)]
    )
    numbers = pd.to_numeric(said, errors="coerce")
    if numbers.notna().equals(said.notna()):
        return numbers
    moments = pd.to_datetime(said, errors="coerce", format="ISO8601")
    wrong = np.flatnonzero((moments.isna() & said.notna()).to_numpy())
    if len(wrong):
        raise DataError(
            "E327",
            f"{texts[int(wrong[0])]!r} is no date",
            where=reader.source.place(column, int(wrong[0])),
            hint="write dates as 2024-05-31, or days or weeks as numbers",
        )
    return moments
