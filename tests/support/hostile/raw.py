"""Readers whose input is bytes, for a fuzzer that changes bytes by what of the code they reach."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytobench.config import compose_jobs
from cytobench.core.seal import intact, sealed
from cytobench.run.store import RunStore
from cytobench.run.stored import salt_in
from cytobench.submission.archive import pack, unpack
from cytobench.submission.plain import read_json
from cytobench.submission.table import read_table, write_table
from support.hostile import bundles, exports, overrides, tables
from support.hostile.answers import Answer, answer
from support.hostile.stores import ENTRY, FACTS, KEY, SUITE, honest, sound


@dataclass(frozen=True)
class Reader:
    """What is read, and how.

    Attributes
    ----------
    attempt : callable
        Bytes and an empty folder -> what came of it.
    seeds : callable
        Honest input to begin with.
    """

    name: str
    attempt: Callable[[bytes, Path], Answer]
    seeds: Callable[[], Sequence[bytes]]


READERS: dict[str, Reader] = {}


def reader(name: str, seeds: Callable[[], Sequence[bytes]]) -> Callable[[Any], Any]:
    """Enter a function as a reader."""

    def enter(function: Callable[[bytes, Path], Answer]) -> Callable[[bytes, Path], Answer]:
        READERS[name] = Reader(name, function, seeds)
        return function

    return enter


def _table(content: bytes, folder: Path, *, suffix: str) -> Answer:
    path = folder / f"t.{suffix}"
    path.write_bytes(content)
    return answer(lambda: tables.read(path), right=None)


CSV = (b'id,IL-6,day\na,1.5,2024-01-01\n"b ""x""",<0.5,\n', "id;é\na;1,5\n".encode())
reader("bytes of a csv", lambda: CSV)(functools.partial(_table, suffix="csv"))
reader("bytes of a parquet table", lambda: [tables.honest_parquet()])(
    functools.partial(_table, suffix="parquet")
)
reader("bytes of a workbook", lambda: [tables.honest_sheet()])(
    functools.partial(_table, suffix="xlsx")
)


def _export(content: bytes, folder: Path, *, layout: str) -> Answer:
    (folder / "e.csv").write_bytes(content)
    options = exports.HONEST[layout][1]
    return answer(lambda: exports.sound(exports.read(folder, format=layout, **options)), right=None)


for _layout, (_file, _) in exports.HONEST.items():
    reader(
        f"bytes of an export, {_layout}",
        lambda file=_file: [(exports.EXPORTS / file).read_bytes()],
    )(functools.partial(_export, layout=_layout))


@reader("bytes of a YAML in ./conf", lambda: [overrides.DATASET.encode()])
def configuration(content: bytes, folder: Path) -> Answer:
    """A dataset's file of one's own."""
    path = folder / "conf" / "dataset" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with overrides.inside(folder):
        return answer(lambda: compose_jobs(["dataset=mine"]), right=None)


@reader("bytes of a bundle", lambda: [pack({"a.json": b"{}", "folds/0000.parquet": b"x" * 20})])
def archive(content: bytes, folder: Path) -> Answer:
    """What is unpacked is what would be packed."""

    def right(found: dict[str, bytes]) -> None:
        assert pack(found) == content

    return answer(lambda: unpack(content, "b.zip"), right)


@reader("bytes of a bundle's JSON", lambda: [b'{"a": [1, 2.5e-3, null, "\\u00e9"], "b": {}}'])
def document(content: bytes, folder: Path) -> Answer:
    """A member of a bundle."""

    def right(found: Any) -> None:
        assert bundles.finite(found)

    return answer(lambda: read_json(content, "cell.json"), right)


def _bundled_fold() -> list[bytes]:
    columns = {"patient": ["a", "b"], "y": [0.0, 1.0], "prediction": [0.2, 0.7],
               "truth": [0.5, 0.5]}  # fmt: skip
    return [write_table(bundles.RECORD, columns)]


@reader("bytes of a bundle's fold", _bundled_fold)
def bundled_fold(content: bytes, folder: Path) -> Answer:
    """A member of a bundle."""

    def right(found: Any) -> None:
        _, cells = found
        assert all(0 <= value <= 1 for name in ("y", "prediction") for value in cells[name])

    return answer(lambda: read_table(content, "classification", "folds/0000.parquet"), right)


def _of_store(
    name: str, file: str, act: Callable[[RunStore], Any], right: Callable[[Any], None] | None = None
) -> None:
    """A file of a store alone; its seal is made to fit, so that what is behind it is reached."""

    def attempt(content: bytes, folder: Path) -> Answer:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        (folder / KEY).mkdir(exist_ok=True)
        path.write_bytes(content if intact(content) is None else sealed(content))
        return answer(lambda: act(RunStore(folder)), right)

    reader(name, lambda: [(honest() / file).read_bytes()])(attempt)


def _sound_inner(found: Any) -> None:
    assert {len(values) for values in found.predictions.values()} == {len(found.y)}


_of_store(
    "bytes of a stored fold", f"{KEY}/fold-000.parquet", lambda store: store.read_fold(KEY, 0),
    lambda fold: sound(fold, of_class=False),
)  # fmt: skip
_of_store(
    "bytes of stored trials", f"{KEY}/inner-000.parquet", lambda store: store.read_inner(KEY, 0),
    _sound_inner,
)  # fmt: skip
_of_store("bytes of a cell.json", f"{KEY}/cell.json", lambda store: store.about(KEY))
_of_store(
    "bytes of an explanation", f"{KEY}/explanation-000.json", lambda store: store.explained(KEY, {})
)
_of_store("bytes of a failure", f"{KEY}/fold-002.failed.json", lambda store: store.failures(KEY))
_of_store("bytes of a cohort's facts", f"cohorts/{FACTS}.json", lambda s: s.cohort_facts(FACTS))
_of_store("bytes of a marker", f"index/{SUITE}/{ENTRY}/slot", lambda store: store.entries())
_of_store("bytes of a salt", "salt", lambda store: salt_in(store.root / "salt"))
