"""``cytobench plan``: counts, what Riley's criteria ask for, a learning curve from the store."""

import json

import pytest

from cytobench.cli.main import main
from cytobench.core.errors import UsageError
from cytobench.run.planning import FRACTIONS, adequacy, inventory, plan_curve

QUICK = ["model=toy_ridge", "tuning=off", "protocol.inner_folds=2", "engine=serial"]

SCORED_DATASET = '''
    """A cohort with scores before and after treatment."""
    from cytobench import dataset


    @dataset(kind="simulated")
    def scored(n=150, seed=4):
        """Patients whose score falls with CRP."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, ScaleOutcome

        draw = np.random.default_rng(seed)
        z = draw.normal(size=(n, 20))
        names = [f"marker{i}" for i in range(20)]
        table = pd.DataFrame(np.exp(z), columns=names)
        table["before"] = draw.integers(18, 30, n).astype(float)
        fall = 0.45 + 0.12 * z[:, 0] - 0.08 * z[:, 1] + draw.normal(0, 0.05, n)
        table["after"] = np.clip(np.round(table["before"] * (1 - fall)), 0, 52)
        table.index = [f"p{i}" for i in range(n)]
        return Cohort(
            table,
            [Analyte(name, "pg/mL") for name in names],
            ScaleOutcome("HAM-D17", "before", "after"),
            DatasetCard("scored", "Scored cohort", kind="simulated"),
        )
'''
LINE = '''
    """Least squares."""
    from cytobench import model


    @model(tasks=("percent_change",))
    def line():
        """Least squares."""
        from sklearn.linear_model import LinearRegression

        return LinearRegression()
'''


@pytest.fixture
def plan(capsys):
    """Run ``cytobench plan ...`` in this process; gives exit code, output and errors."""

    def run(*words):
        code = main(["plan", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_candidates_are_counted_after_encoding_with_k_minus_one_levels(toy_plugins):
    found = inventory(["dataset=toy"])

    # age, and sex and arm with two levels each
    assert found.parameters == {"analytes": 4, "clinical": 3, "both": 7}
    assert found.n == 90
    assert found.prevalence == pytest.approx(found.events / 90)


def test_every_input_is_held_against_every_anticipated_auc(toy_plugins):
    found = inventory(["dataset=toy"])

    sizes = adequacy(found)
    both = [item for item in sizes if item.inputs == "both"]

    assert [item.anticipated for item in both] == [0.65, 0.70, 0.75]
    assert both[0].size.required > both[1].size.required > both[2].size.required
    assert both[0].shrinkage < both[1].shrinkage < both[2].shrinkage < 0.9
    assert both[0].available == pytest.approx(90 / both[0].size.required)
    rarer = min(found.events, 90 - found.events)
    assert both[0].events_per_parameter == pytest.approx(rarer / 7)


def test_the_curve_is_two_repeats_at_five_fractions_without_floors(toy_plugins):
    jobs = plan_curve(["dataset=toy", "model=toy_ridge"])

    protocols = [cell.config["protocol"] for cell in jobs.cells]
    assert {cell.suite for cell in jobs.cells} == {"plan"}
    assert {cell.model_name for cell in jobs.cells} == {"toy_ridge"}
    assert tuple(item["train_fraction"] for item in protocols) == FRACTIONS
    assert {item["repeats"] for item in protocols} == {2}
    assert len({cell.entry for cell in jobs.cells}) == len(FRACTIONS)


def test_overrides_choose_repeats_and_fractions(toy_plugins):
    jobs = plan_curve(
        ["dataset=toy", "model=toy_ridge", "protocol.repeats=3", "protocol.train_fraction=0.5,1"]
    )

    protocols = [cell.config["protocol"] for cell in jobs.cells]
    assert [(item["repeats"], item["train_fraction"]) for item in protocols] == [(3, 0.5), (3, 1)]


def test_a_protocol_without_fractions_is_refused(toy_plugins):
    with pytest.raises(UsageError, match="E122"):
        plan_curve(["dataset=toy", "protocol=leave_one_site_out"])


def test_counts_alone_fit_nothing(toy_plugins, plan):
    _, out, _ = plan("toy", "--no-curve", "--auc", "0.7")

    assert "90 patients with a known outcome" in out
    assert "analytes 4, clinical 3, both 7" in out
    assert "At an AUC of 0.70, 90 patients support about 1 candidate parameter;" in out
    assert "together have 7, for which" in out
    assert "For the overall risk within 0.05 alone" in out
    assert not (toy_plugins / "runs").exists()


def test_a_curve_is_stored_told_and_not_computed_twice(toy_plugins, plan):
    words = ["toy", *QUICK, "protocol.repeats=1", "protocol.train_fraction=0.3,0.5,0.75,1"]

    _, first, _ = plan(*words)
    folds = {
        path: path.stat().st_mtime_ns for path in (toy_plugins / "runs").glob("*/fold-*.parquet")
    }
    again = json.loads(plan(*words, "--json")[1])

    assert "Learning curve of toy_ridge" in first
    assert len(folds) == 4 * 5
    assert folds == {path: path.stat().st_mtime_ns for path in folds}
    (curve,) = again["curves"]
    assert curve["model"] == "toy_ridge"
    assert curve["metric"] == "auc"
    assert curve["curve"]["sizes"] == sorted(curve["curve"]["sizes"])
    assert curve["curve"]["sizes"][-1] == pytest.approx(72)
    assert curve["curve"]["sizes"][0] == pytest.approx(0.3 * 72, abs=2)
    assert bool(curve["curve"]["refusal"]) != bool(curve["curve"]["grid"])
    assert again["parameters"]["both"] == 7


def test_a_number_as_outcome_has_the_continuous_criteria_and_an_error_that_falls(
    write_plugin, plan
):
    write_plugin("datasets", "scored", SCORED_DATASET)
    write_plugin("models", "line", LINE)

    words = ["scored", "task=percent_change", "model=line", "tuning=off", "engine=serial"]
    _, out, _ = plan(*words, "--json", "--r2", "0.2")

    told = json.loads(out)
    assert told["prevalence"] is None
    # Riley et al. 2019: 234 patients beyond the parameters for the residual deviation
    analytes = next(item for item in told["adequacy"] if item["inputs"] == "analytes")
    assert analytes["size"]["criteria"]["residual deviation within 10 %"] == 254
    (curve,) = told["curves"]
    assert curve["metric"] == "mae"
    assert curve["curve"]["refusal"] == ""
    # 21 coefficients from 36 patients, then from 120: the error falls, and towards what is left
    assert curve["curve"]["estimates"][0] > curve["curve"]["estimates"][-1]
    assert curve["curve"]["median"][-1] < curve["curve"]["estimates"][-1]
    assert curve["curve"]["plateau"]["low"] >= 0


def test_a_fraction_too_small_for_the_cohort_costs_its_own_point_only(toy_plugins, plan):
    few = ["protocol.repeats=1", "protocol.inner_folds=8", "protocol.train_fraction=0.2,1"]
    code, out, errors = plan("toy", *QUICK, *few)

    assert code == 0
    assert "toy_ridge at 0.2 of the training part cannot run" in errors
    assert "a curve needs 4 sizes" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tooy", "--no-curve"], "did you mean 'toy'?"),
        (["model=toy_ridge"], "name the dataset first"),
        (["toy", "protocol=holdout"], "protocol=repeated_stratified"),
        (["toy", "--no-curve", "--r2", "0.2"], "use --auc"),
        (["toy", "--no-curve", "--auc", "0.4"], "between 0.5 and 1"),
        (["toy", "task=response,remission", "--no-curve"], "one at a time"),
    ],
)
def test_a_mistake_gets_words_and_exit_code_2(toy_plugins, plan, words, said):
    code, _, errors = plan(*words)

    assert code == 2
    assert said in errors
