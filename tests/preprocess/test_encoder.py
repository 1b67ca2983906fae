"""The encoder's numbers are those of scikit-learn's own pipeline on frames, to the last bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cytobench.core.errors import DataError
from cytobench.preprocess.encoder import Encoder, numeric_columns, replaced, text_columns
from cytobench.preprocess.recipe import Recipe

RECIPES = [
    Recipe("standard"),
    Recipe("mean", missing="mean", indicators=True),
    Recipe("unscaled", scale=False),
]


def patients() -> pd.DataFrame:
    draw = np.random.default_rng(3)
    values = draw.normal(size=(60, 5))
    values[draw.random(values.shape) < 0.1] = np.nan
    frame = pd.DataFrame(values, columns=list("abcde"), index=[f"p{row}" for row in range(60)])
    frame.insert(2, "sex", draw.choice(["female", "male"], 60).astype(object))
    return frame.assign(arm=draw.choice(["x", "y", "missing"], 60).astype(object))


def as_scikit_learn_does(recipe: Recipe) -> Pipeline:
    impute = SimpleImputer(
        strategy=recipe.missing, add_indicator=recipe.indicators, keep_empty_features=True
    )
    scale = [("scale", StandardScaler())] if recipe.scale else []
    ones = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=float)
    columns = ColumnTransformer(
        [
            ("numbers", Pipeline([("impute", impute), *scale]), numeric_columns),
            ("categories", ones, text_columns),
        ],
        verbose_feature_names_out=False,
    )
    return Pipeline([("columns", columns)]).set_output(transform="pandas")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_train_and_test_parts_are_encoded_as_scikit_learn_encodes_frames(recipe):
    frame = patients()
    train, test = frame.iloc[:40], frame.iloc[40:]
    ours, theirs = Encoder([], recipe), as_scikit_learn_does(recipe)

    pd.testing.assert_frame_equal(ours.fit_transform(train), theirs.fit_transform(train), rtol=0)
    pd.testing.assert_frame_equal(ours.transform(test), theirs.transform(test), rtol=0)


def test_a_category_that_training_did_not_have_is_all_zeros():
    frame = patients()
    encoder = Encoder([], Recipe("standard")).fit(frame)

    new = encoder.transform(frame.assign(arm="elsewhere"))

    assert not new.filter(like="arm_").to_numpy().any()


def test_a_category_that_would_be_called_like_a_column_is_refused():
    frame = patients().rename(columns={"a": "sex_male"})

    with pytest.raises(DataError, match="sex_male"):
        Encoder([], Recipe("standard")).fit(frame)


def test_columns_are_replaced_beside_text_and_the_frame_that_was_given_stays():
    frame = patients()
    before = frame.copy()

    out = replaced(frame, ["b", "d"], np.zeros((60, 2)))

    assert not out[["b", "d"]].to_numpy().any()
    pd.testing.assert_frame_equal(out.drop(columns=["b", "d"]), before.drop(columns=["b", "d"]))
    pd.testing.assert_frame_equal(frame, before)
