"""How good a rule is that chooses a treatment for each patient."""
