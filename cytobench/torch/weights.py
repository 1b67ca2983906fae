"""A trained network as arrays by name, and the same network built again around them.

What is kept of a fitted estimator, by pickle as well as by skops, is data: how its modules are
written follows from its parameters and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cytobench.torch.device import reproducible

CPU = torch.device("cpu")


def arrays_of(ensemble: nn.Module) -> dict[str, NDArray[Any]]:
    """Weights and buffers by name, in their own precision."""
    return {name: value.cpu().numpy() for name, value in ensemble.state_dict().items()}


def rebuilt(build: Callable[[], nn.Module], arrays: Mapping[str, NDArray[Any]]) -> nn.Module:
    """An ensemble with these weights, ready to predict in double precision.

    Raises
    ------
    RuntimeError
        Where what is built has other weights than those, or of other shapes.
    """
    with reproducible(0, CPU):  # the first weights are drawn, and lost at once
        ensemble = build().double()
    ensemble.load_state_dict({name: torch.tensor(np.asarray(a)) for name, a in arrays.items()})
    return ensemble.eval()
