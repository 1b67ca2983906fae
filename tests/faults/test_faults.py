"""Whatever befalls a run, the same command completes it, and every number is as if nothing had."""

import random
import shutil
import subprocess
import sys

import pytest
from support.faults import FOLDS, Stage, first_stage
from support.injected import FAULTS
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

    seen = fault.befall(stage, random.Random(seed))

    assert seen.code in fault.codes, seen.said
    assert fault.shows in seen.said, seen.said
    assert "Traceback" not in seen.said
    before = stage.folds()

    again = stage.run()

    assert again.code == 0, again.said
    assert f"{FOLDS - len(before)} folds computed, {len(before)} were already there" in again.said
    after = stage.folds()
    assert {path: after[path] for path in before} == before, "a finished fold was touched"
    assert stage.differences() == []
    assert stage.debris() == []
