"""The Dask engine: the same bits on any worker, and what is lost with each of its processes."""

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress

import pytest
from support.bits import assert_same_bits_as_serial
from support.errands import Errand, begun, until

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.run.engine import check_engine, run_folds

SALT = b"s" * 32
DASKS_PORT = 8787
DASK = {"name": "dask", "cluster": "local"}


def carry(tasks, **engine):
    found = {spec.fold: outcome for spec, outcome in run_folds(tasks, {**DASK, **engine}, SALT)}
    assert set(found) == {task.fold for task in tasks}, "every fold has an outcome"
    return found


def in_background(tasks, **engine):
    """Start a run; call the answer for its outcomes."""
    found = []
    thread = threading.Thread(target=lambda: found.append(carry(tasks, **engine)))
    thread.start()

    def outcomes():
        thread.join(120)
        return found[0]

    return outcomes


def test_a_cell_has_the_same_bits_on_workers_elsewhere_as_in_this_process(cluster, toy_plugins):
    cluster.worker()
    cluster.worker()

    assert_same_bits_as_serial({**DASK, "address": cluster.address})


def test_two_runs_of_one_machine_do_not_get_into_each_others_way(capfd):
    with ExitStack() as stack:
        with suppress(OSError):  # somebody has it already
            stack.enter_context(socket.create_server(("127.0.0.1", DASKS_PORT)))
        found = carry([Errand(0), Errand(1)], workers=1)

    assert {answer[0] for answer in found.values()} == {0, 1}
    assert str(DASKS_PORT) not in capfd.readouterr().err


def test_workers_take_on_folder_and_tables_of_the_run(cluster, working_directory, monkeypatch):
    monkeypatch.setenv("CYTOBENCH_DATA", "/tables")
    cluster.worker()

    (answer,) = carry([Errand(0)], address=cluster.address).values()

    assert answer[:2] == (0, SALT)
    assert answer[2] != os.getpid()
    assert answer[3:] == (str(working_directory), "/tables")


def test_what_a_killed_worker_was_doing_is_done_by_another(cluster, tmp_path):
    workers = [cluster.worker(), cluster.worker()]
    outcomes = in_background(
        [Errand(fold, "wait", str(tmp_path)) for fold in range(6)], address=cluster.address
    )
    until(lambda: len(begun(tmp_path)) == 2, 60)

    workers[0].kill()
    (tmp_path / "go").touch()

    answers = outcomes()
    assert {answer[2] for answer in answers.values()} == {workers[1].pid}
    again = [fold for fold, processes in begun(tmp_path).items() if len(processes) > 1]
    assert len(again) == 1, "one fold was lost with the worker, and done again"


def test_a_worker_that_comes_late_gets_its_share(cluster, tmp_path):
    first = cluster.worker()
    outcomes = in_background(
        [Errand(fold, "wait", str(tmp_path)) for fold in range(4)], address=cluster.address
    )
    until(lambda: begun(tmp_path), 60)
    late = cluster.worker()
    until(lambda: len(begun(tmp_path)) == 2, 60)
    (tmp_path / "go").touch()

    assert {answer[2] for answer in outcomes().values()} == {first.pid, late.pid}


def test_a_run_waits_for_its_first_worker_and_not_for_ever(cluster):
    started = time.monotonic()

    with pytest.raises(CytobenchError, match=r"E522.*no worker.*\n.*finished folds are kept"):
        carry([Errand(0)], address=cluster.address, patience=2)

    assert time.monotonic() - started < 20


def test_a_fold_that_kills_every_worker_fails_and_the_others_do_not():
    found = carry([Errand(0), Errand(1, "kill"), *map(Errand, range(2, 8))], workers=2)

    assert found[1].error == "[E243] its process ended each time that it was tried"
    assert [found[fold][0] for fold in (0, *range(2, 8))] == [0, *range(2, 8)]


def test_a_fold_that_never_comes_back_fails_with_the_reason_and_the_others_do_not():
    found = carry([Errand(0), Errand(1, "unreadable"), Errand(2)], workers=1)

    assert found[1].error.startswith("[E523] did not come back: ValueError: ")
    assert [found[fold][0] for fold in (0, 2)] == [0, 2]


def test_a_fold_that_takes_too_long_is_stopped_on_its_worker():
    found = carry([Errand(0), Errand(1, "sleep"), Errand(2)], workers=2, fold_seconds=3)

    assert "[E241] the fold took longer than 3 s" in found[1].error
    assert [found[fold][0] for fold in (0, 2)] == [0, 2]


def test_a_worker_with_another_package_is_left_out_and_said_to_be(cluster, tmp_path, capsys):
    other = tmp_path / "optuna-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: optuna\nVersion: 1.0\n")
    cluster.worker(path=str(tmp_path))
    good = cluster.worker()
    cluster.wait(2)

    found = carry(list(map(Errand, range(5))), address=cluster.address)

    assert {answer[2] for answer in found.values()} == {good.pid}
    assert "is left out: it has optuna 1.0, not " in capsys.readouterr().err


def test_a_worker_without_cytobench_is_left_out_and_said_to_be(cluster, tmp_path, capsys):
    (tmp_path / "cytobench.py").write_text("raise ImportError('not installed')")
    cluster.worker(path=str(tmp_path))
    cluster.wait(1)

    with pytest.raises(CytobenchError, match=r"E522[\s\S]*cytobench cannot be used on it"):
        carry([Errand(0)], address=cluster.address, patience=2)

    assert "not installed" in capsys.readouterr().err


def test_a_worker_that_lacks_a_cells_data_costs_no_fold(cluster, capsys):
    cluster.worker(TEST_DIFFERS="yes")
    good = cluster.worker()
    cluster.wait(2)

    found = carry([Errand(fold, "differs") for fold in range(5)], address=cluster.address)

    assert {answer[2] for answer in found.values()} == {good.pid}
    assert "cannot do cell" in capsys.readouterr().err


def test_where_every_worker_lacks_it_the_fold_fails_with_their_reason(cluster):
    cluster.worker(TEST_DIFFERS="yes")

    found = carry([Errand(0, "differs"), Errand(1, key="other")], address=cluster.address)

    assert found[0].error.startswith("[E501]")
    assert found[1][0] == 1


def test_a_worker_that_is_frozen_holds_up_nobody(cluster, monkeypatch, capsys):
    monkeypatch.setattr("cytobench.run.crew.ANSWERS", 3.0)
    frozen, good = cluster.worker(), cluster.worker()
    cluster.wait(2)
    os.kill(frozen.pid, signal.SIGSTOP)

    found = carry(list(map(Errand, range(4))), address=cluster.address)

    assert {answer[2] for answer in found.values()} == {good.pid}
    assert "is left out: [E524] it has not answered for 3 s" in capsys.readouterr().err


def test_where_all_workers_are_frozen_the_run_ends_with_their_reason(cluster, monkeypatch):
    monkeypatch.setattr("cytobench.run.crew.ANSWERS", 2.0)
    frozen = cluster.worker()
    cluster.wait(1)
    os.kill(frozen.pid, signal.SIGSTOP)

    with pytest.raises(CytobenchError, match=r"E522[\s\S]*E524"):
        carry([Errand(0)], address=cluster.address, patience=2)


@pytest.mark.parametrize(
    "address", ["tcp://node1:8786", "tcp://10.0.0.1:8786", "tcp://[fe80::1]:1"]
)
def test_the_salt_does_not_travel_in_the_open(address):
    with pytest.raises(UsageError, match=r"E525.*not encrypted[\s\S]*engine\.plain=true"):
        check_engine({**DASK, "address": address, "workers": 1})


@pytest.mark.parametrize(
    "engine",
    [
        {"address": "tls://node1:8786"},
        {"address": "tcp://127.0.0.1:8786"},
        {"address": "tcp://node1:8786", "plain": True},
    ],
)
def test_it_does_where_nobody_listens_or_somebody_says_so(engine):
    assert check_engine({**DASK, **engine, "workers": 1}) == 1


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ({"cluster": "slrm"}, "there is no cluster 'slrm'"),
        ({"address": "host:8786"}, "must be tcp://HOST:PORT"),
        ({"patience": 0}, r"engine\.patience"),
        ({"workers": 0}, r"engine\.workers"),
        ({"env": "WORD"}, r"engine\.env.*NAME: value"),
        ({"setup": "module load python"}, r"engine\.setup"),
        ({"memory_gb": "much"}, r"engine\.memory_gb"),
        ({"interface": "ib9"}, r"engine\.interface.*ib9"),
    ],
)
def test_a_setting_that_is_none_is_refused_before_anything_starts(engine, words):
    with pytest.raises(UsageError, match=rf"E115.*{words}"):
        check_engine({**DASK, **engine})


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setattr("cytobench.run.clusters.REACHED", 1)

    with pytest.raises(CytobenchError, match=r"E520.*engine\.address=tcp://127\.0\.0\.1:9"):
        check_engine({**DASK, "address": "tcp://127.0.0.1:9"})


def folds(store):
    return {path: path.stat().st_mtime_ns for path in store.rglob("fold-*.parquet")}


def test_without_its_scheduler_a_run_stops_and_goes_on_where_it_was(
    cluster, toy_plugins, cytobench, write_plugin
):
    write_plugin("models", "slow_ridge", SLOW)
    run = [
        "run", "dataset=toy", "model=slow_ridge", "tuning=off", "protocol.folds=5",
        "protocol.repeats=2", "floors=[]", "tracking=none",
    ]  # fmt: skip
    cluster.worker()
    stopper = threading.Thread(
        target=lambda: (
            until(lambda: len(folds(toy_plugins / "runs")) >= 2, 60),
            cluster.scheduler.kill(),
        )
    )
    stopper.start()

    lost = cytobench(
        *run, "engine=dask", f"engine.address={cluster.address}", "engine.patience=3", check=False
    )

    stopper.join()
    kept = folds(toy_plugins / "runs")
    assert lost.returncode == 1
    assert "[E521]" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert 2 <= len(kept) < 10
    done = cytobench(*run, "engine=serial")
    assert f"{10 - len(kept)} folds computed, {len(kept)} were already there" in done.stdout
    assert kept.items() <= folds(toy_plugins / "runs").items()


SLOW = """
    from cytobench import model


    @model(tasks=("response",))
    def slow_ridge(C=1.0):
        import time

        from sklearn.linear_model import LogisticRegression

        time.sleep(0.4)
        return LogisticRegression(C=C, max_iter=1000)
"""
