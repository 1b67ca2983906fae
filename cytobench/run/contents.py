"""What the files of a cell hold, made and read; an intact seal only says who wrote last.

A file may be whole and yet hold what no run has written: another program has sealed it anew, a
folder of another cell was copied over. Each fault is ``E510`` with what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from cytobench.core.hashing import canonical_json
from cytobench.core.places import elsewhere
from cytobench.core.result import FoldFailure, FoldResult, InnerPredictions, Predictions
from cytobench.core.stated import stated
from cytobench.run import stored
from cytobench.run.versioned import stamped, version_of

GROUP = "group:"
"""Prefix of the columns that hold subgroups."""
ARM = "arm:"
"""Prefix of the columns ``arm:<what>:<arm>``, where a treatment was chosen."""
NUMBERS = ("y", "prediction", "truth")
TEXTS = ("patient", "arm", "site")
OWN = ("schema", stored.SEAL, "predictions", "inner")
"""Fields of a record that are of the file, or stand in its columns."""


class Explanation(TypedDict):
    """What a fold's model goes by, as :mod:`cytobench.run.explaining` has it."""

    fold: int
    repeat: int
    n_train: int
    n_test: int
    importance: Mapping[str, Mapping[str, float]]
    used: Mapping[str, bool] | None
    used_by: str
    shap: Mapping[str, float] | None
    shap_by: str
    dependence: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Any]


def fold_file(result: FoldResult) -> bytes:
    """A finished fold without its inner predictions; paths of this machine are left out."""
    import pyarrow as pa

    record = asdict(replace(result, inner=None, predictions=None))  # type: ignore[arg-type]
    del record["inner"], record["predictions"]
    for trial in record["trials"]:
        trial["error"] = elsewhere(trial["error"])
    record["warnings"] = [elsewhere(text) for text in record["warnings"]]
    columns = dict(vars(result.predictions))
    columns |= {GROUP + name: levels for name, levels in columns.pop("groups").items()}
    columns |= {
        f"{ARM}{what}:{arm}": values
        for what, arms in columns.pop("by_arm").items()
        for arm, values in arms.items()
    }
    table = pa.table(
        {name: pa.array(list(values), _type(name)) for name, values in columns.items()}
    )
    record = stamped(record) | {stored.SEAL: True}
    return stored.sealed_table(table, {stored.METADATA: canonical_json(record).encode()})


def inner_file(inner: InnerPredictions) -> bytes:
    """Every trial's inner predictions of a fold, in 32 bits."""
    import pyarrow as pa

    columns = {"y": inner.y, **{str(number): one for number, one in inner.predictions.items()}}
    table = pa.table({name: pa.array(values, pa.float32()) for name, values in columns.items()})
    return stored.sealed_table(table, {stored.METADATA: canonical_json(stamped({})).encode()})


def failure_file(failure: FoldFailure) -> bytes:
    """Why a fold failed; paths of this machine are left out."""
    said = {
        name: elsewhere(value) if isinstance(value, str) else value
        for name, value in asdict(failure).items()
    }
    return stored.sealed_json(stamped(said), indent=1)


def _type(column: str) -> Any:
    """Of a fold's column: numbers or texts."""
    import pyarrow as pa

    number = column in NUMBERS or column.startswith(ARM)
    return pa.float64() if number else pa.string()


def read_fold(path: Path, fold: int) -> FoldResult:
    """A finished fold.

    Raises
    ------
    StoreError
        ``E510`` for a file that is damaged or holds something else, ``E511`` for a newer version.
    """
    table, record = stored.read_fold(path)
    version_of(record, str(path))
    try:
        _check_columns(table)
        predictions = _predictions(table.to_pydict())
        rest = {name: value for name, value in record.items() if name not in OWN}
        result: FoldResult = stated(FoldResult, {**rest, "predictions": predictions})
        _check_fold(result, fold)
    except (TypeError, ValueError) as error:
        raise stored.unexpected(path, error) from error
    return result


def _check_columns(table: Any) -> None:
    names = table.column_names
    if len(set(names)) < len(names):
        raise ValueError("has a column twice")
    if missing := {*NUMBERS, *TEXTS} - set(names):
        raise ValueError(f"lacks the column {min(missing)!r}")
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name not in (*NUMBERS, *TEXTS) and not field.name.startswith((GROUP, ARM)):
            raise ValueError(f"has a column {field.name[:80]!r}")
        expected = _type(field.name)
        if field.type != expected or column.null_count:
            raise ValueError(f"{field.name[:80]} holds {field.type} or nothing, not {expected}")


def _predictions(columns: dict[str, list[Any]]) -> Predictions:
    groups: dict[str, list[str]] = {}
    by_arm: dict[str, dict[str, list[float]]] = {}
    for name in [name for name in columns if name.startswith(GROUP)]:
        groups[name.removeprefix(GROUP)] = columns.pop(name)
    for name in [name for name in columns if name.startswith(ARM)]:
        what, _, arm = name.removeprefix(ARM).partition(":")
        by_arm.setdefault(what, {})[arm] = columns.pop(name)
    return Predictions(**columns, groups=groups, by_arm=by_arm)


def _check_fold(result: FoldResult, fold: int) -> None:
    """Numbers that every evaluation relies on, whatever the task."""
    if result.fold != fold:
        raise ValueError(f"is of fold {result.fold}")
    if not result.predictions.patient:
        raise ValueError("tests nobody")
    if result.repeat < 0 or result.n_train < 1:
        raise ValueError(f"says repeat {result.repeat} and {result.n_train} patients in training")
    single = [result.train_mean, 0.0 if result.threshold is None else result.threshold]
    for name in ("y", "prediction"):
        if not np.isfinite([*getattr(result.predictions, name), *single]).all():
            raise ValueError(f"{name}, threshold or train_mean is not finite")
    if result.arms:
        chosen = np.asarray(result.predictions.prediction)
        if not np.isin(chosen, np.arange(len(result.arms))).all():
            raise ValueError(f"chooses an arm beyond the {len(result.arms)} that there are")
        for what, arms in result.predictions.by_arm.items():
            if set(arms) != set(result.arms):
                raise ValueError(f"{what[:80]} is known for other arms than {list(result.arms)}")


def check_against(about: Mapping[str, Any], result: FoldResult, path: Path) -> None:
    """Refuse a fold that does not belong to its cell.

    Raises
    ------
    StoreError
        ``E510``.
    """
    kind = about["task"]["kind"]
    y, p = (np.asarray(values) for values in (result.predictions.y, result.predictions.prediction))
    wrong = ""
    if result.fold >= about["folds"]:
        wrong = f"the cell has {about['folds']} folds"
    elif (kind == "benefit") != bool(result.arms):
        wrong = f"the task is {kind}, the fold's arms are {list(result.arms)}"
    elif (kind == "classification") != (result.threshold is not None):
        wrong = f"the task is {kind}, the fold's threshold is {result.threshold}"
    elif kind == "classification" and not (np.isin(y, (0, 1)).all() and _within(p)):
        wrong = "an outcome is neither 0 nor 1, or a prediction no probability"
    if wrong:
        raise stored.unexpected(path, wrong)


def _within(p: Any) -> bool:
    return bool(((p >= 0) & (p <= 1)).all())


def read_inner(path: Path, n_train: int | None = None) -> InnerPredictions:
    """Every trial's inner predictions of a fold, where it is known for so many patients.

    Raises
    ------
    StoreError
        ``E510`` for a file that is damaged or holds something else, ``E511`` for a newer version.
    """
    import pyarrow as pa

    table = stored.read_table(path)
    try:
        metadata = (table.schema.metadata or {}).get(stored.METADATA, b"{}")
        version_of(json.loads(metadata), str(path))
        names, found = table.column_names, {}
        if len(set(names)) < len(names) or "y" not in names:
            raise ValueError("has a column twice, or no column 'y'")
        if len(names) < 2:
            raise ValueError("has no trial")
        for name, column in zip(names, table.columns, strict=True):
            if not pa.types.is_floating(column.type) or column.null_count:
                raise ValueError(f"{name[:80]} holds {column.type} or nothing, no numbers")
            found[name] = column.to_pylist()
            if np.isnan(found[name]).any():  # too large for its 32 bits is infinite
                raise ValueError(f"{name[:80]} holds no numbers")
            if name != "y" and not (name.isascii() and name.isdecimal() and name == str(int(name))):
                raise ValueError(f"{name[:80]!r} is no number of a trial")
    except (RecursionError, TypeError, ValueError) as error:
        raise stored.unexpected(path, error) from error
    y = found.pop("y")
    if not y or len(y) != (n_train or len(y)):
        raise stored.unexpected(path, f"is of {len(y)} patients, the training part of {n_train}")
    return InnerPredictions(y, {int(name): values for name, values in found.items()})


def read_failure(path: Path, fold: int) -> FoldFailure:
    """Why a fold failed.

    Raises
    ------
    StoreError
        ``E510``, ``E511``.
    """
    return _of_fold(FoldFailure, path, fold)  # type: ignore[no-any-return]


def read_explanation(path: Path, fold: int) -> dict[str, Any]:
    """What a fold's model went by.

    Raises
    ------
    StoreError
        ``E510``, ``E511``.
    """
    return _of_fold(Explanation, path, fold)  # type: ignore[no-any-return]


def _of_fold(kind: Any, path: Path, fold: int) -> Any:
    document = stored.read_record(path)
    try:
        found = stated(kind, document)
        if document["fold"] != fold:
            raise ValueError(f"is of fold {document['fold']}")
    except ValueError as error:
        raise stored.unexpected(path, error) from error
    return found
