"""The config and the picture's processor of MiniCPM-V 2.6; vLLM 0.32 has the rest.

A picture larger than `scale_resolution` squared is shown whole and in slices, whose rows are lines
of the prompt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature, ProcessorMixin, Qwen2Config, SiglipVisionConfig
from transformers.image_processing_base import ImageProcessingMixin
from transformers.processing_utils import ImagesKwargs


class MiniCPMVConfig(Qwen2Config):
    """The text model's settings, and those of what makes embeddings of pictures."""

    model_type = "minicpmv"

    def __init__(
        self,
        vision_config: dict[str, Any] | None = None,
        query_num: int = 64,
        version: float = 2.6,
        **settings: Any,
    ) -> None:
        self.vision_config = SiglipVisionConfig(**(vision_config or {}))
        self.query_num = query_num
        self.version = version
        self.drop_vision_last_layer = False
        self.slice_config = None
        super().__init__(**settings)


class MiniCPMVImageProcessor(ImageProcessingMixin):
    """Cuts pictures into slices, and those into a row of patches."""

    valid_kwargs = ImagesKwargs
    im_id_start, im_id_end = "<image_id>", "</image_id>"

    def __init__(
        self,
        max_slice_nums: int = 9,
        scale_resolution: int = 448,
        patch_size: int = 14,
        image_feature_size: int = 64,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.max_slice_nums = max_slice_nums
        self.scale_resolution = scale_resolution
        self.patch_size = patch_size
        self.image_feature_size = image_feature_size

    def get_sliced_grid(
        self, image_size: tuple[int, int], max_slice_nums: int
    ) -> tuple[int, int] | None:
        """Return how many slices across and down; None for a picture that is not sliced."""
        width, height = image_size
        count = min(math.ceil(width * height / self.scale_resolution**2), max_slice_nums)
        if count <= 1:
            return None
        grids = [
            (across, slices // across)
            for slices in (count - 1, count, count + 1)
            for across in range(1, slices + 1)
            if 1 < slices <= max_slice_nums and slices % across == 0
        ]
        shape = math.log(width / height)
        return min(grids, key=lambda grid: abs(shape - math.log(grid[0] / grid[1])))

    def get_slice_image_placeholder(
        self,
        image_size: tuple[int, int],
        image_idx: int = 0,
        max_slice_nums: int | None = None,
        *,
        use_image_id: bool = True,
    ) -> str:
        """Return what the prompt has for a picture: its number, itself, its slices line by line."""
        places = "<unk>" * self.image_feature_size
        text = f"<image>{places}</image>"
        if use_image_id:
            text = f"{self.im_id_start}{image_idx}{self.im_id_end}{text}"
        grid = self.get_sliced_grid(image_size, max_slice_nums or self.max_slice_nums)
        if grid is None:
            return text
        return text + "\n".join([f"<slice>{places}</slice>" * grid[0]] * grid[1])

    def __call__(self, images: Sequence[Sequence[Any]], **_: Any) -> BatchFeature:
        """Return each prompt's slices, their patches down and across, its pictures' sizes."""
        prompts = [[_to_picture(image) for image in pictures] for pictures in images]
        cut = [[piece for one in pictures for piece in self._cut(one)] for pictures in prompts]
        return BatchFeature(
            {
                "pixel_values": [[pixels for pixels, _ in pieces] for pieces in cut],
                "tgt_sizes": [torch.tensor([patches for _, patches in pieces]) for pieces in cut],
                "image_sizes": [[picture.size for picture in pictures] for pictures in prompts],
            }
        )

    def _cut(self, picture: Image.Image) -> list[tuple[torch.Tensor, tuple[int, int]]]:
        side = self.scale_resolution // self.patch_size * self.patch_size
        whole = picture.resize((side, side))
        grid = self.get_sliced_grid(picture.size, self.max_slice_nums)
        if grid is None:
            return [self._to_patches(whole)]
        across, down = grid
        scaled = picture.resize((across * side, down * side))
        corners = [(x * side, y * side) for y in range(down) for x in range(across)]
        slices = [scaled.crop((x, y, x + side, y + side)) for x, y in corners]
        return [self._to_patches(one) for one in (whole, *slices)]

    def _to_patches(self, picture: Image.Image) -> tuple[torch.Tensor, tuple[int, int]]:
        """Return all patches in a row, between -1 and 1, and how many are down and across."""
        size = self.patch_size
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 127.5 - 1
        patches = pixels.unfold(1, size, size).unfold(2, size, size)
        rows, columns = patches.shape[1:3]
        return patches.permute(0, 3, 1, 2, 4).reshape(3, size, -1), (rows, columns)


class MiniCPMVProcessor(ProcessorMixin):
    """Both parts; vLLM takes them and has a processor of its own."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)


def _to_picture(image: Any) -> Image.Image:
    """Return a picture or a video's frame, with colours."""
    return (image if isinstance(image, Image.Image) else Image.fromarray(image)).convert("RGB")
