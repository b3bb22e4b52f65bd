"""Turn media into the numbers that the towers read, exactly as the Hugging Face processors do.

Training cannot afford the processors themselves (they pad every sound to 30 seconds), so this is
the same arithmetic without the padding. `tests/unit/demo/test_features.py` holds both against each
other.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import torch
from torchvision.transforms.v2 import functional as tvf
from transformers.audio_utils import mel_filter_bank
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from demo import model_config as sizes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
_STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
AUDIO_TOKEN_SECONDS = 4 * sizes.HOP_LENGTH / sizes.SAMPLING_RATE


def scaled_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width, in pixels, to which a picture of this size is scaled."""
    factor = sizes.PATCH_SIZE * sizes.MERGE_SIZE
    return smart_resize(
        height, width, factor=factor, min_pixels=sizes.MIN_PIXELS, max_pixels=sizes.MAX_PIXELS
    )


def scale(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Scale RGB [..., H, W, 3] to uint8 [..., 3, h, w] by the processor's antialiased bicubic."""
    channels_first = torch.from_numpy(pixels).movedim(-1, -3)
    size = list(scaled_size(*channels_first.shape[-2:]))
    return tvf.resize(
        channels_first, size, interpolation=tvf.InterpolationMode.BICUBIC, antialias=True
    )


def patches(frames: torch.Tensor) -> torch.Tensor:
    """Cut uint8 frames [B, T, 3, h, w], T even, into normalised patches [B, T/2 * grid, 1176].

    The patches come in merge order.
    """
    normal = (frames.float() / 255 - _MEAN) / _STD
    batch, time, _, height, width = normal.shape
    patch, merge, pair = sizes.PATCH_SIZE, sizes.MERGE_SIZE, sizes.TEMPORAL_PATCH_SIZE
    rows, columns = height // (patch * merge), width // (patch * merge)
    cut = normal.view(batch, time // pair, pair, 3, rows, merge, patch, columns, merge, patch)
    ordered = cut.permute(0, 1, 4, 7, 5, 8, 3, 2, 6, 9)
    return ordered.reshape(batch, (time // pair) * rows * columns * merge**2, -1)


@functools.cache
def _filters() -> torch.Tensor:
    bank = mel_filter_bank(
        num_frequency_bins=1 + sizes.N_FFT // 2,
        num_mel_filters=sizes.MEL_BINS,
        min_frequency=0.0,
        max_frequency=8000.0,
        sampling_rate=sizes.SAMPLING_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(bank).float()


def mel(waves: torch.Tensor) -> torch.Tensor:
    """Return the log-mel [B, 64, frames] of waves [B, samples] at 16 kHz, 20 ms a frame."""
    frames = math.ceil(waves.shape[-1] / sizes.HOP_LENGTH)
    padded = torch.nn.functional.pad(waves, (0, 2 * sizes.N_FFT))
    window = torch.hann_window(sizes.N_FFT)
    spectrum = torch.stft(padded, sizes.N_FFT, sizes.HOP_LENGTH, window=window, return_complex=True)
    power = spectrum[..., :frames].abs() ** 2
    logs = torch.clamp(_filters().T @ power, min=1e-10).log10()
    loudest = logs.amax(dim=(-2, -1), keepdim=True)
    return (torch.maximum(logs, loudest - 8.0) + 4.0) / 4.0


def audio_tokens(mel_frames: int) -> int:
    """Return how many tokens the audio tower makes of this many mel frames."""
    return ((mel_frames - 1) // 2 + 1 - 2) // 2 + 1
