"""A randomised antidepressant trial with an inflamed subtype, and the truth about it.

The truth is what an observer knows who sees true marker levels, clinical state and arm without
error: no model that sees noisy assays can beat it.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.cohort import Analyte, Cohort, ScaleOutcome
from cytobench.simulate.assay import PER_PLATE, measure
from cytobench.simulate.biology import Biology, draw_biology
from cytobench.simulate.outcome import (
    MINIMUM_SEVERITY,
    REMISSION_AT,
    bayes_optimal,
    expected_change,
    score_after,
)
from cytobench.simulate.panel import MARKERS

ARMS = ("SSRI", "SSRI + anti-inflammatory")
MOST_FAILED = 10
"""Failed trials at most; only an `effect` far above the published size reaches it."""
USUAL = {
    "n": 400, "effect": 1.0, "inflamed": 0.27, "missing": 0.03, "dropout": 0.18, "sites": 3,
    "seed": 2025,
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Parameters of the simulated trial.

    Attributes
    ----------
    n : int
        Patients randomised.
    effect : float
        1 for the published size of marker effects, 0 for none (main and moderating).
    inflamed : float
        Prevalence of the inflamed subtype.
    missing : float
        Share of marker values lost completely at random.
    dropout : float
        Share of patients lost at random before the end point; 15 to 25 % by week 8 to 12 are usual.
    sites : int
        One after the other in the order of recruitment; plates follow the same order. Neither
        patients nor outcomes differ between sites.
    seed : int

    Raises
    ------
    DataError
        ``E351`` for a value out of range, ``E352`` for one that is no number of the right kind.
    """

    n: int
    effect: float
    inflamed: float
    missing: float
    dropout: float
    sites: int
    seed: int

    def __post_init__(self) -> None:
        for name in ("n", "sites", "seed"):
            self._check_kind(name, Integral, "a whole number")
        for name in ("effect", "inflamed", "missing", "dropout"):
            self._check_kind(name, Real, "a number")
        checks = (
            ("n", self.n >= 40, "at least 40"),
            ("effect", 0 <= self.effect <= 10, "between 0 and 10"),
            ("inflamed", 0 <= self.inflamed <= 1, "between 0 and 1"),
            ("missing", 0 <= self.missing <= 0.9, "between 0 and 0.9"),
            ("dropout", 0 <= self.dropout <= 0.9, "between 0 and 0.9"),
            ("sites", 1 <= self.sites <= self.n, "between 1 and n"),
            ("seed", self.seed >= 0, "0 or more"),
        )
        for name, fine, expected in checks:
            if not fine:
                raise self._error("E351", name, expected)

    def _check_kind(self, name: str, kind: type, expected: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._error("E352", name, expected)

    def _error(self, code: str, name: str, expected: str) -> DataError:
        return DataError(
            code,
            f"{name} must be {expected}, not {getattr(self, name)!r}",
            where="simulated trial",
            hint=f"for example dataset.{name}={USUAL[name]}",
        )


def simulate_trial(trial: Trial, card: DatasetCard) -> Cohort:
    """Draw a cohort with known truth.

    Raises
    ------
    DataError
        Whatever :class:`~cytobench.data.cohort.Cohort` finds wrong; parameters are checked before.
    """
    draw = np.random.default_rng(trial.seed)
    order = np.arange(trial.n)
    biology = draw_biology(trial.n, trial.inflamed, draw)
    arm = _randomise(trial.n, draw)
    failed = _failed_trials(biology, trial.effect, draw)
    before = np.clip(np.round(draw.normal(22, 4, trial.n)), MINIMUM_SEVERITY, 40)
    change = expected_change(biology, failed, before, arm, trial.effect)
    after = score_after(before, change, draw)
    after[draw.random(trial.n) < trial.dropout] = np.nan
    plate = order // PER_PLATE
    clinical: dict[str, Any] = {
        "age": biology.age,
        "sex": np.where(biology.female, "female", "male"),
        "bmi": biology.bmi,
        "smoking": np.where(biology.smoker, "yes", "no"),
        "failed_trials": failed.astype(float),
        "arm": np.take(ARMS, arm),
        "site": _numbered("site", order * trial.sites // trial.n),
        "plate": _numbered("plate", plate),
        "hamd_baseline": before,
        "hamd_week8": after,
    }
    table = measure(biology.z, plate, trial.missing, draw).assign(**clinical)
    truth = bayes_optimal(before, change)
    return _assemble(table, truth, card)


def _failed_trials(biology: Biology, effect: float, draw: np.random.Generator) -> NDArray[np.int64]:
    """Treatments that failed before, more with inflammation (Haroon 2018, from the notes)."""
    usual = np.exp(0.1 + 0.25 * effect * biology.inflammation)
    return np.minimum(draw.poisson(usual), MOST_FAILED)


def _numbered(what: str, position: NDArray[np.intp]) -> NDArray[np.object_]:
    """``site 1``, ``site 2`` ... for ascending positions from 0."""
    names = [f"{what} {k + 1}" for k in range(int(position[-1]) + 1)]
    return np.array(names, dtype=object)[position]


def _randomise(n: int, draw: np.random.Generator) -> NDArray[np.intp]:
    """Arms in blocks of two within the order of recruitment."""
    first = draw.integers(0, 2, n // 2 + 1).repeat(2)[:n]
    return np.asarray((np.arange(n) + first) % 2)


def _assemble(table: pd.DataFrame, truth: pd.DataFrame, card: DatasetCard) -> Cohort:
    identifiers = [f"SIM-{i + 1:05d}" for i in range(len(table))]
    return Cohort(
        table.set_axis(identifiers),
        [
            Analyte(m.name, m.unit, platform="simulated", matrix="serum", llod=m.llod)
            for m in MARKERS
        ],
        ScaleOutcome("HAM-D17", "hamd_baseline", "hamd_week8", REMISSION_AT, 8),
        card,
        covariates=("age", "sex", "bmi", "smoking", "failed_trials"),
        arm="arm",
        site="site",
        plate="plate",
        truth=truth.set_axis(identifiers),
    )
