"""Python, its packages, and where they come from."""

import sys
from pathlib import Path

import pytest

from cytobench.doctor import origins, packages


def test_an_old_python_is_named(situation, finding, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))

    assert "Python 3.9.1 runs" in finding("D101", situation()).sentence


def test_a_missing_package_is_named_with_its_command(situation, finding, distribution):
    distribution("cytobench", "0.1.0", "numpy>=2", "no-such-thing<6,>=5")

    found = finding("D102", situation())

    assert found.where == "no-such-thing"
    assert found.hint == "pip install 'no-such-thing<6,>=5'"


def test_an_extra_that_nobody_installed_is_not_missing(situation, findings, distribution):
    distribution("cytobench", "0.1.0", "no-such-thing; extra == 'rare'")

    codes = ("D102", "D103", "D104")
    assert [item for code in codes for item in findings(code, situation())] == []


def test_a_package_that_lacks_what_it_needs_itself_is_named(situation, finding, distribution):
    distribution("cytobench", "0.1.0", "mlflow>=3")
    distribution("mlflow", "3.17.0", "mlflow-skinny-of-old==3.17.0")

    found = finding("D104", situation())

    assert found.sentence == "mlflow needs mlflow-skinny-of-old, which is missing"


def test_hydra_of_a_release_that_is_too_new_breaks_runs(situation, finding, distribution):
    distribution("cytobench", "0.1.0", "hydra-core<1.4,>=1.3.2", "numpy>=2")
    distribution("hydra-core", "1.4.0.dev1")

    found = finding("D103", situation())

    assert (found.where, found.severity) == ("hydra-core", "breaks")
    assert "1.4.0.dev1 is installed" in found.sentence


def test_an_old_mlflow_breaks_runs(situation, finding, distribution):
    distribution("cytobench", "0.1.0", "mlflow<4,>=3.16")
    distribution("mlflow", "2.9")

    assert finding("D103", situation()).where == "mlflow"


def test_dask_and_distributed_of_two_releases_do_not_fit(situation, finding, distribution):
    distribution("cytobench", "0.1.0", "distributed>=2026.1; extra == 'dask'")
    distribution("dask", "2026.1.0")
    distribution("distributed", "2026.8.0", "dask==2026.8.0")

    found = finding("D104", situation())

    assert found.sentence == "distributed needs dask==2026.8.0, and 2026.1.0 is installed"
    assert found.severity == "warning"


@pytest.mark.parametrize(
    ("build", "driver", "expected"), [("'12.8'", False, 1), ("'12.8'", True, 0), ("None", False, 0)]
)
def test_a_cuda_build_of_torch_needs_a_driver(
    situation, findings, monkeypatch, tmp_path, build, driver, expected
):
    (tmp_path / "version.py").write_text(
        f"from typing import Optional\ncuda: Optional[str] = {build}\n"
    )
    monkeypatch.setattr(packages, "_package_folder", lambda module: tmp_path)
    monkeypatch.setattr(packages, "_driver", lambda: driver)

    assert len(findings("D105", situation())) == expected


def test_two_runtimes_of_openmp_are_named_with_who_brings_them(situation, finding, distribution):
    distribution("mkl", "2026.0", files=("lib/libiomp5.so",))
    distribution("torch", "2.13.0", files=("torch/lib/libomp.dylib", "torch/lib/libompanion.so"))

    assert finding("D106", situation()).sentence == "libomp with torch; libiomp5 with mkl"


def test_several_copies_of_gnus_runtime_are_normal(situation, findings):
    assert findings("D106", situation()) == []


def test_a_checkout_that_is_not_what_runs_is_named(situation, finding, working_directory):
    (working_directory / "cytobench").mkdir()
    (working_directory / "pyproject.toml").write_text('[project]\nname = "cytobench"\n')

    found = finding("D111", situation())

    assert found.where == str(working_directory)
    assert found.hint == f"pip install -e {working_directory}"


def test_the_checkout_that_runs_is_fine(situation, findings):
    here = Path(origins.__file__).parents[2]

    assert findings("D111", type(situation())({}, here)) == []


def test_a_second_installation_is_named(situation, finding, distribution):
    distribution("cytobench", "0.0.1")

    assert "is imported" in finding("D112", situation(environment={"PYTHONPATH": "/x"})).sentence


def test_a_source_tree_that_was_never_installed_is_named(situation, finding, monkeypatch):
    def nobody(name):
        raise origins.PackageNotFoundError(name)

    monkeypatch.setattr(origins, "distribution", nobody)

    assert finding("D113", situation()).hint.startswith("pip install -e")


def test_metadata_that_are_older_than_the_source_are_named(
    situation, finding, monkeypatch, tmp_path
):
    (tmp_path / "pyproject.toml").write_text(
        "[project]\ndependencies = ['numpy>=2', 'brand_new']\n"
        "[project.optional-dependencies]\nrare = ['cytobench[dask]', 'rarity']\n"
    )
    monkeypatch.setattr(origins, "PACKAGE", tmp_path / "cytobench")
    monkeypatch.setattr(origins, "_installed", lambda: tmp_path / "cytobench")

    assert finding("D116", situation()).sentence == "they know nothing of brand-new, rarity"


def test_a_package_without_its_configuration_breaks_everything(
    situation, findings, monkeypatch, tmp_path
):
    monkeypatch.setattr(origins, "bundled", lambda name: tmp_path / name)

    found = findings("D114", situation())

    assert [Path(item.where).name for item in found] == ["conf", "plugins"]


def test_a_file_that_hides_a_package_is_named(situation, finding, working_directory, monkeypatch):
    (working_directory / "optuna.py").write_text("")
    monkeypatch.syspath_prepend(str(working_directory))
    monkeypatch.delitem(sys.modules, "optuna", raising=False)

    found = finding("D115", situation())

    assert found.where == str(working_directory / "optuna.py")
    assert found.severity == "breaks"
