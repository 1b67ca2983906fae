"""MOABB: ``WithinSessionEvaluation`` over a paradigm that hands out the table; no threshold."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd
from workload import MODELS, SEED, make_cohort, make_pipe, shape_of

# Read when they are imported: where recordings would be downloaded to.
os.environ["MNE_DATA"] = os.environ["MOABB_RESULTS"] = mkdtemp(prefix="moabb-")

import mne
import moabb
from moabb.datasets.base import BaseDataset
from moabb.evaluations import WithinSessionEvaluation
from moabb.paradigms.base import BaseParadigm
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

mne.set_log_level("ERROR")
moabb.set_log_level("error")


class Cohort(BaseDataset):  # type: ignore[misc]
    """A name; the rows come from the paradigm."""

    def __init__(self) -> None:
        super().__init__(
            subjects=[1],
            sessions_per_subject=1,
            events={"no": 0, "yes": 1},
            code="Cohort",
            interval=[0, 1],
            paradigm="imagery",
            doi=None,
        )

    def _get_single_subject_data(self, subject: int) -> Any:
        raise NotImplementedError

    def data_path(self, subject: int, *others: Any, **more: Any) -> list[str]:
        """No recording."""
        del subject, others, more
        return []


class Tabular(BaseParadigm):  # type: ignore[misc]
    """A cohort's table in place of windows of an EEG."""

    datasets: list[Any] = []  # noqa: RUF012 - MOABB's own
    scoring = "roc_auc"

    def __init__(self, cohort: Any) -> None:
        super().__init__(filters=[[0, 1]], events=None)
        self.cohort = cohort

    def is_valid(self, dataset: Any) -> bool:
        """Anything."""
        del dataset
        return True

    def used_events(self, dataset: Any) -> Any:
        """Both."""
        return dataset.event_id

    def _get_events_pipeline(self, dataset: Any) -> None:
        del dataset

    def make_process_pipelines(self, *others: Any, **more: Any) -> list[Any]:
        """Nothing to filter."""
        del others, more
        return [Pipeline([("as it is", FunctionTransformer())])]

    def get_data(self, dataset: Any, subjects: Any = None, **more: Any) -> Any:
        """The table, the outcome, and one session for all."""
        del dataset, subjects, more
        X, y, _ = make_cohort(**self.cohort)
        about = {"subject": 1, "session": "0", "run": "0"}
        return X, np.where(y == 1, "yes", "no"), pd.DataFrame(about, index=range(len(y)))


def run(workload: str, folder: Path) -> dict[str, float]:
    """One process."""
    shape, found = shape_of(workload), {}
    for cohort in shape.cohorts:
        evaluation = WithinSessionEvaluation(
            paradigm=Tabular(cohort),
            datasets=[Cohort()],
            random_state=SEED,
            overwrite=True,
            hdf5_path=str(folder / "moabb"),
            n_jobs=1,
            cv_class=RepeatedStratifiedKFold,
            cv_kwargs={
                "n_splits": shape.folds,
                "n_repeats": shape.repeats,
                "random_state": SEED,
            },
        )
        made = evaluation.process({name: make_pipe(name) for name in MODELS[workload]})
        for name, value in made.groupby("pipeline")["score"].mean().items():
            found.setdefault(str(name), []).append(float(value))
    return {model: float(np.mean(values)) for model, values in found.items()}
