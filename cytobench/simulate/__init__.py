"""Structural cohorts with known truth."""
