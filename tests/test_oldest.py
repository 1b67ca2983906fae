"""The oldest versions: which are installed, how they are compared, and what the record says."""

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.toy import TOY_MODELS, write_plugins

from cytobench.run.store import RunStore

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results"
RECORD = json.loads((RESULTS / "oldest.json").read_text(encoding="utf-8"))
PAGE = (REPOSITORY / "docs" / "reproducibility.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def oldest():
    return script("oldest")


@pytest.fixture
def compare(oldest, monkeypatch):
    monkeypatch.setitem(sys.modules, "oldest", oldest)
    return script("compare")


def script(name):
    """A script of .ci as a module."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_extra_is_tested_unless_it_is_a_tool_or_written_in_torch(oldest):
    extras = {
        "plain": ["a>=1"],
        "networks": ["b>=2", "torch>=2.4"],
        "all": ["cytobench[plain,torch]"],
        "torchlike": ["torchmetrics>=1"],
        "dev": ["c>=3"],
    }

    assert oldest.tested({"optional-dependencies": extras}) == ["plain", "torchlike"]


def test_the_page_names_every_extra_that_is_left_out(oldest):
    project = oldest.read()
    left_out = project["optional-dependencies"].keys() - oldest.tested(project)

    assert [name for name in left_out - {"torch", "zoo"} if f"`{name}`" not in PAGE] == []


def test_the_record_was_made_at_the_minimums_as_they_are(oldest):
    project = oldest.read()
    pins = dict(line.split("==") for line in oldest.constraints(project, oldest.tested(project)))

    assert RECORD["oldest"] == pins, "make test-oldest"


def test_the_pages_are_what_the_record_says(compare):
    assert (RESULTS / "oldest.md").read_text(encoding="utf-8") == compare.page(RECORD)
    assert "```{include} ../benchmarks/results/oldest.md" in PAGE


def test_nothing_is_wrong_with_what_was_recorded(compare):
    assert compare.wrong(RECORD) == []


def test_every_cell_that_is_compared_is_in_the_record():
    lines = (REPOSITORY / ".ci" / "compared-cells").read_text(encoding="utf-8").splitlines()
    wanted = {
        (dict(word.split("=", 1) for word in line.split()).get("task", "response"), model)
        for line in lines
        for model in line.partition("model=")[2].split(",")
    }

    assert wanted <= {(row["task"], row["model"]) for row in RECORD["cells"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What the script leaves, where all versions are the same."""
    folder = tmp_path_factory.mktemp("finished")
    write_plugins(folder, TOY_MODELS)
    for words in (
        ["run", "dataset=toy", "model=toy_ridge", "floors=[prior]", "tuning=off", "engine=serial",
         "protocol.folds=3", "protocol.repeats=1", "tracking=none", "store=oldest"],
        ["leaderboard", "build", "--store", "oldest", "--output", "from-store"],
    ):  # fmt: skip
        subprocess.run([sys.executable, "-m", "cytobench", *words], cwd=folder, check=True)
    for copy in ("newest", "dask", "mirror"):
        shutil.copytree(folder / "oldest", folder / copy)
    shutil.copytree(folder / "from-store", folder / "from-mlflow")
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "work")


def nothing(folder):
    pass


def lost(folder):
    (folder / "newest" / key_of(folder, "toy_ridge") / "fold-001.parquet").unlink()


def other_patients(folder):
    change(folder, "newest", "toy_ridge", lambda made: replace(made, y=[1 - y for y in made.y]))


def other_floor(folder):
    change(folder, "newest", "prior", nudged)


def other_bits_of_a_worker(folder):
    change(folder, "dask", "toy_ridge", nudged)


def other_bits_of_a_mirrored_run(folder):
    change(folder, "mirror", "toy_ridge", nudged)


def other_estimates(folder):
    (board,) = (folder / "from-mlflow").rglob("toy-*.json")
    board.write_text(board.read_text().replace('"value"', '"v"'))


def key_of(folder, model):
    store = RunStore(folder / "oldest")
    keys = [
        key for suites in store.entries().values() for found in suites.values() for key in found
    ]
    return next(key for key in keys if store.read_cell(key).about["model"]["name"] == model)


def change(folder, name, model, how):
    """Store a cell's first fold with other predictions."""
    store, key = RunStore(folder / name), key_of(folder, model)
    fold = store.read_cell(key).folds[0]
    store.write_fold(key, replace(fold, predictions=how(fold.predictions)))


def nudged(made):
    return replace(made, prediction=[float(p) + 1e-3 for p in made.prediction])


@pytest.mark.parametrize(
    ("befall", "said"),
    [
        (nothing, ""),
        (lost, "only in one: toy-response"),
        (other_patients, "toy_ridge: data or splits differ"),
        (other_floor, "prior: predictions differ by 1.0e-03"),
        (other_bits_of_a_worker, "dask: 1 of 2 cells are those of a serial run"),
        (other_bits_of_a_mirrored_run, "mirror: 1 of 2 cells are those of a serial run"),
        (other_estimates, "mirror: 0 of 2 rows are those of a serial run"),
    ],
)
def test_a_comparison_fails_where_something_is_not_the_same(compare, folder, capsys, befall, said):
    befall(folder)

    code = compare.main([str(folder), "--to", str(folder)])

    problems = capsys.readouterr().err.strip()
    assert code == bool(said)
    assert said in problems
    assert bool(problems) == bool(said)
    assert json.loads((folder / "oldest.json").read_text())["cells"]


def test_a_difference_is_the_largest_of_all_patients_and_folds(compare, folder):
    change(folder, "newest", "toy_ridge", nudged)

    made, problems = compare.record(folder)

    (row,) = (row for row in made["cells"] if row["model"] == "toy_ridge")
    assert row["difference"] == pytest.approx(1e-3)
    assert row["same setting"] == row["folds"] == 3
    assert row["of the mean AUC"] == pytest.approx(0), "a shift changes no rank"
    assert problems == [], "no optimum of a plugin is known to be unique"
    assert "0.001 probability" in compare.page(made)
