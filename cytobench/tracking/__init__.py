"""The run store, mirrored to MLflow: idempotent, from one process, and it can be made anew."""

from cytobench.tracking.mirror import Mirror

__all__ = ["Mirror"]
