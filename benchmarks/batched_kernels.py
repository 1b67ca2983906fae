"""T5: the kernel family tuned in lock-step. ``python benchmarks/batched_kernels.py``"""

from __future__ import annotations

from typing import Any

from lockstep_race import Row, race, report


def _machine(C: float, gamma: float) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    return CalibratedClassifierCV(SVC(C=C, gamma=gamma), cv=3, ensemble=False)


def main() -> list[Row]:
    """Race, keep and return the rows."""
    rows = [race("svm_rbf", sampler, _machine) for sampler in ("random", "tpe")]
    report("batched_kernels", "The kernel family in lock-step", "T5", 4, rows)
    return rows


if __name__ == "__main__":
    main()
