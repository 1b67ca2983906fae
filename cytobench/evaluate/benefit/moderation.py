"""Does a marker say who gets well, or who gets well on which treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cytobench.evaluate.benefit.scores import Floats
from cytobench.evaluate.intervals import Estimate, holm

Verdict = Literal["prognostic", "moderator", "both", "neither shown"]
ALPHA = 0.05


@dataclass(frozen=True)
class Moderation:
    """One marker.

    Attributes
    ----------
    n : int
        Patients whose outcome, arm and marker are known.
    prognosis : Estimate
        Change of the outcome with one standard deviation of the marker, mean over the arms as they
        occur.
    p_prognosis : float
        Adjusted over markers after Holm.
    interaction : Estimate
        How much more that change is under the last arm than under the first; without an interval
        where there are more arms, which `p_interaction` tests together.
    p_interaction : float
        Adjusted likewise, in a family of its own.
    verdict : str
        By both p values at 5 %; what is not shown is not absent.
    """

    marker: str
    n: int
    prognosis: Estimate
    p_prognosis: float
    interaction: Estimate
    p_interaction: float
    verdict: Verdict


def moderation(
    y: Floats, arm: Sequence[str], markers: pd.DataFrame, covariates: pd.DataFrame | None = None
) -> list[Moderation]:
    """Test every marker as a predictor of the outcome and as a moderator of treatment.

    Least squares of the outcome on arm, marker, arm by marker and covariates, with the HC3
    covariance (MacKinnon & White 1985, doi:10.1016/0304-4076(85)90158-7), so that a binary outcome
    has differences of risk as its unit: on this scale an interaction is what a choice of treatment
    can gain. Both families of tests are adjusted after Holm (1979).

    Parameters
    ----------
    y : array, shape (n,)
    arm : sequence of str, length n
    markers : DataFrame, shape (n, m)
        On the scale on which their effect is meant, such as log2 concentrations; standardised here.
    covariates : DataFrame, optional
        Numbers without gaps; those that follow from others, such as the last level of a category,
        are left out.

    Returns
    -------
    list of Moderation
        In the order of the columns; markers that do not vary are left out.

    Raises
    ------
    ValueError
        Where there are fewer than two arms.
    """
    received = np.asarray(arm, dtype=str)
    arms = np.unique(received)
    if len(arms) < 2:
        raise ValueError("one arm only: nothing can moderate the choice of a treatment")
    if covariates is not None:
        covariates = _independent(covariates)
    fits = [
        _fit(y, received, arms, markers[name].to_numpy(dtype=float), covariates)
        for name in markers.columns
    ]
    found = [(str(name), fit) for name, fit in zip(markers.columns, fits, strict=True) if fit]
    main = holm([fit.p_prognosis for _, fit in found])
    crossed = holm([fit.p_interaction for _, fit in found])
    return [
        Moderation(name, fit.n, fit.prognosis, p, fit.interaction, q, _verdict(p, q))
        for (name, fit), p, q in zip(found, main, crossed, strict=True)
    ]


def _independent(covariates: pd.DataFrame) -> pd.DataFrame:
    """The columns that add to a constant and those before them."""
    kept: list[str] = []
    block = np.ones((len(covariates), 1))
    for name in covariates.columns:
        wider = np.column_stack([block, covariates[name].to_numpy(dtype=float)])
        if np.linalg.matrix_rank(wider) > block.shape[1]:
            kept, block = [*kept, name], wider
    return covariates[kept]


@dataclass(frozen=True)
class _Fit:
    n: int
    prognosis: Estimate
    p_prognosis: float
    interaction: Estimate
    p_interaction: float


def _fit(
    y: Floats, arm: np.ndarray, arms: np.ndarray, marker: Floats, covariates: pd.DataFrame | None
) -> _Fit | None:
    import statsmodels.api as sm

    known = ~(np.isnan(y) | np.isnan(marker))
    if known.sum() < 2 or marker[known].std() == 0:
        return None
    z = (marker[known] - marker[known].mean()) / marker[known].std()
    treated = (arm[known, None] == arms[None, 1:]).astype(float)
    # Centred, so that the marker's own coefficient is its mean effect over the arms.
    treated -= treated.mean(axis=0)
    blocks = [np.ones((len(z), 1)), z[:, None], treated * z[:, None], treated]
    if covariates is not None:
        blocks.append(covariates.to_numpy(dtype=float)[known])
    fit = sm.OLS(y[known], np.hstack(blocks)).fit(cov_type="HC3", use_t=True)
    last = 1 + treated.shape[1]
    test = np.zeros((treated.shape[1], fit.params.shape[0]))
    test[:, 2 : last + 1] = np.eye(treated.shape[1])
    p = float(np.asarray(fit.f_test(test).pvalue))
    return _Fit(
        int(known.sum()),
        _estimate(fit, 1, "least squares, HC3"),
        float(fit.pvalues[1]),
        _estimate(fit, last, "least squares, HC3")
        if len(arms) == 2
        else Estimate(float(fit.params[last]), None, None, "several arms: see the joint test"),
        p,
    )


def _estimate(fit: object, position: int, method: str) -> Estimate:
    low, high = fit.conf_int()[position]  # type: ignore[attr-defined]
    return Estimate(float(fit.params[position]), float(low), float(high), method)  # type: ignore[attr-defined]


def _verdict(p_prognosis: float, p_interaction: float) -> Verdict:
    prognostic, moderates = p_prognosis < ALPHA, p_interaction < ALPHA
    if prognostic and moderates:
        return "both"
    if moderates:
        return "moderator"
    return "prognostic" if prognostic else "neither shown"
