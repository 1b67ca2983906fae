"""Exports of instruments, through the dataset's YAML, to flags and limits in a cohort."""

import math
from pathlib import Path

import pytest

from cytobench import DataError
from cytobench.data.readers import Files
from cytobench.data.sources import read_source
from cytobench.data.table import load_table

EXPORTS = Path(__file__).parent / "exports"


def load(export, *, folders=(), analytes=None, **changes):
    """The cohort of an export that is joined with the clinical table."""
    clinical = {"file": "clinical.csv", "rename": {"id": "sample"}}
    config = {
        "name": "trial",
        "source": {"join": [export, clinical], "by": "sample"},
        "patient": "sample",
        "plate": "plate",
        "arm": "drug",
        "analytes": {"columns": ["IL-6", "TNF-a"]} if analytes is None else analytes,
        "outcome": {"scale": "HAM-D17", "baseline": "before", "endpoint": "after"},
        "checks": {"minimum_arm": 1},
        **changes,
    }
    return load_table(config, folders=[*folders, EXPORTS])


def read(node, *folders):
    return read_source(node, Files([*folders, EXPORTS]))


def by_patient(cohort, column):
    return cohort.column(column).to_dict()


XPONENT = {"file": "xponent_1.csv", "format": "xponent", "dilution": "already"}


def test_xponent_results_arrive_with_flags_limits_units_and_plate():
    cohort = load(XPONENT)

    assert cohort.patients == ["P1", "P2", "P3", "P4", "P5"]
    assert by_patient(cohort, "IL-6") == {"P1": 1.1, "P2": 0.64, "P3": 2000, "P4": 0.64, "P5": 0.1}
    assert by_patient(cohort, "IL-6__below") == {
        "P1": False, "P2": True, "P3": False, "P4": True, "P5": False,
    }  # fmt: skip
    assert by_patient(cohort, "IL-6__above")["P3"]
    tnf = by_patient(cohort, "TNF-a")
    assert math.isnan(tnf.pop("P5"))
    assert tnf == {"P1": 9.0, "P2": 7.25, "P3": 20.0, "P4": 6.5}
    assert [(a.name, a.unit) for a in cohort.panel] == [("IL-6", "pg/mL"), ("TNF-a", "pg/mL")]
    assert set(cohort.labels("plate")) == {"Panel plate 1"}


def test_what_was_left_out_is_in_the_notes():
    notes = "\n".join(load(XPONENT).notes)

    assert "xponent_1.csv: 1 well of standards left out: 'Standard1'" in notes
    assert "1 well of blanks left out: 'Background0'" in notes
    assert "1 well of controls left out: 'Control1'" in notes
    assert "2 of 18 results without a result" in notes
    assert "well B2, column 'TNF-a'" in notes
    assert (
        "more than 20% (CV) in 1 of 4 replicated results; worst 71%: sample 'P3', "
        "xponent_1.csv, lines 29 and 30, wells H1 and A2, column 'TNF-a'" in notes
    )


def test_two_plates_with_decimal_commas_and_another_order_of_columns():
    second = {**XPONENT, "file": "xponent_2_comma.csv", "decimal": ","}

    cohort = load({"stack": [XPONENT, second]})

    il6 = by_patient(cohort, "IL-6")
    assert (il6["P6"], il6["P7"], il6["P8"]) == (1.625, 1.28, 2.5)
    assert by_patient(cohort, "TNF-a")["P6"] == 8.0
    assert cohort.labels("plate") == ["Panel plate 1"] * 5 + ["Panel plate 2"] * 3
    flags = by_patient(cohort, "IL-6__below")
    assert [name for name, flag in flags.items() if flag] == ["P2", "P4", "P7"]


def test_dilution_may_have_to_be_multiplied():
    il6 = read({**XPONENT, "dilution": "multiply"}).texts("IL-6")

    assert il6 == ["2.2 pg/mL", "<1.28 pg/mL", ">4000.0 pg/mL", "<1.28 pg/mL", "0.2 pg/mL"]


def test_nobody_guesses_whether_the_dilution_is_in_the_result():
    with pytest.raises(DataError, match=r"E334.*line 25, well D1(.|\n)*already(.|\n)*multiply"):
        read({"file": "xponent_1.csv", "format": "xponent"})


def test_a_unit_that_the_export_states_must_be_the_declared_one():
    with pytest.raises(DataError, match=r"E316.*xponent_1\.csv, lines 25 and 26, wells D1 and E1"):
        load(XPONENT, analytes={"columns": ["IL-6", "TNF-a"], "unit": "ng/mL"})


def test_averages_are_read_where_no_wells_were_exported(tmp_path):
    text = (EXPORTS / "xponent_1.csv").read_text().replace('"Result"', '"Other"')
    (tmp_path / "averages.csv").write_text(text)

    source = read({**XPONENT, "file": "averages.csv"}, tmp_path)

    assert source.texts("IL-6") == ["1.1 pg/mL"]
    assert source.place("IL-6", 0) == "averages.csv, line 37, column 'IL-6'"


def test_a_spreadsheet_may_have_padded_every_line(tmp_path):
    lines = (EXPORTS / "xponent_1.csv").read_text().splitlines()
    (tmp_path / "padded.csv").write_text("\n".join(f"{line},,,," for line in lines))

    assert read({**XPONENT, "file": "padded.csv"}, tmp_path).columns == read(XPONENT).columns
    assert read({**XPONENT, "file": "padded.csv"}, tmp_path).texts("IL-6") == read(XPONENT).texts(
        "IL-6"
    )


def test_an_export_of_fluorescence_only_is_refused(tmp_path):
    text = (EXPORTS / "xponent_1.csv").read_text().replace("Result", "Mean")
    (tmp_path / "mfi.csv").write_text(text)

    with pytest.raises(DataError, match=r"E331.*mfi\.csv.*'Median'"):
        read({**XPONENT, "file": "mfi.csv"}, tmp_path)


BIOPLEX = {"file": "bioplex_blocks.csv", "format": "bioplex", "dilution": "already"}
BOTH = {"columns": ["Hu IL-6", "Hu TNF-a"], "unit": "pg/mL"}


def test_bioplex_blocks_with_limits_from_the_plates_standards():
    cohort = load({**BIOPLEX, "limits": "standards"}, analytes=BOTH)

    # Valid standards (70 to 130 %) are observed at 0.6 and 1010; samples are diluted by 4.
    assert by_patient(cohort, "Hu IL-6") == {"P1": 4.2, "P2": 2.4, "P3": 3.1, "P4": 4040, "P5": 60}
    assert [k for k, flag in by_patient(cohort, "Hu IL-6__below").items() if flag] == ["P2"]
    assert [k for k, flag in by_patient(cohort, "Hu IL-6__above").items() if flag] == ["P4"]
    assert by_patient(cohort, "Hu TNF-a")["P1"] == 41.0
    notes = "\n".join(cohort.notes)
    assert "extrapolated beyond the standard curve (`*`), and kept" in notes
    assert "4 wells of standards left out" in notes
    assert "without a result (outlier, invalid, empty)" in notes


def test_bioplex_out_of_range_without_a_limit_asks_for_one_at_its_place():
    with pytest.raises(DataError, match=r"E317.*bioplex_blocks\.csv, lines 16 and 17, wells G1"):
        load(BIOPLEX, analytes=BOTH)
    cohort = load(BIOPLEX, analytes={**BOTH, "llod": 0.5, "uloq": 5000})
    assert by_patient(cohort, "Hu IL-6")["P2"] == 0.5


def workbook(path, **sheets):
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name.replace("_", " "))
        for row in rows:
            page.append(row)
    book.save(path)


def test_bioplex_workbook_of_wells_by_analytes(tmp_path):
    above = [None, None, None, "Hu IL-6 (19)", "Hu TNF-a (36)"]
    header = ["Type", "Well", "Description", "Obs Conc", "Obs Conc"]
    workbook(
        tmp_path / "plate7.xlsx",
        FI=[above, [*header[:3], "FI", "FI"], ["X1", "A1", "P1", 100, 200]],
        Obs_Conc=[
            ["Plate of 14 March"],
            [],
            above,
            header,
            ["S1", "H1", None, 1010.0, "1000,5"],
            ["X1", "A1,A2", "P1", 1.1, "8,5"],
            ["X1", "A1", "P1", 1.0, "8,0"],
            ["X1", "A2", "P1", 1.2, "9,0"],
            ["X2", "B1", "P2", "OOR <", "***"],
        ],
        Dilution=[above, [*header[:3], "Dilution", "Dilution"], ["X1", "A1", "P1", 4, 4]],
    )

    source = read({**BIOPLEX, "file": "plate7.xlsx", "decimal": ","}, tmp_path)

    assert source.columns == ["sample", "plate", "well", "Hu IL-6", "Hu TNF-a"]
    assert source.texts("Hu IL-6") == ["1.1", "OOR <"]
    assert source.texts("Hu TNF-a") == ["8.5", ""]
    assert source.texts("plate") == ["plate7", "plate7"]
    assert source.place("Hu IL-6", 1) == (
        "plate7.xlsx, line 9 of sheet 'Obs Conc', well B1, column 'Hu IL-6'"
    )
    with pytest.raises(DataError, match=r"E334.*well A1"):
        read({"file": "plate7.xlsx", "format": "bioplex", "decimal": ","}, tmp_path)


def test_bioplex_workbook_with_a_sheet_for_each_analyte(tmp_path):
    header = ["Type", "Well", "Description", "FI", "Obs Conc"]
    workbook(
        tmp_path / "p.xlsx",
        IL_6=[["File Name: x"], [], header, ["X1", "A1", "P1", 50, 1.5]],
        TNF=[["File Name: x"], [], header, ["X1", "A1", "P1", 50, 2.5]],
    )

    source = read({"file": "p.xlsx", "format": "bioplex"}, tmp_path)

    assert (source.texts("IL 6"), source.texts("TNF")) == (["1.5"], ["2.5"])


MSD = {"file": "msd.csv", "format": "msd", "dilution": "already", "limit_dilution": "multiply"}


def test_msd_with_limits_of_each_plate():
    cohort = load(MSD, analytes={"columns": ["IL-6", "TNF-a"], "unit": "pg/mL"})

    assert by_patient(cohort, "IL-6") == {"P1": 1.55, "P2": 0.12, "P3": 976, "P4": 0.9, "P5": 0.18}
    below, above = (by_patient(cohort, f"IL-6__{side}") for side in ("below", "above"))
    assert [k for k, flag in below.items() if flag] == ["P2", "P5"]
    assert [k for k, flag in above.items() if flag] == ["P3"]
    assert by_patient(cohort, "TNF-a") == {"P1": 2.25, "P2": 2.5, "P3": 2.75, "P4": 3.25, "P5": 3.5}
    assert cohort.labels("plate") == ["Plate_A"] * 4 + ["Plate_B"]
    assert cohort.panel[0].llod is None


def test_msd_asks_whether_limits_are_corrected_for_dilution():
    with pytest.raises(DataError, match=r"E334.*msd\.csv, line 5, well A03(.|\n)*limit_dilution"):
        read({"file": "msd.csv", "format": "msd", "dilution": "already"})
    as_they_are = read({**MSD, "limit_dilution": "already"}).texts("IL-6")
    assert as_they_are == ["1.55", "<0.06", ">488.0", "0.9", "<0.09"]


def test_msd_plates_below_each_other_with_their_names_above(tmp_path):
    header = "Sample,Assay,Well,Concentration,Detection Range,Calc. Concentration"
    rows = [
        "Plate_1,,,,,", header, "S1,IL-6,A01,100,In Detection Range,101",
        "P1,IL-6,A02,,In Detection Range,1.5",
        "Plate_2,,,,,", header, "P2,IL-6,A02,,Below Detection Range,0.01",
    ]  # fmt: skip
    (tmp_path / "two.csv").write_text("\n".join(rows))

    source = read({"file": "two.csv", "format": "msd"}, tmp_path)

    assert source.texts("plate") == ["Plate_1", "Plate_2"]
    assert source.texts("IL-6") == ["1.5", "OOR <"]


def test_msd_averages_count_once(tmp_path):
    rows = ["Sample,Assay,Well,Calc. Conc. Mean", "P1,IL-6,A1,1.5", "P1,IL-6,A2,1.5"]
    (tmp_path / "mean.csv").write_text("\n".join(rows))

    source = read({"file": "mean.csv", "format": "msd"}, tmp_path)

    assert (source.texts("IL-6"), source.texts("well")) == (["1.5"], ["A1"])


LONG = {
    "file": "elisa_long.csv",
    "format": "long",
    "dilution": "multiply",
    "columns": {"sample": "Sample ID", "value": "Concentration", "dilution": "Dilution factor"},
}


def test_a_long_table_with_limits_by_plate():
    cohort = load(LONG, analytes={"columns": ["CRP"], "unit": "mg/L"})

    crp = by_patient(cohort, "CRP")
    assert crp == pytest.approx({"P1": 6, "P2": 1, "P3": 100, "P4": 2.5, "P5": 2})
    assert [k for k, flag in by_patient(cohort, "CRP__below").items() if flag] == ["P2", "P5"]
    assert [k for k, flag in by_patient(cohort, "CRP__above").items() if flag] == ["P3"]
    assert cohort.labels("plate") == ["1", "1", "1", "2", "2"]


def test_a_table_with_one_row_for_each_well():
    cohort = load(
        {"file": "elisa_wells.csv", "format": "wells"},
        analytes={"columns": ["CRP", "IL-6"], "llod": {"IL-6": 0.25}},
    )

    assert by_patient(cohort, "CRP") == {"P1": 1.5, "P2": 0.1, "P3": 2.5, "P4": 3.5, "P5": 4.5}
    assert by_patient(cohort, "IL-6") == {"P1": 3, "P2": 0.5, "P3": 100, "P4": 4.5, "P5": 0.25}
    assert [(a.name, a.unit) for a in cohort.panel] == [("CRP", "mg/L"), ("IL-6", "pg/mL")]
    assert cohort.labels("plate") == ["K1", "K1", "K1", "K2", "K2"]
    assert any("1 well of blanks left out: 'Blank1'" in note for note in cohort.notes)


def test_columns_may_stand_in_any_order(tmp_path):
    lines = [line.split(",") for line in (EXPORTS / "elisa_long.csv").read_text().splitlines()]
    shuffled = [",".join(reversed(line)) for line in lines]
    (tmp_path / "shuffled.csv").write_text("\n".join(shuffled))

    source = read({**LONG, "file": "shuffled.csv"}, tmp_path)

    assert source.texts("CRP") == read(LONG).texts("CRP")


def test_an_export_is_stacked_renamed_and_filtered_as_any_file():
    node = {**XPONENT, "rename": {"IL-6": "il6"}, "rows": [{"column": "sample", "not_in": ["P2"]}]}

    source = read(node)

    assert source.texts("sample") == ["P1", "P3", "P4", "P5"]
    assert source.place("il6", 1) == "xponent_1.csv, lines 29 and 30, wells H1 and A2, column 'il6'"
    assert source.files == "xponent_1.csv"


def test_an_option_of_exports_needs_a_format():
    with pytest.raises(DataError, match=r"E322.*unknown key 'dilution'"):
        read({"file": "xponent_1.csv", "dilution": "already"})
