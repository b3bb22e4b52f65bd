r"""Granite Speech.

It fixes `<|audio|>` in turns `<|start_of_role|>role<|end_of_role|>…<|end_of_text|>\n`, and a system
message of its own (here without the day's date); the template takes plain text (model card of
ibm-granite/granite-speech-3.3-2b).
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import AUDIO, Checkpoint, load_tokenizer, tiny_text
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    ["<|start_of_role|>", "<|end_of_role|>", "<|audio|>"],
    {"eos_token": "<|end_of_text|>", "pad_token": "<|end_of_text|>", "audio_token": "<|audio|>"},
)
_TURNS = (
    "{% macro turn(role, text) %}"
    "{{ '<|start_of_role|>' + role + '<|end_of_role|>' + text + '<|end_of_text|>\\n' }}"
    "{% endmacro %}"
    "{% if messages[0].role != 'system' %}"
    "{{ turn('system', 'Knowledge Cutoff Date: April 2024.\\n'"
    " + 'You are Granite, developed by IBM.') }}"
    "{% endif %}"
    "{% for m in messages %}{{ turn(m.role, m.content) }}{% endfor %}"
    "{% if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}"
)


def _write(directory: Path, ids: dict[str, int]) -> None:
    from transformers import (
        GraniteConfig,
        GraniteSpeechConfig,
        GraniteSpeechEncoderConfig,
        GraniteSpeechFeatureExtractor,
        GraniteSpeechProcessor,
    )

    encoder = {"input_dim": 160, "num_layers": 1, "hidden_dim": 64, "num_heads": 2, "dim_head": 32}
    projector = {
        "model_type": "blip_2_qformer",
        "hidden_size": 64,
        "encoder_hidden_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    GraniteSpeechConfig(
        architectures=["GraniteSpeechForConditionalGeneration"],
        text_config=GraniteConfig(**tiny_text(ids)).to_dict(),
        encoder_config=GraniteSpeechEncoderConfig(**encoder),
        projector_config=projector,
        audio_token_index=ids["<|audio|>"],
        has_lora_adapter=False,
    ).save_pretrained(directory)
    GraniteSpeechProcessor(
        GraniteSpeechFeatureExtractor(), load_tokenizer(directory)
    ).save_pretrained(directory)


CHECKPOINTS = (
    Checkpoint(
        "granite-speech", _VOCABULARY, _TURNS, _write, frozenset({AUDIO}), single=frozenset({AUDIO})
    ),
)
