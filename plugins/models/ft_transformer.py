"""FT-Transformer."""

from cytobench import Choice, Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "width": Choice(8, 16),
        "dropout": Float(0.0, 0.4),
        "learning_rate": Float(1e-3, 1e-2, log=True),
        "weight_decay": Float(1e-3, 1.0, log=True),
    },
    solver="cytobench.torch.batch:ft_transformer",
    extra="rtdl_revisiting_models",
    licence="MIT",
    citation="10.48550/arXiv.2106.11959",
)
def ft_transformer(
    width=16,
    depth=1,
    heads=2,
    dropout=0.2,
    members=2,
    max_epochs=60,
    learning_rate=5e-3,
    weight_decay=1e-2,
    precision="full",
    kind="classification",
    device="auto",
    random_state=None,
):
    """FT-Transformer: every column a token; one small block."""
    from cytobench.torch.ft_transformer import FtTransformerClassifier, FtTransformerRegressor

    network = FtTransformerRegressor if kind == "regression" else FtTransformerClassifier
    return network(
        width=width,
        depth=depth,
        heads=heads,
        dropout=dropout,
        members=members,
        max_epochs=max_epochs,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        precision=precision,
        device=device,
        random_state=random_state,
    )
