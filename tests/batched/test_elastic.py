"""Elastic net solvers: at the optimum of scikit-learn's objective, in any company."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.preprocessing import StandardScaler

from cytobench.batched.elastic import WIDEST, elastic_net, lasso, proximal_newton
from cytobench.batched.problem import Problem


def problem(n=80, p=8, C=1.0, ratio=0.5, seed=0, *, numbers=False):
    """Standardised features of which two thirds do nothing, and an indicator with its opposite."""
    draw = np.random.default_rng(seed)
    X, new = (StandardScaler().fit_transform(draw.normal(size=(rows, p))) for rows in (n, 15))
    for part in (X, new):
        part[:, -2] = part[:, -1] > 0
        part[:, -1] = 1 - part[:, -2]
    z = X @ np.where(np.arange(p) % 3 == 0, 1.0, 0.0)
    y = 5 * z + draw.normal(size=n) if numbers else (draw.random(n) < 1 / (1 + np.exp(-z))) * 1.0
    return Problem(X, y, new, {"C": C, "l1_ratio": ratio}, 0)


def objective(weights, X, y, C, ratio):
    z = X @ weights[:-1] + weights[-1]
    data = np.logaddexp(0, -np.where(y > 0, 1, -1) * z).sum()
    size = ratio * np.abs(weights[:-1]).sum() + (1 - ratio) / 2 * (weights[:-1] ** 2).sum()
    return C * data + size


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("C", [0.01, 0.3, 10.0])
def test_the_objective_is_no_higher_than_saga_gets_it(C, ratio):
    asked = problem(C=C, ratio=ratio)
    A = np.column_stack([asked.X, np.ones(len(asked.y))])
    saga = LogisticRegression(
        solver="saga", C=C, l1_ratio=ratio, max_iter=100_000, tol=1e-8, random_state=0
    ).fit(asked.X, asked.y)

    (found,) = proximal_newton(A[None], asked.y[None], np.array([C]), np.array([ratio]))

    of_saga = objective(np.r_[saga.coef_[0], saga.intercept_], asked.X, asked.y, C, ratio)
    mine = objective(found, asked.X, asked.y, C, ratio)
    assert mine <= of_saga + 1e-7 * of_saga


@pytest.mark.parametrize(("C", "ratio"), [(0.3, 0.5), (1.0, 1.0), (10.0, 0.2)])
def test_probabilities_are_those_of_saga_fitted_to_the_end(C, ratio):
    asked = problem(C=C, ratio=ratio)
    saga = LogisticRegression(
        solver="saga", C=C, l1_ratio=ratio, max_iter=100_000, tol=1e-8, random_state=0
    )

    (found,) = elastic_net([asked], kind="classification", device="cpu")

    expected = saga.fit(asked.X, asked.y).predict_proba(asked.X_new)[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("C", [0.05, 0.5, 5.0])
@pytest.mark.parametrize(("n", "p"), [(80, 8), (20, 40)])
def test_numbers_are_those_of_scikit_learn(n, p, C, ratio):
    asked = problem(n, p, C, ratio, numbers=True)
    scale = StandardScaler()
    y = scale.fit_transform(asked.y[:, None])[:, 0]
    plain = ElasticNet(alpha=0.01 / C, l1_ratio=ratio, max_iter=1_000_000, tol=1e-10)

    (found,) = elastic_net([asked], kind="regression", device="cpu")

    said = plain.fit(asked.X, y).predict(asked.X_new)
    expected = scale.inverse_transform(said[:, None])[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-3 * y.std() * scale.scale_[0])


def test_a_strong_penalty_leaves_the_share_of_the_outcome():
    asked = problem(C=1e-4, ratio=1.0)

    (found,) = elastic_net([asked], kind="classification", device="cpu")

    np.testing.assert_allclose(found, asked.y.mean(), atol=1e-9)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_lasso_is_an_elastic_net_without_its_quadratic_part(kind):
    asked = problem(ratio=1.0, numbers=kind == "regression")

    net = elastic_net([asked], kind=kind, device="cpu")[0]
    bare = lasso([asked], kind=kind, device="cpu")[0]

    assert net.tobytes() == bare.tobytes()


def test_very_many_features_are_left_to_the_estimator():
    with pytest.raises(NotImplementedError, match="features"):
        lasso([problem(20, WIDEST + 1)], kind="classification", device="cpu")


asked_for = st.lists(
    st.tuples(
        st.sampled_from([(40, 6), (41, 6), (15, 20)]),
        st.sampled_from([1e-2, 1.0, 50.0]),
        st.sampled_from([0.0, 0.4, 1.0]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=30)
@given(asked=asked_for, kind=st.sampled_from(["classification", "regression"]), data=st.data())
def test_an_answer_does_not_depend_on_the_batch_to_the_last_bit(asked, kind, data):
    def made():
        numbers = kind == "regression"
        return [problem(n, p, C, r, seed, numbers=numbers) for (n, p), C, r, seed in asked]

    order = data.draw(st.permutations(range(len(asked))))

    together = elastic_net(made(), kind=kind, device="cpu")
    shuffled = elastic_net([made()[k] for k in order], kind=kind, device="cpu")
    alone = [elastic_net([one], kind=kind, device="cpu")[0] for one in made()]

    for k, answer in enumerate(together):
        assert answer.tobytes() == alone[k].tobytes()
        assert answer.tobytes() == shuffled[order.index(k)].tobytes()
