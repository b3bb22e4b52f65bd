"""What training feeds the towers equals what the Hugging Face processors emit."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")

import transformers

from demo import drawing, export, features, synthesis
from demo.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Load the processor from a folder that `export` wrote."""
    folder: Path = tmp_path_factory.mktemp("checkpoint")
    tokenizer = train_tokenizer()
    export.write_checkpoint(folder, {"weight": torch.zeros(1)}, tokenizer)
    return transformers.AutoProcessor.from_pretrained(folder)


@pytest.mark.parametrize("size", [(84, 84), (48, 60), (240, 320), (300, 200), (1000, 700)])
def test_patches_equal_the_processors(processor: object, size: tuple[int, int]) -> None:
    """Pictures and frames of any size are scaled, normalised and cut in the same way."""
    height, width = size
    _, scenes = drawing.clip(Random(3), 4)
    frames = np.stack([np.asarray(drawing.draw(scene, width, height)) for scene in scenes])

    image = processor.image_processor(images=[frames[0]], return_tensors="pt")["pixel_values"]
    video = processor.video_processor(videos=[frames], return_tensors="pt")["pixel_values_videos"]

    doubled = features.scale(frames[:1])[None].expand(1, 2, -1, -1, -1)
    assert torch.allclose(image, features.patches(doubled)[0], atol=1e-5)
    assert torch.allclose(video, features.patches(features.scale(frames)[None])[0], atol=1e-5)


def test_the_processor_scales_frames_like_pictures(processor: object) -> None:
    """The checkpoint undoes the family's default of 128 merged tokens a frame."""
    frames = np.zeros((4, 100, 100, 3), np.uint8)

    made = processor(text="<|VIDEO|>", videos=[frames], return_tensors="pt")

    assert made["video_grid_thw"].tolist() == [[2, 6, 6]]


@pytest.mark.parametrize("seconds", [1.0, 2.123, 3.3])
def test_mel_equals_the_feature_extractors(processor: object, seconds: float) -> None:
    """The log-mel spectrogram is the Whisper feature extractor's, cut to the sound's length."""
    _, wave, _ = synthesis.any_sound(Random(5), seconds)

    made = processor.feature_extractor(
        [wave], sampling_rate=16_000, return_attention_mask=True, return_tensors="pt"
    )

    frames = int(made["attention_mask"].sum())
    assert torch.allclose(
        made["input_features"][0, :, :frames],
        features.mel(torch.from_numpy(wave)[None])[0],
        atol=1e-4,
    )
