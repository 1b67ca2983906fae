"""Networks as scikit-learn estimators: subclass and write ``build``.

>>> from torch import nn
>>> from cytobench.torch.estimator import NetworkClassifier
>>> class Linear(NetworkClassifier):
...     def build(self, n_features):
...         return nn.Linear(n_features, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from inspect import Signature, signature
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
from torch import Tensor, nn
from torch.nn import functional

from cytobench.torch.checkpoint import Checkpoint, folder_of, identity
from cytobench.torch.device import reproducible, resolve_device, single_thread
from cytobench.torch.trainer import Ensemble, Holdout, Schedule, hold_out, train
from cytobench.torch.weights import arrays_of, rebuilt

Floats = NDArray[np.float64]
PRECISIONS = ("full", "mixed")


@dataclass(frozen=True)
class Encoded:
    """Inputs (n, features), targets as the loss expects them and strata to hold out from (n,)."""

    X: Floats
    y: Floats
    strata: NDArray[np.intp]


class Network(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share.

    A subclass with parameters of its own takes the others as ``**training`` and hands them on;
    they count as its parameters all the same. What `build` makes follows from the parameters, the
    columns and the attributes of the fit; what it draws at random is a weight or a buffer.

    Parameters
    ----------
    members : int
        Networks that differ in initial weights and held-out rows; predictions are averaged.
    learning_rate, weight_decay : float
        Of AdamW.
    max_epochs : int
    patience : int
        Epochs without a lower held-out loss after which training stops.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ... for training; predictions are made on the CPU.
    precision : {"full", "mixed"}
        ``"mixed"`` multiplies in bfloat16 while it trains; never unless asked for.
    checkpoint : str or None
        Folder in which a training of more than a minute keeps its state, to be taken up again by
        the same fit; None takes that of ``$CYTOBENCH_CHECKPOINTS``, if any. Needs a seed.
    random_state : int, RandomState or None

    Attributes
    ----------
    ensemble_ : Module
        Inputs (members, n, features) to outputs (members, n); on the CPU.
    n_members_ : int
    training_ : Training
        Losses by epoch and the epoch that was kept.
    learning_curves_ : dict
        ``train_loss`` and ``valid_loss``, one value an epoch.
    n_iter_ : int
        Epochs trained.
    """

    shares_weights = False
    """Whether members share weights: then all hold out the same rows, or none would be unseen."""

    def __init__(
        self,
        *,
        members: int = 3,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        max_epochs: int = 100,
        patience: int = 12,
        device: str = "auto",
        precision: str = "full",
        checkpoint: str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.members = members
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.patience = patience
        self.device = device
        self.precision = precision
        self.checkpoint = checkpoint
        self.random_state = random_state

    def __init_subclass__(cls, **options: Any) -> None:
        """Write the inherited parameters out in the signature of an ``__init__`` that passes on."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            vars(cls)["__init__"].__signature__ = _written_out(cls)

    def build(self, n_features: int) -> nn.Module:
        """One untrained network: inputs (n, n_features) to outputs (n, 1) or (n,).

        For a classifier the output is added to the log odds of the training part; for a regressor
        it is in standard deviations of the outcome, from its mean.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method build(n_features)")

    def build_ensemble(self, n_features: int) -> nn.Module:
        """All members; override where they can be computed as one."""
        return Ensemble([self.build(n_features) for _ in range(self.members)])

    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[Any]]:
        """Inputs and outcome, checked."""
        raise NotImplementedError

    def _encode(self, X: Floats, y: NDArray[Any]) -> Encoded:
        """Remember what turns outputs into predictions; `X` and `y` are checked."""
        raise NotImplementedError

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Element by element, on targets as encoded."""
        raise NotImplementedError

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on inputs of shape (n, features) and an outcome of shape (n,)."""
        data = self._encode(*self._validated(X, y))
        self._check()
        device = resolve_device(self.device)
        seed = _seed(self.random_state)
        checkpoint = self._checkpoint(seed, device, data)
        with reproducible(seed, device):
            holdout, ensemble = self._untrained(data)
            ensemble = ensemble.to(device)
            self.training_ = train(
                ensemble,
                torch.tensor(data.X, dtype=torch.float32, device=device),
                torch.tensor(data.y, dtype=torch.float32, device=device),
                holdout.to(device),
                self._loss,
                self._schedule(),
                checkpoint,
            )
        self.n_iter_ = len(self.training_.valid_loss)
        self.learning_curves_ = {
            "train_loss": self.training_.train_loss,
            "valid_loss": self.training_.valid_loss,
        }
        return self._keep(ensemble)

    def _check(self) -> None:
        """Refuse parameters that no training can go by."""
        for name in ("members", "max_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: at least 1 is needed")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision={self.precision!r}: there are {', '.join(PRECISIONS)}")

    def _untrained(self, data: Encoded) -> tuple[Holdout, nn.Module]:
        """Who is held out and the first weights, drawn from torch's generator in this order."""
        holdout = hold_out(torch.tensor(data.strata), 1 if self.shares_weights else self.members)
        if self.shares_weights:
            holdout = holdout.for_all(self.members)
        return holdout, self.build_ensemble(data.X.shape[1])

    def _schedule(self) -> Schedule:
        """How to train."""
        return Schedule(
            self.learning_rate,
            self.weight_decay,
            self.max_epochs,
            self.patience,
            mixed=self.precision == "mixed",
        )

    def _keep(self, ensemble: nn.Module) -> Self:
        """Predict with these weights from now on."""
        # In single precision a prediction depends, in the seventh digit, on the rows beside it.
        self.ensemble_ = ensemble.cpu().double()
        self.n_members_ = self.members
        return self

    def __getstate__(self) -> dict[str, Any]:
        """The attributes, weights as arrays."""
        state = {**super().__getstate__()}
        if "ensemble_" in state:
            state["ensemble_"] = arrays_of(state["ensemble_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up the attributes, and build what the weights belong to."""
        super().__setstate__(state)
        if "ensemble_" in state:
            build = partial(self.build_ensemble, self.n_features_in_)
            self.ensemble_ = rebuilt(build, state["ensemble_"])

    def _checkpoint(self, seed: int, device: torch.device, data: Encoded) -> Checkpoint | None:
        """Where this training is kept; nowhere without a folder, or without a seed."""
        folder = folder_of(self.checkpoint)
        if folder is None or self.random_state is None:
            return None
        parameters = self.get_params()
        for name in ("checkpoint", "device", "random_state"):
            del parameters[name]
        return Checkpoint(folder, identity(type(self), parameters, seed, device, data.X, data.y))

    def _outputs(self, X: ArrayLike) -> Tensor:
        """Outputs of every member, shape (members, n), in double precision."""
        check_is_fitted(self)
        inputs = torch.tensor(validate_data(self, X, reset=False), dtype=torch.float64)
        with single_thread(), torch.no_grad():
            outputs: Tensor = self.ensemble_(inputs.expand(self.n_members_, *inputs.shape))
            return outputs

    def _mean(self, outputs: Tensor) -> Floats:
        """Predictions, shape (n,), of outputs of every member, shape (members, n)."""
        raise NotImplementedError


class NetworkClassifier(ClassifierMixin, Network):  # type: ignore[misc]
    """Two classes, one logit, cross-entropy; members' probabilities are averaged.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    prior_logit_ : float
        Log odds of the second class in the training part, where every network starts.
    """

    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[Any]]:
        inputs, labels = validate_data(self, X, y)
        check_classification_targets(labels)
        return inputs, labels

    def _encode(self, X: Floats, y: NDArray[Any]) -> Encoded:
        self.classes_, encoded = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(
                "Only binary classification is supported. "
                f"The type of the target is {type_of_target(y)}."
            )
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class only, {self.classes_[0]!r}; two are needed")
        share = float(encoded.mean())
        self.prior_logit_ = float(np.log(share / (1 - share)))
        return Encoded(X, encoded.astype(np.float64), encoded)

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(
            outputs + self.prior_logit_, targets, reduction="none"
        )

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probability of both classes, shape (n, 2)."""
        p = self._mean(self._outputs(X))
        return np.column_stack([1 - p, p])

    def _mean(self, outputs: Tensor) -> Floats:
        p: Floats = torch.sigmoid(outputs + self.prior_logit_).mean(dim=0).numpy()
        return p

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likelier class, shape (n,)."""
        second = self.predict_proba(X)[:, 1] >= 0.5
        return np.asarray(self.classes_[second.astype(np.intp)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class NetworkRegressor(RegressorMixin, Network):  # type: ignore[misc]
    """One output, squared error on the standardised outcome; members' predictions are averaged.

    Attributes
    ----------
    mean_, scale_ : float
        Of the outcome in the training part.
    """

    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[Any]]:
        inputs, values = validate_data(self, X, y, y_numeric=True)
        return inputs, column_or_1d(values).astype(np.float64)

    def _encode(self, X: Floats, y: NDArray[Any]) -> Encoded:
        self.mean_ = float(y.mean())
        self.scale_ = float(y.std()) or 1.0
        standardised = (y - self.mean_) / self.scale_
        return Encoded(X, standardised, np.zeros(len(y), dtype=np.intp))

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.mse_loss(outputs, targets, reduction="none")

    def predict(self, X: ArrayLike) -> Floats:
        """The outcome in its own unit, shape (n,)."""
        return self._mean(self._outputs(X))

    def _mean(self, outputs: Tensor) -> Floats:
        mean = outputs.mean(dim=0).numpy()
        return np.asarray(self.mean_ + self.scale_ * mean, dtype=np.float64)


def _written_out(cls: type) -> Signature:
    """The signature of a class's ``__init__`` with its ``**`` replaced by what that stands for."""
    own = signature(vars(cls)["__init__"])
    named = {
        name: item for name, item in own.parameters.items() if item.kind is not item.VAR_KEYWORD
    }
    if len(named) < len(own.parameters):
        for name, item in signature(cls.__mro__[1]).parameters.items():
            named.setdefault(name, item.replace(kind=item.KEYWORD_ONLY))
    return own.replace(parameters=list(named.values()))


def _seed(random_state: int | np.random.RandomState | None) -> int:
    """A seed for torch; None draws a fresh one and leaves numpy's global state alone."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state)
