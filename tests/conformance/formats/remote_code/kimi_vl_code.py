"""Kimi-VL's processor: a picture's patches, padded to whole places; vLLM 0.32 has the config."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature, ProcessorMixin
from transformers.image_processing_base import ImageProcessingMixin
from transformers.processing_utils import ImagesKwargs


class KimiVLImageProcessor(ImageProcessingMixin):
    """Cuts a picture into patches, `merge_kernel_size` of which share a place in the prompt."""

    valid_kwargs = ImagesKwargs

    def __init__(
        self,
        patch_size: int = 14,
        merge_kernel_size: Sequence[int] = (2, 2),
        in_token_limit: int = 4096,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.patch_size = patch_size
        self.merge_kernel_size = tuple(merge_kernel_size)
        self.in_token_limit = in_token_limit

    def __call__(
        self, images: Sequence[Image.Image], return_tensors: str | None = None, **_: Any
    ) -> BatchFeature:
        """Return all patches in a row, and each picture's rows and columns of them."""
        pictures = [self._to_pixels(image) for image in images]
        patches = [self._cut(pixels) for pixels in pictures]
        grids = [[side // self.patch_size for side in pixels.shape[-2:]] for pixels in pictures]
        return BatchFeature(
            {"pixel_values": torch.cat(patches), "image_grid_hws": torch.tensor(grids)},
            tensor_type=return_tensors,
        )

    def _to_pixels(self, image: Image.Image) -> torch.Tensor:
        """Return channels, rows, columns between -1 and 1; the sides are whole places."""
        count = (image.width // self.patch_size) * (image.height // self.patch_size)
        if count > self.in_token_limit:
            scale = math.sqrt(self.in_token_limit / count)
            image = image.resize((int(image.width * scale), int(image.height * scale)))
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1) / 127.5 - 1
        down, right = (
            -side % (self.patch_size * merged)
            for side, merged in zip(pixels.shape[1:], self.merge_kernel_size, strict=True)
        )
        return torch.nn.functional.pad(pixels, (0, right, 0, down))

    def _cut(self, pixels: torch.Tensor) -> torch.Tensor:
        size = self.patch_size
        rows = pixels.unfold(1, size, size).unfold(2, size, size)
        return rows.permute(1, 2, 0, 3, 4).reshape(-1, 3, size, size)


class KimiVLProcessor(ProcessorMixin):
    """The picture's processor and the tokenizer; the texts that vLLM gives it are not read."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.image_token = "<|media_pad|>"  # noqa: S105 - no password

    def __call__(
        self,
        images: Sequence[Image.Image] | Image.Image | None = None,
        text: str | None = None,
        return_tensors: str | None = None,
        **_: Any,
    ) -> BatchFeature:
        """Return what the model takes for the pictures."""
        if images is None:
            return BatchFeature(self.tokenizer(text))
        pictures = images if isinstance(images, Sequence) else [images]
        return self.image_processor(pictures, return_tensors=return_tensors)
