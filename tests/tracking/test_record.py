from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from cytobench.leaderboard.build import board_of
from cytobench.leaderboard.render import to_json
from cytobench.tracking.notes import experiment_note, run_note
from cytobench.tracking.record import _typical, make_record
from cytobench.tracking.shown import NAMES
from cytobench.tracking.tables import tables


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, 1, 1], "1"),
        ([0.001, 0.01, 10.0], "0.01 (0.001 to 10)"),
        ([2, 4], "3 (2 to 4)"),
        (["rbf", "rbf"], "rbf"),
        (["rbf", "linear", "rbf"], "rbf (2 of 3 folds)"),
        ([True, False, True], "true (2 of 3 folds)"),
        ([[64], [64, 64], [64]], "[64] (2 of 3 folds)"),
        ([None, 0.5, None], "null (2 of 3 folds)"),
    ],
)
def test_what_tuning_chose_in_a_few_words(values, text):
    assert _typical(values) == text


def test_leave_one_site_out_lists_its_sites(store, write_cell):
    key = write_cell(
        "toy_ridge", "k1", protocol={"name": "leave_one_site_out", "claim": "a new site"},
        test_labels=["Aarhus", "Bonn", "Cork", "Delft"],
    )  # fmt: skip
    cell = store.read_cell(key)
    note = run_note(cell, [])
    assert "| Cork | 20 | 0." in note
    names = {item.name for item in make_record(cell, "s", "e", "toy_ridge", []).metrics}
    assert "AUC lower" not in names  # four sites allow no interval
    (first, *_) = csv.DictReader(io.StringIO(tables(cell)["folds.csv"]))
    assert first["test part"] == "Aarhus"


def test_nothing_is_said_of_a_site_of_three_patients_alone(store, write_cell):
    key = write_cell(
        "toy_ridge", "k1", protocol={"name": "leave_one_site_out", "claim": "a new site"},
        test_labels=["Aarhus", "Bonn", "Cork", "Delft"],
    )  # fmt: skip
    fold = store.read_fold(key, 3)
    columns = {name: list(values)[:3] for name, values in vars(fold.predictions).items() if values}
    store.write_fold(key, replace(fold, predictions=replace(fold.predictions, **columns)))
    cell = store.read_cell(key)
    board, row = board_of(store, "quickstart", "toy-response", cell)

    record = make_record(cell, "s", "e", "toy_ridge", [], row)
    rows = list(csv.DictReader(io.StringIO(tables(cell, row)["folds.csv"])))
    shown = json.loads(to_json(board))["rows"][0]

    # Of one more site nothing is said either: three would follow from its number and that of all.
    charted = {item.step for item in record.metrics if item.name.startswith("fold/")}
    assert charted == {1, 2}
    for hidden in (rows[0], rows[3]):
        assert {hidden[name] for name in ("test part", "n train", "n test", "AUC", "Brier")} == {""}
    assert rows[1]["n test"] == "20"
    assert set(shown["sites"]) == {"Bonn", "Cork"}
    for values in shown["by_fold"].values():
        assert values[0] is values[3] is None
        assert values[1] is not None
    assert "Delft" not in run_note(cell, [])


def test_a_floor_says_that_it_is_one(store, write_cell):
    cell = store.read_cell(write_cell("guess", "k1"))
    about = {**cell.about, "model": {**cell.about["model"], "role": "floor"}}
    assert "A floor:" in run_note(replace(cell, about=about), [])


def test_the_first_paragraph_of_an_experiment_explains_the_table(store, write_cell):
    for kind, word in (("classification", "AUC"), ("regression", "MAE")):
        cell = store.read_cell(write_cell("toy_ridge", kind, kind=kind))
        assert word in experiment_note(cell, "s", "e").split("\n\n")[0]


def test_without_tuning_there_is_no_table_of_trials(store, write_cell):
    from dataclasses import replace

    cell = store.read_cell(write_cell("toy_ridge", "k1"))
    bare = replace(cell, folds=[replace(fold, trials=[]) for fold in cell.folds])
    assert set(tables(bare)) == {"folds.csv"}


def test_learning_curves_are_means_over_folds_and_say_how_many_still_train(store, write_cell):
    from dataclasses import replace

    cell = store.read_cell(write_cell("toy_ridge", "k1", folds=2, done=2))
    lengths = ([1.0, 0.8, 0.6], [0.5, 0.4])
    folds = [
        replace(fold, curves={"valid_loss": values})
        for fold, values in zip(cell.folds, lengths, strict=True)
    ]
    trained = replace(cell, folds=folds)

    record = make_record(trained, "s", "e", "toy_ridge", [])

    series = {}
    for item in record.metrics:
        if item.name.startswith("epoch/"):
            series.setdefault(item.name, []).append((item.step, item.value))
    assert series == {
        "epoch/valid_loss": [(0, 0.75), (1, 0.6), (2, 0.5)],
        "epoch/folds": [(0, 2), (1, 2), (2, 1)],
    }
    rows = list(csv.DictReader(io.StringIO(tables(trained)["learning_curves.csv"])))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "0", "1"]
    assert rows[3]["valid_loss"] == "0.5000"


def test_names_of_metrics_are_names_to_mlflow():
    assert all(re.fullmatch(r"[\w./ :-]+", name) for name in NAMES.values())
