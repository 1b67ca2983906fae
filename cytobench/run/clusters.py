"""Clusters: where the workers of the Dask engine come from, and how their scheduler is reached."""

from __future__ import annotations

import logging
import math
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joblib import cpu_count

from cytobench.audit.isolation import PRELOADED
from cytobench.core.errors import CytobenchError, UsageError
from cytobench.registry.extras import absent
from cytobench.run import kubernetes, ssh
from cytobench.run.dask_settings import FORKED, SCHEDULER, SETTINGS, as_variables

if TYPE_CHECKING:
    from distributed import Client

INSTALL = "pip install 'cytobench[dask]'"
CLUSTERS = ("local", "slurm", "ssh", "kubernetes")
PATIENCE = 60.0
"""Seconds without a worker, where nobody says otherwise and no queue has to be waited for."""
PATIENCE_OF = {"slurm": math.inf, "kubernetes": kubernetes.PATIENCE}
REACHED = 10
"""Seconds in which a scheduler that runs answers."""

SHAPES: Mapping[str, tuple[type, str]] = {
    "env": (Mapping, "{NAME: value}"),
    "setup": (list, "['module load python']"),
    "volumes": (Mapping, "{work: /cytobench}"),
    "pod": (Mapping, "{nodeSelector: {pool: cpu}}"),
}
"""Settings that are no single word -> what they have to be, an example."""

PROGRAMS = {
    "slurm": ("sbatch", "run the command on a node that may submit jobs"),
    "kubernetes": (
        "kubectl", "install it where the run is: https://kubernetes.io/docs/tasks/tools"
    ),
}  # fmt: skip
"""What asks for workers -> what to do where it is not here."""


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
        ``E115`` for a cluster or a time that is none, or where Dask is not installed; ``E525``
        for a scheduler elsewhere whose connections are not encrypted.
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
    if address is not None and not engine.get("plain"):
        _check_encrypted(str(address))
    if cluster not in CLUSTERS:
        hint = f"there are: {', '.join(CLUSTERS)}; of others give the scheduler: engine.address"
        raise UsageError("E115", f"there is no cluster {cluster!r}", hint=hint)
    if patience is not None and (isinstance(patience, bool) or not _positive(patience)):
        raise UsageError(
            "E115", f"must be seconds above 0, not {patience!r}", where="engine.patience"
        )
    if not address:
        _check_kind(engine, cluster)
    if engine.get("workers") is not None:
        return engine["workers"]
    if address:
        with _dask(), _client(str(address)) as client:
            return max(len(client.nthreads()), 1)
    return cpu_count()


def _check_encrypted(address: str) -> None:
    """That nobody on the way can read what travels; this machine is no way."""
    scheme, _, rest = address.partition("://")
    host = rest.rpartition(":")[0].strip("[]")
    if scheme == "tcp" and host != "localhost" and host != "::1" and not host.startswith("127."):
        raise UsageError(
            "E525",
            "is not encrypted: the salt that makes pseudonyms unguessable would travel in the "
            "open, and predictions beside outcomes",
            where=f"engine.address={address}",
            hint="start the scheduler with certificates (tls://); on a network that you trust: "
            "engine.plain=true",
        )


def _check_kind(engine: Mapping[str, Any], cluster: str) -> None:
    """What one kind of cluster needs."""
    for name, (kind, example) in SHAPES.items():
        if engine.get(name) is not None and not isinstance(engine[name], kind):
            raise UsageError("E115", f"must be like {example}", where=f"engine.{name}")
    if not _positive(engine.get("memory_gb", 1)):
        raise UsageError("E115", "must be a number above 0", where="engine.memory_gb")
    if cluster == "kubernetes":
        kubernetes.check_kubernetes(engine)
    if cluster == "slurm" and engine.get("workers") is None:
        raise UsageError("E115", "how many jobs? give a number", where="engine.workers")
    if cluster == "ssh" and not engine.get("hosts"):
        raise UsageError("E115", "which? engine.hosts=[one,two]", where="engine.hosts")
    program, hint = PROGRAMS.get(cluster, ("", ""))
    if program and shutil.which(program) is None:
        raise UsageError(
            "E115", f"there is no {program} here", where=f"engine.cluster={cluster}", hint=hint
        )
    package = {"slurm": "dask_jobqueue", "ssh": "asyncssh"}.get(cluster, "distributed")
    if absent(package):
        raise UsageError(
            "E115", f"needs {package}", where=f"engine.cluster={cluster}",
            hint=f"pip install 'cytobench[{cluster}]'",
        )  # fmt: skip
    if engine.get("interface"):
        from distributed.utils import get_ip_interface

        try:
            get_ip_interface(str(engine["interface"]))
        except ValueError as error:
            raise UsageError("E115", str(error), where="engine.interface") from error


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 < value < float("inf")


LOADED = ("distributed", "distributed.nanny", "cytobench.run.fold", "cytobench.run.worker")
"""What every worker of this machine needs, beside :data:`cytobench.audit.isolation.PRELOADED`."""
QUIET = {"logging.distributed": "critical"}
"""Deaths of workers are expected, and said once by the engine."""


@contextmanager
def _dask(settings: Mapping[str, Any] = QUIET) -> Iterator[None]:
    """Dask as the engine needs it."""
    import dask
    import distributed  # noqa: F401 - brings settings of its own, which must outlive ours

    for name in list(logging.root.manager.loggerDict):
        if name.startswith("distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set({**SETTINGS, **settings}):
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
        ``E520`` where the scheduler at ``engine.address`` does not answer, or a cluster does not
        start.
    """
    address, cluster = engine.get("address"), str(engine["cluster"])
    patience = engine.get("patience") or PATIENCE_OF.get(cluster, PATIENCE)
    if address:
        with _dask(), _client(str(address)) as client:
            yield Connection(client, str(address), own=False, patience=float(patience))
        return
    # Dask reads over SSH what its processes log, to know where they are.
    with (
        _dask({} if cluster == "ssh" else QUIET),
        STARTED[cluster](engine, workers) as started,
        _client(started) as client,
    ):
        own = cluster == "local"
        yield Connection(client, f"engine.cluster={cluster}", own=own, patience=float(patience))


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


def _local(engine: Mapping[str, Any], workers: int) -> Any:
    """Processes of this machine, forked from one that has loaded what all of them need."""
    from distributed import LocalCluster
    from distributed.utils import get_mp_context

    if FORKED:
        # Its first use sets what Dask would load.
        get_mp_context().set_forkserver_preload([*PRELOADED, *LOADED])
    # No limit of memory: Dask would stop a worker, fold and all, where engine.fold_memory_gb
    # says which fold it was.
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        scheduler_kwargs=dict(SCHEDULER),
        security=True,
        silence_logs=logging.CRITICAL,
        env=dict(engine.get("env") or {}),
    )


def slurm(engine: Mapping[str, Any], workers: int = 0) -> Any:
    """Jobs of SLURM, one worker each; ``slurm(engine).job_script()`` shows what is submitted."""
    from dask_jobqueue import SLURMCluster

    variables = {**as_variables(SETTINGS), **(engine.get("env") or {})}
    exports = [f"export {name}={shlex.quote(str(text))}" for name, text in variables.items()]
    return SLURMCluster(
        n_workers=workers,
        cores=1,
        processes=1,
        memory=f"{engine['memory_gb']}GiB",
        walltime=engine["walltime"],
        queue=engine.get("queue"),
        account=engine.get("account"),
        job_extra_directives=list(engine.get("directives") or []),
        job_script_prologue=[*exports, *(engine.get("setup") or [])],
        python=sys.executable,
        interface=engine.get("interface"),
        scheduler_options=dict(SCHEDULER),
        security=True,
        shared_temp_directory=str(ssh.certificates_folder()),
        silence_logs=logging.CRITICAL,
    )


def _ssh(engine: Mapping[str, Any], workers: int) -> Any:
    """Processes on other hosts, each of which has to start within the run's patience."""
    return ssh.hosts(engine, workers, float(engine.get("patience") or PATIENCE))


STARTED: Mapping[str, Callable[[Mapping[str, Any], int], Any]] = {
    "local": _local,
    "slurm": slurm,
    "ssh": _ssh,
    "kubernetes": kubernetes.pods,
}
