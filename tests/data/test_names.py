"""Standard names of analytes and matrices, and columns that are renamed by them."""

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cytobench import DataError
from cytobench.data.names import SYNONYMS, matrix_kind, resolve, standard_name
from cytobench.data.table import load_table

SPELLINGS = {
    "CRP": ["CRP", "crp", "hsCRP", "hs-CRP", "hs_crp", "C-reactive protein", "CRP (mg/L)",
            "crp_mg_l", "hsCRP [mg/dL]"],
    "IL-6": ["IL6", "IL-6", "il_6", "Interleukin-6", "IL.6", "IL 6", "Hu IL-6 (19)",
             "Human IL-6", "IL-6 (pg/mL)", "IL\u20116", "IL(6)"],
    "TNF-α": ["TNFa", "TNF-α", "TNF_alpha", "TNF-Alpha", "TNF", "TNF Α", "TNF-alpha (pg/ml)"],
    "IL-1β": ["IL-1b", "IL1B", "IL-1ß", "IL-1 beta/IL-1F2", "interleukin-1 beta"],
    "IL-8": ["IL8", "CXCL8", "CXCL8/IL-8", "IL-8 (CXCL8)"],
    "IFN-γ": ["IFNg", "IFN-γ", "IFN_gamma", "IFNγ", "IFN-G"],
    "IL-12p70": ["IL-12p70", "IL-12(p70)", "IL12-P70", "IL_12_p70", "IL-12 (p70) (75)"],
    "IL-17A": ["IL-17A", "IL17A"],
    "IL-1RA": ["IL-1RA", "IL1ra", "IL-1Ra", "IL1RN"],
    "sTNFR2": ["sTNFR2", "TNFRSF1B", "sTNF-RII", "TNF RII"],
    "CCL2": ["MCP-1", "MCP1", "CCL2", "CCL2/JE/MCP-1", "Hu MCP-1 (53)"],
    "CXCL10": ["IP-10", "IP10", "CXCL10", "IP-10 (CXCL10)"],
    "CCL3": ["MIP-1α", "MIP1a", "MIP_1a", "CCL3/MIP-1 alpha"],
    "CCL4": ["MIP-1b", "MIP1β", "CCL4"],
    "CCL11": ["Eotaxin", "eotaxin-1", "CCL11"],
    "VEGF": ["VEGF", "VEGFA", "VEGF-A"],
    "GM-CSF": ["GM-CSF", "GMCSF", "GM_CSF"],
    "TGF-β1": ["TGF-b1", "TGFB1", "TGF-β1", "TGF beta 1"],
    "MIF": ["MIF"],
}  # fmt: skip
OTHERS = [
    "IL-1", "IL-1 (8)", "IL-1/3", "IL-1 7A", "IL-1α", "IL1RAP", "IL-12", "IL-12p40", "IL-12(p40)",
    "IL-12B", "IL-12/IL-23p40", "IL-17", "IL-17F", "IL-17A/F", "IL-6R", "sIL-6R", "gp130",
    "IL-2R", "sIL-2Ra", "TNF-β", "TNF-R1", "sTNFR1", "TGF-β", "TGF-β2", "TGF-α", "LAP TGF-beta-1",
    "VEGF-C", "VEGF-D", "sVEGFR1", "MCP-3", "MIP-1", "MIP-1d", "MIG", "Eotaxin-3", "G-CSF",
    "IFN-α", "IFN-β", "IL-10RA", "IL-18", "IL-22", "IL-28", "IL-6 (CXCL8/IL-8)", "CRP ratio", "",
    "ß", "-",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "spelling"), [(name, text) for name, texts in SPELLINGS.items() for text in texts]
)
def test_exports_and_papers_mean_one_analyte(name, spelling):
    assert standard_name(spelling) == name


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_another_analyte_or_nobody_can_tell_has_no_standard_name(text):
    assert standard_name(text) is None


def test_no_two_analytes_share_a_synonym():
    for name, synonyms in SYNONYMS.items():
        assert {standard_name(text) for text in (name, *synonyms)} == {name}


@given(st.sampled_from(sorted(SYNONYMS)), st.sampled_from(["", " ", "-", "_", ".", "\u2013"]))
def test_separators_and_case_make_no_difference(name, separator):
    assert standard_name(name.replace("-", separator).swapcase()) == name


@given(st.text(max_size=12))
def test_no_text_breaks_the_names(text):
    assert standard_name(text) in {None, *SYNONYMS}


@given(st.integers(1, 40), st.integers(0, 99))
def test_two_numbers_never_become_one(one, other):
    assert standard_name(f"IL-{one} {other}") is None


def test_two_columns_of_one_meaning_are_left_to_a_person():
    assert resolve(["IL6", "MCP-1", "hsCRP", "CRP", "age"]) == {"IL6": "IL-6", "MCP-1": "CCL2"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Serum", "serum"), ("serum (SST)", "serum"), ("fasting serum", "serum"),
        ("plasma", "plasma"), ("EDTA plasma", "plasma"), ("EDTA-Plasma", "plasma"),
        ("K2EDTA", "plasma"), ("K2-EDTA plasma", "plasma"), ("Li-heparin plasma", "plasma"),
        ("Sodium Heparin", "plasma"), ("citrated plasma", "plasma"), ("plasma_citrate", "plasma"),
        ("platelet-poor plasma", "plasma"), ("CSF", None), ("serum-free medium", None),
        ("serum/plasma", None), ("whole blood", None), ("saliva", None), ("", None),
    ],
)  # fmt: skip
def test_serum_and_plasma_in_every_spelling(text, kind):
    assert matrix_kind(text) == kind


@pytest.fixture
def load(tmp_path):
    """``load(header, analytes, rows)`` reads a table with these columns."""

    def run(header, analytes, rows=("1,2,1,serum", "3,4,0,serum")):
        (tmp_path / "t.csv").write_text("\n".join([f"{header},y,tube", *rows]), encoding="utf-8")
        config = yaml.safe_load(
            "{name: t, source: {file: t.csv}, outcome: {label: y, positive: [1]}}"
        )
        return load_table({**config, "analytes": analytes}, folders=[tmp_path])

    return run


def test_columns_are_given_their_standard_names_and_the_note_says_which(load):
    analytes = {
        "columns": ["TNFa", "IL-17"],
        "unit": "pg/mL",
        "standard_names": True,
        "llod": {"TNF-α": 2.0},
    }

    cohort = load("TNFa,IL-17", analytes)

    assert cohort.analytes == ("TNF-α", "IL-17")
    assert cohort.column("TNF-α").tolist() == [2.0, 3.0]
    assert "analytes were given their standard names: TNFa -> TNF-α" in cohort.notes


def test_nothing_is_renamed_unless_asked(load):
    assert load("TNFa,IL6", {"columns": ["TNFa", "IL6"]}).analytes == ("TNFa", "IL6")


def test_two_columns_of_one_meaning_keep_their_names_and_are_named(load):
    cohort = load("hsCRP,CRP", {"columns": ["hsCRP", "CRP"], "standard_names": True})

    assert cohort.analytes == ("hsCRP", "CRP")
    assert "'hsCRP' and 'CRP' both mean CRP: neither was renamed" in cohort.notes


def test_a_limit_table_may_use_the_old_name_or_the_new(load, tmp_path):
    (tmp_path / "lod.csv").write_text("assay,lod\nTNFa,2\nIL-6,3\n")
    llod = {"file": "lod.csv", "analyte": "assay", "value": "lod"}
    analytes = {"columns": ["TNFa", "IL6"], "standard_names": True, "llod": llod}

    cohort = load("TNFa,IL6", analytes)

    assert [analyte.llod for analyte in cohort.panel] == [2.0, 3.0]


def test_standard_names_is_yes_or_no(load):
    with pytest.raises(DataError, match=r"E322.*standard_names"):
        load("TNFa,IL6", {"columns": ["TNFa", "IL6"], "standard_names": "some"})


SAMPLES = ("1,2,1,EDTA plasma", "3,4,0,Heparin-Plasma", "5,6,0,plasma")
MIXED = (*SAMPLES, "7,8,1,Serum")


def test_one_matrix_by_row_is_recorded_whatever_the_anticoagulant(load):
    cohort = load("IL-6,IL-8", {"columns": ["IL-6", "IL-8"], "matrix_column": "tube"}, SAMPLES)

    assert {analyte.matrix for analyte in cohort.panel} == {"plasma"}
    assert "samples by 'tube': plasma: 3" in cohort.notes


def test_a_declared_matrix_is_recorded_in_one_spelling(load):
    cohort = load("a,b", {"columns": ["a", "b"], "matrix": "K2EDTA plasma",
                          "each": {"b": {"matrix": "CSF"}}})  # fmt: skip

    assert [analyte.matrix for analyte in cohort.panel] == ["plasma", "CSF"]


def test_serum_among_plasma_is_refused_with_its_place(load):
    with pytest.raises(DataError) as caught:
        load("IL-6,IL-8", {"columns": ["IL-6", "IL-8"], "matrix_column": "tube"}, MIXED)

    text = str(caught.value)
    assert text.startswith("[E342]")
    for part in ("line 5", "'tube'", "'serum'", "'plasma'", "plasma: 3, serum: 1", "`rows:`",
                 "matrices: allow"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("analytes", "rows", "said"),
    [
        ({"matrix": "serum"}, SAMPLES, "declared is 'serum'"),
        ({"matrix": "serum", "matrices": "allow"}, MIXED, "declared is 'serum'"),
        ({}, (*SAMPLES, "7,8,1,"), "not stated"),
    ],
)
def test_another_matrix_than_declared_or_none_is_refused(load, analytes, rows, said):
    analytes = {"columns": ["IL-6", "IL-8"], "matrix_column": "tube", **analytes}

    with pytest.raises(DataError, match="E342") as caught:
        load("IL-6,IL-8", analytes, rows)

    assert said in str(caught.value)


def test_mixed_matrices_that_are_allowed_are_noted_and_may_be_a_covariate(tmp_path):
    rows = ["IL-6,y,tube", *(row.partition(",")[2] for row in MIXED)]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    text = """
    name: t
    source: {file: t.csv}
    analytes: {columns: [IL-6], unit: pg/mL, matrix_column: tube, matrices: allow}
    covariates: [tube]
    outcome: {label: y, positive: [1]}
    """

    cohort = load_table(yaml.safe_load(text), folders=[tmp_path])

    assert cohort.panel[0].matrix == "plasma / serum"
    assert "samples by 'tube': plasma: 3, serum: 1" in cohort.notes
    note = next(note for note in cohort.notes if note.startswith("[W344]"))
    assert "IL-6" in note
    assert "tube" in cohort.baseline().columns
    assert np.isfinite(cohort.column("IL-6")).all()


def test_a_matrix_may_be_a_code_with_a_map_but_never_the_outcome(load):
    tube = {"column": "tube", "map": {"S": "serum", "P": "plasma"}}
    analytes = {"columns": ["a", "b"], "matrix_column": tube}

    assert load("a,b", analytes, ["1,2,1,S", "3,4,0,S"]).panel[0].matrix == "serum"
    with pytest.raises(DataError, match="E326"):
        load("a,b", {"columns": ["a", "b"], "matrix_column": "y"}, ["1,2,1,S", "3,4,1,S"])
