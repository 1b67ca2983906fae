"""Stores that older releases have written are read, and those of newer ones refused.

``stores/v1`` to ``v4`` were written by the code of their time: one model on forty simulated
patients in two folds, without the salt.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.toy import TOY_MODELS, write_plugins

from cytobench.core.errors import StoreError
from cytobench.core.result import SCHEMA_VERSION
from cytobench.core.seal import sealed
from cytobench.leaderboard.build import boards
from cytobench.leaderboard.render import to_json
from cytobench.run.store import RunStore
from cytobench.run.stored import METADATA
from cytobench.run.versioned import completed, stamped

STORES = Path(__file__).parent / "stores"
VERSIONS = range(1, SCHEMA_VERSION)


def copied(version, tmp_path):
    """A store of a version, and the key of its cell."""
    shutil.copytree(STORES / f"v{version}", tmp_path / "runs")
    store = RunStore(tmp_path / "runs")
    ((_, entries),) = store.entries().items()
    ((_, (key,)),) = entries.items()
    return store, key


def newer(path):
    """The file as a newer release would have written it."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        record = {**json.loads(table.schema.metadata[METADATA]), "schema": SCHEMA_VERSION + 1}
        metadata = {**table.schema.metadata, METADATA: json.dumps(record)}
        pq.write_table(table.replace_schema_metadata(metadata), path)
    else:
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "schema": SCHEMA_VERSION + 1}))
    path.write_bytes(sealed(path.read_bytes()))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_an_older_version_is_read(version, tmp_path):
    store, key = copied(version, tmp_path)

    cell = store.read_cell(key)

    assert json.loads((tmp_path / "runs" / key / "cell.json").read_text())["schema"] == version
    assert cell.complete
    assert sum(len(fold.predictions.patient) for fold in cell.folds) == 40
    assert all(len(fold.trials) == 2 and fold.threshold is not None for fold in cell.folds)
    assert (store.read_inner(key, 0) is None) == (version == 1), "version 1 had none"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_board_is_made_of_an_older_store(version, tmp_path):
    store, _ = copied(version, tmp_path)

    (board,) = boards(store, None, [], thorough=True)

    (row,) = json.loads(to_json(board))["rows"]
    assert (row["model"]["name"], row["n"], row["folds"]) == ("elastic_net", 40, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_cell_has_every_field_of_a_present_one(version, tmp_path):
    store, key = copied(version, tmp_path)
    reference = json.loads(next((STORES / "v4").glob("*/cell.json")).read_text())

    about = store.about(key)

    assert about.keys() >= reference.keys()
    for part in ("dataset", "task", "protocol", "config"):
        assert about[part].keys() == reference[part].keys()
    for part in ("preprocess", "tuning"):
        assert about["config"][part].keys() == reference["config"][part].keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_reading_changes_no_file(version, tmp_path):
    store, key = copied(version, tmp_path)
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}

    store.read_cell(key)
    store.read_inner(key, 0)

    assert before == {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}


def test_aggregates_that_name_small_groups_are_made_anew(tmp_path):
    store, key = copied(4, tmp_path)
    fingerprint = store.about(key)["dataset"]["fingerprint"]

    assert (store.root / "cohorts" / f"{fingerprint}.json").exists()
    assert store.cohort_facts(fingerprint) is None
    assert not store.has_cohort_facts(fingerprint)

    store.keep_cohort_facts(fingerprint, {"n": 40})

    assert store.cohort_facts(fingerprint) == {"n": 40}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A working directory with a store of this release, which has a file of every kind."""
    folder = tmp_path_factory.mktemp("present")
    write_plugins(folder, TOY_MODELS)
    words = ["dataset=toy", "model=toy_ridge", "floors=[]", "explain=true", "tracking=none"]
    fewer = ["protocol.folds=2", "protocol.repeats=1", "tuning.trials=2", "engine=serial"]
    subprocess.run(
        [sys.executable, "-m", "cytobench", "run", *words, *fewer],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def present(written, working_directory):
    """A copy of it, and the key of its cell."""
    shutil.copytree(written, working_directory, dirs_exist_ok=True)
    store = RunStore(working_directory / "runs")
    (entries,) = store.entries().values()
    ((key,),) = entries.values()
    return store, key


def test_every_file_of_a_store_states_its_version_or_lies_in_a_folder_that_does(present):
    store, key = present
    stated = {}
    for path in (store.root / key).iterdir():
        if path.suffix == ".parquet":
            stated[path.name] = json.loads(pq.read_schema(path).metadata[METADATA])["schema"]
        else:
            stated[path.name] = json.loads(path.read_text())["schema"]
    (facts,) = (store.root / "cohorts").iterdir()
    stated["facts"] = json.loads(facts.read_text())["schema"]
    stated["store.json"] = json.loads((store.root / "store.json").read_text())["schema"]

    assert set(stated.values()) == {SCHEMA_VERSION}
    assert {name.partition("-")[0] for name in stated} >= {"fold", "inner", "explanation"}


READERS = {
    "cell.json": lambda store, key: store.about(key),
    "fold-000.parquet": lambda store, key: store.read_fold(key, 0),
    "inner-000.parquet": lambda store, key: store.read_inner(key, 0),
    "explanation-000.json": lambda store, key: store.read_cell(key),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_a_newer_version_is_refused_with_what_to_do(name, present):
    store, key = present
    newer(store.root / key / name)

    with pytest.raises(StoreError, match=r"E511.*newer cytobench(.|\n)*upgrade: pip install"):
        READERS[name](store, key)


def test_a_store_of_a_newer_version_is_refused_before_anything_is_written(present, cytobench):
    store, _ = present
    newer(store.root / "store.json")

    words = ["dataset=toy", "model=toy_ridge", "floors=[]", "tracking=none", "seed=2"]
    done = cytobench("run", *words, check=False)

    assert done.returncode == 1
    assert "[E511]" in done.stderr
    assert "upgrade" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("version", [0, -1, "5", None, True, 5.0])
def test_a_version_that_there_has_never_been_is_refused(version):
    with pytest.raises(StoreError, match=r"E511.*no version"):
        completed({"schema": version}, "cell.json")


def test_a_document_keeps_what_it_says_when_it_is_stamped():
    assert stamped({"a": 1}) == {"schema": SCHEMA_VERSION, "a": 1}
