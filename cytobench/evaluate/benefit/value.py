"""The value of a rule: the mean outcome if everybody were treated by it, and what that gains."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cytobench.evaluate.benefit.scores import Floats, Positions, Trial, doubly_robust
from cytobench.evaluate.intervals import Estimate, standard_error, z_quantile

POWER = 0.8


@dataclass(frozen=True)
class Decided:
    """A rule's choices for the tested patients of one repeat.

    Attributes
    ----------
    trial : Trial
    choice : array of int, shape (n,)
        Position of the arm that each patient would get; learnt without the patient.
    patients : array of int, shape (n,)
        Who each row is: the same number in every repeat.
    """

    trial: Trial
    choice: Positions
    patients: Positions


@dataclass(frozen=True)
class Gain:
    """What a rule gains over another on the same patients.

    Attributes
    ----------
    difference : Estimate
    p : float
        Two-sided, that there is no difference; 1 where both rules treat everybody alike.
    changed : float
        Share of decisions in which the two differ.
    detectable : float
        The smallest difference that this many patients would show with 80 % power; NaN where the
        rules do not differ.
    """

    difference: Estimate
    p: float
    changed: float
    detectable: float


Contributions = Callable[[Trial, Positions], Floats]


def ipw(trial: Trial, choice: Positions) -> Floats:
    """Inverse-probability-weighted contributions, shape (n,); their mean is the value.

    ``1[A = choice] y / e`` (Horvitz & Thompson 1952, doi:10.1080/01621459.1952.10483446).
    """
    found: Floats = _weights(trial, choice) * trial.y
    return found


def hajek(trial: Trial, choice: Positions) -> Floats:
    """The same with weights that sum to n; linearised, so that the mean is the value.

    Unlike :func:`ipw` it moves with the outcome's origin: y + c has the value plus c (Hajek 1971).
    """
    weights = _weights(trial, choice)
    total = float(weights.sum())
    if total == 0:
        return np.full(len(trial), np.nan)
    value = float((weights * trial.y).sum() / total)
    found: Floats = value + len(trial) / total * weights * (trial.y - value)
    return found


def aipw(trial: Trial, choice: Positions) -> Floats:
    """Doubly robust contributions; see :func:`doubly_robust`."""
    found: Floats = doubly_robust(trial)[np.arange(len(trial)), choice]
    return found


def _weights(trial: Trial, choice: Positions) -> Floats:
    found: Floats = (trial.arm == choice) / trial.of_received(trial.propensity)
    return found


def value(decided: Sequence[Decided], by: Contributions = aipw) -> Estimate:
    """Mean outcome if everybody were treated by the rule, with its interval.

    Each patient's contributions are averaged over the repeats of the cross-validation before the
    standard error is taken, ``sd / sqrt(n)``: repeats add no patients. The interval speaks of rules
    learnt at this size, as given; it does not hold the variance of learning anew.

    Parameters
    ----------
    by : callable
        :func:`aipw`, :func:`hajek` or :func:`ipw`.
    """
    each = by_patient([(item, by(item.trial, item.choice)) for item in decided])
    return over_patients(each, f"{by.__name__}, influence over patients")


def gain(
    decided: Sequence[Decided], reference: Sequence[Decided], by: Contributions = aipw
) -> Gain:
    """Value of a rule minus that of another, patient by patient.

    Parameters
    ----------
    reference : sequence of Decided
        The other rule's choices in the same repeats.

    Raises
    ------
    ValueError
        Where the two were not tested on the same patients.
    """
    from scipy.special import ndtr, ndtri

    pairs = list(zip(decided, reference, strict=True))
    if any(not np.array_equal(mine.patients, other.patients) for mine, other in pairs):
        raise ValueError("the two rules were tested on different patients")
    each = by_patient([(m, by(m.trial, m.choice) - by(o.trial, o.choice)) for m, o in pairs])
    changed = float(np.concatenate([m.choice != o.choice for m, o in pairs]).mean())
    se = standard_error(each)
    difference = over_patients(each, f"{by.__name__}, paired influence over patients")
    if changed == 0:
        same = Estimate(0.0, 0.0, 0.0, "the rules do not differ")
        return Gain(same, 1.0, 0.0, float("nan"))
    p = float(2 * ndtr(-abs(difference.value) / se)) if se > 0 else float("nan")
    detectable = float((z_quantile() + ndtri(POWER)) * se)
    return Gain(difference, p, changed, detectable)


def number_needed_to_treat(difference: Estimate) -> str:
    """How many patients the rule has to choose for, so that one more responds; in words.

    The interval runs through infinity where that of the gain holds 0 (Altman 1998,
    doi:10.1136/bmj.317.7168.1309).

    Parameters
    ----------
    difference : Estimate
        Gain in the probability of a good outcome.
    """
    if difference.value == 0 or math.isnan(difference.value):
        return "infinite"
    number = _needed(difference.value)
    if difference.low is None or difference.high is None:
        return number
    low, high = _needed(difference.low), _needed(difference.high)
    if difference.low <= 0 <= difference.high:
        return f"{number} ({low} to infinity to {high})"
    return f"{number} ({high} to {low})"


def _needed(difference: float) -> str:
    if difference == 0:
        return "infinity"
    side = "to benefit" if difference > 0 else "to harm"
    return f"{1 / abs(difference):.1f} {side}"


def by_patient(parts: Sequence[tuple[Decided, Floats]]) -> Floats:
    """Mean contribution of each patient over the repeats that tested him, shape (n_patients,)."""
    patients = np.concatenate([item.patients for item, _ in parts])
    values = np.concatenate([each for _, each in parts])
    _, position = np.unique(patients, return_inverse=True)
    found: Floats = np.bincount(position, weights=values) / np.bincount(position)
    return found


def over_patients(each: Floats, method: str) -> Estimate:
    """Mean of one value for each patient, with its normal interval."""
    mean, half = float(each.mean()), z_quantile() * standard_error(each)
    if math.isnan(half):
        return Estimate(mean, None, None, "no interval: nobody, or one patient, was treated so")
    return Estimate(mean, mean - half, mean + half, method)
