"""Files, stacks and joins: what is read, what is noted, and where a cell came from."""

import pandas as pd
import pytest

from cytobench import DataError
from cytobench.data.readers import Files
from cytobench.data.sources import read_source


@pytest.fixture
def read(tmp_path):
    """``read(node, "a.csv"="...")`` writes the files and reads the source."""

    def run(node, files=None, **contents):
        for name, text in contents.items():
            (tmp_path / f"{name}.csv").write_bytes(
                text if isinstance(text, bytes) else text.encode()
            )
        return read_source(node, files or Files([tmp_path]))

    return run


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_header(read, separator):
    source = read({"file": "a.csv"}, a=separator.join(["id", "IL-6\n1", "2"]))

    assert source.columns == ["id", "IL-6"]


def test_a_byte_order_mark_and_spaces_around_names_are_dropped(read):
    source = read({"file": "a.csv"}, a="\ufeffid , IL-6 \n1,2\n")

    assert source.columns == ["id", "IL-6"]


def test_lines_are_counted_as_an_editor_does(read):
    source = read({"file": "a.csv"}, a='id,note\n1,"two\nlines"\n\n,\n2,x\n')

    assert [source.place("id", row) for row in range(2)] == [
        "a.csv, line 2, column 'id'",
        "a.csv, line 6, column 'id'",
    ]


def test_rows_and_columns_without_content_are_no_error(read):
    source = read({"file": "a.csv"}, a="id,y,,\n1,2,,\n,,,\n3,4,,\n")

    assert source.columns == ["id", "y"]
    assert source.texts("y") == ["2", "4"]


def test_another_encoding_has_to_be_named(read):
    latin = "id,Zentrum\n1,Köln\n".encode("latin-1")

    with pytest.raises(DataError, match=r"E311.*cannot be read(.|\n)*encoding.*latin-1"):
        read({"file": "a.csv"}, a=latin)
    assert read({"file": "a.csv", "encoding": "latin-1"}).texts("Zentrum") == ["Köln"]


def test_a_table_in_utf_16_says_so_itself(read):
    unicode_text = "id,Zentrum\n1,Köln\n".encode("utf-16")

    with pytest.raises(DataError, match="set `encoding: utf-16`"):
        read({"file": "a.csv"}, a=unicode_text)
    assert read({"file": "a.csv", "encoding": "utf-16"}).texts("Zentrum") == ["Köln"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"no spreadsheet", "cannot be read"),
        ("a.parquet", b"no parquet", "cannot be read"),
        ("a.doc", b"x", r"cannot read \.doc(.|\n)*known: \.csv"),
        ("a.csv", b"", "has no rows"),
        ("a.csv", b"id,y\n", "has no rows"),
        ("a.csv", b"id,id\n1,2\n", "two columns are called 'id'"),
        ("a.csv", b"id,y\n1,2,3\n", "line 2: has 3 cells, the header has 2"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError, match=rf"E311.*{said}"):
        read_source({"file": name}, Files([tmp_path]))


def test_an_absent_file_names_every_place_that_was_looked_in(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]

    with pytest.raises(DataError, match=r"E310.*one/a\.csv, .*two/a\.csv(.|\n)*CYTOBENCH_DATA"):
        read_source({"file": "a.csv"}, Files(folders))


def test_the_first_folder_that_has_the_file_wins(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(f"x\n{folder}\n")

    source = read_source({"file": "a.csv"}, Files([tmp_path / "one", tmp_path / "two"]))

    assert source.texts("x") == ["one"]


def test_sites_may_write_numbers_and_missing_in_their_own_way(read):
    node = {
        "stack": [
            {"file": "bonn.csv", "decimal": ",", "missing": ["k. A.", -99]},
            {"file": "york.csv"},
        ]
    }

    source = read(node, bonn="id;x\n1;3,5\n2;-99\n3;k. A.\n", york="id,x\n4,2.5\n")

    assert source.texts("x") == ["3.5", "", "", "2.5"]


def test_a_spreadsheets_typed_numbers_have_points_whatever_the_texts_have(tmp_path):
    pd.DataFrame({"x": [1.5]}).to_excel(tmp_path / "a.xlsx", index=False)

    source = read_source({"file": "a.xlsx"}, Files([tmp_path], decimal=","))

    assert source.texts("x") == ["1.5"]


def test_each_cell_of_a_stack_of_joins_knows_its_file_and_line(read):
    node = {
        "stack": [
            {"join": [{"file": "a.csv"}, {"file": "b.csv"}], "by": "id"},
            {"file": "c.csv"},
        ]
    }

    source = read(node, a="id,y\n1,0\n2,1\n", b="id,IL-6\n2,5\n1,4\n", c="id,y,IL-6\n3,1,6\n")

    assert source.texts("IL-6") == ["4", "5", "6"]
    assert [source.place("IL-6", row) for row in range(3)] == [
        "b.csv, line 3, column 'IL-6'",
        "b.csv, line 2, column 'IL-6'",
        "c.csv, line 2, column 'IL-6'",
    ]


def test_keys_of_a_join_are_compared_without_spaces_around_them(read):
    node = {"join": [{"file": "a.csv"}, {"file": "b.csv"}], "by": "id"}

    source = read(node, a="id,x\n1 ,7\n", b="id,y\n 1,8\n")

    assert source.texts("y") == ["8"]


def test_a_join_on_two_columns(read):
    node = {"join": [{"file": "a.csv"}, {"file": "b.csv"}], "by": ["site", "id"]}

    source = read(node, a="site,id,x\nA,1,7\nB,1,8\n", b="site,id,y\nB,1,3\nA,1,4\n")

    assert source.texts("y") == ["4", "3"]


def test_a_left_join_keeps_who_has_no_partner(read):
    node = {"join": [{"file": "a.csv"}, {"file": "b.csv"}], "by": "id", "how": "left"}

    source = read(node, a="id,x\n1,7\n2,8\n", b="id,y\n1,9\n")

    assert source.texts("y") == ["9", ""]
    assert source.place("y", 1) == "a.csv, line 3, column 'y'"
    assert source.notes == ["1 of 2 rows of a.csv have no partner in the join"]


def test_a_join_without_any_match_shows_the_key(read):
    node = {"join": [{"file": "a.csv"}, {"file": "b.csv"}], "by": "id"}

    with pytest.raises(DataError, match=r"E325.*b\.csv.*no id of b\.csv is also in a\.csv"):
        read(node, a="id,x\np1,7\n", b="id,y\nP1,9\n")


def test_two_columns_of_one_name_cannot_be_joined(read):
    node = {"join": [{"file": "a.csv"}, {"file": "b.csv"}], "by": "id"}

    with pytest.raises(DataError, match=r"E323.*'x'(.|\n)*rename"):
        read(node, a="id,x\n1,7\n", b="id,x\n1,9\n")


def test_two_columns_may_swap_their_names(read):
    source = read({"file": "a.csv", "rename": {"x": "y", "y": "x"}}, a="x,y\n1,2\n")

    assert (source.texts("x"), source.texts("y")) == (["2"], ["1"])


def test_columns_are_kept_or_dropped(read):
    table = "id,x,y\n1,2,3\n"

    assert read({"file": "a.csv", "keep": ["id", "x"]}, a=table).columns == ["id", "x"]
    assert read({"file": "a.csv", "drop": "x"}, a=table).columns == ["id", "y"]


FILTERED = "id,visit,x\n1,T1,5\n1,T2,7\n2,T1,\n3,T1,<2\n"


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ({"equals": "T1"}, ["1", "2", "3"]),
        ({"in": ["T2", "T3"]}, ["1"]),
        ({"not_in": ["T2"]}, ["1", "2", "3"]),
    ],
)
def test_rows_are_chosen_by_their_words(read, rule, left):
    node = {"file": "a.csv", "rows": [{"column": "visit", **rule}]}

    assert read(node, a=FILTERED).texts("id") == left


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ({"present": True}, ["1", "1", "3"]),
        ({"present": False}, ["2"]),
        ({"min": 5}, ["1", "1"]),
        ({"max": 5}, ["1", "3"]),
        ({"min": 5, "max": 6}, ["1"]),
    ],
)
def test_rows_are_chosen_by_their_numbers(read, rule, left):
    node = {"file": "a.csv", "rows": [{"column": "x", **rule}]}

    assert read(node, a=FILTERED).texts("id") == left


@pytest.mark.parametrize(("wanted", "left"), [([True], ["1", "3"]), ([False], ["2"])])
def test_yes_and_no_are_booleans_in_yaml_and_words_in_a_table(read, wanted, left):
    node = {"file": "a.csv", "rows": [{"column": "ok", "in": wanted}]}

    assert read(node, a="id,ok\n1,yes\n2,No\n3,TRUE\n").texts("id") == left


def test_the_first_row_of_each_patient_in_the_order_of_the_file(read):
    source = read({"file": "a.csv", "first_of": "id"}, a=FILTERED)

    assert source.texts("visit") == ["T1", "T1", "T1"]
    assert source.notes == ["1 further rows of the same id left out"]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({}, "expected one of file, stack, join"),
        ("a.csv", "expected one of file, stack, join"),
        ({"file": "a.csv", "separater": ";"}, "did you mean 'separator'"),
        ({"file": "a.csv", "decimal": "·"}, r"decimal: unknown value '·'"),
        ({"stack": [{"file": "a.csv"}]}, "two sources or more"),
        ({"join": [{"file": "a.csv"}, {"file": "a.csv"}]}, "expected `by:`"),
        ({"join": [{"file": "a.csv"}] * 2, "by": "id", "how": "outer"}, "unknown value 'outer'"),
        ({"file": "a.csv", "rows": [{"column": "x", "equal": 1}]}, "did you mean 'equals'"),
        ({"file": "a.csv", "rows": [{"column": "x"}]}, "expected one of equals, in"),
        ({"file": "a.csv", "rows": [{"min": 3}]}, "expected `column:`"),
        ({"file": "a.csv", "rows": {"column": "x", "min": "3"}}, "expected a number, found '3'"),
        ({"file": "a.csv", "rename": {"x": "id"}}, "two columns would be called 'id'"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(read, node, said):
    with pytest.raises(DataError, match=rf"E322(.|\n)*{said}"):
        read(node, a=FILTERED)


def test_a_number_is_not_compared_with_a_word(read):
    node = {"file": "a.csv", "rows": [{"column": "visit", "min": 3}]}

    with pytest.raises(DataError, match=r"E313.*a\.csv, line 2, column 'visit'.*'T1' is no number"):
        read(node, a=FILTERED)


def small_file(tmp_path, text):
    from cytobench.data.readers import Files

    (tmp_path / "t.csv").write_text(text)
    return Files([tmp_path])


def test_columns_are_chosen_by_their_place_and_named_after_the_choice(tmp_path):
    files = small_file(tmp_path, "id,x,a,b,rest\n1,2,3,4,5\n")
    node = {
        "file": "t.csv",
        "positions": {"from": 3, "to": 4},
        "rename": [{"from": "a", "to": "IL-6"}],
    }

    assert read_source(node, files).columns == ["IL-6", "b"]


@pytest.mark.parametrize("ends", [(0, 2), (2, 1), (1, 9), ("a", "b")])
def test_positions_beyond_the_file_are_refused(ends, tmp_path):
    files = small_file(tmp_path, "id,x,a,b,rest\n1,2,3,4,5\n")

    with pytest.raises(DataError, match=r"E322.*positions between 1 and 5"):
        read_source({"file": "t.csv", "positions": dict(zip(("from", "to"), ends, strict=True))},
                    files)  # fmt: skip


def test_a_part_of_a_text_becomes_a_column_and_what_lacks_it_is_counted(tmp_path):
    files = small_file(tmp_path, "id\nCBN01_UBC_1\nCBN01_TGH_2\nother\n")
    node = {
        "file": "t.csv",
        "extract": {"site": {"column": "id", "pattern": "CBN01_([A-Z]{3})_"}},
    }

    source = read_source(node, files)

    assert source.texts("site") == ["UBC", "TGH", ""]
    assert any("'site' is missing in 1 of 3 rows" in note for note in source.notes)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"column": "id", "pattern": "["}, "no regular expression"),
        ({"column": "id", "pattern": "x"}, "a group in brackets"),
        ({"column": "id", "pattern": "(zzz)"}, "found in no cell"),
        ({"column": "nope", "pattern": "(x)"}, "no column"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(item, words, tmp_path):
    with pytest.raises(DataError, match=words):
        read_source({"file": "t.csv", "extract": {"site": item}}, small_file(tmp_path, "id\nA_1\n"))
