"""Make a bundle of a finished cell: what leaves the machine, and nothing else."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from cytobench import __version__
from cytobench.core.errors import UsageError, did_you_mean
from cytobench.core.result import KEY_VERSION
from cytobench.data.target import BENEFIT
from cytobench.run.provenance import framework_revision
from cytobench.run.store import RunStore, StoredCell
from cytobench.submission import bundle as member
from cytobench.submission import shape
from cytobench.submission.archive import pack
from cytobench.submission.exchange import (
    cell_key,
    exchanged,
    fold_bytes,
    scores_of,
    without_paths,
)
from cytobench.submission.licensed import plugin_of
from cytobench.submission.plain import fault_of

OF_CARD = ("name", "summary", "role", "version", "licence", "citation", "inputs")
OF_DATASET = (
    "name", "summary", "kind", "population", "outcome", "treatment", "assignment", "version",
    "licence", "citation", "caveat", "access", "fingerprint", "patients", "analytes", "notes",
)  # fmt: skip
OF_ABOUT = (
    "folds", "task", "n", "events", "outcome_mean", "protocol", "plan", "permutation", "shift",
    "test_labels", "beside", "notes", "audit", "config",
)  # fmt: skip


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
            run = f"suite={suite} model={model}" if suite else f"model={model}"
            raise UsageError(
                "E703",
                f"no cell of {model!r} is in this selection",
                where=str(store.root),
                hint=did_you_mean(model, sorted(seen)) if seen else f"cytobench run {run}",
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
    plugin, source = plugin_of(about, where)
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
    dataset = cell.about["dataset"]
    about["dataset"] = {name: dataset[name] for name in OF_DATASET}
    if dataset.get("cohort"):
        about["dataset"]["cohort"] = dataset["cohort"]
    document = {
        "key": cell.key,
        "suite": suite,
        "entry": entry,
        "framework": framework_revision(),
        "store_schema": KEY_VERSION,
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
