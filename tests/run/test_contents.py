"""A file whose seal is intact may hold what no run has written: it is named, never evaluated."""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.boards import about
from support.hostile.stores import EACH, FACTS, KEY, copied
from support.rules import add as add_rule

from cytobench.core.errors import StoreError
from cytobench.core.seal import BLANK, sealed
from cytobench.leaderboard.build import pages
from cytobench.run.store import RunStore
from cytobench.run.stored import METADATA, sealed_table

GONE = object()


@pytest.fixture
def store(tmp_path):
    """A store with a file of every kind."""
    return copied(tmp_path)


def again(path, *, record=None, columns=None):
    """Seal a file anew with fields or columns changed; `GONE` takes one away."""

    def changed(before, changes):
        after = {**before, **(changes or {})}
        return {name: value for name, value in after.items() if value is not GONE}

    if path.suffix == ".json":
        document = changed(json.loads(path.read_text()), {**(record or {}), "seal": BLANK})
        path.write_bytes(sealed(json.dumps(document).encode()))
        return
    table = pq.read_table(path)
    told = changed(json.loads(table.schema.metadata[METADATA]), record)
    kept = changed(dict(zip(table.column_names, table.columns, strict=True)), columns)
    path.write_bytes(sealed_table(pa.table(kept), {METADATA: json.dumps(told).encode()}))


def numbers(*values):
    return pa.array(values, pa.float64())


FOLD = f"{KEY}/fold-000.parquet"
FAULTS = {
    "fold of another number": (FOLD, {"record": {"fold": 1}}, "is of fold 1"),
    "fold in words": (FOLD, {"record": {"fold": "0"}}, "fold: expected a whole number"),
    "no trials": (FOLD, {"record": {"trials": GONE}}, "field 'trials'"),
    "a trial of another shape": (FOLD, {"record": {"trials": [{"n": 1}]}}, r"trials\[0\]"),
    "a field of the future": (FOLD, {"record": {"weights": []}}, "no such field"),
    "a huge number": (FOLD, {"record": {"n_train": 10**40}}, "n_train: expected a whole number"),
    "nobody in training": (FOLD, {"record": {"n_train": 0}}, "0 patients in training"),
    "a mean that is none": (FOLD, {"record": {"train_mean": "NaN"}}, "not finite"),
    "no threshold": (FOLD, {"record": {"threshold": GONE}}, "field 'threshold'"),
    "arms of no choice": (FOLD, {"record": {"arms": ["A", "B"]}}, "chooses an arm beyond"),
    "a prediction that is none": (
        FOLD, {"columns": {"prediction": numbers(0.1, math.nan, 0.2, 0.3)}}, "not finite",
    ),
    "a prediction beyond 1": (
        FOLD, {"columns": {"prediction": numbers(0.1, 1.5, 0.2, 0.3)}}, "no probability",
    ),
    "an outcome that is neither": (
        FOLD, {"columns": {"y": numbers(0, 1, 2, 1)}}, "neither 0 nor 1",
    ),
    "an empty cell": (FOLD, {"columns": {"y": numbers(0, 1, None, 1)}}, "y holds double or no"),
    "numbers as texts": (FOLD, {"columns": {"y": pa.array(["0"] * EACH)}}, "y holds string"),
    "no outcomes": (FOLD, {"columns": {"y": GONE}}, "lacks the column 'y'"),
    "a column of a stranger": (FOLD, {"columns": {"IL-6": numbers(1, 2, 3, 4)}}, "'IL-6'"),
    "more labels than folds": (
        f"{KEY}/cell.json", {"record": {"folds": 3}}, "3 folds and 2 labels",
    ),
    "no plan": (f"{KEY}/cell.json", {"record": {"plan": GONE}}, "field 'plan'"),
    "a task of another kind": (
        f"{KEY}/cell.json", {"record": {"task": {"name": "response", "kind": "x"}}}, "task.kind",
    ),
    "a model without a name": (
        f"{KEY}/cell.json", {"record": {"model": {"source": "s"}}}, "field 'name'",
    ),
    "a fold beside that there is not": (
        f"{KEY}/cell.json", {"record": {"beside": {"7": "x"}}}, "'7' is no fold",
    ),
    "an explanation of another fold": (
        f"{KEY}/explanation-001.json", {"record": {"fold": 0}}, "is of fold 0",
    ),
    "costs in words": (
        f"{KEY}/explanation-001.json", {"record": {"importance": {"auc": {"CRP": "x"}}}},
        "importance.auc.CRP",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_a_sealed_file_that_no_run_has_written_is_named_with_the_field(store, what):
    file, changes, said = FAULTS[what]
    again(store.root / file, **changes)

    with pytest.raises(StoreError, match=rf"E510.*{file}.*{said}(.|\n)*delete it"):
        store.read_cell(KEY)


def test_after_its_file_is_deleted_the_fold_is_missing_and_can_be_computed(store):
    again(store.root / FOLD, record={"fold": 1})
    (store.root / FOLD).unlink()

    assert store.finished(KEY) == {1}
    assert not store.read_cell(KEY).complete


def test_a_column_that_is_there_twice_is_not_taken_for_one(store):
    path = store.root / FOLD
    table = pq.read_table(path)
    twice = table.append_column("y", numbers(1, 0, 1, 0))
    path.write_bytes(sealed_table(twice, table.schema.metadata))

    with pytest.raises(StoreError, match=r"E510.*a column twice"):
        store.read_fold(KEY, 0)


def test_a_fold_beyond_the_plan_does_not_complete_a_cell(store):
    path = store.root / KEY / "fold-007.parquet"
    path.write_bytes((store.root / KEY / "fold-001.parquet").read_bytes())
    (store.root / KEY / "fold-001.parquet").unlink()
    again(path, record={"fold": 7})

    with pytest.raises(StoreError, match=r"E510.*fold-007.*the cell has 2 folds"):
        store.read_cell(KEY)


INNER = {
    "no outcomes": ({"y": GONE}, "no column 'y'"),
    "no trial": ({"0": GONE}, "no trial"),
    "a trial without a number": ({"best": numbers(1, 2, 3, 4)}, "'best' is no number"),
    "a trial with two names": ({"00": numbers(1, 2, 3, 4)}, "'00' is no number"),
    "no numbers": ({"0": numbers(0.1, math.nan, 0.2, 0.3)}, "no numbers"),
    "texts": ({"0": pa.array(["x"] * EACH)}, "holds string"),
}


@pytest.mark.parametrize("what", INNER)
def test_trials_that_no_run_has_written_are_named(store, what):
    columns, said = INNER[what]
    again(store.root / KEY / "inner-000.parquet", columns=columns)

    with pytest.raises(StoreError, match=rf"E510.*inner-000.*{said}"):
        store.read_inner(KEY, 0)


@pytest.mark.parametrize("rows", [0, EACH - 1])
def test_trials_of_other_patients_than_the_training_part_are_refused(store, rows):
    path = store.root / KEY / "inner-000.parquet"
    table = pq.read_table(path)
    path.write_bytes(sealed_table(table.slice(0, rows), table.schema.metadata))
    (store.root / "boards" / "suite" / "entry.json").unlink()

    with pytest.raises(StoreError, match=rf"E510.*is of {rows} patients"):
        pages(store)


def test_equal_cells_that_would_fill_the_memory_are_not_read(store):
    path = store.root / KEY / "inner-000.parquet"
    path.write_bytes(sealed_table(pa.table({"y": pa.nulls(100_000_001)}), {}))

    with pytest.raises(StoreError, match=r"E510.*100000001 cells"):
        store.read_inner(KEY, 0)


@pytest.mark.parametrize("arms", [["A"], ["A", "B", "C"], ["B", "C"]])
def test_a_choice_between_other_arms_is_refused(tmp_path, arms):
    store = RunStore(tmp_path / "runs")
    key = add_rule(store, "rule", lambda marker: (marker > 0).astype(float))
    again(store.root / key / "fold-000.parquet", record={"arms": arms})

    with pytest.raises(StoreError, match=r"E510.*fold-000.*arm"):
        store.read_cell(key)


DEEP = b'{"schema": 5, "fold": ' + b"[" * 100_000


@pytest.mark.parametrize("file", ["cell.json", "explanation-000.json"])
def test_a_document_of_endless_brackets_is_damaged(store, file):
    (store.root / KEY / file).write_bytes(DEEP)

    with pytest.raises(StoreError, match=rf"E510.*{file}"):
        store.read_cell(KEY)


STRAYS = (
    "fold-abc.parquet", "fold-001 (copy).parquet", "fold-0001.parquet", "fold-٠٠١.parquet",
    "fold-abc.failed.json", "fold-001.failed (1).json", "explanation-copy.json",
)  # fmt: skip


@pytest.mark.parametrize("name", STRAYS)
def test_a_copy_that_somebody_has_made_beside_a_file_is_no_result(store, name):
    before = store.finished(KEY), store.failures(KEY), repr(store.read_cell(KEY))
    kind = name.partition("-")[0]
    honest = next((store.root / KEY).glob(f"{kind}-*{name[name.index('.') :].split(' ')[0]}*"))
    (store.root / KEY / name).write_bytes(honest.read_bytes())

    assert (store.finished(KEY), store.failures(KEY), repr(store.read_cell(KEY))) == before


@pytest.mark.parametrize("record", [{"error": 3}, {"fold": 1}, {"more": "x"}, {"hint": []}])
def test_a_note_of_a_failure_that_no_run_has_written_is_still_a_failure(store, record):
    again(store.root / KEY / "fold-002.failed.json", record=record)

    (failure,) = store.failures(KEY)

    assert (failure.fold, failure.error[:6]) == (2, "[E510]")


def test_a_cell_that_is_described_wrongly_is_described_anew_by_its_run(store):
    again(store.root / KEY / "cell.json", record={"plan": 3})
    assert store.known(KEY) is None

    told = about("ridge", folds=2, test_labels=["", ""])
    store.open_cell(KEY, told, "suite", "entry", "slot")

    assert store.read_cell(KEY).complete


def test_aggregates_that_are_damaged_are_kept_anew(store):
    (store.root / "cohorts" / f"{FACTS}.json").write_bytes(DEEP)

    assert not store.has_cohort_facts(FACTS)
