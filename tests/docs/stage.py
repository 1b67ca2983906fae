"""What has to lie in the folder before a page is read: a table, an export, published boards."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
from support.pages import REPOSITORY

EXPORTS = REPOSITORY / "tests" / "data" / "exports"


def trial(folder):
    """The table that `bring-your-own-table.md` describes."""
    draw = np.random.default_rng(1)
    n = 90
    table = pd.DataFrame(
        {
            "id": [f"P{i}" for i in range(n)],
            "IL-6": draw.lognormal(0, 1, n),
            "IL-10": draw.lognormal(0, 1, n),
            "TNF-a": draw.lognormal(0, 1, n),
            "CRP": draw.lognormal(0, 1, n),
            "age": draw.integers(18, 70, n),
            "sex": draw.choice(["female", "male"], n),
            "bmi": draw.normal(27, 4, n),
            "treatment": draw.choice(["A", "B"], n),
            "centre": draw.choice(["north", "south"], n),
            "hamd_week0": draw.integers(18, 30, n),
            "hamd_week8": draw.integers(2, 24, n),
        }
    )
    (folder / "data").mkdir()
    table.to_csv(folder / "data" / "my_trial.csv", index=False)


def export(folder):
    """A plate of Luminex, as `exports.md` names it."""
    (folder / "data").mkdir()
    shutil.copy(EXPORTS / "xponent_1.csv", folder / "data" / "plate1.csv")


def published(folder):
    """The boards that are published."""
    shutil.copytree(REPOSITORY / "leaderboards", folder / "leaderboards")


def cytobench(folder, *words):
    subprocess.run(
        [sys.executable, "-m", "cytobench", *words],
        cwd=folder, check=True, capture_output=True, timeout=600,
    )  # fmt: skip


def scaffold(folder):
    """The plugin that `cytobench new` writes."""
    cytobench(folder, "new", "model", "my_model")


def finished(folder):
    """A plugin, and its finished cell in a suite."""
    scaffold(folder)
    cytobench(folder, "run", "suite=quickstart", "model=my_model", "tracking=none")


def bundled(folder):
    """The same as a bundle."""
    finished(folder)
    words = ("submit", "my_model", "--suite", "quickstart", "--out", "bundle.zip")
    cytobench(folder, "leaderboard", *words)


def boards(folder):
    """What is published, and a store of one's own."""
    published(folder)
    finished(folder)


STAGES = {
    "docs/checks.md": scaffold,
    "docs/bundle-codes.md": bundled,
    "docs/bring-your-own-table.md": trial,
    "docs/exports.md": export,
    "docs/leaderboards.md": boards,
}
