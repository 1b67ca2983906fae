"""The run store, mirrored to MLflow: idempotent, one process writes, and it can be made anew."""

from cytobench.tracking.live import Live
from cytobench.tracking.mirror import Mirror

__all__ = ["Live", "Mirror"]
