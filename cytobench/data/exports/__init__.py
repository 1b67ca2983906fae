"""Exports as instruments write them (Luminex, MSD, ELISA): from wells to one row per sample."""
