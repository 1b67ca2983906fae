"""MLflow's model registry: one version with its input, its example and an alias."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench.tracking.champion import ALIAS, MODEL_FILE, SCRIPT
from cytobench.tracking.stored_model import NUMBER, POSITIVE, PROBABILITY

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

FOLDER = "champion"
TYPES = {"number": "double", "text": "string", "flag": "boolean"}


def register(
    client: MlflowClient, name: str, run: str, model: Path, said: Mapping[str, Any]
) -> str:
    """Log a stored model to a run, and make it the champion of a registered model.

    Parameters
    ----------
    said : mapping
        Of its input and output ``kinds``, ``example``, ``classification``, ``requirements``; in
        words ``about`` (the registered model), ``note`` and ``tags`` (this version).

    Returns
    -------
    str
        Its version.
    """
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory(prefix="cytobench-") as folder:
        path = Path(folder) / FOLDER
        mlflow.pyfunc.save_model(
            str(path),
            python_model=str(SCRIPT),
            artifacts={MODEL_FILE: str(model)},
            signature=_signature(said),
            input_example=said["example"],
            pip_requirements=said["requirements"],
        )
        client.log_artifacts(run, str(path), FOLDER)
    try:
        client.create_registered_model(name, description=said["about"])
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run).info.artifact_uri}/{FOLDER}"
    made = client.create_model_version(
        name, source, run_id=run, tags=dict(said["tags"]), description=said["note"]
    )
    client.set_registered_model_alias(name, ALIAS, made.version)
    return str(made.version)


def _signature(said: Mapping[str, Any]) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs: list[Any] = [
        ColSpec(TYPES[kind], name, required=kind != "flag") for name, kind in said["kinds"].items()
    ]
    outputs: list[Any] = [ColSpec("double", NUMBER)]
    if said["classification"]:
        outputs = [ColSpec("double", PROBABILITY), ColSpec("boolean", POSITIVE)]
    return ModelSignature(Schema(inputs), Schema(outputs))
