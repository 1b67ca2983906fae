from __future__ import annotations

import base64
import json
import zlib

from cytobench.tracking.view import KEY, columns, link, state


def unpacked(kind):
    document = json.loads(state(kind))
    method, _, packed = document["state"].partition(";")
    assert method == "deflate"
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_the_best_run_comes_first():
    view = unpacked("classification")
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`AUC`", False)
    view = unpacked("regression")
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`MAE`", True)


def test_the_columns_are_metrics_that_a_record_has(store, write_cell):
    from cytobench.leaderboard.build import board_of
    from cytobench.tracking.record import make_record

    for kind in ("classification", "regression"):
        write_cell("clinical_only", f"{kind}-floor", kind=kind)
        cell = store.read_cell(write_cell("toy_ridge", kind, kind=kind))
        row = board_of(store, "quickstart", "toy-response", cell)[1]
        record = make_record(cell, "s", "e", "toy_ridge", [], row)
        there = {f"metrics.`{item.name}`" for item in record.metrics}
        there |= {f"tags.`{name}`" for name in record.tags}
        assert set(columns(kind)) <= there


def test_columns_of_one_group_are_in_the_order_of_the_ui():
    for kind in ("classification", "regression"):
        metrics = [name.strip("`") for name in columns(kind) if name.startswith("metrics")]
        assert metrics == sorted(metrics)


def test_the_tag_fits_into_mlflows_limit():
    assert len(state("classification")) < 5000


def test_the_link_to_a_suite_asks_for_no_view_which_it_does_not_have():
    address = link("http://127.0.0.1:5000", "7", "quickstart")
    assert address.startswith("http://127.0.0.1:5000/#/experiments/7/runs?")
    assert "viewStateShareKey" not in address


def test_the_link_names_experiment_and_view():
    address = link("http://127.0.0.1:5000", "7", "quickstart/toy-response")
    assert address.startswith("http://127.0.0.1:5000/#/experiments/7/runs?")
    assert address.endswith(f"viewStateShareKey={KEY}")
