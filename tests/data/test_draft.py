"""A YAML drafted from a table's header reads the table where the guesses are right."""

import numpy as np
import pandas as pd
import pytest

from cytobench.core.errors import DataError
from cytobench.data.draft import draft_table, to_yaml


def patients(n=40, **more):
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"Subject ID": [f"s{i}" for i in range(n)]})
    for name in ("hsCRP", "IL-6", "TNFa", "IL_17A"):
        table[name] = np.exp(draw.normal(size=n)).round(3)
    table["Age"] = draw.integers(20, 70, n)
    table["sex"] = draw.choice(["f", "m"], n)
    table["Treatment"] = draw.choice(["drug", "placebo"], n)
    for name, values in more.items():
        table[name] = values
    return table


def test_roles_are_guessed_from_the_header(tmp_path):
    path = tmp_path / "trial.csv"
    patients(HAMD_week0=22, HAMD_week4=15, HAMD_week8=9, comment="x").to_csv(path, index=False)

    found = draft_table(path, "trial")

    assert found.roles == {"patient": "Subject ID", "arm": "Treatment"}
    assert found.analytes == ["hsCRP", "IL-6", "TNFa", "IL_17A"]
    assert found.covariates == ["Age", "sex"]
    assert found.scale == ("HAM-D17", "HAMD_week0", "HAMD_week8"), "the last week is the end point"
    assert found.unused == ["HAMD_week4", "comment"]


@pytest.mark.parametrize("form", ["comma", "semicolon and decimal commas", "xlsx"])
def test_the_drafted_yaml_loads(tmp_path, working_directory, cytobench, form):
    draw = np.random.default_rng(1)
    table = patients(MADRS_baseline=30, MADRS_week8=draw.integers(4, 30, 40))
    if form == "xlsx":
        path = tmp_path / "trial.xlsx"
        table.to_excel(path, index=False)
    else:
        path = tmp_path / "trial.csv"
        style = {"sep": ";", "decimal": ","} if "semicolon" in form else {}
        table.to_csv(path, index=False, **style)

    cytobench("new", "dataset", "my_trial", "--table", str(path))
    told = cytobench("info", "my_trial", f"data={tmp_path}").stdout

    assert "TNF-α" in told
    assert "patients    40" in told


def test_a_ready_label_is_the_outcome_where_there_is_no_scale(tmp_path):
    path = tmp_path / "trial.csv"
    patients(responder=["yes", "no"] * 20).to_csv(path, index=False)

    text = to_yaml(draft_table(path, "trial"))

    assert 'positive: ["yes"]' in text, "a bare yes would be a boolean"
    assert 'negative: ["no"]' in text


def test_without_an_outcome_the_draft_asks_for_one(tmp_path):
    path = tmp_path / "trial.csv"
    patients().to_csv(path, index=False)

    assert "# say: outcome:" in to_yaml(draft_table(path, "trial"))


def test_a_table_without_cytokines_is_refused(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("id,price\n1,2\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"E344.*no column looks like a cytokine"):
        draft_table(path, "prices")
