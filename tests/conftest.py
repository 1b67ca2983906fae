"""What many tests share: an empty working directory, small plugins, a command-line runner."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before numpy is imported anywhere: see cytobench.run.engine.one_thread_each.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from support.browser import chromium
from support.toy import TOY_MODELS, write_plugins

from cytobench import plugins as plugin_root

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def reference() -> Path:
    """Reference values that may be kept with the project."""
    return REPOSITORY / "tests" / "reference"


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Reference values that lie beside the checkout, if at all."""
    return REPOSITORY.parent / "shared" / "reference"


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A Chromium; one for all, since Playwright starts no second one in a process."""
    with chromium() as started:
        yield started


@pytest.fixture
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; plugin folders are looked up anew in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(plugin_root.ENVIRONMENT, raising=False)
    plugin_root.refresh()
    yield tmp_path
    monkeypatch.undo()
    plugin_root.refresh()
    for name in [name for name in sys.modules if name.startswith("cytobench.plugins.")]:
        del sys.modules[name]


@pytest.fixture
def write_plugin(working_directory: Path) -> Callable[[str, str, str], Path]:
    """``write_plugin("models", "toy_ridge", source)`` puts a file into ``./plugins``."""

    def write(kind: str, name: str, source: str) -> Path:
        path = working_directory / "plugins" / kind / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
        plugin_root.refresh()
        return path

    return write


@pytest.fixture
def toy_plugins(working_directory: Path) -> Path:
    """A working directory with the dataset ``toy`` and the models ``toy_ridge`` and ``guess``."""
    write_plugins(working_directory, TOY_MODELS)
    plugin_root.refresh()
    return working_directory


Runner = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cytobench(working_directory: Path) -> Runner:
    """Run ``cytobench ...`` as a person would, in the test's working directory."""

    def run(
        *words: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cytobench", *words],
            cwd=working_directory,
            env={**os.environ, "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the real tables; the test is skipped where they are absent."""
    named = os.environ.get("CYTOBENCH_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real tables are not at {folder}; set CYTOBENCH_DATA")
    return folder


@pytest.fixture
def make_cohort() -> Callable[..., object]:
    """``make_cohort(y, arm=..., site=...)``: a cohort with a ready label and one analyte."""

    def make(y, *, arm=None, site=None, study=None, holdout=None, analyte=None):
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        n = len(y)
        columns = {"IL-6": np.linspace(1, 2, n) if analyte is None else analyte, "y": y}
        roles = {"arm": arm, "site": site, "study": study, "holdout": holdout}
        given = {name: value for name, value in roles.items() if value is not None}
        table = pd.DataFrame({**columns, **given}, index=[f"p{i}" for i in range(n)])
        table["IL-6"] = table["IL-6"].astype(float)
        table["y"] = table["y"].astype(float)
        return Cohort(
            table,
            [Analyte("IL-6", "pg/mL")],
            LabelOutcome("y", "responded"),
            DatasetCard("made"),
            **{name: name for name in given},
        )

    return make
