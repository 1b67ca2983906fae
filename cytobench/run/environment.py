"""Where a fold was computed: what may move the last digit of a number, beside its versions."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ALSO = ("pandas", "joblib", "pyarrow", "statsmodels", "scikit-misc", "threadpoolctl", "hydra-core")
"""Packages beside those of which a cell's key knows the versions."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment() -> dict[str, str]:
    """Machine, operating system, libraries and threads of this process.

    Returns
    -------
    dict
        ``python``, ``os``, ``machine``, ``cpu``, ``cores``, ``blas``, ``threads``, ``gpu`` where
        torch sees one, and the versions of packages that are not part of a cell's key. No name of
        a user, a host or a folder.
    """
    return {**_machine(), **_gpu()}


@lru_cache
def _machine() -> dict[str, str]:
    said = {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "blas": _blas(),
        "threads": ", ".join(f"{name}={os.environ.get(name, 'unset')}" for name in THREADS),
    }
    for name in ALSO:
        try:
            said[name] = version(name)
        except PackageNotFoundError:
            said[name] = "absent"
    return said


def _cpu() -> str:
    """The processor's model; its kind where the system does not tell more."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _blas() -> str:
    """The linear algebra that is loaded: library, version, and the processor it takes this for."""
    from threadpoolctl import threadpool_info

    found = {
        " ".join(
            str(library[field])
            for field in ("internal_api", "version", "architecture")
            if library.get(field)
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return "; ".join(sorted(found)) or "none seen"


def _gpu() -> dict[str, str]:
    """Not remembered: a later fold of this process may be the first to import torch."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    return {"gpu": f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"}


def differences(recorded: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """What differs between two environments, in words; of what only one of them tells, nothing."""
    return [
        f"{name} {recorded[name]}, here {here[name]}"
        for name in recorded
        if name in here and here[name] != recorded[name]
    ]
