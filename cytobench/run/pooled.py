"""What is said of a pool of studies beside its cells: how the studies differ before treatment."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cytobench.core.seeds import derive_seed
from cytobench.data.cohort import Cohort
from cytobench.evaluate.shift import Shift, covariate_shift


@lru_cache(maxsize=4)
def shift_of(cohort: Cohort) -> Shift | None:
    """The covariate shift between the studies of a pool; None for a single study.

    Analytes on their logarithm (a value at a limit counts as the limit), numeric covariates as they
    are. Arms and categories are design, not biology, and are left out.
    """
    if cohort.study is None:
        return None
    columns = {analyte.name: _logged(cohort, analyte.name, analyte.scale) for analyte in
               cohort.panel}  # fmt: skip
    for name in cohort.covariates:
        values = cohort.column(name)
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            columns[name] = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return covariate_shift(
        np.column_stack(list(columns.values())),
        list(columns),
        cohort.labels("study"),
        seed=derive_seed(0, "shift", cohort.fingerprint),
    )


def shift_record(cohort: Cohort) -> dict[str, Any] | None:
    """The shift as it is stored with a cell."""
    shift = shift_of(cohort)
    return None if shift is None else asdict(shift)


def _logged(cohort: Cohort, name: str, scale: str) -> Any:
    values = cohort.column(name).to_numpy(dtype=np.float64, na_value=np.nan).copy()
    positive = values[values > 0]
    if scale == "linear" and len(positive):
        values[values == 0] = positive.min() / 2
        values = np.log(values)
    return values
