"""What the machine allows: text, threads, shared memory, open files, warnings."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from cytobench.doctor.register import Situation, Symptom, check
from cytobench.run.engine import available_cores

SHARED = Path("/dev/shm")  # noqa: S108 - looked at, not written to
ROOM = 64 * 1024**2
"""Bytes of shared memory that a container has unless it is given more."""
OPEN_FILES = 512
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
SPOKEN = "TNF-α ≥ 0.5 pg/mL"


@check(
    "D201", "output cannot show every character", "warning",
    "Names of analytes and tables hold Greek letters and signs; they are shown as escapes.",
)  # fmt: skip
def poor_encoding(situation: Situation) -> Iterator[Symptom]:
    """Try to encode what the tables print, as the streams would."""
    del situation
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            SPOKEN.encode(encoding)
        except UnicodeEncodeError:
            yield Symptom(
                f"{name} is {encoding}",
                next((n for n in ("PYTHONIOENCODING", "LC_ALL", "LANG") if n in os.environ), ""),
                "set PYTHONUTF8=1 or LC_ALL=C.UTF-8, and unset PYTHONIOENCODING",
            )


@check(
    "D202", "files are read in another encoding than UTF-8", "warning",
    "Libraries that open text without naming an encoding misread Greek letters.",
)  # fmt: skip
def poor_locale(situation: Situation) -> Iterator[Symptom]:
    """Ask for the encoding of files that name none."""
    del situation
    import locale

    encoding = locale.getpreferredencoding(do_setlocale=False)
    if encoding.lower().replace("-", "") != "utf8":
        yield Symptom(f"files are {encoding}", "", "set PYTHONUTF8=1 or LC_ALL=C.UTF-8")


@check(
    "D203", "more threads than cores", "warning",
    "Each worker's BLAS starts that many threads; they wait for each other, up to forty times as "
    "long. Unset, each worker has one.",
)  # fmt: skip
def too_many_threads(situation: Situation) -> Iterator[Symptom]:
    """Multiply the threads that variables ask for by the workers."""
    cores = available_cores()
    engine = situation.settings.get("engine", {})
    workers = 1 if engine.get("name") == "serial" else engine.get("workers") or cores
    for name in THREADS:
        asked = situation.environment.get(name, "").split(",")[0].strip()
        if asked.isdigit() and int(asked) > 1 and int(asked) * workers > cores:
            yield Symptom(
                f"{asked} threads for each of {workers} workers, on {cores} cores",
                name,
                f"unset {name}, or say engine.workers={max(1, cores // int(asked))}",
            )


@check(
    "D204", "no semaphores", "breaks",
    "Worker processes are joined by semaphores, which live in shared memory: no engine but serial "
    "starts.",
)  # fmt: skip
def no_semaphores(situation: Situation) -> Iterator[Symptom]:
    """Make one."""
    del situation
    import multiprocessing

    try:
        multiprocessing.get_context("spawn").Semaphore(1)
    except (OSError, ImportError) as error:
        yield Symptom(
            f"a semaphore cannot be made: {error}",
            str(SHARED),
            "mount /dev/shm with mode 1777, or say engine=serial",
        )


@check(
    "D205", "little shared memory", "warning",
    "Networks' data loaders and large arrays go through it; a full one ends workers by SIGBUS.",
)  # fmt: skip
def little_shared_memory(situation: Situation) -> Iterator[Symptom]:
    """Ask for what is free there."""
    del situation
    if SHARED.is_dir() and (free := shutil.disk_usage(SHARED).free) < ROOM:
        yield Symptom(
            f"{free / 1024**2:.0f} MiB are free", str(SHARED), "docker run --shm-size=1g ..."
        )


@check(
    "D206", "few open files allowed", "warning",
    "Many workers, Dask and MLflow's server need some dozens each: 'Too many open files'.",
)  # fmt: skip
def few_open_files(situation: Situation) -> Iterator[Symptom]:
    """Ask for the soft limit."""
    del situation
    if os.name != "posix":
        return
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        yield Symptom(f"{soft} files may be open", "ulimit -n", "ulimit -n 4096")


@check(
    "D207", "warnings are errors", "breaks",
    "A library's deprecation ends a fold that would have been fitted.",
)  # fmt: skip
def strict_warnings(situation: Situation) -> Iterator[Symptom]:
    """Look at Python's own filter."""
    said = situation.environment.get("PYTHONWARNINGS", "")
    if any(part.strip().startswith("error") for part in said.split(",")):
        yield Symptom(f"PYTHONWARNINGS={said}", "PYTHONWARNINGS", "unset PYTHONWARNINGS")
