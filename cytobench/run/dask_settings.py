"""Dask's settings as the engine needs them, for every process of a cluster that a run starts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FORKED = "forkserver" in multiprocessing.get_all_start_methods()
SETTINGS: Mapping[str, Any] = {
    "distributed.worker.multiprocessing-method": "forkserver" if FORKED else "spawn",
    # Together, a profile and memory given back after each array cost a third of W1-mid's time.
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(THREADS, 1),
    # A fold with a limit needs a process of its own below its worker.
    "distributed.worker.daemon": False,
    # The engine itself tries a fold again that was there when a worker died.
    "distributed.scheduler.allowed-failures": 0,
}
SCHEDULER: Mapping[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Its pages, which ask nobody for a certificate, are seen from its own machine alone; any port."""


def as_variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings of Dask as the variables that a process of Dask reads them from."""
    return {
        "DASK_" + name.upper().replace(".", "__").replace("-", "_"): str(value)
        for name, value in settings.items()
    }
