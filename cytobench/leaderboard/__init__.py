"""Leaderboards: collect, rank, render."""
