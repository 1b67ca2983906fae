"""The planted procedures become importable, here and in the audit's fresh processes."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def procedures():
    """The module ``planted_procedures``."""
    folder = str(Path(__file__).parent / "procedures")
    sys.path.insert(0, folder)
    import planted_procedures

    yield planted_procedures
    sys.path.remove(folder)
