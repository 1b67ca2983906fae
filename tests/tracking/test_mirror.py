from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from cytobench.core.errors import CytobenchError
from cytobench.core.result import FoldFailure
from cytobench.evaluate.scores import Scores
from cytobench.tracking import Mirror
from cytobench.tracking.record import CELL
from cytobench.tracking.view import TAG

NAME = "quickstart/toy-response"

# MLflow 3.17 uses what SQLAlchemy 2.1 is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def mirror(store, config):
    return Mirror(store, config)


@pytest.fixture
def client(config):
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{Path('mlflow.db').resolve()}")


def runs_in(client, name=NAME):
    experiment = client.get_experiment_by_name(name)
    return client.search_runs([experiment.experiment_id], order_by=["attributes.run_name"])


def only_run(client):
    (run,) = runs_in(client)
    return run


def test_a_cell_becomes_one_finished_run(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    run = only_run(client)
    assert run.info.run_name == "toy_ridge"
    assert run.info.status == "FINISHED"
    assert run.data.tags[CELL] == "k1"


def test_metrics_are_few_and_agree_with_the_leaderboard(mirror, client, write_cell, store):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    metrics = only_run(client).data.metrics
    auc = Scores("classification", "repeated_stratified", store.read_cell("k1").folds).estimate(
        "auc"
    )
    assert set(metrics) == {
        "AUC", "AUC lower", "AUC upper", "Brier", "log-loss", "balanced accuracy", "s per fold",
        "calibration slope", "net benefit",
        "fold/AUC", "fold/Brier", "fold/seconds",
    }  # fmt: skip
    assert metrics["AUC"] == round(auc.value, 4)
    assert metrics["AUC lower"] == round(auc.low, 4)
    assert metrics["AUC upper"] == round(auc.high, 4)
    assert metrics["s per fold"] == pytest.approx(0.26)


def test_folds_are_the_steps_of_a_series(mirror, client, write_cell, store):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    history = client.get_metric_history(only_run(client).info.run_id, "fold/AUC")
    expected = Scores("classification", "repeated_stratified", store.read_cell("k1").folds)
    assert [item.step for item in history] == [0, 1, 2, 3]
    assert [item.value for item in history] == pytest.approx(expected.by_fold["auc"], abs=1e-4)


def test_params_say_what_was_fixed_and_what_tuning_chose(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    assert only_run(client).data.params == {
        "model": "toy_ridge",
        "protocol": "repeated stratified",
        "folds": "4",
        "preprocess": "standard",
        "seed": "0",
        "tuning.sampler": "tpe",
        "tuning.trials": "2",
        "tuning.metric": "log_loss",
        "model.tol": "0.01",
        "chosen.C": "2.5 (1 to 4)",
        "chosen.kernel": "rbf (3 of 4 folds)",
    }


def test_tags_tell_where_the_numbers_come_from(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    tags = only_run(client).data.tags
    expected = {
        "suite": "quickstart",
        "entry": "toy-response",
        "dataset": "toy",
        "fingerprint": "f" * 12,
        "splits": "a" * 12,
        "plugin source": "5" * 12,
        "git commit": "abc123",
        "task": "response",
        "protocol": "repeated_stratified",
        "role": "model",
        "n": "40",
    }
    assert expected.items() <= tags.items()
    assert "cytobench run model=toy_ridge" in tags["mlflow.note.content"]
    assert "doi.org/10.1000/toy_ridge" in tags["mlflow.note.content"]


def test_the_dataset_is_an_input(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    (given,) = only_run(client).inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == ("toy", "f" * 12)
    assert given.dataset.source_type == "simulated"
    assert json.loads(given.dataset.profile)["events"] == 20


def test_the_experiment_explains_itself_and_opens_with_a_view(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    experiment = client.get_experiment_by_name(NAME)
    assert "Simulated patients" in experiment.tags["mlflow.note.content"]
    assert "40 patients, 20 of them with the outcome" in experiment.tags["mlflow.note.content"]
    assert TAG in experiment.tags
    assert experiment.artifact_location == (Path.cwd() / "mlartifacts" / NAME).as_uri()


def test_artifacts_are_figures_and_tables(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    run = only_run(client).info.run_id
    top = {item.path for item in client.list_artifacts(run)}
    figures = {item.path for item in client.list_artifacts(run, "figures")}
    assert top == {"figures", "folds.csv", "numbers.csv", "report.html", "trials.csv"}
    names = ("roc", "calibration", "decision", "risks")
    assert figures == {f"figures/{name}.svg" for name in names}
    folds = Path(client.download_artifacts(run, "folds.csv")).read_text(encoding="utf-8")
    assert folds.splitlines()[0].startswith("fold,repeat,n train,n test,AUC,Brier")
    assert len(folds.splitlines()) == 5


def test_no_patient_reaches_mlflow(mirror, write_cell, working_directory):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    written = [working_directory / "mlflow.db", *working_directory.glob("mlartifacts/**/*.csv")]
    for path in written:
        content = path.read_bytes()
        assert b"pseudonym" not in content
        assert b"patient-7" not in content  # quoted by the message of a failed trial
        assert b"/home/someone" not in content


def test_the_same_cell_again_changes_nothing(mirror, client, write_cell, store, config):
    key = write_cell("toy_ridge", "k1")
    mirror.write(key, "quickstart", "toy-response")
    before = only_run(client)
    mirror.write(key, "quickstart", "toy-response")
    Mirror(store, config).write(key, "quickstart", "toy-response")  # another session
    assert only_run(client).to_dictionary() == before.to_dictionary()


def test_an_incomplete_run_is_replaced(mirror, client, write_cell, store, config):
    key = write_cell("toy_ridge", "k1", done=3)
    store.write_failure(key, FoldFailure(3, "ValueError: patient-7 is odd", "plugin.py:3", ""))
    mirror.write(key, "quickstart", "toy-response")
    run = only_run(client)
    assert run.info.run_name == "toy_ridge (3 of 4 folds)"
    assert run.info.status == "FAILED"
    assert "AUC" not in run.data.metrics
    assert "Fold 3 failed: ValueError\n" in run.data.tags["mlflow.note.content"]
    write_cell("toy_ridge", "k1")
    Mirror(store, config).write(key, "quickstart", "toy-response")
    run = only_run(client)
    assert (run.info.run_name, run.info.status) == ("toy_ridge", "FINISHED")
    assert "AUC" in run.data.metrics


def test_a_cell_without_any_fold_is_shown_as_failed(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1", done=0), "quickstart", "toy-response")
    assert only_run(client).info.run_name == "toy_ridge (0 of 4 folds)"


def test_two_settings_of_a_model_get_different_names(mirror, client, write_cell):
    config = {
        "preprocess": {"name": "standard", "censored": "x", "missing": "median"},
        "seed": 0,
        "device": "auto",
    }
    tuning = {"sampler": "none", "trials": 0, "seconds": None, "metric": "log_loss"}
    for key, c in (("k1", 1), ("k2", 10)):
        node = {**config, "tuning": tuning, "model": {"name": "toy_ridge", "C": c, "space": {}}}
        mirror.write(write_cell("toy_ridge", key, config=node), "quickstart", "toy-response")
    mirror.settle()
    assert [run.info.run_name for run in runs_in(client)] == ["toy_ridge (C=1)", "toy_ridge (C=10)"]


def test_a_cell_that_is_no_longer_asked_for_says_so(mirror, client, write_cell):
    for key in ("k1", "k2"):
        mirror.write(write_cell("toy_ridge", key, slot="same"), "quickstart", "toy-response")
    mirror.settle()
    names = {run.data.tags[CELL]: run.info.run_name for run in runs_in(client)}
    assert names == {"k1": "toy_ridge (superseded)", "k2": "toy_ridge"}


def test_regression_has_its_own_metrics_and_figure(mirror, client, write_cell):
    mirror.write(write_cell("toy_ridge", "k1", kind="regression"), "quickstart", "toy-response")
    run = only_run(client)
    assert set(run.data.metrics) == {
        "MAE", "MAE lower", "MAE upper", "R2", "s per fold", "fold/MAE", "fold/R2", "fold/seconds",
        "calibration slope",
    }  # fmt: skip
    figures = [item.path for item in client.list_artifacts(run.info.run_id, "figures")]
    assert figures == ["figures/predictions.svg"]


def test_undefined_folds_are_left_out_of_the_series(mirror, client, write_cell, store):
    from dataclasses import replace

    key = write_cell("toy_ridge", "k1")
    fold = store.read_fold(key, 2)
    store.write_fold(
        key, replace(fold, predictions=replace(fold.predictions, y=[1.0] * len(fold.predictions.y)))
    )
    mirror.write(key, "quickstart", "toy-response")
    run = only_run(client)
    steps = [item.step for item in client.get_metric_history(run.info.run_id, "fold/AUC")]
    assert steps == [0, 1, 3]


def test_rebuild_leaves_the_runs_of_others_alone(mirror, client, write_cell, store, config):
    for key, model in (("k1", "toy_ridge"), ("k2", "other")):
        mirror.write(write_cell(model, key), "quickstart", "toy-response")
    experiment = client.get_experiment_by_name(NAME).experiment_id
    by_hand = client.create_run(experiment, run_name="by hand").info.run_id
    colleague = client.create_run(
        experiment, run_name="colleague", tags={CELL: "k9", "cytobench.store": "another"}
    ).info.run_id
    before = {run.info.run_id for run in runs_in(client)}
    assert Mirror(store, config).everything(rebuild=True) == (2, 0)
    after = {run.info.run_id for run in runs_in(client)}
    assert len(after) == 4
    assert before & after == {by_hand, colleague}
    assert Mirror(store, config).everything() == (0, 2)


def test_an_experiment_in_the_bin_is_restored(mirror, client, write_cell, store, config):
    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    client.delete_experiment(client.get_experiment_by_name(NAME).experiment_id)
    Mirror(store, config).write(write_cell("other", "k2"), "quickstart", "toy-response")
    assert client.get_experiment_by_name(NAME).lifecycle_stage == "active"


def test_more_params_than_one_call_takes(mirror, client, write_cell):
    node = {"name": "toy_ridge", "space": {}, **{f"option_{i}": i for i in range(130)}}
    config = {
        "model": node, "seed": 0, "device": "auto",
        "preprocess": {"name": "standard", "censored": "x", "missing": "median"},
        "tuning": {"sampler": "none", "trials": 0, "seconds": None, "metric": "log_loss"},
    }  # fmt: skip
    mirror.write(write_cell("toy_ridge", "k1", config=config), "quickstart", "toy-response")
    assert len(only_run(client).data.params) == 138


def test_a_file_that_is_no_database_is_explained(store, write_cell, working_directory):
    (working_directory / "mlflow.db").write_bytes(b"these bytes are no database " * 200)
    mirror = Mirror(store, {"uri": "sqlite:///mlflow.db", "artifacts": "mlartifacts"})
    with pytest.raises(CytobenchError, match="E601"):
        mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")


def test_a_figure_that_fails_is_explained(mirror, write_cell, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("drawing")

    monkeypatch.setattr("cytobench.tracking.artifacts.of_cell", broken)
    with pytest.raises(CytobenchError, match=r"E601.*ZeroDivisionError: drawing"):
        mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")


def test_a_database_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    from cytobench.tracking import client

    seen = []
    link = client.os.link
    monkeypatch.setattr(client.os, "link", lambda a, b: (seen.append(b.exists()), link(a, b)))
    client.create_database(f"sqlite:///{tmp_path}/new/mlflow.db")
    assert seen == [False]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mlflow.db"]
    with sqlite3.connect(tmp_path / "new" / "mlflow.db") as connection:
        tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    connection.close()
    assert tables > 10


def test_mlflow_is_imported_only_by_the_first_cell(cytobench, store):
    import subprocess
    import sys

    code = (
        "import sys, pathlib\n"
        "from cytobench.tracking import Mirror\n"
        "from cytobench.run.store import RunStore\n"
        "Mirror(RunStore(pathlib.Path('runs')), {'uri': 'x', 'artifacts': 'y'})\n"
        "assert not {'mlflow', 'matplotlib', 'sqlalchemy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_telemetry_is_off(mirror, write_cell):
    import os

    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"
