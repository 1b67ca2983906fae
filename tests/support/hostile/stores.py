"""Files of a run store that are whole and sealed, and hold what no run has written."""

from __future__ import annotations

import functools
import json
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cytobench.core.process import Process
from cytobench.core.result import FoldFailure, FoldResult, InnerPredictions, Predictions, Trial
from cytobench.core.seal import BLANK, sealed
from cytobench.leaderboard.build import pages
from cytobench.leaderboard.kept import Pages, keep
from cytobench.run.claims import CLAIM, WORKING, Claims
from cytobench.run.store import RunStore
from cytobench.run.stored import METADATA, SALT, sealed_table
from support import boards as made_up
from support.hostile.answers import Answer, answer, family
from support.hostile.tables import mutated
from support.hostile.texts import hostile, values

KEY, SUITE, ENTRY, FACTS = "a" * 64, "suite", "entry", "f" * 64
FOLDS, EACH = 2, 4
ODD = st.sampled_from(
    [None, True, False, 0, 1, -1, 2, 10**9, 10**30, 10**400, 0.5, 1e308, -0.0, math.nan, math.inf,
     "", "NaN", "Infinity", "0", "1", "x", [], {}, [[]], [None], {"": 0}, "benefit", "regression"]
)  # fmt: skip


@functools.cache
def honest() -> Path:
    """A store with a file of every kind; a cell of two folds, one more that failed."""
    root = Path(tempfile.mkdtemp(prefix="hostile-store-")) / "runs"
    store = RunStore(root)
    store.salt()
    told = made_up.about("ridge", folds=FOLDS, n=FOLDS * EACH, test_labels=[""] * FOLDS)
    store.open_cell(KEY, told, SUITE, ENTRY, "slot")
    for number in range(FOLDS):
        rows = np.arange(EACH) + EACH * number
        predictions = Predictions(
            [f"p{row}" for row in rows], [0.0, 1.0] * (EACH // 2), [0.2, 0.7, 0.4, 0.6],
            ["A"] * EACH, [""] * EACH, [math.nan] * EACH, {"sex": ["f", "m"] * (EACH // 2)},
        )  # fmt: skip
        store.write_fold(
            KEY,
            FoldResult(
                number, 0, EACH, predictions, {"C": 1.0}, [Trial(0, {"C": 1.0}, 0.6, 0.1)], 0.5,
                0.5, {"fit": 0.1}, curves={"loss": [0.7, 0.5]},
                inner=InnerPredictions([0.0, 1.0] * (EACH // 2), {0: [0.25, 0.75, 0.5, 0.5]}),
            ),
        )  # fmt: skip
        explanation = {
            "fold": number, "repeat": 0, "n_train": EACH, "n_test": EACH, "shap": None,
            "importance": {"auc": {"IL-6": 0.1}}, "used": {"IL-6": True}, "used_by": "coefficients",
            "shap_by": "", "dependence": {"IL-6": {"grid": [1, 2], "prediction": [0.4, 0.6],
            "unit": "pg/mL"}}, "settings": {"repeats": 10},
        }  # fmt: skip
        store.write_explanation(KEY, number, explanation)
    store.write_failure(KEY, FoldFailure(FOLDS, "ValueError: no", "x.py:1", "Traceback ..."))
    store.keep_cohort_facts(FACTS, {"n": FOLDS * EACH, "notes": []})
    pages(store)  # are kept in it
    return root


def everything(store: RunStore) -> dict[str, Any]:
    """What all readers of a store make of it."""
    store.check_version()
    cells = {key: store.read_cell(key) for keys in store.entries()[SUITE].values() for key in keys}
    return {
        "salt": store.known_salt(),
        "facts": store.cohort_facts(FACTS),
        "failures": store.failures(KEY),
        "explained": store.explained(KEY, {"repeats": 10}),
        "cells": cells,
        "inner": {(key, fold.fold): store.read_inner(key, fold.fold)
                  for key, cell in cells.items() for fold in cell.folds},
    }  # fmt: skip


@functools.cache
def meant() -> dict[str, Any]:
    """The same of the honest store."""
    return everything(RunStore(honest()))


def copied(folder: Path) -> RunStore:
    """A copy of the honest store."""
    shutil.copytree(honest(), folder / "runs")
    return RunStore(folder / "runs")


def altered(draw: Any, document: Any) -> Any:
    """Plain data with one thing in it gone, doubled, or something else."""
    if isinstance(document, dict) and document and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(document)))
        how = draw(st.sampled_from(["in", "in", "in", "drop", "name"]))
        rest = {key: value for key, value in document.items() if key != name}
        if how == "in":
            return {**document, name: altered(draw, document[name])}
        return rest if how == "drop" else {**rest, draw(hostile): document[name]}
    if isinstance(document, list) and document and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(document) - 1))
        how = draw(st.sampled_from(["in", "in", "drop", "twice"]))
        if how == "in":
            return [*document[:place], altered(draw, document[place]), *document[place + 1 :]]
        middle = [] if how == "drop" else [document[place]] * 2
        return [*document[:place], *middle, *document[place + 1 :]]
    return draw(ODD | values)


def rewritten_json(draw: Any, content: bytes) -> bytes:
    """A document of another content under a seal of its own."""
    document = json.loads(content)
    document.pop("seal", None)
    found = altered(draw, document)
    how = draw(st.sampled_from(["plain", "plain", "plain", "deep", "huge"]))
    if how == "deep":
        return b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    if how == "huge":
        return b'{"schema": 5, "folds": 1e999, "fold": ' + b"9" * 5000 + b"}"
    plain = {**found, "seal": BLANK} if isinstance(found, dict) else found
    text = json.dumps(plain).encode()
    return sealed(text) if isinstance(found, dict) else text


def rewritten_table(draw: Any, content: bytes) -> tuple[bytes, bool]:
    """A table of other columns or of another record, sealed; whether predictions are as before."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(content), use_threads=False)
    record = json.loads(table.schema.metadata[METADATA])
    how = draw(
        st.sampled_from(["record", "record", "drop", "name", "twice", "type", "cells", "rows"])
    )
    names, columns = list(table.column_names), list(table.columns)
    place = draw(st.integers(0, len(names) - 1))
    if how == "record":
        record = altered(draw, record)
    elif how == "drop":
        del names[place], columns[place]
    elif how == "name":
        names[place] = draw(hostile.filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t)))
    elif how == "twice":
        names.append(names[place])
        columns.append(columns[draw(st.integers(0, len(columns) - 1))])
    elif how == "type":
        columns[place] = draw(
            st.sampled_from([
                pa.array([None] * len(table), columns[place].type),
                pa.array([1] * len(table), pa.int64()),
                pa.array([b"\xff"] * len(table), pa.binary()),
                pa.array([math.nan] * len(table), pa.float64()),
                pa.array([[1.0]] * len(table)),
                pa.nulls(len(table)),
            ])
        )  # fmt: skip
    elif how == "cells":
        number = pa.types.is_floating(columns[place].type)
        cell = st.floats(width=32) if number else st.none() | st.text(
            st.characters(exclude_categories=["Cs"]), max_size=5
        )  # fmt: skip
        cells = draw(st.lists(cell, min_size=len(table), max_size=len(table)))
        columns[place] = pa.array(cells, columns[place].type)
    else:
        rows = draw(st.sampled_from([0, 1, EACH - 1]))
        columns = [column.slice(0, rows) for column in columns]
    changed = pa.Table.from_arrays(columns, names=names)
    metadata = {METADATA: json.dumps(record).encode()} if draw(st.integers(0, 9)) else {}
    return sealed_table(changed, metadata), how == "record"


def resealed(draw: Any, store: RunStore) -> bool:
    """Write another content into a file of a store; whether no prediction was touched."""
    path = draw(st.sampled_from(files(store)))
    if path.suffix == ".parquet":
        content, same = rewritten_table(draw, path.read_bytes())
        path.write_bytes(content)
        return same
    if path.suffix == ".json":
        path.write_bytes(rewritten_json(draw, path.read_bytes()))
    else:
        path.write_bytes(draw(st.binary(max_size=SALT + 12) | st.just(KEY.encode())))
    return True


def files(store: RunStore) -> list[Path]:
    """Every file of a store."""
    return sorted(path for path in store.root.rglob("*") if path.is_file())


@family(
    "store, content",
    "files of a store sealed anew: fields gone, other kinds, NaN, other folds, versions, lengths",
    "E510, E511 or E513 with the file and the field",
)
def content(data: Any, folder: Path) -> Answer:
    """What is read is of the kinds that evaluations rely on; a record changes no prediction."""
    store = copied(folder)
    same = resealed(data.draw, store)

    def right(found: dict[str, Any]) -> None:
        for cell in found["cells"].values():
            for fold in (*cell.folds, *cell.beside):
                sound(fold)
        for inner in filter(None, found["inner"].values()):
            lengths = {len(inner.y), *map(len, inner.predictions.values())}
            assert len(lengths) == 1
            assert all(map(math.isfinite, inner.y))
        if same:
            for key, cell in found["cells"].items():
                wanted = meant()["cells"][key]
                for one, other in zip(cell.folds, wanted.folds, strict=False):
                    assert repr(one.predictions) == repr(other.predictions)

    return answer(lambda: everything(store), right)


def sound(fold: FoldResult, *, of_class: bool = True) -> None:
    """A fold that evaluations may count on."""
    n = len(fold.predictions.patient)
    assert n
    for name in ("y", "prediction", "arm", "site", "truth"):
        assert len(getattr(fold.predictions, name)) == n
    assert all(map(math.isfinite, (*fold.predictions.y, *fold.predictions.prediction)))
    assert math.isfinite(fold.train_mean)
    assert fold.threshold is None or math.isfinite(fold.threshold)
    if of_class:
        assert fold.threshold is not None
        assert all(0 <= p <= 1 for p in fold.predictions.prediction)


@family(
    "store, bytes",
    "files of a store with bytes changed, cut off, or another file in their place",
    "E510, E511 or E513 with the file; the same results, to the last bit",
)
def changed_bytes(data: Any, folder: Path) -> Answer:
    """A seal that fits is of the content that was written."""
    store = copied(folder)
    paths = files(store)
    path = data.draw(st.sampled_from(paths))
    how = data.draw(st.sampled_from(["bytes", "bytes", "swap", "stray", "folder"]))
    if how == "bytes":
        path.write_bytes(bytes(mutated(data.draw, bytearray(path.read_bytes()))))
    elif how == "swap":
        path.write_bytes(data.draw(st.sampled_from(paths)).read_bytes())
    elif how == "stray":
        name = data.draw(st.sampled_from([
            "fold-abc.parquet", "fold-003 (copy).parquet", "fold-0001.parquet", "fold-.parquet",
            "fold-001.failed (1).json", "fold-xyz.failed.json", "explanation-1.json",
            "fold-٠٠١.parquet",
            "explanation-copy.json", "inner-zzz.parquet", ".fold-000.parquet", "fold-000.parquet~",
        ]))  # fmt: skip
        (store.root / KEY / name).write_bytes(path.read_bytes())
    else:
        path.unlink()
        path.mkdir()

    def right(found: dict[str, Any]) -> None:
        assert [*found["cells"]] in ([KEY], [])
        for key, cell in found["cells"].items():
            wanted = meant()["cells"][key].folds
            known = {fold.fold: repr(fold) for fold in wanted}
            assert all(repr(fold) == known[fold.fold] for fold in cell.folds)

    return answer(lambda: everything(store), right)


@family(
    "store, to the page",
    "the same files, as far as the board, its page and its JSON",
    "E510 or E511 with the file; a board of what is left, or no board",
    share=0.2,
)
def ranked(data: Any, folder: Path) -> Answer:
    """What a reader lets through breaks nothing behind it: evaluation, ranking, words."""
    store = copied(folder)
    (store.root / "boards" / SUITE / f"{ENTRY}.json").unlink()
    same = resealed(data.draw, store)

    def right(found: list[Pages]) -> None:
        (wanted,) = pages(RunStore(honest()))
        for page in found:
            assert len(json.loads(page.json)["rows"]) == len(wanted.outline.rows)
            if same and page.outline.protocol == wanted.outline.protocol:
                (one, other) = (board.outline.rows[-1].headline for board in (page, wanted))
                assert one.value == other.value, (one, other)

    return answer(lambda: pages(store), right)


@family(
    "store, boards",
    "boards and numbers that a store has kept, with other content under a sha256 that fits",
    "the board, made anew; or E510 with the file",
    share=0.5,
)
def kept_boards(data: Any, folder: Path) -> Answer:
    """What is kept only saves time: where it is not what was kept, it is computed again."""
    store = copied(folder)
    name = f"{SUITE}/{ENTRY}"
    before = json.loads((store.root / "boards" / f"{name}.json").read_text())
    how = data.draw(st.sampled_from(["content", "content", "document", "questions", "bytes"]))
    if how == "content":
        keep(store, name, before["made_from"], altered(data.draw, before["content"]))
    elif how == "document":
        store.keep_board(name, json.dumps(altered(data.draw, before)))
    elif how == "questions":
        known = json.loads((store.root / "boards" / "questions.json").read_text())
        store.keep_board("questions", json.dumps(altered(data.draw, known)))
    else:
        store.keep_board(name, data.draw(st.text(max_size=50)))

    def right(found: list[Pages]) -> None:
        assert all(isinstance(row.n, int) for page in found for row in page.outline.rows)
        if how != "content":
            assert [page.json for page in found] == [
                page.json for page in pages(RunStore(honest()))
            ]

    return answer(lambda: pages(store), right)


@family(
    "store, claims",
    "claims and markers of other runs with any bytes in them, and under any name",
    "the fold is done by another run, or by this one; E510 with the marker",
    share=0.5,
)
def claims(data: Any, folder: Path) -> Answer:
    """Whatever stands in a claim, it is somebody's or nobody's, and of one fold."""
    store = copied(folder)
    said = data.draw(
        st.binary(max_size=60)
        | st.builds(
            lambda place, pid, rest: f"{place}-{pid}-{rest}\n".encode("utf-8", "replace"),
            hostile.map(lambda t: t[:50]), st.sampled_from(["1", "0", "9" * 30, "9" * 5000, "٣",
            "-1"]), hostile.map(lambda t: t[:50]),
        )
    )  # fmt: skip
    fold = data.draw(st.integers(0, 3))
    (store.root / WORKING).mkdir(exist_ok=True)
    name = said.partition(b"\n")[0][:100].decode(errors="replace")
    stranger = store.root / WORKING / f"x{name.replace('/', '_')}".replace("\x00", "_")
    try:
        stranger.write_bytes(said)
    except OSError:
        return Answer.REFUSED  # no file can have that name
    (store.root / KEY / f"{CLAIM}{fold:03d}").write_bytes(said)

    def act() -> tuple[Process | None, list[bool]]:
        with Claims(store.root) as mine:
            holder = mine.holder(KEY, fold)
            return holder, [mine.take(KEY, number) for number in range(4)]

    def right(found: tuple[Process | None, list[bool]]) -> None:
        holder, taken = found
        assert taken[:fold] + taken[fold + 1 :] == [True] * 3
        assert taken[fold] is (holder is not None and holder.gone)

    return answer(act, right)
