"""A tracking server that is away: the run goes on, and what was missed is written once, later."""

import signal
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import pytest
from support.errands import until
from support.faults import COMMAND, FOLDS, Stage
from support.servers import free_port

from cytobench.tracking import server

pytestmark = pytest.mark.slow


class Team:
    """A tracking server that comes and goes, at one address and with one database."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.uri = f"tracking.uri=http://{server.HOST}:{self.port}"

    @contextmanager
    def there(self):
        """The server answers as long as the block lasts."""
        words = server.command(str(self.folder / "artifacts"), self.port)
        with server.running(words, f"sqlite:///{self.folder}/server.db", self.port):
            yield

    def runs(self):
        """Name and status of every cell's run."""
        with closing(sqlite3.connect(self.folder / "server.db")) as database:
            return database.execute(
                "select name, status from runs where lifecycle_stage = 'active' "
                "and name != 'leaderboard' order by name"
            ).fetchall()


@pytest.fixture
def stage(undisturbed, tmp_path):
    return Stage(tmp_path, undisturbed)


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)


def tracked(stage, team):
    """What `cytobench track` says."""
    done = subprocess.run(
        [*COMMAND, "track", team.uri], cwd=stage.folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BOTH = [("guess", "FINISHED"), ("toy_ridge", "FINISHED")]


def test_a_server_that_goes_in_the_middle_of_a_run_has_what_it_missed_from_cytobench_track(
    stage, team
):
    with team.there():
        # Which cell is first is said here: the halted run has done it, and not the other.
        process = stage.start("model=guess,toy_ridge", "tracking=mlflow", team.uri)
        stage.until_folds(FOLDS // 2 + 1, process)
        process.send_signal(signal.SIGSTOP)
        until(lambda: team.runs() == BOTH[:1], 120)
    process.send_signal(signal.SIGCONT)
    seen = stage.ended(process)

    assert seen.code == 0, seen.said
    assert seen.said.count("[E601]") == 1
    assert "once this is mended: cytobench track" in seen.said
    assert f"{FOLDS} folds computed" in seen.said
    assert team.runs() == BOTH[:1]
    with team.there():
        first, second = tracked(stage, team), tracked(stage, team)
    assert "1 cells written" in first
    assert "1 were already there" in first
    assert "0 cells written" in second
    assert team.runs() == BOTH
    assert stage.differences() == []


def test_a_server_that_is_away_has_what_it_missed_from_the_next_run_of_the_same_command(
    stage, team
):
    missed = stage.run("tracking=mlflow", team.uri)
    assert missed.code == 0, missed.said
    assert missed.said.count("[E601]") == 1

    with team.there():
        again = stage.run("tracking=mlflow", team.uri)
        assert "E601" not in again.said
        assert f"0 folds computed, {FOLDS} were already there" in again.said
        assert team.runs() == BOTH
        stage.run("tracking=mlflow", team.uri)
    assert team.runs() == BOTH
