"""Whatever befalls a run, the same command completes it, and every number is as if nothing had."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from support.faults import FOLDS, GO_ON, Stage
from support.injected import FAULTS, tried

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
MOUNTS = shutil.which("unshare") and not subprocess.run(["unshare", "-rm", "true"]).returncode


def cases():
    for number, fault in enumerate(FAULTS):
        marks = [pytest.mark.slow] if fault.slow else []
        if "tmpfs" in fault.name or "read-only" in fault.name:
            marks.append(pytest.mark.skipif(not MOUNTS, reason="no namespaces for mounts here"))
        yield pytest.param(number, fault, id=fault.befall.__name__, marks=marks)


@pytest.mark.parametrize(("seed", "fault"), list(cases()))
def test_after_a_fault_the_same_command_completes_the_run(undisturbed, tmp_path, seed, fault):
    stage = Stage(tmp_path, undisturbed)

    outcome = tried(fault, stage, seed)

    assert outcome.seen.code in fault.codes, outcome.seen.said
    assert fault.shows in outcome.seen.said, outcome.seen.said
    assert (GO_ON in outcome.seen.said) == fault.resumes, outcome.seen.said
    assert "Traceback" not in outcome.seen.said
    assert outcome.again.code == 0, outcome.again.said
    computed = f"{FOLDS - outcome.finished} folds computed, {outcome.finished} were already there"
    assert computed in outcome.again.said
    assert outcome.lost == []
    assert outcome.differences == []
    assert outcome.debris == []


@pytest.mark.slow
def test_two_runs_at_once_write_every_cell_to_mlflow_once(undisturbed, tmp_path):
    stage = Stage(tmp_path, undisturbed)

    processes = [stage.start("tracking=mlflow", log=log) for log in ("log", "other")]
    for process, log in zip(processes, ("log", "other"), strict=True):
        seen = stage.ended(process, log)
        assert seen.code == 0, seen.said
        assert "E601" not in seen.said

    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        names = database.execute(
            "select name from runs where lifecycle_stage = 'active' order by name"
        ).fetchall()
    assert names == [("guess",), ("toy_ridge",)]
