"""The workload's cohort."""

from __future__ import annotations

from typing import Any

from benchopt import BaseDataset
from workload import make_cohort, shape_of


class Dataset(BaseDataset):  # type: ignore[misc]
    """One of a workload's simulated cohorts."""

    name = "Cohort"
    parameters = {"workload": ["W0"], "number": [0]}  # noqa: RUF012

    def get_data(self) -> dict[str, Any]:
        """Features and outcome."""
        X, y, _ = make_cohort(**shape_of(self.workload).cohorts[self.number])
        return {"X": X, "y": y}
