"""The best model of an entry in MLflow's registry: stored without pickle, loaded, asked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.run.cells import load_cell
from cytobench.run.jobs import plan_jobs
from cytobench.run.parts import Features
from cytobench.run.store import RunStore
from cytobench.run.whole import fit_whole
from cytobench.tracking import Mirror
from cytobench.tracking.champion import register_champion
from cytobench.tracking.stored_model import (
    StoredModel,
    example_rows,
    kinds_of,
    read_model,
    store_model,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    # MLflow's pyfunc, when it is imported, of a hint in its own types.
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred"),
    # MLflow, of the example's index: pandas 4 will not take it.
    pytest.mark.filterwarnings("ignore:Operation with range is deprecated"),
]
SMALL = ("dataset=toy", "engine=serial", "tuning=off", "protocol.repeats=1", "floors=[]")


def loaded(*overrides):
    (cell,) = plan_jobs([*SMALL, "model=toy_ridge", *overrides]).cells
    return load_cell(cell)


def new_patients(whole, n=12):
    """Rows that nobody was fitted to, from the ranges of the columns."""
    rows = whole.frame.iloc[:n].copy()
    draw = np.random.default_rng(7)
    for name in rows.select_dtypes("number"):
        rows[name] = rows[name] * draw.uniform(0.5, 2.0, n)
    return rows.reset_index(drop=True)


def test_everybody_with_an_outcome_is_fitted(toy_plugins):
    cell = loaded()
    whole = fit_whole(cell)
    assert len(whole.frame) == len(cell.bench.target.known)
    assert whole.params["C"] == 1.0
    assert 0 < whole.threshold < 1


def test_a_model_is_tuned_on_everybody_by_the_same_procedure(toy_plugins):
    searched = ("tuning=random", "tuning.trials=4")
    space = ("model.space.C.low=0.02", "model.space.C.high=0.03")
    first, again = fit_whole(loaded(*searched, *space)), fit_whole(loaded(*searched, *space))
    assert 0.02 <= first.params["C"] <= 0.03
    assert first.params == again.params
    assert np.array_equal(first.estimator.coef_, again.estimator.coef_)


def test_a_stored_model_answers_as_it_did_before(toy_plugins, tmp_path):
    whole = fit_whole(loaded())
    store_model(whole, tmp_path / "model.skops", "toy_ridge")
    rows = new_patients(whole)
    answer = read_model(tmp_path / "model.skops").predict(rows)
    encoded = Features(whole.encoder.transform(rows)).of(whole.estimator)
    expected = whole.estimator.predict_proba(encoded)[:, 1]
    assert np.array_equal(answer["probability"], expected)
    assert np.array_equal(answer["positive"], expected >= whole.threshold)


def test_a_number_as_outcome_is_predicted_as_a_number(toy_plugins, tmp_path, write_plugin):
    from sklearn.linear_model import Ridge

    whole = fit_whole(loaded())
    encoded = Features(whole.encoder.transform(whole.frame)).of(Ridge())
    number = replace(whole, estimator=Ridge().fit(encoded, np.arange(len(encoded))), threshold=None)
    store_model(number, tmp_path / "model.skops", "toy_ridge")
    answer = read_model(tmp_path / "model.skops").predict(whole.frame)
    assert np.array_equal(answer["prediction"], number.estimator.predict(encoded))


def test_the_order_of_columns_and_integers_do_not_matter(toy_plugins, tmp_path):
    whole = fit_whole(loaded())
    store_model(whole, tmp_path / "model.skops", "toy_ridge")
    model, rows = read_model(tmp_path / "model.skops"), new_patients(whole)
    rows["age"] = rows["age"].round()
    turned = rows[rows.columns[::-1]].astype({"age": int})
    assert model.predict(turned).equals(model.predict(rows))


@pytest.mark.parametrize(("column", "value"), [("IL-6", None), ("IL-6", "high")])
def test_a_column_that_is_missing_or_no_number_is_named(toy_plugins, tmp_path, column, value):
    whole = fit_whole(loaded())
    store_model(whole, tmp_path / "model.skops", "toy_ridge")
    rows = new_patients(whole)
    rows = rows.drop(columns=column) if value is None else rows.assign(**{column: value})
    with pytest.raises(CytobenchError, match=r"E610.*IL-6"):
        read_model(tmp_path / "model.skops").predict(rows)


def test_the_file_is_no_pickle(toy_plugins, tmp_path):
    store_model(fit_whole(loaded()), tmp_path / "model.skops", "toy_ridge")
    with zipfile.ZipFile(tmp_path / "model.skops") as archive:
        kinds = {Path(name).suffix for name in archive.namelist()}
    assert kinds == {".json", ".npy"}


NETWORKS = ("mlp", "tabm", "realmlp", "ft_transformer", "cytokine_graph", "treatment_conditioned")
PACKAGE = {"tabm": "tabm", "ft_transformer": "rtdl_revisiting_models"}


def answers_as_before(whole, path):
    """Whether new patients get the same from the file as from the model, to the last bit."""
    store_model(whole, path, "it")
    rows = new_patients(whole)
    return read_model(path).predict(rows).equals(never_stored(whole).predict(rows))


def never_stored(whole):
    return StoredModel({**vars(whole), "kinds": kinds_of(whole.frame)})


@pytest.mark.parametrize("task", ["response", "percent_change"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_stored_as_arrays_and_answers_as_before(toy_plugins, tmp_path, name, task):
    pytest.importorskip(PACKAGE.get(name, "torch"))
    whole = fit_whole(loaded("dataset=sim_gendep", f"model={name}", f"task={task}"))

    assert answers_as_before(whole, tmp_path / "model.skops")


@pytest.mark.parametrize("name", ["voting", "stacking"])
def test_an_ensemble_of_networks_is_stored_too(toy_plugins, tmp_path, name):
    pytest.importorskip("torch")
    whole = fit_whole(loaded(f"model={name}", "model.members=[mlp,toy_ridge]"))

    assert answers_as_before(whole, tmp_path / "model.skops")


@pytest.mark.parametrize(
    ("name", "package"),
    [("xgboost", "xgboost"), ("catboost", "catboost"), ("lightgbm", "lightgbm"),
     ("explainable_boosting", "interpret"), ("knn", "sklearn"), ("pls_da", "sklearn")],
)  # fmt: skip
@pytest.mark.parametrize("task", ["response", "percent_change"])
def test_models_of_other_packages_and_of_bundled_plugins_are_stored_too(
    toy_plugins, tmp_path, name, package, task
):
    pytest.importorskip(package)
    whole = fit_whole(loaded("dataset=sim_gendep", f"model={name}", f"task={task}"))

    assert answers_as_before(whole, tmp_path / "model.skops")


class Forgetful(LogisticRegression):
    """A class that loses what it has learnt on the way to a file."""

    __module__ = "sklearn.linear_model"

    def __getstate__(self):
        return {**super().__getstate__(), "coef_": np.zeros_like(self.coef_)}


def test_a_model_that_answers_otherwise_once_it_is_read_back_is_refused(
    toy_plugins, tmp_path, monkeypatch
):
    monkeypatch.setattr("sklearn.linear_model.Forgetful", Forgetful, raising=False)
    whole = fit_whole(loaded())
    encoded = Features(whole.encoder.transform(whole.frame)).of(whole.estimator)
    y = whole.estimator.predict(encoded)
    forgetful = replace(whole, estimator=Forgetful().fit(encoded, y))

    with pytest.raises(CytobenchError, match=r"E606.*answers otherwise"):
        store_model(forgetful, tmp_path / "model.skops", "forgetful")

    assert not list(tmp_path.glob("*.skops"))


class Foreign:
    """A class of nobody's whitelist."""


def test_a_model_of_foreign_classes_is_not_stored(toy_plugins, tmp_path):
    whole = replace(fit_whole(loaded()), estimator=Foreign())
    with pytest.raises(CytobenchError, match=r"E606.*Foreign"):
        store_model(whole, tmp_path / "model.skops", "foreign")
    assert not list(tmp_path.glob("*.skops"))


def test_a_file_that_asks_for_a_foreign_class_is_not_read(tmp_path):
    import skops.io

    skops.io.dump({"encoder": None, "estimator": Foreign()}, tmp_path / "evil.skops")
    with pytest.raises(CytobenchError, match=r"E606.*Foreign"):
        read_model(tmp_path / "evil.skops")


def test_a_damaged_file_is_not_handed_to_the_reader_of_a_booster(toy_plugins, tmp_path):
    pytest.importorskip("xgboost")
    path = tmp_path / "model.skops"
    store_model(fit_whole(loaded("model=xgboost")), path, "xgboost")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        booster = max(
            (member for member in archive.infolist() if member.filename.endswith(".bin")),
            key=lambda member: member.compress_size,
        )
    content[booster.header_offset + booster.compress_size // 2] ^= 1

    for damaged in (content, content[:-100]):
        path.write_bytes(damaged)
        with pytest.raises(CytobenchError, match=r"E606.*is damaged"):
            read_model(path)


def test_example_patients_are_nobody(toy_plugins):
    whole = fit_whole(loaded())
    example = example_rows(whole.frame)
    numbers = whole.frame.select_dtypes("number")
    for _, row in example.iterrows():
        same = (numbers == row[numbers.columns].astype(float)).all(axis=1)
        assert not same.any()
    assert list(example.columns) == list(whole.frame.columns)


@pytest.mark.slow
def test_the_best_model_is_registered_and_predicts_raw_columns(
    cytobench, toy_plugins, config, monkeypatch
):
    import mlflow

    cytobench("run", *SMALL, "model=toy_ridge,guess")
    store = RunStore(Path("runs"))
    (entry,) = store.entries()["adhoc"]
    done = cytobench("track", "--champion", f"adhoc/{entry}")
    assert f"models:/adhoc.{entry}@champion" in done.stdout
    again = register_champion(Mirror(store, config), f"adhoc/{entry}")
    assert (again.version, again.model) == ("2", "toy_ridge")
    uri = f"sqlite:///{Path('mlflow.db').resolve()}"
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", None)
    mlflow.set_tracking_uri(uri)
    try:
        found = mlflow.MlflowClient().get_model_version_by_alias(f"adhoc.{entry}", "champion")
        model = mlflow.pyfunc.load_model(again.address)
        rows = pd.DataFrame(
            {"CRP": [2.0], "IL-6": [9.0], "TNF-α": [1.0], "IL-10": [np.nan], "age": [40.0],
             "sex": ["female"], "arm": ["A"]}
        )  # fmt: skip
        answer = model.predict(rows)
        high = model.predict(rows.assign(**{"IL-6": 0.1}))
    finally:
        mlflow.set_tracking_uri(None)
    assert answer["probability"].item() > high["probability"].item()  # more IL-6, more response
    assert found.description.startswith("toy_ridge, first of response on toy")
    assert found.tags["model"] == "toy_ridge"
    assert re.fullmatch(r"0\.\d{3} \(0\.\d{3} to [01]\.\d{3}\)", found.tags["AUC"])
    assert model.metadata.signature.inputs.input_names()[:4] == ["CRP", "IL-6", "TNF-α", "IL-10"]
    text = b"".join(path.read_bytes() for path in Path("mlartifacts").rglob("champion/*.*"))
    assert b"patient-" not in text


ASK = """
import json, sys
import mlflow, pandas as pd

mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model(sys.argv[1])
answer = model.predict(pd.read_json(sys.stdin, orient="split"))
json.dump(answer["probability"].tolist(), sys.stdout)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "package"),
    [
        (("model=mlp", "model.members=2"), "torch"),
        (("model=xgboost",), "xgboost"),
        (("model=catboost",), "catboost"),
        (("model=explainable_boosting",), "interpret"),
        (("model=pls_da",), "sklearn"),
    ],
)
def test_a_registered_model_answers_in_another_process_as_in_this(
    cytobench, toy_plugins, config, model, package
):
    pytest.importorskip(package)
    cytobench("run", *SMALL, *model, "tracking=none")
    store = RunStore(Path("runs"))
    (entry,) = store.entries()["adhoc"]
    whole = fit_whole(loaded(*model))
    rows = new_patients(whole)
    expected = never_stored(whole).predict(rows)

    registered = register_champion(Mirror(store, config), f"adhoc/{entry}")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK, registered.address],
        input=rows.to_json(orient="split", double_precision=15),
        capture_output=True, check=True, text=True,
    )  # fmt: skip

    assert np.allclose(json.loads(done.stdout), expected["probability"], rtol=0, atol=1e-9)
    needed = next(Path("mlartifacts").rglob("champion/requirements.txt")).read_text()
    (named,) = packages_distributions()[package]
    assert re.search(rf"^{named}==[\d.]+$", needed, flags=re.MULTILINE)


def test_an_unknown_entry_is_a_usage_error(store, config, write_cell):
    write_cell("toy_ridge", "k1")
    with pytest.raises(UsageError, match=r"(?s)E608.*did you mean"):
        register_champion(Mirror(store, config), "quickstart/toy-respons")


def test_floors_alone_have_no_champion(cytobench, toy_plugins, store, config):
    cytobench("run", *SMALL, "model=guess", "tracking=none")
    (entry,) = store.entries()["adhoc"]
    with pytest.raises(UsageError, match="E608"):
        register_champion(Mirror(store, config), f"adhoc/{entry}")


def test_a_cell_that_has_changed_since_is_not_passed_off_as_itself(
    cytobench, toy_plugins, store, config
):
    cytobench("run", *SMALL, "model=toy_ridge", "tracking=none")
    (entry,) = store.entries()["adhoc"]
    plugin = Path("plugins/models/toy_ridge.py")
    plugin.write_text(plugin.read_text() + "\n# another source\n")
    with pytest.raises(CytobenchError, match="E609"):
        register_champion(Mirror(store, config), f"adhoc/{entry}")


def test_a_model_of_patients_does_not_leave_the_machine(store, write_cell):
    real = {
        "name": "toy", "summary": "", "kind": "real", "population": "", "outcome": "",
        "treatment": "", "version": "1", "licence": "", "citation": "", "origin": "",
        "caveat": "", "fingerprint": "f" * 64, "patients": 40, "analytes": 4, "notes": [],
    }  # fmt: skip
    write_cell("toy_ridge", "k1", dataset=real)
    server = {"uri": "http://example.invalid", "artifacts": "mlartifacts"}
    with pytest.raises(CytobenchError, match="E607"):
        register_champion(Mirror(store, server), "quickstart/toy-response")
