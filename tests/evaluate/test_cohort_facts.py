"""A cohort in aggregates."""

import json

import numpy as np
import pandas as pd
import pytest

from cytobench.core.cards import DatasetCard
from cytobench.data.cohort import Analyte, Cohort, LabelOutcome, ScaleOutcome
from cytobench.evaluate.cohort_facts import FEWEST, cohort_facts


def made(n=60, *, arms=("A", "B"), seed=0, **columns):
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "IL-6": np.exp(draw.normal(size=n)),
            "NPX": draw.normal(size=n),
            "age": draw.normal(40, 10, n),
            "sex": draw.choice(["female", "male"], n),
            "arm": [arms[k % len(arms)] for k in range(n)],
            "y": (np.arange(n) // len(arms) % 2).astype(float),
            **columns,
        },
        index=[f"p{k}" for k in range(n)],
    )
    below = table["IL-6"] < 0.5
    table["IL-6__below"] = below
    table.loc[below, "IL-6"] = 0.5
    return Cohort(
        table,
        [Analyte("IL-6", "pg/mL", matrix="serum", llod=0.5), Analyte("NPX", "NPX", "log2")],
        LabelOutcome("y", "responded"),
        DatasetCard("made", "A cohort"),
        covariates=("age", "sex"),
        arm="arm",
    )


def test_what_was_measured_below_and_missing_is_counted():
    cohort = made(**{"NPX": np.where(np.arange(60) < 15, np.nan, 1.0 + np.arange(60))})

    il6, npx = cohort_facts(cohort)["analytes"]

    assert il6["below"] == pytest.approx(cohort.column("IL-6__below").mean())
    assert il6["q50"] == pytest.approx(cohort.column("IL-6").median())
    assert npx["missing"] == 0.25
    assert npx["n"] == 45


def test_no_bin_and_no_group_speaks_of_fewer_than_five_patients():
    rare = np.where(np.arange(60) < 3, "rare", "usual")
    facts = cohort_facts(made(sex=rare))

    counts = [n for item in facts["analytes"] for n in item["histogram"]["counts"]]

    assert min(counts) >= FEWEST
    assert sum(facts["analytes"][0]["histogram"]["counts"]) == 60
    (sex,) = [item for item in facts["covariates"] if item["name"] == "sex"]
    assert sex["levels"] == {"others": 60}, "57 of 60 would tell that 3 are left"


def test_small_levels_are_counted_together_and_not_named():
    sites = np.array(["north"] * 40 + ["east"] * 14 + ["Ward 3"] * 4 + ["Ward 4"] * 2)
    facts = cohort_facts(made(sex=sites))

    (sex,) = [item for item in facts["covariates"] if item["name"] == "sex"]
    assert sex["levels"] == {"north": 40, "east": 14, "others": 6}
    assert "Ward" not in json.dumps(facts)


def test_remarks_about_single_patients_are_no_levels():
    facts = cohort_facts(made(sex=[f"came {k} weeks after her move" for k in range(60)]))

    (sex,) = [item for item in facts["covariates"] if item["name"] == "sex"]
    assert sex["levels"] == {"others": 60}


def test_an_arm_of_three_is_neither_named_nor_follows_from_the_others():
    arms = ["A"] * 40 + ["B"] * 17 + ["C"] * 3
    facts = cohort_facts(made(60, arms=arms, y=(np.arange(60) % 2).astype(float)))

    (part,) = facts["outcomes"]
    assert [(row["arm"], row["n"]) for row in part["arms"]] == [
        ("all", 60),
        ("A", 40),
        ("others", 20),
    ]
    assert facts["groups"]["arm"] == {"A": 40, "others": 20}


def test_few_known_outcomes_in_an_arm_are_hidden_with_a_second_arm():
    y = (np.arange(90) // 3 % 2).astype(float)
    y[(np.arange(90) % 3 == 2) & (np.arange(90) > 9)] = np.nan  # arm C: known for three

    (part,) = cohort_facts(made(90, arms=("A", "B", "C"), y=y))["outcomes"]

    known = {row["arm"]: row["known"] for row in part["arms"]}
    assert known["C"] is None
    assert sum(value is None for value in known.values()) == 2


def test_an_analyte_measured_in_four_counts_as_not_measured():
    few = np.where(np.arange(60) < 4, 1.5, np.nan)

    _, npx = cohort_facts(made(NPX=few))["analytes"]

    assert (npx["n"], npx["missing"]) == (None, 1.0)


@pytest.mark.parametrize("n", [20, 35, 60, 99, 100])
def test_no_number_of_an_analyte_is_the_value_of_a_patient_at_the_ends(n):
    cohort = made(n)
    values = np.sort(cohort.column("NPX").to_numpy())

    _, npx = cohort_facts(cohort)["analytes"]

    inner = (values[4], values[-5])
    quantiles = [value for name, value in npx.items() if name[0] == "q"]
    assert all(inner[0] <= value <= inner[1] for value in quantiles)
    assert set(npx["histogram"]["edges"]).isdisjoint(values)
    step = np.round(np.diff(npx["histogram"]["edges"]) / 0.01)
    np.testing.assert_allclose(np.diff(npx["histogram"]["edges"]), step * 0.01, atol=1e-9)


def test_an_arm_with_few_events_is_hidden_and_so_is_the_one_that_would_give_it_away():
    arms = ("A", "B", "C")
    y = np.where(np.arange(90) % 3 == 0, 1.0, (np.arange(90) // 3 % 2).astype(float))
    y[0] = 0.0  # arm A: one without the outcome

    (part,) = cohort_facts(made(90, arms=arms, y=y))["outcomes"]

    hidden = [row["arm"] for row in part["arms"] if row["value"] is None]
    assert part["arms"][0]["value"] is not None, "all patients together are shown"
    assert len(hidden) == 2
    assert "A" in hidden


def test_the_outcome_has_wilson_s_interval():
    """Wilson 1927: 30 of 60 is 0.5 (0.377 to 0.623)."""
    everybody = cohort_facts(made())["outcomes"][0]["arms"][0]

    assert everybody["value"] == 0.5
    assert everybody["low"] == pytest.approx(0.3773502, abs=1e-6)
    assert everybody["high"] == pytest.approx(0.6226498, abs=1e-6)


def test_the_change_to_the_end_point_is_in_sds_of_the_baseline():
    cohort = made(200)
    logs = np.log(cohort.column("IL-6").to_numpy())
    after = np.exp(logs - 0.5 * logs.std(ddof=1))
    with_followup = Cohort(
        cohort.table, cohort.panel, cohort.outcome, cohort.card, cohort.covariates, arm="arm",
        followup=pd.DataFrame({"IL-6": after}, index=cohort.table.index),
    )  # fmt: skip

    rows = cohort_facts(with_followup)["followup"]

    assert {row["arm"] for row in rows} == {"A", "B"}
    for row in rows:
        assert row["value"] == pytest.approx(-0.5, abs=0.1)
        assert row["low"] <= row["value"] <= row["high"]


def test_facts_are_plain_json_and_hold_no_patient():
    cohort = made()

    text = json.dumps(cohort_facts(cohort), allow_nan=False)

    assert "p17" not in text
    assert repr(float(cohort.column("age").iloc[0])) not in text


def test_a_scale_has_three_outcomes():
    cohort = made()
    table = cohort.table.drop(columns="y").assign(before=20.0, after=np.arange(60) % 25.0)
    scored = Cohort(
        table, cohort.panel, ScaleOutcome("HAM-D17", "before", "after"), cohort.card, arm="arm"
    )

    names = [part["task"] for part in cohort_facts(scored)["outcomes"]]

    assert names == ["response", "remission", "percent_change"]


def test_very_many_patients_are_ranked_once_and_correlate_as_before(monkeypatch):
    draw = np.random.default_rng(1)
    gaps = np.where(draw.random(3000) < 0.3, np.nan, draw.normal(size=3000))
    cohort = made(3000, NPX=gaps + draw.normal(size=3000))
    by_pair = cohort_facts(cohort)["correlation"]["matrix"]

    monkeypatch.setattr("cytobench.evaluate.cohort_facts.MOST_RANKED", 100)
    once = cohort_facts(cohort)["correlation"]["matrix"]

    np.testing.assert_allclose(once, by_pair, atol=0.002)
