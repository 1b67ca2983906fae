"""A fitted model as a file that holds data only, and the model that is read from it.

The file is of skops: arrays and the names of classes, no pickle.
"""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytobench.core.errors import CytobenchError
from cytobench.data.cohort import ABOVE, BELOW
from cytobench.run.parts import Features
from cytobench.run.whole import Whole
from cytobench.tracking.trusted import refused

SAME = 1e-9
"""Predictions of a model before and after it was stored differ by no more."""
PROBABILITY, POSITIVE, NUMBER = "probability", "positive", "prediction"
"""Columns of the answer."""


class StoredModel:
    """Predicts from raw baseline columns.

    Parameters
    ----------
    content : mapping
        ``encoder``, ``estimator``, ``kinds`` (column -> ``number``, ``text`` or ``flag``, in
        order), ``threshold``.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.encoder, self.estimator = content["encoder"], content["estimator"]
        self.kinds: dict[str, str] = content["kinds"]
        self.threshold: float | None = content["threshold"]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Predictions for patients that the model has not seen.

        Parameters
        ----------
        rows : DataFrame, shape (n, columns)
            Baseline columns in the units of the cohort that it was fitted to, missing values as
            NaN. Flags of the limits of detection may be left out where no value is beyond them.

        Returns
        -------
        DataFrame, shape (n, 1 or 2)
            ``probability`` and ``positive`` (whether it reaches the threshold that was chosen in
            training), or ``prediction``.

        Raises
        ------
        CytobenchError
            ``E610`` where a column is missing or is no number.
        """
        X = self._frame(rows)
        # A frame or an array, as it was fitted to.
        encoded = Features(X if self.encoder is None else self.encoder.transform(X)).of(
            self.estimator
        )
        if self.threshold is None:
            return pd.DataFrame({NUMBER: self.estimator.predict(encoded)}, index=rows.index)
        probability = np.asarray(self.estimator.predict_proba(encoded))[:, 1]
        answer = {PROBABILITY: probability, POSITIVE: probability >= self.threshold}
        return pd.DataFrame(answer, index=rows.index)

    def _frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The columns as they were in training: same order, same types."""
        found: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            if name not in rows.columns:
                if kind != "flag":
                    raise CytobenchError("E610", "a column is missing", where=f"column {name!r}")
                found[name] = pd.Series(False, index=rows.index)
                continue
            column = rows[name]
            try:
                if kind == "number":
                    found[name] = column.astype("float64")
                elif kind == "flag":
                    found[name] = column.astype(bool)
                else:
                    text = column.astype(object)
                    found[name] = text.where(text.notna(), "missing").astype(str).astype(object)
            except (TypeError, ValueError) as error:
                raise CytobenchError("E610", str(error), where=f"column {name!r}") from error
        return pd.DataFrame(found, index=rows.index)


def kinds_of(frame: pd.DataFrame) -> dict[str, str]:
    """What each baseline column holds."""
    return {str(name): _kind(str(name), dtype) for name, dtype in frame.dtypes.items()}


def _kind(name: str, dtype: Any) -> str:
    if name.endswith((BELOW, ABOVE)):
        return "flag"
    return "text" if dtype.kind == "O" else "number"


def store_model(whole: Whole, path: Path, name: str) -> None:
    """Write a model to a file.

    Parameters
    ----------
    name : str
        Of the model, for what is said where it cannot be stored.

    Raises
    ------
    CytobenchError
        ``E606`` for a model that would need pickle, classes that are not trusted, or one that
        answers otherwise once it is read back.
    """
    import skops.io

    encoder = copy.copy(whole.encoder)
    if encoder is not None:
        encoder.names_ = [str(column) for column in encoder.names_]
    content = {
        "encoder": encoder,
        "estimator": whole.estimator,
        "kinds": kinds_of(whole.frame),
        "threshold": whole.threshold,
    }
    try:
        written = skops.io.dumps(content)
        untrusted = refused(skops.io.get_untrusted_types(data=written))
    except Exception as error:  # whatever a foreign class answers when it is taken apart
        raise _not_stored(name, f"{type(error).__name__}: {error}") from error
    if untrusted:
        raise _not_stored(name, f"{untrusted[0]} is no class that is made from a file")
    path.write_bytes(written)
    before = StoredModel({**content, "encoder": whole.encoder}).predict(whole.frame).iloc[:, 0]
    after = read_model(path).predict(whole.frame).iloc[:, 0]
    if not np.allclose(after, before, rtol=0, atol=SAME):
        path.unlink()
        raise _not_stored(name, "it answers otherwise once it is read back")


def _not_stored(name: str, why: str) -> CytobenchError:
    return CytobenchError(
        "E606",
        f"cannot be stored without pickle: {why}",
        where=f"model {name!r}",
        hint="estimators of scikit-learn, boosted trees and the bundled models can; classes of a "
        "plugin's own cannot",
    )


def read_model(path: Path) -> StoredModel:
    """The model of a file.

    Raises
    ------
    CytobenchError
        ``E606`` where it asks for a class that is not trusted, or is damaged; nothing of it is made
        then.
    """
    import skops.io

    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        raise CytobenchError("E606", f"is damaged: {error}", where=str(path)) from error
    if damaged:
        raise CytobenchError("E606", f"is damaged: {damaged}", where=str(path))
    found = skops.io.get_untrusted_types(file=path)
    untrusted = refused(found)
    if untrusted:
        raise CytobenchError("E606", f"asks for {untrusted[0]}, which is not made", where=str(path))
    content = skops.io.load(path, trusted=found)
    if content["encoder"] is not None:
        content["encoder"].names_ = pd.Index(content["encoder"].names_)
    return StoredModel(content)


def example_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Two made-up patients: medians rounded to two digits, and the same with numbers doubled.

    Texts are the most frequent. No row of a cohort is among them but by chance.
    """
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    for name, kind in kinds_of(frame).items():
        if kind == "number":
            median = float(np.nanmedian(frame[name])) if frame[name].notna().any() else 0.0
            first[name] = float(f"{median:.2g}")
            second[name] = 2 * first[name]
        else:
            value = False if kind == "flag" else frame[name].mode().iloc[0]
            first[name] = second[name] = value
    return pd.DataFrame([first, second])
