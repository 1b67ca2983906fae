"""The site of a made-up store, and of real treatment rules, each written once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.boards import add, fill, tell
from support.dom import parse

from cytobench.leaderboard.build import boards
from cytobench.run.store import PLANNING, RunStore
from cytobench.site.write import write_site

ENTRY = "trial-response"


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Six rows on one entry, one of which is explained, and a learning curve on its cohort."""
    made = fill(RunStore(tmp_path_factory.mktemp("made") / "runs"))
    keys = made.entries()["suite"][ENTRY]
    tell(made, next(key for key in keys if made.about(key)["model"]["name"] == "strong"))
    for fraction in (0.3, 0.5, 0.7, 1.0):
        add(made, "strong", 0.6 + 1.6 * fraction, suite=PLANNING, seed=7,
            protocol={"train_fraction": fraction})  # fmt: skip
    return made


@pytest.fixture(scope="session")
def board(store):
    (found,) = boards(store, thorough=True)
    return found


@pytest.fixture(scope="session")
def site(store, board):
    """The folder that was written."""
    out = store.root.parent / "site"
    write_site([board], store, out)
    return out


@pytest.fixture(scope="session")
def page(site):
    """The entry's page as a tree."""
    return parse((site / "suite" / f"{ENTRY}.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """A store with treatment rules on a small simulated trial."""
    folder = tmp_path_factory.mktemp("rules")
    words = ["run", "dataset=sim_crossover", "dataset.n=160", "task=benefit", "tuning=off",
             "model=s_learner,policy_tree", "protocol.repeats=1", "tracking=none"]  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "cytobench", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        check=True,
        capture_output=True,
        timeout=600,
    )
    return RunStore(folder / "runs")
