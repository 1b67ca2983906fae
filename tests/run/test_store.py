"""The run store: whole files only, what was written is read back, damage is named."""

import json
import math

import pytest

from cytobench.core.errors import StoreError
from cytobench.core.result import FoldFailure, FoldResult, Predictions, Trial
from cytobench.run.store import RunStore


def a_fold(fold=3, **changes):
    predictions = Predictions(
        patient=["ab", "cd"],
        y=[0.0, 1.0],
        prediction=[0.1, 0.30000000000000004],
        arm=["A", ""],
        site=["", ""],
        truth=[math.nan, 0.5],
    )
    arguments = {
        "fold": fold,
        "repeat": 0,
        "n_train": 8,
        "predictions": predictions,
        "params": {"C": 0.1, "kernel": None},
        "trials": [Trial(0, {"C": 0.1}, 0.6, 0.01), Trial(1, {"C": 9.0}, None, 0.01, "singular")],
        "threshold": 0.5,
        "train_mean": 0.4,
        "timings": {"fit": 0.1},
        "features": ["TNF-α"],
        "versions": {"numpy": "2"},
        **changes,
    }
    return FoldResult(**arguments)


def test_a_fold_is_read_back_to_the_last_bit(tmp_path):
    store = RunStore(tmp_path)
    store.write_fold("key", a_fold())

    again = store.read_fold("key", 3)

    assert store.finished("key") == {3}
    assert again.predictions.prediction == [0.1, 0.30000000000000004]
    assert math.isnan(again.predictions.truth[0])
    assert again.trials == [*a_fold().trials]
    assert (again.params, again.features) == (a_fold().params, a_fold().features)


def test_a_failure_is_never_a_result_and_goes_when_the_fold_succeeds(tmp_path):
    store = RunStore(tmp_path)
    store.write_failure("key", FoldFailure(3, "ValueError: no", "x.py:1", "Traceback ..."))

    assert store.finished("key") == set()
    assert store.failures("key")[0].error == "ValueError: no"

    store.write_fold("key", a_fold())

    assert store.failures("key") == []


def test_a_half_written_file_does_not_count(tmp_path, monkeypatch):
    store = RunStore(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=r"E512.*No space left"):
        store.write_fold("key", a_fold())

    assert store.finished("key") == set()
    assert list((tmp_path / "key").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PAR1 rubbish", None])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    store = RunStore(tmp_path)
    store.write_fold("key", a_fold())
    path = tmp_path / "key" / "fold-003.parquet"
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)

    with pytest.raises(StoreError, match=r"E510.*fold-003\.parquet(.|\n)*its command again"):
        store.read_fold("key", 3)


def test_the_salt_is_drawn_once_and_differs_between_stores(tmp_path):
    first, second = RunStore(tmp_path / "a"), RunStore(tmp_path / "b")

    assert first.salt() == RunStore(tmp_path / "a").salt()
    assert first.salt() != second.salt()


def test_a_store_whose_salt_is_gone_does_not_give_patients_a_second_name(tmp_path):
    store = RunStore(tmp_path)
    store.salt()
    store.write_fold("key", a_fold())
    (tmp_path / "salt").unlink()

    with pytest.raises(StoreError, match="E513"):
        store.salt()

    assert not (tmp_path / "salt").exists()
    assert store.identity == RunStore(tmp_path).identity, "it can still be mirrored"


def test_what_is_stored_of_an_error_names_no_folder_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    store = RunStore(tmp_path)
    trace = 'File "/home/somebody/study/plugins/models/x.py", line 3'
    failed = Trial(2, {"C": 1.0}, None, 0.01, trace)

    store.write_failure("key", FoldFailure(4, "ValueError: no", trace, trace))
    store.write_fold("key", a_fold(trials=[failed], warnings=[f"UserWarning: {trace}"]))

    (failure,), fold = store.failures("key"), store.read_fold("key", 3)
    said = [failure.where, failure.traceback, fold.trials[0].error, *fold.warnings]
    assert all("~/study/plugins/models/x.py" in text for text in said)
    assert not any("/home/somebody" in text for text in said)


def test_a_slot_points_to_the_cell_that_was_asked_for_last(tmp_path):
    store = RunStore(tmp_path)
    for key in ("old", "new"):
        store.open_cell(key, {"folds": 1}, "suite", "entry", "slot")

    assert store.entries() == {"suite": {"entry": ["new"]}}
    assert json.loads((tmp_path / "old" / "cell.json").read_text())["folds"] == 1
