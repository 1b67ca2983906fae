"""Values beyond limits of detection, against NADA, scipy and statsmodels."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.preprocess.censored import CENSORED, MultipleDraws
from cytobench.preprocess.detection import DetectedEnough
from cytobench.preprocess.lognormal import (
    by_maximum_likelihood,
    by_order_statistics,
    plotting_positions,
)

FITTED = ("ros", "censored_mle", "draws")


@pytest.fixture(scope="module")
def fixture(reference):
    """80 values with one limit, 26 below it (lod_fixture.csv, made with R's NADA and survival)."""
    table = pd.read_csv(reference / "lod_fixture.csv")
    below = (table["x"] < table["lod"]).to_numpy()
    return np.where(below, table["lod"], table["x"]), below


@pytest.fixture(scope="module")
def expected(reference):
    return json.loads((reference / "lod_expected.json").read_text())


def frame(values, below, above=None):
    columns = {"IL-6": values, "IL-6__below": below}
    if above is not None:
        columns["IL-6__above"] = above
    return pd.DataFrame(columns, index=[f"p{k}" for k in range(len(values))])


def test_ros_models_the_non_detects_as_nada_does(fixture, expected):
    """NADA 1.6-1.1: mean, sd and median of detected values and modelled non-detects."""
    from scipy.special import ndtri

    values, below = fixture
    line = by_order_statistics(values, below)
    exceeding = (~below).mean()  # of the one limit, which every detected value exceeds
    ranks = np.arange(1, below.sum() + 1) / (below.sum() + 1)

    modelled = np.exp(line.mu + line.sigma * ndtri((1 - exceeding) * ranks))

    everything = np.concatenate([values[~below], modelled])
    assert everything.mean() == pytest.approx(expected["fixture_ros"]["mean"], abs=1e-8)
    assert everything.std(ddof=1) == pytest.approx(expected["fixture_ros"]["sd"], abs=1e-8)
    assert np.median(everything) == pytest.approx(expected["fixture_ros"]["median"], abs=1e-8)


def test_ros_with_several_limits_equals_statsmodels(reference_of_shepyrene):
    """statsmodels.imputation.ros equals NADA::ros to 1e-10 on this table."""
    from statsmodels.imputation import ros

    values, below = reference_of_shepyrene
    table = pd.DataFrame({"x": values, "cen": below})
    cohn = ros.cohn_numbers(table, observations="x", censorship="cen")
    full = ros._do_ros(table, "x", "cen", np.log, np.exp)

    found = plotting_positions(np.sort(values[~below]), values[below])

    theirs = full.loc[~full["cen"]].sort_values("x")["plot_pos"].to_numpy()
    assert len(cohn) > 3
    assert found == pytest.approx(theirs, abs=1e-10)


@pytest.fixture(scope="module")
def reference_of_shepyrene(shared_reference):
    path = shared_reference / "nada_shepyrene.csv"
    if not path.exists():
        pytest.skip("nada_shepyrene.csv comes from a GPL package and is not copied here")
    table = pd.read_csv(path)
    values, flags = table.iloc[:, 0].to_numpy(dtype=float), table.iloc[:, 1]
    return values, flags.astype(str).str.upper().isin(["TRUE", "1"]).to_numpy()


def test_maximum_likelihood_equals_survreg(fixture, expected):
    """R survival::survreg(dist = "lognormal")."""
    values, below = fixture

    found = by_maximum_likelihood(values, below, np.zeros_like(below))

    assert found.mu == pytest.approx(expected["fixture_tobit"]["mu"], abs=1e-6)
    assert found.sigma == pytest.approx(expected["fixture_tobit"]["sigma"], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.6), right=st.booleans())
def test_maximum_likelihood_equals_scipy_s_optimiser(seed, share, right):
    from scipy.stats import CensoredData, norm

    logs = np.random.default_rng(seed).normal(2, 1.5, 150)
    low, high = np.quantile(logs, [share, 0.95])
    below, above = logs < low, (logs > high) & right
    seen = ~(below | above)
    data = CensoredData(
        logs[seen], left=np.full(below.sum(), low), right=np.full(above.sum(), high)
    )
    theirs = norm.fit(data)

    values = np.exp(np.where(below, low, np.where(above, high, logs)))
    found = by_maximum_likelihood(values, below, above)

    assert tuple(found) == pytest.approx(theirs, abs=2e-3)


def test_the_fitted_methods_are_less_biased_than_substitution():
    """40 % below the limit: the mean of the logarithm after filling, true mean 0."""
    bias = {}
    for name, method in CENSORED.items():
        means = []
        for seed in range(30):
            x = np.exp(np.random.default_rng(seed).normal(size=200))
            below = x < np.exp(-0.2533)
            filled = method(("IL-6",), ("IL-6",)).fit_transform(
                frame(np.where(below, np.exp(-0.2533), x), below)
            )
            means.append(np.log(filled["IL-6"]).mean())
        bias[name] = abs(np.mean(means))

    assert bias["llod_sqrt2"] > 0.08
    assert max(bias[name] for name in FITTED) < 0.04


@pytest.mark.parametrize("name", CENSORED)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_filled_value_lies_beyond_its_limit_and_detected_ones_stay(name, seed):
    draw = np.random.default_rng(seed)
    x = np.exp(draw.normal(size=60))
    limits = np.exp(draw.choice([-1.0, -0.5, 0.0], size=60))
    below = x < limits
    X = frame(np.where(below, limits, x), below)

    filled = CENSORED[name](("IL-6",), ("IL-6",)).fit_transform(X)["IL-6"].to_numpy()

    assert (filled[below] > 0).all()
    assert (filled[below] <= limits[below]).all()
    assert (filled[~below] == x[~below]).all()


@pytest.mark.parametrize("name", ["censored_mle", "draws"])
def test_a_value_above_the_standard_curve_is_placed_above_it(name):
    x = np.exp(np.random.default_rng(0).normal(size=80))
    above = x > 3
    X = frame(np.where(above, 3.0, x), np.zeros(80, dtype=bool), above)

    filled = CENSORED[name](("IL-6",), ("IL-6",)).fit_transform(X)["IL-6"].to_numpy()

    assert above.any()
    assert (filled[above] > 3).all()


@pytest.mark.parametrize("name", FITTED)
def test_with_too_few_detected_values_substitution_is_used_and_said(name):
    below = np.array([True] * 8 + [False] * 2)
    X = frame(np.where(below, 1.0, 5.0), below)

    method = CENSORED[name](("IL-6",), ("IL-6",)).fit(X)

    assert method.fallback_ == ["IL-6"]
    assert method.transform(X)["IL-6"].tolist()[:8] == pytest.approx([1 / np.sqrt(2)] * 8)


def test_a_draw_depends_on_seed_imputation_and_patient_alone():
    x = np.exp(np.random.default_rng(1).normal(size=60))
    below = x < 0.7
    X = frame(np.where(below, 0.7, x), below)

    def draws(rows, **options):
        method = MultipleDraws(("IL-6",), ("IL-6",), **options).fit(X)
        return method.transform(X.iloc[rows])["IL-6"]

    everybody = draws(range(60))
    assert draws([5, 50, 1]).equals(everybody.iloc[[5, 50, 1]])
    assert not draws(range(60), draw=1).equals(everybody)
    assert not draws(range(60), random_state=1).equals(everybody)
    assert everybody[below].nunique() == below.sum()


def test_npx_and_other_logarithms_are_left_as_they_are():
    X = frame(np.array([-1.0, 0.5, 2.0]), np.array([True, False, False]))

    for method in CENSORED.values():
        assert method(("IL-6",), ()).fit_transform(X)["IL-6"].tolist() == [-1.0, 0.5, 2.0]


def test_an_analyte_is_dropped_by_its_share_in_training_only():
    few = frame(np.ones(10), np.array([True] * 3 + [False] * 7))
    many = frame(np.ones(10), np.array([True] * 7 + [False] * 3)).assign(age=50.0)

    detected = DetectedEnough(("IL-6",), 0.5).fit(many)

    assert detected.dropped_ == {"IL-6": 0.7}
    assert list(detected.transform(few.assign(age=1.0)).columns) == ["age"]
    assert DetectedEnough(("IL-6",), 0.5).fit(few).dropped_ == {}
    assert DetectedEnough(("IL-6",), None).fit(many).dropped_ == {}


def test_a_missing_value_counts_neither_as_detected_nor_as_below():
    values = np.array([1.0, 1.0, 2.0, np.nan, np.nan])
    X = frame(values, np.array([True, True, False, False, False])).assign(age=1.0)

    assert DetectedEnough(("IL-6",), 0.6).fit(X).dropped_ == {"IL-6": pytest.approx(2 / 3)}
