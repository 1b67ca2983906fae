"""Imports every family, so that each is entered."""

from support.hostile import bundles, commands, datasets, exports, overrides, shown, stores, tables

__all__ = ["bundles", "commands", "datasets", "exports", "overrides", "shown", "stores", "tables"]
