"""The run store: whole files only, what was written is read back, damage is named."""

import json
import math
import random
from contextlib import suppress

import pytest
from support.boards import about

from cytobench.core.errors import StoreError
from cytobench.core.result import FoldFailure, FoldResult, InnerPredictions, Predictions, Trial
from cytobench.run.store import RunStore

TWO_FOLDS = about("ridge", folds=2, test_labels=["", ""])


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


def whole(result):
    """A fold as it is compared: NaN is equal to itself."""
    return repr(result)


@pytest.fixture
def stored(tmp_path):
    """A store with two folds of a cell, each with its trials' predictions."""
    store = RunStore(tmp_path)
    store.open_cell("key", TWO_FOLDS, "suite", "entry", "slot")
    for fold in (0, 1):
        inner = InnerPredictions([0.0, 1.0], {0: [0.2, 0.7]})
        store.write_fold("key", a_fold(fold, inner=inner))
    return store


@pytest.mark.parametrize("name", ["fold-000.parquet", "inner-000.parquet"])
def test_any_changed_bit_of_a_fold_is_noticed_and_the_fold_is_missing_again(stored, name):
    path = stored.root / "key" / name
    content = path.read_bytes()
    read = stored.read_fold if name.startswith("fold") else stored.read_inner
    before = whole(read("key", 0))
    draw = random.Random(0)
    for _ in range(300):
        changed = bytearray(content)
        changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        with suppress(StoreError):
            assert whole(read("key", 0)) == before, "a change of nothing but the seal's own words"

    path.write_bytes(content[:-9])
    (damaged,) = stored.mend("key")

    assert damaged.where == str(path)
    assert stored.finished("key") == {1}
    assert stored.mend("key") == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"folds": NaN}', b"\xff\xfe"])
def test_a_damaged_description_is_noticed_and_written_anew(stored, content):
    (stored.root / "key" / "cell.json").write_bytes(content)

    with pytest.raises(StoreError, match="E510"):
        stored.about("key")
    (damaged,) = stored.mend("key")
    stored.open_cell("key", TWO_FOLDS, "suite", "entry", "slot")

    assert damaged.code == "E510"
    assert stored.about("key")["folds"] == 2
    assert stored.finished("key") == {0, 1}, "what is sound stays"


def test_a_damaged_note_of_a_failure_is_still_a_failure(stored):
    stored.write_failure("key", FoldFailure(7, "ValueError: no", "x.py:1", ""))
    (stored.root / "key" / "fold-007.failed.json").write_bytes(b"{")

    (failure,) = stored.failures("key")

    assert failure.fold == 7
    assert "E510" in failure.error


def test_a_damaged_marker_is_named_and_not_taken_for_a_cell(stored):
    (stored.root / "index" / "suite" / "entry" / "slot").write_bytes(b"\xff\0")

    with pytest.raises(StoreError, match=r"E510.*slot: .*names no cell"):
        stored.entries()
    stored.open_cell("key", TWO_FOLDS, "suite", "entry", "slot")

    assert stored.entries() == {"suite": {"entry": ["key"]}}


def test_what_was_derived_and_damaged_is_derived_again(stored):
    stored.keep_derived("key", "headline", '{"auc": 0.7}')
    assert stored.derived("key", "headline") == '{"auc": 0.7}'

    (path,) = (stored.root / "key").glob("derived-*")
    path.write_bytes(path.read_bytes().replace(b"0.7", b"0.9"))

    assert stored.derived("key", "headline") is None


@pytest.mark.parametrize(
    "damage", [lambda salt: b"", lambda salt: salt[:31], lambda salt: b"0" * 40]
)
def test_a_damaged_salt_is_refused(tmp_path, damage):
    RunStore(tmp_path).salt()
    path = tmp_path / "salt"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(StoreError, match="E513"):
        RunStore(tmp_path).salt()


def test_files_that_were_written_before_they_were_sealed_are_read(stored, monkeypatch):
    path = stored.root / "key" / "cell.json"
    document = json.loads(path.read_text())
    del document["seal"]
    path.write_text(json.dumps(document))

    assert stored.about("key")["folds"] == 2
    assert stored.mend("key") == []
