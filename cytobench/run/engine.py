"""Engines: carry fold specs to where they are run and bring the results back, in any order.

A spec may stand for several folds that are done together; ``apart`` then names them one by one, and
its answer is a list.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cytobench import console
from cytobench.core.errors import UsageError
from cytobench.core.result import FoldFailure
from cytobench.run.lending import give_up, lent
from cytobench.run.limits import Limits, guarded, limits_from_config, undisturbed
from cytobench.run.local import attend, shared_folder

ENGINES = ("serial", "joblib", "dask")


class Work(Protocol):
    """What is done for one fold: plain data that any process can carry out; it never raises."""

    @property
    def fold(self) -> int:
        """Position in the split plan."""

    @property
    def key(self) -> str:
        """The cell that it is a fold of."""

    def attempt(self, salt: bytes) -> Any:
        """Do it, and answer with the result or a :class:`cytobench.core.result.FoldFailure`."""


Spec = TypeVar("Spec", bound=Work)


def everything(spec: Spec) -> Spec | None:
    """Nobody else does any of it."""
    return spec


def run_folds(
    specs: Sequence[Spec],
    engine: Mapping[str, Any],
    salt: bytes,
    take: Callable[[Spec], Spec | None] = everything,
) -> Generator[tuple[Spec, Any]]:
    """Run folds with the chosen engine, yielding each as it finishes, one by one.

    Where a fold has limits, folds that could be done together are not.

    Parameters
    ----------
    engine : mapping
        A composed ``engine`` node: ``name``, ``workers`` (None: one for each core), and what one
        fold may take: ``fold_seconds``, ``fold_memory_gb``.
    take : callable
        Asked for each spec when its turn comes, from any thread and perhaps again: what of it is to
        be done, None for nothing.
    """
    workers, limits = check_engine(engine), limits_from_config(engine)
    if not specs:
        return
    if limits.any:
        specs = _apart(specs)
    if engine["name"] == "dask":
        from cytobench.run.dask_engine import dask_folds

        for spec, outcome in dask_folds(specs, engine, workers, salt, limits, take):
            yield from _each(spec, outcome)
        return
    if limits.any:
        yield from guarded(specs, min(workers, len(specs)), salt, limits, take)
        return
    if workers == 1 or len(specs) == 1:
        taken = (mine for spec in specs if (mine := take(spec)) is not None)
        done: Iterator[tuple[Spec, Any]] = ((spec, undisturbed(spec, salt)) for spec in taken)
    else:
        done = _joblib(specs, min(workers, len(specs)), salt, take)
    for spec, outcome in done:
        yield from _each(spec, outcome)


def _apart(specs: Sequence[Spec]) -> list[Spec]:
    """Specs of one fold each."""
    return [one for spec in specs for one in getattr(spec, "apart", [spec])]


def _each(spec: Spec, outcome: Any) -> Iterator[tuple[Spec, Any]]:
    """What became of each fold; what befell all of them together befell each."""
    folds = _apart([spec])
    if isinstance(outcome, FoldFailure):
        outcomes: list[Any] = [replace(outcome, fold=one.fold) for one in folds]
    else:
        outcomes = outcome if isinstance(outcome, list) else [outcome]
    yield from zip(folds, outcomes, strict=True)


def check_engine(engine: Mapping[str, Any]) -> int:
    """How many workers an ``engine`` node asks for; its limits are checked too.

    Raises
    ------
    UsageError
        ``E115`` for an unknown engine, a number of workers below 1, or a limit that is none.
    """
    name, workers = engine.get("name"), engine.get("workers")
    if name not in ENGINES:
        raise UsageError(
            "E115", f"there is no engine {name!r}", hint=f"there are: {', '.join(ENGINES)}"
        )
    if name == "dask":
        from cytobench.run.clusters import check_cluster

        workers = check_cluster(engine)
    elif workers is None:
        workers = available_cores()
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UsageError("E115", f"must be 1 or more, not {workers!r}", where="engine.workers")
    limits_from_config(engine)
    return 1 if name == "serial" else workers


def shares_cohorts(engine: Mapping[str, Any]) -> bool:
    """Whether its workers are other processes of this machine, which can map what is held here."""
    apart = check_engine(engine) > 1 or limits_from_config(engine).any
    return apart and engine["name"] != "dask"


def available_cores() -> int:
    """Cores that this process may use (a container's or a batch job's share)."""
    from joblib import cpu_count

    return int(cpu_count())


def _joblib(
    specs: Sequence[Spec], workers: int, salt: bytes, take: Callable[[Spec], Spec | None]
) -> Iterator[tuple[Spec, Any]]:
    from joblib import Parallel, delayed

    shared = str(shared_folder())
    # Whole folds, one at a time: a late worker then never waits behind a batch.
    pool = Parallel(
        n_jobs=workers,
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        temp_folder=shared,
        initializer=_attend,
        initargs=(os.getpid(), lent(), shared),
    )
    left = dict(enumerate(specs))
    answers = Path(tempfile.mkdtemp(dir=shared))

    def taken() -> Iterator[Any]:
        for number, spec in enumerate(specs):
            mine = take(spec)
            if mine is None:
                del left[number]
            else:
                left[number] = mine
                yield delayed(_answer)(number, mine, salt, answers)

    outcomes = pool(taken())
    try:
        for number, outcome in outcomes:
            yield left.pop(number), _read(answers, number) if outcome is None else outcome
    except BrokenExecutor:
        # Loky loses everything with one worker; guarded processes lose the culprit only.
        console.warn("a worker process died; the folds that are left run in guarded processes")
        yield from guarded(_apart(list(left.values())), workers, salt, Limits(), take)
    finally:
        with warnings.catch_warnings():
            # That folds are cancelled is no news to who has stopped the run.
            warnings.simplefilter("ignore")
            outcomes.close()
        give_up(str(answers))


def _attend(parent: int, cohorts: str, shared: str) -> None:
    """In a new worker of loky, which would not notice that its run was killed."""

    def ended() -> None:
        while os.getppid() == parent:
            time.sleep(1)

    attend(ended, cohorts, shared)


def _answer(number: int, spec: Work, salt: bytes, folder: Path) -> tuple[int, Any]:
    """Do a spec, and leave what came of it as a file; None stands for it.

    What goes through the pool's pipe is then a few bytes, written in one piece: of a worker that is
    killed in the middle of a long answer the pool would wait for the rest for ever.
    """
    outcome = undisturbed(spec, salt)
    try:
        (folder / str(number)).write_bytes(pickle.dumps(outcome))
    except OSError:  # no room
        return number, outcome
    return number, None


def _read(folder: Path, number: int) -> Any:
    """The answer that a worker of this run has left."""
    path = folder / str(number)
    outcome = pickle.loads(path.read_bytes())  # noqa: S301 - this process's own folder
    path.unlink()
    return outcome


def one_thread_each() -> None:
    """Keep BLAS, OpenMP and torch to one thread in this process and those it starts.

    Two threads beside a busy neighbour cost forty times what one costs, and sums in another order
    change the last bit. Has to come before numpy is imported; an explicit setting is respected.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
