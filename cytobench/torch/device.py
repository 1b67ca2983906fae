"""Where networks train, and how that leaves no trace: seeds, threads and flags are put back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def resolve_device(device: str) -> torch.device:
    """``"auto"`` is CUDA where there is one and else the CPU; anything else is torch's own name.

    Raises
    ------
    ValueError
        For a name that torch does not know, and where CUDA or Apple's GPU is asked for and absent.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device={device!r}: there are auto, cpu, cuda, cuda:0, mps") from error
    if resolved.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device={device!r}: torch sees no Apple GPU here; use cpu or auto")
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={device!r}: torch sees no CUDA device here; use cpu or auto")
    return resolved


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch and ask for one thread and deterministic algorithms; restore all of it after.

    One thread makes sums independent of the machine's number of cores, and for networks of a few
    thousand weights it is the fastest choice.
    """
    with ExitStack() as stack:
        cuda = [device] if device.type == "cuda" else []
        stack.enter_context(torch.random.fork_rng(devices=cuda))
        stack.enter_context(single_thread())
        # Not torch.manual_seed(): it would also seed devices that fork_rng does not restore.
        torch.random.default_generator.manual_seed(seed)
        if cuda:
            stack.enter_context(_deterministic())
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        if device.type == "mps":
            # fork_rng knows devices by number, and Apple's has none.
            stack.callback(torch.mps.set_rng_state, torch.mps.get_rng_state())
            torch.mps.manual_seed(seed)
        yield


@contextmanager
def single_thread() -> Iterator[None]:
    """One intra-op thread inside, as many as before after."""
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic CUDA kernels inside; cuBLAS wants its workspace declared for that.

    Torch looks for the declaration once, at the process's first product on CUDA. A program that
    computes there before its first fit has to set ``CUBLAS_WORKSPACE_CONFIG`` itself, as torch's
    error then says.
    """
    flags = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    workspace = os.environ.get(_WORKSPACE)
    os.environ[_WORKSPACE] = workspace or ":4096:8"
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(flags[0], warn_only=flags[1])
        if workspace is None:
            del os.environ[_WORKSPACE]
