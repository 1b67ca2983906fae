"""A stored model as MLflow's ``pyfunc``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.pyfunc.model import PythonModel

from cytobench.tracking.champion import MODEL_FILE
from cytobench.tracking.stored_model import StoredModel, read_model


class Champion(PythonModel):
    """Predicts from raw baseline columns; see :class:`StoredModel`."""

    model: StoredModel

    def load_context(self, context: Any) -> None:
        """Read the model, of trusted classes only."""
        self.model = read_model(Path(context.artifacts[MODEL_FILE]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Predictions for new patients."""
        del context, params
        return self.model.predict(model_input)
