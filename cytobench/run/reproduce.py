"""Is a finished cell what it says? Its folds are run again and compared to the last bit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cytobench.core.errors import CytobenchError, UsageError, did_you_mean
from cytobench.core.result import FoldFailure
from cytobench.run.again import run_again, sampled, unlike
from cytobench.run.cells import Cell, LoadedCell, load_cell
from cytobench.run.environment import differences
from cytobench.run.provenance import framework_revision, versions
from cytobench.run.store import RunStore

PREFIX = re.compile(r"[0-9a-f]{4,64}")
"""What may begin a cell's key."""


@dataclass(frozen=True)
class Found:
    """A cell that was named."""

    store: RunStore
    suite: str
    entry: str
    key: str


@dataclass(frozen=True)
class Choice:
    """Which folds are run again.

    Attributes
    ----------
    fold : int or None
        This one; else one that `seed` draws.
    every : bool
        All that are finished.
    seconds : float or None
        What one of them may take.
    trusted : bool
        Whether code may be imported because the store names it (``_target_``).
    """

    fold: int | None = None
    every: bool = False
    seed: int = 0
    seconds: float | None = None
    trusted: bool = False


@dataclass(frozen=True)
class Reproduction:
    """What became of a cell.

    Attributes
    ----------
    folds : mapping
        Fold -> in what it differs; nothing where it is the same to the last bit. Empty where the
        cohort or the splits are others: then no fold could be the same.
    changed : sequence of str
        What is not as it was when the cell was run: versions, machine, sources, cohort.
    """

    found: Found
    model: str
    folds: Mapping[int, Sequence[str]]
    changed: Sequence[str] = field(default_factory=tuple)

    @property
    def same(self) -> bool:
        """Every fold that was run again is the one that was stored."""
        return bool(self.folds) and not any(self.folds.values())


def named(text: str, root: Path) -> list[Found]:
    """The cells that a word names: a folder, the beginning of a key, or an entry's name.

    Parameters
    ----------
    text : str
        ``runs/<key>``, a key or four or more of its first digits, ``entry``, ``suite/entry``,
        ``entry/model`` or ``suite/entry/model``.
    root : Path
        The run store, for all but folders.

    Raises
    ------
    UsageError
        ``E141`` where there is none, or where a beginning has several.
    """
    folder = Path(text)
    if (folder / "cell.json").is_file():
        key = folder.resolve().name
        return [_at(RunStore(folder.resolve().parent), key)]
    store = RunStore(root)
    if PREFIX.fullmatch(text):
        keys = sorted(path.parent.name for path in root.glob(f"{text}*/cell.json"))
        if len(keys) > 1:
            said = ", ".join(key[:16] for key in keys[:5])
            raise UsageError("E141", f"begins {len(keys)} cells: {said}", where=text)
        if keys:
            return [_at(store, keys[0])]
    found: list[Found] = []
    names: set[str] = set()
    for suite, entries in store.entries().items():
        for entry, keys in entries.items():
            for key in keys:
                model = store.about(key)["model"]["name"]
                called = {entry, f"{suite}/{entry}", f"{entry}/{model}", f"{suite}/{entry}/{model}"}
                names |= called
                found += [Found(store, suite, entry, key)] if text in called else []
    if not found:
        known = sorted(name for name in names if name.count("/") == 1)
        raise UsageError(
            "E141", f"no finished cell is called {text!r}", where=str(root),
            hint=did_you_mean(text, known) if known else "start a run: cytobench run",
        )  # fmt: skip
    return found


def _at(store: RunStore, key: str) -> Found:
    """A cell, and who asked for it."""
    for suite, entries in store.entries().items():
        for entry, keys in entries.items():
            if key in [*keys, *store.permuted(suite, entry)]:
                return Found(store, suite, entry, key)
    return Found(store, "none", "none", key)


def reproduce(found: Found, choice: Choice) -> Reproduction:
    """Run folds of a cell again, and compare.

    Raises
    ------
    UsageError
        ``E142`` where that cannot be done: nothing is finished, its data, plugin or packages are
        not at hand, it names code that nobody has vouched for, or the fold fails or takes too long
        here.
    """
    store, key = found.store, found.key
    about = store.about(key)
    where = f"{about['model']['name']} in {found.suite}/{found.entry}"
    folds = _chosen(sorted(store.finished(key)), key, choice, where)
    cell, loaded = _loaded(found, about, where, trusted=choice.trusted)
    changed = _changed(about, loaded)
    others = [part for part in _other_patients(about, loaded) if part]
    if others:
        return Reproduction(found, about["model"]["name"], {}, [*changed, *others])
    salt = store.known_salt()
    told: dict[int, list[str]] = {}
    machines: list[str] = []
    for fold, again in run_again(cell, key, folds, salt or b"", seconds=choice.seconds):
        if isinstance(again, FoldFailure):
            raise UsageError("E142", f"fold {fold} fails here: {again.error}", where=where,
                             hint=again.hint)  # fmt: skip
        stored = store.read_fold(key, fold)
        told[fold] = unlike(stored, again, names=salt is not None)
        machines += differences(stored.environment, again.environment)
    changed += dict.fromkeys(machines)
    return Reproduction(found, about["model"]["name"], dict(sorted(told.items())), changed)


def _chosen(finished: Sequence[int], key: str, choice: Choice, where: str) -> list[int]:
    if not finished:
        raise UsageError("E142", "has no finished fold", where=where)
    if choice.every:
        return list(finished)
    if choice.fold is None:
        return [finished[k] for k in sampled(len(finished), 1, f"{choice.seed}/{key}")]
    if choice.fold not in finished:
        said = f"has no finished fold {choice.fold}; there are {len(finished)}, from {finished[0]}"
        raise UsageError("E142", said, where=where)
    return [choice.fold]


def _loaded(
    found: Found, about: Mapping[str, Any], where: str, *, trusted: bool
) -> tuple[Cell, LoadedCell]:
    if "asked" not in about:
        raise UsageError(
            "E142",
            "was stored by a release that did not keep how it was asked for",
            where=where,
            hint=f"run it again into another store: {about['command']} store=again",
        )
    cell = Cell(found.suite, found.entry, about["asked"])
    target = about["asked"]["model"].get("_target_")
    if target is not None and not trusted:
        # A store may come from elsewhere, and whatever it names here would be called.
        raise UsageError(
            "E142",
            f"names code to import, {target}, where others name a plugin",
            where=where,
            hint="if the store is your own, or you have looked at what it names: --trust",
        )
    try:
        return cell, load_cell(cell)
    except CytobenchError as error:
        place = f" ({error.where})" if error.where else ""
        raise UsageError(
            "E142",
            f"cannot be loaded here: [{error.code}] {error.message}{place}",
            where=where,
            hint=error.hint,
        ) from error


def _changed(about: Mapping[str, Any], loaded: LoadedCell) -> list[str]:
    """Versions and sources that are others here."""
    found = differences(about["versions"], versions(*loaded.model.extras))
    if about["framework"] != framework_revision():
        found.append("the sources of cytobench that decide predictions are others here")
    if about["model"]["source"] != loaded.model.source:
        found.append(
            f"the plugin's source is another here: {about['model']['source'][:12]}, "
            f"here {loaded.model.source[:12]}"
        )
    return found


def _other_patients(about: Mapping[str, Any], loaded: LoadedCell) -> Iterator[str]:
    """Whether the same patients are tested here."""
    bench, before = loaded.bench, about["dataset"]["fingerprint"]
    if before != bench.cohort.fingerprint:
        said = f"{before[:12]}, here {bench.cohort.fingerprint[:12]}"
        yield f"the cohort is another here: fingerprint {said}"
    elif about["plan"] != bench.plan.hash:
        yield f"the splits are others here: {about['plan'][:12]}, here {bench.plan.hash[:12]}"
