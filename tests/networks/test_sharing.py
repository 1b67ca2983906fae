"""TabM with its members' weights multiplied out: outputs and gradient are the authors' module's."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tabm")

from torch.func import functional_call

from cytobench.torch.dropping import replayed
from cytobench.torch.modules import Pattern
from cytobench.torch.sharing import Sharing
from cytobench.torch.stacked import Rows
from cytobench.torch.tabm import TabMClassifier

PROBLEMS, N, FEATURES, WIDTH = 3, 32, 5, 8
SCALES = [1.0, 1.25, 2.0]


def networks(depth, members, dropout=0.2):
    """Random numbers in the place of every factor, and what they belong to."""
    torch.manual_seed(0)
    made = TabMClassifier(depth=depth, width=WIDTH, dropout=dropout, members=members)
    module = made.build_ensemble(FEATURES).train()
    pattern = Pattern(module, torch.zeros(members, 1, FEATURES), None)
    scale = torch.tensor(SCALES).repeat_interleave(members)
    matrix = torch.randn(PROBLEMS, pattern.columns) / 2
    return module, Sharing(pattern, matrix, scale, N)


def patients(members, classes):
    """Rows of every member of every problem, the last two missing."""
    share = torch.full((PROBLEMS * members, N), 1 / (N - 2))
    share[:, -2:] = 0
    X, targets = torch.randn(PROBLEMS * members, N, FEATURES), torch.randn(PROBLEMS * members, N)
    start = torch.randn(PROBLEMS * members, 1) if classes else None
    return Rows(X, (targets > 0).float() if classes else targets, share, start)


def authors_outputs(module, sharing, matrix, X, masks=()):
    """What TabM answers with the numbers of each row of a matrix, shape (problems * members, n)."""
    names = [name for name, _ in module.named_parameters()]
    outputs = []
    for problem, x in enumerate(X.unflatten(0, (PROBLEMS, -1))):
        weights = [part[problem] for part in sharing.pattern.parts(matrix)]
        own = [mask[problem].transpose(0, 1) * SCALES[problem] for mask in masks]
        with replayed(own):
            outputs.append(functional_call(module, dict(zip(names, weights, strict=True)), (x,)))
    return torch.cat(outputs)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("classes", [True, False])
def test_the_gradient_of_every_factor_is_that_of_the_authors_module(depth, members, classes):
    module, sharing = networks(depth, members)
    rows = patients(members, classes)
    kept = [torch.empty(PROBLEMS, members, N, WIDTH).bernoulli_(0.7) for _ in range(depth)]
    reference = sharing.matrix.clone().requires_grad_()

    sharing.differentiate(rows, kept)

    rows.loss(authors_outputs(module, sharing, reference, rows.X, kept)).sum().backward()
    torch.testing.assert_close(sharing.grad, reference.grad, atol=1e-5, rtol=1e-5)


def test_the_loss_follows_the_factors_and_drops_nothing():
    module, sharing = networks(depth=2, members=4, dropout=0.0)
    rows = patients(members=4, classes=True)
    sharing.loss(rows)

    sharing.matrix.mul_(0.5)  # as an optimiser does, in place

    expected = rows.loss(authors_outputs(module, sharing, sharing.matrix, rows.X))
    torch.testing.assert_close(sharing.loss(rows), expected)


def test_those_that_stay_are_who_they_were():
    _, sharing = networks(depth=2, members=4)
    rows = patients(members=4, classes=True)
    before = sharing.loss(rows).unflatten(0, (PROBLEMS, -1))

    sharing.keep(torch.tensor([0, 2]))

    members = torch.cat([torch.arange(4), torch.arange(8, 12)])
    torch.testing.assert_close(sharing.loss(rows.keep(members)), before[[0, 2]].flatten())
