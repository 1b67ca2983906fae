"""From overrides to cells: suites, sweeps, and the settings of the whole run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.config import compose_jobs, composing, keys_of, load_suite
from cytobench.core.errors import UsageError
from cytobench.core.hashing import digest
from cytobench.core.settings import whole
from cytobench.data.target import BENEFIT
from cytobench.run.cells import Cell

AD_HOC = "adhoc"
"""The suite of cells that no suite asked for."""

CELL_NODES = (
    "dataset",
    "task",
    "model",
    "preprocess",
    "protocol",
    "tuning",
    "seed",
    "device",
    "data",
    "audit",
)
OF_THE_RUN = ("engine", "tracking", "store", "leaderboards", "permutations", "explain")
NAME = re.compile(r"\w[\w+. -]{0,119}\Z")
MOST_PERMUTATIONS = 100_000
FIXED_BY_SUITE = ("dataset", "task", "preprocess", "protocol", "tuning", "seed")


@dataclass(frozen=True)
class Jobs:
    """What a command line asks for.

    Attributes
    ----------
    cells : sequence of Cell
    settings : mapping
        The nodes of `OF_THE_RUN`; one for the whole run.
    notes : sequence of str
        What a person should be told before the run.

    Floors always run beside the models: a score says little without them. Cells with permuted
    labels come last, permutation by permutation, so that a run that is cut short has tested every
    model equally.
    """

    cells: Sequence[Cell]
    settings: Mapping[str, Any]
    notes: Sequence[str] = ()


def plan_jobs(overrides: Sequence[str]) -> Jobs:
    """Resolve a command line.

    ``suite=NAME`` runs a suite; so does a command line that names no dataset (the quickstart).
    Overrides that change what a suite fixes turn its cells into ad-hoc ones: a suite's leaderboard
    never mixes protocols.

    Raises
    ------
    UsageError
        For an override that is malformed or names nothing.
    """
    suites = [text for text in overrides if text.startswith("suite=")]
    rest = [text for text in overrides if not text.startswith("suite=")]
    with composing():  # floors, models and entries of a suite have most of it in common
        keys = keys_of(rest)
        if len(suites) > 1:
            raise UsageError("E103", "one suite at a time", where=" ".join(suites))
        if suites or "dataset" not in keys:
            name = suites[0].partition("=")[2] if suites else "quickstart"
            return _suite_jobs(name, rest, keys)
        configs = _with_floors(rest)
        return Jobs(_cells(configs, AD_HOC), _settings(configs))


def _check_benefit(config: Mapping[str, Any]) -> None:
    """What speaks of a predicted outcome has no meaning for the choice of a treatment.

    Raises
    ------
    UsageError
        ``E105``.
    """
    for name, hint in (
        ("permutations", "the gain over one treatment for all is tested without them"),
        ("explain", "ask for its outcome: task=response explain=true"),
    ):
        if config["task"]["kind"] == BENEFIT and config[name]:
            raise UsageError("E105", "is for tasks that predict an outcome", where=name, hint=hint)


def _suite_jobs(name: str, overrides: Sequence[str], keys: Sequence[str]) -> Jobs:
    suite = load_suite(name)
    _check_suite(name, suite)
    changed = [key for key in keys if key.partition(".")[0] in FIXED_BY_SUITE]
    changed += [key for key in keys if key.startswith("model.")]
    notes: list[str] = []
    if changed:
        notes.append(
            f"{changed[0]} changes what the suite {name!r} fixes: "
            f"the results go to {AD_HOC!r}, not to its leaderboard"
        )
    configs: list[dict[str, Any]] = []
    for entry in suite["entries"]:
        chosen = [f"dataset={entry['dataset']}", f"task={entry['task']}"]
        if "model" not in keys:
            chosen.append("model=" + ",".join(suite["models"]))
        # Another protocol brings its own options: the suite's would name what it does not have.
        fixed = [
            text
            for text in [*suite.get("overrides", []), *entry.get("overrides", [])]
            if text.partition("=")[0].partition(".")[0] not in keys
        ]
        configs += _with_floors([*fixed, *chosen, *overrides])
    return Jobs(_cells(configs, AD_HOC if changed else name), _settings(configs), notes)


def _check_suite(name: str, suite: Mapping[str, Any]) -> None:
    """Refuse a suite that does not say what runs on what.

    Raises
    ------
    UsageError
        ``E119``.
    """
    entries = suite.get("entries")
    if not isinstance(entries, list) or not entries:
        raise _no_suite(name, "entries", "expected a list of {dataset: NAME, task: NAME}")
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise _no_suite(
                name, "entries", f"expected {{dataset: NAME, task: NAME}}, not {entry!r}"
            )
        for key in ("dataset", "task"):
            if not isinstance(entry.get(key), str):
                raise _no_suite(name, f"entries.{key}", f"expected a name, not {entry.get(key)!r}")
    if not suite.get("models"):
        raise _no_suite(name, "models", "expected a list of names")
    for key, node in [("models", suite), *(("overrides", part) for part in (suite, *entries))]:
        words = node.get(key) or []
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise _no_suite(name, key, f"expected a list of texts, not {words!r}")


def _no_suite(name: str, key: str, message: str) -> UsageError:
    return UsageError("E119", message, where=f"suite={name}, {key}")


def _with_floors(overrides: Sequence[str]) -> list[dict[str, Any]]:
    """The floors, then what the overrides ask for under the same conditions."""
    configs = compose_jobs(overrides)
    for config in configs:
        _check(config)
    floors = configs[0]["floors"]
    if not floors:
        return configs
    if not isinstance(floors, list) or not all(isinstance(name, str) for name in floors):
        raise UsageError("E118", f"expected names of models, not {floors!r}", where="floors")
    others = [
        text
        for text, key in zip(overrides, keys_of(overrides), strict=True)
        if key.partition(".")[0] != "model"
    ]
    # First: they are cheap, and what a model adds can be said as soon as it is done.
    return compose_jobs([*others, "model=" + ",".join(floors)]) + configs


def _check(config: Mapping[str, Any]) -> None:
    """Refuse what becomes a number or a folder's name here and can be neither.

    Raises
    ------
    UsageError
        ``E118``.
    """
    whole(config["seed"], "E118", "seed", -(2**63), 2**63)
    whole(config["permutations"], "E118", "permutations", 0, MOST_PERMUTATIONS)
    for name in ("dataset", "task", "model", "preprocess", "protocol", "tuning", "engine"):
        if not isinstance(config[name], Mapping):
            raise UsageError("E118", f"is no {name}: {config[name]!r}", where=name)
    for name in ("dataset", "task", "model"):
        given = config[name].get("name", name)
        if not isinstance(given, str) or not NAME.match(given):
            raise UsageError(
                "E118",
                f"{given!r} is no name: a folder or a file is called by it",
                where=f"{name}.name",
                hint="use letters, digits and _ - + ., a letter or digit first",
            )


def _cells(configs: Sequence[Mapping[str, Any]], suite: str) -> list[Cell]:
    once: dict[str, Cell] = {}
    most = max((config["permutations"] for config in configs), default=0)
    for permutation in range(most + 1):
        for config in configs:
            if permutation <= config["permutations"]:
                parts = {name: config[name] for name in CELL_NODES}
                cell = Cell(suite, entry_name(config, suite), {**parts, "permutation": permutation})
                once.setdefault(cell.entry + cell.slot, cell)
    return list(once.values())


def entry_name(config: Mapping[str, Any], suite: str) -> str:
    """``<dataset>-<task>``; ad-hoc entries end in a hash of their settings, one table for each."""
    name = f"{config['dataset']['name']}-{config['task']['name']}"
    if suite != AD_HOC:
        return name
    settings = {key: config[key] for key in (*FIXED_BY_SUITE, "data")}
    return f"{name}-{digest(settings)[:6]}"


def _settings(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings of the run; a sweep over them makes no sense.

    Raises
    ------
    UsageError
        ``E104`` where two jobs disagree.
    """
    settings = {name: configs[0][name] for name in OF_THE_RUN}
    for config in configs:
        _check_benefit(config)
        for name, value in settings.items():
            if config[name] != value:
                raise UsageError("E104", "is one for the whole run and cannot be swept", where=name)
    return settings
