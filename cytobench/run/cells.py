"""Cells: dataset x task x model x protocol x seed, and what their parts are loaded into."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import DataError, NotApplicable, PluginError
from cytobench.core.hashing import canonical_json, digest
from cytobench.core.kept import Kept
from cytobench.core.result import KEY_VERSION
from cytobench.core.seeds import derive_seed
from cytobench.data.arms import arms_of
from cytobench.data.cohort import Cohort
from cytobench.data.target import BENEFIT, Target, build_target, permuted, task_from_config
from cytobench.preprocess.pipeline import check_recipe
from cytobench.preprocess.recipe import recipe_from_config
from cytobench.registry.discover import find
from cytobench.registry.extras import absent, install_hint
from cytobench.registry.load import LoadedModel, call, import_plugin, load_model
from cytobench.run.lending import borrowed, offer
from cytobench.run.provenance import framework_revision, versions
from cytobench.splits.plan import SplitPlan
from cytobench.splits.protocols import make_plan
from cytobench.tuning import budget_from_config

DATA_ENVIRONMENT = "CYTOBENCH_DATA"


@dataclass(frozen=True)
class Cell:
    """A cell as asked for: plain data, so that a worker anywhere can load it.

    Attributes
    ----------
    suite, entry : str
        The leaderboard that asked for it; not part of its key.
    config : mapping
        The composed nodes ``dataset``, ``task``, ``model``, ``preprocess``, ``protocol``,
        ``tuning``, and ``seed``, ``device``, ``data``, ``permutation`` (0: labels as observed).
    """

    suite: str
    entry: str
    config: Mapping[str, Any]

    @property
    def model_name(self) -> str:
        """The model's name on the command line."""
        model = self.config["model"]
        return str(model.get("name") or model.get("_target_", "unnamed"))

    @property
    def dataset_name(self) -> str:
        """The dataset's name on the command line."""
        return str(self.config["dataset"].get("name"))

    @property
    def permutation(self) -> int:
        """Which permutation of the labels this cell is fitted to; 0 for none."""
        return int(self.config.get("permutation", 0))

    @property
    def slot(self) -> str:
        """Sha256 of the cell as asked for, whatever data and packages are behind it today."""
        asked = {name: node for name, node in self.config.items() if name != "audit"}
        return digest(asked)[:16]


InnerRows = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
KEPT = 16 * 1024**2
"""Bytes of inner splits that are kept."""


@dataclass(frozen=True)
class Bench:
    """What every model of a leaderboard entry shares."""

    cohort: Cohort
    target: Target
    plan: SplitPlan
    inner: Kept[InnerRows] = field(default_factory=lambda: Kept(KEPT, _bytes), compare=False)


@dataclass(frozen=True)
class LoadedCell:
    """A cell with everything loaded, ready to run any of its folds."""

    cell: Cell
    bench: Bench
    model: LoadedModel

    def build(self, params: Mapping[str, Any], random_state: int) -> Any:
        """The model with these parameters for this cohort and task, not fitted."""
        cohort, task = self.bench.cohort, self.bench.target.task
        return self.model.build(
            params,
            random_state=random_state,
            kind=task.outcome_kind,
            device=self.cell.config["device"],
            units={analyte.name: analyte.unit for analyte in cohort.panel},
            arm=cohort.arm,
            arms=arms_of(cohort, task.arms).names if task.kind == BENEFIT else (),
        )

    @property
    def batched(self) -> bool:
        """Whether a solver, not the estimator, gives the trials' inner predictions."""
        if self.bench.target.task.kind == BENEFIT or self.model.card.solver is None:
            return False
        return budget_from_config(self.cell.config["tuning"]).batched

    @cached_property
    def key(self) -> str:
        """Sha256 of everything that the predictions depend on."""
        config = self.cell.config
        parts = {
            "schema": KEY_VERSION,
            "framework": framework_revision(),
            "cohort": self.bench.cohort.fingerprint,
            "plan": self.bench.plan.hash,
            "plugin": self.model.source,
            "versions": versions(*self.model.extras),
            "permutation": self.cell.permutation,
            **{name: config[name] for name in ("task", "model", "preprocess", "seed", "device")},
            "tuning": asdict(budget_from_config(config["tuning"])),
        }
        if self.bench.target.task.kind == BENEFIT:
            parts["assignment"] = self.bench.cohort.card.assignment
        return digest(parts)


def _bytes(splits: InnerRows) -> int:
    return sum(train.nbytes + valid.nbytes for train, valid in splits)


def load_cell(cell: Cell) -> LoadedCell:
    """Load cohort, plan and model of a cell, and check that they fit together.

    Raises
    ------
    CytobenchError
        Whatever is wrong with one of them, :class:`NotApplicable` where they do not fit.
    """
    config = cell.config
    recipe = recipe_from_config(config["preprocess"])
    budget_from_config(config["tuning"])
    model = load_model(config["model"])
    task = task_from_config(config["task"])
    card = model.card
    if task.name not in card.tasks:
        raise NotApplicable(
            "E222", f"{card.name} does not do {task.name}; it does {', '.join(card.tasks)}"
        )
    for extra in model.extras:
        if absent(extra):
            raise NotApplicable(
                "E220", f"{card.name} needs the package {extra!r}: {install_hint(extra)}"
            )
    bench = load_bench(config)
    missing = [name for name in card.needs if name not in bench.cohort.analytes]
    if missing:
        raise NotApplicable("E222", f"{card.name} needs {missing[0]}, which was not measured")
    if not bench.cohort.baseline_columns(card.inputs):
        raise NotApplicable("E222", f"the cohort has nothing of what {card.name} looks at")
    if "analytes" in card.inputs and not card.raw:
        check_recipe(bench.cohort, recipe)
    loaded = LoadedCell(cell, bench, model)
    if task.kind == BENEFIT or model.looks_at_units:
        # Whether a rule knows these arms, or a cut-off these units, is asked before the run, not in
        # each of its folds.
        loaded.build({}, 0)
    return loaded


def load_bench(config: Mapping[str, Any]) -> Bench:
    """Cohort, target and split plan; loaded once in a process for each configuration."""
    shared = {name: config[name] for name in ("dataset", "task", "protocol", "seed", "data")}
    shared["permutation"] = config.get("permutation", 0)
    return _load_bench(
        canonical_json(shared), os.environ.get(DATA_ENVIRONMENT, ""), str(Path.cwd())
    )


@lru_cache(maxsize=8)
def _load_bench(shared: str, data_folder: str, working_directory: str) -> Bench:
    # The folders are part of the cache's key: relative files depend on them.
    import json

    config = json.loads(shared)
    cohort = _cohort_once(
        canonical_json([config["dataset"], config["data"]]), data_folder, working_directory
    )
    target = build_target(cohort, task_from_config(config["task"]))
    if config["permutation"]:
        target = permuted(cohort, target, derive_seed(config["seed"], config["permutation"]))
    return Bench(cohort, target, make_plan(cohort, target, config["protocol"], config["seed"]))


@lru_cache(maxsize=2)
def _cohort_once(shared: str, data_folder: str, working_directory: str) -> Cohort:
    import json

    asked = (shared, data_folder, working_directory)
    cohort = borrowed(*asked)
    if cohort is None:
        cohort = load_cohort(*json.loads(shared))
        offer(cohort, *asked)
    return cohort


def forget() -> None:
    """Load anew what is asked for next: the files behind it may have changed."""
    _load_bench.cache_clear()
    _cohort_once.cache_clear()


def load_cohort(config: Mapping[str, Any], data: str | None) -> Cohort:
    """A cohort from a table's YAML (it has a ``source``), a dataset plugin, or several studies."""
    if "studies" in config:
        from cytobench.data.harmonise import harmonise

        name, nodes = str(config["name"]), config["studies"]
        # Keys of a configuration come back sorted; its name has the studies in the order asked for.
        order = [study for study in name.split("+") if study in nodes]
        order += [study for study in nodes if study not in order]
        return harmonise([load_cohort(nodes[study], data) for study in order], name)
    if "source" in config:
        from cytobench.data.table import load_table

        return load_table(config, folders=data_folders(data))
    parameters = {str(key): value for key, value in config.items() if key != "name"}
    plugin = find("dataset", str(config["name"]))
    cohort = call(import_plugin(plugin), parameters, plugin.name)
    if not isinstance(cohort, Cohort):
        raise PluginError(
            "E207",
            f"returned {type(cohort).__name__}, expected a cytobench.Cohort",
            where=f"dataset {plugin.name!r} ({plugin.origin})",
        )
    if cohort.name != plugin.name:
        raise DataError(
            "E307",
            f"the cohort's card is named {cohort.name!r}, the plugin {plugin.name!r}",
            where=plugin.origin,
            hint=f"write DatasetCard({plugin.name!r}, ...): a cohort goes by one name",
        )
    return cohort


def data_folders(data: str | None) -> list[Path]:
    """Where a relative file name of a table is looked for, in this order."""
    named = [data, os.environ.get(DATA_ENVIRONMENT)]
    beside = Path.cwd().parent / "shared" / "data"
    return [*(Path(folder) for folder in named if folder), Path.cwd() / "data", beside]
