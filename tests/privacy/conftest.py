"""A run store with predictions and explanations of ninety patients, made once, and its copies."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cytobench.privacy.audit import audit_folder
from cytobench.privacy.knowledge import Knowledge
from cytobench.run.store import RunStore

COHORT = '''
    """Ninety patients who have identifiers as a clinic gives them."""
    from cytobench import dataset


    @dataset(kind="simulated")
    def clinic(n=90):
        """Ninety patients, three analytes, two arms, a ward of three patients."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(1)
        z = draw.normal(size=(n, 3))
        names = ["CRP", "IL-6", "IL-10"]
        table = pd.DataFrame(np.exp(z), columns=names)
        table["age"] = draw.normal(40, 10, n).round()
        table["sex"] = np.where(np.arange(n) % 2, "female", "male")
        table["arm"] = draw.choice(["A", "B"], n)
        table["site"] = np.where(np.arange(n) < 3, "Ward 7", np.where(np.arange(n) < 50, "N", "S"))
        table["responder"] = (draw.random(n) < 1 / (1 + np.exp(-2 * z[:, 1]))).astype(float)
        table.index = [f"KHB-{1000 + i}" for i in range(n)]
        return Cohort(
            table,
            [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
            LabelOutcome("responder", "responded"),
            DatasetCard("clinic", "Toy cohort", kind="simulated"),
            covariates=["age", "sex"],
            arm="arm",
            site="site",
        )
'''
RUN = ("dataset=clinic", "model=elastic_net", "floors=[prior]", "explain=true", "engine=serial")
FEWER = ("protocol.folds=3", "protocol.repeats=1", "tuning.trials=2", "tracking=none")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A working directory in which a run has finished."""
    folder = tmp_path_factory.mktemp("clinic")
    plugin = folder / "plugins" / "datasets" / "clinic.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(textwrap.dedent(COHORT).lstrip("\n"), encoding="utf-8")
    for words in (["run", *RUN, *FEWER], ["report"], ["leaderboard", "build"], ["track"]):
        subprocess.run(
            [sys.executable, "-m", "cytobench", *words],
            cwd=folder, env=dict(os.environ), check=True, capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def clinic():
    """The cohort."""
    names: dict = {}
    exec(compile(textwrap.dedent(COHORT).strip(), "clinic.py", "exec"), names)
    return names["clinic"]()


@pytest.fixture
def shared(finished, tmp_path):
    """A copy of the store as it may be shared: without its salt."""
    target = tmp_path / "shared"
    shutil.copytree(finished / "runs", target, ignore=shutil.ignore_patterns("salt"))
    return target


@pytest.fixture
def cell(shared) -> Path:
    """The folder of one cell."""
    return sorted(path.parent for path in shared.glob("*/cell.json"))[0]


@pytest.fixture
def audited(finished, clinic, shared):
    """``audited(folder)``: the leaks that block or warn, as (code, where)."""

    def audit(folder=shared, **changes):
        given = {"cohorts": [clinic], "salt": RunStore(finished / "runs").salt()}
        leaks = audit_folder(Knowledge(folder, **{**given, **changes}))
        return [(leak.code, leak.where) for leak in leaks if leak.severity != "note"]

    return audit
