"""The run store: one atomically written file for each finished fold. The truth of every result.

::

    runs/salt                                  makes patients' pseudonyms unguessable
    runs/index/<suite>/<entry>/<slot>          the key of the cell that a leaderboard last asked for
    runs/<cell key>/cell.json                  what the cell is
    runs/index/<suite>/<entry>/permuted/<slot> the same, for its cells with permuted labels
    runs/<cell key>/fold-003.parquet           predictions; the rest of the record in its metadata
    runs/<cell key>/inner-003.parquet          every trial's predictions inside the training part
    runs/<cell key>/fold-004.failed.json       why a fold failed; tried again next time
    runs/<cell key>/explanation-003.json       what the fold's model went by, where it was asked for
    runs/boards/<suite>/<entry>.json           an entry's pages, while its cells are what they were
    runs/reproduced/<sha256>.json              of a submitted bundle: which folds were refitted here
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.files import write_whole
from cytobench.core.hashing import canonical_json
from cytobench.core.result import (
    SCHEMA_VERSION,
    FoldFailure,
    FoldResult,
    InnerPredictions,
    Predictions,
    Trial,
)

METADATA = b"cytobench"
KEY = re.compile(r"\w[\w.-]{0,127}\Z")
PERMUTED = "permuted"
DERIVED = "derived-"
"""Prefix of files that follow from the others of a cell."""
PLANNING = "plan"
"""The suite of learning curves: no leaderboard, since each of its entries trains on a share."""
GROUP = "group:"
"""Prefix of the columns that hold subgroups."""
ARM = "arm:"
"""Prefix of the columns ``arm:<what>:<arm>``, where a treatment was chosen."""


@dataclass(frozen=True)
class StoredCell:
    """A cell as read from the store.

    Attributes
    ----------
    key : str
    about : mapping
        The content of ``cell.json``.
    folds : sequence of FoldResult
        Finished folds that the protocol's claim rests on, in order.
    beside : sequence of FoldResult
        Finished folds of the table beside it: one study against another.
    explanations : sequence of mapping
        What the folds' models went by, for those that were explained.
    submission : mapping or None
        Where the cell came as a bundle: its ``sha256``, its ``state``, the ``folds`` that were
        refitted, and what a person ``reviewed``; None for a cell that was run here.
    """

    key: str
    about: Mapping[str, Any]
    folds: Sequence[FoldResult]
    beside: Sequence[FoldResult] = ()
    explanations: Sequence[Mapping[str, Any]] = ()
    submission: Mapping[str, Any] | None = None

    @property
    def verification(self) -> str:
        """``local``; or of a submission ``verified`` (a fold was reproduced) or ``recomputed``."""
        return "local" if self.submission is None else str(self.submission["state"])

    @property
    def done(self) -> int:
        """Finished folds."""
        return len(self.folds) + len(self.beside)

    @property
    def complete(self) -> bool:
        """Every fold of the plan is there."""
        return self.done == int(self.about["folds"])


class RunStore:
    """Reads and writes a run store's folder.

    Parameters
    ----------
    root : Path
        Made on the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def salt(self) -> bytes:
        """The store's salt; drawn once."""
        path = self.root / "salt"
        if not path.exists():
            self._write(path, secrets.token_bytes(32), replace=False)
        return path.read_bytes()

    def open_cell(
        self,
        key: str,
        about: Mapping[str, Any],
        suite: str,
        entry: str,
        slot: str,
        *,
        permuted: bool = False,
    ) -> None:
        """Write ``cell.json`` where it is missing, and note which leaderboard asked.

        The slot names the cell as asked for (its configuration); when data, plugin or packages
        change, the same slot gets the new cell's key and the old cell leaves the leaderboard.
        """
        path = self.root / key / "cell.json"
        # An acknowledgement changes what is said of a cell, not its results.
        if not path.exists() or self.about(key).get("audit") != about.get("audit"):
            text = json.dumps({"schema": SCHEMA_VERSION, "key": key, **about}, indent=1)
            self._write(path, text.encode())
        folder = self.root / "index" / suite / entry
        marker = (folder / PERMUTED if permuted else folder) / slot
        if not marker.exists() or marker.read_text() != key:
            self._write(marker, key.encode())

    def finished(self, key: str) -> set[int]:
        """Which folds of a cell are done."""
        return {int(path.stem[5:]) for path in (self.root / key).glob("fold-*.parquet")}

    def failures(self, key: str) -> list[FoldFailure]:
        """Folds that failed and have not succeeded since."""
        done = self.finished(key)
        found = []
        for path in sorted((self.root / key).glob("fold-*.failed.json")):
            failure = FoldFailure(**json.loads(path.read_text(encoding="utf-8")))
            if failure.fold not in done:
                found.append(failure)
        return found

    def write_fold(self, key: str, result: FoldResult) -> None:
        """Store a fold: complete or not at all."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        record = asdict(replace(result, inner=None, predictions=None))  # type: ignore[arg-type]
        del record["inner"], record["predictions"]
        columns = dict(vars(result.predictions))
        columns |= {GROUP + name: levels for name, levels in columns.pop("groups").items()}
        columns |= {
            f"{ARM}{what}:{arm}": values
            for what, arms in columns.pop("by_arm").items()
            for arm, values in arms.items()
        }
        table = pa.table(
            {name: pa.array(list(values), _kind(name)) for name, values in columns.items()}
        )
        record["schema"] = SCHEMA_VERSION
        table = table.replace_schema_metadata({METADATA: canonical_json(record).encode()})
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer)
        if result.inner is not None:  # before the fold: a fold that is there is complete
            self._write_inner(key, result.fold, result.inner)
        self._write(self._fold(key, result.fold), buffer.getvalue().to_pybytes())
        with contextlib.suppress(FileNotFoundError):
            self._failure(key, result.fold).unlink()

    def _write_inner(self, key: str, fold: int, inner: InnerPredictions) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"y": pa.array(inner.y, pa.float32())}
        for number, values in inner.predictions.items():
            columns[str(number)] = pa.array(values, pa.float32())
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.table(columns), buffer)
        self._write(self._inner(key, fold), buffer.getvalue().to_pybytes())

    def read_inner(self, key: str, fold: int) -> InnerPredictions | None:
        """Every trial's inner predictions of a finished fold; None where none were stored.

        Raises
        ------
        StoreError
            ``E510`` for a file that cannot be read.
        """
        path = self._inner(key, fold)
        if not path.exists():
            return None
        columns = _read_table(path).to_pydict()
        y = columns.pop("y")
        return InnerPredictions(y, {int(name): values for name, values in columns.items()})

    def write_failure(self, key: str, failure: FoldFailure) -> None:
        """Store why a fold failed."""
        text = json.dumps(asdict(failure), indent=1)
        self._write(self._failure(key, failure.fold), text.encode())

    def read_fold(self, key: str, fold: int) -> FoldResult:
        """Read a finished fold.

        Raises
        ------
        StoreError
            ``E510`` for a file that cannot be read, ``E511`` for one of another schema version.
        """
        path = self._fold(key, fold)
        table = _read_table(path)
        try:
            record = json.loads(table.schema.metadata[METADATA])
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(path, error) from error
        if record.pop("schema") != SCHEMA_VERSION:
            raise StoreError("E511", f"is not of schema version {SCHEMA_VERSION}", where=str(path))
        record["trials"] = [Trial(**trial) for trial in record["trials"]]
        columns = table.to_pydict()
        groups = {
            name.removeprefix(GROUP): columns.pop(name)
            for name in list(columns)
            if name.startswith(GROUP)
        }
        by_arm: dict[str, dict[str, Any]] = {}
        for name in [name for name in columns if name.startswith(ARM)]:
            what, _, arm = name.removeprefix(ARM).partition(":")
            by_arm.setdefault(what, {})[arm] = columns.pop(name)
        return FoldResult(
            predictions=Predictions(**columns, groups=groups, by_arm=by_arm), **record
        )

    def read_cell(self, key: str) -> StoredCell:
        """Read a cell with its finished folds."""
        about = self.about(key)
        beside = {int(fold) for fold in about.get("beside", {})}
        finished = sorted(self.finished(key))
        folds = [self.read_fold(key, fold) for fold in finished if fold not in beside]
        others = [self.read_fold(key, fold) for fold in finished if fold in beside]
        explanations = self._explanations(key)
        return StoredCell(
            key,
            about,
            folds,
            others,
            [explanations[fold] for fold in sorted(explanations.keys() - beside)],
        )

    def explained(self, key: str, settings: Mapping[str, Any]) -> set[int]:
        """Which folds of a cell have an explanation that was made with these settings."""
        asked = json.loads(json.dumps(settings))
        found = self._explanations(key)
        return {fold for fold, item in found.items() if item["settings"] == asked}

    def write_explanation(self, key: str, fold: int, explanation: Mapping[str, Any]) -> None:
        """Store what a fold's model went by; aggregates, no patient's row."""
        text = json.dumps(explanation, ensure_ascii=False, allow_nan=False)
        self._write(self._explanation(key, fold), text.encode())

    def _explanations(self, key: str) -> dict[int, dict[str, Any]]:
        found = {}
        for path in sorted((self.root / key).glob("explanation-*.json")):
            try:
                found[int(path.stem[12:])] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise _unreadable(path, error) from error
        return found

    def about(self, key: str) -> dict[str, Any]:
        """The content of ``cell.json``."""
        path = self.root / key / "cell.json"
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError("E510", f"cannot be read: {error}", where=str(path)) from error
        return {str(name): value for name, value in about.items()}

    def derived(self, key: str, name: str) -> str | None:
        """What was once computed from a complete cell, or None. It may be deleted at any time."""
        try:
            return self._derived(key, name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def keep_derived(self, key: str, name: str, text: str) -> None:
        """Keep what was computed from a complete cell beside it."""
        self._write(self._derived(key, name), text.encode())

    def kept_board(self, name: str) -> str | None:
        """What a leaderboard has kept under a name, or None. It may be deleted at any time."""
        try:
            return self._board(name).read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def keep_board(self, name: str, text: str) -> None:
        """Keep what would take long to compute again."""
        self._write(self._board(name), text.encode())

    def _board(self, name: str) -> Path:
        return self.root / "boards" / f"{name}.json"

    def cohort_facts(self, fingerprint: str) -> dict[str, Any] | None:
        """The aggregates of a cohort, as they were kept; None where nobody has."""
        try:
            facts = json.loads(self._cohort(fingerprint).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _unreadable(self._cohort(fingerprint), error) from error
        return {str(name): value for name, value in facts.items()}

    def keep_cohort_facts(self, fingerprint: str, facts: Mapping[str, Any]) -> None:
        """Keep a cohort's aggregates; no row of a patient is among them."""
        self._write(
            self._cohort(fingerprint),
            json.dumps(facts, ensure_ascii=False, allow_nan=False).encode(),
        )

    def has_cohort_facts(self, fingerprint: str) -> bool:
        """Whether a cohort's aggregates were kept."""
        return self._cohort(fingerprint).exists()

    def _cohort(self, fingerprint: str) -> Path:
        return self.root / "cohorts" / f"{fingerprint}.json"

    def permuted(self, suite: str, entry: str) -> list[str]:
        """Keys of an entry's cells with permuted labels."""
        folder = self.root / "index" / suite / entry / PERMUTED
        return sorted(_markers(folder)) if folder.is_dir() else []

    def keys(self, suite: str, entry: str) -> list[str]:
        """Keys of an entry's cells that were asked for."""
        folder = self.root / "index" / suite / entry
        return sorted(_markers(folder)) if folder.is_dir() else []

    def entries(self) -> dict[str, dict[str, list[str]]]:
        """Suite -> entry -> keys of the cells that were asked for."""
        index = self.root / "index"
        return {
            suite.name: {
                entry.name: sorted(keys)
                for entry in _folders(suite)
                if (keys := list(_markers(entry)))
            }
            for suite in _folders(index)
        }

    def _fold(self, key: str, fold: int) -> Path:
        return self.root / key / f"fold-{fold:03d}.parquet"

    def _inner(self, key: str, fold: int) -> Path:
        return self.root / key / f"inner-{fold:03d}.parquet"

    def _explanation(self, key: str, fold: int) -> Path:
        return self.root / key / f"explanation-{fold:03d}.json"

    def _derived(self, key: str, name: str) -> Path:
        return self.root / key / f"{DERIVED}{name}-v{SCHEMA_VERSION}.json"

    def _failure(self, key: str, fold: int) -> Path:
        return self.root / key / f"fold-{fold:03d}.failed.json"

    def _write(self, path: Path, content: bytes, *, replace: bool = True) -> None:
        """Write a file of the store, whole or not at all."""
        try:
            write_whole(path, content, replace=replace)
        except OSError as error:
            raise StoreError(
                "E512",
                f"cannot be written: {error.strerror or error}",
                where=str(path),
                hint="check space and permissions, or choose another folder with store=PATH",
            ) from error


def is_derived(name: str) -> bool:
    """Whether a file of a cell's folder was computed from the others."""
    return name.startswith(DERIVED)


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(item for item in path.iterdir() if item.is_dir())


def _markers(folder: Path) -> Iterator[str]:
    for marker in folder.iterdir():
        if marker.is_file() and not marker.name.startswith("."):
            key = marker.read_text(encoding="utf-8", errors="replace")
            if not KEY.match(key):  # it becomes a folder's name, and may come from elsewhere
                raise _unreadable(marker, ValueError(f"holds no cell's key: {key[:80]!r}"))
            yield key


def _kind(column: str) -> Any:
    import pyarrow as pa

    number = column in ("y", "prediction", "truth") or column.startswith(ARM)
    return pa.float64() if number else pa.string()


def _read_table(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Three times as fast as read_table, which looks at the file as one of a data set.
        return pq.ParquetFile(pa.BufferReader(path.read_bytes())).read()
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StoreError:
    return StoreError(
        "E510",
        f"cannot be read: {error}",
        where=str(path),
        hint="delete the file; the next run computes this fold again",
    )
