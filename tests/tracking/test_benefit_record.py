"""What MLflow is told of a treatment rule: value and gain, tables, notes, or the refusal."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from support.rules import BEST, about, add, usual

from cytobench.leaderboard.build import board_of, boards
from cytobench.tracking import Mirror
from cytobench.tracking.benefit_record import values_of
from cytobench.tracking.notes import experiment_note, run_note
from cytobench.tracking.record import make_record
from cytobench.tracking.tables import tables

SUITE, ENTRY = "suite", "trial-benefit"

# MLflow 3.17 uses what SQLAlchemy 2.1 is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def good(store):
    """A finished cell, and its row on the entry's board."""
    usual(store)
    (board,) = boards(store)
    (row,) = [row for row in board.rows if row.label == "good"]
    return store.read_cell(row.cell.key), row


def test_metrics_agree_with_the_leaderboard(store):
    cell, row = good(store)

    metrics = values_of(cell, row)

    value = row.estimate("value")
    assert metrics["value"] == value.value
    assert (metrics["value lower"], metrics["value upper"]) == (value.low, value.high)
    assert metrics["gain"] == row.gain.difference.value
    assert metrics["gain over CRP rule"] == row.over_rule.difference.value
    assert metrics["treatment changed"] == row.gain.changed
    assert metrics["AUTOC"] == row.estimate("autoc").value
    assert metrics["s per fold"] == pytest.approx(0.3)


def test_a_cell_alone_is_measured_against_the_published_rule(store):
    """While other cells still run, the reference that is there is used."""
    cell, row = good(store)

    board, alone = board_of(store, SUITE, ENTRY, cell)

    assert board.rule == "crp_rule"
    assert values_of(cell, alone) == values_of(cell, row)


def test_the_note_of_a_run_says_value_gain_and_how_arms_came_about(store):
    cell, row = good(store)

    note = run_note(cell, [], row)

    assert f"value **{row.estimate('value').value:.3f}" in note
    assert f"gain over the best single arm **{row.gain.difference.value:+.3f}" in note
    assert "randomised" in note
    assert "4 folds, 240 patients" in note


def test_the_note_of_an_experiment_explains_the_order(store):
    cell, _ = good(store)

    note = experiment_note(cell, SUITE, ENTRY)

    assert "highest value (mean outcome if everybody were treated by the rule) first" in note
    assert "Arms: A (" in note


def test_tables_hold_every_number_and_the_value_of_each_fold(store):
    cell, row = good(store)

    found = tables(cell, row)

    numbers = {line["number"]: line for line in csv.DictReader(io.StringIO(found["numbers.csv"]))}
    folds = list(csv.DictReader(io.StringIO(found["folds.csv"])))
    assert float(numbers["value"]["estimate"]) == pytest.approx(
        row.estimate("value").value, abs=1e-4
    )
    assert {"gain over best single arm", "gain over the CRP rule", "regret"} <= set(numbers)
    mean = sum(float(line["value"]) * int(line["n test"]) for line in folds) / 240
    assert mean == pytest.approx(row.estimate("value").value, abs=1e-3)


def test_an_unfinished_cell_has_no_estimate(store):
    add(store, "slow", BEST, done=2)
    ((key,),) = store.entries()[SUITE].values()

    record = make_record(store.read_cell(key), SUITE, ENTRY, "slow", [])

    names = {item.name for item in record.metrics}
    assert "fold/value" in names
    assert "value" not in names
    assert "2 of 4 folds" in run_note(store.read_cell(key), [])


def test_a_refused_cell_says_why_and_has_no_number(store):
    add(store, "good", BEST, task={**about("good")["task"], "smallest_arm": 200})
    (board,) = boards(store)
    row = next(row for row in board.rows if row.cell)
    cell = store.read_cell(row.cell.key)

    record = make_record(cell, SUITE, ENTRY, "good", [], row)

    assert "**Refused**" in run_note(cell, [], row)
    assert "value" not in {item.name for item in record.metrics}


@pytest.mark.slow
def test_a_real_database_gets_metrics_series_and_files(store, config, write_cell):
    from mlflow.tracking import MlflowClient

    cell, row = good(store)

    Mirror(store, config).write(cell.key, SUITE, ENTRY)

    client = MlflowClient(f"sqlite:///{Path('mlflow.db').resolve()}")
    experiment = client.get_experiment_by_name(f"{SUITE}/{ENTRY}")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "good"
    assert run.data.metrics["value"] == pytest.approx(row.estimate("value").value, abs=1e-4)
    assert run.data.metrics["gain"] == pytest.approx(row.gain.difference.value, abs=1e-4)
    assert run.data.tags["task"] == "benefit"
    history = client.get_metric_history(run.info.run_id, "fold/value")
    assert [item.step for item in history] == [0, 1, 2, 3]
    top = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"figures", "folds.csv", "numbers.csv", "report.html"} <= top
    figures = {item.path for item in client.list_artifacts(run.info.run_id, "figures")}
    assert figures == {"figures/benefit-calibration.svg", "figures/targeting.svg"}
