"""One fold of ``benefit``: everything is learnt on the training part, and ties gain nothing."""

from dataclasses import fields, replace

import numpy as np
import pytest
from support.benefit import DUEL, SALT, first_fold, loaded

from cytobench.core.errors import NotApplicable, PluginError, SplitError
from cytobench.core.result import FoldResult
from cytobench.data.target import build_target
from cytobench.run.benefit_fold import BenefitFold, Chosen
from cytobench.run.cells import Bench, load_cell
from cytobench.run.engine import run_folds
from cytobench.run.fold import FoldSpec, run_fold
from cytobench.run.jobs import plan_jobs

EFFECT = '''
    """Effects as they are asked for."""
    from cytobench import Choice, model


    class Effects:
        def __init__(self, scale, cell):
            self.scale, self.cell = scale, cell

        def fit(self, X, y, treatment):
            assert sorted(set(treatment)) == sorted({"A", "B"})
            assert not any("drug" in str(name) for name in X.columns)
            return self

        def predict_effect(self, X):
            import numpy as np

            effect = self.scale * np.sign(X["CRP"].to_numpy(dtype=float))
            return effect if self.cell == "fine" else eval(self.cell, {"np": np, "X": X})


    @model(tasks=("benefit",), space={"scale": Choice(-1.0, 0.0, 1.0)})
    def effects(scale=1.0, cell="fine"):
        """By the sign of CRP."""
        return Effects(scale, cell)
'''
RULE = '''
    """A rule as it is asked for."""
    from cytobench import Choice, model


    class Rule:
        def __init__(self, arm, cell):
            self.arm, self.cell = arm, cell

        def fit(self, X, y, treatment):
            return self

        def recommend(self, X):
            import numpy as np

            said = np.full(len(X), self.arm)
            return said if self.cell == "fine" else eval(self.cell, {"np": np, "X": X})


    @model(tasks=("benefit",), space={"choose": Choice("A", "B")})
    def rule(choose="A", cell="fine"):
        """One arm for all."""
        return Rule(choose, cell)
'''
OUTCOME = '''
    """Outcomes as they are asked for."""
    from cytobench import model


    class Outcomes:
        def __init__(self, cell):
            self.cell = cell

        def fit(self, X, y):
            self.classes_ = [0, 1]
            return self

        def predict_proba(self, X):
            import numpy as np

            return eval(self.cell, {"np": np, "X": X})


    @model(tasks=("benefit",))
    def outcomes(cell="np.full((len(X), 2), 0.5)"):
        """One number for all."""
        return Outcomes(cell)
'''


@pytest.fixture(autouse=True)
def duel(write_plugin):
    write_plugin("datasets", "duel", DUEL)
    for name, source in {"effects": EFFECT, "rule": RULE, "outcomes": OUTCOME}.items():
        write_plugin("models", name, source)


def with_table(cell, change):
    """The same cell on a changed copy of its table; the splits stay."""
    old = cell.bench.cohort
    arguments = {f.name: getattr(old, f.name) for f in fields(old) if f.init}
    table = old.table.copy()
    change(table)
    cohort = type(old)(**{**arguments, "table": table})
    return replace(
        cell, bench=Bench(cohort, build_target(cohort, cell.bench.target.task), cell.bench.plan)
    )


def values(fold: FoldResult, what: str):
    """Shape (n, k)."""
    return np.column_stack([fold.predictions.by_arm[what][arm] for arm in fold.arms])


LEARNT = ["s_learner model.base=ridge", "t_learner"]


# Nothing of the test part is learnt from.


@pytest.mark.parametrize("model", LEARNT)
@pytest.mark.parametrize("propensity", ["known", "fitted"])
def test_outcomes_and_arms_of_the_test_part_change_no_choice(model, propensity):
    cell = loaded(*f"model={model}".split(), f"task.propensity={propensity}")
    test = cell.bench.plan.splits[0].test

    def poison(table):
        for name, turned in (("responder", {0: 1, 1: 0}), ("drug", {"A": "B", "B": "A"})):
            column = table.columns.get_loc(name)
            table.iloc[test, column] = [turned[value] for value in table.iloc[test, column]]

    honest, poisoned = run_fold(cell, 0, SALT), run_fold(with_table(cell, poison), 0, SALT)

    assert honest.predictions.y != poisoned.predictions.y
    assert honest.predictions.prediction == poisoned.predictions.prediction
    assert honest.predictions.by_arm == poisoned.predictions.by_arm
    assert (honest.best_single, honest.params) == (poisoned.best_single, poisoned.params)


@pytest.mark.parametrize("model", LEARNT)
def test_other_test_patients_change_nothing_for_a_patient(model):
    cell = loaded(*f"model={model}".split(), "task.propensity=fitted", "dataset.missing=0.1")
    test = cell.bench.plan.splits[0].test

    def scramble(table):
        for name in ("CRP", "IL-6", "age"):
            table.iloc[test[1:], table.columns.get_loc(name)] = 77.0
        table.iloc[test[1:], table.columns.get_loc("sex")] = "female"

    honest, changed = run_fold(cell, 0, SALT), run_fold(with_table(cell, scramble), 0, SALT)

    assert honest.best_single == changed.best_single
    assert honest.predictions.prediction[0] == changed.predictions.prediction[0]
    for what in honest.predictions.by_arm:
        np.testing.assert_allclose(values(honest, what)[0], values(changed, what)[0], rtol=1e-12)


def test_the_received_arm_of_a_test_patient_is_not_asked_for():
    """An outcome model is asked with each arm; by the symmetry of the question both differ."""
    fold = first_fold("model=s_learner", "model.base=ridge", "dataset.shift=0.6")

    predicted = values(fold, "predicted")
    assert (predicted[:, 1] > predicted[:, 0]).all()
    assert set(fold.predictions.arm) == {"A", "B"}


# Ties, and the best single arm.


@pytest.mark.parametrize(
    "model",
    [
        ["model=outcomes"],
        ["model=effects", "model.scale=0.0"],
        ["model=effects", "model.cell='np.full(len(X), -1e-12)'"],
    ],
)
@pytest.mark.parametrize("shift", [0.4, -0.4])
@pytest.mark.filterwarnings("ignore:predicts the same effect")
def test_where_no_arm_is_better_the_patient_gets_the_best_single_one(model, shift):
    fold = first_fold(*model, f"dataset.shift={shift}")

    assert fold.best_single == ("B" if shift > 0 else "A")
    position = list(fold.arms).index(fold.best_single)
    assert set(fold.predictions.prediction) == {float(position)}


def test_a_tied_vote_of_imputations_goes_to_the_best_single_arm():
    fold = BenefitFold(loaded("model=rule"), 0)
    votes = [Chosen(np.array(votes), None) for votes in ([0, 0, 1], [1, 0, 1])]

    assert fold._pooled(votes, single=1).position.tolist() == [1, 0, 1]
    assert fold._pooled(votes, single=0).position.tolist() == [0, 0, 1]


def test_effects_are_averaged_over_imputations():
    fold = BenefitFold(loaded("model=rule"), 0)
    said = [Chosen(np.array([1]), np.array([[0.0, 3.0]])), Chosen(np.array([0]), np.zeros((1, 2)))]

    pooled = fold._pooled(said, single=0)

    assert pooled.position.tolist() == [1]
    np.testing.assert_allclose(pooled.predicted, [[0.0, 1.5]])


# Tuning.


@pytest.mark.parametrize(("moderation", "best"), [(0.7, 1.0), (-0.7, -1.0)])
def test_tuning_finds_the_effect_of_the_right_sign(moderation, best):
    fold = first_fold(
        "model=effects", "dataset.shift=0", f"dataset.moderation={moderation}",
        "tuning=random", "tuning.trials=12", "dataset.n=240",
    )  # fmt: skip

    assert fold.params["scale"] == best


@pytest.mark.parametrize(("shift", "best"), [(0.5, "B"), (-0.5, "A")])
def test_tuning_finds_the_rule_of_the_higher_value(shift, best):
    fold = first_fold("model=rule", f"dataset.shift={shift}", "tuning=random", "tuning.trials=6")

    assert fold.params["choose"] == best
    assert min(trial.score for trial in fold.trials) == pytest.approx(-0.75, abs=0.12)


# Contracts.


@pytest.mark.parametrize(
    ("model", "cell", "words"),
    [
        ("effects", "np.zeros((len(X), 2))", "predict_effect returned shape (80, 2)"),
        ("effects", "np.zeros(3)", "predict_effect returned shape (3, 1)"),
        ("effects", "np.full(len(X), np.nan)", "80 not finite"),
        ("rule", "np.full(len(X), 'C')", "'C' among them"),
        ("rule", "np.full(3, 'A')", "recommend returned shape (3,)"),
        ("rule", "np.full((len(X), 1), 'A')", "expected one of A, B"),
        ("outcomes", "np.zeros((len(X), 3))", "predict_proba returned shape (80, 3)"),
        ("outcomes", "np.full((len(X), 2), np.inf)", "80 not finite"),
    ],
)
def test_an_answer_that_is_none_is_refused_and_names_the_plugin(model, cell, words):
    with pytest.raises(PluginError) as caught:
        first_fold(f"model={model}", f'model.cell="{cell}"', "dataset.n=240")

    assert caught.value.code == "E231"
    assert words in caught.value.message
    assert f"model '{model}'" in caught.value.where
    assert f"{model}.py" in caught.value.where


def test_effects_of_shape_n_and_of_shape_n_1_are_the_same():
    flat = first_fold("model=effects", "model.cell=\"np.sign(X['CRP'].to_numpy())\"")
    deep = first_fold("model=effects", "model.cell=\"np.sign(X[['CRP']].to_numpy())\"")

    assert flat.predictions == deep.predictions


def test_a_model_that_does_not_see_the_arm_says_nothing_of_treatment(write_plugin):
    write_plugin("models", "blind", OUTCOME.replace("outcomes", "blind").replace(
        'tasks=("benefit",)', 'tasks=("benefit",), inputs=("analytes",)'
    ))  # fmt: skip

    with pytest.raises(NotApplicable, match="not at the arm") as caught:
        first_fold("model=blind")

    assert caught.value.code == "E222"


def test_an_arm_that_nobody_in_training_received_is_refused_in_words():
    (cell,) = plan_jobs(
        ["dataset=duel", "dataset.nested=True", "task=benefit", "model=t_learner", "floors=[]",
         "protocol=leave_one_site_out", "tuning=off"]
    ).cells  # fmt: skip

    with pytest.raises(SplitError, match="nobody in a training part received") as caught:
        run_fold(load_cell(cell), 0, SALT)

    assert caught.value.code == "E404"


# Propensities.


@pytest.mark.parametrize(
    ("assignment", "propensity", "fitted"),
    [
        ("randomised", "auto", False),
        ("observational", "auto", True),
        ("''", "auto", True),
        ("randomised", "fitted", True),
        ("observational", "known", False),
    ],
)
def test_propensities_go_by_the_task_then_by_the_card(assignment, propensity, fitted):
    fold = first_fold(
        "model=treat_all", f"dataset.assignment={assignment}", f"task.propensity={propensity}",
        "dataset.confounded=True", "dataset.n=200",
    )  # fmt: skip

    chance = values(fold, "propensity")
    assert (np.ptp(chance[:, 0]) > 0.2) == fitted
    np.testing.assert_allclose(chance.sum(axis=1), 1)


def test_a_known_propensity_is_the_share_of_the_training_part():
    cell = loaded("model=treat_all", "dataset.n=121")
    train = cell.bench.plan.splits[0].train
    drug = np.array(cell.bench.cohort.labels("arm"))[train]

    fold = run_fold(cell, 0, SALT)

    np.testing.assert_allclose(values(fold, "propensity")[:, 0], (drug == "A").mean())


def test_a_fitted_propensity_follows_what_decided():
    cell = loaded(
        "model=treat_all", "dataset.assignment=observational", "dataset.confounded=True",
        "dataset.n=400",
    )  # fmt: skip
    marker = np.log(cell.bench.cohort.table["IL-6"].to_numpy())[cell.bench.plan.splits[0].test]

    chance = values(run_fold(cell, 0, SALT), "propensity")[:, 1]

    assert np.corrcoef(chance, marker)[0, 1] > 0.9


# Arms, seeds, workers.


def test_three_arms_have_an_outcome_each():
    fold = first_fold(
        "model=dr_learner", "dataset.treatments=3", "dataset.shift=0.8", "dataset.n=150"
    )

    assert fold.arms == ("A", "B", "C")
    assert fold.best_single == "C"
    assert values(fold, "predicted").shape == (50, 3)
    assert (values(fold, "predicted")[:, 0] == 0).all(), "effects are over the first arm"
    assert set(fold.predictions.prediction) <= {0.0, 1.0, 2.0}
    assert values(fold, "truth")[:, 2].mean() > values(fold, "truth")[:, 0].mean()


def test_patients_of_arms_that_are_not_compared_take_no_part():
    cell = loaded("model=t_learner", "dataset.treatments=3", "task.arms=[A,C]", "dataset.n=150")

    tested = np.concatenate([split.test for split in cell.bench.plan.splits])
    fold = run_fold(cell, 0, SALT)

    assert {cell.bench.cohort.labels("arm")[row] for row in tested} == {"A", "C"}
    assert fold.arms == ("A", "C")
    assert set(fold.predictions.arm) == {"A", "C"}


def test_a_fall_is_chosen_for_where_a_percent_change_is():
    """On the scale of the fall, truths are positive; regressions of it take part like others."""
    fold = first_fold(
        "model=s_learner", "model.base=ridge", "task.outcome=percent_change", "dataset.n=150",
        "task.smallest_arm=10", dataset="sim_crossover",
    )  # fmt: skip

    assert (values(fold, "truth").mean(axis=0) > 20).all()
    assert (values(fold, "outcome").mean(axis=0) > 20).all()
    assert np.mean(fold.predictions.y) > 20


def test_a_trial_of_three_published_classes_runs():
    fold = first_fold(
        "model=t_learner", "task.arms=[SSRI,TCA,ketamine]", "dataset.n=240",
        "task.smallest_arm=10", dataset="sim_classes",
    )  # fmt: skip

    assert fold.arms == ("SSRI", "TCA", "ketamine")


@pytest.mark.slow
def test_one_worker_or_two_the_numbers_are_the_same():
    cell = loaded("model=dr_learner", "task.propensity=fitted")
    specs = [FoldSpec(cell.cell, cell.key, fold) for fold in range(3)]

    def run(**engine):
        done = {spec.fold: result for spec, result in run_folds(specs, engine, SALT)}
        return [done[fold].predictions for fold in range(3)]

    assert run(name="serial") == run(name="joblib", workers=2)
