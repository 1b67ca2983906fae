"""Where workers come from: SLURM's job scripts, and what a cluster needs before it starts."""

import gc
import os
import stat
import sys
import textwrap
import warnings

import pytest
from support.bits import assert_same_bits_as_serial
from support.errands import Errand

from cytobench.config import compose_jobs
from cytobench.core.errors import UsageError
from cytobench.run.clusters import slurm
from cytobench.run.engine import check_engine, run_folds

pytest.importorskip("dask_jobqueue")
SALT = b"s" * 32


def node(*overrides):
    """A composed ``engine`` node."""
    (config,) = compose_jobs(["engine=dask", *(f"engine.{text}" for text in overrides)])
    return config["engine"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    yield tmp_path
    with warnings.catch_warnings():
        # dask-jobqueue leaves it to the garbage collector to close its certificates.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_a_job_asks_slurm_for_what_was_configured(home):
    engine = node(
        "cluster=slurm", "workers=8", "memory_gb=6", "walltime=02:30:00", "queue=short",
        "account=lab", "directives=['--constraint=cpu']", "setup=['module load python']",
        "env={OMP_PROC_BIND: 'a b'}",
    )  # fmt: skip

    with slurm(engine) as cluster:
        script = cluster.job_script()

    lines = script.splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    for wanted in (
        "#SBATCH -p short", "#SBATCH -A lab", "#SBATCH -n 1", "#SBATCH --cpus-per-task=1",
        "#SBATCH --mem=6G", "#SBATCH -t 02:30:00", "#SBATCH --constraint=cpu",
        "export OMP_PROC_BIND='a b'", "module load python",
        "export DASK_DISTRIBUTED__WORKER__DAEMON=False",
        "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
    ):  # fmt: skip
        assert wanted in lines
    worker = lines[-1]
    assert worker.startswith(f"{sys.executable} -m distributed.cli.dask_worker tls://")
    assert "--nthreads 1" in worker
    assert "--memory-limit 6.00GiB" in worker


def test_who_may_speak_to_the_scheduler_is_known_by_a_file_of_the_user_alone(home):
    with slurm(node("cluster=slurm")) as cluster:
        assert str(home / ".cytobench") in cluster.job_script()
        assert stat.S_IMODE((home / ".cytobench").stat().st_mode) == 0o700


def test_what_a_scheduler_shows_to_a_browser_is_seen_from_its_own_machine_alone(home):
    with slurm(node("cluster=slurm")) as cluster:
        assert cluster.scheduler.http_server.address == "127.0.0.1"


@pytest.fixture
def submitted(home, monkeypatch, pytestconfig):
    """Jobs are processes of this machine, which find cytobench and the tests."""
    commands = home / "bin"
    commands.mkdir()
    for name, script in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (commands / name).write_text(textwrap.dedent(script))
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    tests = [str(pytestconfig.rootpath), str(pytestconfig.rootpath / "tests")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(tests))
    return home


def test_folds_run_in_jobs_that_were_submitted(submitted):
    found = dict(run_folds(list(map(Errand, range(4))), node("cluster=slurm", "workers=1"), SALT))

    assert {answer[0] for answer in found.values()} == {0, 1, 2, 3}
    assert all(answer[2] != os.getpid() for answer in found.values())
    assert (submitted / "cancelled").exists(), "the job ends with the run"


def test_a_cell_has_the_same_bits_in_jobs_as_in_this_process(submitted, toy_plugins):
    assert_same_bits_as_serial(node("cluster=slurm", "workers=2"))


SBATCH = """\
    #!/usr/bin/env bash
    job=$(mktemp "$HOME/job-XXXXXX")
    cp "$1" "$job"
    setsid bash "$job" > "$job.log" 2>&1 < /dev/null &
    echo "Submitted batch job $!"
"""
SCANCEL = """\
    #!/usr/bin/env bash
    touch "$HOME/cancelled"
    kill -- -"$1"
"""


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["cluster=slurm", "workers=4"], "there is no sbatch here"),
        (["cluster=ssh"], r"engine\.hosts"),
        (["cluster=lsf"], "there is no cluster 'lsf'"),
    ],
)
def test_what_a_cluster_lacks_is_said_before_anything_starts(overrides, words, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UsageError, match=rf"E115.*{words}"):
        check_engine(node(*overrides))
