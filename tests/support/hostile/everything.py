"""Imports every family, so that each is entered."""

from support.hostile import commands, datasets, exports, overrides, shown, tables

__all__ = ["commands", "datasets", "exports", "overrides", "shown", "tables"]
