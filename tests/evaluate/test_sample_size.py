"""Riley's criteria against R's pmsampsize 1.1.3 and the published examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.core.errors import UsageError
from cytobench.evaluate.sample_size import (
    binary_sample_size,
    binary_shrinkage,
    continuous_sample_size,
    continuous_shrinkage,
    cox_snell_from_auc,
    max_cox_snell,
    supported_parameters,
)


@pytest.mark.parametrize(
    ("parameters", "prevalence", "cs_r2", "each", "required"),
    [
        (24, 0.174, 0.288, [623, 662, 221], 662),  # Riley et al. 2020, BMJ, the worked example
        (10, 0.5, 0.05, [1750, 255, 385], 1750),
        (20, 0.5, 0.112, [1505, 493, 385], 1505),  # R rounds 0.15 * 0.75 = 0.1125 to 0.112
        (20, 0.5, 0.1125, [1498, 493, 385], 1498),
    ],
)
def test_binary_criteria_match_pmsampsize(parameters, prevalence, cs_r2, each, required):
    found = binary_sample_size(parameters, prevalence, cs_r2)

    assert list(found.criteria.values()) == each
    assert found.required == required


def test_events_of_the_published_example():
    found = binary_sample_size(24, 0.174, 0.288)

    assert found.events == 116
    assert found.events_per_parameter == pytest.approx(4.8, abs=0.01)
    assert max_cox_snell(0.174) == pytest.approx(0.603, abs=5e-4)
    assert 0.288 / max_cox_snell(0.174) == pytest.approx(0.477, abs=1e-3)  # Nagelkerke's
    assert found.decisive == "R2 too high by at most 0.05"


@pytest.mark.parametrize(
    ("parameters", "r2", "mean", "sd", "each"),
    [(25, 0.2, 1.9, 0.6, [918, 401, 259]), (20, 0.1, 40, 30, [1518, 361, 254])],
)
def test_continuous_criteria_match_pmsampsize(parameters, r2, mean, sd, each):
    """R starts criterion 4 at the largest of the others, and so prints 918 and 1518 there."""
    found = continuous_sample_size(parameters, r2, mean, sd)

    assert list(found.criteria.values())[:3] == each
    assert found.required == each[0]
    assert found.criteria["mean outcome within 10 %"] < each[0]
    assert continuous_shrinkage(each[0], parameters, r2) >= 0.9
    assert continuous_shrinkage(each[0] - 1, parameters, r2) < 0.9


def test_a_mean_near_zero_needs_most_patients():
    found = continuous_sample_size(5, 0.3, mean=2.0, sd=20.0)

    assert found.decisive == "mean outcome within 10 %"
    # 1.96 * 20 * sqrt(0.7 / n) = 0.2
    assert found.required == pytest.approx(0.7 * (1.96 * 20 / 0.2) ** 2, rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "expected"), [(5, 0.77), (10, 0.63), (20, 0.47), (40, 0.33)]
)
def test_expected_shrinkage_of_a_hundred_patients(parameters, expected):
    """EVALUATION.md 1.4, at a Cox-Snell R2 of 0.15."""
    assert binary_shrinkage(100, parameters, 0.15) == pytest.approx(expected, abs=0.005)


def test_shrinkage_at_the_required_size_is_what_was_asked_for():
    found = binary_sample_size(10, 0.5, 0.05)

    assert binary_shrinkage(found.required, 10, 0.05) == pytest.approx(0.9, abs=1e-4)
    assert binary_shrinkage(30, 1500, 0.1) == pytest.approx(0.1)


def test_r2_from_an_auc_matches_a_simulated_cohort():
    """pmsampsize simulates 0.2902 for an AUC of 0.89 and a prevalence of 0.174, give or take 2 %.

    So does a cohort of 400,000, with the true risks in place of a fitted model's.
    """
    found = cox_snell_from_auc(0.89, 0.174)

    draw = np.random.default_rng(0)
    distance = np.sqrt(2) * 1.2265281200366098  # Phi^-1(0.89)
    y = draw.random(400_000) < 0.174
    risk = 1 / (
        1
        + np.exp(
            -(np.log(0.174 / 0.826) + distance * (draw.normal(size=len(y)) + distance * y))
            + distance**2 / 2
        )
    )
    gain = np.log(np.where(y, risk / 0.174, (1 - risk) / 0.826)).mean()
    assert found == pytest.approx(0.2902, rel=0.02)
    assert found == pytest.approx(1 - np.exp(-2 * gain), rel=0.01)


@given(auc=st.floats(0.51, 0.98), prevalence=st.floats(0.05, 0.95))
def test_r2_from_an_auc_is_possible_and_symmetric_in_the_classes(auc, prevalence):
    found = cox_snell_from_auc(auc, prevalence)

    assert 0 < found < max_cox_snell(prevalence)
    assert found == pytest.approx(cox_snell_from_auc(auc, 1 - prevalence), rel=1e-8)


@given(n=st.integers(20, 5000), r2=st.floats(0.02, 0.4))
def test_supported_parameters_are_the_most_that_the_patients_allow(n, r2):
    binary, continuous = supported_parameters(n, r2, 0.4), supported_parameters(n, r2)

    def first_two(found):
        return max(list(found.criteria.values())[:2])

    assert first_two(binary_sample_size(binary + 1, 0.4, r2)) > n
    assert first_two(continuous_sample_size(continuous + 1, r2)) > n
    if binary:
        assert first_two(binary_sample_size(binary, 0.4, r2)) <= n
    if continuous:
        assert first_two(continuous_sample_size(continuous, r2)) <= n


def test_far_too_few_patients_have_no_expected_shrinkage():
    assert np.isnan(continuous_shrinkage(40, 34, 0.1))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: binary_sample_size(0, 0.5, 0.1),
        lambda: binary_sample_size(5, 1.0, 0.1),
        lambda: binary_sample_size(5, 0.5, 0.76),
        lambda: binary_sample_size(5, 0.5, 0.1, shrinkage=1.2),
        lambda: continuous_sample_size(5, 1.0),
        lambda: continuous_sample_size(5, 0.3, mean=0.0, sd=1.0),
        lambda: cox_snell_from_auc(0.5, 0.5),
    ],
)
def test_impossible_values_are_refused(ask):
    with pytest.raises(UsageError, match="E120"):
        ask()
