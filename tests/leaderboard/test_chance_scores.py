"""Permuted cells find the row that they belong to, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.folds import one

from cytobench.core.result import FoldResult, InnerPredictions, Trial
from cytobench.leaderboard.build import boards
from cytobench.leaderboard.chance import null_scores, without_protocol
from cytobench.run.store import RunStore

ROWS, FOLDS = 100, 5
ENTRY = ("suite", "trial-response")


def about(model="ridge", permutation=0, *, protocol=None, seed=0, source="s" * 64, **task):
    return {
        "folds": FOLDS,
        "model": {"name": model, "role": "model", "summary": "", "source": source},
        "dataset": {
            "name": "trial",
            "summary": "A trial",
            "kind": "real",
            "caveat": "",
            "fingerprint": "f" * 64,
        },
        "task": {"name": "response", "kind": "classification", "meaning": "responded", **task},
        "n": ROWS,
        "events": ROWS // 2,
        "outcome_mean": 0.5,
        "protocol": {"name": "repeated_stratified", "claim": "new patients"} | (protocol or {}),
        "plan": "p" * 64 if permutation == 0 else f"plan of permutation {permutation}",
        "permutation": permutation,
        "test_labels": [f"site {fold}" for fold in range(FOLDS)],
        "notes": [],
        "config": {
            "model": {"name": model},
            "preprocess": {},
            "tuning": {"sampler": "none", "trials": 0, "seconds": None, "metric": "log_loss"},
            "seed": seed,
            "device": "cpu",
        },
        "versions": {"cytobench": "1"},
    }


def fold_of(number: int, signal: float, noise: int) -> FoldResult:
    y = (np.arange(ROWS) % 2).astype(float)
    score = signal * (y - 0.5) + np.random.default_rng(noise).normal(size=ROWS)
    rows = np.arange(ROWS // FOLDS) + number * (ROWS // FOLDS)
    return one(1 / (1 + np.exp(-score)), y, rows, 0, None, 0.5, "p", number)


def add(store, key, *, signal=0.0, noise=0, folds=FOLDS, **changes):
    said = about(**changes)
    permutation = said["permutation"]
    store.open_cell(key, said, *ENTRY, key, permuted=permutation > 0)
    written = [fold_of(number, signal, noise) for number in range(folds)]
    for fold in written:
        store.write_fold(key, fold)
    return written


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


def of_store(store, *keys):
    return null_scores(store, *ENTRY, [store.read_cell(key) for key in keys])


def mean_auc(folds):
    from sklearn.metrics import roc_auc_score

    return np.mean(
        [roc_auc_score(fold.predictions.y, fold.predictions.prediction) for fold in folds]
    )


def test_scores_go_to_their_row_by_number(store):
    add(store, "observed", signal=2)
    first = add(store, "one", noise=1, permutation=1)
    second = add(store, "two", noise=2, permutation=2)

    found = of_store(store, "observed")

    assert set(found) == {"observed"}
    assert found["observed"] == pytest.approx({1: mean_auc(first), 2: mean_auc(second)})


@pytest.mark.parametrize("text", ["{}", "[]", "[" * 100_000, '{"auc": "x"}', '{"auc": "NaN"}', "1"])
def test_a_kept_score_that_is_none_is_computed_again(store, text):
    add(store, "observed", signal=2)
    one = add(store, "one", noise=1, permutation=1)
    store.keep_derived("one", "headline", text)

    assert of_store(store, "observed")["observed"] == pytest.approx({1: mean_auc(one)})


@pytest.mark.parametrize(
    "difference",
    [
        {"model": "forest"},
        {"seed": 1},
        {"source": "t" * 64},
        {"protocol": {"repeats": 3}},
        {"minimum_reduction": 0.4},
    ],
)
def test_permutations_of_another_procedure_are_not_counted(store, difference):
    add(store, "observed", signal=2)
    add(store, "one", permutation=1, **difference)

    assert of_store(store, "observed") == {}


def test_an_unfinished_permutation_is_not_counted(store):
    add(store, "observed", signal=2)
    add(store, "one", permutation=1, folds=FOLDS - 1)

    assert of_store(store, "observed") == {}


def test_a_score_is_kept_once_computed(store):
    add(store, "observed", signal=2)
    add(store, "one", noise=1, permutation=1)
    first = of_store(store, "observed")

    for path in (store.root / "one").glob("fold-*.parquet"):
        path.unlink()

    assert of_store(store, "observed") == first


def test_permuted_cells_are_never_rows_and_give_the_row_its_p_value(store):
    add(store, "observed", signal=2)
    for number in range(1, 20):
        add(store, f"permuted-{number}", noise=number, permutation=number)

    (board,) = boards(store)

    assert len(board.rows) == 1
    assert board.rows[0].chance.permutations == 19
    assert board.rows[0].chance.p == pytest.approx(1 / 20)
    assert board.rows[0].chance.null_mean == pytest.approx(0.5, abs=0.06)


def test_a_family_is_made_of_models_permuted_together(store):
    add(store, "observed", signal=2)
    add(store, "other", signal=0, noise=50, model="forest")
    for number in range(1, 10):
        add(store, f"a{number}", noise=number, permutation=number)
        add(store, f"b{number}", noise=100 + number, permutation=number, model="forest")

    (board,) = boards(store)

    tests = {row.label: row.chance for row in board.rows}
    assert tests["ridge"].family_p == pytest.approx(1 / 10)
    assert tests["forest"].family_p >= tests["forest"].p > 0.1


def test_the_same_procedure_under_another_protocol_is_recognised():
    first, second = about(), about(protocol={"name": "bootstrap"})

    assert without_protocol(first) == without_protocol(second)
    assert without_protocol(first) != without_protocol(about(seed=1))


def test_with_sites_the_observed_score_is_the_statistic_that_was_permuted(store):
    """With the very same predictions in every permutation p must be 1."""
    sites = {"name": "leave_one_site_out"}
    for seed in range(4):
        add(store, f"row{seed}", signal=1, noise=seed, protocol=sites, model=f"m{seed}")
        add(
            store,
            f"null{seed}",
            signal=1,
            noise=seed,
            protocol=sites,
            model=f"m{seed}",
            permutation=1,
        )

    (board,) = boards(store)

    assert [row.chance.p for row in board.rows] == [1.0] * 4


@pytest.mark.parametrize(
    ("protocol", "asked"),
    [
        ("repeated_stratified", True),
        ("bootstrap", False),
    ],
)
def test_bbc_cv_is_not_made_of_copies(store, protocol, asked):
    """Copies in the resample and left out of it: on noise 0.54 where it should say 0.49."""
    store.open_cell("one", about(protocol={"name": protocol}), *ENTRY, "one")
    draw = np.random.default_rng(0)
    for number in range(FOLDS):
        inner = InnerPredictions(
            (np.arange(40) % 2).astype(float).tolist(),
            {trial: draw.random(40).tolist() for trial in range(2)},
        )
        trials = [Trial(trial, {"C": trial}, 0.7, 0.1) for trial in range(2)]
        fold = replace(fold_of(number, 1, number), trials=trials, inner=inner, n_train=40)
        store.write_fold("one", fold)

    (board,) = boards(store, thorough=True)

    assert (board.rows[0].selection is not None) == asked
