"""How many patients a prediction model needs: the criteria of Riley and colleagues, closed form.

Binary outcomes: Riley et al. 2019 (doi:10.1002/sim.7992) and 2020 (doi:10.1136/bmj.m441).
Continuous outcomes: Riley et al. 2019 (doi:10.1002/sim.7993). Parameters are *candidates*: every
column that could enter the model, counted before any selection looks at the outcome.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import UsageError

Floats = NDArray[np.float64]

SHRINKAGE = 0.9
"""Expected calibration slope in new patients that criterion 1 asks for."""
OPTIMISM = 0.05
"""Largest accepted difference of apparent and adjusted R2 (Nagelkerke's for a binary outcome)."""
MARGIN = 0.05
"""Half width of the 95 % interval of the overall risk that criterion 3 asks for."""
MEAN_MARGIN = 1.1
"""Factor between a mean outcome and the end of its 95 % interval that criterion 4 accepts."""
RESIDUAL_PATIENTS = 234
"""Patients beyond the parameters for which a residual variance is known within 10 %."""
NODES = 128
"""Gauss-Hermite nodes; 64 give the same 12 digits."""


@dataclass(frozen=True)
class SampleSize:
    """Patients that a model with some candidate parameters needs.

    Attributes
    ----------
    parameters : int
    r2 : float
        Anticipated Cox-Snell R2 (binary) or R2 (continuous), adjusted for optimism.
    criteria : mapping
        Criterion, in words -> patients that it asks for.
    prevalence : float or None
        Share of patients with the outcome; None for a continuous one.
    """

    parameters: int
    r2: float
    criteria: Mapping[str, int]
    prevalence: float | None = None

    @property
    def required(self) -> int:
        """Patients that meet every criterion."""
        return max(self.criteria.values())

    @property
    def decisive(self) -> str:
        """The criterion that asks for most patients."""
        return max(self.criteria, key=lambda name: self.criteria[name])

    @property
    def events(self) -> int | None:
        """Patients with the outcome among those required, rounded up."""
        return None if self.prevalence is None else _up(self.required * self.prevalence)

    @property
    def events_per_parameter(self) -> float | None:
        """Patients with the rarer outcome per candidate parameter at the size required."""
        if self.prevalence is None:
            return None
        return self.required * min(self.prevalence, 1 - self.prevalence) / self.parameters


def binary_sample_size(
    parameters: int,
    prevalence: float,
    cs_r2: float,
    shrinkage: float = SHRINKAGE,
    optimism: float = OPTIMISM,
    margin: float = MARGIN,
) -> SampleSize:
    """Patients for a model of a binary outcome: three criteria, the largest counts.

    1. ``P / ((S - 1) ln(1 - R2/S))`` for an expected shrinkage ``S``.
    2. The same with ``S = R2 / (R2 + optimism * max R2)``: a small gap of apparent and adjusted
       Nagelkerke R2.
    3. ``(1.96 / margin)^2 * prevalence * (1 - prevalence)``: a precise overall risk.

    Parameters
    ----------
    parameters : int
        Candidate parameters.
    prevalence : float
        Share of patients with the outcome, between 0 and 1.
    cs_r2 : float
        Anticipated Cox-Snell R2; see :func:`cox_snell_from_auc`.

    Raises
    ------
    UsageError
        ``E120`` for a value outside its range.
    """
    _check_parameters(parameters)
    largest = max_cox_snell(prevalence)
    _check_open("the Cox-Snell R2", cs_r2, largest)
    gap = cs_r2 / (cs_r2 + optimism * largest)
    criteria = {
        f"shrinkage of at least {shrinkage:g}": _up(_per_parameter(cs_r2, shrinkage) * parameters),
        f"R2 too high by at most {optimism:g}": _up(_per_parameter(cs_r2, gap) * parameters),
        f"overall risk within {margin:g}": _up(
            (_z() / margin) ** 2 * prevalence * (1 - prevalence)
        ),
    }
    return SampleSize(parameters, cs_r2, criteria, prevalence)


def continuous_sample_size(
    parameters: int,
    r2: float,
    mean: float | None = None,
    sd: float | None = None,
    shrinkage: float = SHRINKAGE,
    optimism: float = OPTIMISM,
) -> SampleSize:
    """Patients for a model of a continuous outcome: three criteria, and a fourth with `mean`.

    1. Expected shrinkage, see :func:`continuous_shrinkage`.
    2. ``1 + P (1 - R2) / optimism``: a small gap of apparent and adjusted R2.
    3. ``234 + P``: a residual standard deviation within 10 %.
    4. With the outcome's `mean` and `sd`, in its unit: a 95 % interval of the mean outcome, given
       average predictors, within 10 % of it.

    Raises
    ------
    UsageError
        ``E120`` for a value outside its range.
    """
    _check_parameters(parameters)
    _check_open("R2", r2, 1)
    criteria = {
        f"shrinkage of at least {shrinkage:g}": _continuous_patients(parameters, r2, shrinkage),
        f"R2 too high by at most {optimism:g}": _up(1 + parameters * (1 - r2) / optimism),
        "residual deviation within 10 %": RESIDUAL_PATIENTS + parameters,
    }
    if mean is not None and sd is not None:
        criteria["mean outcome within 10 %"] = _mean_patients(parameters, r2, mean, sd)
    return SampleSize(parameters, r2, criteria)


def max_cox_snell(prevalence: float) -> float:
    """The largest Cox-Snell R2 there can be: ``1 - (p^p (1 - p)^(1 - p))^2``.

    Raises
    ------
    UsageError
        ``E120`` for a prevalence of 0 or 1.
    """
    _check_open("the prevalence", prevalence, 1)
    return 1 - math.exp(2 * _null_log_likelihood(prevalence))


def cox_snell_from_auc(auc: float, prevalence: float) -> float:
    """The Cox-Snell R2 that goes with an AUC, were the linear predictor normal in both classes.

    Riley et al. 2021 (doi:10.1002/sim.8806) simulate a large data set with linear predictors of
    equal variance, ``sqrt(2) * Phi^-1(AUC)`` apart; here the expected log-likelihood of the
    logistic model, which is the true one, is integrated by Gauss-Hermite quadrature.

    Raises
    ------
    UsageError
        ``E120`` for an AUC that is not between 0.5 and 1, or a prevalence of 0 or 1.
    """
    from scipy.special import ndtri

    if not 0.5 < auc < 1:
        raise UsageError("E120", f"an anticipated AUC lies between 0.5 and 1, not at {auc:g}")
    _check_open("the prevalence", prevalence, 1)
    distance = math.sqrt(2) * float(ndtri(auc))
    nodes, weights = _normal_nodes()
    offset = math.log(prevalence / (1 - prevalence))
    # log p = -log(1 + exp(-eta)), log(1 - p) = -log(1 + exp(eta))
    of_events = -np.logaddexp(0, -(offset + distance * nodes + distance**2 / 2)) @ weights
    of_others = -np.logaddexp(0, offset + distance * nodes - distance**2 / 2) @ weights
    likelihood = prevalence * float(of_events) + (1 - prevalence) * float(of_others)
    return 1 - math.exp(2 * (_null_log_likelihood(prevalence) - likelihood))


@cache
def _normal_nodes() -> tuple[Floats, Floats]:
    """Where a function is evaluated for its mean under a standard normal, and how each counts."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def binary_shrinkage(n: int, parameters: int, cs_r2: float) -> float:
    """Expected shrinkage at `n` patients: the ``S`` of criterion 1 solved for.

    It is the calibration slope to expect in new patients (van Houwelingen & le Cessie 1990,
    doi:10.1002/sim.4780091109); 1 is no overfitting.
    """
    from scipy.optimize import brentq

    def excess(s: float) -> float:
        return (s - 1) * math.log1p(-cs_r2 / s) - parameters / n

    lowest = cs_r2 * (1 + 1e-12)
    # With tens of parameters for each patient the solution is the limit itself.
    return float(brentq(excess, lowest, 1)) if excess(lowest) > 0 else cs_r2


def continuous_shrinkage(n: int, parameters: int, r2: float) -> float:
    """Expected shrinkage at `n` patients: ``1 + (P - 2) / (n ln(1 - apparent R2))``.

    Returns
    -------
    float
        NaN with so few patients that the approximation would call fewer patients better.
    """
    if parameters <= 2:
        return 1.0
    if n < _fewest(parameters, r2):
        return float("nan")
    return 1 - (parameters - 2) / _information(n, parameters, r2)


def supported_parameters(n: int, r2: float, prevalence: float | None = None) -> int:
    """Candidate parameters that `n` patients support by criteria 1 and 2.

    The criteria for the overall risk, the residual deviation and the mean do not speak of
    overfitting and are left aside.
    """
    if prevalence is not None:
        gap = r2 / (r2 + OPTIMISM * max_cox_snell(prevalence))
        return math.floor(n / max(_per_parameter(r2, SHRINKAGE), _per_parameter(r2, gap)))
    by_gap = math.floor((n - 1) * OPTIMISM / (1 - r2))
    low, high = 0, max(0, by_gap)
    while low < high:
        middle = (low + high + 1) // 2
        if _continuous_patients(middle, r2, SHRINKAGE) <= n:
            low = middle
        else:
            high = middle - 1
    return low


def _per_parameter(cs_r2: float, shrinkage: float) -> float:
    """Patients for each parameter, for a shrinkage."""
    if not cs_r2 < shrinkage < 1:
        raise UsageError("E120", f"the shrinkage lies between R2 and 1, not at {shrinkage:g}")
    return 1 / ((shrinkage - 1) * math.log1p(-cs_r2 / shrinkage))


def _information(n: float, parameters: int, r2: float) -> float:
    """``-n ln(1 - apparent R2)``, with apparent R2 = (R2 (n - P - 1) + P) / (n - 1)."""
    return n * (math.log((n - 1) / (n - parameters - 1)) - math.log1p(-r2))


def _fewest(parameters: int, r2: float) -> float:
    """Patients below which the information would rise again as patients are taken away."""
    from scipy.optimize import minimize_scalar

    first = parameters + 2
    far = first + 10 * parameters / math.sqrt(-math.log1p(-r2))
    found = minimize_scalar(
        _information, bounds=(first, far), args=(parameters, r2), method="bounded"
    )
    return float(found.x)


def _continuous_patients(parameters: int, r2: float, shrinkage: float) -> int:
    from scipy.optimize import brentq

    if parameters <= 2:
        return parameters + 2
    wanted = (parameters - 2) / (1 - shrinkage)
    fewest = _fewest(parameters, r2)
    if _information(fewest, parameters, r2) >= wanted:
        return _up(fewest)
    enough = max(fewest, wanted / -math.log1p(-r2))
    return _up(brentq(lambda n: _information(n, parameters, r2) - wanted, fewest, enough))


def _mean_patients(parameters: int, r2: float, mean: float, sd: float) -> int:
    from scipy.special import stdtrit

    if mean == 0 or sd <= 0:
        raise UsageError("E120", f"a mean of {mean:g} with a deviation of {sd:g} has no margin")
    allowed = (MEAN_MARGIN - 1) * abs(mean)
    low, high = parameters + 2, parameters + 2 + _up(20 * sd**2 * (1 - r2) / allowed**2)
    while low < high:
        n = (low + high) // 2
        half = float(stdtrit(n - parameters - 1, 0.975)) * sd * math.sqrt((1 - r2) / n)
        low, high = (low, n) if half <= allowed else (n + 1, high)
    return low


def _null_log_likelihood(prevalence: float) -> float:
    return prevalence * math.log(prevalence) + (1 - prevalence) * math.log1p(-prevalence)


def _z() -> float:
    from scipy.special import ndtri

    return float(ndtri(0.975))


def _up(value: float) -> int:
    """Rounded up, but not for the last bit of a whole number."""
    return math.ceil(value - 1e-9)


def _check_parameters(parameters: int) -> None:
    if parameters < 1:
        raise UsageError("E120", f"a model has one parameter or more, not {parameters}")


def _check_open(what: str, value: float, largest: float) -> None:
    if not 0 < value < largest:
        raise UsageError("E120", f"{what} lies between 0 and {largest:.3g}, not at {value:g}")
