"""From verified bundles to rows: the cells that a leaderboard takes in beside those run here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError, UsageError
from cytobench.core.files import write_whole
from cytobench.core.result import FoldResult
from cytobench.run.store import RunStore, StoredCell
from cytobench.run.versioned import stamped, version_of
from cytobench.submission.bundle import Bundle, read_file
from cytobench.submission.names import places
from cytobench.submission.plain import neutral
from cytobench.submission.verify import Against, Verdict, verify

SUBMISSIONS = "submissions"
"""Folder of a suite's bundles, beside its boards."""
REVIEWED = "reviewed.json"
"""In a folder of bundles: sha256 -> code -> why a person accepts what was flagged."""
OF_COHORT = ("dataset", "notes", "audit", "shift", "test_labels")
"""What the data say, not the model: taken from a cell that was run here, where there is one."""


@dataclass(frozen=True)
class Accepted:
    """Bundles that become rows, and what is to be said of the others.

    Attributes
    ----------
    cells : mapping
        (suite, entry) -> cells.
    verdicts : sequence of Verdict
        One for each file.
    """

    cells: Mapping[tuple[str, str], Sequence[StoredCell]]
    verdicts: Sequence[Verdict]


def bundle_files(folder: Path) -> list[Path]:
    """The bundles of a folder, by name.

    Raises
    ------
    UsageError
        ``E709`` where there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError("E709", "is no folder of bundles", where=str(folder))
    return sorted(folder.glob("*.zip"))


def beside_boards(root: Path, suite: str | None) -> list[Path]:
    """The folders ``<root>/<suite>/submissions`` that there are."""
    folders = sorted(root.glob(f"*/{SUBMISSIONS}"))
    return [folder for folder in folders if suite in (None, folder.parent.name)]


def accept(
    store: RunStore,
    folders: Sequence[Path],
    *,
    refits: int = 0,
    fold_seconds: float | None = None,
) -> Accepted:
    """Verify every bundle of some folders, and turn those that pass into cells.

    A bundle is held against this store, the data where they are at hand, and the bundles before
    it. Refitted folds are remembered in the store: a bundle that was once reproduced here is
    *verified* without being fitted again.
    """
    cells: dict[tuple[str, str], list[StoredCell]] = {}
    verdicts: list[Verdict] = []
    before: list[Path] = []
    for folder in folders:
        reviewed = _reviewed(folder)
        for path in bundle_files(folder):
            against = Against(store, bundles=before, refits=refits, fold_seconds=fold_seconds)
            verdict = verify(read_file(path), path.name, against)
            verdicts.append(verdict)
            bundle = verdict.bundle
            if bundle is None or verdict.state == "refused":
                continue
            answers = reviewed.get(bundle.sha256, {})
            if any(item.code not in answers for item in verdict.findings):
                continue
            before.append(path)
            remember(store, verdict)
            cell = _cell(store, verdict, answers)
            board = (bundle.cell["suite"], bundle.cell["entry"])
            mine = cells.setdefault(board, [])
            known = {other.key for other in mine} | _run_here(store, *board)
            mine += [cell] if cell.key not in known else []
    return Accepted(cells, verdicts)


def _run_here(store: RunStore, suite: str, entry: str) -> set[str]:
    """Keys of the board's cells that are complete in the store."""
    return {
        key
        for key in store.entries().get(suite, {}).get(entry, [])
        if len(store.finished(key)) == int(store.about(key)["folds"])
    }


def _reviewed(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / REVIEWED
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(sha256): {str(code): str(why) for code, why in answers.items() if str(why).strip()}
            for sha256, answers in found.items()
        }
    except (ValueError, AttributeError) as error:
        raise StoreError(
            "E709",
            f"cannot be read: {error}",
            where=str(path),
            hint='write {"<sha256 of the bundle>": {"E771": "why it is accepted"}}',
        ) from error


def remember(store: RunStore, verdict: Verdict) -> None:
    """Keep in the store that a bundle's fold was reproduced here."""
    if verdict.bundle is None or verdict.state != "verified":
        return
    record = {
        "folds": [one.fold for one in verdict.refits],
        "largest": max(one.largest for one in verdict.refits),
    }
    path = _memory(store, verdict.bundle.sha256)
    try:
        write_whole(path, json.dumps(stamped(record)).encode())
    except OSError as error:
        raise StoreError(
            "E512", f"cannot be written: {error.strerror or error}", where=str(path)
        ) from error


def remembered(store: RunStore, sha256: str) -> dict[str, Any] | None:
    """What was kept of a bundle; None where no fold of it was reproduced here."""
    path = _memory(store, sha256)
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version_of(found, str(path))
        return {"folds": [int(fold) for fold in found["folds"]], "largest": found["largest"]}
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "E510", f"cannot be read: {error}", where=str(path), hint="delete the file"
        ) from error


def _memory(store: RunStore, sha256: str) -> Path:
    return store.root / "reproduced" / f"{sha256}.json"


def _cell(store: RunStore, verdict: Verdict, answers: Mapping[str, str]) -> StoredCell:
    """A bundle as a cell of this store, if it has one of the same cohort and splits."""
    bundle = verdict.bundle
    assert bundle is not None
    kept = remembered(store, bundle.sha256)
    submission = {
        "state": "verified" if kept else "recomputed",
        "sha256": bundle.sha256,
        "folds": kept["folds"] if kept else [],
        "reviewed": {code: neutral(why) for code, why in sorted(answers.items())},
    }
    about = neutral(dict(bundle.about))
    beside = {int(fold) for fold in about["beside"]}
    folds = list(bundle.folds)
    twin = next(_twins(store, bundle), None)
    if twin is not None:
        about |= {name: twin.about[name] for name in OF_COHORT if name in twin.about}
        folds = _as_here(folds, [*twin.folds, *twin.beside])
    return StoredCell(
        bundle.key,
        about,
        [fold for fold in folds if fold.fold not in beside],
        [fold for fold in folds if fold.fold in beside],
        submission=submission,
    )


def _twins(store: RunStore, bundle: Bundle) -> Iterator[StoredCell]:
    """Complete cells of the same cohort and splits that were run here."""
    wanted = (bundle.about["dataset"]["fingerprint"], bundle.about["plan"])
    for entries in store.entries().values():
        for keys in entries.values():
            for key in keys:
                about = store.about(key)
                if (about["dataset"]["fingerprint"], about["plan"]) == wanted:
                    cell = store.read_cell(key)
                    if cell.complete and cell.about["task"]["name"] == bundle.about["task"]["name"]:
                        yield cell


def _as_here(folds: Sequence[FoldResult], twins: Sequence[FoldResult]) -> list[FoldResult]:
    """The bundle's folds with this store's pseudonyms, arms, sites and subgroups.

    The verifier has compared outcomes patient by patient before; places are those of the plan.
    """
    here = list(places(twins))
    there = places(folds)
    by_number = {fold.fold: fold for fold in twins}
    found = []
    for fold in folds:
        twin = by_number[fold.fold].predictions
        renamed = [here[there[patient]] for patient in fold.predictions.patient]
        assert renamed == list(twin.patient)
        predictions = replace(
            fold.predictions, patient=renamed, arm=twin.arm, site=twin.site, groups=twin.groups
        )
        found.append(replace(fold, predictions=predictions))
    return found
