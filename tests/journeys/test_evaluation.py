"""From stored predictions to what a sceptic asks for: chance, a second opinion, audit, report."""

from __future__ import annotations

import json

import pytest
from support.published import board_files

FAST = ("tuning=off", "tracking=none", "engine=serial", "protocol.repeats=1")
LEAKY = '''
    """The toy cohort with a column from week 8, or with patients who are there twice."""
    from cytobench import dataset


    @dataset(kind="simulated")
    def leaky(sin="week8"):
        """A cohort with one planted sin."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(5)
        n = 120
        names = ["CRP", "IL-6", "TNF-α", "IL-10", "IL-8", "IFN-γ"]
        table = pd.DataFrame(np.exp(draw.normal(size=(n, 6))), columns=names)
        table["age"] = draw.normal(40, 10, n)
        table["responder"] = draw.permutation(np.arange(n) % 2).astype(float)
        table["plate"] = draw.choice(["plate 1", "plate 2"], n)
        if sin == "week8":
            table["IL-8"] = np.exp(3 * table["responder"] + 0.2 * draw.normal(size=n))
        if sin == "twice":
            table.iloc[90:] = table.iloc[:30].to_numpy()
            table = table.convert_dtypes(convert_string=False, convert_integer=False)
            numbers = [*names, "age", "responder"]
            table[numbers] = table[numbers].astype(float)
            table["plate"] = table["plate"].astype(object)
        if sin == "plate":
            follows = draw.random(n) < 0.92
            table["plate"] = np.where(
                follows == (table["responder"] == 1), "plate 1", "plate 2"
            )
        table.index = [f"patient-{i}" for i in range(n)]
        return Cohort(
            table,
            [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
            LabelOutcome("responder", "responded"),
            DatasetCard("leaky", "Leaky cohort", kind="simulated"),
            covariates=["age"],
            plate="plate",
        )
'''


def board(working_directory):
    (path,) = board_files(working_directory / "leaderboards" / "adhoc")
    return json.loads(path.read_text(encoding="utf-8"))


def row(board, label):
    return next(row for row in board["rows"] if row["label"] == label)


def test_permutations_are_resumed_and_extended(toy_plugins, cytobench, working_directory):
    run = ("run", "dataset=toy", "model=toy_ridge", "floors=[]", *FAST)

    cytobench(*run, "permutations=3")
    again = cytobench(*run, "permutations=3").stdout
    more = cytobench(*run, "permutations=5").stdout
    cytobench("leaderboard", "build")

    assert "0 folds computed, 20 were already there" in again
    assert "10 folds computed, 20 were already there" in more
    chance = row(board(working_directory), "toy_ridge")["chance"]
    assert chance["permutations"] == 5
    assert chance["p"] == pytest.approx(
        1 / 6, abs=1e-6
    )  # a strong signal: no permutation reaches it
    assert abs(chance["null_mean"] - 0.5) < 0.15
    assert len(board(working_directory)["rows"]) == 1  # permuted cells are no rows


def test_floors_run_beside_every_model_and_added_value_is_a_column(
    toy_plugins, cytobench, working_directory
):
    shown = cytobench("run", "dataset=toy", "model=toy_ridge", *FAST).stdout
    cytobench("leaderboard", "build")

    assert "AUC added to clinical" in shown
    rows = {item["label"]: item for item in board(working_directory)["rows"]}
    assert set(rows) == {"toy_ridge", "prior", "crp_cutoff", "clinical_only"}
    assert set(rows["toy_ridge"]["added"]) == {"auc", "log_loss", "brier", "net_benefit"}
    assert rows["toy_ridge"]["added"]["auc"]["value"] > 0.1
    assert rows["clinical_only"]["added"] is None


def test_the_refit_bootstrap_is_a_second_opinion_in_the_report(
    toy_plugins, cytobench, working_directory
):
    run = ("run", "dataset=toy", "model=toy_ridge", "floors=[]", "tuning=off", "tracking=none")
    cytobench(*run, "protocol.repeats=2")
    cytobench(*run, "protocol=bootstrap", "protocol.resamples=40")

    cytobench("report")

    pages = [path.read_text(encoding="utf-8") for path in working_directory.rglob("toy_ridge.html")]
    assert len(pages) == 2
    (page,) = [page for page in pages if "AUC, second opinion" in page]
    assert "refit bootstrap, out-of-bag percentiles of 40 resamples" in page


@pytest.mark.parametrize("sin", ["week8", "twice", "plate"])
def test_a_planted_sin_stops_the_run_by_its_code_until_it_is_acknowledged(
    sin, toy_plugins, write_plugin, cytobench, working_directory
):
    codes = {"week8": "A205", "twice": "A201", "plate": "A210"}
    write_plugin("datasets", "leaky", LEAKY)
    run = ("run", "dataset=leaky", f"dataset.sin={sin}", "model=toy_ridge", "floors=[]", *FAST)

    refused = cytobench(*run, check=False)
    honest = cytobench("run", "dataset=leaky", "dataset.sin=none", "model=toy_ridge", *FAST)

    assert refused.returncode == 1
    assert f"[{codes[sin]}]" in refused.stderr
    assert "0 folds computed" in refused.stdout
    assert codes[sin] not in honest.stdout + honest.stderr

    reason = f"audit.acknowledge.{codes[sin]}='planted by a test'"
    answered = cytobench(*run, reason)
    assert "5 folds computed" in answered.stdout
    assert "Acknowledged: planted by a test" in answered.stdout
