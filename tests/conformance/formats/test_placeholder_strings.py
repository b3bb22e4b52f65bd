"""What stands for a medium in plain text is what vLLM's own class of the model says."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from service.domain.conversation import Modality
from service.prompt.formats import find_format
from service.prompt.formats.family import Family
from tests.conformance.formats.checkpoints import AUDIO, IMAGE, VIDEO

# By vLLM's module and class.
CLASSES = {
    "gemma-3": "gemma3_mm.Gemma3ForConditionalGeneration",
    "glm-4.1v": "glm4_1v.Glm4vForConditionalGeneration",
    "granite-speech": "granite_speech.GraniteSpeechForConditionalGeneration",
    "idefics-3": "idefics3.Idefics3ForConditionalGeneration",
    "internvl": "internvl.InternVLChatModel",
    "internvl-hf": "interns1.InternS1ForConditionalGeneration",
    "kimi-vl": "kimi_vl.KimiVLForConditionalGeneration",
    "llama-4": "mllama4.Llama4ForConditionalGeneration",
    "llava-1.5": "llava.LlavaForConditionalGeneration",
    "llava-next": "llava_next.LlavaNextForConditionalGeneration",
    "llava-next-video": "llava_next_video.LlavaNextVideoForConditionalGeneration",
    "llava-onevision": "llava_onevision.LlavaOnevisionForConditionalGeneration",
    "minicpm-v": "minicpmo.MiniCPMO",
    "paligemma": "paligemma.PaliGemmaForConditionalGeneration",
    "phi-4-multimodal": "phi4mm.Phi4MMForCausalLM",
    "qwen-vl": "qwen2_vl.Qwen2VLForConditionalGeneration",
    "qwen2-audio": "qwen2_audio.Qwen2AudioForConditionalGeneration",
    "qwen3-omni": "qwen3_omni_moe_thinker.Qwen3OmniMoeThinkerForConditionalGeneration",
    "ultravox": "ultravox.UltravoxModel",
    "whisper": "whisper.WhisperForConditionalGeneration",
}
# vLLM names Qwen2-VL's tokens, which Qwen2.5-Omni does not have, and numbers sounds as Qwen2-Audio.
OMNI = "qwen2_5_omni_thinker.Qwen2_5OmniThinkerForConditionalGeneration"
# Its templates write `[IMG]` themselves; in plain text vLLM would write nothing, and fail.
MISTRAL_3 = "mistral3.Mistral3ForConditionalGeneration"


def _of_vllm(name: str) -> dict[Modality, str | None]:
    from service.engine.model_description import ask_placeholder_strings

    module, _, model_class = name.partition(".")
    loaded: Any = importlib.import_module(f"vllm.model_executor.models.{module}")
    return ask_placeholder_strings(getattr(loaded, model_class), (IMAGE, AUDIO, VIDEO))


def _of(name: str) -> Family:
    family = find_format(name)
    assert family is not None
    return family


@pytest.mark.parametrize("name", CLASSES)
def test_strings_are_vllms(name: str) -> None:
    family = _of(name)
    strings = dict.fromkeys(family.unwritten) | family.placeholders | family.strings

    assert _of_vllm(CLASSES[name]) == strings


def test_qwens_omni_has_its_own_tokens() -> None:
    ours, theirs = _of("qwen2.5-omni"), _of_vllm(OMNI)

    assert "<|vision_start|><|IMAGE|><|vision_end|>" == theirs[IMAGE]
    assert "<|vision_bos|><|IMAGE|><|vision_eos|>" == ours.string_for(IMAGE, 1)
    assert "Audio {number}: <|audio_bos|><|AUDIO|><|audio_eos|>" == theirs[AUDIO]
    assert "<|audio_bos|><|AUDIO|><|audio_eos|>" == ours.string_for(AUDIO, 1)


def test_mistral_has_a_place_that_vllm_leaves_to_templates() -> None:
    assert {IMAGE: None} == _of_vllm(MISTRAL_3)
    assert "[IMG]" == _of("mistral-3").string_for(IMAGE, 1)


def test_every_multimodal_class_of_vllm_can_be_asked() -> None:
    """What is not known here goes the generic way, with what the class says."""
    from vllm.model_executor.models.registry import _MULTIMODAL_MODELS, ModelRegistry

    from service.engine.model_description import ask_placeholder_strings

    unasked = []
    for architecture in _MULTIMODAL_MODELS:
        try:
            model_class = ModelRegistry.models[architecture].load_model_cls()
        except ImportError:  # of a build for GPUs only
            unasked.append(architecture)
            continue
        strings = ask_placeholder_strings(model_class, (IMAGE, AUDIO, VIDEO))
        assert all(string is None or string for string in strings.values()), architecture
    assert len(unasked) < len(_MULTIMODAL_MODELS) / 10, unasked
