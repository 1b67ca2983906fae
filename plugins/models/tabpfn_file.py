"""A pretrained tabular model, from a file that you supply."""

from cytobench import model


@model(
    tasks=("response", "remission", "percent_change"),
    extra="tabpfn",
    licence="Apache-2.0",
    citation="10.1038/s41586-024-08328-6",
)
def tabpfn_file(
    weights="", sha256="", n_estimators=8, kind="classification", device="auto", random_state=None
):
    """TabPFN with weights from ``model.weights=FILE``; nothing is downloaded.

    The weights have a licence of their own. Checked against the signature of tabpfn 9.2; no weights
    were at hand. A checkpoint may run code when it is read, so its ``sha256`` has to be named.
    """
    import os
    from hashlib import sha256 as digest
    from pathlib import Path

    from cytobench import NotApplicable, PluginError

    if not weights:
        raise NotApplicable("E225", "tabpfn_file needs a file: model.weights=PATH")
    path = Path(weights).expanduser()
    if not path.is_file():
        raise PluginError("E226", "there is no such file of weights", where=str(path))
    if digest(path.read_bytes()).hexdigest() != sha256.lower():
        raise PluginError(
            "E226", "the weights are not those that sha256 names", where=str(path),
            hint="model.sha256=HASH as their publisher names it; a checkpoint may run code",
        )  # fmt: skip
    for name in ("HF_HUB_OFFLINE", "TABPFN_DISABLE_TELEMETRY"):  # before the package looks
        os.environ.setdefault(name, "1")
    from tabpfn import TabPFNClassifier, TabPFNRegressor

    pretrained = TabPFNRegressor if kind == "regression" else TabPFNClassifier
    return pretrained(
        model_path=str(path), n_estimators=n_estimators, device=device, random_state=random_state
    )
