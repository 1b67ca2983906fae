"""Replicates, dilutions, plates and faulty wells: the policy of exports, on small long tables."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytobench import DataError
from cytobench.data.cells import read_numbers
from cytobench.data.exports.replicates import variation
from cytobench.data.exports.summary import well_summary
from cytobench.data.readers import Files
from cytobench.data.sources import read_source
from cytobench.data.table import load_table

HEADER = "sample,analyte,value,plate,well,dilution,llod,uloq,unit,type"


@pytest.fixture
def read(tmp_path):
    """``read(rows, **options)`` writes a long table and reads it; rows may end early."""

    def run(rows, header=HEADER, summary=False, **options):
        (tmp_path / "a.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        node = {"file": "a.csv", "format": "long", **options}
        files = Files([tmp_path])
        return well_summary(node, files) if summary else read_source(node, files)

    return run


@pytest.mark.parametrize(
    ("replicates", "cell"),
    [
        (["1", "2"], "1.5"),
        (["1", ""], "1.0"),
        (["", "NaN"], ""),
        (["<0.5", "<0.5"], "<0.5"),
        (["<0.5", "<0.7"], "<0.7"),
        (["OOR <", "<0.5"], "<0.5"),
        (["OOR <", "ND"], "OOR <"),
        (["<0.5", "3"], "<0.5"),
        (["<0.5", "3", "5"], "4.0"),
        (["<0.5", "<0.5", "5"], "<0.5"),
        ([">90", ">80"], ">80.0"),
        ([">90", "70"], ">90.0"),
        ([">90", "70", "80"], "75.0"),
        ([">90", "<0.5"], ""),
        ([">90", "<0.5", "7"], "7.0"),
        (["*3", "5"], "4.0"),
        (["0.1", "0.1", "0.1"], "0.1"),
    ],
)
def test_replicates_become_one_cell(read, replicates, cell):
    rows = [f"P1,IL-6,{text},K1,A{n}" for n, text in enumerate(replicates, start=1)]

    assert read(rows, replicate_cv=9).texts("IL-6") == [cell]


def test_contradictory_replicates_are_noted(read):
    notes = read(["P1,IL-6,>90,K,A1", "P1,IL-6,<0.5,K,A2"]).notes

    assert any(
        "replicates are below and above" in note and "wells A1 and A2" in note for note in notes
    )


def test_wells_at_several_dilutions_speak_where_they_are_in_range(read):
    rows = [
        "P1,IL-6,>2000,K,A1,1",
        "P1,IL-6,300,K,A2,10",
        "P2,IL-6,>2000,K,A3,1",
        "P2,IL-6,>2000,K,A4,10",
    ]

    assert read(rows, dilution="multiply").texts("IL-6") == ["3000.0", ">2000.0"]


def test_a_value_beyond_its_wells_limit_is_flagged(read):
    rows = ["P1,IL-6,0.1,K,A1,,0.5,90", "P2,IL-6,95,K,A2,,0.5,90", "P3,IL-6,0.5,K,A3,,0.5,90"]

    assert read(rows).texts("IL-6") == ["<0.5", ">90.0", "0.5"]


def test_limits_go_with_the_dilution(read):
    rows = ["P1,IL-6,0.1,K,A1,4,0.5", "P2,IL-6,ND,K,A2,4,0.5"]

    assert read(rows, dilution="multiply").texts("IL-6") == ["<2.0", "<2.0"]
    already = {"dilution": "already", "limit_dilution": "already"}
    assert read(rows, **already).texts("IL-6") == ["<0.5", "<0.5"]
    assert read(rows, dilution="multiply", limit_dilution="already").texts("IL-6")[1] == "<0.5"


REPEATED = ["P1,IL-6,1,K,A1", "P1,IL-6,3,K,A2", "P2,IL-6,5,K,A3", "P2,IL-6,5.1,K,A4"]


def test_replicates_that_disagree_are_noted_dropped_or_refused(read):
    noted = read(REPEATED)
    dropped = read(REPEATED, replicate_cv_action="drop")

    assert noted.texts("IL-6") == ["2.0", "5.05"]
    assert any("1 of 2 replicated results; worst 71%: sample 'P1'" in note for note in noted.notes)
    assert dropped.texts("IL-6") == ["", "5.05"]
    assert any("they were set to missing" in note for note in dropped.notes)
    with pytest.raises(DataError, match=r"E336.*a\.csv, line 2, well A1(.|\n)*worst 71%"):
        read(REPEATED, replicate_cv_action="error")
    assert read(REPEATED, replicate_cv=0.8).notes == []


def test_the_coefficient_of_variation():
    numbers = [4.1, 4.4, 3.9]

    assert variation(numbers) == pytest.approx(np.std(numbers, ddof=1) / np.mean(numbers))
    assert math.isnan(variation([4.1]))


BRIDGE = ["P1,IL-6,1,K1,A1", "P2,IL-6,2,K1,A2", "P1,IL-6,3,K2,A1", "P3,IL-6,4,K2,A2"]


def test_a_sample_on_two_plates_is_refused_unless_it_is_a_bridge(read):
    with pytest.raises(
        DataError, match=r"E338.*line 4, well A1(.|\n)*line 2, well A1(.|\n)*bridge"
    ):
        read(BRIDGE)
    first, mean = (read(BRIDGE, bridge=how) for how in ("first", "mean"))

    assert first.texts("IL-6") == ["1.0", "2.0", "4.0"]
    assert mean.texts("IL-6") == ["2.0", "2.0", "4.0"]
    assert first.texts("plate") == mean.texts("plate") == ["K1", "K1", "K2"]
    assert any("1 sample is on several plates" in note for note in mean.notes)


def test_a_bridge_between_two_files(tmp_path, read):
    for plate, value in (("K1", 1), ("K2", 3)):
        (tmp_path / f"{plate}.csv").write_text(f"sample,analyte,value,well\nP1,IL-6,{value},A1\n")
    node = {"file": ["K1.csv", "K2.csv"], "format": "long", "bridge": "mean"}

    assert read_source(node, Files([tmp_path])).texts("IL-6") == ["2.0"]


def test_panels_on_plates_of_their_own_are_side_by_side(read):
    source = read(["P1,IL-6,1,K1,A1", "P1,CRP,2,K2,A1"])

    assert (source.texts("IL-6"), source.texts("CRP")) == (["1.0"], ["2.0"])
    assert source.texts("plate") == ["K1 + K2"]
    assert source.place("CRP", 0) == "a.csv, line 3, well A1, column 'CRP'"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("P2,IL-6,abc,K,A2", r"E333.*line 3, well A2, column 'value'.*'abc' is no result"),
        ("P2,IL-6,\"1,5\",K,A2", r"E333.*well A2.*'1,5'(.|\n)*decimal"),
        ("P2,IL-6,2,K,A2,1:4", r"E333.*well A2.*dilution factor is '1:4'(.|\n)*1 in 10 as 10"),
        ("P2,IL-6,2,K,A2,0", r"E333.*dilution factor is '0'"),
        ("P2,IL-6,2,K,A2,1,low", r"E333.*well A2.*lower limit is 'low'"),
        ("P2,IL-6,2,K,A2,4", r"E334.*line 3, well A2.*diluted by 4"),
        ("P2,IL-6,2,K,A1", r"E335.*line 3, well A1.*first at a\.csv, line 2, well A1"),
        ("P1,IL-6,2,K,A2,1,,,ng/mL", r"E337.*line 3, well A2.*'ng/mL', and in 'pg/mL' at a"),
        ("P2,IL-6,2 pg/mL,K,A2,1,,,ng/mL", r"E337.*well A2.*cell says 'pg/mL'.*'ng/mL'"),
        ("P2,,2,K,A2", r"E339.*line 3, well A2.*of no analyte"),
        ("P2,plate,2,K,A2", r"E331.*line 3.*an analyte is called 'plate'"),
        ("P2,IL-6,2,K,A2,1,,,,,,,surplus", r"E331.*line 3.*has 13 cells, the header has 10"),
    ],
)  # fmt: skip
def test_a_faulty_well_is_named(read, row, said):
    with pytest.raises(DataError, match=said):
        read(["P1,IL-6,1,K,A1,1,,,pg/mL", row])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "luminex"}, "unknown value 'luminex'"),
        ({"dilution": "yes"}, "unknown value 'yes'"),
        ({"replicate_cv": 0}, "a number above 0"),
        ({"replicate_cv_action": "warn"}, "unknown value 'warn'"),
        ({"bridge": "median"}, "unknown value 'median'"),
        ({"types": ["patient"]}, "unknown value 'patient'"),
        ({"types": {"standard": "("}}, "no regular expression"),
        ({"columns": {"smaple": "x"}}, "did you mean 'sample'"),
        ({"columns": "sample"}, "expected `role: column` pairs"),
        ({"limits": "standards"}, "for bioplex only"),
        ({"format": "bioplex", "limits": "standards", "recovery": [130, 70]}, "lower one first"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(read, options, said):
    with pytest.raises(DataError, match=rf"E322(.|\n)*{said}"):
        read(REPEATED, **options)


def test_a_column_that_is_not_there_is_named_with_its_neighbour(read):
    with pytest.raises(
        DataError, match=r"E331.*a\.csv, line 1.*'Value'(.|\n)*did you mean 'Valeu'"
    ):
        read(["P1,IL-6,1"], header="Sample,Analyte,Valeu", columns={"value": "Value"})


def test_names_tell_standards_from_samples_unless_the_yaml_does(read):
    rows = [
        "Std 1,IL-6,1",
        "S1,IL-6,2",
        "QC low,IL-6,3",
        "Patient control group,IL-6,4",
        "Control 1,IL-6,5",
    ]

    usual = read(rows)
    own = read(rows, types={"standard": r"S\d+", "control": "QC.*"})
    all_kept = read(rows, types=["sample", "control"])

    assert usual.texts("sample") == ["S1", "QC low", "Patient control group"]
    assert own.texts("sample") == ["Std 1", "Patient control group", "Control 1"]
    assert all_kept.texts("sample") == ["S1", "QC low", "Patient control group", "Control 1"]


def test_a_column_of_types_overrules_names(read):
    rows = ["Control 1,IL-6,5,K,A1,,,,,sample", "X,IL-6,5,K,A2,,,,,Standard"]

    assert read(rows).texts("sample") == ["Control 1"]


def test_an_export_without_samples_says_what_there_is(read):
    with pytest.raises(DataError, match=r"E332.*a\.csv.*there are blank, standard(.|\n)*types"):
        read(["Std 1,IL-6,1", "Blank,IL-6,0"])


def test_wells_without_a_sample_are_left_out_and_counted(read):
    source = read(["P1,IL-6,1,K,A1", ",IL-6,,K,A2", ",,,K,A3"])

    assert source.texts("sample") == ["P1"]
    assert source.notes == ["a.csv: 2 wells without a sample left out"]


def test_the_summary_has_replicates_and_limits_of_each_plate(read):
    rows = [
        "P1,IL-6,4,K1,A1,1,0.5,90", "P1,IL-6,6,K1,A2,1,0.5,90", "P2,IL-6,ND,K1,A3,1,0.5,90",
        "P3,IL-6,>80,K2,A1,1,0.7", "Std1,IL-6,80,K2,A2,1,0.7",
    ]  # fmt: skip

    summary = read(rows, summary=True)

    replicates = summary.replicates.set_index("sample")
    assert replicates.loc["P1", ["wells", "detected", "value"]].tolist() == ["A1, A2", 2, 5.0]
    assert replicates.loc["P1", "cv"] == pytest.approx(math.sqrt(2) / 5)
    assert replicates.loc["P2", ["detected", "below"]].tolist() == [0, 1]
    limits = summary.limits.set_index("plate")
    assert limits.loc["K1", ["llod", "uloq", "samples", "below"]].tolist() == [0.5, 90, 2, 1]
    assert limits.loc["K2", ["llod", "uloq", "above"]].tolist() == [0.7, 80, 1]
    assert summary.notes == ("a.csv: 1 well of standards left out: 'Std1'",)


def test_many_samples_keep_their_order_and_their_cells(read):
    rows = [f"P{i},A{j},{i}.{j},K,W{i}" for i in range(1, 300) for j in range(1, 6)]

    source = read(rows)

    assert source.texts("sample") == [f"P{i}" for i in range(1, 300)]
    assert source.texts("A3") == [f"{i}.3" for i in range(1, 300)]


def test_a_missing_word_of_the_laboratory(read):
    assert read(["P1,IL-6,lost,K,A1", "P2,IL-6,1,K,A2"], missing=["lost"]).texts("IL-6") == [
        "",
        "1.0",
    ]


WRITTEN = ("sample", "analyte", "value", "plate", "well")
FINITE = st.floats(min_value=0, max_value=1e12, allow_nan=False)
CELL = st.tuples(st.sampled_from(["", "<", ">"]), FINITE) | st.just(("", None))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    table=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12),
    decimal=st.sampled_from([".", ","]),
    order=st.randoms(use_true_random=False),
)
def test_wells_written_as_a_long_table_come_back_as_they_were(tmp_path, table, decimal, order):
    def written(sign, number):
        return "" if number is None else f"{sign}{number!r}".replace(".", decimal)

    names = [*WRITTEN]
    order.shuffle(names)
    wells = [
        dict(zip(WRITTEN, (f"P{i}", name, written(*cell), "K", f"A{i}"), strict=True))
        for i, row in enumerate(table)
        for name, cell in zip(("IL-6", "CRP"), row, strict=True)
    ]
    lines = [";".join(names), *(";".join(well[name] for name in names) for well in wells)]
    (tmp_path / "w.csv").write_text("\n".join(lines))

    source = read_source({"file": "w.csv", "format": "long", "decimal": decimal}, Files([tmp_path]))

    for position, name in enumerate(("IL-6", "CRP")):
        numbers = read_numbers(source.texts(name))
        cells = [row[position] for row in table]
        expected = [math.nan if number is None else number for _, number in cells]
        np.testing.assert_array_equal(numbers.values, expected)
        assert numbers.below.tolist() == [sign == "<" for sign, _ in cells]
        assert numbers.above.tolist() == [sign == ">" for sign, _ in cells]


def test_a_wrong_unit_in_one_well_reaches_the_person(tmp_path):
    (tmp_path / "a.csv").write_text(
        "sample,analyte,value,unit,well\nP1,IL-6,1,pg/mL,A1\nP2,IL-6,2,ng/mL,A2\n"
    )
    (tmp_path / "c.csv").write_text("sample,y\nP1,1\nP2,0\n")
    config = {
        "name": "t",
        "source": {
            "join": [{"file": "a.csv", "format": "long"}, {"file": "c.csv"}],
            "by": "sample",
        },
        "analytes": {"columns": ["IL-6"]},
        "outcome": {"label": "y", "positive": [1]},
    }

    with pytest.raises(DataError, match=r"E316.*a\.csv, line 3, well A2, column 'IL-6'.*'ng/mL'"):
        load_table(config, folders=[tmp_path])
