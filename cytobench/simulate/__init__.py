"""Structural cohorts with known truth: declare a design, get a cohort."""

from cytobench.simulate.design import INFLAMMATION, PROGNOSIS, Arm, Design, Moderator
from cytobench.simulate.inflamed import INFLAMED_MDD
from cytobench.simulate.parameters import Trial
from cytobench.simulate.trial import simulate, simulate_trial
from cytobench.simulate.truth import OptimalTreatment, bayes_auc, optimal_value

__all__ = [
    "INFLAMED_MDD",
    "INFLAMMATION",
    "PROGNOSIS",
    "Arm",
    "Design",
    "Moderator",
    "OptimalTreatment",
    "Trial",
    "bayes_auc",
    "optimal_value",
    "simulate",
    "simulate_trial",
]
