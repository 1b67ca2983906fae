"""Compares the numbers of two run stores, cell by cell.

``python .ci/compare.py OLD NEW``. Cells are paired by what was asked for. A line for each: are the
data and the splits the same, in how many folds was the same setting chosen, how far do predictions
and the cell's mean AUC differ.

Exit code 1 where data or splits differ, or where a cell of a linear model, whose optimum is unique,
differs by more than the tolerance.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from cytobench.run.store import RunStore

TOLERANCE = 1e-4
UNIQUE = ("prior", "crp_cutoff", "clinical_only", "ridge", "elastic_net", "lasso")


def cells(store):
    """(suite, entry, model, slot) -> complete cell; a slot is a digest of the configuration."""
    found = {}
    for marker in sorted((store.root / "index").glob("*/*/*")):
        if marker.is_file():
            cell = store.read_cell(marker.read_text())
            where = (marker.parent.parent.name, marker.parent.name)
            if cell.complete:
                found[(*where, cell.about["model"]["name"], marker.name)] = cell
    return found


def auc(cell):
    """Mean over folds, or NaN for other outcomes than two classes."""
    values = [
        roc_auc_score(fold.predictions.y, fold.predictions.prediction)
        for fold in cell.folds
        if set(fold.predictions.y) == {0.0, 1.0} and not fold.arms
    ]
    return float(np.mean(values)) if values else float("nan")


def compare(old, new):
    """What is the same of two cells, and how far the rest differs."""
    pairs = list(zip(old.folds, new.folds, strict=True))
    data = all(
        one.predictions.y == other.predictions.y and one.predictions.site == other.predictions.site
        for one, other in pairs
    )
    params = sum(one.params == other.params for one, other in pairs)
    far = max(
        np.max(np.abs(np.subtract(one.predictions.prediction, other.predictions.prediction)))
        if len(one.predictions.y) == len(other.predictions.y)
        else np.inf
        for one, other in pairs
    )
    return data, params, len(pairs), float(far), abs(auc(old) - auc(new))


def main(words):
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args(words)
    old, new = cells(RunStore(options.old)), cells(RunStore(options.new))
    if not old.keys() & new.keys():
        print("the stores have no cell in common", file=sys.stderr)
        return 1
    print("| entry | model | data and splits | same setting | largest difference | mean AUC |")
    print("|---|---|---|---|---|---|")
    failed = False
    for key in sorted(old.keys() & new.keys()):
        data, params, folds, far, area = compare(old[key], new[key])
        said = "to the last bit" if far == 0 else f"{far:.1e}"
        areas = "" if np.isnan(area) else f"{area:.1e}" if area else "0"
        same = "same" if data else "DIFFERENT"
        print(f"| {key[1]} | {key[2]} | {same} | {params} of {folds} | {said} | {areas} |")
        failed |= not data or (key[2] in UNIQUE and far > TOLERANCE and "response" in key[1])
    for key in sorted(old.keys() ^ new.keys()):
        print(f"only in one: {key[1]} {key[2]}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
