"""Workers on other hosts, started over SSH; keys alone, all of it encrypted."""

from __future__ import annotations

import asyncio
import math
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cytobench.core.errors import CytobenchError
from cytobench.run.dask_settings import SCHEDULER

LOGIN = 10
"""Seconds in which a host lets one in."""


@contextmanager
def hosts(engine: Mapping[str, Any], workers: int, within: float) -> Iterator[Any]:
    """Workers on hosts that one may log in to without a password; the first has the scheduler.

    Parameters
    ----------
    engine : mapping
        A composed ``engine`` node.
    workers : int
    within : float
        Seconds in which a host has to start what it is told to.

    Raises
    ------
    CytobenchError
        ``E520`` where a host does not.
    """
    import dask
    from distributed import SpecCluster
    from distributed.deploy.ssh import Scheduler, Worker

    names = [str(host) for host in engine["hosts"]]
    variables = [
        f"{name}={shlex.quote(str(text))}" for name, text in (engine.get("env") or {}).items()
    ]
    with (
        _certificates() as (security, settings),
        # They read these settings on their command lines: names of files, no key.
        dask.config.set(settings),
    ):
        try:
            shared = {
                "connect_options": {"login_timeout": LOGIN, **(engine.get("login") or {})},
                "remote_python": " ".join(["env", *variables, sys.executable]),
            }
            of_scheduler = {"protocol": "tls", "port": 0, **SCHEDULER}
            of_worker = {"nthreads": 1, "n_workers": math.ceil(workers / len(names))}
            # As SSHCluster does, which would wait for ever for a host that starts nothing.
            cluster = SpecCluster(
                {
                    number: {
                        "cls": _bounded(Worker, within),
                        "options": {**shared, "address": host, "kwargs": of_worker},
                    }
                    for number, host in enumerate(names)
                },
                {
                    "cls": _bounded(Scheduler, within),
                    "options": {**shared, "address": names[0], "kwargs": of_scheduler},
                },
                security=security,
            )
        except Exception as error:  # of asyncssh, of the network, of what was run there
            why = error.__cause__ or error
            raise CytobenchError(
                "E520",
                f"could not be started ({type(why).__name__}: {why})",
                where="engine.cluster=ssh",
                hint=f"does this work? ssh {names[0]} {sys.executable} -c 'import distributed'",
            ) from error
        with cluster:
            yield cluster


def _bounded(kind: type, seconds: float) -> type:
    """A process on a host that is there within some seconds, or is an error that names the host."""

    class Bounded(kind):  # type: ignore[misc]
        async def start(self) -> None:
            host = self.address
            try:
                await asyncio.wait_for(super().start(), seconds)
            except TimeoutError:
                if self.connection:
                    self.connection.close()
                raise TimeoutError(f"{host} has started nothing within {seconds:g} s") from None

    return Bounded


def certificates_folder() -> Path:
    """Where hosts with one home folder find certificates: who reads it can speak to all of them."""
    folder = Path.home() / ".cytobench"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _certificates() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Certificates of one run, in files of the home folder that their owner alone may read.

    Yields
    ------
    security : distributed.Security
    settings : dict
        Of Dask, by which a process that sees the same home folder finds them.
    """
    from distributed import Security

    made = Security.temporary()
    with tempfile.TemporaryDirectory(prefix="ssh-", dir=certificates_folder()) as name:
        key, certificate = Path(name, "key.pem"), Path(name, "certificate.pem")
        key.touch(mode=0o600)
        key.write_text(made.tls_client_key)
        certificate.write_text(made.tls_client_cert)
        tls: dict[str, Any] = {"distributed.comm.tls.ca-file": str(certificate)}
        for role in ("scheduler", "worker", "client"):
            tls[f"distributed.comm.tls.{role}.key"] = str(key)
            tls[f"distributed.comm.tls.{role}.cert"] = str(certificate)
        yield made, {**tls, "distributed.comm.require-encryption": True}
