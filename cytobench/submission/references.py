"""What a bundle is compared with: the data themselves, a run store, other bundles of its entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.core.result import FoldResult
from cytobench.run.cells import Bench, load_bench
from cytobench.run.jobs import AD_HOC, CELL_NODES
from cytobench.run.store import RunStore
from cytobench.submission.bundle import Bundle, fold_member, read_bundle, read_file
from cytobench.submission.claims import alike, suite_configs
from cytobench.submission.codes import BundleError, refusal
from cytobench.submission.exchange import exchanged
from cytobench.submission.names import exchange_name

CLOSE = 1e-9


@dataclass(frozen=True)
class Reference:
    """Outcomes and test parts of a cohort and a split plan, under a bundle's names.

    Attributes
    ----------
    where : str
        Where they come from.
    tested : sequence of sequence of str
        Patients of each fold.
    y, truth : mapping
        Patient -> outcome, and Bayes-optimal prediction.
    trained : sequence of (int, float)
        Number and mean outcome of each training part; empty where they are not known.
    rows : mapping
        Name of a model on the same board -> sha256 of its source.
    """

    where: str
    tested: Sequence[Sequence[str]]
    y: Mapping[str, float]
    truth: Mapping[str, float]
    trained: Sequence[tuple[int, float]] = ()
    rows: Mapping[str, str] = field(default_factory=dict)


def differences(bundle: Bundle, reference: Reference) -> Iterator[BundleError]:
    """Where a bundle says something else than the reference."""
    mine = [list(fold.predictions.patient) for fold in bundle.folds]
    other = [list(fold) for fold in reference.tested]
    for fold, (here, there) in enumerate(zip(mine, other, strict=False)):
        if here != there:
            yield refusal(
                "E751",
                f"tests other patients than {reference.where}",
                bundle.at(fold_member(fold)),
            )
            return
    if len(mine) != len(other):
        yield refusal("E751", f"has other folds than {reference.where}", bundle.where)
        return
    for code, what in (("E750", "y"), ("E752", "truth")):
        known: Mapping[str, float] = getattr(reference, what)
        said = f"{what} of {{}} patients is not that of {reference.where}"
        wrong = {
            patient
            for fold in bundle.folds
            for patient, value in zip(
                fold.predictions.patient, getattr(fold.predictions, what), strict=True
            )
            if not _equal(value, known[patient])
        }
        if wrong:
            yield refusal(code, said.format(len(wrong)), bundle.where)
            return
    for fold_result, (n, mean) in zip(bundle.folds, reference.trained, strict=False):
        if fold_result.n_train != n or not _equal(fold_result.train_mean, mean):
            yield refusal(
                "E739",
                f"is trained on {n} patients with mean outcome {mean:g}, by {reference.where}",
                bundle.at(fold_member(fold_result.fold)),
            )
            return
    for name, source in reference.rows.items():
        mine_too = name == bundle.model and source == bundle.plugin["source"]
        if alike(name) == alike(bundle.model) and not mine_too:
            yield refusal(
                "E743",
                f"{name} in {reference.where} has sha256 {source[:12]}, the bundle's plugin "
                f"{bundle.model} {bundle.plugin['source'][:12]}",
                bundle.where,
            )
            return


def _equal(a: float, b: float) -> bool:
    return (a != a and b != b) or abs(a - b) <= CLOSE * max(1.0, abs(b))


def from_bundles(bundle: Bundle, files: Sequence[Path]) -> Iterator[Reference]:
    """Other bundles of the same cohort and splits."""
    for path in files:
        other = read_bundle(read_file(path), path.name)
        if other.sha256 != bundle.sha256:
            found = from_bundle(bundle, other)
            if found is not None:
                yield found


def from_bundle(bundle: Bundle, other: Bundle) -> Reference | None:
    """Another bundle as a reference; None where cohort or splits are others."""
    if _question(bundle.about) != _question(other.about):
        return None
    same_board = _board(bundle.cell) == _board(other.cell)
    return _reference(
        other.where, other.folds, {other.model: other.plugin["source"]} if same_board else {}
    )


def from_store(bundle: Bundle, store: RunStore) -> Reference | None:
    """The first complete cell of the same cohort and splits, and the names of the board's rows."""
    rows: dict[str, str] = {}
    folds: Sequence[FoldResult] | None = None
    for suite, entries in store.entries().items():
        for entry, keys in entries.items():
            for key in keys:
                about = store.about(key)
                if _question(about) != _question(bundle.about):
                    continue
                if (suite, entry) == _board(bundle.cell):
                    rows[about["model"]["name"]] = about["model"]["source"]
                if folds is None:
                    cell = store.read_cell(key)
                    folds = [*cell.folds, *cell.beside] if cell.complete else None
    if folds is None:
        return None
    named = exchanged(folds, bundle.about["dataset"]["fingerprint"])
    return _reference(f"the run store {store.root}", named, rows)


def _question(about: Mapping[str, Any]) -> tuple[str, str, str]:
    return about["dataset"]["fingerprint"], about["plan"], about["task"]["name"]


def _board(cell: Mapping[str, Any]) -> tuple[str, str]:
    return cell["suite"], cell["entry"]


def _reference(where: str, folds: Sequence[FoldResult], rows: Mapping[str, str]) -> Reference:
    y: dict[str, float] = {}
    truth: dict[str, float] = {}
    for fold in folds:
        parts = fold.predictions
        y.update(zip(parts.patient, parts.y, strict=True))
        truth.update(zip(parts.patient, parts.truth, strict=True))
    tested = [list(fold.predictions.patient) for fold in folds]
    return Reference(where, tested, y, truth, rows=rows)


def cell_config(bundle: Bundle, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The configuration that would run a bundle's cell here.

    A suite's comes from the suite. That of an ad-hoc cell has the dataset of that name as it is
    configured here; overrides are those of who verifies, never of the bundle.

    Raises
    ------
    CytobenchError
        Where no such suite, entry or dataset is here.
    """
    about, config = bundle.about, bundle.about["config"]
    name = about["dataset"]["name"]
    if bundle.cell["suite"] == AD_HOC:
        from cytobench.config import compose_jobs

        node = compose_jobs([f"dataset={name}", *overrides])[0]
        parts = {part: node[part] for part in CELL_NODES}
        for part in ("task", "protocol"):
            added = ("meaning", "claim")
            parts[part] = {key: item for key, item in about[part].items() if key not in added}
        parts |= {part: config[part] for part in ("preprocess", "tuning", "seed", "device")}
    else:
        suite, entry = bundle.cell["suite"], bundle.cell["entry"]
        configs = suite_configs(suite, overrides)
        if entry not in configs:
            raise UsageError("E102", f"the suite {suite} has no entry {entry}")
        parts = dict(configs[entry])
    return {**parts, "model": config["model"], "permutation": 0}


def from_data(bundle: Bundle, config: Mapping[str, Any]) -> tuple[Reference | None, str]:
    """The cohort itself, where it is at hand; else why it is not.

    Raises
    ------
    BundleError
        ``E753`` where the same settings give another cohort or other splits here.
    """
    try:
        bench = load_bench(config)
    except CytobenchError as error:
        return None, f"the data are not at hand: {error.message}"
    fingerprint = bench.cohort.fingerprint
    if fingerprint != bundle.about["dataset"]["fingerprint"]:
        if bundle.cell["suite"] == AD_HOC:
            return None, f"{bench.cohort.name} as configured here is another cohort"
        raise refusal(
            "E753", f"is of cohort {bundle.about['dataset']['fingerprint'][:12]}, that of the "
            f"suite is {fingerprint[:12]} here", bundle.where,
        )  # fmt: skip
    if bench.cohort.card.kind != bundle.about["dataset"]["kind"]:
        raise refusal("E753", f"calls patients {bundle.about['dataset']['kind']} that are "
                      f"{bench.cohort.card.kind}", bundle.where)  # fmt: skip
    if bench.plan.hash != bundle.about["plan"]:
        raise refusal(
            "E753", f"has split plan {bundle.about['plan'][:12]}, the same protocol and seed give "
            f"{bench.plan.hash[:12]} here", bundle.where,
        )  # fmt: skip
    return _of_bench(bench), ""


def _of_bench(bench: Bench) -> Reference:
    place: dict[int, int] = {}
    for split in bench.plan.splits:
        for row in split.test.tolist():
            place.setdefault(row, len(place))
    fingerprint, y, truth = bench.cohort.fingerprint, bench.target.y, bench.target.truth
    name = {row: exchange_name(fingerprint, position) for row, position in place.items()}
    return Reference(
        f"the data of {bench.cohort.name}",
        [[name[row] for row in split.test.tolist()] for split in bench.plan.splits],
        {name[row]: float(y[row]) for row in place},
        {name[row]: float(truth[row]) for row in place},
        [(len(split.train), float(np.mean(y[split.train]))) for split in bench.plan.splits],
    )
