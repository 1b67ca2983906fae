"""Values beyond limits at the edges: no flag, no spread, both limits, repeats, nothing at all."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.cohort import Analyte, Cohort, LabelOutcome
from cytobench.preprocess.censored import CENSORED, LogConcentrations
from cytobench.preprocess.detection import DetectedEnough
from cytobench.preprocess.lognormal import (
    by_maximum_likelihood,
    by_order_statistics,
    mills,
    plotting_positions,
)
from cytobench.preprocess.pipeline import baseline_frame, build_encoder
from cytobench.preprocess.recipe import Recipe

FITTED = ("ros", "censored_mle", "draws")
LIMIT = 0.7
every_method = pytest.mark.parametrize("name", CENSORED)


def frame(values, below=None, above=None):
    n = len(values)
    return pd.DataFrame(
        {
            "IL-6": np.asarray(values, dtype=float),
            "IL-6__below": np.zeros(n, dtype=bool) if below is None else np.asarray(below, bool),
            "IL-6__above": np.zeros(n, dtype=bool) if above is None else np.asarray(above, bool),
        },
        index=[f"p{k}" for k in range(n)],
    )


def sample(n=120, seed=0, limit=LIMIT):
    """Standard lognormal values; the limit stands where they lie below it."""
    x = np.exp(np.random.default_rng(seed).normal(size=n))
    return np.where(x < limit, limit, x), x < limit


def method(name, **options):
    return CENSORED[name](("IL-6",), ("IL-6",), **options)


def filled(name, X, train=None, **options):
    return method(name, **options).fit(X if train is None else train).transform(X)["IL-6"]


def log_likelihood(mu, sigma, logs, below, above):
    from scipy.stats import norm

    seen = ~(below | above)
    return (
        norm.logpdf(logs[seen], mu, sigma).sum()
        + norm.logcdf(logs[below], mu, sigma).sum()
        + norm.logsf(logs[above], mu, sigma).sum()
    )


# Reference values


def test_ros_with_several_limits_equals_nada(shared_reference, reference):
    """NADA 1.6-1.1 on ShePyrene: mean, sd and median with the modelled non-detects."""
    path = shared_reference / "nada_shepyrene.csv"
    if not path.exists():
        pytest.skip("nada_shepyrene.csv comes from a GPL package and is not copied here")
    from scipy.special import ndtri
    from statsmodels.imputation import ros

    table = pd.read_csv(path)
    values = table.iloc[:, 0].to_numpy(dtype=float)
    below = table.iloc[:, 1].astype(str).str.upper().isin(["TRUE", "1"]).to_numpy()
    classical = ros._do_ros(pd.DataFrame({"x": values, "c": below}), "x", "c", np.log, np.exp)
    scores = ndtri(classical.loc[classical["c"], "plot_pos"].to_numpy())

    line = by_order_statistics(values, below)

    everything = np.concatenate([values[~below], np.exp(line.mu + line.sigma * scores)])
    expected = json.loads((reference / "lod_expected.json").read_text())["ShePyrene_ros"]
    assert everything.mean() == pytest.approx(expected["mean"], abs=1e-8)
    assert everything.std(ddof=1) == pytest.approx(expected["sd"], abs=1e-8)
    assert np.median(everything) == pytest.approx(expected["median"], abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    limits=st.lists(st.sampled_from([0.3, 0.7, 1.0, 2.0, 50.0]), min_size=1, unique=True),
)
def test_plotting_positions_equal_those_of_statsmodels_with_ties_and_limits_above_all(seed, limits):
    from statsmodels.imputation import ros

    draw = np.random.default_rng(seed)
    x = np.round(np.exp(draw.normal(size=50)), 1) + 0.1  # one decimal: ties, also with a limit
    limit = draw.choice(limits, size=50)
    below = x < limit
    below[:3] = False
    table = pd.DataFrame({"x": np.where(below, limit, x), "c": below})
    if not below.any():
        return
    theirs = ros._do_ros(table, "x", "c", np.log, np.exp)

    found = plotting_positions(np.sort(x[~below]), limit[below])

    detected = theirs.loc[~theirs["c"]].sort_values(["x", "plot_pos"])
    assert found == pytest.approx(detected["plot_pos"].to_numpy(), abs=1e-10)


@pytest.mark.parametrize("spread", [0.3, 1e-2, 1e-4, 1e-6])
def test_maximum_likelihood_is_found_where_limits_lie_many_spreads_away(spread):
    from scipy.optimize import minimize

    values = np.concatenate([5 * (1 + spread * np.linspace(0, 1, 20)), np.full(80, 0.5)])
    below = np.arange(100) >= 20
    nobody = np.zeros(100, dtype=bool)
    best = minimize(
        lambda at: -log_likelihood(at[0], np.exp(at[1]), np.log(values), below, nobody),
        [-3.0, 1.0],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10},
    )

    found = by_maximum_likelihood(values, below, nobody)

    assert found.mu == pytest.approx(best.x[0], abs=1e-4)
    assert found.sigma == pytest.approx(np.exp(best.x[1]), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(8, 300),
    low=st.floats(0, 0.7),
    high=st.floats(0.75, 1),
    scale=st.floats(1e-3, 20),
)
def test_no_neighbour_of_the_maximum_likelihood_is_likelier(seed, n, low, high, scale):
    draw = np.random.default_rng(seed)
    logs = draw.normal(3, scale, n)
    lower = np.quantile(logs, low) + draw.choice([0, 0.2 * scale], n)
    upper = np.quantile(logs, high)
    below, above = logs < lower, (logs > upper) & (logs >= lower)
    logs = np.where(below, lower, np.where(above, upper, logs))

    found = by_maximum_likelihood(np.exp(logs), below, above)

    if len(np.unique(logs[~(below | above)])) < 3:
        assert found is None
        return
    level = log_likelihood(*found, logs, below, above)
    step = 1e-3 * found.sigma
    for there in ((step, 0), (-step, 0), (0, step), (0, -step)):
        moved = log_likelihood(found.mu + there[0], found.sigma + there[1], logs, below, above)
        assert moved <= level + 1e-9


def test_mills_ratio_equals_its_definition_and_its_asymptote():
    """Normal density over distribution function; -z - 1/z far below 0 (Laplace)."""
    from scipy.stats import norm

    near, far = np.linspace(-8, 8, 33), np.array([-1e4, -1e6, -1e8, -1e12])

    assert mills(near) == pytest.approx(norm.pdf(near) / norm.cdf(near), rel=1e-10)
    assert mills(far) == pytest.approx(-far - 1 / far, rel=1e-14)
    assert mills(np.array([40.0, 1e6])).tolist() == [0, 0]


# Values above the standard curve


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_values_above_a_limit_do_not_flatten_the_line_of_the_order_statistics(share):
    from scipy.special import ndtri

    low, high = np.exp(ndtri([0.4, 1 - share]))
    sigmas = []
    for seed in range(30):
        x = np.exp(np.random.default_rng(seed).normal(size=150))
        below, above = x < low, x > high
        line = by_order_statistics(np.clip(x, low, high), below, above)
        sigmas.append(line.sigma)

    assert np.mean(sigmas) == pytest.approx(1, abs=0.05)


@every_method
def test_a_value_flagged_on_both_sides_is_one_below(name):
    values, below = sample()
    both = below & (np.arange(len(below)) % 2 == 0)

    assert filled(name, frame(values, below, both)).equals(filled(name, frame(values, below)))


# Zeros


@every_method
def test_a_zero_that_nobody_flagged_is_treated_as_one_that_somebody_did(name):
    values, below = sample()
    zeros = np.where(below, 0.0, values)
    options = {"indicators": True}

    undeclared = method(name, **options).fit_transform(frame(zeros))
    declared = method(name, **options).fit_transform(frame(zeros, below))

    pd.testing.assert_frame_equal(undeclared, declared)
    assert undeclared["IL-6 not detected"].sum() == below.sum()


@every_method
def test_an_unknown_limit_is_the_smallest_detected_value_not_another_plate_s_limit(name):
    train = frame([0.0, 0.05, 2.0, 3.0, 4.0, 5.0], [True, True, False, False, False, False])

    assert method(name).fit(train).smallest_.tolist() == [2.0]


def test_undeclared_zeros_count_as_not_detected_on_a_linear_scale_only():
    X = frame([0, 0, 0, 1, 2]).assign(age=40.0)

    assert DetectedEnough(("IL-6",), 0.5, ("IL-6",)).fit(X).dropped_ == {"IL-6": 0.6}
    assert DetectedEnough(("IL-6",), 0.5).fit(X).dropped_ == {}


# Little to learn from


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("limit", [0.5, 10.0])
def test_rounding_of_a_constant_is_no_spread(name, limit):
    constant = 5 * (1 + 1e-15 * np.arange(20))
    below = np.arange(100) >= 20
    X = frame(np.concatenate([constant, np.full(80, limit)]), below)

    fitted = method(name).fit(X)

    assert fitted.fallback_ == ["IL-6"]
    assert fitted.transform(X)["IL-6"][below].tolist() == pytest.approx([limit / np.sqrt(2)] * 80)


@pytest.mark.parametrize("name", ["ros", "censored_mle"])
def test_a_training_part_without_non_detects_teaches_what_lies_below_a_later_limit(name):
    x = np.exp(np.random.default_rng(0).normal(size=200))
    test = frame([LIMIT], [True])

    without = filled(name, test, train=frame(x))
    with_one = filled(name, test, train=frame(np.r_[x, 0.01], np.r_[x < 0, True]))

    assert without.iloc[0] == pytest.approx(with_one.iloc[0], abs=0.02)
    assert without.iloc[0] < 0.9 * LIMIT / np.sqrt(2)


EDGES = {
    "all missing": frame([np.nan] * 5),
    "all below": frame([1, 1, 2], [True] * 3),
    "all below, no limit known": frame([0, 0, 0], [True] * 3),
    "all above": frame([9, 9, 9], None, [True] * 3),
    "one row": frame([1.0]),
    "one row, below": frame([1.0], [True]),
    "flagged and missing": frame([np.nan, 1, 2, 3, 0.5], [True, False, False, False, True]),
    "one value": frame([5.0] * 6),
    "no rows": frame([]),
}


@every_method
@pytest.mark.parametrize("edge", EDGES)
def test_whatever_was_measured_becomes_a_logarithm(name, edge):
    train = EDGES[edge]
    later = frame([0, 0.5, 3, 9, np.nan], [True, True, False, False, False], [0, 0, 0, 1, 0])
    fitted = method(name).fit(train)

    for X in (train, later):
        out = LogConcentrations(("IL-6",)).fit_transform(fitted.transform(X))["IL-6"]
        assert np.isfinite(out).equals(X["IL-6"].notna())


@every_method
def test_far_limits_are_never_crossed(name):
    values, below = sample()
    limits = np.array([1e-300, 1e-30, 1e-9, LIMIT, 1e9, 1e30, 1e300])
    test = frame(np.r_[limits, limits], np.arange(14) < 7, np.arange(14) >= 7)

    out = filled(name, test, train=frame(values, below)).to_numpy()

    assert ((out[:7] > 0) & (out[:7] <= limits)).all()
    assert (np.isfinite(out[7:]) & (out[7:] >= limits)).all()


# Leakage


@every_method
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_neither_other_test_rows_nor_their_order_move_a_value(name, seed):
    values, below = sample(seed=seed)
    X = frame(values, below)
    rows = np.random.default_rng(seed).permutation(len(X))
    fitted = method(name).fit(X.iloc[rows[:80]])

    together = fitted.transform(X.iloc[rows[80:]])

    again = X.iloc[[*rows[:-41:-1], *rows[80:90]]]
    pd.testing.assert_frame_equal(
        fitted.transform(again).iloc[:40].loc[together.index], together, check_exact=True
    )


@every_method
def test_the_order_of_training_rows_changes_nothing_but_rounding(name):
    values, below = sample()
    X = frame(values, below)

    there, back = filled(name, X), filled(name, X, train=X.iloc[::-1])

    assert back.to_numpy() == pytest.approx(there.to_numpy(), rel=1e-8)


@every_method
def test_a_unit_changes_nothing_but_the_unit(name):
    values, below = sample()

    small, large = (filled(name, frame(values * unit, below)) for unit in (1e-6, 1e6))

    assert (large * 1e-12).to_numpy() == pytest.approx(small.to_numpy(), rel=1e-6)


def test_a_patient_whom_a_bootstrap_draws_again_has_the_same_draw():
    values, below = sample()
    X = frame(values, below)
    patient = int(np.flatnonzero(below)[0])

    out = filled("draws", X.iloc[[patient, 5, patient, *range(100)]])

    assert out.iloc[0] == out.iloc[2] == filled("draws", X.iloc[[patient]], train=X.iloc[
        [patient, 5, patient, *range(100)]
    ]).iloc[0]  # fmt: skip


def test_draws_follow_the_distribution_beyond_the_limit():
    """Kolmogorov-Smirnov against scipy's truncated normal."""
    from scipy.stats import kstest, truncnorm

    values, below = sample(2000)
    fitted = method("draws").fit(frame(values, below))
    normal = fitted.normals_[0]
    z = (np.log(LIMIT) - normal.mu) / normal.sigma

    drawn = np.log(fitted.transform(frame(values, below))["IL-6"].to_numpy()[below])

    inside = truncnorm(-np.inf, z, normal.mu, normal.sigma)
    assert kstest(drawn, inside.cdf).pvalue > 0.01


def test_nothing_is_learned_from_the_outcome_and_the_table_is_left_alone():
    values, below = sample()
    X = frame(values, below)
    before = X.copy()

    for name in CENSORED:
        method(name).fit(X, y=below).transform(X)

    pd.testing.assert_frame_equal(X, before)


# As a step of scikit-learn


@every_method
@pytest.mark.parametrize("indicators", [False, True])
def test_it_is_cloned_pickled_and_names_its_columns(name, indicators):
    values, below = sample()
    X = frame(values, below).assign(age=40.0)[["age", "IL-6__below", "IL-6", "IL-6__above"]]
    made = method(name, indicators=indicators).set_output(transform="pandas")

    fitted = clone(made).fit(X)

    out = fitted.transform(X)
    assert list(out.columns) == fitted.get_feature_names_out().tolist()
    assert list(out.columns) == ["age", "IL-6", *(["IL-6 not detected"] if indicators else [])]
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(fitted)).transform(X), out)
    assert clone(fitted).get_params() == made.get_params()


@every_method
def test_log2_analytes_keep_their_values_and_may_say_that_they_were_not_detected(name):
    X = frame([-1.0, 0.0, 2.0, 3.0], [True, False, False, False], [False, False, False, True])

    out = CENSORED[name](("IL-6",), (), True).fit_transform(X)

    assert out["IL-6"].tolist() == [-1.0, 0.0, 2.0, 3.0]
    assert out["IL-6 not detected"].tolist() == [1.0, 0.0, 0.0, 0.0]


@every_method
def test_analytes_that_are_not_there_are_passed_over(name):
    X = pd.DataFrame({"age": [40.0, 50.0]})

    assert DetectedEnough(("IL-6",), 0.5).fit_transform(X).equals(X)
    assert method(name).fit_transform(X).equals(X)


@pytest.mark.parametrize("batch", ["none", "combat"])
def test_that_no_analyte_is_left_is_said_whether_or_not_there_are_batches(batch):
    table = frame([1.0] * 6, [True] * 6).assign(plate=list("AAABBB"), y=[0.0, 1.0] * 3)
    cohort = Cohort(
        table,
        [Analyte("IL-6", "pg/mL")],
        LabelOutcome("y", "responded"),
        DatasetCard("c"),
        plate="plate",
    )
    recipe = Recipe("r", max_below=0.5, batch=batch)
    X = baseline_frame(cohort, ("analytes",), recipe)

    with pytest.raises(DataError, match="E365"):
        build_encoder(cohort, ("analytes",), recipe).fit(X)
