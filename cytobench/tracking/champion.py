"""The best model of a suite's entry, fitted on every patient, in MLflow's registry."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import __version__
from cytobench.core.errors import CytobenchError, UsageError, did_you_mean
from cytobench.data.target import BENEFIT
from cytobench.leaderboard.build import boards
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.tables import TITLES, number
from cytobench.leaderboard.words import title
from cytobench.preprocess.recipe import recipe_from_config
from cytobench.registry.extras import installed
from cytobench.run.cells import LoadedCell, load_cell
from cytobench.run.jobs import plan_jobs
from cytobench.run.store import RunStore
from cytobench.run.whole import Whole, fit_whole
from cytobench.tracking.shown import NAMES
from cytobench.tracking.stored_model import example_rows, kinds_of, store_model

if TYPE_CHECKING:
    from cytobench.tracking.mirror import Mirror

ALIAS = "champion"
SCRIPT = Path(__file__).with_name("champion_script.py")
MODEL_FILE = "model"
"""Name under which MLflow hands the stored model to the script."""


@dataclass(frozen=True)
class Registered:
    """A version in the registry.

    Attributes
    ----------
    address : str
        What ``mlflow.pyfunc.load_model`` takes.
    """

    name: str
    version: str
    model: str
    patients: int

    @property
    def address(self) -> str:
        """Where the model is found."""
        return f"models:/{self.name}@{ALIAS}"


def register_champion(mirror: Mirror, where: str) -> Registered:
    """Fit the best model of an entry on all patients, and register it.

    Parameters
    ----------
    where : str
        ``SUITE/ENTRY``.

    Raises
    ------
    UsageError
        ``E608`` where there is no such entry, or no model on it.
    CytobenchError
        ``E606`` where the model cannot be stored safely, ``E607`` where it would leave the machine,
        ``E609`` where data, plugin or packages are no longer those of its cell.
    """
    board, row = _best(mirror.store, where)
    assert row.cell is not None
    about = row.cell.about
    if mirror.leaves_the_machine and about["dataset"]["kind"] != "simulated":
        raise CytobenchError(
            "E607",
            "a fitted model may hold its training patients' values, and this is not this machine",
            where=mirror.uri,
            hint="register it in a local database: tracking.uri=sqlite:///mlflow.db",
        )
    _check_storable(about)
    loaded = _load(row.cell.key, about, board.entry.suite, board.entry.name)
    whole = fit_whole(loaded)
    name = f"{board.entry.suite}.{board.entry.name}"
    with tempfile.TemporaryDirectory(prefix="cytobench-") as folder:
        path = Path(folder) / "champion.skops"
        store_model(whole, path, row.label)
        version = mirror.register(
            name,
            (board.entry.suite, board.entry.name, row.cell.key),
            path,
            {**_said_of(whole, loaded), **_said_of_row(board, row, len(whole.frame))},
        )
    return Registered(name, version, row.label, len(whole.frame))


def _best(store: RunStore, where: str) -> tuple[Board, Row]:
    suite, _, entry = where.partition("/")
    known = [f"{s}/{e}" for s, entries in store.entries().items() for e in entries]
    if where not in known:
        raise UsageError(
            "E608",
            f"the store has no entry {where!r}",
            where=str(store.root),
            hint=did_you_mean(where, known) if known else "start one: cytobench run",
        )
    for board in boards(store, suite, [entry]):
        if not isinstance(board, Board):
            raise CytobenchError("E606", "rules of treatment are not stored", where=where)
        for row in board.rows:
            if row.role == "model" and row.cell is not None and row.cell.submission is None:
                return board, row
    raise UsageError("E608", "no model has finished on this entry", where=where)


def _check_storable(about: Mapping[str, Any]) -> None:
    """Refuse what would need more than one row's own columns to predict it."""
    recipe = recipe_from_config(about["config"]["preprocess"])
    why = ""
    if about["task"]["kind"] == BENEFIT:
        why = "rules of treatment are not stored"
    elif recipe.draws > 1:
        why = "its predictions are means over several imputations"
    elif recipe.batch != "none":
        why = "it corrects for batches, and a new patient's batch is not known to it"
    if why:
        raise CytobenchError("E606", f"cannot be stored: {why}", where=about["model"]["name"])


def _load(key: str, about: Mapping[str, Any], suite: str, entry: str) -> LoadedCell:
    """The cell as its own command plans it today, if that is still the same cell."""
    words = shlex.split(str(about["command"]))[2:]  # after `cytobench run`
    for cell in plan_jobs(words).cells:
        mine = (cell.suite, cell.entry, cell.config.get("permutation", 0)) == (suite, entry, 0)
        if mine and cell.config["model"] == about["config"]["model"]:
            loaded = load_cell(cell)
            if loaded.key == key:
                return loaded
    raise CytobenchError(
        "E609",
        "is no longer what it was: data, plugin or packages have changed since",
        where=f"cell {key[:12]}",
        hint=f"run it again: {about['command']}",
    )


def _said_of(whole: Whole, loaded: LoadedCell) -> dict[str, Any]:
    """What MLflow is told of the model's input and output."""
    return {
        "kinds": kinds_of(whole.frame),
        "example": example_rows(whole.frame),
        "classification": whole.threshold is not None,
        "requirements": _requirements(loaded),
    }


def _requirements(loaded: LoadedCell) -> list[str]:
    there: dict[str, str] = {}
    for name in ("scikit-learn", "numpy", "pandas", "skops", *loaded.model.extras):
        there |= installed(name)
    # Without the build behind the plus, as in torch's 2.13.0+cpu: the registry does not have it.
    pinned = [f"{name}=={version.partition('+')[0]}" for name, version in there.items()]
    return [f"cytobench=={__version__}", *pinned]


def _said_of_row(board: Board, row: Row, patients: int) -> dict[str, Any]:
    """What the registry says of a model and of this version, in Markdown and as tags."""
    metric, value = TITLES[board.headline], number(row.estimate(board.headline))
    tied = sum(other.tied_with_best is True for other in board.rows) - 1
    others = f"; {tied} other rows cannot be told apart from it" if tied > 0 else ""
    note = [
        # No markup in it: the table of versions shows its first words as they are.
        f"{row.label}, first of {title(board)}{others}.",
        f"Tuned and fitted on all {patients} patients with a known outcome. What to expect of it "
        f"is what other patients have shown in the outer folds: {metric} {value}. Nothing was "
        "measured on this fit.",
        "A benchmark of methods, no medical device.",
    ]
    return {
        "about": f"The first of {title(board)}, suite {board.entry.suite}: a version each time "
        f"that `cytobench track --champion` was asked for it; `@{ALIAS}` is the last.",
        "note": "\n\n".join(note),
        # MLflow's own spelling of the metric: a tag's name takes no bracket.
        "tags": {
            "model": row.label,
            NAMES[board.headline]: value,
            "fitted on": f"{patients} patients",
        },
    }
