"""Perceptrons in one matrix: the gradient is autograd's and the optimiser is torch's AdamW."""

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional

from cytobench.torch.stacked import AdamW, Perceptrons, Rows, Shape, padded

NETWORKS, N = 4, 32


@pytest.mark.parametrize("n", [1, 31, 32, 33])
def test_rows_are_padded_to_whole_vectors(n):
    assert padded(n) in {32, 64}
    assert padded(n) >= n


def test_layers_are_views_that_do_not_overlap():
    shape = Shape((5, 16, 16, 1))
    matrix = torch.zeros(3, shape.columns)

    for weight, bias in shape.layers(matrix):
        weight += 1
        bias += 1

    assert int(matrix.sum()) == 3 * (5 * 16 + 16 + 16 * 16 + 16 + 16 + 1)
    assert float(matrix.max()) == 1


@pytest.mark.parametrize("sizes", [(5, 16, 1), (5, 16, 16, 1)])
@pytest.mark.parametrize("classes", [True, False])
def test_the_gradient_is_that_of_autograd(sizes, classes):
    torch.manual_seed(0)
    shape = Shape(sizes)
    matrix = torch.randn(NETWORKS, shape.columns)
    share = torch.full((NETWORKS, N), 1 / (N - 2))
    share[:, -2:] = 0
    targets = torch.randn(NETWORKS, N)
    start = torch.randn(NETWORKS, 1) if classes else None
    rows = Rows(
        torch.randn(NETWORKS, N, 5), (targets > 0).float() if classes else targets, share, start
    )
    kept = [torch.empty(NETWORKS, N, 16).bernoulli_(0.7) for _ in sizes[1:-1]]
    scale = torch.tensor([1.0, 1.2, 2.0, 4.0]).view(-1, 1, 1)
    networks = Perceptrons(shape, matrix, scale, N)

    networks.differentiate(rows, kept)

    reference = matrix.clone().requires_grad_()
    *hidden, last = shape.layers(reference)
    units = rows.X
    for (weight, bias), mask in zip(hidden, kept, strict=True):
        units = torch.relu(units @ weight + bias) * mask * scale
    outputs = (units @ last[0] + last[1]).squeeze(-1)
    if classes:
        loss = functional.binary_cross_entropy_with_logits(
            outputs + start, rows.y, reduction="none"
        )
    else:
        loss = (outputs - rows.y) ** 2
    (loss * share).sum().backward()
    torch.testing.assert_close(networks.grad, reference.grad, atol=1e-5, rtol=1e-5)


def test_every_network_takes_adamw_steps_of_its_own():
    torch.manual_seed(0)
    matrix = torch.randn(2, 64)
    rates, decays = [0.01, 0.3], [0.1, 1.0]
    theirs = [row.clone().requires_grad_() for row in matrix]
    references = [
        torch.optim.AdamW([row], lr=rate, weight_decay=decay)
        for row, rate, decay in zip(theirs, rates, decays, strict=True)
    ]
    optimiser = AdamW(matrix, torch.tensor(rates)[:, None], torch.tensor(decays)[:, None])

    for _ in range(20):
        grad = torch.randn(2, 64)
        for row, reference, own in zip(theirs, references, grad, strict=True):
            row.grad = own.clone()
            reference.step()
        optimiser.step(matrix, grad)

    for row, other in zip(matrix, theirs, strict=True):
        torch.testing.assert_close(row, other.detach(), atol=1e-5, rtol=1e-5)
