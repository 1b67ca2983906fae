"""What is known to go wrong with an installation, looked for before it does."""

from cytobench.doctor.examination import examine, situation_of
from cytobench.doctor.register import Finding, Situation, checks

__all__ = ["Finding", "Situation", "checks", "examine", "situation_of"]
