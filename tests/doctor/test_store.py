"""The run store's folder."""

import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple

import pytest

from cytobench.run.claims import Claims
from cytobench.run.store import RunStore

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def store(working_directory):
    """A store with a salt and one described cell that a board asks for."""
    made = RunStore(working_directory / "runs")
    made.salt()
    made.open_cell("abc", {"folds": 1}, "suite", "entry", "slot")
    return made


def test_a_healthy_store_has_no_findings(situation, findings, store):
    codes = ("D501", "D502", "D503", "D504", "D505", "D506", "D507")

    assert [item for code in codes for item in findings(code, situation())] == []


def test_a_store_that_does_not_exist_yet_is_fine_and_stays_so(situation, findings):
    where = situation()

    assert findings("D501", where) == []
    assert not where.store.exists()


@pytest.mark.parametrize("place", ["/proc/runs", "occupied/runs"])
def test_a_store_that_cannot_be_written_breaks_runs(situation, finding, working_directory, place):
    (working_directory / "occupied").write_text("a file where a folder is needed")

    assert finding("D501", situation(store=place)).severity == "breaks"


def test_folders_of_somebody_else_in_the_store_are_named(situation, finding, store, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "abc")

    assert finding("D501", situation()).where == str(store.root / "abc")


def test_a_nearly_full_disk_is_named(situation, finding, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 20 * 1024**2))

    assert finding("D502", situation()).sentence == "20 MiB are free"


def test_a_salt_that_others_can_read_is_named(situation, finding, store):
    (store.root / "salt").chmod(0o644)

    assert finding("D503", situation()).hint == f"chmod 600 {store.root / 'salt'}"


def test_a_salt_that_was_cut_off_breaks_runs(situation, finding, store):
    (store.root / "salt").write_bytes(b"")

    assert finding("D504", situation()).sentence.startswith("[E513]")


def test_results_without_their_salt_are_named(situation, finding, store):
    (store.root / "abc" / "fold-000.parquet").write_bytes(b"x")
    (store.root / "salt").unlink()

    assert "is missing" in finding("D504", situation()).sentence


@pytest.mark.parametrize(("hours", "said"), [(1, "behind"), (-1, "ahead of")])
def test_a_clock_that_disagrees_with_the_file_system_is_named(
    situation, finding, monkeypatch, hours, said
):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours)

    assert f"3600 s {said} this machine's clock" in finding("D505", situation()).sentence


def test_old_temporary_files_are_named_and_fresh_ones_left_alone(situation, finding, store):
    old = store.root / "abc" / ".writing-old"
    draft = store.root.parent / ".mlflow.db.4711"
    for path in (old, draft):
        path.touch()
        os.utime(path, (time.time() - 7200,) * 2)
    (store.root / "abc" / ".writing-now").touch()

    assert finding("D506", situation()).where == f"{old}, {draft}"


def test_claims_of_a_run_that_was_killed_or_is_silent_are_named_and_live_ones_left_alone(
    situation, finding, findings, store
):
    with Claims(store.root) as claims:
        claims.take("abc", 2)
        assert findings("D506", situation()) == []
        silent = store.root / "abc" / ".claim-001"
        silent.write_text("somewhere-else 1 1 1\n00000000000000000007\n")
        os.utime(silent, (time.time() - 7200,) * 2)
        killed = store.root / "abc" / ".claim-000"
        killed.write_text(f"{ended_process()}\n00000000000000000007\n")

        found = finding("D506", situation())

    assert found.where == f"{killed}, {silent}"
    assert found.sentence == "2 claims of folds are left by runs that have ended"
    assert "harmless" in found.hint


def ended_process():
    """A process of this machine that is no more, as it names itself in a claim."""
    code = "from cytobench.core.process import this_process; print(this_process())"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_empty_files_are_named(situation, finding, store):
    path = store.root / "abc" / "fold-000.parquet"
    path.touch()

    assert finding("D507", situation()).where == str(path)


def test_a_cell_that_a_board_asks_for_and_that_is_gone_is_named(situation, finding, store):
    shutil.rmtree(store.root / "abc")

    assert finding("D507", situation()).sentence == "1 cells are asked for and gone"


def test_what_the_doctor_writes_is_gone_afterwards(situation, findings, store, working_directory):
    before = sorted(working_directory.rglob("*"))

    for code in ("D501", "D505", "D602", "D608"):
        findings(code, situation())

    assert sorted(working_directory.rglob("*")) == before
