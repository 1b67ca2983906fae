"""``cytobench new`` writes what works as it is, and refuses what cannot be."""

import subprocess
import sys

import pytest

from cytobench.check import run_checks


@pytest.mark.parametrize("words", [(), ("--task", "percent_change"), ("--task", "remission")])
def test_a_new_model_passes_the_checks_and_runs(working_directory, cytobench, words):
    cytobench("new", "model", "my_model", *words)
    task = [f"task={words[1]}"] if words else []

    report = run_checks("my_model", only=["CB1", "CB2"])
    ran = cytobench(
        "run", "dataset=sim_inflamed_mdd", "dataset.n=80", "model=my_model", *task,
        "protocol.repeats=1", "tuning=off", "tracking=none",
    )  # fmt: skip

    assert report.ok, str(report)
    assert all(result.status in ("passed", "skipped") for result in report.results), str(report)
    assert "my_model" in ran.stdout


def test_a_new_dataset_passes_the_checks(working_directory, cytobench):
    cytobench("new", "dataset", "my_cohort")

    report = run_checks("my_cohort")

    assert report.ok, str(report)
    assert not report.count("warned"), str(report)


def test_the_test_that_comes_with_it_passes(working_directory, cytobench):
    cytobench("new", "model", "my_model")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_my_model.py"],
        cwd=working_directory, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def test_what_is_written_is_well_formed_code(working_directory, cytobench):
    cytobench("new", "model", "my_model")
    cytobench("new", "model", "my_regressor", "--task", "percent_change")
    cytobench("new", "dataset", "my_cohort")

    for words in (["check", "--select", "E,F,I,D1,UP"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--line-length", "100", "plugins"],
            cwd=working_directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_nothing_heavy_is_imported_to_write_a_model(working_directory):
    script = (
        "import sys; from cytobench.cli.main import main; main(['new', 'model', 'my_model']);"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'torch', 'hydra') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=working_directory, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "name",
    ["../escape", "a/b", "__init__", "two words", "class", "1st", "", "x" * 200, "naïve",
     "elastic_net", "match"],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused(working_directory, cytobench, name):
    done = cytobench("new", "model", name, check=False)

    assert done.returncode == 2
    assert "E140" in done.stderr
    assert not list(working_directory.rglob("*.py"))


def test_what_is_there_is_never_overwritten(working_directory, cytobench):
    cytobench("new", "model", "my_model")
    test = working_directory / "tests" / "test_my_model.py"
    plugin = working_directory / "plugins" / "models" / "my_model.py"
    plugin.unlink()
    test.write_text("# mine")

    done = cytobench("new", "model", "my_model", check=False)

    assert done.returncode == 2
    assert "E141" in done.stderr
    assert test.read_text() == "# mine"
    assert not plugin.exists(), "all files or none"


@pytest.mark.parametrize(
    "words",
    [
        ("model", "x", "--task", "happiness"),
        ("model", "x", "--task", "response", "--task", "percent_change"),
        ("model", "x", "--table", "t.csv"),
        ("dataset", "x", "--task", "response"),
    ],
)
def test_options_that_do_not_fit_are_refused(working_directory, cytobench, words):
    done = cytobench("new", *words, check=False)

    assert done.returncode == 2
    assert "E140" in done.stderr
