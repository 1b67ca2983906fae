"""``cytobench doctor`` as a person calls it."""

import json
from pathlib import Path

import pytest

from cytobench.doctor import checks, examine
from cytobench.doctor.register import AREAS, Check

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


def test_a_fresh_folder_breaks_nothing(cytobench):
    done = cytobench("doctor")

    assert "0 findings break runs" in done.stdout or "all is well" in done.stdout


def test_what_breaks_runs_is_said_with_place_and_remedy_and_exit_code_1(cytobench, write_plugin):
    path = write_plugin("models", "torn", "def torn(:\n")

    done = cytobench("doctor", "store=/proc/runs", check=False)

    assert done.returncode == 1
    assert f"[D401] {path}:1: the model torn: cannot be parsed" in done.stderr
    assert "[D501] /proc: cannot be written" in done.stderr
    assert "-> give yourself the folder, or name another: store=PATH" in done.stderr
    assert "2 findings break runs" in done.stdout


def test_warnings_leave_the_exit_code_at_0(cytobench):
    done = cytobench("doctor", CYTOBENCH_PLUGIN="here")

    assert "did you mean CYTOBENCH_PLUGINS?" in done.stderr


def test_json_holds_the_same_for_machines(cytobench, working_directory):
    (working_directory / "mlflow.db").write_text("no database, but text" * 100)

    done = cytobench("doctor", "--json", check=False)

    said = json.loads(done.stdout)
    (found,) = [item for item in said["findings"] if item["severity"] == "breaks"]
    assert found["code"] == "D604"
    assert found["where"] == str(working_directory / "mlflow.db")
    assert said["checks"] == len(checks())
    assert said["packages"]["optuna"]
    assert done.returncode == 1


def test_an_output_that_is_ascii_is_found_by_a_doctor_that_can_still_speak(cytobench):
    done = cytobench("doctor", PYTHONIOENCODING="ascii")

    assert "[D201] PYTHONIOENCODING: standard output is ascii" in done.stderr


def test_a_wrong_override_is_a_usage_error(cytobench):
    done = cytobench("doctor", "engine=fast", check=False)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_is_a_finding_and_hides_no_other(cytobench, working_directory):
    path = working_directory / "conf" / "engine" / "joblib.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("name: [joblib\n")

    done = cytobench("doctor", check=False)

    assert f"[D403] conf: [E117] {path}, line 2: " in done.stderr
    assert f"[D404] {path}" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


def test_a_check_that_fails_says_so_and_hides_no_other(situation, monkeypatch):
    def fail(situation):
        raise RuntimeError("no /proc here")

    known = checks()
    broken = Check("D502", "a disk that is full", "warning", "", fail)
    monkeypatch.setattr("cytobench.doctor.examination.checks", lambda: {**known, "D502": broken})

    found = examine(situation(store="/proc/runs"))

    assert {"D501", "D502"} <= {item.code for item in found}
    (said,) = [item for item in found if item.code == "D502"]
    assert said.sentence == "could not be looked at: RuntimeError: no /proc here"


def test_what_breaks_runs_comes_first(situation):
    found = examine(situation({"CYTOBENCH_DATE": "x"}, store="/proc/runs"))

    order = [item.severity for item in found]
    assert order == sorted(order)
    assert set(order) == {"breaks", "warning"}


def test_the_list_explains_every_check(cytobench):
    done = cytobench("doctor", "--list", "--json")

    assert [item["code"] for item in json.loads(done.stdout)] == list(checks())


@pytest.mark.parametrize("code", checks())
def test_every_check_is_on_the_page_under_its_area(code):
    check = checks()[code]
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    (section,) = [part for part in sections if part.startswith(AREAS[code[:2]])]

    assert f"| {code} | {check.severity} | {check.title} | {check.explanation} |" in section


def test_the_page_lists_no_other_code():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    listed = {line.split("|")[1].strip() for line in lines if line.startswith("| D")}

    assert listed == set(checks())
