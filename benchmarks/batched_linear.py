"""T3: the linear family tuned in lock-step. ``python benchmarks/batched_linear.py``"""

from __future__ import annotations

from typing import Any

from lockstep_race import Row, race, report


def _ridge(C: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=1000)


def _elastic_net(C: float, l1_ratio: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(solver="saga", C=C, l1_ratio=l1_ratio, max_iter=5000, tol=1e-4)


def _lasso(C: float) -> Any:
    return _elastic_net(C, 1.0)


def main() -> list[Row]:
    """Race, keep and return the rows."""
    rows = [
        race(model, sampler, make)
        for model, make in (("ridge", _ridge), ("elastic_net", _elastic_net), ("lasso", _lasso))
        for sampler in ("random", "tpe")
    ]
    report("batched_linear", "The linear family in lock-step", "T3", 15, rows)
    return rows


if __name__ == "__main__":
    main()
