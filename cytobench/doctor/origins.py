"""Where code comes from: the cytobench that runs, and packages that a file hides."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cytobench.doctor.register import Situation, Symptom, check
from cytobench.plugins import bundled

PACKAGE = Path(__file__).resolve().parents[1]
MODULES = {
    "numpy": "numpy", "scipy": "scipy", "pandas": "pandas", "scikit-learn": "sklearn",
    "pyarrow": "pyarrow", "hydra-core": "hydra", "optuna": "optuna", "mlflow": "mlflow",
    "joblib": "joblib", "matplotlib": "matplotlib", "statsmodels": "statsmodels", "torch": "torch",
}  # fmt: skip
"""Distribution -> the module that it is imported as."""


@check(
    "D111", "the cytobench that runs is not the checkout in this folder", "warning",
    "What is edited here has no effect: another copy is imported.",
)  # fmt: skip
def other_checkout(situation: Situation) -> Iterator[Symptom]:
    """Compare the imported package with the source tree around the working directory."""
    for folder in (situation.folder, *situation.folder.parents):
        described = folder / "pyproject.toml"
        if not (folder / "cytobench").is_dir() or not described.is_file():
            continue
        ours = re.search(r'^name = "cytobench"$', described.read_text("utf-8"), re.MULTILINE)
        if ours and (folder / "cytobench").resolve() != PACKAGE:
            yield Symptom(
                f"{folder} is a checkout, and {PACKAGE} is what runs",
                str(folder),
                f"pip install -e {folder}",
            )
        return


@check(
    "D112", "two installations of cytobench", "warning",
    "One is imported, while versions, extras and the plugins of packages are those of the other.",
)  # fmt: skip
def two_installations(situation: Situation) -> Iterator[Symptom]:
    """Compare the imported package with what the metadata was installed from."""
    place = _installed()
    if place is not None and place != PACKAGE:
        cause = "PYTHONPATH" if situation.environment.get("PYTHONPATH") else "sys.path"
        yield Symptom(
            f"{place} is installed, and {PACKAGE} is imported",
            cause,
            f"unset {cause}, or pip install the one that you mean",
        )


@check(
    "D113", "cytobench was never installed", "warning",
    "It runs from its source: versions, extras and plugins of other packages are unknown.",
)  # fmt: skip
def never_installed(situation: Situation) -> Iterator[Symptom]:
    """Look for the metadata."""
    del situation
    try:
        distribution("cytobench")
    except PackageNotFoundError:
        yield Symptom(
            "there are no metadata of it", str(PACKAGE), f"pip install -e {PACKAGE.parent}"
        )


@check(
    "D116", "the metadata are older than the source", "warning",
    "pyproject.toml has changed since cytobench was installed from here: what it asks for now is "
    "neither installed nor checked.",
)  # fmt: skip
def old_metadata(situation: Situation) -> Iterator[Symptom]:
    """Compare the requirements of an editable installation with those beside the package."""
    del situation
    described = PACKAGE.parent / "pyproject.toml"
    if _installed() != PACKAGE or not described.is_file():
        return
    project = tomllib.loads(described.read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    wanted = {_name(line) for line in lines} - {"cytobench"}
    known = {_name(line) for line in distribution("cytobench").requires or []} - {"cytobench"}
    if new := sorted(wanted - known):
        yield Symptom(
            f"they know nothing of {', '.join(new)}", str(described),
            f"pip install -e {PACKAGE.parent}, or make",
        )  # fmt: skip


@check(
    "D114", "its configuration or plugins are missing", "breaks",
    "The package was copied in part: no command that composes a configuration works.",
)  # fmt: skip
def incomplete(situation: Situation) -> Iterator[Symptom]:
    """Look for the two folders that travel with the package."""
    del situation
    for name in ("conf", "plugins"):
        if not bundled(name).is_dir():
            yield Symptom(f"there is no folder {name}", str(bundled(name)), "reinstall cytobench")


@check(
    "D115", "a file hides a package", "breaks",
    "A file or folder of a package's name comes first in the import path and is imported instead.",
)  # fmt: skip
def hidden(situation: Situation) -> Iterator[Symptom]:
    """Compare where a module would come from with where its distribution lies."""
    del situation
    for name, module in MODULES.items():
        try:
            home = Path(str(distribution(name).locate_file(""))).resolve()
            spec = find_spec(module)
        except (PackageNotFoundError, ValueError):
            continue
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is not None and not origin.is_relative_to(home) and not _editable(name):
            yield Symptom(f"is imported instead of {name}", str(origin), "rename it")


def _installed() -> Path | None:
    """Where the package lies whose metadata are found; None where it was never installed."""
    try:
        found = distribution("cytobench")
    except PackageNotFoundError:
        return None
    direct = json.loads(found.read_text("direct_url.json") or "{}")
    if direct.get("dir_info", {}).get("editable"):
        return Path(url2pathname(urlsplit(direct["url"]).path)).resolve() / "cytobench"
    return Path(str(found.locate_file("cytobench"))).resolve()


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def _editable(name: str) -> bool:
    return '"editable": true' in (distribution(name).read_text("direct_url.json") or "")
