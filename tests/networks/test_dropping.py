"""What a module drops is seen from outside, and answered with given masks."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn
from torch.nn import functional

from cytobench.torch.dropping import Dropping, replayed, traced


class TwoCalls(nn.Module):
    """Drops units of two layers, the second written out as a function."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 2)
        self.dropout = nn.Dropout(0.25)

    def forward(self, X):
        hidden = self.dropout(self.first(X))
        return functional.dropout(self.second(hidden), 0.5, self.training)


@pytest.fixture
def module():
    torch.manual_seed(0)
    return TwoCalls().train()


X = torch.linspace(-1, 1, 12).reshape(4, 3)


def test_calls_are_seen_with_shape_and_share(module):
    calls = traced(module, module, X[:1]).calls

    assert [(call.drawn, call.used, call.dropout) for call in calls] == [
        ((1, 5), (1, 5), 0.25),
        ((1, 2), (1, 2), 0.5),
    ]


def test_what_is_kept_for_the_gradient_is_told_by_row_and_for_all_rows_together():
    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = (nn.Parameter(torch.ones(shape)) for shape in ((3, 2), (2, 5)))

        def forward(self, rows):
            return torch.tanh(rows @ torch.tanh(self.left @ self.right))

    product = Product().train()

    trace = traced(product, product, X[:1])

    assert trace.floats == 3 + 5, "a row, and what tanh makes of it"
    assert trace.fixed == 3 * 5, "what tanh makes of the weights, and not they themselves"


def test_given_masks_take_the_place_of_what_would_be_drawn(module):
    masks = [torch.rand(4, 5), torch.rand(4, 2)]

    with replayed(masks):
        given = module(X)

    torch.testing.assert_close(given, module.second(module.first(X) * masks[0]) * masks[1])


def test_masks_drawn_as_torch_does_give_what_torch_gives(module):
    torch.manual_seed(7)
    expected = module(X)

    torch.manual_seed(7)
    masks = [torch.empty(4, 5).bernoulli_(0.75) / 0.75, torch.empty(4, 2).bernoulli_(0.5) / 0.5]
    with replayed(masks):
        given = module(X)

    torch.testing.assert_close(given, expected)


def test_nothing_is_dropped_where_nothing_is_trained(module):
    def never(units, share):
        raise AssertionError("called")

    with Dropping(never):
        module.eval()(X)
