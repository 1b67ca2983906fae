"""Make a bundle of a finished cell: what leaves the machine, and nothing else."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cytobench import __version__
from cytobench import plugins as plugin_root
from cytobench.core.errors import UsageError, did_you_mean
from cytobench.core.hashing import canonical_json, digest
from cytobench.core.result import SCHEMA_VERSION, FoldResult
from cytobench.data.target import BENEFIT
from cytobench.evaluate.assessment import assess
from cytobench.registry.discover import Plugin, find
from cytobench.registry.load import load_model, source_of
from cytobench.run.provenance import framework_revision
from cytobench.run.store import GROUP, RunStore, StoredCell
from cytobench.submission import bundle as member
from cytobench.submission import shape
from cytobench.submission.archive import pack
from cytobench.submission.names import exchange_name, places, shareable_groups
from cytobench.submission.plain import fault_of
from cytobench.submission.table import write_table
from cytobench.tuning import budget_from_config

OPEN = (
    "0BSD", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSL-1.0", "CC0-1.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later",
    "ISC", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "Unlicense", "Zlib",
)  # fmt: skip
"""SPDX identifiers of licences under which a source may be passed on."""
OF_CARD = ("name", "summary", "role", "version", "licence", "citation", "inputs")
OF_DATASET = (
    "name", "summary", "kind", "population", "outcome", "treatment", "assignment", "version",
    "licence", "citation", "caveat", "access", "fingerprint", "patients", "analytes", "notes",
)  # fmt: skip
OF_ABOUT = (
    "folds", "task", "n", "events", "outcome_mean", "protocol", "plan", "permutation", "shift",
    "test_labels", "beside", "notes", "audit", "config",
)  # fmt: skip
PATH = re.compile(r"(?:[A-Za-z]:)?[/\\](?:.*[/\\])?([^/\\]*)\Z")


def chosen(
    store: RunStore, models: Sequence[str], suite: str | None, entry: str | None
) -> list[tuple[str, str, StoredCell]]:
    """Suite, entry and cell of the models that were named.

    Raises
    ------
    UsageError
        ``E703`` where there is none, ``E705`` where one is not complete.
    """
    found: list[tuple[str, str, StoredCell]] = []
    seen: set[str] = set()
    for suite_name, entries in store.entries().items():
        for entry_name, keys in entries.items():
            wanted = suite in (None, suite_name) and entry in (None, entry_name)
            for key in keys if wanted else []:
                about = store.about(key)
                seen.add(about["model"]["name"])
                if about["model"]["name"] in models:
                    found.append((suite_name, entry_name, store.read_cell(key)))
    there = {cell.about["model"]["name"] for _, _, cell in found}
    for model in models:
        if model not in there:
            raise UsageError(
                "E703",
                f"no cell of {model!r} is in this selection",
                where=str(store.root),
                hint=did_you_mean(model, sorted(seen)),
            )
    for suite_name, entry_name, cell in found:
        if not cell.complete:
            raise UsageError(
                "E705",
                f"{cell.done} of {cell.about['folds']} folds are done",
                where=f"{cell.about['model']['name']} in {suite_name}/{entry_name}",
                hint=f"finish it: {cell.about['command']}",
            )
    return found


def make_bundle(suite: str, entry: str, cell: StoredCell, *, permitted: str = "") -> bytes:
    """The bytes of a cell's bundle; the same cell gives the same bytes.

    Parameters
    ----------
    permitted : str
        Who allowed outcomes of a study to be shared that nobody may publish.

    Raises
    ------
    UsageError
        ``E706`` for a cell of another revision of cytobench or of the plugin, ``E707`` for a
        restricted study, ``E708`` for what is no row.
    """
    about = cell.about
    where = f"{about['model']['name']} in {suite}/{entry}"
    _check_may_leave(about, where, permitted)
    plugin, source = _plugin(about, where)
    card = {**{name: about["model"][name] for name in OF_CARD}, "transductive": False}
    for name, value in card.items():
        fault = fault_of(value) if isinstance(value, str) else ""
        if fault:
            raise UsageError(
                "E708", f"holds {fault}: boards show plain words", where=f"{where}, {name}"
            )
    folds = exchanged([*cell.folds, *cell.beside], about["dataset"]["fingerprint"])
    beside = {int(fold) for fold in about["beside"]}
    documents: dict[str, Any] = {
        member.CELL: _cell(suite, entry, cell, where, permitted),
        member.CARD: card,
        member.PLUGIN: plugin,
        member.ENVIRONMENT: {
            "versions": about["versions"],
            "platform": f"{platform.python_implementation()}, {platform.system()} "
            f"{platform.machine()}",
        },
        member.SCORES: scores_of(about, [fold for fold in folds if fold.fold not in beside]),
    }
    members = {name: written(document) for name, document in documents.items()}
    if source is not None:
        members[member.SOURCE] = source
    for fold in folds:
        members[member.fold_member(fold.fold)] = fold_bytes(cell.key, about, fold)
    return seal(members)


def seal(members: Mapping[str, bytes]) -> bytes:
    """The archive of these members with a manifest that lists them."""
    manifest = {
        "format": shape.FORMAT,
        "schema": shape.VERSION,
        "created_by": {"cytobench": __version__, "python": platform.python_version()},
        "members": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(members.items())
        },
    }
    return pack({**members, member.MANIFEST: written(manifest)})


def written(document: Any) -> bytes:
    """A JSON member's bytes."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def scores_of(about: Mapping[str, Any], folds: Sequence[FoldResult]) -> dict[str, Any]:
    """Every number of a cell with its interval; null where it is undefined."""
    task = about["task"]
    estimates = assess(task["kind"], about["protocol"]["name"], folds, task).estimates
    return {
        name: {
            "value": _or_none(estimate.value),
            "low": _or_none(estimate.low),
            "high": _or_none(estimate.high),
        }
        for name, estimate in sorted(estimates.items())
    }


def _or_none(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)


def cell_key(cell: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The key that a cell has in a run store, from what is said of it.

    The parts are those of :attr:`cytobench.run.cells.LoadedCell.key`.
    """
    config = about["config"]
    return digest(
        {
            "schema": cell["store_schema"],
            "framework": cell["framework"],
            "cohort": about["dataset"]["fingerprint"],
            "plan": about["plan"],
            "plugin": about["model"]["source"],
            "versions": about["versions"],
            "permutation": about["permutation"],
            "task": {name: value for name, value in about["task"].items() if name != "meaning"},
            **{name: config[name] for name in ("model", "preprocess", "seed", "device")},
            "tuning": asdict(budget_from_config(config["tuning"])),
        }
    )


def exchanged(folds: Sequence[FoldResult], fingerprint: str) -> list[FoldResult]:
    """The folds in order, with a bundle's names and the subgroups that may leave the machine."""
    folds = sorted(folds, key=lambda fold: fold.fold)
    place = places(folds)
    groups = shareable_groups(folds)
    found = []
    for fold in folds:
        parts, n = fold.predictions, len(fold.predictions.y)
        shared = replace(
            parts,
            patient=[exchange_name(fingerprint, place[patient]) for patient in parts.patient],
            arm=[""] * n,
            site=[""] * n,
            groups={name: parts.groups[name] for name in groups if name in parts.groups},
        )
        found.append(replace(fold, predictions=shared))
    return found


def fold_bytes(key: str, about: Mapping[str, Any], fold: FoldResult) -> bytes:
    """The member of a fold. Errors, warnings and learning curves stay: they can hold anything."""
    parts = fold.predictions
    record = {
        "cell": key,
        "fingerprint": about["dataset"]["fingerprint"],
        "plan": about["plan"],
        "fold": fold.fold,
        "repeat": fold.repeat,
        "n_train": fold.n_train,
        "params": without_paths(fold.params),
        "trials": [
            {
                **asdict(trial),
                "params": without_paths(trial.params),
                "error": "failed" if trial.error else "",
            }
            for trial in fold.trials
        ],
        "threshold": fold.threshold,
        "train_mean": fold.train_mean,
        "timings": dict(fold.timings),
        "features": list(fold.features),
        "parameters": fold.parameters,
        "left_out": dict(fold.left_out),
    }
    columns = {
        "patient": parts.patient,
        "y": parts.y,
        "prediction": parts.prediction,
        "truth": parts.truth,
        **{GROUP + name: levels for name, levels in parts.groups.items()},
    }
    return write_table(json.loads(canonical_json(record)), columns)


def without_paths(value: Any) -> Any:
    """Plain data in which an absolute path is its last part: folders are the machine's own."""
    if isinstance(value, str):
        match = PATH.match(value)
        return match[1] if match else value
    if isinstance(value, Mapping):
        return {str(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(item) for item in value]
    return value


def _check_may_leave(about: Mapping[str, Any], where: str, permitted: str) -> None:
    if about["task"]["kind"] == BENEFIT:
        raise UsageError("E708", "treatment rules cannot be submitted yet", where=where)
    if about["permutation"]:
        raise UsageError("E708", "was made on permuted labels", where=where)
    restricted = about["dataset"]["access"] and about["dataset"]["kind"] == "real"
    if restricted and not permitted.strip():
        raise UsageError(
            "E707",
            f"{about['dataset']['name']} is shared under terms; a bundle holds the outcome of "
            "every patient",
            where=where,
            hint='where the terms allow it: --permitted "by whom, under which agreement"',
        )


def _cell(suite: str, entry: str, cell: StoredCell, where: str, permitted: str) -> dict[str, Any]:
    about = {name: cell.about[name] for name in OF_ABOUT}
    about["dataset"] = {name: cell.about["dataset"][name] for name in OF_DATASET}
    document = {
        "key": cell.key,
        "suite": suite,
        "entry": entry,
        "framework": framework_revision(),
        "store_schema": SCHEMA_VERSION,
        "permitted": permitted,
        "about": about,
    }
    if cell_key(document, cell.about) != cell.key:
        raise UsageError(
            "E706",
            "was made by another revision of cytobench",
            where=where,
            hint=f"run it again: {cell.about['command']}",
        )
    if without_paths(about["config"]) != about["config"]:
        raise UsageError(
            "E708",
            "a parameter of the model is a path of this machine",
            where=where,
            hint="give it a path relative to the working directory, run it again, then submit",
        )
    return document


def _plugin(about: Mapping[str, Any], where: str) -> tuple[dict[str, Any], bytes | None]:
    """Hashes of the plugin and its parts; its source where the licence lets it travel."""
    config = about["config"]["model"]
    loaded = load_model(config)
    if loaded.source != about["model"]["source"]:
        raise UsageError(
            "E706",
            "the plugin's file has changed since the cell was run",
            where=where,
            hint=f"run it again: {about['command']}",
        )
    if "_target_" in config:
        why = "is no plugin, but a configuration of what is importable"
        return {"source": loaded.source, "file": loaded.source, "parts": [], "why": why}, None
    plugin = find("model", str(config["name"]))
    file = source_of(plugin)
    parts: list[str] = []
    if loaded.card.composed is not None:
        names = loaded.parameters.get(
            loaded.card.composed, loaded.card.parameters[loaded.card.composed]
        )
        names = [names] if isinstance(names, str) else names
        parts = [load_model({"name": name}).source for name in names]
    path = _file_of(plugin)
    licence = about["model"]["licence"]
    if not path.is_file():
        why = "is part of an installed package"
    elif comes_with_cytobench(plugin):
        why = "comes with cytobench"
    elif licence not in OPEN:
        why = f"its card names no open licence (SPDX): {licence or 'none at all'}"
    else:
        why = ""
    said = {"source": loaded.source, "file": file, "parts": parts, "why": why}
    return said, None if why else path.read_bytes()


def comes_with_cytobench(plugin: Plugin) -> bool:
    """Whether a plugin is one of the bundled ones."""
    return _file_of(plugin).is_relative_to(plugin_root.bundled("plugins").resolve())


def _file_of(plugin: Plugin) -> Path:
    return Path(plugin.origin.rpartition(":")[0])
