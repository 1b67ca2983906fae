"""All probes of a cohort, in one call."""

from __future__ import annotations

from cytobench.audit.findings import Finding, checks
from cytobench.audit.view import View
from cytobench.data.cohort import Cohort
from cytobench.data.target import Target
from cytobench.splits.plan import SplitPlan


def audit_bench(
    cohort: Cohort, target: Target, plan: SplitPlan, *, seed: int, thorough: bool = False
) -> list[Finding]:
    """Probe a cohort for leakage, confounding and contradictions.

    Parameters
    ----------
    target : Target
        As observed; permuted labels contradict the scores and are reported as such.
    seed : int
        Of the permutation tests; the same seed gives the same findings.
    thorough : bool
        Also what takes longer.

    Returns
    -------
    list of Finding
        In the order of their codes. The tests of association together warn of an honest cohort
        with a probability of :data:`~cytobench.audit.view.FAMILY_LEVEL`.
    """
    view = View(cohort, target, plan, seed)
    return [
        finding
        for check in checks("cohort").values()
        if thorough or not check.thorough
        for finding in check(view)
    ]
