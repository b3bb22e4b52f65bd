"""The model families whose prompts are known, one file each; so they may be many.

Facts only: what stands for a medium, in which order, and a template where checkpoints ship none.
tests/conformance/formats holds each to vLLM's own prompts.
"""

from __future__ import annotations

from service.prompt.formats import (
    gemma_3,
    glm_4_1v,
    granite_speech,
    idefics_3,
    internvl,
    kimi_vl,
    llama_4,
    llava_1_5,
    llava_next,
    llava_next_video,
    llava_onevision,
    minicpm_v,
    mistral_3,
    mistral_common,
    paligemma,
    phi_4_multimodal,
    pixtral,
    qwen2_5_omni,
    qwen2_audio,
    qwen3_omni,
    qwen_vl,
    text,
    ultravox,
    voxtral,
    whisper,
)
from service.prompt.formats.family import Family

# Of two with the same `model_type`, the more particular first.
FAMILIES: tuple[Family, ...] = (
    gemma_3.FAMILY,
    glm_4_1v.FAMILY,
    granite_speech.FAMILY,
    idefics_3.FAMILY,
    internvl.OWN,
    internvl.HUGGING_FACE,
    kimi_vl.FAMILY,
    llama_4.FAMILY,
    pixtral.FAMILY,
    pixtral.MISTRAL,
    llava_1_5.FAMILY,
    llava_next.FAMILY,
    llava_next_video.FAMILY,
    llava_onevision.FAMILY,
    minicpm_v.FAMILY,
    mistral_3.FAMILY,
    mistral_common.FAMILY,
    paligemma.FAMILY,
    phi_4_multimodal.FAMILY,
    qwen_vl.FAMILY,
    qwen2_audio.FAMILY,
    qwen2_5_omni.FAMILY,
    qwen3_omni.FAMILY,
    ultravox.FAMILY,
    voxtral.FAMILY,
    whisper.FAMILY,
    text.CHATML,
    text.LLAMA_2,
    text.LLAMA_3,
    text.MISTRAL,
)


def find_family(model_type: str, vision_type: str = "") -> Family | None:
    """Return the family that has these `model_type`s in config.json and its `vision_config`."""
    for family in FAMILIES:
        if model_type in family.model_types and (
            not family.vision_types or vision_type in family.vision_types
        ):
            return family
    return None


def find_format(name: str) -> Family | None:
    """Return the family that has this name."""
    return next((family for family in FAMILIES if family.name == name), None)
