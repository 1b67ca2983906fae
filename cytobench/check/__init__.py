"""Coded checks of plugins: what a plugin promises, tested."""
