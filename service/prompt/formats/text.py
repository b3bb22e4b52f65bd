"""Four ways of marking turns that many models of text only share.

None is chosen by a `model_type`: a `llama` has any of them. They are there to be named, for
checkpoints without a template. ChatML is that of Qwen and many others; see the model cards of
meta-llama/Meta-Llama-3-8B-Instruct, meta-llama/Llama-2-7b-chat-hf and
mistralai/Mistral-7B-Instruct-v0.3.
"""

from __future__ import annotations

from service.prompt.formats.family import Family

CHATML = Family(
    name="chatml",
    model_types=frozenset(),
    placeholders={},
    default_template=(
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
)
LLAMA_3 = Family(
    name="llama-3",
    model_types=frozenset(),
    placeholders={},
    default_template=(
        "{{ bos_token }}{% for m in messages %}"
        "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim"
        " + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
    ),
)
LLAMA_2 = Family(
    name="llama-2",
    model_types=frozenset(),
    placeholders={},
    default_template=(
        "{% set ns = namespace(system='') %}{% for m in messages %}"
        "{% if m.role == 'system' %}"
        "{% set ns.system = '<<SYS>>\\n' + m.content + '\\n<</SYS>>\\n\\n' %}"
        "{% elif m.role == 'user' %}"
        "{{ bos_token + '[INST] ' + ns.system + m.content.strip() + ' [/INST]' }}"
        "{% set ns.system = '' %}"
        "{% else %}{{ ' ' + m.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
    ),
)
MISTRAL = Family(
    name="mistral",
    model_types=frozenset(),
    placeholders={},
    default_template=(
        "{% set ns = namespace(system='') %}{{ bos_token }}{% for m in messages %}"
        "{% if m.role == 'system' %}{% set ns.system = m.content + '\\n\\n' %}"
        "{% elif m.role == 'user' %}"
        "{{ '[INST] ' + (ns.system if loop.last else '') + m.content + '[/INST]' }}"
        "{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"
    ),
)
