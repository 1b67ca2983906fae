"""A network in the style of RealMLP."""

from cytobench import Choice, Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "width": Choice(16, 32, 64),
        "dropout": Float(0.0, 0.5),
        "frequency": Float(0.02, 0.5, log=True),
        "learning_rate": Float(3e-3, 5e-2, log=True),
        "weight_decay": Float(1e-3, 1.0, log=True),
    },
    solver="cytobench.torch.batch:realmlp",
    extra="torch",
    licence="BSD-3-Clause",
    citation="10.48550/arXiv.2407.04491",
)
def realmlp(
    width=32,
    depth=2,
    dropout=0.2,
    frequency=0.1,
    members=3,
    learning_rate=1e-2,
    weight_decay=1e-2,
    precision="full",
    kind="classification",
    device="auto",
    random_state=None,
):
    """Perceptron in the style of RealMLP: embedded numbers, smooth clip."""
    from cytobench.torch.realmlp import RealMlpClassifier, RealMlpRegressor

    network = RealMlpRegressor if kind == "regression" else RealMlpClassifier
    return network(
        width=width,
        depth=depth,
        dropout=dropout,
        frequency=frequency,
        members=members,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        precision=precision,
        device=device,
        random_state=random_state,
    )
