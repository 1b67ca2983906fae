"""Variables that are misspelt, point nowhere, or mislead."""

import re
from pathlib import Path

import pytest

from cytobench.doctor import variables

PACKAGE = Path(variables.__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CYTOBENCH_PLUGIN", "CYTOBENCH_PLUGINS"),
        ("cytobench_data", "CYTOBENCH_DATA"),
        ("CYTO_BENCH_DATA", "CYTOBENCH_DATA"),
    ],
)
def test_a_misspelt_variable_is_named_with_what_was_meant(situation, finding, name, meant):
    found = finding("D301", situation(environment={name: "x"}))

    assert (found.where, found.hint) == (name, f"did you mean {meant}?")


def test_the_variables_that_are_known_are_those_that_the_package_reads():
    own = Path(variables.__file__)
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path != own]
    named = {name for text in sources for name in re.findall(r"\bCYTOBENCH_[A-Z]+\b", text)}

    assert named == set(variables.KNOWN)


def test_known_variables_are_no_finding(situation, findings):
    environment = dict.fromkeys((*variables.KNOWN, *variables.ELSEWHERE), "x")

    assert findings("D301", situation(environment=environment)) == []


def test_a_folder_of_plugins_that_is_not_there_is_named(situation, finding):
    assert (
        finding("D302", situation({"CYTOBENCH_PLUGINS": "nowhere"})).sentence
        == "nowhere is no folder"
    )


def test_a_folder_without_plugins_is_named(situation, finding, working_directory):
    (working_directory / "models").mkdir()  # one level too deep: its parent was meant

    environment = {"CYTOBENCH_PLUGINS": str(working_directory / "models")}

    assert finding("D302", situation(environment)).sentence.endswith("models holds no plugins")


@pytest.mark.parametrize("name", ["CYTOBENCH_DATA", "CYTOBENCH_CHECKPOINTS"])
def test_a_folder_of_tables_that_is_not_there_is_named(situation, finding, name):
    assert finding("D303", situation({name: "tables"})).where == name


def test_a_tilde_that_no_shell_has_expanded_is_named(situation, finding):
    assert finding("D303", situation({"CYTOBENCH_DATA": "~/tables"})).hint.startswith("write $HOME")


def test_mlflows_own_variable_is_compared_with_the_configuration(situation, finding, findings):
    other = situation({"MLFLOW_TRACKING_URI": "http://other:5000"})
    same = situation({"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"})

    assert finding("D304", other).hint == "cytobench run tracking.uri=http://other:5000"
    assert findings("D304", same) == []


def test_the_variable_that_hides_doubled_runtimes_is_named(situation, finding):
    assert (
        finding("D305", situation({"KMP_DUPLICATE_LIB_OK": "TRUE"})).where == "KMP_DUPLICATE_LIB_OK"
    )
