"""Explanations: of the model that was scored, of baseline columns, from the test part alone."""

import threading
from dataclasses import asdict, replace

import numpy as np
import pytest

from cytobench.config import compose_jobs
from cytobench.core.errors import PluginError, UsageError
from cytobench.core.result import FoldFailure
from cytobench.evaluate.importance import dependences, importances, most_important, shapley, used
from cytobench.run.cells import load_cell
from cytobench.run.claims import Claims, claimed
from cytobench.run.explained import EXPLAINING, explain_cells, settings_from_config
from cytobench.run.explaining import ExplainSpec, Settings, _Fitted, explain_fold
from cytobench.run.fold import run_fold
from cytobench.run.jobs import plan_jobs
from cytobench.run.session import run_cells
from cytobench.run.store import RunStore

SALT = b"salt"
SMALL = ["dataset=toy", "tuning=off", "protocol.repeats=1", "model=toy_ridge", "tracking=none"]


def loaded(*overrides):
    return load_cell(plan_jobs([*SMALL, "floors=[]", *overrides]).cells[0])


def explained(*overrides, settings=None, folds=5):
    cell = loaded(*overrides)
    return [
        asdict(explain_fold(cell, run_fold(cell, fold, SALT), settings or Settings()))
        for fold in range(folds)
    ]


def test_the_analyte_that_decides_comes_first_and_its_effect_is_seen(toy_plugins):
    records = explained("dataset.n=300")

    first, *others = importances(records)
    assert first.column == "IL-6"
    assert first.clear
    assert first.cost.value > 0.2
    assert max(item.cost.value for item in others) < 0.05
    (curve,) = dependences(records, ["IL-6"])
    assert np.all(np.diff(curve.mean) > 0), "the more IL-6, the likelier the response"
    assert np.all((curve.low <= curve.mean) & (curve.mean <= curve.high))
    assert used(records).share["IL-6"] == 1.0
    assert most_important(records, top=1).index.value == 1.0
    assert next(iter(shapley(records))) == "IL-6"


def test_columns_are_those_of_the_cohort_not_of_the_encoder(toy_plugins):
    (record,) = explained(folds=1)

    expected = {"CRP", "IL-6", "TNF-α", "IL-10", "age", "sex", "arm"}
    assert set(record["importance"]["auc"]) == expected
    assert set(record["used"]) == expected, "sex_female and sex_male are sex"
    assert set(record["dependence"]) == expected - {"sex", "arm"}, "text has no grid"


def test_importance_is_what_shuffling_a_column_does_to_the_loss(toy_plugins):
    # With the encoding fixed, sklearn's permutation_importance shuffles the same thing; both are
    # means over shuffles of one expectation, so they agree within their Monte-Carlo error.
    from sklearn.inspection import permutation_importance

    cell = loaded("dataset.n=400")
    stored = run_fold(cell, 0, SALT)
    ours = explain_fold(cell, stored, Settings(repeats=40, points=0, shap=False))
    fitted = _Fitted(cell, stored)
    theirs = permutation_importance(
        fitted.estimator, fitted.test.to_numpy(), fitted.y.astype(int), scoring="roc_auc",
        n_repeats=40, random_state=0,
    )  # fmt: skip
    expected = dict(zip(fitted.test.columns, theirs.importances_mean, strict=True))
    for column in ("IL-6", "CRP", "TNF-α", "age"):
        assert ours.importance["auc"][column] == pytest.approx(expected[column], abs=0.02)


def test_dependence_is_that_of_scikit_learn(toy_plugins):
    from sklearn.inspection import partial_dependence
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    cell = loaded()
    stored = run_fold(cell, 0, SALT)
    ours = explain_fold(cell, stored, Settings(repeats=1, shap=False)).dependence["IL-6"]
    fitted = _Fitted(cell, stored)
    whole = make_pipeline(fitted.encoder, FunctionTransformer(np.asarray), fitted.estimator)

    theirs = partial_dependence(
        whole, fitted.raw, ["IL-6"], custom_values={"IL-6": np.array(ours["grid"])},
        method="brute", kind="average", response_method="predict_proba",
    )  # fmt: skip

    assert ours["prediction"] == pytest.approx(theirs["average"][0].tolist())


def test_shapley_values_of_a_linear_model_are_its_terms(toy_plugins):
    pytest.importorskip("shap")
    cell = loaded()
    stored = run_fold(cell, 0, SALT)
    ours = explain_fold(cell, stored, Settings(repeats=1, points=0))
    fitted = _Fitted(cell, stored)
    position = list(fitted.train.columns).index("IL-6")
    centred = fitted.test["IL-6"] - fitted.train["IL-6"].mean()
    terms = np.abs(fitted.estimator.coef_[0, position] * centred)

    assert ours.shap_by == "LinearExplainer"
    assert ours.shap["IL-6"] == pytest.approx(terms.mean())


def test_another_model_than_the_one_that_was_scored_is_not_explained(toy_plugins):
    cell = loaded()
    stored = run_fold(cell, 0, SALT)
    tampered = replace(stored, params={**stored.params, "C": 1e-3})

    with pytest.raises(PluginError, match=r"E245.*predicts otherwise"):
        explain_fold(cell, tampered, Settings())


def test_a_fold_that_cannot_be_explained_becomes_a_failure_that_says_why(toy_plugins):
    cell = loaded()
    stored = replace(run_fold(cell, 0, SALT), params={"C": 1e-3})
    spec = ExplainSpec(cell.cell, cell.key, 0, stored, Settings())

    outcome = spec.attempt(SALT)

    assert isinstance(outcome, FoldFailure)
    assert "E245" in outcome.error
    assert "cytobench check toy_ridge" in outcome.hint


def test_nothing_of_a_single_patient_is_kept(toy_plugins):
    cell = loaded()
    stored = run_fold(cell, 0, SALT)
    record = asdict(explain_fold(cell, stored, Settings()))

    def lengths(item):
        if isinstance(item, dict):
            return [n for value in item.values() for n in lengths(value)]
        return [len(item)] if isinstance(item, (list, tuple)) else []

    n_test = record["n_test"]
    assert n_test > 10
    assert set(lengths(record)) == {10}, "grids of ten points; no list is as long as the test part"


def test_dependence_is_asked_at_quantiles_that_all_folds_share(toy_plugins):
    first, second = explained(settings=Settings(repeats=1, points=5, shap=False), folds=2)
    values = loaded().bench.cohort.table["IL-6"]

    curve = first["dependence"]["IL-6"]
    # Of 90 patients five are beyond either end: else a number would be the value of one of them.
    expected = values.quantile(np.linspace(5 / 90, 85 / 90, 5)).tolist()
    assert curve["grid"] == pytest.approx(expected, rel=5e-3), "three digits"
    assert curve["grid"] == second["dependence"]["IL-6"]["grid"]
    assert (curve["unit"], first["dependence"]["age"]["unit"]) == ("pg/mL", "")


def test_how_many_rows_go_to_the_model_at_a_time_changes_nothing(toy_plugins, monkeypatch):
    cell = loaded()
    stored = run_fold(cell, 0, SALT)
    together = explain_fold(cell, stored, Settings(repeats=3, shap=False))

    monkeypatch.setattr("cytobench.run.explaining.ROWS", 1)

    assert explain_fold(cell, stored, Settings(repeats=3, shap=False)) == together


def test_a_column_that_the_model_does_not_use_costs_nothing_at_all(toy_plugins, write_plugin):
    write_plugin(
        "models",
        "only_il6",
        '''
        """One analyte."""
        from cytobench import model


        @model()
        def only_il6():
            """One analyte."""
            from sklearn.compose import make_column_transformer
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import make_pipeline

            one = make_column_transformer(("passthrough", ["IL-6"]))
            return make_pipeline(one, LogisticRegression())
        ''',
    )

    (record,) = explained("model=only_il6", folds=1)

    for costs in record["importance"].values():
        assert {name for name, cost in costs.items() if cost != 0} == {"IL-6"}
    assert record["used"] is None, "the pipeline chooses columns: its coefficients are not named"
    assert record["shap"] is None


class Quiet:
    """A listener that hears nothing."""

    def planned(self, cells, refused):
        """Nothing."""

    def fold_done(self, planned, failure):
        """Nothing."""

    def cell_done(self, planned):
        """Nothing."""


def test_finished_folds_are_explained_once_and_again_with_other_settings(toy_plugins, tmp_path):
    store = RunStore(tmp_path / "runs")
    jobs = plan_jobs([*SMALL, "floors=[guess]", "engine=serial"])
    run_cells(jobs.cells, jobs.settings["engine"], store, "command", Quiet())

    def explain(settings):
        def begun(folds):
            return lambda what, steps: None

        return explain_cells(jobs.cells, settings, jobs.settings["engine"], store, begun)

    first, second, other = explain(Settings()), explain(Settings()), explain(Settings(repeats=2))

    assert (first.folds, first.kept) == (5, 0), "the floor is left out"
    assert (second.folds, second.kept) == (0, 5)
    assert (other.folds, other.kept) == (5, 0)
    (key,) = first.cells
    cell = store.read_cell(key)
    assert [item["fold"] for item in cell.explanations] == [0, 1, 2, 3, 4]
    assert cell.explanations[0]["settings"] == {"repeats": 2, "points": 10, "shap": True}
    assert len(importances(cell.explanations)) == 7


def test_what_another_run_explains_is_waited_for_and_not_explained_again(toy_plugins, tmp_path):
    store = RunStore(tmp_path / "runs")
    jobs = plan_jobs([*SMALL, "floors=[guess]", "engine=serial"])
    run_cells(jobs.cells, jobs.settings["engine"], store, "command", Quiet())
    ended = []

    def explain():
        with_all = explain_cells(jobs.cells, Settings(), jobs.settings["engine"], store, begun)
        ended.append(with_all)

    def begun(folds):
        return lambda what, steps: None

    both = [threading.Thread(target=explain) for _ in range(2)]
    for run in both:
        run.start()
    for run in both:
        run.join()

    assert sum(run.folds for run in ended) == 5, "no fold twice"
    for run in ended:
        assert run.folds + run.kept + run.of_others == 5
        assert not run.failures
    assert claimed(store.root) == []


def test_a_fold_that_another_run_lets_go_of_unexplained_is_explained_here(toy_plugins, tmp_path):
    store = RunStore(tmp_path / "runs")
    jobs = plan_jobs([*SMALL, "floors=[]", "engine=serial"])
    run_cells(jobs.cells, jobs.settings["engine"], store, "command", Quiet())
    key = load_cell(jobs.cells[0]).key
    told = []

    with Claims(store.root, EXPLAINING) as other:
        assert other.take(key, 2)

        def begun(folds):
            def advance(what, steps):
                told.append(what)
                if len(told) == 4:  # all but the one that the other run holds
                    other.release(key, 2)

            return advance

        done = explain_cells(jobs.cells, Settings(), jobs.settings["engine"], store, begun)

    assert (done.folds, done.of_others) == (5, 0)
    assert store.explained(key, asdict(Settings())) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("node", "settings"),
    [
        (False, None),
        (None, None),
        (True, Settings()),
        ({"repeats": 20}, Settings(repeats=20)),
    ],
)
def test_explain_is_true_false_or_settings(node, settings):
    assert settings_from_config(node) == settings


@pytest.mark.parametrize("node", ["please", {"repeat": 20}, {"repeats": 0}, 3])
def test_explain_that_is_neither_is_refused(node):
    with pytest.raises(UsageError, match="E116") as caught:
        settings_from_config(node)

    assert "cytobench.run" not in caught.value.message


def test_what_the_hint_of_explain_proposes_can_be_said(working_directory):
    with pytest.raises(UsageError) as caught:
        settings_from_config("please")
    proposed = caught.value.hint.rpartition(" ")[2]

    (config,) = compose_jobs(["dataset=sim_null", "model=ridge", proposed])

    assert settings_from_config(config["explain"]) == Settings(repeats=20, points=5)
