"""Python and the packages beside cytobench: there, of the right version, and fitting each other."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, files
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cytobench.doctor.register import Situation, Symptom, check

OURS = "cytobench"
TORCH_BUILD = re.compile(r"^cuda\s*(?::[^=]*)?=\s*['\"]([0-9.]+)['\"]", re.MULTILINE)
THREADING = ("torch", "numpy", "scikit-learn", "mkl", "intel-openmp", "lightgbm", "xgboost")
"""Packages that may bring a runtime of OpenMP."""


@check(
    "D101", "Python is too old", "breaks",
    "cytobench is written for newer Pythons: imports fail with a SyntaxError or an ImportError.",
)  # fmt: skip
def old_python(situation: Situation) -> Iterator[Symptom]:
    """Hold the interpreter to the ``Requires-Python`` of the metadata."""
    del situation
    ours = _found(OURS)
    wanted = ours.metadata["Requires-Python"] if ours else ">=3.11"
    running = ".".join(map(str, sys.version_info[:3]))
    if not SpecifierSet(wanted).contains(running, prereleases=True):
        yield Symptom(
            f"Python {running} runs, and {wanted} is needed",
            sys.executable,
            "make an environment with a newer Python: python3.12 -m venv .venv",
        )


@check(
    "D102", "a package is missing", "breaks",
    "What cytobench needs is not installed: some commands, or all, end with an ImportError.",
)  # fmt: skip
def missing(situation: Situation) -> Iterator[Symptom]:
    """Look for every distribution that is needed."""
    del situation
    for wanted in _requirements(OURS):
        if not _extra(wanted) and _found(wanted.name) is None:
            yield Symptom(
                f"{wanted.name} is missing", wanted.name, f"pip install '{_plain(wanted)}'"
            )


@check(
    "D103", "a package is too old or too new", "breaks",
    "cytobench was not written for this release: options are missing, or mean something else.",
)  # fmt: skip
def unsupported(situation: Situation) -> Iterator[Symptom]:
    """Hold what is installed to the requirements, Hydra below 1.4 for one."""
    del situation
    for wanted in _requirements(OURS):
        found = None if _extra(wanted) else _found(wanted.name)
        if found is not None and not wanted.specifier.contains(found.version, prereleases=True):
            yield _misfit(OURS, wanted, found.version)


@check(
    "D104", "packages do not fit each other", "warning",
    "A package, or an extra of cytobench, asks for another release of a second one than is there, "
    "as dask and distributed do of each other: what uses both may fail.",
)  # fmt: skip
def misfits(situation: Situation) -> Iterator[Symptom]:
    """Hold the packages that cytobench leads to, and those of installed extras, to each other."""
    del situation
    seen, waiting = {OURS}, [OURS]
    while waiting:
        name = waiting.pop()
        for wanted in _requirements(name):
            found = _found(wanted.name)
            if _extra(wanted) and name != OURS:
                continue
            if found is None:
                if not _extra(wanted) and name != OURS:
                    yield Symptom(
                        f"{name} needs {wanted.name}, which is missing", name,
                        f"pip install '{_plain(wanted)}'",
                    )  # fmt: skip
                continue
            told = name == OURS and not _extra(wanted)  # D103 says it
            if not told and not wanted.specifier.contains(found.version, prereleases=True):
                yield _misfit(name, wanted, found.version)
            if canonicalize_name(wanted.name) not in seen:
                seen.add(canonicalize_name(wanted.name))
                waiting.append(wanted.name)


@check(
    "D105", "torch is built for CUDA, and there is no driver", "warning",
    "Networks compute on the processor; device=cuda fails. The build takes gigabytes for nothing.",
)  # fmt: skip
def no_driver(situation: Situation) -> Iterator[Symptom]:
    """Read torch's build from its files, without importing it."""
    del situation
    place = _package_folder("torch")
    build = place / "version.py" if place else None
    if build is None or not build.is_file():
        return
    cuda = TORCH_BUILD.search(build.read_text(encoding="utf-8"))
    if cuda and not _driver():
        yield Symptom(
            f"torch is built for CUDA {cuda[1]}, and no NVIDIA driver can be loaded",
            str(place),
            "install the driver, or the build for processors: "
            "pip install torch --index-url https://download.pytorch.org/whl/cpu",
        )


@check(
    "D106", "two runtimes of OpenMP", "warning",
    "Intel's (libiomp5) and LLVM's (libomp) in one process end it (OMP: Error #15), hang it, or "
    "give wrong sums.",
)  # fmt: skip
def two_runtimes(situation: Situation) -> Iterator[Symptom]:
    """Look through the files of packages that bring one."""
    del situation
    brought: dict[str, list[str]] = {}
    for name in THREADING:
        if _found(name) is None:
            continue
        for file in files(name) or []:
            kind = re.match(r"(libiomp5|libomp(?![a-z]))", file.name)
            if kind:
                brought.setdefault(kind[1], []).append(name)
    if len(brought) > 1:
        said = "; ".join(f"{kind} with {', '.join(sorted({*by}))}" for kind, by in brought.items())
        yield Symptom(said, "", "take all of them from one source: PyPI, or conda-forge")


def _requirements(name: str) -> Iterator[Requirement]:
    """What a distribution asks for here; of its extras, those of cytobench only."""
    found = _found(name)
    for line in (found.requires if found else None) or []:
        wanted = Requirement(line)
        extra = _extra(wanted)
        if wanted.name.lower() == OURS or (extra and name != OURS):
            continue
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield wanted


def _extra(wanted: Requirement) -> str:
    """The extra that a requirement belongs to, or nothing."""
    match = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", str(wanted.marker or ""))
    return match[1] if match else ""


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _misfit(who: str, wanted: Requirement, version: str) -> Symptom:
    return Symptom(
        f"{who} needs {_plain(wanted)}, and {version} is installed",
        wanted.name,
        f"pip install '{_plain(wanted)}'",
    )


def _plain(wanted: Requirement) -> str:
    return f"{wanted.name}{wanted.specifier}"


def _package_folder(module: str) -> Path | None:
    spec = find_spec(module)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else None


def _driver() -> bool:
    """Whether the driver's library can be loaded."""
    from ctypes import CDLL

    try:
        CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
    except OSError:
        return False
    return True
