"""Predictions in MLflow: only where they are asked for, and said where they are not there."""

from __future__ import annotations

import pytest
from support.toy import TOY_DATASET, TOY_MODELS

from cytobench.core.errors import CytobenchError
from cytobench.submission.bundle import read_bundle
from cytobench.tracking import Mirror
from cytobench.tracking.bundles import FILE, fetched
from cytobench.tracking.client import Tracker
from cytobench.tracking.record import BUNDLE, NO_BUNDLE

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def only_run(mirror):
    experiment = mirror.tracker.client.get_experiment_by_name("quickstart/toy-response")
    (run,) = mirror.tracker.client.search_runs([experiment.experiment_id])
    return run


def test_no_patients_row_is_written_unless_it_is_asked_for(store, write_cell, config):
    mirror = Mirror(store, config)

    mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")

    run = only_run(mirror)
    names = [item.path for item in mirror.tracker.client.list_artifacts(run.info.run_id)]
    assert "bundle.zip" not in names
    assert not {BUNDLE, NO_BUNDLE} & run.data.tags.keys()


def test_a_cell_that_has_no_bundle_is_mirrored_and_its_run_says_why(store, write_cell, config):
    mirror = Mirror(store, {**config, "rows": True})

    key = write_cell("toy_ridge", "k1", permutation=3)  # labels at random are no submission
    mirror.write(key, "quickstart", "toy-response")

    run = only_run(mirror)
    assert run.info.status == "FINISHED"
    assert run.data.tags[NO_BUNDLE] == "E708"
    assert BUNDLE not in run.data.tags


def test_a_server_without_predictions_says_how_they_get_there(store, write_cell, config):
    Mirror(store, config).write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")

    with (
        pytest.raises(CytobenchError, match=r"E611.*1 carry[\s\S]*tracking\.rows=true"),
        fetched(config["uri"], ["quickstart"]),
    ):
        pass


def test_a_suite_that_is_not_there_is_no_list_of_others(store, write_cell, config):
    Mirror(store, config).write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")

    with pytest.raises(CytobenchError, match=r"E611.*of zoo"), fetched(config["uri"], ["zoo"]):
        pass


def test_somebody_elses_unfinished_run_is_left_alone(store, write_cell, config):
    mirror = Mirror(store, config)
    key = write_cell("toy_ridge", "k1")
    experiment = mirror._experiment("quickstart", "toy-response", key)
    other = mirror.tracker.client.create_run(
        experiment.id, tags={"cytobench.cell": key, "cytobench.store": "another"}
    )

    mirror.write(key, "quickstart", "toy-response")

    runs = {run.run: run.finished for run in mirror.tracker.runs_of(experiment.id, key)}
    assert runs.pop(other.info.run_id) is False
    assert list(runs.values()) == [True]


def test_rows_under_terms_go_when_somebody_allowed_it_and_the_bundle_says_who(
    write_plugin, toy_plugins, cytobench, config
):
    card = '"Toy cohort", kind="simulated"'
    source = TOY_DATASET.replace(card, '"Toy cohort", kind="real", access="on request"')
    write_plugin("datasets", "toy", source.replace('(kind="simulated")', '(kind="real")'))
    write_plugin(
        "models", "toy_ridge", TOY_MODELS["toy_ridge"].replace("space", 'licence="MIT", space')
    )
    rows = "tracking.rows=true"
    cytobench(
        "run", "dataset=toy", "model=toy_ridge", "floors=[]", "tuning=off", "engine=serial",
        "protocol.folds=2", "protocol.repeats=1", "dataset.n=60", rows,
    )  # fmt: skip
    tracker = Tracker(config["uri"])
    (experiment,) = tracker.experiments()
    (kept,) = tracker.client.search_runs([experiment])

    cytobench("track", "--rebuild", rows, "tracking.permitted='the committee, 2026-11-02'")

    (sent,) = tracker.client.search_runs([experiment])
    tracker.download(sent.info.run_id, FILE, toy_plugins / FILE)
    bundle = read_bundle((toy_plugins / FILE).read_bytes(), FILE)
    assert kept.data.tags[NO_BUNDLE] == "E707"
    assert BUNDLE not in kept.data.tags
    assert BUNDLE in sent.data.tags
    assert NO_BUNDLE not in sent.data.tags
    assert bundle.cell["permitted"] == "the committee, 2026-11-02"
