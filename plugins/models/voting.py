"""The average of other plugins."""

from cytobench import estimator, model


@model(
    tasks=("response", "remission", "percent_change"),
    composed="members",
    licence="BSD-3-Clause",
    citation="10.1109/34.667881",
)
def voting(
    members=("elastic_net", "gaussian_process", "random_forest"),
    kind="classification",
    random_state=None,
):
    """The mean prediction of other models with their defaults."""
    from sklearn.ensemble import VotingClassifier, VotingRegressor

    parts = [(name, estimator(name, kind=kind, random_state=random_state)) for name in members]
    if kind == "regression":
        return VotingRegressor(parts)
    return VotingClassifier(parts, voting="soft")
