"""Imports every family, so that each is entered."""

from support.hostile import datasets, exports, overrides, shown, tables

__all__ = ["datasets", "exports", "overrides", "shown", "tables"]
