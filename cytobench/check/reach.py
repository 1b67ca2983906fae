"""Which plugin is meant: by its name, or by the path of its file."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cytobench import plugins as plugin_root
from cytobench.check.subject import Target
from cytobench.core.errors import UsageError, did_you_mean
from cytobench.registry.declared import declared
from cytobench.registry.discover import Kind, discover

A_DATASET = re.compile(r"^@([\w.]+\.)?dataset\b", re.MULTILINE)


@dataclass(frozen=True)
class Reached:
    """A plugin that can be found by its name.

    Attributes
    ----------
    kind : {"model", "dataset"}, optional
        As its file says.
    copy, original : str
        Where the plugin's file is a copy of one that lies elsewhere: both paths.
    """

    name: str
    kind: Kind | None = None
    copy: str = ""
    original: str = ""

    def told(self, message: str) -> str:
        """The message, with the file where the user has it."""
        return message.replace(self.copy, self.original) if self.copy else message


def locate(name: str, kind: Kind | None = None) -> Target:
    """The plugin, or the dataset's YAML, of this name.

    Raises
    ------
    UsageError
        ``E145`` where there is none, or one of each kind.
    """
    kinds: tuple[Kind, ...] = ("model", "dataset") if kind is None else (kind,)
    found = [Target(item, name) for item in kinds if name in discover(item)]
    if "dataset" in kinds and name in declared("dataset") and name not in discover("dataset"):
        found.append(Target("dataset", name, table=True))
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            "E145", f"a model and a dataset are called {name!r}", hint="say which: --kind model"
        )
    known = [target.name for target in every(kind)]
    raise UsageError(
        "E145", f"no {kind or 'plugin'} is called {name!r}", hint=did_you_mean(name, sorted(known))
    )


def every(kind: Kind | None = None) -> list[Target]:
    """All plugins and tables of a kind, or of both."""
    found = [
        Target(item, name)
        for item in ("model", "dataset")
        if kind in (None, item)
        for name in discover(item)
    ]
    if kind != "model":
        tables = [name for name in declared("dataset") if name not in discover("dataset")]
        found += [Target("dataset", name, table=True) for name in tables]
    return found


def origin(target: Target) -> str:
    """Where it is defined."""
    if target.table:
        return declared("dataset")[target.name]["origin"]
    return discover(target.kind)[target.name].origin


@contextmanager
def reachable(name: str) -> Iterator[Reached]:
    """The plugin of a name; for a path, with its file among the plugin folders meanwhile.

    Raises
    ------
    UsageError
        ``E145`` for a path where no file is, or a YAML file outside ``conf/dataset``.
    """
    path = Path(name)
    if path.suffix not in (".py", ".yaml"):
        yield Reached(name)
        return
    if not path.is_file():
        raise UsageError("E145", "there is no such file", where=name)
    if path.suffix == ".yaml":
        yield Reached(_table(path), "dataset")
        return
    if _found(path):
        yield Reached(*_name_in(path))
        return
    before = os.environ.get(plugin_root.ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="cytobench-check-") as folder:
        try:
            root, copy = _root(path, Path(folder).resolve())
            named = [str(root), *([before] if before else [])]
            os.environ[plugin_root.ENVIRONMENT] = os.pathsep.join(named)
            plugin_root.refresh()
            yield Reached(*_name_in(path), str(copy or ""), str(path.resolve()))
        finally:
            if before is None:
                os.environ.pop(plugin_root.ENVIRONMENT, None)
            else:
                os.environ[plugin_root.ENVIRONMENT] = before
            plugin_root.refresh()


def _table(path: Path) -> str:
    for name, about in declared("dataset").items():
        if Path(about["origin"]) == path.resolve():
            return name
    raise UsageError(
        "E145", "is not in a folder conf/dataset, where tables are declared", where=str(path)
    )


def _found(path: Path) -> bool:
    resolved = path.resolve()
    return any(resolved.parent.parent == root for root in plugin_root.folders()) and (
        resolved.parent.name in ("models", "datasets")
    )


def _root(path: Path, folder: Path) -> tuple[Path, Path | None]:
    """A plugin folder with the file: its own where it lies in one, else one with a copy.

    A copy, since the folder of an arbitrary file may hold anything, which would be listed too.
    """
    if path.resolve().parent.name in ("models", "datasets"):
        return path.resolve().parent.parent, None
    text = path.read_text(encoding="utf-8", errors="replace")
    kind = "datasets" if A_DATASET.search(text) else "models"
    (folder / kind).mkdir()
    copy = folder / kind / path.name
    shutil.copy(path, copy)
    return folder, copy


def _name_in(path: Path) -> tuple[str, Kind | None]:
    """The plugin that this file declares; its stem where it declares none."""
    kinds: tuple[Kind, ...] = ("model", "dataset")
    for kind in kinds:
        for name, plugin in discover(kind).items():
            file = Path(plugin.origin.rpartition(":")[0] or plugin.origin)
            if file.name == path.name and _same(file, path):
                return name, kind
    return path.stem, None


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()
