"""TabM."""

from cytobench import Choice, Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "width": Choice(16, 32, 64),
        "depth": Int(1, 2),
        "dropout": Float(0.0, 0.5),
        "learning_rate": Float(1e-3, 1e-2, log=True),
        "weight_decay": Float(1e-3, 1.0, log=True),
    },
    solver="cytobench.torch.batch:tabm",
    extra="tabm",
    licence="Apache-2.0",
    citation="10.48550/arXiv.2410.24210",
)
def tabm(
    width=32,
    depth=1,
    dropout=0.2,
    members=16,
    learning_rate=3e-3,
    weight_decay=1e-2,
    precision="full",
    kind="classification",
    device="auto",
    random_state=None,
):
    """TabM: sixteen perceptrons that share most weights."""
    from cytobench.torch.tabm import TabMClassifier, TabMRegressor

    network = TabMRegressor if kind == "regression" else TabMClassifier
    return network(
        width=width,
        depth=depth,
        dropout=dropout,
        members=members,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        precision=precision,
        device=device,
        random_state=random_state,
    )
