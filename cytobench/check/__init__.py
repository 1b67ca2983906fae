"""Coded checks of plugins: what a plugin promises, tested.

>>> from cytobench.check import run_checks
>>> run_checks("prior", only=["CB1"]).ok
True
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytobench.check.runner import Report, Result, run_checks

__all__ = ["Report", "Result", "run_checks"]


def __getattr__(name: str) -> Any:
    # pytest loads our plugin in every run, and that one is to cost nothing.
    if name in __all__:
        from cytobench.check import runner

        return getattr(runner, name)
    raise AttributeError(f"module 'cytobench.check' has no attribute {name!r}")
