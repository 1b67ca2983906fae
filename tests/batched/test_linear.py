"""Ridge solvers: scikit-learn's answers, and the same bits whatever else is in the batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

from cytobench.batched.linear import ridge
from cytobench.batched.problem import Problem


def problem(n=60, p=5, C=1.0, seed=0, *, numbers=False, signal=1.0):
    draw = np.random.default_rng(seed)
    X, new = draw.normal(size=(n, p)), draw.normal(size=(11, p))
    z = signal * X @ draw.normal(size=p)
    y = z + draw.normal(size=n) if numbers else (draw.random(n) < 1 / (1 + np.exp(-z))) * 1.0
    y[:2] = (0, 1) if not numbers else y[:2]
    return Problem(X, y, new, {"C": C}, 0)


@pytest.mark.parametrize("C", [1e-4, 1e-2, 1.0, 1e2])
@pytest.mark.parametrize(("n", "p"), [(60, 5), (60, 1), (20, 50)])
def test_probabilities_are_those_of_scikit_learn_fitted_to_the_end(C, n, p):
    asked = problem(n, p, C)
    plain = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10, max_iter=1000)

    (found,) = ridge([asked], kind="classification", device="cpu")

    expected = plain.fit(asked.X, asked.y).predict_proba(asked.X_new)[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("C", [1e-4, 1.0, 1e2])
@pytest.mark.parametrize(("n", "p"), [(60, 5), (20, 50)])
def test_numbers_are_those_of_scikit_learn(C, n, p):
    asked = problem(n, p, C, numbers=True)

    (found,) = ridge([asked], kind="regression", device="cpu")

    expected = Ridge(alpha=1 / C).fit(asked.X, asked.y).predict(asked.X_new)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_separated_classes_and_constant_columns_have_an_answer():
    asked = problem(C=1e4)
    asked.X[:, 0], asked.X[:, 1] = asked.y * 2 - 1, 0.0
    plain = LogisticRegression(C=1e4, solver="newton-cholesky", tol=1e-10, max_iter=1000)

    (found,) = ridge([asked], kind="classification", device="cpu")

    expected = plain.fit(asked.X, asked.y).predict_proba(asked.X_new)[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_one_class_is_refused():
    asked = problem()
    asked.y[:] = 1

    with pytest.raises(ValueError, match="two classes are needed"):
        ridge([asked], kind="classification", device="cpu")


shapes = st.lists(
    st.tuples(
        st.sampled_from([(30, 4), (31, 4), (12, 20)]),
        st.sampled_from([1e-3, 1.0, 50.0]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(shapes=shapes, kind=st.sampled_from(["classification", "regression"]), data=st.data())
def test_an_answer_does_not_depend_on_the_batch_to_the_last_bit(shapes, kind, data):
    def made():
        numbers = kind == "regression"
        return [problem(n, p, C, seed, numbers=numbers) for (n, p), C, seed in shapes]

    order = data.draw(st.permutations(range(len(shapes))))

    together = ridge(made(), kind=kind, device="cpu")
    shuffled = ridge([made()[k] for k in order], kind=kind, device="cpu")
    alone = [ridge([one], kind=kind, device="cpu")[0] for one in made()]

    for k, answer in enumerate(together):
        assert answer.tobytes() == alone[k].tobytes()
        assert answer.tobytes() == shuffled[order.index(k)].tobytes()
