"""Whatever befalls a run, the same command completes it, and every number is as if nothing had."""

import shutil
import subprocess
import sys

import pytest
from support.faults import FOLDS, Stage, first_stage
from support.injected import FAULTS, tried
from support.toy import TOY_DATASET, TOY_MODELS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
MOUNTS = shutil.which("unshare") and not subprocess.run(["unshare", "-rm", "true"]).returncode


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return first_stage(tmp_path_factory.mktemp("undisturbed"), TOY_DATASET, TOY_MODELS)


def cases():
    for number, fault in enumerate(FAULTS):
        marks = [pytest.mark.slow] if fault.slow else []
        if "tmpfs" in fault.name or "read-only store" in fault.name:
            marks.append(pytest.mark.skipif(not MOUNTS, reason="no namespaces for mounts here"))
        yield pytest.param(number, fault, id=fault.befall.__name__, marks=marks)


@pytest.mark.parametrize(("seed", "fault"), list(cases()))
def test_after_a_fault_the_same_command_completes_the_run(undisturbed, tmp_path, seed, fault):
    stage = Stage(tmp_path, undisturbed)

    outcome = tried(fault, stage, seed)

    assert outcome.seen.code in fault.codes, outcome.seen.said
    assert fault.shows in outcome.seen.said, outcome.seen.said
    assert "Traceback" not in outcome.seen.said
    assert outcome.again.code == 0, outcome.again.said
    computed = f"{FOLDS - outcome.finished} folds computed, {outcome.finished} were already there"
    assert computed in outcome.again.said
    assert outcome.lost == []
    assert outcome.differences == []
    assert outcome.debris == []
