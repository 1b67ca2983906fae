"""Cohorts: the frozen contract, the readers of tables, the checks on what was read."""
