"""Who gets an array and who a frame, and what is kept."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from cytobench.core.kept import Kept
from cytobench.run.parts import Features, stored_names

FRAME = pd.DataFrame({"CRP": [1.0, 2.0], "age": [30.0, 40.0]})


class Mine(LogisticRegression):
    """A class that nothing is known of."""


class Asking(LogisticRegression):
    """A class that asks for an array."""

    takes_arrays = True


@pytest.mark.parametrize("estimator", [LogisticRegression(), Asking()])
def test_scikit_learns_own_and_those_that_ask_get_an_array_laid_out_as_the_frame(estimator):
    given = Features(FRAME).of(estimator)

    np.testing.assert_array_equal(given, FRAME.to_numpy())
    assert given.flags.f_contiguous


@pytest.mark.parametrize(
    "estimator",
    [
        Mine(),
        make_pipeline(LogisticRegression()),
        ColumnTransformer([("some", "passthrough", "age")]),
        HistGradientBoostingClassifier(categorical_features=["age"]),
    ],
)
def test_whoever_may_look_at_names_gets_the_frame(estimator):
    assert Features(FRAME).of(estimator) is FRAME


def test_a_frame_with_text_stays_a_frame():
    frame = FRAME.assign(sex=["f", "m"])

    assert Features(frame).of(LogisticRegression()) is frame


def test_what_an_estimator_writes_reaches_no_other():
    features = Features(FRAME)

    features.of(LogisticRegression())[:] = 99.0

    np.testing.assert_array_equal(features.of(LogisticRegression()), FRAME.to_numpy())


def test_answers_are_kept_until_they_fill_their_room():
    kept, made = Kept(2, len), []

    def make():
        made.append("x")
        return "ab"

    assert [kept.get(key, make) for key in (1, 1, 2, 2)] == ["ab"] * 4

    assert len(made) == 3


def test_what_fewer_than_five_patients_have_is_not_stored_by_name():
    said = ["none"] * 5 + ["since the divorce", "mother's funeral"]
    frame = pd.DataFrame({"IL-6": np.arange(7.0), "stress": said})
    encoded = ["IL-6", "stress_mother's funeral", "stress_none", "stress_since the divorce"]

    assert stored_names(encoded, frame, ["stress"]) == [
        "IL-6",
        "stress_(rare 1)",
        "stress_none",
        "stress_(rare 2)",
    ]
