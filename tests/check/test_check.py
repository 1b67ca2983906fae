"""``cytobench check``: bundled plugins are green; help and documentation come from the register."""

from pathlib import Path

import pytest

from cytobench.check import run_checks
from cytobench.check.pages import page
from cytobench.check.register import checks
from cytobench.plugins import bundled
from cytobench.registry.declared import declared
from cytobench.registry.discover import discover

REPOSITORY = Path(__file__).parents[2]
MODELS = sorted(discover("model"))
DATASETS = sorted(discover("dataset"))
TABLES = sorted(declared("dataset"))


@pytest.mark.parametrize("name", MODELS)
def test_a_bundled_model_is_green(name):
    report = run_checks(name, only=["CB1", "CB2"])

    assert report.ok, str(report)


OF_EACH_KIND = [
    "crp_cutoff", "ridge", "knn", "lightgbm", "stacking", "mlp", "tabm",
    "crp_rule", "policy_tree", "t_learner", "personalized_advantage",
]  # fmt: skip
"""Probing all of them takes minutes; `cytobench check` does."""


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_a_bundled_model_does_not_leak(name):
    report = run_checks(name, only=["CB3"], fast=True, seconds=400)

    assert report.ok, str(report)


@pytest.mark.parametrize("name", DATASETS)
def test_a_bundled_dataset_is_green(name):
    report = run_checks(name)

    assert report.ok, str(report)


@pytest.mark.parametrize("name", TABLES)
def test_a_declared_table_is_green_or_not_here(name, working_directory):
    report = run_checks(name, only=["CB401", "CB406"])

    assert report.ok, str(report)
    statuses = {result.code: result.status for result in report.results}
    assert statuses["CB401"] == "skipped", "without the file nothing can be said"


def test_the_page_of_checks_is_current():
    committed = (REPOSITORY / "docs" / "checks.md").read_text(encoding="utf-8")

    assert committed == page(), "make it anew: python -m cytobench.check.pages > docs/checks.md"


def test_every_check_is_explained():
    for code, item in checks().items():
        assert len(item.explanation) > 40, code
        assert item.title[0].islower(), "a title goes on with the code"


def test_help_lists_the_checks_of_the_register(cytobench):
    listed = cytobench("check", "--list").stdout

    assert all(code in listed for code in checks())


def test_a_green_plugin_ends_with_0_and_a_red_one_with_1(toy_plugins, write_plugin, cytobench):
    write_plugin(
        "models",
        "nameless",
        "from cytobench import model\n\n\n@model()\ndef nameless():\n    return 3\n",
    )

    green = cytobench("check", "prior", "--only", "CB1")
    red = cytobench("check", "nameless", "--only", "CB1", check=False)

    assert green.returncode == 0
    assert red.returncode == 1
    assert "CB104  failed" in red.stdout
    assert "CB108  failed" in red.stdout
    codes = [line.split()[0] for line in red.stdout.splitlines() if line.split()[1] == "failed"]
    assert red.stdout.rstrip().endswith(f"see {', '.join(codes)}")
    assert "Traceback" not in red.stdout + red.stderr


def test_a_file_anywhere_is_checked_by_its_path(tmp_path, working_directory):
    path = tmp_path / "elsewhere" / "mine.py"
    path.parent.mkdir()
    source = (bundled("plugins") / "models" / "ridge.py").read_text(encoding="utf-8")
    path.write_text(source.replace("ridge", "mine"), encoding="utf-8")

    report = run_checks(str(path), only=["CB1"])

    assert (report.kind, report.name) == ("model", "mine")
    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no_such_plugin"], "E145"),
        (["plugins/none.py"], "there is no such file"),
        (["prior", "--only", "CB9"], "[E146] --only: no check begins with CB9"),
        (["prior", "--limit", "0"], "[E146] --limit: must be above 0"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(cytobench, words, said):
    done = cytobench("check", *words, check=False)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_failure_keeps_from_being_tested_takes_one_line(write_plugin, cytobench):
    write_plugin("models", "broken", "from cytobench import model\n@model()\ndef broken(:")

    said = cytobench("check", "broken", "--only", "CB10", "CB2", check=False).stdout

    (line,) = [line for line in said.splitlines() if "not tested, since CB101 has failed" in line]
    assert "CB102, CB103," in line
    assert "CB102  skipped" not in said
    assert "1 failed" in said.splitlines()[-1]


def test_results_are_json_for_machines(cytobench):
    import json

    (report,) = json.loads(cytobench("check", "prior", "--only", "CB104", "--json").stdout)

    assert report["ok"]
    assert report["results"][0]["code"] == "CB104"
