"""A fold as a parquet member: four columns of numbers and names, the rest in its metadata.

A reader looks at the footer first: how many rows, which columns, which types. Only text and
floating point numbers are read, never an extension type, an object or anything pickled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cytobench.core.hashing import canonical_json
from cytobench.core.result import FoldResult, Predictions
from cytobench.run.contents import GROUP
from cytobench.run.stored import METADATA
from cytobench.submission.codes import refusal
from cytobench.submission.plain import read_json
from cytobench.submission.shape import FOLD

NUMBERS = ("y", "prediction", "truth")
ALWAYS = ("patient", *NUMBERS)
MOST_ROWS = 100_000
MOST_COLUMNS = 40
MOST_BYTES = 8 * 1024 * 1024
LONGEST_LEVEL = 80
FARTHEST = 1e6
"""No outcome scale, no percent change and no prediction of one goes that far."""


def write_table(record: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> bytes:
    """The bytes of a fold's member."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(list(values), pa.float64() if name in NUMBERS else pa.string())
        for name, values in columns.items()
    }
    table = pa.table(arrays).replace_schema_metadata({METADATA: canonical_json(record).encode()})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="none")
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def read_table(
    content: bytes, kind: str, where: str
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The record and the columns of a fold's member.

    Parameters
    ----------
    kind : {"classification", "regression"}
        Predictions of the first are probabilities.

    Raises
    ------
    BundleError
        ``E720`` to ``E725``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(
            pa.BufferReader(content),
            thrift_string_size_limit=MOST_BYTES,
            thrift_container_size_limit=100_000,
        )
        schema, footer = file.schema_arrow, file.metadata
        _check_schema(schema, where)
        # Text is kept as a dictionary, so that a long word is not written out once for each row.
        texts = [name for name in schema.names if name not in NUMBERS]
        _check_size(footer, where)
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts, pre_buffer=False)
        table = file.read(use_threads=False)
        table.validate(full=True)  # a reader takes positions in a dictionary as they come
        columns = {name: _column(table.column(name), name, where) for name in schema.names}
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        said = " ".join(str(error).split())[:200]
        raise refusal("E722", f"cannot be read as parquet: {said}", where) from error
    metadata = schema.metadata or {}
    if METADATA not in metadata:
        raise refusal("E721", "has no record of the fold in its metadata", where)
    record = read_json(metadata[METADATA], where)
    FOLD(record, where)
    _check_values(columns, kind, where)
    return record, columns


def _check_schema(schema: Any, where: str) -> None:
    import pyarrow as pa

    names = list(schema.names)
    if len(set(names)) < len(names) or len(names) > MOST_COLUMNS:
        raise refusal("E723", "has a column twice, or too many columns", where)
    missing = [name for name in ALWAYS if name not in names]
    unknown = [name for name in names if name not in ALWAYS and not name.startswith(GROUP)]
    if missing or unknown:
        said = f"lacks the column {missing[0]!r}" if missing else f"has a column {unknown[0]!r}"
        raise refusal("E723", said[:120], where)
    for field in schema:
        expected = pa.float64() if field.name in NUMBERS else pa.string()
        if field.type != expected:
            raise refusal("E723", f"{field.name} holds {field.type}, expected {expected}", where)


def _check_size(footer: Any, where: str) -> None:
    groups = [footer.row_group(k) for k in range(footer.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    total = sum(group.total_byte_size for group in groups)
    if max(rows, footer.num_rows) > MOST_ROWS or total > MOST_BYTES:
        raise refusal(
            "E724",
            f"says that it has {max(rows, footer.num_rows)} rows and {total} bytes; at most "
            f"{MOST_ROWS} and {MOST_BYTES}",
            where,
        )


def _column(column: Any, name: str, where: str) -> list[Any]:
    if column.null_count:
        raise refusal("E723", f"{name} has empty cells", where)
    if name in NUMBERS:
        return column.to_pylist()  # type: ignore[no-any-return]
    values: list[Any] = []
    for chunk in column.chunks:
        levels = chunk.dictionary.to_pylist()
        if any(len(level) > LONGEST_LEVEL for level in levels):
            raise refusal("E723", f"{name} holds a text of more than {LONGEST_LEVEL}", where)
        values += [levels[position] for position in chunk.indices.to_pylist()]
    return values


def _check_values(columns: Mapping[str, Sequence[Any]], kind: str, where: str) -> None:
    for name in ("y", "prediction"):
        values = np.asarray(columns[name], dtype=float)
        low, high = (0.0, 1.0) if kind == "classification" else (-FARTHEST, FARTHEST)
        # Written so that NaN fails too.
        wrong = np.flatnonzero(~((values >= low) & (values <= high)))
        if len(wrong):
            raise refusal(
                "E725",
                f"{name} is {values[wrong[0]]:g} in row {wrong[0]}, expected {low:g} to {high:g}",
                where,
            )
    truth = np.asarray(columns["truth"], dtype=float)
    if not (np.isnan(truth) | (np.abs(truth) <= FARTHEST)).all():
        raise refusal("E725", "truth is beyond every scale", where)


def fold_result(
    record: Mapping[str, Any], columns: Mapping[str, Sequence[Any]], versions: Mapping[str, str]
) -> FoldResult:
    """The fold as the store has it."""
    from cytobench.core.result import Trial

    n = len(columns["patient"])
    groups = {
        name.removeprefix(GROUP): levels
        for name, levels in columns.items()
        if name.startswith(GROUP)
    }
    own = ("cell", "fingerprint", "plan", "trials")
    return FoldResult(
        predictions=Predictions(
            patient=columns["patient"],
            y=columns["y"],
            prediction=columns["prediction"],
            arm=[""] * n,
            site=[""] * n,
            truth=columns["truth"],
            groups=groups,
        ),
        trials=[Trial(**trial) for trial in record["trials"]],
        versions=versions,
        **{name: value for name, value in record.items() if name not in own},
    )
