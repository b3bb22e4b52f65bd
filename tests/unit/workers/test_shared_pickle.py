"""Results through shared memory: what is kept of them costs memory and nothing else."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from service.workers import shared_pickle


def through_memory(value: Any) -> Any:
    """Write a value and read it, as worker and server do."""
    fd = shared_pickle.dump(value)
    try:
        return shared_pickle.load(fd)
    finally:
        os.close(fd)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def mappings() -> int:
    """How many results lie in this process's memory."""
    return Path("/proc/self/maps").read_text().count("triptych-result")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(7, dtype=torch.int64),
        torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).T,
        torch.empty((0, 3)),
        torch.tensor(2.5),
    ],
    ids=["ints", "transposed halves", "empty", "scalar"],
)
def test_a_tensor_comes_back(tensor: torch.Tensor) -> None:
    back = through_memory({"tensor": tensor})["tensor"]

    assert back.dtype == tensor.dtype
    assert torch.equal(back, tensor)


def test_arrays_keep_their_layout_and_can_be_written() -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))

    back = through_memory([array, None, "text"])

    assert np.array_equal(back[0], array)
    assert back[0].strides == array.strides
    back[0][0, 0] = 9
    assert back[0][0, 0] == 9


def test_writing_to_an_array_changes_no_other_reader() -> None:
    fd = shared_pickle.dump(torch.zeros(4))
    one, other = shared_pickle.load(fd), shared_pickle.load(fd)
    os.close(fd)

    one[0] = 1

    assert other.tolist() == [0, 0, 0, 0]


def test_results_that_are_kept_hold_no_descriptor() -> None:
    """A cache may have thousands of them."""
    before = descriptors()

    kept = [through_memory((torch.full((100,), float(n)), np.arange(n))) for n in range(100)]

    assert descriptors() == before
    assert [float(tensor[0]) for tensor, _ in kept] == [float(n) for n in range(100)]


def test_the_memory_goes_with_the_last_array() -> None:
    before = mappings()
    one, other = through_memory((torch.zeros(1000), np.zeros(1000)))
    assert mappings() == before + 1

    del one
    gc.collect()
    assert mappings() == before + 1
    assert other.sum() == 0

    del other
    gc.collect()
    assert mappings() == before
