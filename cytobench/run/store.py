"""The run store: one atomically written file for each finished fold. The truth of every result.

::

    runs/salt                                  makes patients' pseudonyms unguessable
    runs/index/<suite>/<entry>/<slot>          the key of the cell that a leaderboard last asked for
    runs/<cell key>/cell.json                  what the cell is
    runs/<cell key>/fold-003.parquet           predictions; the rest of the record in its metadata
    runs/<cell key>/fold-004.failed.json       why a fold failed; tried again next time
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.files import write_whole
from cytobench.core.hashing import canonical_json
from cytobench.core.result import SCHEMA_VERSION, FoldFailure, FoldResult, Predictions, Trial

METADATA = b"cytobench"


@dataclass(frozen=True)
class StoredCell:
    """A cell as read from the store.

    Attributes
    ----------
    key : str
    about : mapping
        The content of ``cell.json``.
    folds : sequence of FoldResult
        Finished folds in order.
    """

    key: str
    about: Mapping[str, Any]
    folds: Sequence[FoldResult]

    @property
    def complete(self) -> bool:
        """Every fold of the plan is there."""
        return len(self.folds) == int(self.about["folds"])


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
        self, key: str, about: Mapping[str, Any], suite: str, entry: str, slot: str
    ) -> None:
        """Write ``cell.json`` where it is missing, and note which leaderboard asked.

        The slot names the cell as asked for (its configuration); when data, plugin or packages
        change, the same slot gets the new cell's key and the old cell leaves the leaderboard.
        """
        path = self.root / key / "cell.json"
        if not path.exists():
            text = json.dumps({"schema": SCHEMA_VERSION, "key": key, **about}, indent=1)
            self._write(path, text.encode())
        marker = self.root / "index" / suite / entry / slot
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

        record = asdict(result)
        columns = record.pop("predictions")
        table = pa.table({name: list(values) for name, values in columns.items()}, _schema())
        record["schema"] = SCHEMA_VERSION
        table = table.replace_schema_metadata({METADATA: canonical_json(record).encode()})
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer)
        self._write(self._fold(key, result.fold), buffer.getvalue().to_pybytes())
        with contextlib.suppress(FileNotFoundError):
            self._failure(key, result.fold).unlink()

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
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._fold(key, fold)
        try:
            table = pq.read_table(path)
            record = json.loads(table.schema.metadata[METADATA])
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise StoreError(
                "E510",
                f"cannot be read: {error}",
                where=str(path),
                hint="delete the file; the next run computes this fold again",
            ) from error
        if record.pop("schema") != SCHEMA_VERSION:
            raise StoreError("E511", f"is not of schema version {SCHEMA_VERSION}", where=str(path))
        record["trials"] = [Trial(**trial) for trial in record["trials"]]
        return FoldResult(predictions=Predictions(**table.to_pydict()), **record)

    def read_cell(self, key: str) -> StoredCell:
        """Read a cell with its finished folds."""
        folds = [self.read_fold(key, fold) for fold in sorted(self.finished(key))]
        return StoredCell(key, self.about(key), folds)

    def about(self, key: str) -> dict[str, Any]:
        """The content of ``cell.json``."""
        path = self.root / key / "cell.json"
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError("E510", f"cannot be read: {error}", where=str(path)) from error
        return {str(name): value for name, value in about.items()}

    def entries(self) -> dict[str, dict[str, list[str]]]:
        """Suite -> entry -> keys of the cells that were asked for."""
        index = self.root / "index"
        return {
            suite.name: {
                entry.name: sorted(
                    marker.read_text() for marker in entry.iterdir() if marker.name[0] != "."
                )
                for entry in _folders(suite)
            }
            for suite in _folders(index)
        }

    def _fold(self, key: str, fold: int) -> Path:
        return self.root / key / f"fold-{fold:03d}.parquet"

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


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(item for item in path.iterdir() if item.is_dir())


def _schema() -> Any:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    kinds = {
        "patient": text,
        "y": number,
        "prediction": number,
        "arm": text,
        "site": text,
        "truth": number,
    }
    return pa.schema(kinds.items())
