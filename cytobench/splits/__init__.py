"""Protocols and split plans: who is trained on, who is tested on, as frozen index arrays."""
