"""No password is in a text that has been through this."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.core.errors import CytobenchError
from cytobench.core.secrets import without_secrets
from cytobench.run.provenance import command_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ann:s3cret@db:5432/mlflow", "postgresql://***@db:5432/mlflow"),
        ("http://ann:a/b@c@host:5000", "http://***@host:5000"),
        ("https://s3cret@host", "https://***@host"),
        ("engine.login={user: me, password: s3cret}", "engine.login={user: me, password: ***}"),
        ("engine.login.password='two words'", "engine.login.password=***"),
        ('{"passphrase": "s3 cret", "port": 22}', '{"passphrase": ***, "port": 22}'),
        ("engine.env={MLFLOW_TRACKING_TOKEN: s3cret}", "engine.env={MLFLOW_TRACKING_TOKEN: ***}"),
        ("env={AWS_SECRET_ACCESS_KEY: s3cret, A: 1}", "env={AWS_SECRET_ACCESS_KEY: ***, A: 1}"),
        ("engine.setup=['export API_KEY=s3cret']", "engine.setup=['export API_KEY=***']"),
        ("https://host/x?api_key=s3cret", "https://host/x?api_key=***"),
        ("Authorization: Bearer s3cret", "Authorization: Bearer ***"),
        ("DB_PWD=s3cret", "DB_PWD=***"),
        ("azure-account-key: s3cret", "azure-account-key: ***"),
    ],
)  # fmt: skip
def test_a_password_is_not_shown(text, shown):
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:5000/#/experiments/1",
        "sqlite:///mlflow.db",
        "dataset=toy model.token_dim=8 model.C=1e-3",
        "tracking.uri=${oc.env:MLFLOW_TRACKING_URI}",
        "engine.login={password: ${oc.env:PASSWORD}}",
        "write to someone@example.org",
        "key=value model.monkey=3 dataset.key: patient",
        "basic statistics: of tokens, and of keys",
    ],
)
def test_what_holds_none_stays_as_it_is(text):
    assert without_secrets(text) == text


@given(
    st.text(
        st.characters(codec="ascii", exclude_characters="'\"", categories=["L", "N", "P"]),
        min_size=4,
    )
)
def test_no_password_of_an_address_survives(password):
    secret = f"<{password}>"

    assert secret not in without_secrets(f"see http://ann:{secret}@host:5000 there")


def test_an_error_shows_no_password():
    error = CytobenchError("E601", "no answer from http://a:s3cret@h", where="http://a:s3cret@h")

    assert "s3cret" not in str(error)
    assert "s3cret" not in repr(error.args)


def test_the_command_that_repeats_a_run_holds_no_password():
    assert "s3cret" not in command_line(["tracking.uri=http://ann:s3cret@h", "model=ridge"])


@pytest.mark.parametrize(
    "override",
    ["engine.env={LOGIN: s3cret}", "engine.env.LOGIN=s3cret", "+engine.env.LOGIN='s3cret s3cret'"],
)
def test_the_command_holds_no_value_of_what_workers_get_in_their_environment(override):
    said = command_line(["model=ridge", override, "engine.workers=2"])

    assert "s3cret" not in said
    assert "model=ridge" in said
    assert "engine.workers=2" in said
