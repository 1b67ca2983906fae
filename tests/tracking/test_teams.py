"""A team: one MLflow server on PostgreSQL with accounts, several machines that write at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import urllib.request
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.servers import PASSWORD, everything_in, mlflow, postgresql

from cytobench.run.store import RunStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
]

ADMIN = "adm1n-s3cret-word"
PEOPLE = {"ann": "ann-s3cret-word", "ben": "ben-s3cret-word", "cho": "cho-s3cret-word"}
SECRETS = [ADMIN, PASSWORD, *PEOPLE.values()]
COMMON = [
    "dataset=sim_inflamed_mdd", "dataset.n=80", "protocol.folds=3", "protocol.repeats=1",
    "tuning=off", "engine=serial", "floors=[prior,clinical_only]",
]  # fmt: skip
MODELS = {"ann": "ridge,prior", "ben": "svm_rbf", "cho": "ridge"}
"""Two models are two people's, the floors everybody's."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a working directory of his own."""

    name: str
    folder: Path
    server: str

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cytobench", *words],
            cwd=self.folder, env={**os.environ, **self.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MLFLOW_TRACKING_URI": self.server,
            "MLFLOW_TRACKING_USERNAME": self.name,
            "MLFLOW_TRACKING_PASSWORD": PEOPLE[self.name],
            "COLUMNS": "200",
        }


@dataclass(frozen=True)
class Team:
    """What three runs at once left behind."""

    database: str
    server: str
    folder: Path
    people: list[Person]
    said: dict[str, str]


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    with (
        postgresql() as database,
        mlflow(database, folder, MLFLOW_ADMIN_PASSWORD=ADMIN) as server,
    ):
        people = []
        for name in PEOPLE:
            create_account(server, name)
            (folder / name).mkdir()
            people.append(Person(name, folder / name, server))
        runs = {
            person.name: person.start(
                "run", *COMMON, f"model={MODELS[person.name]}", "tracking.rows=true"
            )
            for person in people
        }
        said = {name: run.communicate(timeout=600)[0] for name, run in runs.items()}
        for name, run in runs.items():
            assert run.returncode == 0, said[name]
        yield Team(database, server, folder, people, said)


def create_account(server: str, name: str) -> None:
    key = b64encode(f"admin:{ADMIN}".encode()).decode()
    request = urllib.request.Request(
        f"{server}/api/2.0/mlflow/users/create",
        json.dumps({"username": name, "password": PEOPLE[name]}).encode(),
        {"Authorization": f"Basic {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


@pytest.fixture
def as_ann(team, monkeypatch):
    """Ann's credentials in this process, as MLflow's own variables."""
    for name, value in team.people[0].environment.items():
        monkeypatch.setenv(name, value)
    return team


def runs_on(team):
    """Cell -> status of each of its runs."""
    from cytobench.tracking.client import Tracker

    tracker = Tracker(team.server)
    found = [run for item in tracker.experiments() for run in tracker.runs(item)]
    return Counter(run.cell for run in found), all(run.finished for run in found)


def keys_of(team):
    """The cells of each person's store."""
    return [
        {key for found in entries.values() for key in found}
        for person in team.people
        for entries in RunStore(person.folder / "runs").entries().values()
    ]


def test_what_several_write_at_once_is_there_once_and_nothing_is_missing(as_ann):
    runs, finished = runs_on(as_ann)

    assert set(runs) == set.union(*keys_of(as_ann))
    assert set.intersection(*keys_of(as_ann)), "the floors are everybody's"
    assert set(runs.values()) == {1}
    assert finished
    assert not any("E601" in said for said in as_ann.said.values())


def test_a_leaderboard_needs_the_server_alone(team, tmp_path):
    empty = Person("ben", tmp_path, team.server)

    process = empty.start("leaderboard", "build", "--from-mlflow", team.server)
    said = process.communicate(timeout=600)[0]

    assert process.returncode == 0, said
    (path,) = tmp_path.glob("leaderboards/adhoc/sim*.json")
    rows = {row["label"]: row for row in json.loads(path.read_text())["rows"]}
    assert set(rows) == {"ridge", "svm_rbf", "prior", "clinical_only"}
    assert {row["verification"] for row in rows.values()} == {"recomputed"}
    assert not (tmp_path / "runs").exists()
    for person in team.people:
        for label, row in board_of(person).items():
            assert rows[label]["estimates"]["auc"] == row["estimates"]["auc"]
            assert rows[label]["estimates"]["brier"] == row["estimates"]["brier"]


def board_of(person):
    """The rows of a person's own leaderboard."""
    process = person.start("leaderboard", "build")
    said = process.communicate(timeout=600)[0]
    assert process.returncode == 0, said
    (path,) = person.folder.glob("leaderboards/adhoc/sim*.json")
    return {row["label"]: row for row in json.loads(path.read_text())["rows"]}


def test_a_cell_that_two_wrote_at_once_is_left_once(as_ann, tmp_path, monkeypatch):
    from cytobench.tracking import Mirror
    from cytobench.tracking.client import Tracker

    store = RunStore(as_ann.people[0].folder / "runs")
    ((suite, entries),) = store.entries().items()
    ((entry, keys),) = entries.items()
    mirror = Mirror(store, {"uri": as_ann.server, "artifacts": "unused"})
    monkeypatch.setattr(Mirror, "_is_there", lambda *_: False)  # neither saw the other's
    leave_one = Mirror._leave_one
    monkeypatch.setattr(Mirror, "_leave_one", lambda *_: None)
    mirror.write(keys[0], suite, entry)
    experiment = mirror._experiment(suite, entry, keys[0])
    before = mirror.tracker.runs_of(experiment.id, keys[0])
    mirror._write(experiment, keys[0])
    twice = Tracker(as_ann.server).runs_of(experiment.id, keys[0])
    assert (len(before), len(twice)) == (1, 2)

    leave_one(mirror, experiment, keys[0])

    assert [run.run for run in mirror.tracker.runs_of(experiment.id, keys[0])] == [twice[0].run]


def test_no_password_is_anywhere(team):
    said = "".join(team.said.values())
    in_files = [
        path
        for path in team.folder.rglob("*")
        if path.is_file()
        and path.name != "users.db"
        and any(secret.encode() in path.read_bytes() for secret in SECRETS)
    ]
    on_server = [
        table
        for table, text in everything_in(team.database).items()
        if any(secret in text for secret in SECRETS)
    ]

    assert not any(secret in said for secret in SECRETS)
    assert in_files == []
    assert on_server == []


def test_a_password_in_an_address_is_in_no_file_and_not_on_the_server(team, tmp_path):
    person = Person("ann", tmp_path, f"http://ann:{PEOPLE['ann']}@{team.server[7:]}")
    words = [*COMMON, "model=lasso", f"tracking.uri={person.server}"]
    environment = {**os.environ, "COLUMNS": "200"}

    done = subprocess.run(
        [sys.executable, "-m", "cytobench", "run", *words],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    tracked = subprocess.run(
        [sys.executable, "-m", "cytobench", "track", words[-1]],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    said = done.stdout + done.stderr + tracked.stdout + tracked.stderr
    assert (done.returncode, tracked.returncode) == (0, 0), said
    assert "tracking.uri=http://***@127.0.0.1" in said
    assert PEOPLE["ann"] not in said
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if PEOPLE["ann"].encode() in path.read_bytes()]
    assert not [t for t in everything_in(team.database).values() if PEOPLE["ann"] in t]


def test_a_wrong_password_is_said_and_costs_no_result(team, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cytobench", "run", *COMMON, "model=prior"],
        cwd=tmp_path,
        env={
            **os.environ, "MLFLOW_TRACKING_URI": team.server, "MLFLOW_TRACKING_USERNAME": "ann",
            "MLFLOW_TRACKING_PASSWORD": "wr0ng-word",
        },
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("E601") == 1
    assert "wr0ng-word" not in done.stdout + done.stderr


RESTRICTED = '''
    """Eighty patients of a study that is shared under terms."""
    from cytobench import dataset


    @dataset(kind="real")
    def trial():
        """Eighty patients."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(0)
        table = pd.DataFrame({"CRP": np.exp(draw.normal(size=80))})
        table["responder"] = (draw.random(80) < 0.5).astype(float)
        table.index = [f"p{i}" for i in range(80)]
        card = DatasetCard(
            "trial", "Restricted", kind="real", access="an agreement with the study"
        )
        return Cohort(
            table, [Analyte("CRP", "mg/L")], LabelOutcome("responder", "responded"), card
        )
'''


def test_rows_of_a_study_that_is_shared_under_terms_stay_on_the_machine(team, tmp_path):
    person = Person("ben", tmp_path, team.server)
    plugin = tmp_path / "plugins" / "datasets" / "trial.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(textwrap.dedent(RESTRICTED).lstrip("\n"))
    run = [
        "run", "dataset=trial", "model=prior", "floors=[]", "tuning=off", "engine=serial",
        "protocol.folds=3", "protocol.repeats=1", "tracking.rows=true",
    ]  # fmt: skip

    said = person.start(*run).communicate(timeout=600)[0]
    build = person.start("leaderboard", "build", "adhoc", "--from-mlflow", team.server)
    built = build.communicate(timeout=600)[0]

    assert "3 folds computed" in said
    assert build.returncode == 0, built
    assert "carry no predictions" in built
    assert not list(tmp_path.glob("leaderboards/adhoc/trial*"))
