"""Search spaces: what may be tuned, declared beside the model as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cytobench.core.errors import PluginError

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Float:
    """A real number in ``[low, high]``; ``log=True`` searches its logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high, self.log)


@dataclass(frozen=True)
class Int:
    """A whole number in ``[low, high]``, both ends included."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if isinstance(end, bool) or int(end) != end:
                raise PluginError("E210", f"{self!r}: the ends of an Int must be whole numbers")
        _check_range(self, self.low, self.high, self.log)


@dataclass(frozen=True, init=False)
class Choice:
    """One of the given options: ``Choice("sqrt", 0.33, None)``."""

    options: tuple[Scalar, ...]

    def __init__(self, *options: Scalar) -> None:
        if not options:
            raise PluginError("E210", "Choice() needs at least one option")
        object.__setattr__(self, "options", tuple(options))

    def __repr__(self) -> str:
        return f"Choice({', '.join(map(repr, self.options))})"


Dimension = Float | Int | Choice
Space = Mapping[str, Dimension]


def _check_range(dimension: object, low: float, high: float, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise PluginError("E210", f"{dimension!r}: expected finite ends with low <= high")
    if log and low <= 0:
        raise PluginError("E210", f"{dimension!r}: a logarithmic range must start above 0")


def to_config(space: Space) -> dict[str, dict[str, Any]]:
    """The space as plain data, the form that Hydra overrides reach (``model.space.C.high=10``)."""
    out: dict[str, dict[str, Any]] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Choice):
            out[name] = {"type": "choice", "options": list(dimension.options)}
        else:
            kind = "int" if isinstance(dimension, Int) else "float"
            out[name] = {
                "type": kind,
                "low": dimension.low,
                "high": dimension.high,
                "log": dimension.log,
            }
    return out


def from_config(config: Mapping[str, Any], *, where: str = "model.space") -> dict[str, Dimension]:
    """The inverse of :func:`to_config`.

    Raises
    ------
    PluginError
        ``E211`` where an entry is not a Float, Int or Choice, ``E210`` where one has no range.
    """
    return {name: _dimension(entry, f"{where}.{name}") for name, entry in config.items()}


def _dimension(entry: Any, where: str) -> Dimension:
    expected = "expected {type: float|int, low:, high:, log:} or {type: choice, options: [...]}"
    if not isinstance(entry, Mapping):
        raise PluginError("E211", f"{entry!r} is no search dimension; {expected}", where=where)
    fields = {str(key): value for key, value in entry.items()}
    kind = fields.pop("type", None)
    kinds: dict[Any, type[Float] | type[Int]] = {"float": Float, "int": Int}
    try:
        if kind == "choice":
            return Choice(*fields.pop("options"))
        return kinds[kind](**fields)
    except (KeyError, TypeError) as error:
        raise PluginError("E211", f"{dict(entry)!r}: {expected}", where=where) from error
    except PluginError as error:
        raise PluginError(error.code, error.message, where=where) from error
