"""Names of processes: read back, or no process at all, whatever a claim says."""

import pytest

from cytobench.core.process import Process, this_process


def test_a_name_is_read_back():
    assert Process.parse(str(this_process())) == this_process()


@pytest.mark.parametrize(
    "text", ["", "-", "x-", "x--", "x-1a-", "x-٣-1", "x-²-1", "x-" + "9" * 5000]
)
def test_what_is_no_name_is_no_process(text):
    assert Process.parse(text) is None
