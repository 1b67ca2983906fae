"""Solvers that fit many small problems (fold x setting) at once, for the trials of tuning."""
