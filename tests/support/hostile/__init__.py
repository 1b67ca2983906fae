"""Hostile input by the family: each draws one, throws it at the code, and says what came of it."""
