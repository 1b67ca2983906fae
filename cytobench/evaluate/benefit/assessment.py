"""Everything that is said of one treatment rule, from its stored folds alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.data.arms import SMALLEST_ARM
from cytobench.evaluate.benefit.advantage import Factual, factual_contrast
from cytobench.evaluate.benefit.calibration import (
    Group,
    grouped,
    slope_of_benefit,
    within_folds,
)
from cytobench.evaluate.benefit.concordance import c_for_benefit
from cytobench.evaluate.benefit.overlap import ArmOverlap, overlap, refusal
from cytobench.evaluate.benefit.rate import rate_over_folds, targeting
from cytobench.evaluate.benefit.scores import Floats, Positions, Trial, doubly_robust
from cytobench.evaluate.benefit.truth import against_truth
from cytobench.evaluate.benefit.value import (
    Decided,
    Gain,
    by_patient,
    gain,
    hajek,
    ipw,
    over_patients,
    value,
)
from cytobench.evaluate.calibration import over_repeats
from cytobench.evaluate.intervals import Estimate, z_quantile

NUMBERS = (
    "value",
    "value_hajek",
    "value_ipw",
    "autoc",
    "qini",
    "c_for_benefit",
    "benefit_slope",
    "benefit_in_the_large",
    "factual_contrast",
    "true_value",
    "regret",
    "agreement",
)
DECIMALS = 12
"""Of a predicted effect by which patients are ordered; what is smaller is rounding."""
RULE = "a rule predicts no effect"
SEVERAL = "more than two arms"
UNKNOWN = "the outcome under each arm is not known"
Picked = Callable[[FoldResult], Positions]


@dataclass(frozen=True)
class _Repeat:
    """The tested patients of one repeat, fold after fold."""

    trial: Trial
    choice: Positions
    patients: Positions
    fold: Positions
    predicted: Floats | None
    truth: Floats | None


@dataclass(frozen=True)
class BenefitAssessment:
    """The numbers of one cell; parts that cost more are computed when first asked for.

    Parameters
    ----------
    folds : sequence of FoldResult
        Of the benefit task.
    smallest_arm : int
        Below so many patients an arm is refused.
    seed : int
        Of the half-sample bootstrap.
    """

    folds: Sequence[FoldResult]
    smallest_arm: int = SMALLEST_ARM
    seed: int = 0

    @property
    def arms(self) -> tuple[str, ...]:
        """What was chosen between."""
        return tuple(self.folds[0].arms)

    @cached_property
    def patients(self) -> dict[str, int]:
        """Pseudonym -> number, in the order in which the folds test them."""
        found: dict[str, int] = {}
        for fold in self.folds:
            for patient in fold.predictions.patient:
                found.setdefault(patient, len(found))
        return found

    @property
    def n(self) -> int:
        """Patients that were tested on."""
        return len(self.patients)

    @cached_property
    def repeats(self) -> list[_Repeat]:
        """The folds of each repeat as one."""
        numbers = sorted({fold.repeat for fold in self.folds})
        return [self._repeat([f for f in self.folds if f.repeat == number]) for number in numbers]

    def _repeat(self, folds: Sequence[FoldResult]) -> _Repeat:
        where = {name: position for position, name in enumerate(self.arms)}
        parts = [fold.predictions for fold in folds]
        trial = Trial(
            np.concatenate([np.asarray(part.y, dtype=float) for part in parts]),
            np.array([where[arm] for part in parts for arm in part.arm], dtype=np.intp),
            self.arms,
            self._stacked(folds, "outcome"),
            self._stacked(folds, "propensity"),
        )
        has = parts[0].by_arm
        return _Repeat(
            trial,
            np.concatenate([np.asarray(part.prediction) for part in parts]).astype(np.intp),
            np.array([self.patients[name] for part in parts for name in part.patient]),
            np.repeat(np.arange(len(folds)), [len(part.y) for part in parts]),
            self._stacked(folds, "predicted") if "predicted" in has else None,
            self._stacked(folds, "truth") if "truth" in has else None,
        )

    def _stacked(self, folds: Sequence[FoldResult], what: str) -> Floats:
        found: Floats = np.vstack(
            [
                np.column_stack([fold.predictions.by_arm[what][arm] for arm in self.arms])
                for fold in folds
            ]
        )
        return found

    @cached_property
    def decided(self) -> list[Decided]:
        """The rule's choices, repeat by repeat."""
        return [Decided(part.trial, part.choice, part.patients) for part in self.repeats]

    def instead(self, pick: Picked) -> list[Decided]:
        """The same patients under another rule.

        Parameters
        ----------
        pick : callable
            From a fold to the position of each test patient's arm.
        """
        numbers = sorted({fold.repeat for fold in self.folds})
        return [
            Decided(
                part.trial,
                np.concatenate([pick(fold) for fold in self.folds if fold.repeat == number]),
                part.patients,
            )
            for number, part in zip(numbers, self.repeats, strict=True)
        ]

    @cached_property
    def best_single(self) -> list[Decided]:
        """Everybody on the arm that was best for all in the training part of the fold."""
        return self.instead(
            lambda fold: np.full(
                len(fold.predictions.y), self.arms.index(fold.best_single), dtype=np.intp
            )
        )

    def everybody(self, arm: int) -> list[Decided]:
        """Everybody on one arm."""
        return self.instead(lambda fold: np.full(len(fold.predictions.y), arm, dtype=np.intp))

    @cached_property
    def overlap(self) -> list[ArmOverlap]:
        """Every arm's weights, each patient once."""
        return overlap(self._once)

    @property
    def refusal(self) -> str | None:
        """Why nothing can be said of a choice between these arms; None where something can."""
        return refusal(self.overlap, smallest_arm=self.smallest_arm)

    @cached_property
    def _once(self) -> Trial:
        """Every patient once, propensities averaged over repeats."""
        k = len(self.arms)
        whole = self.decided

        def mean(of: Callable[[Trial], Floats]) -> Floats:
            return by_patient([(item, of(item.trial)) for item in whole])

        propensity = np.column_stack([mean(lambda t, a=a: t.propensity[:, a]) for a in range(k)])  # type: ignore[misc]
        outcomes = np.column_stack([mean(lambda t, a=a: t.outcomes[:, a]) for a in range(k)])  # type: ignore[misc]
        received = mean(lambda t: t.arm.astype(float)).round().astype(np.intp)
        return Trial(mean(lambda t: t.y), received, self.arms, outcomes, propensity)

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Every number with its interval."""
        return {name: self.estimate(name) for name in NUMBERS}

    def estimate(self, name: str) -> Estimate:
        """One number with its interval."""
        if name not in self._known:
            self._known[name] = self._compute(name)
        return self._known[name]

    @cached_property
    def _known(self) -> dict[str, Estimate]:
        return {}

    def _compute(self, name: str) -> Estimate:
        if self.refusal is not None:
            return _undefined("refused")
        if name == "value":
            return value(self.decided)
        if name == "value_hajek":
            return value(self.decided, hajek)
        if name == "value_ipw":
            return value(self.decided, ipw)
        if name in ("autoc", "qini"):
            return self._rates[name == "qini"]
        if name in ("true_value", "regret", "agreement"):
            return self._true(name)
        if name == "factual_contrast":
            return self._factual
        return self._predicted(name)

    @cached_property
    def gain(self) -> Gain:
        """Value minus that of the best single arm."""
        return gain(self.decided, self.best_single)

    def gain_over(self, reference: BenefitAssessment) -> Gain:
        """Value minus that of another cell's rule on the same splits.

        Raises
        ------
        ValueError
            Where the two were not tested on the same patients.
        """
        if self.patients != reference.patients:
            # Numbers of patients are each assessment's own.
            raise ValueError("the two rules were tested on different patients")
        return gain(self.decided, reference.decided)

    @property
    def _why_no_effect(self) -> str | None:
        if self.repeats[0].predicted is None:
            return RULE
        return SEVERAL if len(self.arms) > 2 else None

    def _effects(self) -> list[tuple[Floats, Floats, _Repeat]]:
        """Doubly robust contrast and predicted effect of the second arm over the first."""
        found = []
        for part in self.repeats:
            scores, predicted = doubly_robust(part.trial), part.predicted
            assert predicted is not None
            found.append((scores[:, 1] - scores[:, 0], predicted[:, 1] - predicted[:, 0], part))
        return found

    @cached_property
    def _rates(self) -> tuple[Estimate, Estimate]:
        why = self._why_no_effect
        if why is not None:
            return _undefined(why), _undefined(why)
        parts = []
        for contrast, predicted, repeat in self._effects():
            for fold in np.unique(repeat.fold):
                rows = repeat.fold == fold
                parts.append((contrast[rows], predicted[rows], repeat.patients[rows]))
        return rate_over_folds(parts, seed=self.seed)

    def _predicted(self, name: str) -> Estimate:
        why = self._why_no_effect
        if why is not None:
            return _undefined(why)
        effects = self._effects()
        if name == "benefit_in_the_large":
            each = by_patient(
                [
                    (Decided(part.trial, part.choice, part.patients), contrast - predicted)
                    for contrast, predicted, part in effects
                ]
            )
            return over_patients(each, "mean of effect less prediction, over patients")
        if name == "benefit_slope":
            found = [
                slope_of_benefit(
                    within_folds(contrast, part.fold), within_folds(predicted, part.fold)
                )
                for contrast, predicted, part in effects
            ]
            return over_repeats(
                [_with_error(item) for item in found],
                "least squares within folds, HC3, one repeat's patients",
                "predictions hardly differ",
            )
        concordances = [
            c_for_benefit(part.trial.y, part.trial.arm, within)
            if np.ptp(within := _comparable(predicted, part)) > 0
            else _undefined("predictions hardly differ")
            for _, predicted, part in effects
        ]
        return over_repeats(
            [_with_error(item) for item in concordances],
            "U-statistic, one repeat's pairs",
            "predictions hardly differ",
        )

    @cached_property
    def factual(self) -> list[Factual]:
        """Patients who happened to get the chosen arm against the others, in each repeat."""
        return [factual_contrast(part.trial, part.choice) for part in self.repeats]

    @property
    def _factual(self) -> Estimate:
        found = []
        for part, seen in zip(self.repeats, self.factual, strict=True):
            same = part.trial.arm == part.choice
            spread = [
                part.trial.y[rows].var(ddof=1) / rows.sum() if rows.sum() > 1 else math.nan
                for rows in (same, ~same)
            ]
            found.append((seen.difference, math.sqrt(sum(spread))))
        if any(math.isnan(item) for pair in found for item in pair):
            return _undefined("all, or none, received what the rule chooses")
        return over_repeats(found, "difference of means, one repeat's patients", "")

    @cached_property
    def groups(self) -> list[list[Group]]:
        """Effect by quarter of predicted effect, repeat by repeat; empty where none is defined."""
        if self._why_no_effect is not None:
            return []
        return [
            grouped(contrast, predicted, _comparable(predicted, part))
            for contrast, predicted, part in self._effects()
        ]

    @cached_property
    def toc(self) -> list[Floats]:
        """Targeting curve of each repeat, its patients pooled: for a figure."""
        if self._why_no_effect is not None:
            return []
        return [
            targeting(contrast, _comparable(predicted, part))
            for contrast, predicted, part in self._effects()
        ]

    def _true(self, name: str) -> Estimate:
        parts = []
        for repeat in self.repeats:
            if repeat.truth is None:
                return _undefined(UNKNOWN)
            chosen = repeat.truth[np.arange(len(repeat.choice)), repeat.choice]
            best = repeat.truth.max(axis=1)
            each = {
                "true_value": chosen,
                "regret": best - chosen,
                "agreement": (chosen >= best).astype(float),
            }[name]
            parts.append((Decided(repeat.trial, repeat.choice, repeat.patients), each))
        return over_patients(by_patient(parts), "truth of each patient, over patients")

    @cached_property
    def optimal(self) -> tuple[float, float] | None:
        """True value of the best arm of each patient, and of the best single arm; or None."""
        first = self.repeats[0]
        if first.truth is None:
            return None
        known = against_truth(first.truth, first.choice)
        return known.optimal, known.best_single

    @property
    def changed(self) -> float:
        """Share of patients to whom the rule gives another arm than the best single one."""
        return self.gain.changed

    @cached_property
    def seconds(self) -> float:
        """Median seconds for one outer fold, tuning included."""
        return float(np.median([sum(fold.timings.values()) for fold in self.folds]))


def _comparable(predicted: Floats, repeat: _Repeat) -> Floats:
    """Predicted effects of the models of several folds on one scale, each less its fold's mean.

    The mean of a fold's predictions is low where the effect in the fold is high: its patients were
    not trained on. Pooled as they are, predictions of one effect for all look worse than noise (a
    C-for-benefit of 0.47 with 100 patients).
    """
    found: Floats = np.round(within_folds(predicted, repeat.fold), DECIMALS)
    return found


def _undefined(why: str) -> Estimate:
    return Estimate(math.nan, None, None, f"undefined: {why}")


def _with_error(estimate: Estimate) -> tuple[float, float]:
    """Value and standard error, from a symmetric 95 % interval."""
    if estimate.low is None or estimate.high is None:
        return estimate.value, math.nan
    return estimate.value, (estimate.high - estimate.low) / (2 * z_quantile())
