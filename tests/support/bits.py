"""A real cell on workers elsewhere, held against the same cell in this process."""

from __future__ import annotations

from cytobench.run.cells import load_cell
from cytobench.run.engine import run_folds
from cytobench.run.fold import FoldSpec
from cytobench.run.jobs import plan_jobs

SALT = b"s" * 32


def assert_same_bits_as_serial(engine):
    """Three folds of a tuned ``toy_ridge``; the test has ``toy_plugins``."""
    words = ["dataset=toy", "model=toy_ridge", "tuning.trials=3", "protocol.repeats=1", "floors=[]"]
    (cell,) = plan_jobs(words).cells
    specs = [FoldSpec(cell, load_cell(cell).key, fold) for fold in range(3)]

    there = {spec.fold: fold for spec, fold in run_folds(specs, engine, SALT)}
    here = {spec.fold: fold for spec, fold in run_folds(specs, {"name": "serial"}, SALT)}

    assert there.keys() == here.keys() == {0, 1, 2}
    for fold in here:
        assert there[fold].predictions == here[fold].predictions
        assert there[fold].inner == here[fold].inner
        assert there[fold].params == here[fold].params
