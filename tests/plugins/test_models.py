"""Every bundled model learns what is there, invents nothing, and repeats itself."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils.estimator_checks import check_estimator

from cytobench import NotApplicable
from cytobench.core.space import Choice
from cytobench.plugins import bundled
from cytobench.registry.discover import discover
from cytobench.registry.load import load_model
from cytobench.submission.plain import fault_of

FOLDER = bundled("plugins").resolve() / "models"
NEEDS_A_FILE = ("tabpfn_file",)
CARDS = {
    name: plugin.card
    for name, plugin in discover("model").items()
    if Path(plugin.origin.rpartition(":")[0]).parent == FOLDER
    and name not in NEEDS_A_FILE
    and plugin.card.tasks != ("benefit",)  # see test_benefit_models.py
}
LEARNERS = [name for name, card in CARDS.items() if card.role == "model"]
FLOORS = [name for name, card in CARDS.items() if card.role == "floor"]
REGRESSORS = [name for name, card in CARDS.items() if "percent_change" in card.tasks]
IN_EACH_KIND = [(name, "classification") for name in CARDS] + [
    (name, "regression") for name in REGRESSORS
]


def build(name, kind="classification", seed=0, **params):
    card = CARDS[name]
    if card.extra:
        pytest.importorskip(card.extra)
    model = load_model({"name": name, **card.parameters, "space": {}})
    return model.build(params, random_state=seed, kind=kind, device="cpu", units={"CRP": "mg/L"})


def patients(n, seed, signal=1.0, columns=12):
    """Standardised columns of which three matter, CRP in mg/L; a label and a percent change."""
    draw = np.random.default_rng(seed)
    X = pd.DataFrame(draw.normal(size=(n, columns)), columns=[f"x{i}" for i in range(columns)])
    X["CRP"] = np.exp(draw.normal(size=n))
    score = signal * X[["x0", "x1", "x2"]].sum(axis=1).to_numpy()
    y = (draw.random(n) < 1 / (1 + np.exp(-2 * score))).astype(int)
    return X, y, 40 + 20 * score + draw.normal(0, 15, n)


def auc(estimator, X, y):
    return roc_auc_score(y, estimator.predict_proba(X)[:, 1])


def corners(space):
    """Every combination of the ends of every dimension."""
    ends = [
        dimension.options if isinstance(dimension, Choice) else (dimension.low, dimension.high)
        for dimension in space.values()
    ]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*ends)]


def test_the_bundled_models_are_all_found():
    assert set(FLOORS) == {"prior", "clinical_only", "crp_cutoff"}
    assert {"elastic_net", "random_forest", "svm_rbf", "mlp"} <= set(LEARNERS)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_model_says_where_it_comes_from(name):
    card = CARDS[name]

    assert card.summary
    assert card.licence
    assert card.citation.startswith("10.")


@pytest.mark.parametrize("name", CARDS)
def test_what_a_model_says_of_itself_may_stand_in_a_bundle(name):
    card = CARDS[name]

    assert not [said for said in (card.summary, card.licence, card.citation) if fault_of(said)]


@pytest.mark.parametrize("name", LEARNERS)
def test_a_planted_signal_is_learned(name):
    X, y, _ = patients(200, seed=1)
    X_test, y_test, _ = patients(500, seed=2)

    assert auc(build(name).fit(X, y), X_test, y_test) > 0.8


@pytest.mark.parametrize("name", CARDS)
def test_noise_stays_noise(name):
    X, y, _ = patients(200, seed=3, signal=0.0)
    X_test, y_test, _ = patients(800, seed=4, signal=0.0)

    assert abs(auc(build(name).fit(X, y), X_test, y_test) - 0.5) < 0.08


@pytest.mark.parametrize("unit", [1.0, 0.01])
@pytest.mark.parametrize("name", [name for name in LEARNERS if name in REGRESSORS])
def test_a_percent_change_is_learned_in_any_unit(name, unit):
    X, _, change = patients(200, seed=5)
    X_test, _, change_test = patients(500, seed=6)

    prediction = build(name, "regression").fit(X, change * unit).predict(X_test)

    assert r2_score(change_test * unit, prediction) > 0.4


@pytest.mark.parametrize("name", CARDS)
def test_probabilities_are_probabilities_of_both_classes_in_order(name):
    X, y, _ = patients(120, seed=7)
    fitted = build(name).fit(X, y)
    p = fitted.predict_proba(X)

    assert list(fitted.classes_) == [0, 1]
    assert p.shape == (120, 2)
    assert p.dtype.kind == "f"
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    assert set(fitted.predict(X)) <= {0, 1}


@pytest.mark.parametrize(("name", "kind"), IN_EACH_KIND)
def test_the_same_seed_gives_the_same_bits(name, kind):
    X, y, change = patients(100, seed=8)
    target = y if kind == "classification" else change
    method = "predict_proba" if kind == "classification" else "predict"
    estimator = build(name, kind)

    first, second = (getattr(clone(estimator).fit(X, target), method)(X) for _ in range(2))

    assert first.tobytes() == second.tobytes()
    assert first.shape[0] == 100
    assert np.isfinite(first).all()


@pytest.mark.parametrize("name", ["random_forest", "mlp"])
def test_another_seed_gives_another_model(name):
    X, y, _ = patients(100, seed=8)

    first, second = (build(name, seed=seed).fit(X, y).predict_proba(X) for seed in (0, 1))

    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("name", "kind"), IN_EACH_KIND)
def test_numpys_global_state_is_neither_used_nor_touched(name, kind, request):
    if (name, kind) == ("svm_rbf", "regression"):
        reason = "SVR draws a seed that it never uses, and takes no random_state"
        request.applymarker(pytest.mark.xfail(reason=reason))
    X, y, change = patients(60, seed=12)
    estimator = build(name, kind)
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002

    estimator.fit(X, y if kind == "classification" else change).predict(X)

    after = np.random.get_state()  # noqa: NPY002
    assert before[2] == after[2]
    np.testing.assert_array_equal(before[1], after[1])


SMALLER = {
    "random_forest": {"n_estimators": 5},
    "extra_trees": {"n_estimators": 5},
    "hist_gradient_boosting": {"max_iter": 30},
    "stacking": {"members": ["ridge"]},
    "voting": {"members": ["ridge"]},
}
WEIGHTS = {
    f"check_sample_weight_equivalence_on_{form}_data": "scikit-learn's own: rows are resampled, "
    "ordered or split, so a weight of two is not a row twice"
    for form in ("dense", "sparse")
}
CALIBRATED = {
    **WEIGHTS,
    "check_supervised_y_2d": "scikit-learn's own: CalibratedClassifierCV indexes a column of y",
}
EXPECTED_FAILURES = {
    ("elastic_net", "classification"): WEIGHTS,
    ("lasso", "classification"): {
        **WEIGHTS,
        "check_class_weight_classifiers": "with this penalty no column of its data is selected",
    },
    ("lda", "classification"): {
        "check_classifiers_one_label": "scikit-learn's own: one class has no between-class scatter",
    },
    ("random_forest", "classification"): WEIGHTS,
    ("random_forest", "regression"): WEIGHTS,
    ("extra_trees", "classification"): WEIGHTS,
    ("extra_trees", "regression"): WEIGHTS,
    ("knn", "regression"): {
        "check_regressors_train": "twenty neighbours are many for its fifty rows",
    },
    ("naive_bayes", "classification"): {
        **CALIBRATED,
        "check_classifiers_one_label": "scikit-learn's own: one class cannot be calibrated",
    },
    ("svm_rbf", "classification"): CALIBRATED,
    ("clinical_only", "regression"): {
        "check_non_transformer_estimators_n_iter": "scikit-learn's own: Ridge counts no iterations"
    },
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, kind in IN_EACH_KIND if not (CARDS[name].raw or CARDS[name].extra)],
)
@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings on purpose
def test_the_estimator_keeps_scikit_learns_contract(name, kind):
    results = check_estimator(
        build(name, kind, **SMALLER.get(name, {})),
        expected_failed_checks=EXPECTED_FAILURES.get((name, kind)),
        on_skip=None,
    )

    assert len(results) > 40


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_crp_floor_keeps_the_contract_on_tables(kind):
    # scikit-learn's checks give it arrays, in which no column is called CRP.
    X, y, _ = patients(40, seed=13)
    estimator = build("crp_cutoff", kind)

    with pytest.raises(NotFittedError):
        estimator.predict(X)
    fitted = estimator.fit(X, y)

    assert fitted is estimator
    assert list(fitted.feature_names_in_) == list(X)
    assert fitted.n_features_in_ == X.shape[1]
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.drop(columns="x0"))


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kind in IN_EACH_KIND if CARDS[name].space]
)
def test_the_corners_of_the_search_space_fit_without_a_warning(name, kind):
    X, y, change = patients(60, seed=9, columns=20)
    target = y if kind == "classification" else change

    every = corners(CARDS[name].space)
    for params in every[:: max(1, len(every) // 8)]:
        prediction = build(name, kind, **params).fit(X, target).predict(X)
        assert np.isfinite(prediction).all(), params


@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize(("n", "columns"), [(60, 20), (60, 100), (350, 40)])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_elastic_net_converges_over_its_space(kind, n, columns, correlation):
    draw = np.random.default_rng(10)
    shared = draw.normal(size=(n, 1)) * correlation**0.5
    X = shared + draw.normal(size=(n, columns)) * (1 - correlation) ** 0.5
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    change = X[:, :3].sum(axis=1) + draw.normal(size=n)
    target = (change > 0).astype(int) if kind == "classification" else change

    for params in ({}, *corners(CARDS["elastic_net"].space)):
        build("elastic_net", kind, **params).fit(X, target)


@pytest.mark.parametrize("name", ["crp_cutoff", "mlp"])
def test_a_fitted_model_is_read_in_a_fresh_process(name, tmp_path):
    X, y, _ = patients(80, seed=11)
    fitted = build(name).fit(X, y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((fitted, X)))
    script = (
        "import pickle, sys; import cytobench;"
        "model, X = pickle.load(open('model.pickle', 'rb'));"
        "sys.stdout.buffer.write(model.predict_proba(X).tobytes())"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == fitted.predict_proba(X).tobytes()


CRP = pd.DataFrame({"CRP": [0.5, 0.9, 1.0, 2.0, 3.0, 3.1, 9.0, np.nan]})
RESPONDED = np.array([1, 1, 0, 1, 0, 0, 0, 1])


def test_crp_strata_are_the_shares_by_hand():
    fitted = build("crp_cutoff").fit(CRP, RESPONDED)

    # Below 1 (rows 0, 1), 1 to 3 (rows 2 to 4), above 3 (rows 5, 6); overall 4 of 8.
    low, middle, high = (2 + 0.5) / 3, (1 + 0.5) / 4, (0 + 0.5) / 3
    expected = [low, low, middle, middle, middle, high, high, 0.5]
    np.testing.assert_allclose(fitted.predict_proba(CRP)[:, 1], expected)


def test_an_empty_crp_stratum_has_the_overall_share():
    fitted = build("crp_cutoff").fit(CRP.iloc[:3], RESPONDED[:3])

    np.testing.assert_allclose(fitted.predict_proba(CRP.iloc[[6, 7]])[:, 1], 2 / 3)


def test_patients_without_crp_are_left_out_of_the_strata_but_count_overall():
    with_missing = pd.DataFrame({"CRP": [0.5, np.nan, np.nan, np.nan]})
    fitted = build("crp_cutoff").fit(with_missing, np.array([1, 0, 0, 0]))

    np.testing.assert_allclose(fitted.predict_proba(with_missing)[:2, 1], [(1 + 0.25) / 2, 0.25])


def test_crp_strata_predict_a_mean_change():
    change = np.array([60, 40, 50, 30, 10, 0, -10, 20.0])
    fitted = build("crp_cutoff", "regression").fit(CRP, change)

    overall = change.mean()
    expected = [(100 + overall) / 3, (90 + overall) / 4, (-10 + overall) / 3, overall]
    np.testing.assert_allclose(fitted.predict(CRP.iloc[[0, 3, 5, 7]]), expected)


def test_crp_in_another_unit_is_not_applicable():
    model = load_model({"name": "crp_cutoff", "space": {}})

    with pytest.raises(NotApplicable, match=r"E221.*mg/L"):
        model.build({}, random_state=0, kind="classification", units={"CRP": "ng/mL"})
