"""A tiny checkpoint of each family."""

from __future__ import annotations

from tests.conformance.formats.checkpoints import Checkpoint
from tests.conformance.formats.families import (
    gemma,
    glm,
    granite,
    idefics,
    internvl,
    kimi,
    llama_4,
    llava,
    minicpm,
    mistral,
    phi_4,
    qwen_audio,
    qwen_vl,
    text,
    tools,
    ultravox,
)

_IMAGES = (llava, qwen_vl, gemma, mistral, idefics, internvl, glm, llama_4, kimi, phi_4, minicpm)
_SOUNDS = (qwen_audio, granite, ultravox)
CHECKPOINTS: dict[str, Checkpoint] = {
    checkpoint.name: checkpoint
    for module in (text, tools, *_IMAGES, *_SOUNDS)
    for checkpoint in module.CHECKPOINTS
}
