"""Solvers that do not answer as their estimator does are red, with the code that says so."""

import textwrap

import pytest

from cytobench.check import run_checks

MODEL = '''
    """A model with a solver of its own."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from cytobench import Float, model


    @model(tasks=("response",), space={{"C": Float(1e-3, 1e2, log=True)}}, solver=":solve")
    def solved(C=1.0, random_state=None):
        """Ridge logistic regression."""
        return LogisticRegression(C=C, max_iter=1000)


    def solve(problems, *, kind, device):
        answers = []
        for number, problem in enumerate(problems):
            {fit}
            answers.append({answer})
        return answers
'''
FIT = "fitted = LogisticRegression(C={}, max_iter=1000).fit(problem.X, problem.y)"
SAY = "fitted.predict_proba(problem.X_new)[:, 1]"
WITH_A_SOLVER = [
    "ridge", "clinical_only", "elastic_net", "lasso", "svm_rbf", "mlp", "realmlp", "ft_transformer",
    "tabm",
]  # fmt: skip
RIGHT = FIT.format('problem.params["C"]')
SOLVERS = {
    "the estimator itself": (RIGHT, SAY, set()),
    "another penalty": (FIT.format('1e-3 * problem.params["C"] ** 2'), SAY, {"CB500"}),
    "the other class": (RIGHT, f"1 - {SAY}", {"CB500"}),
    "a fault": ("raise RuntimeError('out of memory')", "None", {"CB500"}),
    "a little of its company": (RIGHT, f"{SAY} + 1e-9 * number", {"CB501"}),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_is_held_to_its_estimator(write_plugin, name):
    fit, answer, expected = SOLVERS[name]
    write_plugin("models", "solved", textwrap.dedent(MODEL).format(fit=fit, answer=answer))

    report = run_checks("solved", only=["CB5"], seconds=100)

    failed = {result.code: result.message for result in report.results if result.status == "failed"}
    assert set(failed) == expected, str(report)
    if name == "a fault":
        assert "RuntimeError: out of memory" in failed["CB500"]


def test_a_model_without_a_solver_is_not_asked():
    report = run_checks("prior", only=["CB5"])

    assert {result.status for result in report.results} == {"skipped"}


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_A_SOLVER)
def test_a_bundled_solver_is_green(name):
    report = run_checks(name, only=["CB5"], seconds=400)

    assert report.ok, str(report)
    assert report.count("passed") == 2
