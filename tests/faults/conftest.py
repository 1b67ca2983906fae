"""What every fault is held against."""

import pytest
from support.faults import first_stage


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A stage on which nothing befell the run."""
    return first_stage(tmp_path_factory.mktemp("undisturbed"))
