"""A network that reads the blood differently under each treatment."""

from cytobench import Choice, Float, model


@model(
    tasks=("response", "remission", "percent_change", "benefit"),
    space={
        "width": Choice(8, 16, 32),
        "dropout": Float(0.0, 0.5),
        "learning_rate": Float(1e-3, 1e-2, log=True),
        "weight_decay": Float(1e-3, 1.0, log=True),
    },
    extra="torch",
    licence="BSD-3-Clause",
    citation="10.48550/arXiv.1709.07871",
)
def treatment_conditioned(
    width=32,
    dropout=0.2,
    members=3,
    learning_rate=3e-3,
    weight_decay=1e-2,
    precision="full",
    kind="classification",
    device="auto",
    arm=None,
    random_state=None,
):
    """Network whose hidden units the treatment scales and shifts."""
    from cytobench.torch.conditioned import ConditionedClassifier, ConditionedRegressor

    network = ConditionedRegressor if kind == "regression" else ConditionedClassifier
    return network(
        width=width,
        dropout=dropout,
        members=members,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        precision=precision,
        device=device,
        arm=arm,
        random_state=random_state,
    )
