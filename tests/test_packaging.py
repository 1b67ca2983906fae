"""The wheel, built and installed in an empty environment outside the repository, works."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)],
        check=True,
        capture_output=True,
    )
    return folder


def test_conf_and_plugins_travel_in_wheel_and_sdist(built):
    (wheel,) = built.glob("*.whl")
    (sdist,) = built.glob("*.tar.gz")
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}

    assert "cytobench/_bundled/conf/config.yaml" in in_wheel
    assert "cytobench/_bundled/plugins/models/elastic_net.py" in in_wheel
    assert "cytobench/py.typed" in in_wheel
    assert {"conf/config.yaml", "plugins/models/elastic_net.py", "Makefile"} <= in_sdist
    assert not any(name.startswith(("tests/", "runs/")) for name in in_wheel)


def test_no_patient_table_is_packed(built):
    (wheel,) = built.glob("*.whl")
    tables = (".csv", ".tsv", ".xlsx", ".parquet", ".sav")

    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(tables)]


@pytest.mark.slow
def test_the_installed_wheel_runs_outside_the_repository(built, tmp_path):
    """Everything from the package index, nothing of ours but the wheel; about a minute."""
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }

    def run(*words):
        return subprocess.run(
            [str(python), *words],
            cwd=work,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    run("-m", "pip", "install", "-q", str(wheel))
    listed = run("-m", "cytobench", "list", "models")
    ran = run(
        "-m", "cytobench", "run", "dataset=sim_inflamed_mdd", "model=prior,clinical_only",
        "protocol.repeats=1", "tuning=off", "tracking=none",
    )  # fmt: skip
    zoo = run(
        "-m", "cytobench", "run", "dataset=sim_inflamed_mdd", "dataset.n=80", "floors=[]",
        "model=ridge,lightgbm,xgboost,catboost,explainable_boosting,tabm,mlp,voting",
        "protocol.repeats=1", "tuning=off", "tracking=none", "explain=true",
    )  # fmt: skip
    run("-m", "cytobench", "new", "model", "mine")
    checked = run("-m", "cytobench", "check", "mine", "lightgbm", "mlp", "--fast")
    where = run("-c", "import cytobench; print(cytobench.__file__)")

    assert str(tmp_path) in where
    assert "elastic_net" in listed
    assert "cytobench[torch]" in listed, "without torch the mlp says how to get it"
    assert "15 folds computed" in ran, "the two that were asked for, and the floor crp_cutoff"
    for extra in ("lightgbm", "xgboost", "catboost", "interpret", "tabm", "torch"):
        assert f"pip install 'cytobench[{extra}]'" in zoo, f"{extra} is asked for in words"
    assert "10 folds computed" in zoo, "ridge and voting need nothing else"
    assert "10 folds explained" in zoo, "without shap as well"
    assert "3 of 3 plugins pass" in checked, "what is not installed is skipped"
