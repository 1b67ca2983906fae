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
    assert sex["levels"] == {"usual": 57, "rare": None}


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
