"""Honest bundles, made once: a suite on a simulated cohort and on one that says it is real."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from cytobench import plugins as plugin_root
from cytobench.run.store import RunStore

DATASET = '''
    """A small cohort whose outcome depends on IL-6."""
    from cytobench import dataset


    @dataset(kind="{kind}")
    def {name}(n=72, seed={seed}):
        """Seventy-two patients, three analytes, two arms."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(seed)
        z = draw.normal(size=(n, 3))
        p = 1 / (1 + np.exp(-1.5 * z[:, 1]))
        names = ["CRP", "IL-6", "IL-10"]
        table = pd.DataFrame(np.exp(z), columns=names)
        table["sex"] = draw.choice(["female", "male"], n)
        table["arm"] = draw.choice(["A", "B"], n)
        table["trd"] = np.where(np.arange(n) < 3, "yes", "no")
        table["responder"] = (draw.random(n) < p).astype(float)
        table.index = [f"Mrs Example {{i}}" for i in range(n)]
        return Cohort(
            table,
            [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
            LabelOutcome("responder", "responded"),
            DatasetCard("{name}", "Toy cohort", kind="{kind}"),
            covariates=["sex", "trd"],
            arm="arm",
            truth={truth},
        )
'''
RIDGE = '''
    """Ridge logistic regression."""
    from cytobench import Float, model


    @model(space={"C": Float(1e-3, 1e2, log=True)}, licence="MIT")
    def our_ridge(C=1.0):
        """Ridge logistic regression."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=C, max_iter=1000)
'''
GUESS = '''
    """The prevalence."""
    from cytobench import model


    @model(role="floor", inputs=("clinical",))
    def guess():
        """The prevalence."""
        from sklearn.dummy import DummyClassifier

        return DummyClassifier(strategy="prior")
'''
SUITE = """
    name: ours
    version: 1
    title: Two toy cohorts
    entries:
      - {dataset: toy, task: response}
      - {dataset: clinic, task: response}
    models: [guess, our_ridge]
    overrides:
      - floors=[guess]
      - protocol=repeated_stratified
      - protocol.folds=3
      - protocol.repeats=2
      - protocol.inner_folds=3
      - tuning=tpe
      - tuning.trials=2
"""
FILES = {
    "plugins/datasets/toy.py": DATASET.format(
        name="toy", kind="simulated", seed=1, truth='pd.DataFrame({"response": p})'
    ),
    "plugins/datasets/clinic.py": DATASET.format(name="clinic", kind="real", seed=5, truth="None"),
    "plugins/models/our_ridge.py": RIDGE,
    "plugins/models/guess.py": GUESS,
    "conf/suite/ours.yaml": SUITE,
}


@dataclass(frozen=True)
class Workshop:
    """A contributor's working directory after a run, and the bundles that were made in it."""

    folder: Path
    toy: bytes
    clinic: bytes
    guess: bytes

    @property
    def store(self):
        return RunStore(self.folder / "runs")


def write_files(folder, names=tuple(FILES)):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(FILES[name]).lstrip("\n"), encoding="utf-8")


def cytobench_in(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "cytobench", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The workshop; about half a minute."""
    folder = tmp_path_factory.mktemp("workshop")
    write_files(folder)
    done = cytobench_in(folder, "run", "suite=ours", "engine=serial", "tracking=none")
    assert done.returncode == 0, done.stdout + done.stderr
    sent = cytobench_in(folder, "leaderboard", "submit", "our_ridge", "guess", "--out", "sent")
    assert sent.returncode == 1, "a floor of one's own is no submission"
    from cytobench.submission.make import make_bundle

    store = RunStore(folder / "runs")
    (key,) = [
        key
        for key in store.entries()["ours"]["toy-response"]
        if store.about(key)["model"]["name"] == "guess"
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plugin_root.refresh()
        guess = make_bundle("ours", "toy-response", store.read_cell(key))
    return Workshop(
        folder,
        (folder / "sent" / "ours-toy-response-our_ridge.zip").read_bytes(),
        (folder / "sent" / "ours-clinic-response-our_ridge.zip").read_bytes(),
        guess,
    )


@pytest.fixture
def workshop(made, working_directory, monkeypatch):
    """The same, as the working directory of this process."""
    monkeypatch.chdir(made.folder)
    plugin_root.refresh()
    return made
