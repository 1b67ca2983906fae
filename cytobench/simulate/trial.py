"""A randomised trial drawn from its design, and the truth about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import DatasetCard
from cytobench.core.declare import DECLARATION
from cytobench.data.cohort import BELOW, Analyte, Cohort, ScaleOutcome
from cytobench.simulate.assay import Handling, handle, measure
from cytobench.simulate.design import Design
from cytobench.simulate.inflamed import INFLAMED_MDD
from cytobench.simulate.losses import chance, standardised
from cytobench.simulate.modulation import later, shifts
from cytobench.simulate.outcome import NOISE, expected_changes, score_after
from cytobench.simulate.panel import NAMES
from cytobench.simulate.parameters import Trial
from cytobench.simulate.recruit import Patients, randomise, recruit
from cytobench.simulate.truth import truth_table

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
COVARIATES = ("age", "sex", "bmi", "smoking", "failed_trials")


def simulate(plugin: Callable[..., Cohort], design: Design, trial: Trial) -> Cohort:
    """The cohort of a dataset plugin; its card is what ``@dataset`` declares, and the design.

    Raises
    ------
    DataError
        See :func:`simulate_trial`.
    """
    return simulate_trial(trial, getattr(plugin, DECLARATION), design)


def simulate_trial(trial: Trial, card: DatasetCard, design: Design = INFLAMED_MDD) -> Cohort:
    """Draw a cohort with known truth.

    Patients, sites, arms, outcomes, assays and losses have random streams of their own: the same
    seed with another assay gives the same patients with the same outcomes.

    Raises
    ------
    DataError
        ``E353`` where hardly anybody meets the design's criteria; whatever
        :class:`~cytobench.data.cohort.Cohort` finds wrong. Parameters are checked before.
    """
    people, places, arms, course, assay, losses = _streams(trial.seed, 6)
    patients = recruit(trial.n, trial.inflamed, trial.effect, design, people)
    arm = randomise(trial.n, design, arms)
    site = np.arange(trial.n) * trial.sites // trial.n
    shift = trial.site_effect * NOISE * places.normal(size=trial.sites)
    changes = expected_changes(patients, design, trial.effect, shift[site])
    received = changes[arm, np.arange(trial.n)]
    after = score_after(patients.before, received, design.usual.highest, course)
    gone = losses.random(trial.n) < _dropout(trial, patients)
    handling = handle(
        site, design.markers, places, noise=trial.noise, plate_shift=trial.plate_shift,
        site_effect=trial.site_effect,
    )  # fmt: skip
    values, below, values_after = _samples(trial, design, patients, arm, handling, assay)
    values_after[gone] = np.nan
    baseline, endpoint = design.columns
    clinical = {
        **_clinical(patients),
        "arm": _text(design.names, arm),
        "site": _numbered("site", site),
        "plate": _numbered("plate", handling.plate),
        baseline: patients.before,
        endpoint: np.where(gone, np.nan, after),
    }
    return _assemble(
        _table(values, below, clinical),
        truth_table(
            patients.before, changes, arm, design.names, design.usual.highest, design.remission_at
        ),
        pd.DataFrame(values_after, columns=list(NAMES), copy=False),
        design,
        card,
    )


def _streams(seed: int, n: int) -> list[np.random.Generator]:
    """Independent streams; SFC64 is the quickest of NumPy's generators."""
    return [
        np.random.Generator(np.random.SFC64(one)) for one in np.random.SeedSequence(seed).spawn(n)
    ]


def _samples(
    trial: Trial,
    design: Design,
    patients: Patients,
    arm: Positions,
    handling: Handling,
    draw: np.random.Generator,
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Levels at baseline, which of them are below the limit, and levels at the end point.

    A patient's two samples are on one plate, as is good practice; who loses values is likelier to
    lose them at both times.
    """
    older, severer = standardised(patients.biology.age), standardised(patients.before)
    observed = (older + severer) / np.sqrt(2) if trial.missingness == "mar" else None
    lost = chance(trial.missing, observed)
    z, markers = patients.biology.z, design.markers
    values, below = measure(z, markers, handling, lost, draw)
    moved = shifts(tuple(arm.drug_class for arm in design.arms), trial.modulation)
    values_after, _ = measure(later(z, arm, moved, draw), markers, handling, lost, draw)
    return values, below, values_after


def _dropout(trial: Trial, patients: Patients) -> Floats:
    severe = trial.dropout_mechanism == "severity"
    return chance(trial.dropout, standardised(patients.before) if severe else None)


def _clinical(patients: Patients) -> dict[str, Any]:
    biology = patients.biology
    return {
        "age": biology.age,
        "sex": _text(["male", "female"], biology.female.astype(np.intp)),
        "bmi": biology.bmi,
        "smoking": _text(["no", "yes"], biology.smoker.astype(np.intp)),
        "failed_trials": patients.failed,
    }


def _table(values: Floats, below: NDArray[np.bool_], clinical: dict[str, Any]) -> pd.DataFrame:
    flagged = np.flatnonzero(below.any(axis=0))
    flags = pd.DataFrame(below[:, flagged], columns=[NAMES[k] + BELOW for k in flagged], copy=False)
    levels = pd.DataFrame(values, columns=list(NAMES), copy=False)
    return pd.concat([levels, flags, pd.DataFrame(clinical)], axis=1)


def _assemble(
    table: pd.DataFrame,
    truth: pd.DataFrame,
    followup: pd.DataFrame,
    design: Design,
    card: DatasetCard,
) -> Cohort:
    baseline, endpoint = design.columns
    index = "SIM-" + pd.Index(np.arange(1, len(table) + 1)).astype("str").str.zfill(5)
    return Cohort(
        table.set_axis(index),
        [
            Analyte(m.name, m.unit, platform="simulated", matrix="serum", llod=m.llod)
            for m in design.markers
        ],
        ScaleOutcome(design.scale, baseline, endpoint, design.remission_at, design.week),
        design.describe(card),
        covariates=COVARIATES,
        arm="arm",
        site="site",
        plate="plate",
        truth=truth.set_axis(index),
        followup=followup.set_axis(index),
    )


def _text(names: Sequence[str], codes: Positions) -> pd.api.extensions.ExtensionArray:
    return pd.array(list(names), dtype="str").take(codes)


def _numbered(what: str, position: Positions) -> pd.api.extensions.ExtensionArray:
    """``site 1``, ``site 2`` ... for ascending positions from 0."""
    return _text([f"{what} {k + 1}" for k in range(int(position[-1]) + 1)], position)
