"""Workers as pods of Kubernetes: one Job that dials the run's scheduler and goes with the run."""

from __future__ import annotations

import base64
import json
import logging
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cytobench import console
from cytobench.core.errors import CytobenchError, UsageError
from cytobench.core.secrets import HIDDEN
from cytobench.run.dask_settings import SCHEDULER, SETTINGS, as_variables

if TYPE_CHECKING:
    from distributed import Security, SpecCluster

WHERE = "engine.cluster=kubernetes"
PATIENCE = 600.0
"""Seconds until a first worker: a node may have to be started, and the image be pulled to it."""
SAID = 15.0
"""Seconds after which somebody who waits is told so."""
ALONE = 120
"""Seconds in which a worker finds its scheduler again; those of a run that was killed then end."""
KEPT = 600
"""Seconds until Kubernetes itself removes a Job that is over, where the run no longer could."""
STARTS = 10
"""Of each pod: in a long run more are lost with their nodes than the six that a Job allows."""
ASKED, ANSWERED = 10, 60
"""Seconds for an answer of the cluster; for all that kubectl does, such as logging in."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SHORTEST_SECRET = 4
"""Characters; shorter values are found in any text."""
PODS = (
    "POD:.metadata.name,PHASE:.status.phase,"
    "WAITS:.status.containerStatuses[*].state.waiting.reason,"
    "WHY:.status.containerStatuses[*].state.waiting.message,"
    "ALSO:.status.conditions[*].message"
)


def check_kubernetes(engine: Mapping[str, Any]) -> None:
    """That a Job could be asked for.

    Raises
    ------
    UsageError
        ``E115`` where the image or the number of pods is not given, or a variable or a volume is
        none.
    """
    if not engine.get("image"):
        raise UsageError(
            "E115", "of which image? one with Python and cytobench[dask]", where="engine.image"
        )
    if engine.get("workers") is None:
        raise UsageError("E115", "how many pods? give a number", where="engine.workers")
    for name in engine.get("env") or {}:
        if not VARIABLE.fullmatch(str(name)):
            raise UsageError("E115", f"no variable is named {name!r}", where="engine.env")
    for claim, path in (engine.get("volumes") or {}).items():
        if not str(path).startswith("/"):
            raise UsageError(
                "E115", f"must be a path from / on, not {path!r}", where=f"engine.volumes.{claim}"
            )


def job(engine: Mapping[str, Any], workers: int, name: str, address: str) -> dict[str, Any]:
    """The manifest of a Job whose pods are one worker each; it holds no secret.

    Parameters
    ----------
    engine : mapping
        A composed ``engine`` node.
    workers : int
    name : str
        Of the Job, and of the Secret that holds the variables of its pods.
    address : str
        Of the scheduler, as the pods see it.
    """
    worker = [
        "python", "-m", "distributed.cli.dask_worker", address, "--nthreads=1", "--no-dashboard",
        f"--death-timeout={ALONE}", f"--memory-limit={engine['memory_gb']}GiB",
    ]  # fmt: skip
    if engine.get("setup"):
        worker = ["sh", "-ec", "\n".join([*engine["setup"], f"exec {shlex.join(worker)}"])]
    volumes = {
        f"volume-{number}": (str(claim), str(path))
        for number, (claim, path) in enumerate((engine.get("volumes") or {}).items())
    }
    memory = f"{engine['memory_gb']}Gi"
    container = {
        "name": "worker",
        "image": str(engine["image"]),
        "args": worker,
        "envFrom": [{"secretRef": {"name": name}}],
        "resources": {"requests": {"cpu": "1", "memory": memory}, "limits": {"memory": memory}},
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": [
            {"name": volume, "mountPath": path, "readOnly": True}
            for volume, (_, path) in volumes.items()
        ],
    }
    pod = {
        "automountServiceAccountToken": False,
        "restartPolicy": "OnFailure",
        "containers": [container],
        "volumes": [
            {"name": volume, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
            for volume, (claim, _) in volumes.items()
        ],
        **(engine.get("pod") or {}),
    }
    labels = {"app": "cytobench", "part": "worker"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "parallelism": workers,
            "completions": workers,
            "backoffLimit": STARTS * workers,
            "ttlSecondsAfterFinished": KEPT,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def secret(name: str, uid: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a Secret with the variables of a Job's pods; it goes with that Job."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "ownerReferences": [
                {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}
            ],
        },
        "stringData": {name: str(text) for name, text in variables.items()},
    }


@contextmanager
def pods(engine: Mapping[str, Any], workers: int) -> Iterator[SpecCluster]:
    """A scheduler in this process with workers in pods, of which the first has come.

    Parameters
    ----------
    engine : mapping
        A composed ``engine`` node.
    workers : int

    Raises
    ------
    CytobenchError
        ``E520`` where kubectl refuses, or no worker comes within ``engine.patience``.
    """
    from distributed import Scheduler, Security, SpecCluster

    security = Security.temporary()
    options = {
        "protocol": "tls://", "interface": engine.get("interface"), "security": security,
        **SCHEDULER,
    }  # fmt: skip
    scheduler = {"cls": Scheduler, "options": options}
    variables = {
        **as_variables({**SETTINGS, **_certificates(security)}),
        **(engine.get("env") or {}),
    }
    name = f"cytobench-{secrets.token_hex(4)}"
    with SpecCluster({}, scheduler, security=security, silence_logs=logging.CRITICAL) as cluster:
        asked = job(engine, workers, name, cluster.scheduler_address)
        try:
            # A Job that is there can own its Secret, whose variables its pods wait for.
            uid = _create(engine, asked, "--output=jsonpath={.metadata.uid}")
            _create(engine, secret(name, uid, variables), "--output=name")
            _await_one(engine, name, cluster)
            yield cluster
        finally:
            _delete(engine, name)


def _certificates(security: Security) -> dict[str, Any]:
    """What lets a worker in, as settings of Dask: the texts themselves, no files."""
    return {
        "distributed.comm.require-encryption": True,
        "distributed.comm.tls.ca-file": security.tls_ca_file,
        "distributed.comm.tls.worker.key": security.tls_worker_key,
        "distributed.comm.tls.worker.cert": security.tls_worker_cert,
    }


def _await_one(engine: Mapping[str, Any], name: str, cluster: SpecCluster) -> None:
    patience = float(engine.get("patience") or PATIENCE)
    started, said = time.monotonic(), False
    while not cluster.scheduler.workers:
        waited = time.monotonic() - started
        if waited > patience:
            raise CytobenchError(
                "E520",
                f"no worker has come for {patience:g} s; the pods:\n{_state(engine, name)}",
                where=WHERE,
                hint=f"those that run have to reach {cluster.scheduler_address}, the run itself: "
                "start it in a pod, or see engine.interface; or raise engine.patience",
            )
        if waited > SAID and not said:
            said = True
            console.warn(f"{WHERE}: no worker is there yet; waiting")
        time.sleep(0.1)


def _state(engine: Mapping[str, Any], name: str) -> str:
    """What Kubernetes says of the pods; where there are none, of the Job."""
    try:
        # Without headers, which would be there without pods too.
        return _kubectl(
            engine, "get", "pods", f"--selector=job-name={name}", "--no-headers",
            f"--output=custom-columns={PODS}",
        ) or _kubectl(
            engine, "get", "events", f"--field-selector=involvedObject.name={name}",
            "--no-headers", "--output=custom-columns=WHY:.message",
        )  # fmt: skip
    except CytobenchError as error:
        return error.message


def _create(engine: Mapping[str, Any], manifest: Mapping[str, Any], output: str) -> str:
    return _kubectl(engine, "create", "--filename=-", output, given=json.dumps(manifest))


def _delete(engine: Mapping[str, Any], name: str) -> None:
    try:
        _kubectl(engine, "delete", "job", name, "--ignore-not-found", "--wait=false")
    except CytobenchError as error:
        console.warn(f"the Job {name} may still be there; kubectl delete job {name}: {error}")


def _kubectl(engine: Mapping[str, Any], *words: str, given: str = "") -> str:
    """What kubectl answers.

    Manifests are given on its standard input: a command line can be read by everybody.
    """
    namespace = [f"--namespace={engine['namespace']}"] if engine.get("namespace") else []
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            ["kubectl", f"--request-timeout={ASKED}s", *namespace, *words],  # noqa: S607 - theirs
            input=given, capture_output=True, encoding="utf-8", errors="replace",
            timeout=ANSWERED, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        problem = f"has not ended within {ANSWERED} s"
    except OSError as error:
        problem = f"could not be started ({error})"
    else:
        if done.returncode == 0:
            return _without(engine.get("env") or {}, done.stdout.strip())
        said = done.stderr.strip() or f"exit code {done.returncode}"
        problem = f"says: {_without(engine.get('env') or {}, said)}"
    raise CytobenchError("E520", f"kubectl {words[0]} {problem}", where=WHERE)


def _without(env: Mapping[str, Any], text: str) -> str:
    """A text without the values of variables, which may be quoted as they were given or encoded."""
    for value in map(str, env.values()):
        if len(value) >= SHORTEST_SECRET:
            for form in (value, base64.b64encode(value.encode()).decode()):
                text = text.replace(form, HIDDEN)
    return text
