"""The uniform-batch forward of the training equals the original forward of transformers."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")

from demo import batches, features, train
from demo.tokenizer import train_tokenizer

_SECONDS_PER_GRID = 1.0


def _original_states(thinker: object, batch: batches.Batch, row: int) -> torch.Tensor:
    """Run one row through the model's own forward; return its logits [L, vocabulary]."""
    given: dict[str, torch.Tensor] = {}
    for kind, pixels, grid in (
        ("image", "pixel_values", "image_grid_thw"),
        ("video", "pixel_values_videos", "video_grid_thw"),
    ):
        slots = [slot for slot in batch.slots if slot.kind == kind]
        if slots:
            frames = [torch.from_numpy(slot.data[row : row + 1]) for slot in slots]
            doubled = [one.expand(-1, 2, -1, -1, -1) if kind == "image" else one for one in frames]
            given[pixels] = torch.cat([features.patches(one)[0] for one in doubled])
            given[grid] = torch.tensor([slot.grid for slot in slots])
    for slot in batch.slots:
        if slot.kind == "audio":
            given["input_features"] = features.mel(torch.from_numpy(slot.data[row : row + 1]))
            given["feature_attention_mask"] = torch.ones(
                1, given["input_features"].shape[-1], dtype=torch.long
            )
        if slot.kind == "video":
            given["video_second_per_grid"] = torch.tensor([_SECONDS_PER_GRID])
    length = int(np.flatnonzero(batch.labels[row] >= 0)[-1]) + 1
    ids = torch.from_numpy(batch.ids[row : row + 1, :length])
    return thinker(input_ids=ids, attention_mask=torch.ones_like(ids), **given).logits[0]


@pytest.mark.parametrize(
    "kinds",
    [(), ("image",), ("audio",), ("video",), ("image", "image"), ("image", "audio", "video")],
)
def test_uniform_forward_equals_the_original(kinds: tuple[str, ...]) -> None:
    """Every layout's logits are those of the model's own forward."""
    tokenizer = train_tokenizer()
    thinker = train.build_thinker(tokenizer).eval()
    batch = batches.make_batch(Random(7), tokenizer, 2, kinds)
    marks = torch.tensor(
        [tokenizer.token_to_id(mark) for mark in ("<|IMAGE|>", "<|AUDIO|>", "<|VIDEO|>")]
    )

    with torch.no_grad():
        encoded = [train.encode_slot(thinker, slot) for slot in batch.slots]
        states = train.hidden_states(thinker, batch, encoded, marks)
        for row in range(2):
            expected = _original_states(thinker, batch, row)
            actual = thinker.lm_head(states[row])[: len(expected)]
            assert torch.allclose(expected, actual, atol=2e-4)
