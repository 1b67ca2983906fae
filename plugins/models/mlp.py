"""A small multilayer perceptron."""

from cytobench import Choice, Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "width": Choice(8, 16, 32, 64),
        "depth": Int(1, 2),
        "dropout": Float(0.0, 0.5),
        "learning_rate": Float(1e-3, 1e-2, log=True),
        "weight_decay": Float(1e-3, 1.0, log=True),
    },
    solver="cytobench.torch.batch:mlp",
    extra="torch",
    licence="BSD-3-Clause",
    citation="10.1038/323533a0",
)
def mlp(
    width=32,
    depth=1,
    dropout=0.3,
    learning_rate=3e-3,
    weight_decay=1e-2,
    members=3,
    precision="full",
    kind="classification",
    device="auto",
    random_state=None,
):
    """Multilayer perceptron: three small networks, stopped early and averaged."""
    from cytobench.torch.mlp import MlpClassifier, MlpRegressor

    network = MlpRegressor if kind == "regression" else MlpClassifier
    return network(
        width=width,
        depth=depth,
        dropout=dropout,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        members=members,
        device=device,
        precision=precision,
        random_state=random_state,
    )
