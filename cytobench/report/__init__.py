"""Figures of one cell."""
