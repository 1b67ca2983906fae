"""Probes of a cohort: honest simulated trials pass, each planted defect is found by its code."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome
from cytobench.audit.cohort import audit_bench
from cytobench.core.cards import DatasetCard as Card
from cytobench.data.target import Task, build_target
from cytobench.simulate.trial import Trial, simulate_trial
from cytobench.splits.plan import Split, SplitPlan
from cytobench.splits.protocols import make_plan

PROTOCOL = {"name": "repeated_stratified", "folds": 5, "repeats": 1, "inner_folds": 3}
RESPONSE = Task("response", "classification")
REMISSION = Task("remission", "classification")
CHANGE = Task("percent_change", "regression")


def trial(seed=1, n=200):
    return simulate_trial(Trial(n, 1.0, 0.27, 0.03, 0.18, 3, seed), Card("made", kind="simulated"))


def changed(cohort, change, **roles):
    """The cohort with a change made to its table, and other roles."""
    arguments = {item.name: getattr(cohort, item.name) for item in fields(cohort) if item.init}
    table = cohort.table.copy()
    replaced = change(table)
    table = table if replaced is None else replaced
    if len(table) != len(cohort.table):
        arguments["truth"] = arguments["followup"] = None
    return Cohort(**{**arguments, "table": table, **roles})


def audit(cohort, task=RESPONSE, plan=None, **options):
    target = build_target(cohort, task)
    plan = plan or make_plan(cohort, target, PROTOCOL, 0)
    return audit_bench(cohort, target, plan, seed=0, **options)


def codes(cohort, task=RESPONSE, **options):
    return [item.code for item in audit(cohort, task, **options) if item.severity != "note"]


def responders(cohort):
    return build_target(cohort, RESPONSE).y == 1


@pytest.mark.parametrize(
    ("seed", "n", "task"),
    [
        (1, 60, RESPONSE), (4, 60, CHANGE), (2, 120, RESPONSE), (5, 120, CHANGE),
        (3, 300, REMISSION), (2025, 400, RESPONSE), (2025, 400, CHANGE),
    ],
)  # fmt: skip
def test_an_honest_trial_passes(seed, n, task):
    assert codes(trial(seed, n), task, thorough=True) == []


def test_a_patient_entered_twice_blocks():
    cohort = trial()

    def twice(table):
        return pd.concat([table, table.iloc[[5]].rename(index=lambda name: f"{name}-again")])

    finding = audit(changed(cohort, twice))[0]

    assert (finding.code, finding.severity) == ("A201", "block")
    assert finding.values["rows"] == [[5, 200]]
    assert "rows 6 and 201" in finding.sentence


def test_a_replicate_with_assay_noise_is_a_warning():
    def replicate(table):
        copy = table.iloc[[5]].rename(index=lambda name: f"{name}-again")
        noise = np.random.default_rng(0).normal(1, 0.05, (1, 24))
        copy.iloc[:, :24] = copy.iloc[:, :24].to_numpy(dtype=float) * noise
        return pd.concat([table, copy])

    assert codes(changed(trial(), replicate)) == ["A202"]


def panel(values, names=None):
    """A cohort with these concentrations (n, p) and a ready label."""
    n, p = values.shape
    names = names or [f"a{k}" for k in range(p)]
    table = pd.DataFrame(values, columns=names, index=[f"p{k}" for k in range(n)])
    table["y"] = np.random.default_rng(9).permutation(np.arange(n) % 2).astype(float)
    analytes = [Analyte(name, "pg/mL") for name in names]
    return Cohort(table, analytes, LabelOutcome("y", "responded"), DatasetCard("made"))


@pytest.mark.parametrize("n", [60, 300, 1000])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("decimals", [1, 8])
def test_correlated_or_rounded_analytes_are_no_copies(n, correlation, decimals):
    draw = np.random.default_rng(n)
    common = draw.normal(size=(n, 1))
    logs = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * draw.normal(size=(n, 20))

    assert codes(panel(np.round(np.exp(logs), decimals))) == []


def test_many_values_at_the_limit_are_no_copies():
    logs = np.random.default_rng(0).normal(size=(200, 20))

    assert codes(panel(np.maximum(np.exp(logs), 1.5))) == []


def test_equal_crp_values_are_no_copies():
    crp = np.round(np.exp(np.random.default_rng(0).normal(1, 1, (300, 1))))

    assert codes(panel(crp, ["CRP"])) == []


def test_copies_that_no_fold_parts_do_not_matter():
    def twice(table):
        return pd.concat([table, table.iloc[[0]].rename(index=lambda name: f"{name}-again")])

    cohort = changed(trial(), twice)
    target = build_target(cohort, RESPONSE)
    together = np.isin(np.arange(201), [0, 3, 7, 11, 200])
    known = target.known
    plan = SplitPlan("made", "", [Split(0, 0, known[~together[known]], known[together[known]])], 3)

    assert codes(cohort, plan=plan) == []


def test_a_patient_tested_twice_blocks():
    cohort = trial()
    rows = build_target(cohort, RESPONSE).known
    plan = SplitPlan(
        "made", "", [Split(0, 0, rows[40:], rows[:40]), Split(0, 1, rows[:30], rows[30:])], 3
    )

    assert codes(cohort, plan=plan) == ["A203"]


def test_visits_of_a_patient_under_several_identifiers_are_a_warning():
    names = [f"P{k // 2:03d}_visit{k % 2 + 1}" for k in range(200)]
    cohort = trial()

    renamed = changed(cohort, lambda table: table.set_axis(names), truth=None)

    assert codes(renamed) == ["A204"]


@pytest.mark.parametrize("task", [RESPONSE, CHANGE], ids=lambda task: task.name)
def test_a_column_from_after_treatment_blocks(task):
    def later(table):
        noise = np.random.default_rng(0).normal(0, 0.5, len(table))
        table["rating"] = -(table["hamd_week8"] + noise)

    cohort = trial()
    found = audit(changed(cohort, later, covariates=(*cohort.covariates, "rating")), task)

    assert [(item.code, item.where, item.severity) for item in found] == [
        ("A205", "rating", "block")
    ]


def test_a_text_column_from_after_treatment_blocks():
    cohort = trial()

    def later(table):
        table["course"] = np.where(responders(cohort), "better", "the same")

    found = codes(changed(cohort, later, covariates=(*cohort.covariates, "course")))

    assert found == ["A205"]


def test_a_name_from_after_treatment_is_a_warning():
    cohort = trial().table
    later = changed(
        trial(),
        lambda table: table.assign(CRP_week8=np.random.default_rng(0).normal(size=len(cohort))),
        covariates=("age", "CRP_week8"),
    )

    assert codes(later) == ["A206"]


@pytest.mark.parametrize(
    ("name", "later"),
    [
        ("CRP_week8", True), ("MADRS W8", True), ("PHQ9Endpoint", True), ("post_treatment", True),
        ("IL6 follow-up", True), ("6 months", True), ("responder", True), ("12th week", True),
        ("CRP_week0", False), ("postcode", False), ("IL-6", False), ("IL-12 p70", False),
        ("age at first episode", False), ("previous_response", False), ("CRP (Baseline)", False),
        ("weeks since onset", False), ("TNF-α", False), ("GLP-1", False),
    ],
)  # fmt: skip
def test_names_that_speak_of_later(name, later):
    from cytobench.audit.disguise import sounds_later

    assert sounds_later(name) is later


def test_missing_values_that_follow_the_outcome_are_a_warning():
    cohort = trial()
    draw = np.random.default_rng(0)

    def gaps(table):
        lost = draw.random(len(table)) < np.where(responders(cohort), 0.05, 0.5)
        table.loc[lost, "IL-6"] = np.nan

    assert codes(changed(cohort, gaps)) == ["A207"]


def placed(role, cohort, agreement):
    """Two sites or plates, one for each class but for a share of the patients."""
    draw = np.random.default_rng(0)

    def place(table):
        follows = draw.random(len(table)) < agreement
        table[role] = np.where(follows, responders(cohort), draw.integers(0, 2, len(table)))

    return changed(cohort, place)


def test_sites_that_differ_in_outcome_are_a_warning():
    assert codes(placed("site", trial(), 0.4)) == ["A208"]


def test_plates_that_differ_in_outcome_are_a_warning():
    assert codes(placed("plate", trial(), 0.35)) == ["A209"]


def test_plates_confounded_with_outcome_block():
    found = audit(placed("plate", trial(), 0.8))

    assert [(item.code, item.severity) for item in found] == [("A210", "block")]
    assert found[0].values["cramers_v"] > 0.5


@pytest.mark.parametrize("blocks", [1, 3])
def test_rows_sorted_by_outcome_are_a_warning(blocks):
    cohort = trial()
    order = np.lexsort((np.arange(200), responders(cohort), np.arange(200) * blocks // 200))

    sorted_rows = changed(cohort, lambda table: table.iloc[order], site=None, plate=None)

    assert codes(sorted_rows) == ["A211"]


def test_drop_out_of_the_severely_ill_is_a_warning():
    def lose(table):
        severe = table["hamd_baseline"] > 25
        table.loc[severe & (np.arange(len(table)) % 4 > 0), "hamd_week8"] = np.nan

    found = audit(changed(trial(), lose))

    assert [item.code for item in found] == ["A212"]
    assert "at baseline" in found[0].sentence


def test_drop_out_from_one_arm_is_a_warning():
    def lose(table):
        other = table["arm"] == table["arm"].iloc[0]
        table.loc[other & (np.arange(len(table)) % 2 == 0), "hamd_week8"] = np.nan

    assert codes(changed(trial(), lose)) == ["A213"]


def test_what_is_undeclared_is_a_note():
    cohort = trial()
    bare = [replace(item, unit="", llod=None) for item in cohort.panel[:2]]

    def at_the_limit(table):
        name = cohort.panel[0].name
        table[name] = table[name].clip(lower=table[name].quantile(0.3))
        return table.drop(columns=[column for column in table if column.endswith("__below")])

    found = audit(changed(cohort, at_the_limit, panel=[*bare, *cohort.panel[2:]]))

    assert {(item.code, item.severity) for item in found} == {("A214", "note"), ("A215", "note")}


@pytest.mark.parametrize("score", [-9.0, 99.0])
def test_a_score_that_the_scale_does_not_have_blocks(score):
    def wrong(table):
        table.iloc[7, table.columns.get_loc("hamd_week8")] = score

    found = audit(changed(trial(), wrong))

    assert [item.code for item in found] == ["A216"]
    assert "row 8" in found[0].sentence


def test_an_outcome_that_contradicts_the_scores_blocks():
    cohort = trial()
    target = build_target(cohort, RESPONSE)
    y = target.y.copy()
    y[target.known[:6]] = 1 - y[target.known[:6]]
    plan = make_plan(cohort, target, PROTOCOL, 0)

    found = audit_bench(cohort, replace(target, y=y), plan, seed=0)

    assert [item.code for item in found] == ["A217"]
    assert found[0].values["patients"] == 6


def test_remission_before_treatment_is_a_warning():
    def mild(table):
        table.iloc[:4, table.columns.get_loc("hamd_baseline")] = 6.0

    found = audit(changed(trial(), mild))

    assert [item.code for item in found] == ["A218"]


def test_another_definition_of_response_is_a_note():
    found = audit(trial(), Task("response", "classification", minimum_reduction=0.3))

    assert [(item.code, item.severity) for item in found] == [("A219", "note")]


def test_sites_with_other_assays_are_a_note_of_the_thorough_audit():
    def shift(table):
        table.loc[table["site"] == "site 2", "IL-6"] *= 20

    cohort = changed(trial(), shift)
    found = [item for item in audit(cohort, thorough=True) if item.code == "A220"]

    assert any("site 2" in item.where and "IL-6" in item.values["features"] for item in found)
    assert all(item.severity == "note" for item in found)
    assert "A220" not in [item.code for item in audit(cohort)]


def test_the_same_seed_finds_the_same():
    cohort = placed("site", trial(), 0.4)

    assert audit(cohort) == audit(cohort)
