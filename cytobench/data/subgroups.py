"""Subgroups that every cohort is looked at in: sex, age, BMI, CRP, treatment resistance, arm, site.

A covariate is recognised by its name, whatever its case; analytes by theirs and their unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.data.cohort import Cohort

Levels = list[str]

CRP_CUT = 3.0
"""mg/L: low-grade inflammation (Osimo 2019, doi:10.1017/S0033291719001454)."""
CRP_UNITS = {"mg/L": 1.0, "mg/l": 1.0, "mg/dL": 10.0, "ng/mL": 1e-3, "µg/mL": 1.0, "ug/mL": 1.0}
"""Factor to mg/L."""
BMI_CUTS = (25.0, 30.0)
"""kg/m²: overweight and obesity (WHO)."""
RESISTANT_AFTER = 2
"""Failed adequate trials at which depression counts as treatment-resistant (EMA, FDA)."""


def subgroups(cohort: Cohort) -> Mapping[str, Levels]:
    """Subgroup -> level of each patient, in words; an empty string where it is unknown.

    Returns
    -------
    mapping
        Only what the cohort knows, and only where patients differ.
    """
    found: dict[str, Levels] = {}
    named = {column.casefold(): column for column in cohort.covariates}
    for group, names, levels in _COVARIATES:
        column = next((named[name] for name in names if name in named), None)
        if column is not None and group not in found:
            found[group] = levels(cohort.column(column))
    crp = _crp(cohort)
    if crp is not None:
        found["CRP"] = crp
    for role in ("arm", "site"):
        if getattr(cohort, role) is not None:
            found[role] = cohort.labels(role)
    return {group: levels for group, levels in found.items() if len(set(levels) - {""}) > 1}


def _sex(column: pd.Series) -> Levels:
    return ["" if pd.isna(value) else str(value) for value in column]


def _age(column: pd.Series) -> Levels:
    """Thirds of the cohort, named by their limits in years."""
    age = _numbers(column)
    known = age[~np.isnan(age)]
    if len(known) < 3:
        return [""] * len(age)
    low, high = (float(np.ceil(cut)) for cut in np.quantile(known, [1 / 3, 2 / 3]))
    if low == high:
        return _cut(age, (low,), (f"under {low:g}", f"{low:g} and over"))
    names = (f"under {low:g}", f"{low:g} to {high - 1:g}", f"{high:g} and over")
    return _cut(age, (low, high), names)


def _bmi(column: pd.Series) -> Levels:
    return _cut(_numbers(column), BMI_CUTS, ("under 25", "25 to 30", "30 and over"))


def _resistant(column: pd.Series) -> Levels:
    """A yes or no, however it is written."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _cut(_numbers(column), (0.5,), ("no", "yes"))
    return ["" if pd.isna(value) else _yes_or_no(value) for value in column]


def _failed_trials(column: pd.Series) -> Levels:
    """How many adequate treatments failed before."""
    return _cut(_numbers(column), (RESISTANT_AFTER,), ("no", "yes"))


def _yes_or_no(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return str(value)


def _crp(cohort: Cohort) -> Levels | None:
    for analyte in cohort.panel:
        known = analyte.name.casefold().replace("-", "") in ("crp", "hscrp")
        if known and analyte.scale == "linear" and analyte.unit in CRP_UNITS:
            values = _numbers(cohort.column(analyte.name)) * CRP_UNITS[analyte.unit]
            return _cut(values, (CRP_CUT,), ("under 3 mg/L", "3 mg/L and over"))
    return None


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _cut(values: NDArray[np.float64], cuts: tuple[float, ...], names: tuple[str, ...]) -> Levels:
    position = np.searchsorted(cuts, values, side="right")
    return ["" if np.isnan(value) else names[k] for value, k in zip(values, position, strict=True)]


_COVARIATES: tuple[tuple[str, tuple[str, ...], Callable[[pd.Series], Levels]], ...] = (
    ("sex", ("sex", "gender"), _sex),
    ("age", ("age", "age_years", "visiting_age"), _age),
    ("BMI", ("bmi", "body_mass_index"), _bmi),
    (
        "treatment-resistant",
        ("treatment_resistant", "treatment-resistant", "trd", "resistant"),
        _resistant,
    ),
    ("treatment-resistant", ("failed_trials",), _failed_trials),
)
