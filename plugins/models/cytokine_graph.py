"""A graph network over the cytokine signalling prior."""

from cytobench import Choice, Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "width": Choice(4, 8, 16),
        "rounds": Int(1, 2),
        "dropout": Float(0.0, 0.5),
        "learning_rate": Float(1e-3, 3e-2, log=True),
        "weight_decay": Float(1e-3, 1.0, log=True),
    },
    extra="torch",
    licence="BSD-3-Clause",
    citation="10.1007/978-3-319-93417-4_38",
)
def cytokine_graph(
    width=8,
    rounds=2,
    dropout=0.2,
    members=3,
    learning_rate=1e-2,
    weight_decay=1e-2,
    precision="full",
    kind="classification",
    device="auto",
    random_state=None,
):
    """Graph network: analytes hear from those that induce or suppress them."""
    from cytobench.torch.graph import GraphClassifier, GraphRegressor

    network = GraphRegressor if kind == "regression" else GraphClassifier
    return network(
        width=width,
        rounds=rounds,
        dropout=dropout,
        members=members,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        precision=precision,
        device=device,
        random_state=random_state,
    )
