"""Folds in lock-step: the plain path's choices, the same bits in any company, faults kept apart."""

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from cytobench.core.result import FoldFailure
from cytobench.evaluate.metrics import auc
from cytobench.run.cells import load_cell
from cytobench.run.engine import run_folds
from cytobench.run.fold import FoldSpec, run_fold
from cytobench.run.jobs import plan_jobs
from cytobench.run.lockstep import FoldsSpec, at_once, run_together
from cytobench.run.outer_fold import OuterFold

SALT = b"salt"
SMALL = ["dataset=toy", "tuning.trials=12", "protocol.repeats=1", "protocol.inner_folds=3"]
WITHIN = 1e-3
"""Of an AUC, in each fold."""
PAIRS = 2
"""Of patients that may change places: in a small validation part one is more than that."""


def loaded(*overrides):
    return load_cell(plan_jobs([*SMALL, *overrides, "floors=[]"]).cells[0])


def bits(result):
    """All numbers of a fold, without what depends on the clock."""
    trials = [(trial.number, dict(trial.params), trial.score) for trial in result.trials]
    return (result.fold, result.predictions, result.params, trials, result.threshold, result.inner)


@pytest.mark.parametrize("sampler", ["random", "qmc"])
@pytest.mark.parametrize("model", ["ridge", "clinical_only", "elastic_net", "lasso", "svm_rbf"])
@pytest.mark.parametrize("task", ["response", "percent_change"])
def test_batched_and_plain_choose_the_same_and_predict_the_same(toy_plugins, model, sampler, task):
    words = [f"model={model}", f"tuning={sampler}", f"task={task}"]
    if task == "percent_change":
        words.append("dataset=sim_inflamed_mdd")
    batched = run_together(loaded(*words), range(5), SALT)
    plain = loaded(*words, "tuning.batched=false")

    for fast in batched:
        slow = run_fold(plain, fast.fold, SALT)
        assert [trial.params for trial in fast.trials] == [trial.params for trial in slow.trials]
        assert fast.params == slow.params
        assert fast.predictions == slow.predictions
        for y, predicted, other in inner_parts(plain, fast, slow):
            if task == "response":
                apart = abs(auc(y, predicted.round(6)) - auc(y, other.round(6)))
                assert apart <= max(WITHIN, PAIRS / (y.sum() * (1 - y).sum()))
            if model == "ridge":  # others stop farther from their optimum
                np.testing.assert_allclose(predicted, other, atol=1e-4, rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        ("random_forest", "n_estimators"),
        ("extra_trees", "n_estimators"),
        ("hist_gradient_boosting", "max_iter"),
    ],
)
@pytest.mark.parametrize("task", ["response", "percent_change"])
def test_ensembles_that_grow_once_change_no_bit(toy_plugins, model, sizes, task):
    words = [f"model={model}", "tuning=random", "tuning.trials=6", f"task={task}"]
    words.append(f"+model.space.{sizes}={{type:choice,options:[5,10,20]}}")
    if task == "percent_change":
        words.append("dataset=sim_inflamed_mdd")
    batched, plain = loaded(*words), loaded(*words, "tuning.batched=false")

    fast, slow = (run_fold(cell, 1, SALT) for cell in (batched, plain))

    assert bits(fast) == bits(slow)
    assert len({trial.params[sizes] for trial in fast.trials}) > 1


def test_folds_that_take_long_stay_units_of_their_own(toy_plugins):
    assert at_once(loaded("model=random_forest")) == 1


def inner_parts(cell, fast, slow):
    """Outcomes and two models' predictions, for each trial and inner validation part."""
    sizes = [len(valid) for _, valid in OuterFold(cell, fast.fold).inner_rows()]
    ends = np.cumsum(sizes)[:-1]
    for number in fast.inner.predictions:
        every = (slow.inner.y, fast.inner.predictions[number], slow.inner.predictions[number])
        yield from zip(*(np.split(np.array(one), ends) for one in every), strict=True)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_one_fold_or_many_together_give_the_same_bits(toy_plugins, sampler):
    cell = loaded("model=ridge", f"tuning={sampler}")

    together = run_together(cell, range(5), SALT)
    pair = run_together(cell, [3, 1], SALT)
    alone = [run_fold(cell, fold, SALT) for fold in range(5)]

    assert [bits(one) for one in together] == [bits(one) for one in alone]
    assert [bits(one) for one in pair] == [bits(together[3]), bits(together[1])]


def test_the_switch_is_part_of_the_key(toy_plugins):
    keys = {loaded("model=ridge", f"tuning.batched={value}").key for value in ("true", "false")}

    assert len(keys) == 2


def test_models_without_a_solver_and_time_budgets_go_fold_by_fold(toy_plugins):
    assert at_once(loaded("model=ridge")) > 1
    assert at_once(loaded("model=toy_ridge")) == 1
    assert at_once(loaded("model=ridge", "tuning.batched=false")) == 1
    assert at_once(loaded("model=ridge", "tuning.seconds=60")) == 1


SOLVED = '''
    """Ridge logistic regression with a solver that has its moods."""
    from cytobench import Float, model
    from cytobench.batched.linear import ridge

    CALLS = []


    @model(space={{"C": Float(1e-3, 1e2, log=True)}}, solver=":solve")
    def solved(C=1.0):
        """Ridge logistic regression."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=C, max_iter=1000, tol=1e-6)


    def solve(problems, *, kind, device):
        """As ridge does, unless it does not."""
        CALLS.append(len(problems))
        {mood}
        return ridge(problems, kind=kind, device=device)
'''


def moody(write_plugin, mood):
    write_plugin("models", "solved", SOLVED.format(mood=mood))
    return loaded("model=solved", "tuning=random")


def test_all_trials_of_all_folds_are_solved_in_one_call(toy_plugins, write_plugin):
    import importlib

    cell = moody(write_plugin, "pass")

    run_together(cell, range(5), SALT)

    calls = importlib.import_module("cytobench.plugins.models.solved").CALLS
    assert calls == [12 * 5 * 3]


def test_a_fold_that_cannot_be_solved_costs_itself_only(toy_plugins, write_plugin):
    cell = moody(write_plugin, "pass")
    honest = run_together(cell, range(5), SALT)
    fold = OuterFold(cell, 2)
    first, _ = fold.encode(*fold.inner_rows()[0])

    cell.model.__dict__["solver"] = _refusing(cell.model.solver, first.values[0, 0])
    found = run_together(cell, range(5), SALT)

    assert isinstance(found[2], FoldFailure)
    assert "E230" in found[2].error
    assert "cannot do these rows" in found[2].error
    assert [bits(one) for k, one in enumerate(found) if k != 2] == [
        bits(one) for k, one in enumerate(honest) if k != 2
    ]


def _refusing(solver, marked):
    def refuse(problems, *, kind, device):
        if any(one.X[0, 0] == marked for one in problems):
            raise RuntimeError("cannot do these rows")
        return solver(problems, kind=kind, device=device)

    return refuse


def test_settings_that_a_solver_does_not_know_go_to_the_estimator(toy_plugins, write_plugin):
    mood = """if any(one.params["C"] > 1 for one in problems):
            raise NotImplementedError("a large C")"""
    cell = moody(write_plugin, mood)

    found = run_together(cell, range(2), SALT)
    plain = loaded("model=solved", "tuning=random", "tuning.batched=false")

    for fast in found:
        slow = run_fold(plain, fast.fold, SALT)
        assert fast.params == slow.params
        assert fast.predictions == slow.predictions


def test_predictions_that_are_none_name_the_model(toy_plugins, write_plugin):
    cell = moody(write_plugin, "return [one.X_new[:, 0] * float('nan') for one in problems]")

    found = run_together(cell, range(2), SALT)

    assert all("E231" in one.error and "solved.py" in one.where for one in found)


def test_a_solver_that_is_not_there_is_said_in_words(toy_plugins, write_plugin):
    write_plugin("models", "solved", SOLVED.format(mood="pass").replace(":solve", ":other"))
    cell = loaded("model=solved")

    (failure,) = FoldsSpec(cell.cell, cell.key, (0,)).attempt(SALT)

    assert "[E206]" in failure.error


@pytest.mark.parametrize("engine", [{"workers": 2}, {"workers": 2, "fold_seconds": 300}])
def test_pieces_of_a_cell_come_back_fold_by_fold_with_the_same_bits(toy_plugins, engine):
    get_reusable_executor().shutdown()  # an earlier test's workers are in another folder
    cell = loaded("model=ridge", "tuning.trials=3")
    specs = [FoldsSpec(cell.cell, cell.key, folds) for folds in ((0, 1, 2), (3, 4))]

    found = list(run_folds(specs, {"name": "joblib", **engine}, SALT))

    assert all(isinstance(spec, FoldSpec) for spec, _ in found)
    outcomes = {spec.fold: bits(outcome) for spec, outcome in found}
    assert outcomes == {one.fold: bits(one) for one in run_together(cell, range(5), SALT)}
