"""Errors say what is wrong, where, and what to do; and survive the way back from a worker."""

import pickle

from cytobench.core.errors import DataError, did_you_mean


def test_an_error_reads_as_code_place_message_hint():
    error = DataError("E301", "column 'IL6' is missing", where="a.csv", hint="did you mean 'IL-6'?")

    assert str(error) == "[E301] a.csv: column 'IL6' is missing\n  -> did you mean 'IL-6'?"


def test_an_error_survives_pickling():
    error = DataError("E301", "message", where="place", hint="hint")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is DataError
    assert str(again) == str(error)


def test_the_nearest_spelling_comes_first():
    assert did_you_mean("elastic_nett", ["mlp", "elastic_net"]).startswith(
        "did you mean 'elastic_net'?"
    )


def test_without_a_near_spelling_the_options_are_listed():
    assert did_you_mean("xyz", ["mlp", "elastic_net"]) == "there are: elastic_net, mlp"
