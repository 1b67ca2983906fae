"""Little input that asks for much: memory, time, a place outside. Each is refused at once."""

import csv
import io
import os
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.hostile.overrides import inside
from support.hostile.tables import honest_sheet, read
from support.hostile.trying import limited

from cytobench.config import compose_jobs
from cytobench.core.errors import CytobenchError, DataError, UsageError, did_you_mean
from cytobench.data.cells import read_numbers, with_point
from cytobench.data.exports.wells import split_unit
from cytobench.data.patterns import Pattern
from cytobench.data.readers import Files
from cytobench.data.sources import read_source
from cytobench.run.cells import load_cell
from cytobench.run.jobs import plan_jobs
from cytobench.run.store import RunStore

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture(autouse=True)
def within_ten_seconds():
    with limited(10):
        yield


def workbook(path, sheet=None, **more):
    """An honest workbook with another sheet, or further members."""
    with zipfile.ZipFile(io.BytesIO(honest_sheet())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if sheet is not None:
        members[SHEET] = f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>'.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, **more}.items():
            archive.writestr(name, content)
    return path


def row(number, *cells):
    """A row of a sheet's XML: ``row(3, ("A3", 1))``."""
    inside_of = "".join(f'<c r="{place}"><v>{value}</v></c>' for place, value in cells)
    return f'<row r="{number}">{inside_of}</row>'


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(tmp_path):
    path = workbook(tmp_path / "t.xlsx", **{"xl/sharedStrings.xml": b"\0" * (300 * 2**20)})

    tracemalloc.start()
    with pytest.raises(DataError, match=r"E311.*t\.xlsx.*would unpack to"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert path.stat().st_size < 2**20
    assert peak < 30 * 2**20


def test_a_workbook_may_not_say_that_it_has_a_cell_in_the_last_corner(tmp_path):
    cells = row(1, ("A1", 1), ("XFD1", 2)) + row(1_048_576, ("A1048576", 3))

    with pytest.raises(DataError, match=r"E311.*more than 20000000 cells"):
        read(workbook(tmp_path / "t.xlsx", f"<sheetData>{cells}</sheetData>"))


@pytest.mark.parametrize("stated", ["A1:A1", "A1:XFD1048576", "B7:C9"])
def test_what_a_sheet_says_of_its_size_cuts_no_row_off(tmp_path, stated):
    cells = row(1, ("A1", 10), ("B1", 20)) + row(2, ("A2", 1), ("B2", 2)) + row(3, ("A3", 3))
    sheet = f'<dimension ref="{stated}"/><sheetData>{cells}</sheetData>'

    frame = read(workbook(tmp_path / "t.xlsx", sheet))

    assert frame.to_numpy().tolist() == [["1", "2"], ["3", ""]]


def test_entities_in_a_workbooks_xml_are_not_written_out(tmp_path):
    names = "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&i;</t></is></c></row>'
    text = (
        f'<!DOCTYPE x [<!ENTITY a "lol">{names}]>'
        f'<worksheet xmlns="{MAIN}"><sheetData>{cell}</sheetData></worksheet>'
    )

    with pytest.raises(DataError, match="E311"):
        read(workbook(tmp_path / "t.xlsx", **{SHEET: text}))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_cell_of_a_million_characters_is_refused(tmp_path, suffix):
    import pandas as pd

    frame = pd.DataFrame({"id": ["a"], "note": ["x" * 1_000_000]})
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)

    with pytest.raises(DataError, match=r"E311.*131072") as caught:
        read(path)
    assert len(str(caught.value)) < 1000


def test_ten_thousand_columns_are_a_table_as_any(tmp_path):
    names = [f"m{k}" for k in range(10_000)]
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([names, *[range(10_000)] * 20])

    begun = time.process_time()
    source = read_source({"file": "t.csv"}, Files([tmp_path]))

    assert source.texts("m9999") == ["9999"] * 20
    assert time.process_time() - begun < 5


def test_a_margin_of_sixteen_thousand_empty_columns_costs_nothing(tmp_path):
    lines = [["id", "y"], *([str(k), "1"] for k in range(200))]
    (tmp_path / "t.csv").write_text("\n".join(",".join(line) + "," * 16_000 for line in lines))

    begun = time.process_time()
    frame = read(tmp_path / "t.csv", separator=",")

    assert frame.shape == (200, 2)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("text", ["1" * 100_000 + "!", "1," * 50_000, "<" * 100_000, "(" * 900])
def test_no_pattern_takes_the_square_of_a_cells_length(text):
    begun = time.process_time()

    read_numbers([text])
    with_point(text)
    split_unit(text[:1000])
    did_you_mean(text, [text + "x", "y"])

    assert time.process_time() - begun < 2


def backtracking():
    """A table whose pattern doubles its time with each letter; a millennium for these."""
    return {"site": {"column": "id", "pattern": r"^((?:a|aa)+)\d$"}}


def test_a_pattern_that_backtracks_for_ever_is_given_up_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr("cytobench.data.patterns.SECONDS", 0.3)
    (tmp_path / "t.csv").write_text(f"id\n{'a' * 60}!\n")

    with pytest.raises(DataError, match=r"E328.*extract\.site\.pattern.*a\|aa.*too long on 'aaa"):
        read_source({"file": "t.csv", "extract": backtracking()}, Files([tmp_path]))


def test_a_pattern_is_given_up_in_a_thread_as_well(tmp_path):
    pattern = Pattern(backtracking()["site"]["pattern"], "extract.site", seconds=0.3)

    with ThreadPoolExecutor(1) as pool, pytest.raises(DataError, match="E328"):
        pool.submit(pattern.search, "a" * 60).result()


def test_cells_share_the_time_of_their_pattern():
    pattern = Pattern(backtracking()["site"]["pattern"], "extract.site", seconds=0.5)
    begun = time.process_time()

    with pytest.raises(DataError, match="E328"):
        list(map(pattern.search, ("a" * letters for letters in range(20, 60))))

    assert time.process_time() - begun < 2


@pytest.mark.parametrize("text", ["(" * 5000, "x{99999999999999}", "[", "a**", "(?P<1>a)"])
def test_a_pattern_that_is_none_is_refused(text):
    with pytest.raises(DataError, match=r"E322.*no regular expression"):
        Pattern(text, "extract.site")


def test_whole_numbers_of_a_parquet_file_keep_every_digit_beside_an_empty_cell(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = [2**53 + 1, None, -(2**63)]
    pq.write_table(
        pa.table({"id": pa.array(ids, pa.int64()), "y": ["a", "b", "c"]}), tmp_path / "t.parquet"
    )

    assert read(tmp_path / "t.parquet")["id"].tolist() == ["9007199254740993", "", str(-(2**63))]


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 10)
)
CONFIGURATIONS = {
    "aliases of aliases": LAUGHS,
    "an alias within itself": "a: &a [*a]\n",
    "a tag that would build an object": "a: !!python/object/apply:os.system ['touch canary']\n",
    "a tag that names a function": "a: !!python/name:os.system\n",
    "brackets without end": "a: " + "[" * 5000 + "\n",
    "more than anybody writes": "a: " + "x" * 600_000 + "\n",
    "another encoding": "a: é\n".encode("utf-16"),
    "a NUL": "a: \x00\n",
    "no mapping": "- a\n- b\n",
    "no YAML": "a: b: c\n",
}


@pytest.mark.parametrize("what", CONFIGURATIONS)
@pytest.mark.parametrize("asked", ["dataset=mine", "dataset=mine+sim_null"])
def test_a_configuration_that_cannot_be_meant_is_refused_with_its_file(tmp_path, what, asked):
    content = CONFIGURATIONS[what]
    path = tmp_path / "conf" / "dataset" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)

    with inside(tmp_path), pytest.raises(UsageError, match=r"E117.*mine\.yaml"):
        compose_jobs([asked])

    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "words",
    [["seed=range(0,1000000000)"], ["seed=range(0,200)", "tuning.trials=range(1,200)"],
     ["permutations=1000000000"], ["protocol.repeats=1e30"]],
)  # fmt: skip
def test_a_sweep_over_more_than_anybody_waits_for_is_refused(words, working_directory):
    with pytest.raises(CytobenchError, match=r"E101|E118|E111"):
        load_cell(plan_jobs(["dataset=sim_null", "model=prior", *words]).cells[0])


@pytest.mark.parametrize("word", ["+@x=ridge", "+@=ridge", "@x=ridge", "~@", "+@x@y=ridge"])
def test_an_override_without_a_key_is_none(word, working_directory):
    with pytest.raises(UsageError, match=r"E101.*no override"):
        plan_jobs([word])


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a/b", "..", ".", "", "a\x00b"])
@pytest.mark.parametrize("key", ["dataset.name", "task.name", "model.name"])
def test_a_name_that_would_leave_the_store_is_refused(name, key, working_directory):
    with pytest.raises(UsageError, match=r"E118|E101"):
        plan_jobs(["dataset=sim_null", "model=prior", f'{key}="{name}"'])


def test_a_store_that_points_outside_itself_is_not_followed(tmp_path):
    marker = tmp_path / "runs" / "index" / "suite" / "entry" / "slot"
    marker.parent.mkdir(parents=True)
    marker.write_text("../../elsewhere")

    with pytest.raises(CytobenchError, match=r"E510.*slot"):
        RunStore(tmp_path / "runs").keys("suite", "entry")


def test_bytes_of_no_encoding_on_the_command_line_are_refused(cytobench, working_directory):
    name = os.fsdecode(b"\xff\xfe")

    done = cytobench("run", f"dataset={name}", check=False)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
