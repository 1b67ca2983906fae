"""Models through the framework's own folds: bundled ones pass, planted sins are caught."""

import pytest

from cytobench.run.audited import audit_model
from cytobench.run.cells import load_cell
from cytobench.run.jobs import plan_jobs

SCALER = '''
    """Ridge with its own scaler, fitted where it should not be."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from cytobench import model

    SEEN = []


    class Sinner(LogisticRegression):
        def fit(self, X, y):
            {on_fit}
            return super().fit(X.to_numpy(), y)

        def predict_proba(self, X):
            values = X.to_numpy()
            {on_predict}
            return super().predict_proba(values)


    @model()
    def sinner():
        """A sinner."""
        return Sinner(max_iter=1000)
'''
SINS = {
    "scales by the test batch": (
        "pass",
        "values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)",
        "A102",
    ),
    "keeps module-level memory": (
        "SEEN.append(len(y)); self.C = float(len(SEEN))",
        "pass",
        "A103",
    ),
    "scales by all rows it ever saw": (
        "SEEN.extend(X.to_numpy())",
        "SEEN.extend(values); values = (values - np.mean(SEEN, 0)) / (np.std(SEEN, 0) + 1e-9)",
        "A103",
    ),
    "reads patients' identifiers": (
        "pass",
        "values = values + 0.01 * np.array([[int(name.split('-')[1])] for name in X.index])",
        "A104",
    ),
    "draws without the seed": (
        "pass",
        "values = values + np.random.default_rng().normal(size=values.shape)",
        "A106",
    ),
}


def loaded(model, *overrides):
    words = [f"model={model}", "floors=[]", *overrides]
    return load_cell(plan_jobs(words).cells[0])


def blocking(found):
    return {finding.code for finding in found if finding.severity == "block"}


@pytest.mark.parametrize("sin", SINS)
def test_a_sin_of_a_plugin_is_caught_by_its_code(toy_plugins, write_plugin, sin):
    on_fit, on_predict, code = SINS[sin]
    source = SCALER.replace("{on_fit}", on_fit).replace("{on_predict}", on_predict)
    write_plugin("models", "sinner", source)

    found = audit_model(loaded("sinner", "dataset=toy"), permutations=0, workers=2)

    assert code in blocking(found)


@pytest.mark.parametrize("task", ["response", "percent_change"])
def test_the_bundled_linear_model_passes_all_tests(working_directory, task):
    cell = loaded("elastic_net", "dataset=sim_inflamed_mdd", "dataset.n=100", f"task={task}")

    assert audit_model(cell, permutations=5, workers=2) == []


@pytest.mark.parametrize(
    ("model", "overrides"),
    [
        ("random_forest", ["model.n_estimators=10"]),
        ("hist_gradient_boosting", []),
        ("svm_rbf", []),
        ("crp_cutoff", []),
    ],
)
def test_bundled_models_pass(working_directory, model, overrides):
    cell = loaded(model, "dataset=sim_inflamed_mdd", "dataset.n=80", *overrides)

    assert audit_model(cell, permutations=0, workers=2) == []


@pytest.mark.slow
def test_the_bundled_network_passes(working_directory):
    pytest.importorskip("torch")
    cell = loaded("mlp", "dataset=sim_inflamed_mdd", "dataset.n=60", "model.members=1")

    assert audit_model(cell, permutations=0, workers=2) == []


def test_a_model_that_raises_is_a_finding(toy_plugins, write_plugin):
    broken = SCALER.replace("{on_fit}", "raise ArithmeticError('of no use')")
    write_plugin("models", "sinner", broken.replace("{on_predict}", "pass"))

    found = audit_model(loaded("sinner", "dataset=toy"), permutations=0, workers=2)

    assert "A100" in blocking(found)
    assert any("of no use" in finding.sentence for finding in found)


def test_a_model_that_looks_at_nothing_is_reported(toy_plugins, write_plugin):
    write_plugin(
        "models",
        "asleep",
        '''
        """Learns nothing, and does not say so."""
        from cytobench import model


        @model()
        def asleep():
            """The prevalence."""
            from sklearn.dummy import DummyClassifier

            return DummyClassifier(strategy="prior")
        ''',
    )

    found = audit_model(loaded("asleep", "dataset=toy"), permutations=0)
    floor = audit_model(loaded("guess", "dataset=toy"), permutations=0)

    assert [finding.code for finding in found] == ["A111"]
    assert floor == []
