"""One fold: nothing of the test part reaches the fit, and the same seed gives the same bits."""

import numpy as np
import pytest

from cytobench.core.errors import NotApplicable
from cytobench.core.result import FoldFailure
from cytobench.run.cells import Bench, LoadedCell, load_cell
from cytobench.run.fold import FoldSpec, attempt_fold, run_fold
from cytobench.run.jobs import plan_jobs
from cytobench.run.store import RunStore

SALT = b"salt"
SMALL = ["dataset=toy", "tuning.trials=4", "protocol.repeats=1", "protocol.inner_folds=3"]


def loaded(*overrides):
    return load_cell(plan_jobs([*SMALL, *overrides, "floors=[]"]).cells[0])


def test_a_model_is_asked_before_the_run_whether_it_knows_the_units(toy_plugins, write_plugin):
    write_plugin(
        "models",
        "choosy",
        """
        from cytobench import NotApplicable, model

        @model()
        def choosy(units=None):
            '''Wants its IL-6 in NPX.'''
            if units["IL-6"] != "NPX":
                raise NotApplicable("E221", f"needs IL-6 in NPX, not {units['IL-6']}")
        """,
    )

    with pytest.raises(NotApplicable, match="needs IL-6 in NPX, not pg/mL"):
        loaded("model=choosy")


def with_cohort(cell: LoadedCell, change) -> LoadedCell:
    """The same cell on a changed copy of its table, with the plan unchanged."""
    from dataclasses import fields, replace

    old = cell.bench.cohort
    arguments = {f.name: getattr(old, f.name) for f in fields(old) if f.init}
    table = old.table.copy()
    change(table)
    cohort = type(old)(**{**arguments, "table": table})
    from cytobench.data.target import build_target

    target = build_target(cohort, cell.bench.target.task)
    return replace(cell, bench=Bench(cohort, target, cell.bench.plan))


def test_the_same_cell_gives_the_same_bits(toy_plugins):
    first, second = (run_fold(loaded("model=toy_ridge"), 0, SALT) for _ in range(2))

    assert first.predictions == second.predictions
    assert first.params == second.params


def test_labels_of_the_test_part_do_not_reach_the_predictions(toy_plugins):
    cell = loaded("model=toy_ridge")
    test = cell.bench.plan.splits[0].test

    def flip(table):
        column = table.columns.get_loc("responder")
        table.iloc[test, column] = 1 - table.iloc[test, column]

    honest, poisoned = run_fold(cell, 0, SALT), run_fold(with_cohort(cell, flip), 0, SALT)

    # The seed of a fold comes from the split plan, not from labels, so nothing may differ.
    assert honest.predictions.prediction == poisoned.predictions.prediction
    assert honest.threshold == poisoned.threshold


def test_other_test_patients_do_not_change_a_prediction(toy_plugins):
    cell = loaded("model=toy_ridge")
    test = cell.bench.plan.splits[0].test

    def scramble(table):
        for name in ("CRP", "IL-6", "age"):
            table.iloc[test[1:], table.columns.get_loc(name)] = 77.0

    honest, changed = run_fold(cell, 0, SALT), run_fold(with_cohort(cell, scramble), 0, SALT)

    assert honest.predictions.prediction[0] == changed.predictions.prediction[0]
    assert honest.params == changed.params


def test_a_planted_signal_is_found_and_shuffled_labels_are_not(toy_plugins):
    from cytobench.evaluate.scores import Scores

    cell = loaded("model=toy_ridge", "dataset.n=150", "protocol.repeats=3")

    def shuffle(table):
        table["responder"] = np.random.default_rng(5).permutation(table["responder"].to_numpy())

    def auc(some):
        folds = [run_fold(some, fold, SALT) for fold in range(len(some.bench.plan.splits))]
        return Scores("classification", "repeated_stratified", folds).estimate("auc")

    planted, shuffled = auc(cell), auc(with_cohort(cell, shuffle))

    assert planted.low > 0.6
    assert shuffled.low < 0.5 < shuffled.high


def test_the_record_says_how_it_came_about(toy_plugins):
    result = run_fold(loaded("model=toy_ridge"), 1, SALT)

    assert result.fold == 1
    assert len(result.trials) == 4
    assert result.params["C"] == min(result.trials, key=lambda t: t.score).params["C"]
    assert 0 < result.threshold < 1
    assert result.features == [
        "CRP",
        "IL-6",
        "TNF-α",
        "IL-10",
        "age",
        "sex_female",
        "sex_male",
        "arm_A",
        "arm_B",
    ]
    assert set(result.timings) == {"tune", "fit", "predict"}
    assert result.versions["scikit-learn"]
    assert not any("patient" in name for name in result.predictions.patient)


def test_tuning_can_be_off_and_its_metric_chosen(toy_plugins):
    off = run_fold(
        loaded("model=toy_ridge", "model.C=0.5", "tuning=off", "tuning.trials=0"), 0, SALT
    )
    by_auc = run_fold(loaded("model=toy_ridge", "tuning=random", "tuning.metric=auc"), 0, SALT)

    assert (off.params["C"], list(off.trials)) == (0.5, [])
    assert all(-1 <= trial.score <= 0 for trial in by_auc.trials)


BAD_MODELS = {
    "raises": ("raise ValueError('fit went wrong')", "proba", "ValueError: fit went wrong"),
    "nan": ("pass", "np.full((len(X), 2), np.nan)", "not finite"),
    "shape": ("pass", "np.ones(len(X))", "expected (18, 2)"),
    "beyond": ("pass", "np.full((len(X), 2), 1.5)", "probabilities from 0 to 1.5"),
    "swapped": ("self.classes_ = np.array([1, 0])", "np.ones((len(X), 2))", "classes_ is [1, 0]"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_a_model_that_misbehaves_becomes_a_failure_that_names_it(write_plugin, toy_plugins, name):
    fit, proba, message = BAD_MODELS[name]
    write_plugin(
        "models",
        "bad",
        f'''
        import numpy as np
        from sklearn.base import BaseEstimator, ClassifierMixin

        from cytobench import model

        class Bad(ClassifierMixin, BaseEstimator):
            """Misbehaves."""

            def fit(self, X, y):
                """Fit."""
                self.classes_ = np.array([0, 1])
                {fit}
                return self

            def predict_proba(self, X):
                """Predict."""
                return {proba}

        @model()
        def bad():
            """Misbehaves."""
            return Bad()
        ''',
    )
    cell = loaded("model=bad", "tuning=off")

    failure = attempt_fold(FoldSpec(cell.cell, cell.key, 0), SALT)

    assert isinstance(failure, FoldFailure)
    assert message in failure.error.replace("expected (24", "expected (18")
    assert "bad.py" in failure.where
    assert "Traceback" in failure.traceback


def test_a_worker_with_other_data_refuses(toy_plugins):
    cell = loaded("model=toy_ridge")

    failure = attempt_fold(FoldSpec(cell.cell, "another key", 0), SALT)

    assert "E501" in failure.error


def test_warnings_of_a_model_are_kept_with_the_fold(write_plugin, toy_plugins):
    write_plugin(
        "models",
        "noisy",
        '''
        import warnings

        from cytobench import model

        @model()
        def noisy():
            """Warns."""
            from sklearn.dummy import DummyClassifier

            warnings.warn("did not converge", RuntimeWarning)
            return DummyClassifier()
        ''',
    )

    result = run_fold(loaded("model=noisy", "tuning=off"), 0, SALT)

    assert "RuntimeWarning: did not converge" in result.warnings


WITH_CURVES = '''
    from cytobench import model


    @model()
    def learner():
        """Says how its training went."""
        from sklearn.linear_model import LogisticRegression

        class Learner(LogisticRegression):
            """With a curve."""

            def fit(self, X, y):
                """Fit, and invent nothing: two epochs."""
                self.learning_curves_ = {"valid_loss": [0.7, 0.6]}
                return super().fit(X, y)

        return Learner()
'''


def test_learning_curves_of_the_final_fit_are_kept(write_plugin, toy_plugins, tmp_path):
    write_plugin("models", "learner", WITH_CURVES)
    store = RunStore(tmp_path / "runs")

    store.write_fold("key", run_fold(loaded("model=learner"), 0, SALT))

    assert store.read_fold("key", 0).curves == {"valid_loss": [0.7, 0.6]}


def test_equal_predictions_for_everybody_are_warned_of_unless_the_model_is_a_floor(
    write_plugin, toy_plugins
):
    from conftest import TOY_MODELS

    guess = TOY_MODELS["guess"].replace('role="floor", ', "").replace("guess", "constant")
    write_plugin("models", "constant", guess)

    said = run_fold(loaded("model=constant"), 0, SALT).warnings
    of_floor = run_fold(loaded("model=guess"), 0, SALT).warnings

    assert said == ["PredictionWarning: predicts the same for every test patient"]
    assert of_floor == []
