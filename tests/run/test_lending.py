"""A large cohort is loaded once, and mapped by the workers of the same machine."""

import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from support.errands import until

from cytobench.core.process import this_process
from cytobench.run import lending
from cytobench.run.cells import load_cohort
from cytobench.run.store import RunStore

ASKED = ("toy", "", "here")
LARGE = "dataset.n=60000"
COUNTED = '''
    """The toy cohort; every loading leaves a line."""
    from cytobench import dataset
    from cytobench.plugins.datasets.toy import toy


    @dataset(kind="simulated")
    def counted(n=60000, work="."):
        """The toy cohort."""
        import os
        from dataclasses import replace
        from pathlib import Path

        with Path("loaded").open("a") as stream:
            stream.write(f"{os.getpid()}\\n")
        cohort = toy(n=n)
        return replace(cohort, card=replace(cohort.card, name="counted"))
'''


@pytest.fixture
def cohort(toy_plugins):
    return load_cohort({"name": "toy", "n": 60000}, None)


@pytest.fixture(autouse=True)
def borrowing_nothing():
    yield
    lending.borrow("")


def folders(pid):
    """Those of one process; other tests, run beside this one, have theirs."""
    places = (lending.SHARED_MEMORY, Path(tempfile.gettempdir()))
    return [folder for place in places for folder in place.glob(f"cytobench-*-{pid}-*.*")]


def test_a_worker_maps_what_its_run_has_loaded(cohort):
    with lending.lending():
        lending.offer(cohort, *ASKED)
        lending.borrow(lending.lent())

        mapped = lending.borrowed(*ASKED)

        assert mapped.fingerprint == cohort.fingerprint
        assert mapped.table.equals(cohort.table)
        column = mapped.table["IL-6"].to_numpy()
        while not isinstance(column, np.memmap) and column.base is not None:
            column = column.base
        assert isinstance(column, np.memmap)


def test_its_table_stays_as_frozen_as_any(cohort):
    with lending.lending():
        lending.offer(cohort, *ASKED)
        lending.borrow(lending.lent())
        mapped = lending.borrowed(*ASKED)

        mapped.table.loc[:, "IL-6"] = 0.0

        assert mapped.baseline().equals(cohort.baseline())


def test_what_is_lent_is_this_users_alone_and_goes_with_the_run(cohort):
    with lending.lending():
        lending.offer(cohort, *ASKED)
        folder = Path(lending.lent())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert not folder.exists()
    assert lending.lent() == ""


def test_a_small_cohort_is_lent_to_nobody(toy_plugins):
    with lending.lending():
        lending.offer(load_cohort({"name": "toy"}, None), *ASKED)

        assert lending.lent() == ""


def test_a_worker_loads_what_it_does_not_find(cohort):
    with lending.lending():
        lending.offer(cohort, *ASKED)
        lending.borrow(lending.lent())

        assert lending.borrowed("another", "", "here") is None


def test_without_room_every_worker_loads_it(cohort, monkeypatch):
    def full(*what):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("joblib.dump", full)
    with lending.lending():
        lending.offer(cohort, *ASKED)
        lending.borrow(lending.lent())

        assert lending.borrowed(*ASKED) is None
        assert not [*Path(lending.lent()).iterdir()]


def test_what_a_killed_run_has_left_the_next_one_removes(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(lending, "SHARED_MEMORY", tmp_path)
    ended = subprocess.Popen(["true"])
    ended.wait()
    mine = this_process()
    left = tmp_path / f"cytobench-{mine.place}-{ended.pid}-1.abcd"
    living = tmp_path / f"cytobench-{mine}.abcd"
    for folder in (left, living):
        folder.mkdir()

    with lending.lending():
        lending.offer(cohort, *ASKED)

    assert not left.exists()
    assert living.exists()


@pytest.mark.parametrize("living", [True, False])
def test_semaphores_stay_where_another_process_has_the_number(tmp_path, monkeypatch, living):
    monkeypatch.setattr(lending, "SHARED_MEMORY", tmp_path)
    other = subprocess.Popen(["sleep", "60"])
    earlier = f"cytobench-{this_process().place}-{other.pid}-1.abcd"  # started at another time
    (tmp_path / earlier).mkdir()
    semaphore = tmp_path / f"sem.loky-{other.pid}-abcd"
    semaphore.touch()
    if not living:
        other.kill()
        other.wait()

    lending.give_up(str(lending.own_folder(0)))

    assert semaphore.exists() is living
    assert not (tmp_path / earlier).exists()
    other.kill()
    other.wait()


def test_what_another_user_has_put_there_is_let_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(lending, "SHARED_MEMORY", tmp_path)
    ended = subprocess.Popen(["true"])
    ended.wait()
    planted = tmp_path / f"cytobench-{this_process().place}-{ended.pid}-1.abcd"
    planted.mkdir()
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)

    lending.give_up(str(lending.own_folder(0)))

    assert planted.exists()


@pytest.mark.slow
def test_a_run_with_workers_loads_it_once_and_answers_the_same(
    toy_plugins, write_plugin, cytobench
):
    write_plugin("datasets", "counted", COUNTED)
    words = ["run", "dataset=counted", "model=toy_ridge", "floors=[]", "tuning=off"]
    words += ["tracking=none", "protocol.repeats=1"]

    cytobench(*words, "engine=serial", "store=serial")
    cytobench(*words, "engine=joblib", "engine.workers=2", "store=joblib")
    cytobench(*words, "engine=serial", "engine.fold_seconds=300", "store=guarded")

    assert len(Path("loaded").read_text().splitlines()) == 3  # once in each run
    stores = [RunStore(Path(name)) for name in ("serial", "joblib", "guarded")]
    (key,) = {key for store in stores for keys in store.entries()["adhoc"].values() for key in keys}
    first, *others = (
        [fold.predictions.prediction for fold in store.read_cell(key).folds] for store in stores
    )
    assert all(other == first for other in others)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/shm")
@pytest.mark.parametrize(
    "how", [["engine.workers=2"], ["engine.workers=2", "engine.fold_seconds=99"]]
)
def test_nothing_is_left_of_it_when_the_run_is_killed(toy_plugins, how):
    words = ["dataset=toy", LARGE, "model=toy_ridge", "floors=[]", "tracking=none", "engine=joblib"]
    run = subprocess.Popen(
        [sys.executable, "-m", "cytobench", "run", *words, *how],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: [*Path("runs").glob("*/fold-*.parquet")], 240)
        assert folders(run.pid)

        run.kill()
        run.wait()

        until(lambda: not folders(run.pid), 30)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/shm")
@pytest.mark.parametrize(
    ("how", "left"), [([], "sem.loky-"), (["engine.fold_seconds=99"], "cytobench-")]
)
def test_what_is_left_when_its_workers_are_killed_with_it_goes_with_the_next_run(
    toy_plugins, how, left
):
    words = ["dataset=toy", "model=toy_ridge", "floors=[]", "tracking=none", "engine=joblib"]
    run = subprocess.Popen(
        [sys.executable, "-m", "cytobench", "run", *words, "engine.workers=2", *how],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: [*Path("runs").glob("*/fold-*.parquet")], 240)
    finally:
        os.killpg(run.pid, signal.SIGKILL)  # its resource tracker included, which would tidy up
        run.wait()
    assert any(name.startswith(left) for name in shared_memory(run.pid))

    lending.give_up(str(lending.own_folder(0)))

    assert not shared_memory(run.pid)


def shared_memory(pid):
    """All that bears the number of a process."""
    return [
        path.name
        for path in lending.SHARED_MEMORY.iterdir()
        if re.search(rf"[-_]{pid}[-_]", path.name)
    ]
