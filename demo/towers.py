"""Run the Hugging Face thinker on uniform batches, without the per-item loops of its own forward.

Every batch has one layout (same grids, same lengths, same order of parts), so attention inside a
frame, or inside a sound, is one dense call. The modules and their weights are those of
`Qwen2_5OmniThinkerForConditionalGeneration`; `tests/unit/demo/test_towers.py` holds the outcome
against the original forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from demo.model_config import MERGE_SIZE, POSITION_IDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

Grid = tuple[int, int, int]


def _rotate(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    left, right = states.chunk(2, dim=-1)
    return states * cos + torch.cat((-right, left), dim=-1) * sin


def _vision_angles(visual: Any, grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cos and sin [N, 1, head_dim] of one frame's patches, in merge order."""
    _, height, width = grid
    rows = torch.arange(height).view(height // MERGE_SIZE, MERGE_SIZE, 1, 1)
    columns = torch.arange(width).view(1, 1, width // MERGE_SIZE, MERGE_SIZE)
    shape = (height // MERGE_SIZE, MERGE_SIZE, width // MERGE_SIZE, MERGE_SIZE)
    places = [axis.expand(shape).permute(0, 2, 1, 3).reshape(-1) for axis in (rows, columns)]
    cos, sin = visual.rotary_pos_emb(torch.zeros(1), torch.stack(places, dim=-1))
    return cos.unsqueeze(1), sin.unsqueeze(1)


def encode_frames(visual: Any, patches: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Encode patches [B, t*h*w, 1176] to merged tokens [B, t*h*w/4, width].

    Frames do not see each other.
    """
    batch, frame = patches.shape[0], grid[1] * grid[2]
    cos, sin = _vision_angles(visual, grid)
    weight = visual.patch_embed.proj.weight
    states = functional.linear(patches, weight.view(weight.shape[0], -1)).view(
        batch * grid[0], frame, -1
    )
    for block in visual.blocks:
        attention, normal = block.attn, block.norm1(states)
        heads = (*normal.shape[:2], attention.num_heads, attention.head_dim)
        query = _rotate(attention.q(normal).view(heads), cos, sin)
        key = _rotate(attention.k(normal).view(heads), cos, sin)
        mixed = _attend(query, key, attention.v(normal).view(heads))
        states = states + attention.proj(mixed)
        states = states + block.mlp(block.norm2(states))
    return visual.merger(states).view(batch, grid[0] * frame // MERGE_SIZE**2, -1)


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attend densely over [B, N, heads, head_dim]; return [B, N, heads * head_dim].

    Written out, because the backward of torch's fused attention takes 40 % of a step at these small
    sizes on a CPU.
    """
    query, key, value = (states.to(value.dtype).transpose(1, 2) for states in (query, key, value))
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    return (scores.softmax(-1).to(value.dtype) @ value).transpose(1, 2).flatten(2)


def encode_sound(tower: Any, mel: torch.Tensor) -> torch.Tensor:
    """Encode log-mel frames [B, bins, T] (at most one chunk, 4 s) to tokens [B, T/4, width]."""
    states = functional.gelu(tower.conv1(mel))
    states = functional.gelu(tower.conv2(states)).transpose(1, 2)
    states = states + tower.positional_embedding.positional_embedding[: states.shape[1]]
    for layer in tower.layers:
        attention, normal = layer.self_attn, layer.self_attn_layer_norm(states)
        heads = (*normal.shape[:2], attention.num_heads, attention.head_dim)
        query, key, value = (
            project(normal).view(heads)
            for project in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        states = states + attention.out_proj(_attend(query, key, value))
        normal = layer.final_layer_norm(states)
        states = states + layer.fc2(functional.gelu(layer.fc1(normal)))
    tokens = states.shape[1] // 2
    pooled = states[:, : tokens * 2].unflatten(1, (tokens, 2)).mean(2)
    return tower.proj(tower.ln_post(pooled))


def text_positions(start: int, length: int) -> torch.Tensor:
    """Return [3, length]: all three axes count on."""
    return torch.arange(start, start + length).expand(3, -1)


def grid_positions(start: int, grid: Grid) -> torch.Tensor:
    """Return [3, tokens] of a picture or video: time, row, column.

    Time is 25 a second, one second a pair of frames.
    """
    time, height, width = grid[0], grid[1] // MERGE_SIZE, grid[2] // MERGE_SIZE
    axes = torch.meshgrid(
        torch.arange(time) * POSITION_IDS_PER_SECOND,
        torch.arange(height),
        torch.arange(width),
        indexing="ij",
    )
    return torch.stack([axis.reshape(-1) for axis in axes]) + start


def positions(parts: Sequence[int | Grid]) -> torch.Tensor:
    """Return the rotary positions [3, L] of a layout.

    A number is so many text or sound tokens, a triple is a grid.
    """
    found: list[torch.Tensor] = []
    start = 0
    for part in parts:
        found.append(
            text_positions(start, part) if isinstance(part, int) else grid_positions(start, part)
        )
        start = int(found[-1].max()) + 1 if found[-1].numel() else start
    return torch.cat(found, dim=1)


def language_states(thinker: Any, embeddings: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Run the language model on [B, L, width], positions [3, B, L]; return states [B, L, width]."""
    outcome = thinker.model(
        inputs_embeds=embeddings, position_ids=places, use_cache=False, return_dict=True
    )
    return outcome.last_hidden_state
