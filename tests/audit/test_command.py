"""``cytobench audit`` as a person runs it."""

import json


def test_a_dataset_with_nothing_to_block_exits_with_0(cytobench, toy_plugins):
    done = cytobench("audit", "toy")

    assert "dataset toy, task response, protocol repeated_stratified" in done.stdout
    assert "0 blocking" in done.stdout


LEAKY = '''
    """A cohort with a column from after treatment."""
    from cytobench import dataset


    @dataset()
    def leaky():
        """Leaky."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(0)
        y = draw.permutation(np.arange(100) % 2).astype(float)
        table = pd.DataFrame({"IL-6": draw.lognormal(size=100), "y": y})
        table["rating"] = y + draw.random(100)
        return Cohort(
            table, [Analyte("IL-6", "pg/mL")], LabelOutcome("y", "responded"), DatasetCard("leaky"),
            covariates=["rating"],
        )
'''


def test_a_blocking_finding_exits_with_1_and_says_what_to_do(cytobench, write_plugin):
    write_plugin("datasets", "leaky", LEAKY)

    done = cytobench("audit", "leaky", check=False)

    assert done.returncode == 1
    assert "A205" in done.stdout
    assert "rating alone reaches an AUC of 1.000" in done.stdout
    assert "audit.acknowledge.A205=" in done.stdout


def test_an_acknowledged_finding_stands_apart_with_its_reason(cytobench, write_plugin):
    write_plugin("datasets", "leaky", LEAKY)

    done = cytobench("audit", "leaky", "audit.acknowledge.A205='kept as a trap'")

    assert "acknowledged:" in done.stdout
    assert "kept as a trap" in done.stdout
    assert "1 acknowledged" in done.stdout


def test_findings_as_json(cytobench, write_plugin):
    write_plugin("datasets", "leaky", LEAKY)

    done = cytobench("audit", "leaky", "--json", check=False)
    report = json.loads(done.stdout)[0]

    assert report["about"]["dataset"] == "leaky"
    assert report["open"][0]["code"] == "A205"
    assert report["open"][0]["values"]["strength"] == 1.0


def test_a_model_is_tested_on_the_dataset_that_is_named(cytobench, toy_plugins):
    done = cytobench("audit", "toy_ridge", "dataset=toy")

    assert "dataset toy, task response, model toy_ridge" in done.stdout
    assert "0 blocking, 0 warnings" in done.stdout


def test_all_checks_are_listed(cytobench):
    done = cytobench("audit", "--list")

    assert "A101  block" in done.stdout
    assert "A220  note" in done.stdout


def test_an_unknown_name_is_a_usage_error(cytobench, toy_plugins):
    done = cytobench("audit", "toi", check=False)

    assert done.returncode == 2
    assert "did you mean 'toy'" in done.stderr


def test_a_reason_without_words_is_a_usage_error(cytobench, toy_plugins):
    done = cytobench("audit", "toy", "audit.acknowledge.A205=''", check=False)

    assert done.returncode == 2
    assert "E130" in done.stderr
