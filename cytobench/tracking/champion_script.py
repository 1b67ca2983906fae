"""What MLflow runs to load a champion: no code of its own, the installed package does the rest."""

from mlflow.models import set_model

from cytobench.tracking.pyfunc import Champion

set_model(Champion())
