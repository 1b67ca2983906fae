"""Claims: a fold has one run; what a dead run held is free; nobody trusts another's clock."""

import os
import subprocess
import sys

import pytest

from cytobench.core.process import Process, this_process
from cytobench.run import claims
from cytobench.run.claims import Claims, claimed, let_go

ELSEWHERE = b"0123456789ab-1-1\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "cell").mkdir()
    return tmp_path


def put(root, said, fold=0):
    """A claim that somebody else has left."""
    path = root / "cell" / f".claim-{fold:03d}"
    path.write_bytes(said)
    return path


def a_dead_process():
    code = "from cytobench.core.process import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout


def test_a_fold_belongs_to_one_run_until_it_lets_go(root):
    with Claims(root) as first, Claims(root) as second:
        assert first.take("cell", 0)
        assert first.take("cell", 0), "what it holds it may take again"
        assert not second.take("cell", 0)
        assert second.holder("cell", 0) == this_process()

        first.release("cell", 0)

        assert second.take("cell", 0)


def test_running_a_fold_and_explaining_it_are_claimed_apart(root):
    with Claims(root) as runs, Claims(root, "explaining") as explains:
        assert runs.take("cell", 3)
        assert explains.take("cell", 3)
        assert len(claimed(root)) == 2


def test_nothing_is_left_when_a_run_ends(root):
    with Claims(root) as own:
        assert own.take("cell", 0)
        assert own.take("cell", 1)

    assert [path for path in root.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_a_dead_process_held_is_free_at_once(root):
    put(root, a_dead_process() + b"7\n")

    with Claims(root) as own:
        assert own.take("cell", 0)


def test_of_folds_that_are_done_the_claims_of_the_dead_are_removed_and_no_others(root):
    dead = a_dead_process()
    done, open_ = put(root, dead, 0), put(root, dead, 1)
    elsewhere, odd = put(root, ELSEWHERE, 2), root / "cell" / ".claim-explaining-000"
    odd.write_bytes(dead)
    with Claims(root) as alive:
        assert alive.take("cell", 3)

        let_go(root / "cell", {0, 2, 3})

        assert not done.exists()
        assert open_.exists(), "the next run takes it over"
        assert elsewhere.exists(), "whether it lives cannot be seen from here"
        assert odd.exists(), "another kind of work"
        assert alive.holder("cell", 3) == this_process()

    let_go(root / "cell", {0}, "explaining")

    assert not odd.exists()


def test_a_process_of_the_same_number_that_started_later_is_another_one(root):
    here = this_process()
    put(root, f"{Process(here.place, here.pid, here.started + '1')}\n7\n".encode())

    with Claims(root) as own:
        assert own.take("cell", 0) is sys.platform.startswith("linux")


@pytest.mark.parametrize("said", [ELSEWHERE + b"7\n", b"", b"\xff\0rubbish"])
def test_a_run_of_another_host_is_waited_for_as_long_as_it_counts(root, monkeypatch, said):
    now = [0.0]
    monkeypatch.setattr(claims.time, "monotonic", lambda: now[0])
    path = put(root, said)
    with Claims(root) as own:
        assert not own.take("cell", 0)
        now[0] += claims.SILENT - 1
        assert not own.take("cell", 0)
        path.write_bytes(ELSEWHERE + b"8\n")
        now[0] += claims.SILENT - 1
        assert not own.take("cell", 0), "it has counted"
        os.utime(path, (4e9, 4e9))  # what its clock says is nobody's business
        now[0] += claims.SILENT + 1

        assert own.take("cell", 0)


def test_a_run_counts_in_all_its_claims_at_once(root, monkeypatch):
    monkeypatch.setattr(claims, "BEAT", 0.01)
    path = root / "cell" / ".claim-000"
    with Claims(root) as own:
        own.take("cell", 0)
        before = path.read_bytes()
        while path.read_bytes() == before:
            pass

        assert len(path.read_bytes()) == len(before), "in place: a full disk does not stop it"


def test_without_hard_links_a_run_goes_on_and_says_so_once(root, monkeypatch, capsys):
    def unable(*_):
        raise OSError(95, "Operation not supported")

    with Claims(root) as own:
        monkeypatch.setattr("os.link", unable)
        assert own.take("cell", 0)
        assert own.take("cell", 1)

    assert capsys.readouterr().err.count("folds cannot be claimed") == 1
