"""``cytobench verify``: a fold that was run again is the one that was stored, or what differs."""

import json
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from support.toy import TOY_MODELS, write_plugins

from cytobench.core.seal import sealed
from cytobench.run.store import RunStore
from cytobench.run.stored import METADATA

WORDS = ("dataset=toy", "model=toy_ridge,toy_network", "floors=[]", "tracking=none")
FEWER = ("protocol.folds=3", "protocol.repeats=1", "tuning.trials=3", "engine=serial")
NETWORK = '''
    """A small random forest, whose randomness is seeded."""
    from cytobench import Int, model


    @model(space={"depth": Int(1, 4)})
    def toy_network(depth=2, random_state=None):
        """Trees."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(10, max_depth=depth, random_state=random_state)
'''


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A working directory with two finished cells."""
    folder = tmp_path_factory.mktemp("verified")
    models = {**TOY_MODELS, "toy_network": NETWORK}
    write_plugins(folder, models)
    subprocess.run(
        [sys.executable, "-m", "cytobench", "run", *WORDS, *FEWER],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def finished(written, working_directory):
    """A copy of it: the store, and the key of each model's cell."""
    shutil.copytree(written, working_directory, dirs_exist_ok=True)
    store = RunStore(working_directory / "runs")
    ((entry, keys),) = store.entries()["adhoc"].items()
    return store, entry, {store.about(key)["model"]["name"]: key for key in keys}


def altered(store, key, fold, change):
    """A fold's file with another record."""
    path = store.root / key / f"fold-{fold:03d}.parquet"
    table = pq.read_table(path)
    record = json.loads(table.schema.metadata[METADATA])
    change(record)
    metadata = {**table.schema.metadata, METADATA: json.dumps(record)}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    seal_again(path)


def seal_again(path):
    """The checksum that whoever altered a file on purpose would put into it."""
    path.write_bytes(sealed(path.read_bytes()))


def replaced(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_fold_is_the_same_to_the_last_bit(finished, cytobench):
    _, entry, _ = finished

    done = cytobench("verify", entry, "--all")

    assert done.stdout.count("the same to the last bit") == 6
    assert f"toy_ridge in adhoc/{entry}: same" in done.stdout
    assert "nothing that matters has changed since" in done.stdout


def test_a_cell_is_named_by_its_folder_its_key_or_its_entry(finished, cytobench):
    _, entry, keys = finished
    key = keys["toy_ridge"]

    for name in (f"runs/{key}", key, key[:6], f"{entry}/toy_ridge", f"adhoc/{entry}/toy_ridge"):
        (record,) = json.loads(cytobench("verify", name, "--fold", "1", "--json").stdout)
        assert (record["cell"], record["same"]) == (key, True), name
        assert record["folds"] == [{"fold": 1, "same": True, "differs": []}], name


def test_the_seed_draws_the_fold(finished, cytobench):
    _, _, keys = finished

    def drawn(seed):
        done = cytobench("verify", keys["toy_ridge"], "--seed", str(seed), "--json")
        return json.loads(done.stdout)[0]["folds"][0]["fold"]

    assert drawn(0) == drawn(0)
    assert len({drawn(seed) for seed in range(6)}) > 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["params"].update(C=7.0), 'params: {"C":7.0}, here {"C":'),
        (lambda it: it.update(threshold=0.123), "threshold: 0.123, here 0."),
        (lambda it: it["trials"][1].update(score=0.5), "the search, from its trial 1 on"),
        (lambda it: it.update(train_mean=0.5), "train_mean: 0.5, here 0."),
    ],
)
def test_a_record_that_was_altered_is_different_and_what_differs_is_named(
    change, said, finished, cytobench
):
    store, _, keys = finished
    altered(store, keys["toy_ridge"], 2, change)

    done = cytobench("verify", keys["toy_ridge"], "--fold", "2", check=False)

    assert done.returncode == 1
    assert said in done.stdout


def test_a_prediction_that_was_altered_in_its_last_bit_is_different(finished, cytobench):
    import math

    import pyarrow as pa

    store, _, keys = finished
    path = store.root / keys["toy_ridge"] / "fold-000.parquet"
    table = pq.read_table(path)
    values = table["prediction"].to_pylist()
    values[3] = math.nextafter(values[3], 1.0)
    place = table.schema.get_field_index("prediction")
    pq.write_table(table.set_column(place, "prediction", pa.array(values)), path)
    seal_again(path)

    done = cytobench("verify", keys["toy_ridge"], "--fold", "0", check=False)

    assert done.returncode == 1
    assert "fold 0: 1 of 30 predictions, by up to" in done.stdout


def test_a_plugin_that_was_changed_is_named_and_its_fold_is_different(
    finished, cytobench, working_directory
):
    _, entry, _ = finished
    file = working_directory / "plugins" / "models" / "toy_network.py"
    replaced(file, "RandomForestClassifier(10", "RandomForestClassifier(11")

    done = cytobench("verify", f"{entry}/toy_network", check=False)

    assert done.returncode == 1
    assert "the plugin's source is another here" in done.stdout
    assert "predictions, by up to" in done.stdout


def test_a_comment_changes_the_plugin_but_no_number(finished, cytobench, working_directory):
    _, entry, _ = finished
    replaced(working_directory / "plugins" / "models" / "toy_ridge.py", "Ridge", "Plain ridge")

    done = cytobench("verify", f"{entry}/toy_ridge")

    assert "toy_ridge in adhoc" in done.stdout
    assert "the same to the last bit" in done.stdout
    assert "the plugin's source is another here" in done.stdout


def test_a_cohort_that_was_changed_is_different_without_a_fit(
    finished, cytobench, working_directory
):
    _, entry, _ = finished
    replaced(working_directory / "plugins" / "datasets" / "toy.py", "normal(40", "normal(41")

    done = cytobench("verify", entry, check=False)

    assert done.returncode == 1
    assert "the cohort is another here: fingerprint" in done.stdout
    assert "fold" not in done.stdout


def test_another_environment_is_named(finished, cytobench):
    store, _, keys = finished

    def elsewhere(record):
        record["environment"] |= {"cpu": "Another 9000", "pandas": "2.0"}

    altered(store, keys["toy_ridge"], 0, elsewhere)
    path = store.root / keys["toy_ridge"] / "cell.json"
    about = json.loads(path.read_text())
    about["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(about))
    seal_again(path)

    done = cytobench("verify", keys["toy_ridge"], "--fold", "0")

    assert "numpy 1.0, here" in done.stdout
    assert "cpu Another 9000, here" in done.stdout
    assert "pandas 2.0, here" in done.stdout


def test_a_copy_without_its_salt_is_verified_by_everything_but_names(finished, cytobench):
    store, _, keys = finished
    (store.root / "salt").unlink()

    assert "the same to the last bit" in cytobench("verify", keys["toy_ridge"]).stdout
    assert not (store.root / "salt").exists()


def test_a_fold_that_never_ends_is_stopped(finished, cytobench, working_directory):
    _, entry, _ = finished
    file = working_directory / "plugins" / "models" / "toy_ridge.py"
    replaced(file, "from sklearn", "import time; time.sleep(600)\n    from sklearn")

    done = cytobench("verify", f"{entry}/toy_ridge", "--fold-seconds", "3", check=False)

    assert done.returncode == 2
    assert "[E142] toy_ridge in adhoc" in done.stderr
    assert "[E241] the fold took longer than 3 s" in done.stderr


def test_a_limit_that_is_not_reached_changes_nothing(finished, cytobench):
    _, entry, _ = finished

    done = cytobench("verify", f"{entry}/toy_network", "--fold-seconds", "300")

    assert "the same to the last bit" in done.stdout


def test_what_cannot_be_verified_is_refused_with_a_code(finished, cytobench, working_directory):
    store, entry, keys = finished
    older = store.root / keys["toy_network"] / "cell.json"
    about = json.loads(older.read_text())
    del about["asked"]
    older.write_text(json.dumps(about))
    seal_again(older)
    (working_directory / "plugins" / "models" / "toy_ridge.py").unlink()

    said = {
        "nothing": "[E141] runs: no finished cell is called 'nothing'",
        f"{entry}/toy_ridge": "[E142] toy_ridge in adhoc",
        f"{entry}/toy_network": "was stored by a release that did not keep how it was asked for",
    }
    for name, message in said.items():
        done = cytobench("verify", name, check=False)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr


def test_code_that_a_store_names_is_imported_only_where_somebody_vouches_for_it(
    finished, cytobench, working_directory
):
    store, _, keys = finished
    path = store.root / keys["toy_ridge"] / "cell.json"
    about = json.loads(path.read_text())
    about["asked"]["model"] = {"name": "toy_ridge", "_target_": "from_elsewhere.make"}
    path.write_text(json.dumps(about))
    seal_again(path)
    trap = "from pathlib import Path\n\nPath('sprung').touch()\nmake = None\n"
    (working_directory / "from_elsewhere.py").write_text(trap)
    sprung = working_directory / "sprung"

    done = cytobench("verify", keys["toy_ridge"], check=False)

    assert (done.returncode, sprung.exists()) == (2, False)
    assert "[E142]" in done.stderr
    assert "names code to import, from_elsewhere.make" in done.stderr

    cytobench("verify", keys["toy_ridge"], "--trust", check=False)

    assert sprung.exists(), "with --trust it is imported: the trap is one"


@pytest.mark.parametrize(
    ("words", "code"), [(("--fold", "9"), "E142"), (("--fold-seconds", "-1"), "E115")]
)
def test_a_mistaken_option_is_a_usage_error(words, code, finished, cytobench):
    _, _, keys = finished

    done = cytobench("verify", keys["toy_ridge"], *words, check=False)

    assert done.returncode == 2
    assert f"[{code}]" in done.stderr
