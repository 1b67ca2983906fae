"""``cytobench new``: a plugin that works as it is, and its test."""

from __future__ import annotations

import keyword
import os
from dataclasses import dataclass
from pathlib import Path
from string import Template

from cytobench.core.cards import TASKS
from cytobench.core.errors import StoreError, UsageError
from cytobench.core.files import write_whole
from cytobench.registry.declared import declared
from cytobench.registry.discover import NAME, Kind, discover

CLASSIFIER = Template('''"""$name: say in one line what kind of model this is."""

from cytobench import Float, model


@model(
    tasks=$tasks,
    space={"C": Float(1e-3, 1e2, log=True)},
    licence="BSD-3-Clause",
)
def $name(C=1.0, random_state=None):
    """Logistic regression, until you put your model here."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=1000, random_state=random_state)
''')
REGRESSOR = Template('''"""$name: say in one line what kind of model this is."""

from cytobench import Float, model


@model(
    tasks=$tasks,
    space={"alpha": Float(1e-1, 1e3, log=True)},
    licence="BSD-3-Clause",
)
def $name(alpha=10.0, random_state=None):
    """Ridge regression, until you put your model here."""
    from sklearn.linear_model import Ridge

    return Ridge(alpha=alpha, random_state=random_state)
''')
COHORT = Template('''"""$name: say in one line where these patients come from."""

from cytobench import dataset


@dataset(
    kind="simulated", licence="CC0-1.0", caveat="invented numbers, until you put your data here"
)
def $name(n=200, effect=1.0, seed=0):
    """Two arms and three analytes; those with high IL-6 respond less often."""
    import numpy as np
    import pandas as pd
    from cytobench import Analyte, Cohort, LabelOutcome

    draw = np.random.default_rng(seed)
    log = draw.normal(size=(n, 3))
    p = 1 / (1 + np.exp(effect * log[:, 1]))
    names = ["CRP", "IL-6", "IL-10"]
    table = pd.DataFrame(np.exp(log), columns=names, index=[f"patient-{i}" for i in range(n)])
    table["age"] = draw.normal(40, 12, n).round()
    table["arm"] = draw.choice(["drug", "placebo"], n)
    table["responder"] = (draw.random(n) < p).astype(float)
    return Cohort(
        table,
        [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
        LabelOutcome("responder", "half of the symptoms gone at week 8"),
        $name.__cytobench__,
        covariates=["age"],
        arm="arm",
        truth=pd.DataFrame({"response": p}, index=table.index),
    )
''')
TEST = Template('''"""$name keeps what a $kind plugin of cytobench promises."""

from cytobench.check import run_checks


def test_$name():
    report = run_checks("$name", fast=True)
    assert report.ok, str(report)
''')


@dataclass(frozen=True)
class Written:
    """Files that were written, and the commands that come next."""

    files: tuple[Path, ...]
    next: tuple[str, ...]


def new_model(name: str, tasks: tuple[str, ...], root: Path) -> Written:
    """Write ``plugins/models/NAME.py`` and ``tests/test_NAME.py`` below `root`.

    Raises
    ------
    UsageError
        ``E140`` for a name or task that cannot be, ``E141`` where a file is there already.
    StoreError
        ``E142`` where a file cannot be written.
    """
    check_name("model", name)
    unknown = [task for task in tasks if task not in TASKS or task == "benefit"]
    if unknown or not tasks:
        options = ", ".join(task for task in TASKS if task != "benefit")
        raise UsageError(
            "E140", f"no plugin can be drafted for {', '.join(unknown) or 'no task'}",
            where="--task", hint=f"there are: {options}",
        )  # fmt: skip
    numbers = "percent_change" in tasks
    if numbers and len(tasks) > 1:
        raise UsageError(
            "E140",
            "percent_change needs a regressor, the other tasks a classifier",
            where="--task",
            hint="draft one, then branch on `kind` as plugins/models/elastic_net.py does",
        )
    listed = "(" + ", ".join(f'"{task}"' for task in tasks) + ("," if len(tasks) == 1 else "") + ")"
    source = (REGRESSOR if numbers else CLASSIFIER).substitute(name=name, tasks=listed)
    task = "" if "response" in tasks else f" task={tasks[0]}"
    return _write(
        {
            root / "plugins" / "models" / f"{name}.py": source,
            root / "tests" / f"test_{name}.py": TEST.substitute(name=name, kind="model"),
        },
        (
            f"cytobench check {name}",
            f"cytobench run dataset=sim_inflamed_mdd{task} model={name}",
        ),
    )


def new_dataset(name: str, root: Path) -> Written:
    """Write ``plugins/datasets/NAME.py`` and ``tests/test_NAME.py`` below `root`.

    Raises
    ------
    UsageError, StoreError
        As :func:`new_model`.
    """
    check_name("dataset", name)
    return _write(
        {
            root / "plugins" / "datasets" / f"{name}.py": COHORT.substitute(name=name),
            root / "tests" / f"test_{name}.py": TEST.substitute(name=name, kind="dataset"),
        },
        (f"cytobench check {name}", f"cytobench run dataset={name} model=elastic_net"),
    )


def new_table(name: str, table: Path, root: Path) -> Written:
    """Write ``conf/dataset/NAME.yaml`` for a table, its columns' roles guessed from the header.

    Raises
    ------
    UsageError, StoreError
        As :func:`new_model`.
    DataError
        Where the table cannot be read or has no analyte.
    """
    from cytobench.data.draft import draft_table, to_yaml

    check_name("dataset", name)
    text = to_yaml(draft_table(table, name))
    folder = table.parent
    return _write(
        {root / "conf" / "dataset" / f"{name}.yaml": text},
        (
            f"cytobench info {name} data={folder}",
            f"cytobench audit {name} data={folder}",
        ),
    )


def check_name(kind: Kind, name: str) -> None:
    """Refuse a name that no plugin can have, or that another has.

    Raises
    ------
    UsageError
        ``E140``.
    """
    hint = "use letters, digits and underscores, a letter first: my_model"
    if not NAME.match(name) or not name.isascii() or len(name) > 60:
        raise UsageError("E140", f"{name!r} is no name for a plugin", hint=hint)
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise UsageError("E140", f"{name!r} is a word of Python", hint=hint)
    others: dict[str, str] = {
        item: str(about["origin"]) for item, about in declared(kind).items()
    } | {item: plugin.origin for item, plugin in discover(kind).items()}
    if name in others:
        raise UsageError(
            "E140", f"there is a {kind} {name!r} already", where=others[name], hint="choose another"
        )


def _write(files: dict[Path, str], following: tuple[str, ...]) -> Written:
    for path in files:
        if path.exists():
            raise UsageError(
                "E141", "is there already and is not overwritten", where=str(path),
                hint="choose another name or folder",
            )  # fmt: skip
    for path, text in files.items():
        try:
            write_whole(path, text.encode(), replace=False, mode=0o666 & ~_umask())
        except OSError as error:
            raise StoreError(
                "E142",
                f"cannot be written: {error.strerror or error}",
                where=str(path),
                hint="choose another folder with --folder",
            ) from error
    return Written(tuple(files), following)


def _umask() -> int:
    """The process's mask of permissions; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
