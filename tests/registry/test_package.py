"""Plugins of somebody else's package: installed, listed, checked, run; no file of ours changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "example_package"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package as pip installs it; no network, nothing else."""
    source = tmp_path_factory.mktemp("source") / "example"
    shutil.copytree(PACKAGE, source)
    target = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
         "--no-build-isolation", "--target", str(target), str(source)],
        check=True, capture_output=True,
    )  # fmt: skip
    return target, source


def run(installed, folder, *words, module="cytobench", check=True):
    target, _ = installed
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(target), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=check,
        timeout=600,
    )


def test_installed_plugins_are_listed_without_an_import(installed, tmp_path):
    models = run(installed, tmp_path, "list", "models").stdout
    datasets = run(installed, tmp_path, "list", "datasets").stdout

    assert "nearest_mean" in models
    assert "package cytobench-example" in models
    assert "example_cohort" in datasets


def test_an_installed_model_runs_on_an_installed_cohort_and_is_ranked(installed, tmp_path):
    done = run(
        installed, tmp_path, "run", "dataset=example_cohort", "model=nearest_mean,elastic_net",
        "protocol.repeats=1", "tuning=random", "tuning.trials=2", "tracking=none",
    )  # fmt: skip

    assert "nearest_mean" in done.stdout
    assert "ceiling" in done.stdout
    assert "nearest_mean" in run(installed, tmp_path, "info", "nearest_mean").stdout


def test_installed_plugins_pass_the_checks(installed, tmp_path):
    done = run(
        installed, tmp_path, "check", "nearest_mean", "example_cohort", "--fast", check=False
    )

    assert done.returncode == 0, done.stdout
    assert "2 of 2 plugins pass" in done.stdout


@pytest.mark.slow
def test_the_packages_own_tests_run_the_checks(installed):
    _, source = installed

    done = run(
        installed, source, "-q", "-p", "no:cacheprovider", "--cytobench-fast", module="pytest",
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_two_plugins_of_one_name_are_an_error_that_names_both(installed, tmp_path):
    folder = tmp_path / "plugins" / "models"
    folder.mkdir(parents=True)
    shutil.copy(PACKAGE / "src" / "cytobench_example" / "models.py", folder / "nearest_mean.py")

    done = run(installed, tmp_path, "list", "models", check=False)

    assert done.returncode == 1
    assert "package cytobench-example" in done.stderr
    assert "nearest_mean.py" in done.stderr
