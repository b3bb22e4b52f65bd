"""Stage 1: teach the towers alone, with heads that read mean and maximum of a medium's tokens.

The heads are thrown away afterwards; what stays is that the towers' tokens tell colour, shape,
count, place, direction, pitch and beeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from demo import batches
from demo.model_config import MERGE_SIZE, PATCH_SIZE
from demo.questions import COLOURS, DIRECTIONS, NUMBERS, PITCHES, PLACES, SHAPES

if TYPE_CHECKING:
    from random import Random

    from demo.batches import Slot
    from demo.towers import Grid

_HEADS = {
    "colour": COLOURS,
    "shape": SHAPES,
    "count": NUMBERS,
    "place": PLACES,
    "direction": DIRECTIONS,
    "pitch": PITCHES,
    "beeps": NUMBERS,
}
_EASY_STEPS = 600
_LARGEST_GRID = (4, 6, 6)
_MASK_SIDE = PATCH_SIZE * MERGE_SIZE // batches.MASK_SCALE
_USUAL_SOUND_TOKENS = 20
_OF_KIND = {
    "image": ("colour", "shape", "count", "place"),
    "video": ("colour", "shape", "direction"),
    "audio": ("pitch", "beeps"),
}


class Heads(nn.Module):
    """A small classifier for each property; one more draws the figures' mask from each token."""

    def __init__(self, width: int) -> None:
        """Make heads for tokens of this width."""
        super().__init__()
        self.read = nn.ModuleDict({name: nn.Linear(width, width) for name in _HEADS})
        self.tell = nn.ModuleDict(
            {name: nn.Linear(width, len(values)) for name, values in _HEADS.items()}
        )
        self.places = nn.ParameterDict(
            {
                name: nn.Parameter(0.3 * torch.randn(*_LARGEST_GRID, width))
                for name in ("place", "direction", "shape")
            }
        )
        self.mask = nn.Linear(width, _MASK_SIDE**2)
        self.heard = nn.Linear(width, len(NUMBERS) + 1)

    def forward(self, tokens: torch.Tensor, name: str, grid: Grid | None) -> torch.Tensor:
        """Classify tokens [B, N, width] by one property."""
        read = self.read[name](tokens)
        if name in self.places and grid is not None:
            time, rows, columns = grid[0], grid[1] // MERGE_SIZE, grid[2] // MERGE_SIZE
            read = read + self.places[name][:time, :rows, :columns].flatten(0, 2)
        pooled = functional.gelu(read).sum(1) / (tokens.shape[1] if grid else _USUAL_SOUND_TOKENS)
        return self.tell[name](pooled)

    def dense_loss(self, tokens: torch.Tensor, slot: Slot) -> torch.Tensor:
        """Return the loss of what each token must tell: its part of the mask, or beeps so far."""
        if slot.masks is None:
            return torch.zeros(())
        if slot.grid is None:
            so_far = torch.from_numpy(slot.masks).long().flatten()
            return 0.5 * functional.cross_entropy(self.heard(tokens).float().flatten(0, 1), so_far)
        rows, columns = slot.grid[1] // MERGE_SIZE, slot.grid[2] // MERGE_SIZE
        true = torch.from_numpy(slot.masks).float() / 255
        blocks = (
            true.view(-1, rows, _MASK_SIDE, columns, _MASK_SIDE)
            .permute(0, 1, 3, 2, 4)
            .flatten(3)
            .flatten(1, 2)
        )
        return 4 * functional.binary_cross_entropy_with_logits(self.mask(tokens).float(), blocks)


def make_slot(rng: Random, rows: int, step: int) -> Slot:
    """Make media for one step: mostly pictures (easy ones first), some videos, some sounds."""
    draw = rng.random()
    ease = max(0.0, 1.0 - step / _EASY_STEPS)
    if draw < 0.3 + 0.4 * ease:
        return batches.image_slot(rng, rows, named_only=True, ease=ease)
    if draw < 0.65:
        return batches.image_slot(rng, rows)
    if draw < 0.78:
        return batches.video_slot(rng, rows // 2, frames=4)
    return batches.audio_slot(rng, rows)


def label(subject: Any, name: str) -> int:
    """Return the index of a subject's property, or -100 where it has none."""
    several = getattr(subject, "count", 1) > 1
    if name in {"count", "beeps"}:
        return subject.count - 1
    if several and name in {"colour", "shape"}:
        return -100
    value = getattr(subject, name)
    return _HEADS[name].index(value) if value else -100


def tower_loss(
    heads: Heads, slot: Slot, tokens: torch.Tensor
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss summed over a slot's properties, and each property's share of right rows."""
    loss = heads.dense_loss(tokens, slot)
    scores = {f"{slot.kind} dense loss": float(loss)}
    for name in _OF_KIND[slot.kind]:
        target = torch.tensor([label(subject, name) for subject in slot.subjects])
        known = target >= 0
        if not known.any():
            continue
        logits = heads(tokens, name, slot.grid).float()
        loss = loss + functional.cross_entropy(logits[known], target[known])
        scores[f"{slot.kind} {name}"] = float(
            (logits[known].argmax(-1) == target[known]).float().mean()
        )
    return loss, scores
