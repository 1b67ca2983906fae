"""The run store: one atomically written file for each finished fold. The truth of every result.

Every file of a result carries its own checksum (:mod:`cytobench.core.seal`): what does not fit it
is not read, and :meth:`RunStore.mend` has it computed again.

::

    runs/store.json                            the version of the folder
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
    runs/working/<process>                     a run under way; linked to by the folds that it holds
    runs/working/unmirrored/<cell key>         empty: MLflow is owed the cell
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.files import settle, sweep, write_whole
from cytobench.core.hashing import digest
from cytobench.core.result import (
    SCHEMA_VERSION,
    FoldFailure,
    FoldResult,
    InnerPredictions,
)
from cytobench.core.seal import BLANK, intact, sealed
from cytobench.run import stored
from cytobench.run.about import described
from cytobench.run.contents import (
    check_against,
    failure_file,
    fold_file,
    inner_file,
    read_explanation,
    read_failure,
    read_fold,
    read_inner,
)
from cytobench.run.versioned import completed, stamped, version_of

WITHOUT_SMALL_CELLS = 5
"""The first version of which a cohort's aggregates name no small group."""
KEY = re.compile(r"\w[\w.-]{0,127}\Z")
PERMUTED = "permuted"
PLANNING = "plan"
"""The suite of learning curves: no leaderboard, since each of its entries trains on a share."""
NUMBER = re.compile(r"[0-9]{3,6}\Z")


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
        """The store's salt; drawn once.

        Raises
        ------
        StoreError
            ``E513`` where it is missing and patients have pseudonyms already, and for one that is
            damaged: patients of new folds would not be those of the folds that are there.
        """
        path = self.root / "salt"
        if not path.exists():
            if next(self.root.glob("*/fold-*.parquet"), None) is not None:
                raise StoreError(
                    "E513",
                    "is missing: new folds would call the same patients by other names",
                    where=str(path),
                    hint="put this store's salt back, or choose another folder with store=PATH",
                )
            self._state_version()
            drawn = secrets.token_bytes(stored.SALT)
            self._write(path, drawn + stored.salt_check(drawn), replace=False)
        return stored.salt_in(path)

    def known_salt(self) -> bytes | None:
        """The salt, or None for a copy that was shared without it."""
        path = self.root / "salt"
        return stored.salt_in(path) if path.exists() else None

    def _state_version(self) -> None:
        """Say once which version the folder is of: what has no room for one, salt and index."""
        path = self.root / "store.json"
        if not path.exists():
            document = stamped({"format": "cytobench run store"})
            self._write(path, stored.sealed_json(document), replace=False)

    def check_version(self) -> None:
        """Refuse a folder that a newer cytobench has written.

        Raises
        ------
        StoreError
            ``E511``.
        """
        path = self.root / "store.json"
        if path.exists():
            version_of(stored.read_json(path), str(path))

    @property
    def identity(self) -> str:
        """A name for this store among others; a copy without its salt is known by its place."""
        salt = self.known_salt()
        return digest(str(self.root.resolve()) if salt is None else salt.hex())[:12]

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
        known = self.known(key)
        # An acknowledgement changes what is said of a cell, not its results.
        if known is None or known.get("audit") != about.get("audit"):
            document = stamped({"key": key, **about})
            self._write(self.root / key / "cell.json", stored.sealed_json(document, indent=1))
        folder = self.root / "index" / suite / entry
        marker = (folder / PERMUTED if permuted else folder) / slot
        if not marker.exists() or marker.read_bytes() != key.encode():
            self._write(marker, key.encode())

    def known(self, key: str) -> dict[str, Any] | None:
        """The content of ``cell.json``; None where it is missing or damaged."""
        try:
            return self.about(key)
        except StoreError:
            return None

    def mend(self, key: str) -> list[StoreError]:
        """Take out of a cell what is damaged, so that the fold is missing and computed again.

        What writers who were killed have left goes as well.

        Returns
        -------
        list of StoreError
            ``E510`` for each file that is not what was written.

        Raises
        ------
        StoreError
            ``E512`` where a damaged file cannot be removed.
        """
        folder, found = self.root / key, []
        if not folder.is_dir():
            return []
        for path in sorted(folder.iterdir()):
            try:
                stored.check(path)
            except StoreError as error:
                found.append(error)
                # Without its trials' predictions a fold is not what was computed.
                for doubtful in {path, folder / path.name.replace("inner-", "fold-")}:
                    stored.remove(doubtful)
        try:
            sweep(folder)
        except OSError as error:
            raise stored.unwritable(folder, error) from error
        return found

    def settle(self, key: str) -> None:
        """See to it that a power cut takes back no file of a cell."""
        try:
            settle(self.root / key)
        except OSError as error:
            raise stored.unwritable(self.root / key, error) from error

    def has_fold(self, key: str, fold: int) -> bool:
        """Whether a fold is done."""
        return self._fold(key, fold).exists()

    def finished(self, key: str) -> set[int]:
        """Which folds of a cell are done."""
        return set(self._numbered(key, "fold-*.parquet", self._fold))

    def _numbered(
        self, key: str, pattern: str, named: Callable[[str, int], Path]
    ) -> dict[int, Path]:
        """Fold -> its file of one kind; a copy that somebody has made beside it is none."""
        found = {}
        for path in sorted((self.root / key).glob(pattern)):
            digits = path.name.partition("-")[2].partition(".")[0]
            if NUMBER.match(digits) and path == named(key, int(digits)):
                found[int(digits)] = path
        return found

    def failures(self, key: str) -> list[FoldFailure]:
        """Folds that failed and have not succeeded since."""
        done = self.finished(key)
        found = []
        for fold, path in self._numbered(key, "fold-*.failed.json", self._failure).items():
            try:
                failure = read_failure(path, fold)
            except StoreError:
                failure = FoldFailure(
                    fold, "[E510] what was noted of its failure is damaged", "", ""
                )
            if fold not in done:
                found.append(failure)
        return found

    def write_fold(self, key: str, result: FoldResult) -> None:
        """Store a fold: complete or not at all."""
        content = fold_file(result)
        if result.inner is not None:  # before the fold: a fold that is there is complete
            self._write(self._inner(key, result.fold), inner_file(result.inner))
        self._write(self._fold(key, result.fold), content)
        with contextlib.suppress(FileNotFoundError):
            self._failure(key, result.fold).unlink()

    def read_inner(
        self, key: str, fold: int, n_train: int | None = None
    ) -> InnerPredictions | None:
        """Every trial's inner predictions of a finished fold; None where none were stored.

        Parameters
        ----------
        n_train : int, optional
            Of the fold: how many predictions each trial has.

        Raises
        ------
        StoreError
            ``E510`` for a file that cannot be read, ``E511`` for one of a newer version.
        """
        path = self._inner(key, fold)
        if not path.exists():
            return None
        return read_inner(path, n_train)

    def write_failure(self, key: str, failure: FoldFailure) -> None:
        """Store why a fold failed."""
        self._write(self._failure(key, failure.fold), failure_file(failure))

    def read_fold(self, key: str, fold: int) -> FoldResult:
        """Read a finished fold.

        Raises
        ------
        StoreError
            ``E510`` for a file that cannot be read, ``E511`` for one of a newer version.
        """
        return read_fold(self._fold(key, fold), fold)

    def read_cell(self, key: str) -> StoredCell:
        """Read a cell with its finished folds."""
        about = self.about(key)
        beside = {int(fold) for fold in about.get("beside", {})}
        results = {fold: self.read_fold(key, fold) for fold in sorted(self.finished(key))}
        for fold, result in results.items():
            check_against(about, result, self._fold(key, fold))
        folds = [result for fold, result in results.items() if fold not in beside]
        others = [result for fold, result in results.items() if fold in beside]
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
        found = self._numbered(key, "explanation-*.json", self._explanation)
        return {fold for fold in found if self.has_explanation(key, fold, settings)}

    def has_explanation(self, key: str, fold: int, settings: Mapping[str, Any]) -> bool:
        """Whether a fold has an explanation that was made with these settings."""
        path = self._explanation(key, fold)
        if not path.exists():
            return False
        asked = json.loads(json.dumps(settings))
        return bool(read_explanation(path, fold).get("settings") == asked)

    def write_explanation(self, key: str, fold: int, explanation: Mapping[str, Any]) -> None:
        """Store what a fold's model went by; aggregates, no patient's row."""
        self._write(self._explanation(key, fold), stored.sealed_json(stamped(explanation)))

    def _explanations(self, key: str) -> dict[int, dict[str, Any]]:
        paths = self._numbered(key, "explanation-*.json", self._explanation)
        return {fold: read_explanation(path, fold) for fold, path in paths.items()}

    def about(self, key: str) -> dict[str, Any]:
        """The content of ``cell.json``."""
        path = self.root / key / "cell.json"
        document = stored.read_json(path)
        try:
            return described(completed(document, str(path)))
        except (LookupError, TypeError, ValueError) as error:
            raise stored.unexpected(path, error) from error

    def derived(self, key: str, name: str) -> str | None:
        """What was once computed from a complete cell, or None. It may be deleted at any time."""
        try:
            content = stored.read(self._derived(key, name))
        except StoreError:
            return None
        text, _, _ = content.rpartition(b"\n")
        return text.decode() if intact(content) else None

    def keep_derived(self, key: str, name: str, text: str) -> None:
        """Keep what was computed from a complete cell beside it, if there is room."""
        self._keep(self._derived(key, name), sealed(f"{text}\n{BLANK}".encode()))

    def kept_board(self, name: str) -> str | None:
        """What a leaderboard has kept under a name, or None. It may be deleted at any time."""
        try:
            return self._board(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def keep_board(self, name: str, text: str) -> None:
        """Keep what would take long to compute again, if there is room."""
        self._keep(self._board(name), text.encode())

    def _board(self, name: str) -> Path:
        return self.root / "boards" / f"{name}.json"

    def cohort_facts(self, fingerprint: str) -> dict[str, Any] | None:
        """The aggregates of a cohort, as they were kept; None where nobody has.

        Those of an older version name small groups: the next run makes them anew.
        """
        path = self._cohort(fingerprint)
        if not path.exists():
            return None
        facts = stored.read_json(path)
        if version_of(facts, str(path)) < WITHOUT_SMALL_CELLS:
            return None
        return {name: value for name, value in facts.items() if name != "schema"}

    def keep_cohort_facts(self, fingerprint: str, facts: Mapping[str, Any]) -> None:
        """Keep a cohort's aggregates; no row of a patient is among them."""
        self._write(self._cohort(fingerprint), stored.sealed_json(stamped(facts)))

    def has_cohort_facts(self, fingerprint: str) -> bool:
        """Whether a cohort's aggregates were kept, and can be read."""
        with contextlib.suppress(StoreError):
            return self.cohort_facts(fingerprint) is not None
        return False

    def _cohort(self, fingerprint: str) -> Path:
        return self.root / "cohorts" / f"{fingerprint}.json"

    def permuted(self, suite: str, entry: str) -> list[str]:
        """Keys of an entry's cells with permuted labels."""
        folder = self.root / "index" / suite / entry / PERMUTED
        return sorted(self._markers(folder)) if folder.is_dir() else []

    def keys(self, suite: str, entry: str) -> list[str]:
        """Keys of an entry's cells that were asked for."""
        folder = self.root / "index" / suite / entry
        return sorted(self._markers(folder)) if folder.is_dir() else []

    def entries(self) -> dict[str, dict[str, list[str]]]:
        """Suite -> entry -> keys of the cells that were asked for."""
        index = self.root / "index"
        return {
            suite.name: {
                entry.name: sorted(keys)
                for entry in _folders(suite)
                if (keys := list(self._markers(entry)))
            }
            for suite in _folders(index)
        }

    def _markers(self, folder: Path) -> Iterator[str]:
        for marker in folder.iterdir():
            if marker.is_file() and not marker.name.startswith("."):
                key = stored.read(marker).decode(errors="replace")
                # It becomes a folder's name, and may come from elsewhere.
                if not KEY.match(key) or not (self.root / key).is_dir():
                    raise stored.unreadable(marker, f"it names no cell of this store: {key[:80]!r}")
                yield key

    def _fold(self, key: str, fold: int) -> Path:
        return self.root / key / f"fold-{fold:03d}.parquet"

    def _inner(self, key: str, fold: int) -> Path:
        return self.root / key / f"inner-{fold:03d}.parquet"

    def _explanation(self, key: str, fold: int) -> Path:
        return self.root / key / f"explanation-{fold:03d}.json"

    def _derived(self, key: str, name: str) -> Path:
        return self.root / key / f"{stored.DERIVED}{name}-v{SCHEMA_VERSION}.json"

    def _failure(self, key: str, fold: int) -> Path:
        return self.root / key / f"fold-{fold:03d}.failed.json"

    def _write(self, path: Path, content: bytes, *, replace: bool = True) -> None:
        """Write a file of the store, whole or not at all."""
        try:
            write_whole(path, content, replace=replace)
        except OSError as error:
            raise stored.unwritable(path, error) from error

    def _keep(self, path: Path, content: bytes) -> None:
        """Write what follows from other files; where it cannot be kept, it is computed again."""
        with contextlib.suppress(StoreError):
            self._write(path, content)


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(item for item in path.iterdir() if item.is_dir())
