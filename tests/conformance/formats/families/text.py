"""Models of text only: four ways of marking turns.

The strings are those of the models' own documentation: ChatML's `<|im_start|>role` (Qwen, and
many others), Llama 3's `<|start_header_id|>role<|end_header_id|>`, Mistral's `[INST] … [/INST]`,
Llama 2's the same with `<<SYS>>` around the system message.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import Checkpoint, tiny_text
from tests.conformance.formats.vocabulary import Vocabulary

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
QWEN = (
    "{% if messages[0].role != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}" + CHATML
)
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim"
    " + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
LLAMA_2 = (
    "{% set ns = namespace(system='') %}{% for m in messages %}"
    "{% if m.role == 'system' %}"
    "{% set ns.system = '<<SYS>>\\n' + m.content + '\\n<</SYS>>\\n\\n' %}"
    "{% elif m.role == 'user' %}"
    "{{ bos_token + '[INST] ' + ns.system + m.content.strip() + ' [/INST]' }}"
    "{% set ns.system = '' %}"
    "{% else %}{{ ' ' + m.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ '[SYSTEM_PROMPT]' + m.content + '[/SYSTEM_PROMPT]' }}"
    "{% elif m.role == 'user' %}{{ '[INST]' + m.content + '[/INST]' }}"
    "{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}"
)


def write_llama(directory: Path, ids: dict[str, int]) -> None:
    from transformers import LlamaConfig

    LlamaConfig(**tiny_text(ids), architectures=["LlamaForCausalLM"]).save_pretrained(directory)


def write_qwen(directory: Path, ids: dict[str, int]) -> None:
    from transformers import Qwen2Config

    Qwen2Config(**tiny_text(ids), architectures=["Qwen2ForCausalLM"]).save_pretrained(directory)


def write_mistral(directory: Path, ids: dict[str, int]) -> None:
    from transformers import MistralConfig

    MistralConfig(**tiny_text(ids), architectures=["MistralForCausalLM"]).save_pretrained(directory)


CHECKPOINTS = (
    Checkpoint(
        "chatml",
        Vocabulary("byte-level", ["<|im_start|>"], {"eos_token": "<|im_end|>"}),
        CHATML,
        write_llama,
    ),
    Checkpoint(
        "qwen2",
        Vocabulary(
            "byte-level",
            ["<|im_start|>"],
            {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        ),
        QWEN,
        write_qwen,
    ),
    Checkpoint(
        "llama-3",
        Vocabulary(
            "byte-level",
            ["<|start_header_id|>", "<|end_header_id|>"],
            {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
            adds_bos=True,
        ),
        LLAMA_3,
        write_llama,
    ),
    Checkpoint(
        "llama-2",
        Vocabulary(
            "llama",
            [],
            {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
            adds_bos=True,
        ),
        LLAMA_2,
        write_llama,
    ),
    Checkpoint(
        "mistral",
        Vocabulary(
            "byte-level",
            ["[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"],
            {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
            adds_bos=True,
        ),
        MISTRAL,
        write_mistral,
    ),
)
