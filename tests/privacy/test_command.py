"""``cytobench audit --privacy`` as a person runs it."""

import json
import shutil


def test_a_finished_run_is_blocked_by_its_salt_alone(finished, cytobench, working_directory):
    shutil.copytree(finished, working_directory, dirs_exist_ok=True)

    done = cytobench("audit", "--privacy", check=False)

    assert done.returncode == 1
    assert "P104  block   the salt lies in the folder" in done.stdout
    assert "1 blocking, 0 warnings, 1 notes" in done.stdout


def test_a_copy_without_the_salt_may_be_shared(finished, cytobench, working_directory):
    shutil.copytree(finished, working_directory, dirs_exist_ok=True)
    (working_directory / "runs" / "salt").rename(working_directory / "kept")

    done = cytobench("audit", "--privacy", "runs", "--salt", "kept")

    assert "0 blocking, 0 warnings, 1 notes" in done.stdout
    assert "pseudonymous, not anonymous" in done.stdout


def test_a_leak_has_a_code_and_a_place_as_json(finished, cytobench, working_directory):
    shutil.copytree(finished, working_directory, dirs_exist_ok=True)
    (working_directory / "boards").mkdir()
    (working_directory / "boards" / "log.txt").write_text("KHB-1007 failed", encoding="utf-8")

    # A folder of boards has no cell that names the cohort.
    done = cytobench("audit", "--privacy", "--json", "boards", "dataset=clinic", check=False)

    assert done.returncode == 1
    (report,) = json.loads(done.stdout)
    (finding,) = report["findings"]
    assert (finding["code"], finding["where"]) == ("P101", "log.txt")
    assert finding["message"] == "1 patient of clinic by identifier"


def test_a_cohort_that_is_not_at_hand_is_named(finished, cytobench, working_directory):
    shutil.copytree(finished / "runs", working_directory / "runs")

    done = cytobench("audit", "--privacy", check=False)

    assert "P151  note    a cohort is not at hand" in done.stdout
    assert "clinic: identifiers were not looked for" in done.stdout


def test_a_cohort_that_is_another_here_is_named(finished, cytobench, working_directory):
    shutil.copytree(finished, working_directory, dirs_exist_ok=True)

    done = cytobench("audit", "--privacy", "dataset.n=80", check=False)

    assert "clinic is another here: its pseudonyms were not compared" in done.stdout


def test_everything_that_is_looked_for_is_listed(cytobench):
    done = cytobench("audit", "--privacy", "--list")

    assert "P101  block   identifiers of patients" in done.stdout


def test_mistakes_are_usage_errors(cytobench, working_directory):
    (working_directory / "runs").mkdir()
    (working_directory / "runs" / "salt").write_text("short")

    missing = cytobench("audit", "--privacy", "nowhere", check=False)
    wrong = cytobench("audit", "--privacy", check=False)

    assert (missing.returncode, wrong.returncode) == (2, 2)
    assert "[E132] nowhere: there is no such folder or file" in missing.stderr
    assert "[E132] runs/salt: is no salt of a run store" in wrong.stderr
