"""Compares what the oldest versions computed with the newest versions' numbers, and records it.

``python .ci/compare.py FOLDER --to benchmarks/results``, where FOLDER holds what ``.ci/run-oldest``
leaves: the run stores ``oldest`` and ``newest``; of the oldest versions alone ``dask`` and
``mirror``, which are cells of ``oldest`` again; boards in ``from-store`` and ``from-mlflow``.

Cells are paired by what was asked for. Exit code 1 where a cell has no partner, where data or
splits differ, where a linear model, whose optimum is unique, differs by more than the tolerance,
and where Dask's workers or MLflow's mirror give anything else than the serial run of the same
versions.
"""

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import oldest
from sklearn.metrics import roc_auc_score

from cytobench.run.store import RunStore

TOLERANCE = 1e-4
UNIQUE = ("prior", "crp_cutoff", "clinical_only", "ridge", "elastic_net", "lasso")
UNITS = {"response": "probability", "percent_change": "points", "benefit": "arm"}
HEAD = """# The oldest and the newest versions

`make test-oldest` makes this page: the same cells with every requirement at the minimum of
`pyproject.toml` and with the newest versions, on one machine and one thread. Differences are the
largest over all patients and folds; 0 is the same to the last bit.
"""


def cells(store):
    """(entry, model, slot) -> complete cell; a slot is a digest of the configuration."""
    found = {}
    for marker in sorted((store.root / "index").glob("*/*/*")):
        if marker.is_file():
            cell = store.read_cell(marker.read_text())
            if cell.complete:
                found[(marker.parent.name, cell.about["model"]["name"], marker.name)] = cell
    return found


def auc(cell):
    """Mean over folds; None for other outcomes than two classes."""
    values = [
        roc_auc_score(fold.predictions.y, fold.predictions.prediction)
        for fold in cell.folds
        if set(fold.predictions.y) == {0.0, 1.0} and not fold.arms
    ]
    return float(np.mean(values)) if values else None


def compare(old, new):
    """What is the same of two cells, and how far the rest differs."""
    pairs = list(zip(old.folds, new.folds, strict=True))
    same = all(
        one.predictions.y == other.predictions.y and one.predictions.site == other.predictions.site
        for one, other in pairs
    )
    area, other_area = auc(old), auc(new)
    return {
        "dataset": old.about["dataset"]["name"],
        "task": old.about["task"]["name"],
        "folds": len(pairs),
        "trials": old.about["config"]["tuning"]["trials"],
        "same data and splits": same,
        "same setting": sum(one.params == other.params for one, other in pairs),
        "difference": max(map(farthest, pairs)) if same else None,
        "of the mean AUC": None if area is None else abs(area - other_area),
    }


def farthest(pair):
    """The largest difference between the predictions of two folds."""
    one, other = (fold.predictions.prediction for fold in pair)
    return float(np.max(np.abs(np.subtract(one, other))))


def side_by_side(one, other):
    """A row for each cell that two stores have, and the cells that only one of them has."""
    rows = [
        {"entry": key[0], "model": key[1], **compare(one[key], other[key])}
        for key in sorted(one.keys() & other.keys())
    ]
    return rows, sorted(f"{key[0]} {key[1]}" for key in one.keys() ^ other.keys())


def estimates(folder):
    """(entry, row) -> every estimate of the boards below a folder."""
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("*.json")]
    return {
        (board["entry"], row["label"]): row["estimates"]
        for board in boards
        for row in board.get("rows", [])
    }


def again(folder, serial, name):
    """Of cells that were run a second time: how many there are, and how many have the same bits."""
    found = cells(RunStore(folder / name))
    rows, _ = side_by_side({key: serial[key] for key in found if key in serial}, found)
    same = [row for row in rows if row["difference"] == 0 and row["same setting"] == row["folds"]]
    return {"cells": len(found), "same": len(same)}


def record(folder):
    """Everything that is kept of a comparison, and what is wrong with it."""
    project = oldest.read()
    pins = dict(line.split("==") for line in oldest.constraints(project, oldest.tested(project)))
    serial, newest = (cells(RunStore(folder / name)) for name in ("oldest", "newest"))
    rows, alone = side_by_side(serial, newest)
    stored, mirrored = (estimates(folder / name) for name in ("from-store", "from-mlflow"))
    made = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "oldest": pins,
        "newest": {name: version(name) for name in pins},
        "cells": rows,
        "dask": again(folder, serial, "dask"),
        "mirror": {
            **again(folder, serial, "mirror"),
            "rows": len(stored),
            "same rows": sum(mirrored.get(key) == row for key, row in stored.items()),
        },
    }
    return made, [f"only in one: {cell}" for cell in alone] + wrong(made)


def wrong(made):
    """What may not be so, in words."""
    said = [] if made["cells"] else ["the stores have no cell in common"]
    for row in made["cells"]:
        where = f"{row['entry']} {row['model']}"
        if not row["same data and splits"]:
            said.append(f"{where}: data or splits differ")
        elif row["model"] in UNIQUE and row["task"] == "response" and row["difference"] > TOLERANCE:
            said.append(f"{where}: predictions differ by {row['difference']:.1e}")
    for name, what, same in (
        ("dask", "cells", "same"),
        ("mirror", "cells", "same"),
        ("mirror", "rows", "same rows"),
    ):
        there = made[name]
        if there[same] < there[what] or not there[what]:
            said.append(f"{name}: {there[same]} of {there[what]} {what} are those of a serial run")
    return said


def page(made):
    """The record as Markdown."""
    dask, mirror = made["dask"], made["mirror"]
    trials = max(row["trials"] for row in made["cells"])
    pairs = (f"{name} {made['oldest'][name]} / {made['newest'][name]}" for name in made["oldest"])
    return "\n".join(
        [
            HEAD,
            "| cohort, task | model | data, splits | same setting | predictions | mean AUC |",
            "|---|---|---|---|---|---|",
            *map(line, made["cells"]),
            "",
            f"{trials} trials a fold. On the oldest versions alone, beside `engine=serial`: with",
            f"`engine=dask engine.workers=2` {dask['same']} of {dask['cells']} cells are the same",
            f"to the last bit, with `tracking=mlflow` {mirror['same']} of {mirror['cells']}. Built",
            f"from MLflow alone, the leaderboard has the same numbers in {mirror['same rows']} of",
            f"{mirror['rows']} rows.",
            "",
            f"Python {made['python']}, {made['system']}. Minimum / newest: {', '.join(pairs)}.",
            "",
        ]
    )


def line(row):
    """A cell's line of the table."""
    columns = [
        f"`{row['dataset']}`, {row['task']}",
        f"`{row['model']}`",
        "same" if row["same data and splits"] else "**different**",
        f"{row['same setting']} of {row['folds']} folds",
        amount(row["difference"], UNITS[row["task"]]),
        amount(row["of the mean AUC"]),
    ]
    return f"| {' | '.join(columns)} |"


def amount(value, unit=""):
    """A difference in words; nothing where there is none to speak of."""
    if value is None:
        return ""
    return f"{value:.2g} {unit}".rstrip() if value else "0"


def main(words):
    """Write the record and its page; say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args(words)
    made, problems = record(options.folder)
    text = json.dumps(made, indent=1)
    (options.to / "oldest.json").write_text(f"{text}\n", encoding="utf-8")
    (options.to / "oldest.md").write_text(page(made), encoding="utf-8")
    print(page(made))
    print("\n".join(problems), file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
