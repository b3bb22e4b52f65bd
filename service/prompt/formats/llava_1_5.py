r"""LLaVA-1.5: `USER: <image>\nquestion ASSISTANT:`, images before the text of their turn.

See the model card of llava-hf/llava-1.5-7b-hf; its older snapshots ship no template. vLLM counts
on the checkpoint's: without one it takes no conversation.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="llava-1.5",
    model_types=frozenset({"llava"}),
    placeholders={Modality.IMAGE: "<image>"},
    default_template=(
        "{% for m in messages %}"
        "{{ {'system': '', 'user': 'USER: ', 'assistant': 'ASSISTANT: '}[m.role] }}"
        "{% for part in m.content if part.type == 'image' %}{{ '<image>\\n' }}{% endfor %}"
        "{% for part in m.content if part.type == 'text' %}{{ part.text + ' ' }}{% endfor %}"
        "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
    ),
)
