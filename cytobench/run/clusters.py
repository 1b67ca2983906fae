"""Clusters: where the workers of the Dask engine come from, and how their scheduler is reached."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joblib import cpu_count

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.registry.extras import absent

if TYPE_CHECKING:
    from distributed import Client

INSTALL = "pip install 'cytobench[dask]'"
CLUSTERS = ("local", "slurm", "ssh")
PATIENCE = 60.0
"""Seconds without a worker, where nobody says otherwise and no queue has to be waited for."""
REACHED = 10
"""Seconds in which a scheduler that runs answers."""


@dataclass(frozen=True)
class Connection:
    """A scheduler that can be spoken to.

    Attributes
    ----------
    client : distributed.Client
    where : str
        Its address, or what it was started on.
    own : bool
        Whether its workers are processes of this machine that end with the run.
    patience : float
        Seconds without any worker, or without the scheduler, until the run stops.
    """

    client: Client
    where: str
    own: bool
    patience: float


def check_cluster(engine: Mapping[str, Any]) -> Any:
    """How many workers an ``engine`` node asks for, or has where a scheduler runs already.

    Raises
    ------
    UsageError
        ``E115`` for a cluster or a time that is none, or where Dask is not installed.
    CytobenchError
        ``E520`` where the scheduler does not answer.
    """
    if absent("distributed"):
        raise UsageError("E115", "needs Dask", where="engine=dask", hint=INSTALL)
    address, cluster, patience = (engine.get(name) for name in ("address", "cluster", "patience"))
    if address is not None and not str(address).startswith(("tcp://", "tls://")):
        raise UsageError(
            "E115", f"must be tcp://HOST:PORT or tls://, not {address!r}", where="engine.address"
        )
    if cluster not in CLUSTERS:
        hint = f"there are: {', '.join(CLUSTERS)}; for others give engine.address"
        raise UsageError("E115", f"there is no cluster {cluster!r}", hint=hint)
    if patience is not None and (isinstance(patience, bool) or not _positive(patience)):
        raise UsageError(
            "E115", f"must be seconds above 0, not {patience!r}", where="engine.patience"
        )
    if engine.get("workers") is not None:
        return engine["workers"]
    if address:
        with _dask(), _client(str(address)) as client:
            return max(len(client.nthreads()), 1)
    return cpu_count()


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 < value < float("inf")


SETTINGS = {
    # Deaths of workers are expected, and said once by the engine.
    "logging.distributed": "critical",
    # A fold with a limit needs a process of its own below its worker.
    "distributed.worker.daemon": False,
    # The engine itself tries a fold again that was there when a worker died.
    "distributed.scheduler.allowed-failures": 0,
}


@contextmanager
def _dask() -> Iterator[None]:
    """Dask as the engine needs it."""
    import dask
    import distributed  # noqa: F401 - brings settings of its own, which must outlive ours

    for name in list(logging.root.manager.loggerDict):
        if name.startswith("distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(SETTINGS):
        yield


@contextmanager
def connected(engine: Mapping[str, Any], workers: int) -> Iterator[Connection]:
    """A scheduler with workers, for as long as the block lasts.

    Parameters
    ----------
    engine : mapping
        A composed ``engine`` node.
    workers : int
        Processes to start where none run yet.

    Raises
    ------
    CytobenchError
        ``E520`` where the scheduler at ``engine.address`` does not answer.
    """
    patience = float(engine.get("patience") or PATIENCE)
    address = engine.get("address")
    with _dask():
        if address:
            with _client(str(address)) as client:
                yield Connection(client, str(address), own=False, patience=patience)
            return
        with _local(workers) as cluster, _client(cluster) as client:
            yield Connection(client, "workers of this machine", own=True, patience=patience)


def _client(address: Any) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout=REACHED, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise CytobenchError(
            "E520",
            f"no scheduler answers ({type(error).__name__}: {error})",
            where=f"engine.address={address}",
            hint="start one with `dask scheduler`, or leave the address out",
        ) from error


def _local(workers: int) -> Any:
    from distributed import LocalCluster

    # No limit of memory: Dask would stop a worker, fold and all, where engine.fold_memory_gb
    # says which fold it was.
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        dashboard_address=None,
        security=True,
        silence_logs=logging.CRITICAL,
    )
