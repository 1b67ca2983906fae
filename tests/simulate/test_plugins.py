"""The two bundled datasets: what they declare, and what they hand over."""

import time

import pytest
from cytobench.plugins.datasets.sim_inflamed_mdd import sim_inflamed_mdd
from cytobench.plugins.datasets.sim_null import sim_null

from cytobench.core.declare import DECLARATION
from cytobench.simulate.panel import MARKERS


@pytest.mark.parametrize("plugin", [sim_inflamed_mdd, sim_null])
def test_the_cohort_says_of_itself_what_the_plugin_declares(plugin):
    declared, cohort = getattr(plugin, DECLARATION), plugin()

    assert cohort.name == declared.name == plugin.__name__
    for field in ("kind", "licence", "citation", "caveat"):
        assert getattr(cohort.card, field) == getattr(declared, field)


@pytest.mark.parametrize("plugin", [sim_inflamed_mdd, sim_null])
def test_the_cohort_has_all_roles_and_the_truth(plugin):
    cohort = plugin(n=100)

    assert len(cohort) == 100
    assert cohort.patients[0] == "SIM-00001"
    assert cohort.analytes == tuple(marker.name for marker in MARKERS)
    assert cohort.describe()["arms"] == ["SSRI", "SSRI + anti-inflammatory"]
    assert list(cohort.truth) == ["response", "remission", "percent_change"]
    assert list(cohort.truth.index) == cohort.patients


def test_the_control_is_the_trial_without_marker_effects():
    control, trial = sim_null(n=100, seed=7), sim_inflamed_mdd(n=100, effect=0, seed=7)

    assert control.fingerprint == trial.fingerprint


def test_a_hundred_thousand_patients_take_seconds():
    """About one second on a slow core; ten times that is a mistake."""
    start = time.perf_counter()

    sim_inflamed_mdd(n=100_000)

    assert time.perf_counter() - start < 10
