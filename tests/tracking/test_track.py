"""``cytobench track`` and the mirror as a run uses them."""

from __future__ import annotations

import shutil

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

SMALL = (
    "dataset=toy",
    "model=toy_ridge,guess",
    "engine=serial",
    "tuning=off",
    "protocol.repeats=1",
    "floors=[]",
)


def names_in(path):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{path}")
    experiments = [item for item in client.search_experiments() if item.name != "Default"]
    return {
        item.name.partition("/")[0]: sorted(
            run.info.run_name for run in client.search_runs([item.experiment_id])
        )
        for item in experiments
    }


@pytest.mark.slow
def test_a_run_is_mirrored_and_can_be_mirrored_anew(cytobench, toy_plugins, empty_database):
    database = toy_plugins / "mlflow.db"
    shutil.copy(empty_database, database)
    cytobench("run", *SMALL)
    assert names_in(database) == {"adhoc": ["guess", "toy_ridge"]}
    again = cytobench("track", "dataset=toy", "model=toy_ridge")
    assert "0 cells written" in again.stdout
    anew = cytobench("track", "--rebuild", "dataset=toy", "model=toy_ridge")
    assert "2 cells written" in anew.stdout
    assert names_in(database) == {"adhoc": ["guess", "toy_ridge"]}


@pytest.mark.slow
def test_a_run_survives_a_tracking_server_that_is_away(cytobench, toy_plugins):
    away = "tracking.uri=http://127.0.0.1:9"
    done = cytobench("run", *SMALL, away)
    assert done.stderr.count("E601") == 1
    assert "cytobench track" in done.stderr
    assert "10 folds computed" in done.stdout
    failed = cytobench("track", "dataset=toy", "model=toy_ridge", away, check=False)
    assert (failed.returncode, failed.stderr.count("E601")) == (1, 1)


def test_an_empty_store_is_said(cytobench, toy_plugins):
    done = cytobench("track", "dataset=toy", "model=toy_ridge", check=False)
    assert done.returncode == 1
    assert "start a run" in done.stderr


def test_there_is_nowhere_to_track_to(cytobench, toy_plugins):
    done = cytobench("track", "dataset=toy", "model=toy_ridge", "tracking=none", check=False)
    assert done.returncode == 2
    assert "E605" in done.stderr
