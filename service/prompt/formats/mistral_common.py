r"""Checkpoints in Mistral's own format: `params.json`, `tekken.json`, `consolidated*.safetensors`.

They ship no chat template, and vLLM looks at none: its prompts are what Mistral's library
mistral-common makes. These templates write the same ones. The facts are in the library's
documentation ("Chat templates", "Tokenizers") and in its classes `InstructTokenizerV3` to `V13`:

- `<s>`, then `[INST]…[/INST]` for a user and `…</s>` for the model, without a space anywhere; the
  spaces at the end of an answer are dropped. There is no cue for the next answer.
- Texts side by side, and messages of one role in a row, are one, with an empty line between.
- v3: what all system messages say begins the last user's turn, with an empty line behind it, and
  a conversation that does not begin with a user gets an empty turn in front.
- From v7 on each is `[SYSTEM_PROMPT]…[/SYSTEM_PROMPT]`, where it stands. v11 and v13 differ from
  v7 in how tools are called, which conversations here do not.
- Media stand where they are sent; only an image behind the only text of its turn goes in front.

v15, which writes a model's settings into its prompts, is not known here.
"""

from __future__ import annotations

from service.prompt.formats.family import Family

_START = (
    "<s>{% if continue_final_message and messages[-1].role != 'assistant' %}"
    "{{ raise_exception('the final message is to be continued, and is not an assistant\\'s') }}"
    "{% endif %}"
    "{% set places = {'image': '[IMG]', 'audio': '[BEGIN_AUDIO][AUDIO]'} %}"
    # `shape` has a letter for each run of texts and each medium.
    "{% set ns = namespace(content='', shape='', systems=[], first='', last_user=-1) %}"
)
_COLLECT = (
    "{% for m in messages %}"
    "{% if loop.first or m.role == 'system' or loop.previtem.role != m.role %}"
    "{% set ns.content = '' %}{% set ns.shape = '' %}{% endif %}"
    "{% for part in m.content %}{% if part.type != 'text' %}"
    "{% if m.role != 'user' %}"
    "{{ raise_exception('only the messages of a user may have media') }}{% endif %}"
    "{% set ns.content = ns.content + places[part.type] %}"
    "{% set ns.shape = ns.shape + part.type[0] %}"
    "{% elif part.text %}"
    "{% if ns.shape[-1:] == 't' %}{% set ns.content = ns.content + '\\n\\n' %}"
    "{% else %}{% set ns.shape = ns.shape + 't' %}{% endif %}"
    "{% set ns.content = ns.content + part.text %}"
    "{% endif %}{% endfor %}"
)
_TURN_IS_WHOLE = "loop.last or loop.nextitem.role != m.role"
_USER = (
    "{% if ns.shape == 'ti' %}{{ places.image + ns.content[:-(places.image | length)] }}"
    "{% else %}{{ ns.content }}{% endif %}[/INST]"
)
_ASSISTANT = (
    "{% if not ns.content %}"
    "{{ raise_exception('a message of the assistant must have text') }}{% endif %}"
    "{{ ns.content.rstrip(' ') }}"
    "{% if not (continue_final_message and loop.last) %}</s>{% endif %}"
)
_SYSTEM_IN_LAST_TURN = (
    "{% set system = ns.systems | join('\\n\\n') %}"
    "{% if system %}{{ system + '\\n\\n' }}{% endif %}"
)
_V3 = (
    _START
    + _COLLECT
    + "{% if m.role == 'system' %}{% set ns.systems = ns.systems + [ns.content] %}"
    "{% else %}{% set ns.first = ns.first or m.role %}"
    "{% if m.role == 'user' %}{% set ns.last_user = loop.index0 %}{% endif %}{% endif %}"
    "{% endfor %}"
    "{% if ns.first != 'user' %}[INST]{% if ns.last_user < 0 %}"
    + _SYSTEM_IN_LAST_TURN
    + "{% endif %}[/INST]{% endif %}"
    + _COLLECT
    + f"{{% if m.role != 'system' and ({_TURN_IS_WHOLE}) %}}"
    "{% if m.role == 'user' %}[INST]{% if loop.index0 == ns.last_user %}"
    + _SYSTEM_IN_LAST_TURN
    + "{% endif %}"
    + _USER
    + "{% else %}"
    + _ASSISTANT
    + "{% endif %}{% endif %}{% endfor %}"
)
_V7 = (
    _START + _COLLECT + "{% if m.role == 'system' %}"
    "{{ '[SYSTEM_PROMPT]' + ns.content + '[/SYSTEM_PROMPT]' }}"
    f"{{% elif {_TURN_IS_WHOLE} %}}"
    "{% if m.role == 'user' %}[INST]"
    + _USER
    + "{% else %}"
    + _ASSISTANT
    + "{% endif %}{% endif %}{% endfor %}"
)
TEMPLATES = {"v3": _V3, "v7": _V7, "v11": _V7, "v13": _V7}

FAMILY = Family(
    name="mistral-common",
    model_types=frozenset({"transformer"}),
    placeholders={},
    tekken_templates=TEMPLATES,
)
