"""Very many patients: the same copies are found, the same questions asked of some of them."""

import numpy as np
import pytest

from cytobench.audit import association, twins
from cytobench.audit.association import some_of
from cytobench.audit.twins import find_twins


def panel(n=60, p=9, missing=0.1, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(n, p)) + draw.normal(size=(n, 1))
    values[draw.random((n, p)) < missing] = np.nan
    return values


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_the_same_copies_are_found_by_shared_values_as_by_distance(missing, monkeypatch):
    values = panel(missing=missing)
    values[40], values[41], values[50] = values[3], values[3], values[17]
    values[50, 2] = np.nan  # a copy agrees wherever both are known
    by_distance = find_twins(values).copies

    monkeypatch.setattr(twins, "MOST_PATIENTS", 10)
    monkeypatch.setattr(twins, "MOST_COMPARED", 2)
    found = find_twins(values)

    assert [3, 40] in found.copies.tolist()
    np.testing.assert_array_equal(found.copies, by_distance)
    assert len(found.close) == 0


def test_rows_that_share_a_few_values_are_no_copies(monkeypatch):
    monkeypatch.setattr(twins, "MOST_PATIENTS", 10)
    values = panel(missing=0)
    values[40, :4] = values[3, :4]

    assert len(find_twins(values).copies) == 0


def test_of_very_many_patients_some_are_drawn_in_order(monkeypatch):
    monkeypatch.setattr(association, "MOST_TESTED", 30)

    rows = some_of(100, 0)

    assert len(rows) == 30
    assert (np.diff(rows) > 0).all()
    assert len(some_of(30, 0)) == 30
