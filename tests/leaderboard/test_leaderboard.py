"""Leaderboards: from stored predictions alone, ties as ties, nothing mixed or injected."""

import json

import numpy as np
import pytest

from cytobench.core.errors import UsageError
from cytobench.core.result import FoldResult, Predictions
from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.across import across, ranking_of
from cytobench.leaderboard.build import board_of, boards, write
from cytobench.leaderboard.outline import Outline, OutlineRow, outlines
from cytobench.leaderboard.render import to_json, to_markdown
from cytobench.report.tables import numbers
from cytobench.run.store import RunStore

FOLDS, SIZE = 10, 30


def about(
    model,
    *,
    role="model",
    fingerprint="f" * 64,
    protocol="repeated_stratified",
    cell_folds=FOLDS,
    **changes,
):
    return {
        "folds": cell_folds,
        "model": {"name": model, "role": role, "summary": "", "source": "s" * 64},
        "dataset": {
            "name": "trial",
            "summary": "A trial",
            "kind": "real",
            "caveat": "",
            "fingerprint": fingerprint,
            "origin": "/home/somebody/secret/table.csv",
        },
        "task": {"name": "response", "kind": "classification", "meaning": "responded"},
        "n": FOLDS * SIZE,
        "events": 150,
        "outcome_mean": 0.5,
        "protocol": {"name": protocol, "claim": "new patients"},
        "plan": "p" * 64,
        "permutation": 0,
        "test_labels": [""] * cell_folds,
        "notes": [],
        "config": {
            "model": {"name": model},
            "preprocess": {},
            "tuning": {"sampler": "tpe", "trials": 5, "seconds": None, "metric": "log_loss"},
            "seed": 0,
        },
        "versions": {},
        **changes,
    }


def add(store, model, strength, *, folds=FOLDS, slot=None, key=None, seed=0, noise=1.0, **changes):
    """A cell whose predictions know the outcome as well as `strength` says."""
    key = key or f"key-{model}"
    store.open_cell(key, about(model, **changes), "suite", "trial-response", slot or model)
    draw = np.random.default_rng(seed)
    for fold in range(folds):
        y = np.arange(SIZE) % 2
        score = strength * (y - 0.5) + noise * draw.normal(size=SIZE)
        truth = [float("nan")] * SIZE
        predictions = Predictions(
            patient=[f"{fold}-{i}" for i in range(SIZE)],
            y=y.astype(float).tolist(),
            prediction=(1 / (1 + np.exp(-score))).tolist(),
            arm=[""] * SIZE,
            site=[""] * SIZE,
            truth=truth,
        )
        store.write_fold(
            key,
            FoldResult(
                fold=fold,
                repeat=0,
                n_train=SIZE * (FOLDS - 1),
                predictions=predictions,
                params={},
                trials=[],
                threshold=0.5,
                train_mean=0.5,
                timings={"fit": 0.1},
            ),
        )


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


def test_the_best_comes_first_and_equals_are_tied(store):
    add(store, "strong", 2.0, seed=1)
    add(store, "as_strong", 2.0, seed=2)
    add(store, "useless", 0.0, seed=3)

    (board,) = boards(store)

    assert board.rows[2].label == "useless"
    assert [row.tied_with_best for row in board.rows] == [True, True, False]
    assert board.rows[2].p_against_best < 0.01


def test_every_number_has_its_interval_and_its_n(store):
    add(store, "strong", 2.0)

    (board,) = boards(store)
    row = json.loads(to_json(board))["rows"][0]

    assert row["folds"] == FOLDS
    for metric in ("auc", "brier", "log_loss", "balanced_accuracy"):
        estimate = row["estimates"][metric]
        assert estimate["low"] < estimate["value"] < estimate["high"]
        assert "Nadeau-Bengio" in estimate["method"]
    assert json.loads(to_json(board))["n"] == 300


def test_one_cell_after_the_other_is_told_what_it_is_told_alone(store):
    for seed, (name, strength) in enumerate({"clinical_only": 0.5, "strong": 2, "weak": 1}.items()):
        add(store, name, strength, seed=seed)
    cells = [store.read_cell(f"key-{name}") for name in ("clinical_only", "strong", "weak")]
    floors = {}

    for cell in (*cells, *cells):
        _, row = board_of(store, "suite", "trial-response", cell, floors=floors)
        _, alone = board_of(store, "suite", "trial-response", cell)
        assert numbers(row, None) == numbers(alone, None), row.label

    assert list(floors) == ["key-clinical_only"], "only the floor is kept"


def test_cells_of_another_revision_never_share_the_table(store):
    add(store, "strong", 2.0)
    add(store, "other", 2.0)
    add(store, "late", 2.0, fingerprint="0" * 64)

    (board,) = boards(store)

    assert {row.label for row in board.rows} == {"strong", "other"}
    assert board.entry.left_out == 1
    assert (
        "not shown: 1 of the entry's 3 cells, which differ from the rows in data; 1 of them "
        "complete."
    ) in to_markdown(board)


def test_cells_that_were_begun_with_other_settings_are_counted_with_what_differs(store):
    other = about("strong")["config"] | {"tuning": {"sampler": "none", "trials": 1}}
    for name in ("strong", "weak"):
        add(store, name, 2.0)
        early = f"{name}-early"
        add(store, name, 2.0, key=early, slot=early, plan="e" * 64, config=other,
            cell_folds=2 * FOLDS)  # fmt: skip

    (board,) = boards(store)

    assert (
        "not shown: 2 of the entry's 4 cells, which differ from the rows in splits and tuning; 0 "
        "of them complete."
    ) in to_markdown(board)


def test_a_cell_of_which_nothing_is_done_is_no_look_at_the_data(store):
    add(store, "strong", 2.0)
    add(store, "weak", 1.0, folds=0)

    (board,) = boards(store, thorough=True)

    assert board.entry.looks == 1
    assert "weak is not shown: 0 of 10 folds are done." in to_markdown(board)


def test_an_unfinished_cell_is_announced_not_ranked(store):
    add(store, "strong", 2.0)
    add(store, "slow", 2.0, folds=4)

    (board,) = boards(store)

    assert [row.label for row in board.rows] == ["strong"]
    assert "slow is not shown: 4 of 10 folds are done." in to_markdown(board).replace("\\", "")


def test_two_settings_of_one_model_say_what_differs(store):
    for C in (1, 3):
        config = about("ridge")["config"] | {"model": {"name": "ridge", "C": C}}
        add(store, "ridge", 2.0, key=f"key-{C}", slot=f"C{C}", config=config)

    (board,) = boards(store)

    assert {row.label for row in board.rows} == {"ridge (C=1)", "ridge (C=3)"}


def test_what_plugins_say_cannot_become_markup(store):
    add(store, "evil|<script>alert(1)</script>[x](y)", 2.0, key="evil", slot="evil")

    (board,) = boards(store)
    text = to_markdown(board)

    assert "<script>" not in text
    assert "\\|\\<script\\>" in text


def test_files_say_nothing_of_the_machine_and_are_the_same_when_written_again(store, tmp_path):
    add(store, "strong", 2.0)
    (board,) = boards(store)

    first = {path.name: path.read_bytes() for path in write(board, tmp_path / "a")}
    second = {path.name: path.read_bytes() for path in write(boards(store)[0], tmp_path / "b")}

    assert first == second
    assert set(first) == {"trial-response.md", "trial-response.json"}
    assert not any(b"secret" in content for content in first.values())


def test_one_test_set_has_a_delong_interval_and_no_ties(store):
    add(store, "strong", 2.0, folds=1, protocol="holdout", cell_folds=1)

    (board,) = boards(store)

    assert board.rows[0].estimate("auc").method == "DeLong, logit scale"
    assert board.rows[0].tied_with_best is None


def test_an_unknown_suite_lists_those_there_are(store):
    add(store, "strong", 2.0)

    with pytest.raises(UsageError, match=r"E701(.|\n)*there are: suite"):
        boards(store, "other")


def outline(dataset, cohort):
    rows = [
        OutlineRow(label, 50, Estimate(value, None, None, ""), None, "")
        for label, value in (("ridge", 0.7), ("lasso", 0.6))
    ]
    return Outline(
        "suite", f"{dataset}-response", "response", "auc", "repeated_stratified", dataset, cohort,
        simulated=False, fingerprint=dataset, plan="p", refused=False, rows=rows,
    )  # fmt: skip


def test_datasets_of_the_same_patients_count_as_one_cohort():
    same = [outline("plasma", "study"), outline("serum", "study")]

    (two,) = across(same)
    (three,) = across([*same, outline("other", "other")])

    assert ranking_of(two) is None
    assert (ranking_of(three).datasets, ranking_of(three).clusters) == (3, 2)


def test_a_board_says_whose_patients_its_datasets_are(store):
    add(store, "ridge", 1.0)

    (alone,) = outlines(boards(store))

    assert (alone.dataset, alone.cohort) == ("trial", "trial")


def test_where_every_fold_differs_by_the_same_nothing_is_tested(store):
    """A perfect model and a constant one: half an AUC in each fold."""
    add(store, "perfect", 1000.0)
    add(store, "constant", 0.0, noise=0.0)
    add(store, "ordinary", 1.0)

    rows = {row.label: row for row in boards(store)[0].rows}

    assert rows["perfect"].tied_with_best
    assert (rows["constant"].tied_with_best, rows["constant"].p_against_best) == (None, None)
    assert rows["ordinary"].p_against_best < 0.01
