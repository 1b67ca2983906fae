"""A bundle, read: every member checked for what it is before anything is believed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytobench.core.errors import UsageError
from cytobench.core.result import FoldResult
from cytobench.submission import shape
from cytobench.submission.archive import LARGEST, unpack
from cytobench.submission.codes import refusal
from cytobench.submission.plain import fault_of, read_json
from cytobench.submission.table import fold_result, read_table

MANIFEST, CELL, CARD = "manifest.json", "cell.json", "card.json"
ENVIRONMENT, SCORES, PLUGIN = "environment.json", "scores.json", "plugin.json"
SOURCE = "plugin.py"
DOCUMENTS = {
    CELL: shape.CELL,
    CARD: shape.CARD,
    ENVIRONMENT: shape.ENVIRONMENT,
    SCORES: shape.SCORES,
    PLUGIN: shape.PLUGIN,
}
FOLD = re.compile(r"folds/(\d{4})\.parquet\Z")


@dataclass(frozen=True)
class Bundle:
    """A bundle whose members are what they should be; whether they fit together is asked later.

    Attributes
    ----------
    where : str
        The file's name, for errors.
    sha256 : str
        Of the whole file.
    about : mapping
        What ``cell.json`` of a run store says, as far as it may leave the machine.
    cell, card, plugin, environment, scores : mapping
        The JSON members.
    source : bytes or None
        The plugin's file; to be read by people, never run.
    folds : sequence of FoldResult
        In order; patients under the names of :mod:`cytobench.submission.names`.
    """

    where: str
    sha256: str
    about: Mapping[str, Any]
    cell: Mapping[str, Any]
    card: Mapping[str, Any]
    plugin: Mapping[str, Any]
    environment: Mapping[str, Any]
    scores: Mapping[str, Any]
    source: bytes | None
    folds: Sequence[FoldResult]

    @property
    def key(self) -> str:
        """The key of its cell in a run store."""
        return str(self.cell["key"])

    @property
    def model(self) -> str:
        """The name of its model."""
        return str(self.card["name"])

    @property
    def claimed(self) -> Sequence[FoldResult]:
        """The folds that the protocol's claim rests on."""
        beside = {int(fold) for fold in self.about["beside"]}
        return [fold for fold in self.folds if fold.fold not in beside]

    def at(self, member: str) -> str:
        """A place for an error."""
        return f"{self.where}, {member}"


def fold_member(fold: int) -> str:
    """The name of a fold's member."""
    return f"folds/{fold:04d}.parquet"


def read_file(path: Path) -> bytes:
    """A file's bytes; of one that is too large only so many that this is seen.

    Raises
    ------
    UsageError
        ``E709`` where it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(
            "E709", f"cannot be read: {error.strerror or error}", where=str(path)
        ) from error


def read_bundle(content: bytes, where: str) -> Bundle:
    """Read a bundle's bytes.

    Raises
    ------
    BundleError
        ``E710`` to ``E734``.
    """
    members = unpack(content, where)
    documents = _documents(members, where)
    cell, card = documents[CELL], documents[CARD]
    _check_texts(card, f"{where}, {CARD}")
    about = dict(cell["about"])
    about["model"] = {
        **{name: value for name, value in card.items() if name != "transductive"},
        "source": documents[PLUGIN]["source"],
    }
    about["versions"] = documents[ENVIRONMENT]["versions"]
    folds = _folds(members, cell, about, where)
    return Bundle(
        where=where,
        sha256=hashlib.sha256(content).hexdigest(),
        about=about,
        cell=cell,
        card=card,
        plugin=documents[PLUGIN],
        environment=documents[ENVIRONMENT],
        scores=documents[SCORES],
        source=members.get(SOURCE),
        folds=folds,
    )


def _documents(members: Mapping[str, bytes], where: str) -> dict[str, Any]:
    """The JSON members, after the manifest has vouched for all of them."""
    if MANIFEST not in members:
        raise refusal("E716", f"has no {MANIFEST}", where)
    manifest = read_json(members[MANIFEST], f"{where}, {MANIFEST}")
    version = manifest.get("schema") if isinstance(manifest, dict) else None
    if isinstance(version, int) and version != shape.VERSION:
        raise refusal("E718", f"has schema version {version}, known here is {shape.VERSION}", where)
    shape.MANIFEST(manifest, f"{where}, {MANIFEST}")
    listed = manifest["members"]
    for name in [*DOCUMENTS, *listed]:
        if name not in members or name not in listed:
            raise refusal("E716", f"has no {name}, or its manifest does not list it", where)
    for name, content in members.items():
        at = f"{where}, {name}"
        if name == MANIFEST:
            continue
        if name not in listed or not (name in DOCUMENTS or name == SOURCE or FOLD.match(name)):
            raise refusal("E715", "is no member of a bundle, or not in its manifest", at)
        said = listed[name]
        found = hashlib.sha256(content).hexdigest()
        if found != said["sha256"] or len(content) != said["bytes"]:
            raise refusal(
                "E717", f"has sha256 {found[:12]}, its manifest says {said['sha256'][:12]}", at
            )
    documents = {name: read_json(members[name], f"{where}, {name}") for name in DOCUMENTS}
    for name, rule in DOCUMENTS.items():
        rule(documents[name], f"{where}, {name}")
    return documents


def _check_texts(card: Mapping[str, Any], at: str) -> None:
    """Texts of a contributor's own: refused, not repaired, where they could become markup."""
    for name, value in card.items():
        fault = fault_of(value) if isinstance(value, str) else ""
        if fault:
            raise refusal("E726", f"holds {fault}", f"{at}, {name}")


def _folds(
    members: Mapping[str, bytes], cell: Mapping[str, Any], about: Mapping[str, Any], where: str
) -> list[FoldResult]:
    """The folds of the plan, each once, all of one cell."""
    found: dict[int, FoldResult] = {}
    for name in sorted(members):
        match = FOLD.match(name)
        if match is None:
            continue
        at = f"{where}, {name}"
        record, columns = read_table(members[name], about["task"]["kind"], at)
        _check_belonging(record, cell, about, at)
        if record["fold"] != int(match[1]) or record["fold"] in found:
            raise refusal("E731", f"holds fold {record['fold']}, its name says {int(match[1])}", at)
        patients = columns["patient"]
        if len(set(patients)) < len(patients):
            twice = next(p for k, p in enumerate(patients) if p in patients[:k])
            raise refusal("E735", f"tests patient {twice} twice", at)
        found[record["fold"]] = fold_result(record, columns, about["versions"])
    missing = sorted(set(range(about["folds"])) - set(found))
    if missing:
        raise refusal("E730", f"has no fold {missing[0]} of {about['folds']}", where)
    extra = sorted(set(found) - set(range(about["folds"])))
    if extra:
        raise refusal(
            "E731", f"has a fold {extra[0]}; its plan has {about['folds']}, from 0", where
        )
    return [found[fold] for fold in sorted(found)]


def _check_belonging(
    record: Mapping[str, Any], cell: Mapping[str, Any], about: Mapping[str, Any], at: str
) -> None:
    for code, name, mine in (
        ("E733", "fingerprint", about["dataset"]["fingerprint"]),
        ("E734", "plan", about["plan"]),
        ("E732", "cell", cell["key"]),
    ):
        if record[name] != mine:
            raise refusal(code, f"says {name} {record[name][:12]}, the bundle {str(mine)[:12]}", at)
