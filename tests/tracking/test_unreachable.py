"""Where nobody listens, that is said at once."""

import time


def test_a_database_where_nobody_listens_is_said_at_once_and_without_its_password(
    toy_plugins, cytobench
):
    cytobench(
        "run", "dataset=toy", "model=guess", "floors=[]", "tuning=off", "protocol.repeats=1",
        "tracking=none",
    )  # fmt: skip
    begun = time.monotonic()

    done = cytobench(
        "track", "tracking.uri=postgresql://ann:s3cret-word@127.0.0.1:1/x", check=False
    )

    assert "[E601] postgresql://***@127.0.0.1:1/x" in done.stderr
    assert time.monotonic() - begun < 60  # MLflow by itself tries for two minutes
