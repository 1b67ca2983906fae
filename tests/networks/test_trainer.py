"""The training loop's parts, each against what it should be."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from torch import nn

from cytobench.torch.device import reproducible, resolve_device
from cytobench.torch.trainer import Ensemble, Schedule, _AdamW, hold_out


def test_every_class_is_held_out_in_its_share_and_rows_are_used_once():
    strata = (torch.arange(100) < 30).long()
    holdout = hold_out(strata, members=3)

    assert holdout.train.shape == (3, 80)
    for train, valid in zip(holdout.train, holdout.valid, strict=True):
        assert int(strata[valid].sum()) == 6
        assert sorted([*train.tolist(), *valid.tolist()]) == list(range(100))


def test_members_hold_out_different_rows():
    holdout = hold_out(torch.zeros(100).long(), members=5)

    assert sorted(holdout.valid.flatten().tolist()) == list(range(100))


def test_where_nothing_can_be_held_out_the_training_rows_stop_the_training():
    holdout = hold_out(torch.tensor([0, 1, 1]), members=2)

    assert torch.equal(holdout.train, holdout.valid)
    assert holdout.train.shape == (2, 3)


def test_the_optimiser_is_adamw():
    torch.manual_seed(0)
    ours, theirs = nn.Linear(4, 1), nn.Linear(4, 1)
    theirs.load_state_dict(ours.state_dict())
    optimiser = _AdamW(ours, Schedule(0.01, 0.1, 1, 1))
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1)
    X = torch.randn(20, 4)

    for _ in range(10):
        ours(X).square().mean().backward()
        optimiser.step()
        reference.zero_grad()
        theirs(X).square().mean().backward()
        reference.step()

    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_frozen_and_unused_weights_stay_as_they_are():
    module = Ensemble([nn.Linear(3, 1)])
    module.unused = nn.Parameter(torch.ones(2))
    module.members[0].bias.requires_grad_(False)
    bias = module.members[0].bias.clone()
    optimiser = _AdamW(module, Schedule(0.01, 0.1, 1, 1))

    module(torch.randn(1, 5, 3)).sum().backward()
    optimiser.step()

    assert torch.equal(module.unused, torch.ones(2))
    assert torch.equal(module.members[0].bias, bias)


def test_auto_is_cuda_where_there_is_one(monkeypatch):
    for there, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert resolve_device("auto").type == expected


def test_cuda_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(ValueError, match="no CUDA device"):
        resolve_device("cuda")


def test_threads_and_seeds_are_restored_after_an_error():
    state, threads = torch.get_rng_state(), torch.get_num_threads()

    def fail():
        with reproducible(0, torch.device("cpu")):
            torch.rand(3)
            assert torch.get_num_threads() == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_apples_generator_is_seeded_and_restored(monkeypatch):
    generator = {"state": "before"}
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: generator["state"])
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: generator.update(state=state))
    monkeypatch.setattr(torch.mps, "manual_seed", lambda seed: generator.update(state=seed))

    with reproducible(7, torch.device("mps")):
        assert generator["state"] == 7

    assert generator["state"] == "before"


def test_the_package_is_light_until_a_network_is_asked_for():
    script = "import sys, cytobench.torch; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_fit_does_not_import_the_compiler():
    script = (
        "import sys, numpy as np; from cytobench.torch.mlp import MlpClassifier;"
        "MlpClassifier(device='cpu').fit(np.eye(8), np.arange(8) % 2);"
        "sys.exit('torch._dynamo' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda_a_seed_repeats_and_flags_are_restored():
    import numpy as np

    from cytobench.torch.mlp import MlpClassifier

    X = np.random.default_rng(0).normal(size=(100, 10))
    y = (X[:, 0] > 0).astype(int)
    state = torch.cuda.get_rng_state()
    found = [
        MlpClassifier(device="cuda", random_state=0).fit(X, y).predict_proba(X) for _ in range(2)
    ]

    assert found[0].tobytes() == found[1].tobytes()
    assert torch.equal(torch.cuda.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
