"""Tables as files: what one reads back is what one wrote, or there is a reason with a code."""

from __future__ import annotations

import csv
import datetime
import io
import math
import random
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cytobench.data.readers import Files, read_file
from support.hostile.answers import Answer, answer, family
from support.hostile.texts import unicode_text

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252", "cp1254")


def read(path: Path, **node: Any) -> Any:
    """A file as the sources read it."""
    return read_file({"file": path.name, **node}, Files([path.parent]))


def meant(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    """What a reader should find: names stripped, lines without content left out."""
    return [[name.strip() for name in header], *(row for row in rows if any(row))]


def found(frame: Any) -> list[list[str]]:
    """What a reader found."""
    return [list(frame.columns), *frame.to_numpy().tolist()]


@st.composite
def grids(draw: Any, cells: Any = unicode_text) -> tuple[list[str], list[list[str]]]:
    """A header without empty or equal names, and rows of its length."""
    header = draw(st.lists(cells.filter(lambda t: t.strip()), min_size=1, max_size=4,
                           unique_by=str.strip))  # fmt: skip
    row = st.lists(cells, min_size=len(header), max_size=len(header))
    return header, draw(st.lists(row, min_size=1, max_size=4))


@family(
    "csv, any bytes",
    "csv, tsv and txt files of any bytes, in nine encodings",
    "E311 with the file, and the line where there is one",
)
def any_bytes(data: Any, folder: Path) -> Answer:
    """Bytes of no kind, or a table's bytes with some of them changed."""
    content = data.draw(st.binary(max_size=200) | broken_tables())
    path = folder / data.draw(st.sampled_from(["t.csv", "t.tsv", "t.txt", "t.CSV"]))
    path.write_bytes(content)
    node = {}
    if data.draw(st.booleans()):
        node["encoding"] = data.draw(
            st.sampled_from([*ENCODINGS, "utf-7", "idna", "rot13", "x\x00", ""])
        )
    if data.draw(st.booleans()):
        node["decimal"] = ","
    return answer(lambda: read(path, **node), right=None)


@st.composite
def broken_tables(draw: Any) -> bytes:
    """A table in some encoding with bytes changed, cut off or doubled."""
    header, rows = draw(grids(st.text(max_size=5) | st.sampled_from(["1", "2.5", "<0.5", "IL-6"])))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\r", "\u2028"]))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    text = end.join(separator.join(row) for row in [header, *rows])
    content = bytearray(text.encode(draw(st.sampled_from(ENCODINGS)), "replace"))
    return bytes(mutated(draw, content))


def mutated(draw: Any, content: bytearray) -> bytearray:
    """Some bytes changed, put in, taken away, or doubled; at most eight times."""
    how_often = draw(st.integers(0, 8))
    chance = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(how_often):
        at = chance.randrange(len(content) + 1)
        kind = chance.randrange(4)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            content[at:at] = bytes([chance.choice((0, 10, 13, 34, 44, 0xFF, 0xEF, 0x80, 65))])
        elif kind == 2:
            del content[at : at + chance.randrange(1, 9)]
        elif len(content) < 1_000_000:
            content[at:at] = content[at : at + chance.randrange(1, 64)]
    return content


@family(
    "csv, hostile cells",
    "csv files whose cells hold every hostile text, quoted as they should be",
    "the same cells, to the letter",
)
def hostile_csv(data: Any, folder: Path) -> Answer:
    """What the csv module writes is read as it was."""
    header, rows = data.draw(grids())
    separator = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    stream = io.StringIO()
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    path = folder / "t.csv"
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    path.write_bytes(stream.getvalue().encode(encoding))
    node = {"separator": separator} | ({"encoding": "utf-16"} if encoding == "utf-16" else {})

    def right(frame: Any) -> None:
        wanted = meant(header, rows)
        assert found(frame) == wanted, (node, found(frame), wanted)

    return answer(lambda: read(path, **node), right)


@family(
    "table, ragged or doubled",
    "tables with rows too short or long, columns of one name, no rows",
    "E311 with the line",
)
def ragged(data: Any, folder: Path) -> Answer:
    """A row that does not fit its header is refused where it holds anything beyond it."""
    names = st.sampled_from(["a", "b", "b ", "c", "", "é", "e\u0301"])
    header = data.draw(st.lists(names, min_size=1, max_size=5))
    cells = st.sampled_from(["", "1", "x", " "])
    rows = data.draw(st.lists(st.lists(cells, max_size=6), max_size=4))
    path = folder / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])

    def right(frame: Any) -> None:
        columns = list(frame.columns)
        assert len(set(columns)) == len(columns)
        kept = [row for row in rows if any(row)]
        assert [row[: len(columns)] for row in kept] == frame.to_numpy().tolist()
        assert not any(any(row[len(columns) :]) for row in kept)

    return answer(lambda: read(path, separator=","), right)


TYPED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    unicode_text,
    st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)),
    st.dates(),
    st.binary(max_size=5),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
)


def as_text(value: Any) -> str:
    """What a typed cell means as text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value).strip()


@family(
    "parquet, any type",
    "parquet files with columns of every type, and of one name",
    "the same values to the last bit, or E311 with the file",
)
def parquet(data: Any, folder: Path) -> Answer:
    """Typed columns are read as the text that a csv file would hold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = data.draw(st.integers(0, 3))
    kinds = st.sampled_from([
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)), (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.float64(), st.floats()), (pa.string(), unicode_text), (pa.bool_(), st.booleans()),
        (pa.float32(), st.floats(width=32)),
        (pa.timestamp("us"), st.datetimes()), (pa.timestamp("s"), st.integers(-(2**40), 2**40)),
        (pa.date32(), st.integers(-(2**31), 2**31 - 1)), (pa.binary(), st.binary(max_size=5)),
        (pa.list_(pa.int8()), st.lists(st.integers(0, 9), max_size=2)), (pa.null(), st.none()),
        (pa.struct([("a", pa.int8())]), st.fixed_dictionaries({"a": st.integers(0, 9)})),
        (pa.decimal128(6, 3), TYPED.filter(lambda v: v.__class__.__name__ == "Decimal")),
        (pa.duration("us"), st.integers(-(2**60), 2**60)), (pa.time64("us"), st.integers(0,
        86_399_999_999)),
        (pa.float16(), st.floats(width=16)), (pa.large_string(), unicode_text),
        (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b"])),
    ])  # fmt: skip
    chosen = data.draw(st.lists(kinds, min_size=0, max_size=3))
    names = data.draw(st.lists(unicode_text, min_size=len(chosen), max_size=len(chosen)))
    columns = [
        data.draw(st.lists(st.none() | cells, min_size=n, max_size=n)) for _, cells in chosen
    ]
    arrays = [pa.array(cells, kind) for (kind, _), cells in zip(chosen, columns, strict=True)]
    path = folder / "t.parquet"
    pq.write_table(pa.Table.from_arrays(arrays, names=names), path)
    simple = all(kind in (pa.string(), pa.float64()) for kind, _ in chosen)

    def right(frame: Any) -> None:
        assert frame.map(type).eq(str).all().all()
        if simple:
            rows = [list(map(as_text, row)) for row in zip(*columns, strict=True)]
            columns_left = len(frame.columns)
            wanted = [row[:columns_left] for row in rows if any(row)]
            assert frame.to_numpy().tolist() == wanted

    return answer(lambda: read(path), right)


_SHEETS: dict[str, bytes] = {}


def honest_sheet() -> bytes:
    """A small workbook."""
    from openpyxl import Workbook

    if "x" not in _SHEETS:
        book = Workbook()
        book.active.append(["id", "IL-6", "day"])
        book.active.append(["a", 1.5, datetime.date(2024, 1, 1)])
        stream = io.BytesIO()
        book.save(stream)
        _SHEETS["x"] = stream.getvalue()
    return _SHEETS["x"]


@family(
    "xlsx, broken",
    "workbooks with bytes changed, members swapped, or XML inside that is broken",
    "E311 with the file",
    share=0.5,
)
def broken_xlsx(data: Any, folder: Path) -> Answer:
    """A workbook is a zip of XML: each may be broken."""
    import zipfile

    path = folder / "t.xlsx"
    content = honest_sheet()
    if data.draw(st.booleans()):
        content = bytes(mutated(data.draw, bytearray(content)))
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = data.draw(st.sampled_from(sorted(members)))
        how = data.draw(st.sampled_from(["drop", "mutate", "swap", "bytes"]))
        if how == "drop":
            del members[name]
        elif how == "mutate":
            members[name] = bytes(mutated(data.draw, bytearray(members[name])))
        elif how == "swap":
            members[name] = members[data.draw(st.sampled_from(sorted(members)))]
        else:
            members[name] = data.draw(st.binary(max_size=60))
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for member, inside in members.items():
                archive.writestr(member, inside)
        content = stream.getvalue()
    path.write_bytes(content)
    return answer(lambda: read(path), right=None)


def honest_parquet() -> bytes:
    """A small table, each page with a checksum."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if "p" not in _SHEETS:
        buffer = pa.BufferOutputStream()
        table = pa.table({"id": ["a", "b"], "IL-6": [1.5, 2.5], "day": [1, 2]})
        pq.write_table(table, buffer, write_page_checksum=True)
        _SHEETS["p"] = buffer.getvalue().to_pybytes()
    return _SHEETS["p"]


@family("parquet, broken", "parquet files with bytes changed", "E311 with the file")
def broken_parquet(data: Any, folder: Path) -> Answer:
    """A flipped byte in the footer or in a page."""
    path = folder / "t.parquet"
    path.write_bytes(bytes(mutated(data.draw, bytearray(honest_parquet()))))
    return answer(lambda: read(path), right=None)


@family(
    "xlsx, hostile cells",
    "workbooks with numbers, dates, formulas and every hostile text",
    "the same cells; a formula's stored value, nothing is computed",
    share=0.5,
)
def hostile_xlsx(data: Any, folder: Path) -> Answer:
    """Typed cells are read as the text that a csv file would hold."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    text = unicode_text.map(lambda t: ILLEGAL_CHARACTERS_RE.sub("", t)[:32_767]).filter(
        lambda t: not t.startswith("=") and "\r" not in t and "_x" not in t
        and not any(c in "\ufffe\uffff" for c in t)
    )  # fmt: skip
    cells = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(-1e300,
    1e300).map(lambda x: float(f"{x:.15g}")), text,
                      st.booleans())  # fmt: skip
    header, _ = data.draw(grids(text))
    rows = data.draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header)),
                              min_size=1, max_size=3))  # fmt: skip
    book = Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # as text, whatever it looks like: #N/A, 10 %
    path = folder / "t.xlsx"
    book.save(path)

    def right(frame: Any) -> None:
        wanted = meant(list(header), [list(map(number_text, row)) for row in rows])
        names, *cells = found(frame)
        seen = [names, *(list(map(number_text, row)) for row in cells)]
        differ = [(a, b) for one, two in zip(seen, wanted, strict=True)
                  for a, b in zip(one, two, strict=True) if a != b]  # fmt: skip
        assert not differ, differ

    return answer(lambda: read(path), right)


def number_text(value: Any) -> str:
    """A cell as text; a workbook does not tell 1.0 from 1."""
    if isinstance(value, float):
        value = int(value) if value == int(value) and abs(value) < 1e15 else value
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    return as_text(value) if number is None else repr(number)
