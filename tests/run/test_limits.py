"""Guarded workers: what one fold may take, and what a worker that dies costs."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from cytobench.core.errors import UsageError
from cytobench.core.result import FoldFailure
from cytobench.run.engine import run_folds
from cytobench.run.limits import limits_from_config

JOBLIB = {"name": "joblib", "workers": 2}
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory: Linux only")


KEPT = []


@dataclass(frozen=True)
class Task:
    """Work that does what its name says."""

    fold: int
    what: str = "answer"

    def attempt(self, salt):
        if self.what == "sleep":
            time.sleep(60)
        if self.what == "spin":
            sum(range(10**12))  # inside C: no signal handler of Python runs
        if self.what == "exit":
            os._exit(7)
        if self.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "moves":
            os.chdir("/")
            os.environ["CYTOBENCH_TEST"] = "changed"
        if self.what == "interrupts":
            raise KeyboardInterrupt("a plugin's own")
        if self.what == "keeps":
            KEPT.append(bytearray(600 * 1024**2))
        if self.what == "names":
            pd.Series(["IL-6", "CRP"]).astype("string[pyarrow]")
            return len(bytearray(600 * 1024**2))
        if self.what == "hog":
            try:
                return len(bytearray(3 * 1024**3))
            except MemoryError as error:
                return FoldFailure(self.fold, f"MemoryError: {error}", "here", "")
        return (self.fold, salt, os.environ.get("CYTOBENCH_TEST"), str(Path.cwd()))


def outcomes(tasks, **engine):
    found = {spec.fold: outcome for spec, outcome in run_folds(tasks, {**JOBLIB, **engine}, b"s")}
    assert set(found) == {task.fold for task in tasks}, "every fold has an outcome"
    return found


@pytest.mark.parametrize("what", ["sleep", "spin"])
def test_a_fold_that_takes_too_long_is_stopped_and_the_others_are_not(what):
    found = outcomes([Task(0), Task(1, what), Task(2), Task(3)], fold_seconds=3)

    assert isinstance(found[1], FoldFailure)
    assert "[E241] the fold took longer than 3 s" in found[1].error
    assert "engine.fold_seconds" in found[1].hint
    assert [found[k][0] for k in (0, 2, 3)] == [0, 2, 3]


@LINUX
def test_a_fold_that_needs_too_much_memory_fails_with_the_limit():
    found = outcomes([Task(0), Task(1, "hog")], fold_memory_gb=1)

    assert "[E242] needs more than the 1 GB" in found[1].error
    assert found[1].where == "here"
    assert found[0][0] == 0


@LINUX
def test_within_its_memory_a_fold_answers():
    assert outcomes([Task(0, "hog")], fold_memory_gb=4) == {0: 3 * 1024**3}


@LINUX
def test_what_an_earlier_fold_left_in_memory_is_not_counted_for_the_next():
    found = outcomes([Task(0, "keeps"), Task(1, "keeps")], workers=1, fold_memory_gb=1)

    assert [found[k][0] for k in (0, 1)] == [0, 1]


@LINUX
def test_what_arrow_reserves_for_a_few_names_is_not_the_folds():
    found = outcomes([Task(0, "names"), Task(1, "names")], fold_memory_gb=1.1)

    assert found == {0: 600 * 1024**2, 1: 600 * 1024**2}


@pytest.mark.parametrize("engine", [{"name": "serial"}, {"workers": 2}, {"fold_seconds": 60}])
def test_an_interrupt_that_a_plugin_raises_itself_costs_its_own_fold(engine):
    found = outcomes([Task(0), Task(1, "interrupts"), Task(2)], **engine)

    assert "KeyboardInterrupt: a plugin's own" in found[1].error
    assert [found[k][0] for k in (0, 2)] == [0, 2]


PARENT = """
import sys, time
from dataclasses import dataclass
from pathlib import Path

from cytobench.run.engine import run_folds


@dataclass(frozen=True)
class Task:
    fold: int

    def attempt(self, salt):
        import os

        Path(sys.argv[1]).write_text(str(os.getpid()))
        time.sleep(120)


if __name__ == "__main__":
    list(run_folds([Task(0)], {"name": "joblib", "workers": 1, "fold_seconds": 99}, b""))
"""


@LINUX
def test_a_worker_ends_with_a_parent_that_was_killed(tmp_path):
    script, noted = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(PARENT.replace("sys.argv[1]", repr(str(noted))))
    parent = subprocess.Popen([sys.executable, str(script)])
    try:
        assert within(60, lambda: noted.exists() and noted.read_text())
    finally:
        parent.kill()
        parent.wait()

    assert within(10, lambda: ended(int(noted.read_text())))


def within(seconds, true):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def ended(pid):
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    ("what", "words"), [("exit", "with exit code 7"), ("kill", "by signal SIGKILL")]
)
@pytest.mark.parametrize("engine", [{}, {"fold_seconds": 60}], ids=["unguarded", "guarded"])
def test_a_worker_that_dies_costs_its_own_fold(what, words, engine, capsys):
    found = outcomes([Task(0), Task(1, what), *map(Task, range(2, 8))], **engine)

    assert found[1].error == f"[E243] its process ended {words}"
    assert [found[k][0] for k in range(2, 8)] == list(range(2, 8))
    assert ("guarded processes" in capsys.readouterr().err) == (not engine)


def test_a_worker_has_the_folder_and_the_environment_of_its_parent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYTOBENCH_TEST", "seen")

    assert outcomes([Task(0)], fold_seconds=60) == {0: (0, b"s", "seen", str(tmp_path))}


@pytest.mark.parametrize("engine", [{"name": "serial"}, {"workers": 2}, {"fold_seconds": 60}])
def test_what_a_fold_changes_of_its_process_does_not_reach_the_next(tmp_path, monkeypatch, engine):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYTOBENCH_TEST", "seen")

    found = outcomes([Task(0, "moves"), *map(Task, range(1, 8))], **engine)

    assert {found[k][2:] for k in range(1, 8)} == {("seen", str(tmp_path))}


def test_stopping_early_leaves_no_process_behind():
    import multiprocessing

    running = run_folds(
        [Task(0), Task(1, "sleep"), Task(2, "sleep")], {**JOBLIB, "fold_seconds": 99}, b""
    )
    next(running)
    before = {child.pid for child in multiprocessing.active_children()}
    started = time.monotonic()
    running.close()

    assert time.monotonic() - started < 20
    left = [child for child in multiprocessing.active_children() if "Loky" not in child.name]
    assert before
    assert not left


@pytest.mark.parametrize("value", [0, -1, "much", True, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["fold_seconds", "fold_memory_gb"])
def test_a_limit_that_is_none_is_refused(name, value):
    with pytest.raises(UsageError, match=rf"E115.*engine\.{name}"):
        limits_from_config({name: value})


def test_a_limit_of_memory_that_nobody_enforces_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(UsageError, match="on Linux only"):
        limits_from_config({"fold_memory_gb": 2})


def test_no_limit_is_the_default():
    assert not limits_from_config({"name": "serial"}).any
