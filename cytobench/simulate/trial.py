"""A randomised antidepressant trial with an inflamed subtype, and the truth about it.

The change of the HAM-D17 is linear in clinical state, true (not measured) marker levels and arm,
plus Gaussian noise. The probability of response and of remission given all of these is therefore
known in closed form, rounding of the scores included: the Bayes-optimal prediction, which no model
that sees noisy assays can beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.cohort import Analyte, Cohort, ScaleOutcome
from cytobench.simulate.assay import PER_PLATE, measure
from cytobench.simulate.biology import Biology, draw_biology
from cytobench.simulate.panel import MARKERS

Floats = NDArray[np.float64]
ARMS = ("SSRI", "SSRI + anti-inflammatory")
NOISE = 0.22
"""SD of the relative change that nothing measured explains."""
MEAN_CHANGE = -0.47
"""Gives a response of about 47 % (STAR*D step 1, from the project's literature notes)."""
MINIMUM_SEVERITY = 14
REMISSION_AT = 7


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
        Share of patients without an end point (15 to 25 % by week 8 to 12 are usual).
    sites : int
    seed : int
    """

    n: int
    effect: float
    inflamed: float
    missing: float
    dropout: float
    sites: int
    seed: int

    def __post_init__(self) -> None:
        checks = (
            ("n", self.n >= 40, "40 or more"),
            ("effect", self.effect >= 0, "0 or more"),
            ("inflamed", 0 < self.inflamed < 1, "between 0 and 1"),
            ("missing", 0 <= self.missing < 1, "from 0 to less than 1"),
            ("dropout", 0 <= self.dropout < 1, "from 0 to less than 1"),
            ("sites", 1 <= self.sites <= self.n, "between 1 and n"),
        )
        for name, fine, expected in checks:
            if not fine:
                raise DataError(
                    "E351",
                    f"{name} is {getattr(self, name)!r}, expected {expected}",
                    where="simulated trial",
                    hint=f"set dataset.{name}=...",
                )


def simulate_trial(trial: Trial, card: DatasetCard) -> Cohort:
    """Draw a cohort with known truth.

    Raises
    ------
    DataError
        ``E351`` for a parameter out of range (raised by :class:`Trial`).
    """
    draw = np.random.default_rng(trial.seed)
    n = trial.n
    biology = draw_biology(n, trial.inflamed, draw)
    site = np.arange(n) * trial.sites // n
    plate = np.arange(n) // PER_PLATE
    # Randomised in blocks of two within the order of recruitment.
    arm = (np.arange(n) + draw.integers(0, 2, n // 2 + 1).repeat(2)[:n]) % 2
    failed = draw.poisson(np.exp(0.1 + 0.25 * trial.effect * biology.inflammation))
    before = np.clip(np.round(draw.normal(22, 4, n)), MINIMUM_SEVERITY, 40)
    change = expected_change(biology, failed, before, arm, trial.effect)
    after = np.clip(np.round(before * (1 + change + NOISE * draw.normal(size=n))), 0, 52)
    truth = bayes_optimal(before, change)
    after[draw.random(n) < trial.dropout] = np.nan
    identifiers = [f"SIM-{i + 1:05d}" for i in range(n)]
    clinical = pd.DataFrame(
        {
            "age": biology.age,
            "sex": np.where(biology.female, "female", "male"),
            "bmi": biology.bmi,
            "smoking": np.where(biology.smoker, "yes", "no"),
            "failed_trials": failed.astype(float),
            "arm": np.take(ARMS, arm),
            "site": [f"site {k + 1}" for k in site],
            "plate": [f"plate {k + 1}" for k in plate],
            "hamd_baseline": before,
            "hamd_week8": after,
        }
    )
    table = pd.concat([measure(biology.z, plate, trial.missing, draw), clinical], axis=1)
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


def expected_change(
    biology: Biology,
    failed: NDArray[np.int64],
    before: Floats,
    arm: NDArray[np.intp],
    effect: float,
) -> Floats:
    """Expected relative change of the score, shape (n,); negative is better.

    Clinical part: failed trials, BMI, age and severity, so that clinical data alone reach an AUC of
    about 0.65 (STAR*D: Chekroud 2016, doi:10.1016/S2215-0366(15)00471-X). Markers, times `effect`:
    worse with inflammation (Strawbridge 2015), IL-8 (Liu 2020: lower in responders, SMD about
    -0.28), IFN-γ and CCL2 (CAN-BIND-1: Husain 2023, doi:10.1017/S109285292300233X). Moderation: the
    added anti-inflammatory helps the inflamed, and does a little harm otherwise, as infliximab did
    (Raison 2013); for other agents a hypothesis.
    """
    clinical = (
        0.06 * (failed - 1.1)
        + 0.05 * (biology.bmi - 27.5) / 5.5
        + 0.03 * (biology.age - 42) / 12
        + 0.04 * (before - 22) / 4
    )
    inflammation = biology.inflammation
    markers = (
        0.05 * inflammation
        + 0.04 * biology.level("IL-8")
        + 0.05 * biology.level("IFN-γ")
        + 0.03 * biology.level("CCL2")
        - 0.15 * inflammation * arm
    )
    return np.asarray(MEAN_CHANGE + clinical + effect * markers)


def bayes_optimal(before: Floats, change: Floats) -> pd.DataFrame:
    """Probability of response and remission, and expected percent change, given the true state.

    The end point is a rounded normal variable; ``P(after <= k) = Phi((k + 1/2 - mean) / sd)``. The
    expected change allows for the floor of the scale at 0.
    """
    from scipy.special import ndtr

    mean, sd = before * (1 + change), before * NOISE
    half = np.floor(before / 2)
    density = np.exp(-0.5 * (mean / sd) ** 2) / np.sqrt(2 * np.pi)
    after = mean * ndtr(mean / sd) + sd * density
    return pd.DataFrame(
        {
            "response": ndtr((half + 0.5 - mean) / sd),
            "remission": ndtr((REMISSION_AT + 0.5 - mean) / sd),
            "percent_change": 100 * (after - before) / before,
        }
    )
