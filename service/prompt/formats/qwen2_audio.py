r"""Qwen2-Audio: sounds are numbered through the conversation, each on a line of its own.

`Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n`; see the model card of
Qwen/Qwen2-Audio-7B-Instruct. Its checkpoints ship no template: transformers has one.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="qwen2-audio",
    model_types=frozenset({"qwen2_audio"}),
    placeholders={Modality.AUDIO: "<|AUDIO|>"},
    strings={Modality.AUDIO: "Audio {number}: <|audio_bos|><|AUDIO|><|audio_eos|>"},
    default_template=(
        "{% set sounds = namespace(count=0) %}"
        "{% if messages[0].role != 'system' %}"
        "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
        "{% for part in m.content %}{% if part.type == 'audio' %}"
        "{% set sounds.count = sounds.count + 1 %}"
        "{{ 'Audio %d: <|audio_bos|><|AUDIO|><|audio_eos|>\\n' % sounds.count }}"
        "{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
)
