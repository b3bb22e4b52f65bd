"""Whisper: a sound for the encoder, and for the decoder only the tokens that start a transcript.

See section 2.3 of "Robust Speech Recognition via Large-Scale Weak Supervision" (2022) and
whisper/decoding.py of openai/whisper. No checkpoint ships a chat template. The text parts of a
conversation are what was said before, which gives the model spellings and style; those of an
assistant who speaks last are the transcript's beginning.

Models for English only read no language; the others need the template argument `language`, such as
"de", and may be given `task`, "translate" instead of "transcribe". Both become control tokens, so
`trust_special_tokens` must be set with them.
"""

from __future__ import annotations

from service.domain.conversation import Modality
from service.prompt.formats.family import Family

FAMILY = Family(
    name="whisper",
    model_types=frozenset({"whisper"}),
    placeholders={},
    unwritten=frozenset({Modality.AUDIO}),
    default_template=(
        "{% set ns = namespace(before='', begun='') %}{% for m in messages %}"
        "{% set begins = loop.last and m.role == 'assistant' %}"
        "{% for part in m.content if part.type == 'text' %}"
        "{% if begins %}{% set ns.begun = ns.begun + ' ' + part.text %}"
        "{% else %}{% set ns.before = ns.before + ' ' + part.text %}{% endif %}"
        "{% endfor %}{% endfor %}"
        "{% if ns.before %}{{ '<|startofprev|>' + ns.before }}{% endif %}<|startoftranscript|>"
        "{% if language %}{{ '<|' + language + '|><|' + (task or 'transcribe') + '|>' }}{% endif %}"
        "<|notimestamps|>{{ ns.begun }}"
    ),
)
