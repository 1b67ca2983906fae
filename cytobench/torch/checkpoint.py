"""Where a long training goes on after an interruption: its state, written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cytobench.core.files import write_whole
from cytobench.core.hashing import digest

ENVIRONMENT = "CYTOBENCH_CHECKPOINTS"
"""Folder of checkpoints of every network, unless one names its own."""
SECONDS = 60.0
"""Between two checkpoints: a training that takes less writes none."""


class Checkpoint:
    """One training's file.

    Parameters
    ----------
    folder : Path
        Made on the first write.
    identity : str
        Names everything that the training depends on, see :func:`identity`.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.path = folder / f"{identity}.pt"
        self.identity = identity
        self.written = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last; None, with a warning, for a file that is no such thing."""
        if not self.path.exists():
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's thoughts on a file that is refused anyway
                # Tensors and plain values only: a file from elsewhere cannot run code.
                state = torch.load(self.path, map_location="cpu", weights_only=True)
            if state["identity"] != self.identity:
                raise ValueError("it belongs to another training")
        except Exception as error:
            warnings.warn(
                f"{self.path}: this checkpoint cannot be used and training starts afresh "
                f"({type(error).__name__}: {error})".split("\n")[0],
                stacklevel=2,
            )
            return None
        return dict(state)

    @property
    def due(self) -> bool:
        """Whether enough time has passed to write again."""
        return time.monotonic() - self.written >= SECONDS

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the file by this state; a full disk costs the checkpoint, not the training."""
        buffer = io.BytesIO()
        torch.save({**state, "identity": self.identity}, buffer)
        try:
            write_whole(self.path, buffer.getvalue())
        except OSError as error:
            warnings.warn(f"{self.path}: no checkpoint was written: {error}", stacklevel=2)
        self.written = time.monotonic()

    def remove(self) -> None:
        """The training is done."""
        self.path.unlink(missing_ok=True)


def folder_of(named: str | None) -> Path | None:
    """The folder that an estimator names, or that of ``$CYTOBENCH_CHECKPOINTS``; None without."""
    chosen = named or os.environ.get(ENVIRONMENT)
    return Path(chosen).expanduser() if chosen else None


def identity(
    kind: type, parameters: Mapping[str, Any], seed: int, device: torch.device, *data: NDArray[Any]
) -> str:
    """A hash of what a training depends on: class, parameters, seed, data, torch and device."""
    arrays = [np.ascontiguousarray(values) for values in data]
    return digest(
        {
            "class": f"{kind.__module__}.{kind.__qualname__}",
            "parameters": {name: repr(value) for name, value in parameters.items()},
            "seed": seed,
            "device": device.type,
            "torch": torch.__version__,
            "data": [
                [str(item.dtype), list(item.shape), hashlib.sha256(item.tobytes()).hexdigest()]
                for item in arrays
            ],
        }
    )[:32]
