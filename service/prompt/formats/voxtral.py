"""Voxtral, in Mistral's own format: `[BEGIN_AUDIO]` and an `[AUDIO]` for every 80 ms of a sound.

See the model card of mistralai/Voxtral-Mini-3B-2507, and mistral_common.py for all but the sounds.

The template argument `task`, "transcribe", asks for a transcript of the sound: `[TRANSCRIBE]` ends
the prompt, with `lang:de` before it for the argument `language`, such as "de".

v7 knows no system message beside a sound (mistral-common's `MistralRequestValidatorV7`).
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats import mistral_common
from service.prompt.formats.family import Family

_NO_SYSTEM_BESIDE_SOUNDS = (
    "{% if messages | selectattr('role', 'equalto', 'system') | list %}"
    "{% for m in messages %}{% for part in m.content if part.type == 'audio' %}"
    "{{ raise_exception('a system message beside a sound') }}{% endfor %}{% endfor %}{% endif %}"
)
_TRANSCRIBE = (
    "{% if task == 'transcribe' %}"
    "{% if language %}{{ 'lang:' + language }}{% endif %}[TRANSCRIBE]{% endif %}"
)

FAMILY = Family(
    name="voxtral",
    model_types=frozenset({"voxtral", "voxtral_realtime"}),
    placeholders={Modality.AUDIO: "[AUDIO]"},
    strings={Modality.AUDIO: "[BEGIN_AUDIO][AUDIO]"},
    # v3 has no sounds.
    tekken_templates={
        "v7": _NO_SYSTEM_BESIDE_SOUNDS + mistral_common.TEMPLATES["v7"] + _TRANSCRIBE,
        "v11": mistral_common.TEMPLATES["v11"] + _TRANSCRIBE,
        "v13": mistral_common.TEMPLATES["v13"] + _TRANSCRIBE,
    },
)
