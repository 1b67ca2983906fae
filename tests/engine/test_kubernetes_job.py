"""``engine.cluster=kubernetes``: one Job that a stand-in for kubectl runs as processes."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
import yaml
from support.bits import assert_same_bits_as_serial
from support.errands import Errand, wait_for
from support.pages import REPOSITORY
from support.servers import LOOPBACK

from cytobench.config import compose_jobs
from cytobench.core.errors import CytobenchError, UsageError
from cytobench.run.dask_settings import SETTINGS, as_variables
from cytobench.run.engine import check_engine, run_folds
from cytobench.run.jobs import plan_jobs
from cytobench.run.kubernetes import job

pytest.importorskip("distributed")
SALT = b"s" * 32
WORD = "h4rd-to-guess"


@pytest.fixture
def kubectl(tmp_path_factory, monkeypatch, pytestconfig):
    """The folder of a stand-in that is found as kubectl."""
    folder = tmp_path_factory.mktemp("kubectl")
    program = folder / "bin" / "kubectl"
    program.parent.mkdir()
    stand_in = pytestconfig.rootpath / "tests" / "support" / "kubectl.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KUBECTL", str(folder))
    return folder


@pytest.fixture
def engine(pytestconfig):
    """``engine(...)``: a composed node whose pods find cytobench and the tests."""
    paths = os.pathsep.join([str(pytestconfig.rootpath), str(pytestconfig.rootpath / "tests")])

    def node(*overrides, word="none"):
        env = f"env={{PYTHONPATH: '{paths}', WORD: {word}}}"
        return on_kubernetes("workers=1", f"interface={LOOPBACK}", env, *overrides)

    return node


def on_kubernetes(*overrides):
    """A composed ``engine`` node."""
    words = ["cluster=kubernetes", "image=example.org/cytobench:1", *overrides]
    (config,) = compose_jobs(["engine=dask", *(f"engine.{word}" for word in words)])
    return config["engine"]


def said(folder, kind):
    return json.loads((folder / f"{kind}.json").read_text())


def calls(folder):
    return (folder / "calls").read_text()


def test_a_cell_has_the_same_bits_in_pods_as_in_this_process(kubectl, engine, toy_plugins):
    assert_same_bits_as_serial(engine("workers=2"))

    assert len(list(kubectl.glob("pod-*"))) == 2
    assert not (kubectl / "job.json").exists(), "the Job ends with the run"


def test_folds_are_done_by_pods_in_the_namespace_that_was_named(kubectl, engine):
    node = engine("namespace=lab", "setup=['export GREETING=there', 'test $GREETING = there']")

    found = dict(run_folds(list(map(Errand, range(4))), node, SALT))

    assert {answer[0] for answer in found.values()} == set(range(4))
    assert all(answer[2] != os.getpid() for answer in found.values())
    assert all("--namespace=lab" in call for call in calls(kubectl).splitlines())


def test_the_job_asks_for_what_was_configured():
    node = on_kubernetes(
        "memory_gb=6", "volumes={work: /cytobench, tables: /data}",
        "pod={nodeSelector: {pool: cpu}}",
    )  # fmt: skip

    made = job(node, 8, "cytobench-1", "tls://10.0.0.7:40001")

    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (made["spec"]["parallelism"], made["spec"]["completions"]) == (8, 8)
    assert container["image"] == "example.org/cytobench:1"
    assert container["args"][3:5] == ["tls://10.0.0.7:40001", "--nthreads=1"]
    assert "--memory-limit=6GiB" in container["args"]
    assert container["resources"]["limits"] == {"memory": "6Gi"}
    assert container["resources"]["requests"] == {"cpu": "1", "memory": "6Gi"}
    assert pod["nodeSelector"] == {"pool": "cpu"}
    assert pod["automountServiceAccountToken"] is False
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]
    }
    mounts = {claims[mount["name"]]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"work": "/cytobench", "tables": "/data"}
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_workers_read_the_engines_settings_from_their_variables():
    import dask

    with dask.config.set(dask.config.collect_env(as_variables(SETTINGS))):
        read = {name: dask.config.get(name) for name in SETTINGS}

    assert read == SETTINGS


def test_what_a_variable_holds_is_in_the_secret_alone(kubectl, engine, capfd):
    node = engine("patience=1", word=WORD)
    (kubectl / "starts-nothing").touch()

    with pytest.raises(CytobenchError) as raised:
        list(run_folds([Errand(0)], node, SALT))

    assert said(kubectl, "secret")["stringData"]["WORD"] == WORD
    shown = capfd.readouterr()
    job = (kubectl / "deleted.json").read_text()
    for text in (job, calls(kubectl), str(raised.value), shown.out, shown.err):
        assert WORD not in text
        assert "PRIVATE KEY" not in text


def test_what_kubectl_refuses_is_said_without_what_variables_hold(kubectl, engine):
    (kubectl / "refuses").write_text(f"forbidden: cannot create jobs; given: {WORD}")

    with pytest.raises(CytobenchError, match=r"E520.*kubectl create says: forbidden") as raised:
        list(run_folds([Errand(0)], engine(word=WORD), SALT))

    assert "given: ***" in str(raised.value)


def test_pods_that_never_come_are_given_up_with_what_kubernetes_says_of_them(kubectl, engine):
    (kubectl / "starts-nothing").touch()
    started = time.monotonic()

    with pytest.raises(CytobenchError, match=r"E520.*no worker has come for 2 s[\s\S]*ImagePull"):
        list(run_folds([Errand(0)], engine("patience=2"), SALT))

    assert time.monotonic() - started < 20
    assert (kubectl / "deleted.json").exists()


def begin(*words):
    """A command of its own whose workers are pods."""
    return subprocess.Popen(
        [
            sys.executable, "-m", "cytobench", "run", "dataset=toy", "tuning=off", "floors=[]",
            "tracking=none", "engine=dask", "engine.cluster=kubernetes", "engine.image=any",
            "engine.workers=1", f"engine.interface={LOOPBACK}", *words,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_run_that_is_interrupted_while_it_waits_takes_its_job_along(kubectl, toy_plugins):
    (kubectl / "starts-nothing").touch()
    run = begin("model=toy_ridge")
    wait_for(kubectl / "secret.json")

    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)

    assert run.returncode == 130
    assert "Traceback" not in told
    assert (kubectl / "deleted.json").exists()


@pytest.fixture
def in_its_folds(kubectl, toy_plugins, write_plugin):
    """A command whose pods have begun a fold that takes a while."""
    write_plugin("models", "slow", SLOW)
    run = begin("model=slow", f"engine.env={{PYTHONPATH: '{REPOSITORY}'}}")
    wait_for(toy_plugins / "begun")
    return run


def test_a_run_that_is_interrupted_in_its_folds_takes_its_job_along(kubectl, in_its_folds):
    in_its_folds.send_signal(signal.SIGTERM)
    _, told = in_its_folds.communicate(timeout=60)

    assert in_its_folds.returncode == 143
    assert "Traceback" not in told
    assert (kubectl / "deleted.json").exists()


def test_pods_of_a_run_that_was_killed_end_by_themselves(kubectl, in_its_folds):
    in_its_folds.kill()
    in_its_folds.communicate(timeout=60)

    assert (kubectl / "job.json").exists(), "nobody was left to delete it"
    wait_for(kubectl / "pod-0" / "exit")
    assert (kubectl / "pod-0" / "exit").read_text() == "0\n", "a Job starts no other then"
    assert said(kubectl, "job")["spec"]["ttlSecondsAfterFinished"] == 600


SLOW = """
    from cytobench import model


    @model(tasks=("response",))
    def slow(C=1.0):
        import time
        from pathlib import Path

        from sklearn.linear_model import LogisticRegression

        Path("begun").touch()
        time.sleep(1)
        return LogisticRegression(C=C)
"""


def test_the_run_in_the_documentation_gives_its_pods_its_working_folder():
    text = (REPOSITORY / "docs" / "cluster" / "kubernetes-run.yaml").read_text(encoding="utf-8")
    (run,) = [part for part in yaml.safe_load_all(text) if part["kind"] == "Job"]
    pod = run["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    engine = plan_jobs(container["args"][2:]).settings["engine"]

    made = job(engine, engine["workers"], "cytobench-1", "tls://10.0.0.7:40001")

    worker = made["spec"]["template"]["spec"]
    (mount,) = worker["containers"][0]["volumeMounts"]
    assert mount["mountPath"] == container["workingDir"]
    assert mount["mountPath"] == container["volumeMounts"][0]["mountPath"]
    (seen,), (written,) = worker["volumes"], pod["volumes"]
    claim = written["persistentVolumeClaim"]["claimName"]
    assert seen["persistentVolumeClaim"] == {"claimName": claim, "readOnly": True}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["image=null", "workers=1"], r"engine\.image"),
        ([], r"engine\.workers.*how many pods"),
        (["workers=1", "env={A-B: 1}"], r"engine\.env.*'A-B'"),
        (["workers=1", "volumes={work: here}"], r"engine\.volumes\.work"),
        (["workers=1"], "there is no kubectl here"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(overrides, words, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UsageError, match=rf"E115.*{words}"):
        check_engine(on_kubernetes(*overrides))
