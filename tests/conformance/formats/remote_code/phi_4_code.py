"""Phi-4-multimodal's config and processor: tiles of a picture, and the features of a sound.

vLLM 0.32 counts the places itself: 448 pixels a tile and 14 a patch, 160 samples a feature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature, Phi3Config, ProcessorMixin
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.image_processing_base import ImageProcessingMixin
from transformers.processing_utils import ImagesKwargs

_TILE, _PATCH = 448, 14
_WINDOW, _HOP, _BANDS = 400, 160, 80


class Phi4MMConfig(Phi3Config):
    """The text model's settings, and those of what makes embeddings of media."""

    model_type = "phi4mm"

    def __init__(
        self,
        embd_layer: dict[str, Any] | None = None,
        img_processor: str | None = None,
        audio_processor: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.embd_layer = embd_layer
        self.img_processor = img_processor
        self.audio_processor = audio_processor
        super().__init__(**settings)


class Phi4MMImageProcessor(ImageProcessingMixin):
    """Cuts a picture into at most `dynamic_hd` tiles, with the whole of it in front."""

    valid_kwargs = ImagesKwargs

    def __init__(self, dynamic_hd: int = 4, **settings: Any) -> None:
        super().__init__(**settings)
        self.dynamic_hd = dynamic_hd

    def find_closest_aspect_ratio(
        self,
        aspect_ratio: float,
        target_ratios: Sequence[tuple[int, int]],
        width: int,
        height: int,
        image_size: int,
    ) -> tuple[int, int]:
        """Return the tiles across and down whose shape is nearest; of equal ones, the most."""
        del width, height, image_size
        return min(
            target_ratios,
            key=lambda tiles: (abs(tiles[0] / tiles[1] - aspect_ratio), -tiles[0] * tiles[1]),
        )

    def __call__(self, images: Sequence[Image.Image]) -> dict[str, Any]:
        """Return each picture's tiles, which of their patches show it, its height and width."""
        tiled = [self._cut(image.convert("RGB")) for image in images]
        most = max(len(tiles) for tiles, _, _ in tiled)
        return {
            "input_image_embeds": torch.stack([_pad(tiles, most) for tiles, _, _ in tiled]),
            "image_attention_mask": torch.stack([_pad(shown, most) for _, shown, _ in tiled]),
            "image_sizes": torch.tensor([size for _, _, size in tiled]),
        }

    def _cut(self, image: Image.Image) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int]]:
        across, down = self._tiles(image.width, image.height)
        width, height = across * _TILE, down * _TILE
        scale = min(width / image.width, height / image.height)
        scaled = image.resize((int(image.width * scale), int(image.height * scale)))
        canvas = Image.new("RGB", (width, height))
        canvas.paste(scaled)
        shown = torch.zeros(height // _PATCH, width // _PATCH)
        shown[
            : shown.shape[0] - (height - scaled.height) // _PATCH,
            : shown.shape[1] - (width - scaled.width) // _PATCH,
        ] = 1
        side = _TILE // _PATCH
        tiles = [_to_pixels(image.resize((_TILE, _TILE))), *_grid(_to_pixels(canvas), _TILE)]
        masks = [torch.ones(side, side), *_grid(shown[None], side)[:, 0]]
        return torch.stack(tiles), torch.stack(masks), (height, width)

    def _tiles(self, width: int, height: int) -> tuple[int, int]:
        across, down = math.ceil(width / _TILE), math.ceil(height / _TILE)
        if across * down <= self.dynamic_hd:
            return across, down
        counts = range(1, self.dynamic_hd + 1)
        ratios = [(i, j) for i in counts for j in counts if i * j <= self.dynamic_hd]
        return self.find_closest_aspect_ratio(width / height, ratios, width, height, _TILE)


class Phi4MMAudioFeatureExtractor(SequenceFeatureExtractor):
    """The loudness of bands of frequencies, of a sound's windows."""

    def __init__(self, sampling_rate: int = 16_000, **settings: Any) -> None:
        super().__init__(
            feature_size=_BANDS, sampling_rate=sampling_rate, padding_value=0.0, **settings
        )

    def __call__(self, audios: Sequence[tuple[np.ndarray, int]]) -> dict[str, Any]:
        """Return all sounds' features, the shorter ones padded."""
        features = [self._of(torch.as_tensor(samples)) for samples, _ in audios]
        return {"input_audio_embeds": torch.nn.utils.rnn.pad_sequence(features, batch_first=True)}

    def _of(self, samples: torch.Tensor) -> torch.Tensor:
        windows = samples.unfold(0, _WINDOW, _HOP)
        bands = torch.fft.rfft(windows, n=2 * _BANDS).abs()[:, :_BANDS]
        return torch.log1p(bands).float()


class Phi4MMProcessor(ProcessorMixin):
    """Both, and the tokenizer; the texts that vLLM gives it are not read."""

    def __init__(
        self,
        image_processor: Any = None,
        audio_processor: Any = None,
        tokenizer: Any = None,
        chat_template: str | None = None,
    ) -> None:
        super().__init__(image_processor, audio_processor, tokenizer, chat_template=chat_template)

    def __call__(
        self,
        text: str | None = None,
        images: Sequence[Image.Image] | Image.Image | None = None,
        audios: Sequence[tuple[np.ndarray, int]] | None = None,
        return_tensors: str | None = None,
        **_: Any,
    ) -> BatchFeature:
        """Return what the model takes for the media; without pictures their sizes are empty."""
        data: dict[str, Any] = {"image_sizes": torch.zeros(0, 2)}
        if images is not None:
            pictures = images if isinstance(images, Sequence) else [images]
            data |= self.image_processor(pictures)
        if audios:
            data |= self.audio_processor(audios)
        if text is not None:
            data |= self.tokenizer([text])
        return BatchFeature(data, tensor_type=return_tensors)


def _to_pixels(image: Image.Image) -> torch.Tensor:
    """Return channels, rows, columns between -1 and 1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 127.5 - 1


def _grid(pixels: torch.Tensor, size: int) -> torch.Tensor:
    """Return the squares of that size, row by row."""
    squares = pixels.unfold(1, size, size).unfold(2, size, size)
    return squares.permute(1, 2, 0, 3, 4).flatten(0, 1)


def _pad(tiles: torch.Tensor, count: int) -> torch.Tensor:
    """Return so many tiles: empty ones behind."""
    return torch.cat([tiles, tiles.new_zeros(count - len(tiles), *tiles.shape[1:])])
