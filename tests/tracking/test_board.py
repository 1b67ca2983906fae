"""A suite's leaderboard in MLflow: a run of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cytobench.tracking import Mirror
from cytobench.tracking.board_record import BOARD, TABLE

# MLflow 3.17 uses what SQLAlchemy 2.1 is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def client(config):
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{Path('mlflow.db').resolve()}")


def boards_in(client):
    experiment = client.get_experiment_by_name("quickstart")
    return client.search_runs([experiment.experiment_id])


def test_the_leaderboard_is_a_run_with_its_table(store, config, client, write_cell):
    write_cell("toy_ridge", "k1")
    assert Mirror(store, config).board("quickstart")
    (run,) = boards_in(client)
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert files == {TABLE, "README.md", "toy-response.md"}
    table = json.loads(Path(client.download_artifacts(run.info.run_id, TABLE)).read_text("utf-8"))
    row = dict(zip(table["columns"], table["data"][0], strict=True))
    assert (row["entry"], row["model"], row["metric"]) == ("toy-response", "toy_ridge", "AUC")
    assert row["value"] == run.data.metrics["best/toy-response"]
    assert row["lower"] < row["value"] < row["upper"]
    shown = json.loads(run.data.tags["mlflow.loggedArtifacts"])
    assert shown == [{"path": TABLE, "type": "table"}]
    assert ".md" not in run.data.tags["mlflow.note.content"]  # a link would lead nowhere
    assert "toy\\_ridge" in run.data.tags["mlflow.note.content"]


def test_the_same_leaderboard_again_changes_nothing(store, config, client, write_cell):
    write_cell("toy_ridge", "k1")
    Mirror(store, config).board("quickstart")
    (before,) = boards_in(client)
    assert not Mirror(store, config).board("quickstart")
    assert boards_in(client)[0].to_dictionary() == before.to_dictionary()


def test_another_model_replaces_the_leaderboard(store, config, client, write_cell):
    write_cell("toy_ridge", "k1")
    Mirror(store, config).board("quickstart")
    (before,) = boards_in(client)
    write_cell("other", "k2")
    Mirror(store, config).board("quickstart")
    (after,) = boards_in(client)
    assert after.data.tags[BOARD] != before.data.tags[BOARD]


def test_the_leaderboards_of_other_stores_are_left_alone(store, config, client, write_cell):
    write_cell("toy_ridge", "k1")
    mirror = Mirror(store, config)
    mirror.board("quickstart")
    (mine,) = boards_in(client)
    colleague = client.create_run(
        mine.info.experiment_id, tags={BOARD: "0" * 64, "cytobench.store": "another"}
    ).info.run_id
    write_cell("other", "k2")
    mirror.board("quickstart")
    assert colleague in {run.info.run_id for run in boards_in(client)}


def test_a_suite_without_a_finished_cell_has_no_leaderboard(store, config, client, write_cell):
    write_cell("toy_ridge", "k1", done=3)
    assert not Mirror(store, config).board("quickstart")
    assert client.get_experiment_by_name("quickstart") is None


def test_what_was_run_outside_any_suite_has_no_leaderboard(store, config, client, write_cell):
    write_cell("toy_ridge", "k1", suite="adhoc")
    assert Mirror(store, config).everything() == (1, 0)
    assert client.get_experiment_by_name("adhoc/toy-response") is not None
    assert client.get_experiment_by_name("adhoc") is None
