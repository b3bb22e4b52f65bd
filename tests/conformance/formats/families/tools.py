r"""Models of text that call tools, each with another way of writing tools, calls and results.

The strings are those of the models' own documentation:

- Hermes, and Qwen2.5 after it: tools as JSON in `<tools>`, calls in `<tool_call>`, results in
  `<tool_response>` of a user's turn. Qwen3 writes an answer's thoughts in `<think>` in front.
- Llama 3.1: tools in the first user's turn, one call a turn as the JSON of its whole answer,
  results as the JSON of a text in a turn of `ipython`.
- Mistral: `[AVAILABLE_TOOLS]`, `[TOOL_CALLS]` with the whole call as JSON, `[TOOL_RESULTS]`, each
  call known by an id of nine characters.
- Qwen3-Coder: tools and calls as XML, parameter by parameter.
"""

from __future__ import annotations

from tests.conformance.formats.checkpoints import Checkpoint
from tests.conformance.formats.families.text import write_llama, write_mistral, write_qwen
from tests.conformance.formats.vocabulary import Vocabulary

_HERMES_TOOLS = (
    "{% if tools %}<|im_start|>system\n"
    "{% if messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{% endif %}"
    "# Tools\n\nYou may call these:\n<tools>"
    "{% for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor %}\n</tools>\n"
    'Answer with <tool_call>\n{"name": <name>, "arguments": <arguments>}\n</tool_call><|im_end|>\n'
    "{% elif messages[0].role == 'system' %}"
    "{{ '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{% endif %}"
)
_HERMES_CALLS = (
    "{% for call in m.tool_calls or [] %}"
    '{{ \'\\n<tool_call>\\n{"name": "\' + call.function.name + \'", "arguments": \' }}'
    "{{ (call.function.arguments | tojson) + '}\\n</tool_call>' }}{% endfor %}"
)
_HERMES_RESULT = (
    "{% if loop.first or loop.previtem.role != 'tool' %}<|im_start|>user{% endif %}"
    "{{ '\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}"
    "{% if loop.last or loop.nextitem.role != 'tool' %}<|im_end|>\n{% endif %}"
)
_CUE = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
HERMES = (
    _HERMES_TOOLS + "{% for m in messages %}"
    "{% if m.role == 'tool' %}" + _HERMES_RESULT + "{% elif m.role != 'system' %}"
    "{{ '<|im_start|>' + m.role + '\\n' + m.content }}" + _HERMES_CALLS + "<|im_end|>\n"
    "{% endif %}{% endfor %}" + _CUE
)
QWEN_3 = (
    _HERMES_TOOLS + "{% set ns = namespace(asked=-1) %}{% for m in messages %}"
    "{% if m.role == 'user' %}{% set ns.asked = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}"
    "{% if m.role == 'tool' %}" + _HERMES_RESULT + "{% elif m.role != 'system' %}"
    "{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% set thoughts = m.reasoning_content or '' %}"
    "{% if m.role == 'assistant' and loop.index0 > ns.asked and thoughts %}"
    "{{ '<think>\\n' + thoughts.strip('\\n') + '\\n</think>\\n\\n' }}{% endif %}"
    "{{ m.content }}" + _HERMES_CALLS + "<|im_end|>\n"
    "{% endif %}{% endfor %}" + _CUE
)
_LLAMA_TURN = "'<|start_header_id|>' + {} + '<|end_header_id|>\\n\\n'"
LLAMA_3_1 = (
    "{{ bos_token }}{% set ns = namespace(tools=tools) %}{% for m in messages %}"
    "{% if m.tool_calls %}{% if m.tool_calls | length != 1 %}"
    "{{ raise_exception('This model only supports single tool-calls at once!') }}{% endif %}"
    "{% set call = m.tool_calls[0].function %}{{ "
    + _LLAMA_TURN.format("'assistant'")
    + " + '{\"name\": \"' + call.name + '\", \"parameters\": ' + (call.arguments | tojson) + '}'"
    " + '<|eot_id|>' }}"
    "{% elif m.role in ('tool', 'ipython') %}{{ "
    + _LLAMA_TURN.format("'ipython'")
    + " + (m.content | tojson) + '<|eot_id|>' }}"
    "{% else %}{{ " + _LLAMA_TURN.format("m.role") + " }}"
    "{% if m.role == 'user' and ns.tools %}"
    "{{ 'Given the following functions, please respond with a JSON for a call.\\n\\n' }}"
    "{% for tool in ns.tools %}{{ (tool | tojson(indent=4)) + '\\n\\n' }}{% endfor %}"
    "{% set ns.tools = none %}{% endif %}"
    "{{ (m.content | trim) + '<|eot_id|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ " + _LLAMA_TURN.format("'assistant'") + " }}{% endif %}"
)
MISTRAL_TOOLS = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'user' %}"
    "{% if tools and loop.last %}[AVAILABLE_TOOLS][{% for tool in tools %}"
    '{{ \'{"type": "function", "function": {\' }}'
    "{% for key, value in tool.function.items() if key != 'return' %}"
    "{% if value is string %}{{ '\"' + key + '\": \"' + value + '\"' }}"
    "{% else %}{{ '\"' + key + '\": ' + (value | tojson) }}{% endif %}"
    "{% if not loop.last %}, {% endif %}{% endfor %}"
    "{{ '}}' }}{% if not loop.last %}, {% endif %}{% endfor %}][/AVAILABLE_TOOLS]{% endif %}"
    "{{ '[INST]' + m.content + '[/INST]' }}"
    "{% elif m.tool_calls %}[TOOL_CALLS][{% for call in m.tool_calls %}"
    "{% if call.id is not defined or call.id | length != 9 %}"
    "{{ raise_exception('Tool call IDs should be alphanumeric strings with length 9!') }}"
    "{% endif %}{% set written = call.function | tojson %}"
    "{{ written[:-1] + ', \"id\": \"' + call.id + '\"}' }}"
    "{% if not loop.last %}, {% endif %}{% endfor %}]{{ eos_token }}"
    "{% elif m.role == 'tool' %}"
    "{{ '[TOOL_RESULTS]{\"content\": ' + (m.content | tojson) }}"
    "{{ ', \"call_id\": \"' + m.tool_call_id + '\"}[/TOOL_RESULTS]' }}"
    "{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}"
)
QWEN_3_CODER = (
    "{% if tools %}<|im_start|>system\n<tools>{% for tool in tools %}"
    "{% set f = tool.function %}"
    "{{ '\\n<function>\\n<name>' + f.name + '</name>' }}"
    "{% if f.description %}{{ '\\n<description>' + f.description + '</description>' }}{% endif %}"
    "{% if f.parameters is mapping and f.parameters.properties is mapping %}"
    "{% for name, fields in f.parameters.properties | items %}"
    "{{ '\\n<parameter>\\n<name>' + name + '</name>' }}"
    "{% if fields.type is defined %}{{ '\\n<type>' + (fields.type | string) + '</type>' }}"
    "{% endif %}"
    "{% if f.parameters.required and name in f.parameters.required %}\n<required/>{% endif %}"
    "\n</parameter>{% endfor %}{% endif %}\n</function>{% endfor %}\n</tools><|im_end|>\n"
    "{% endif %}{% for m in messages %}"
    "{% if m.role == 'tool' %}" + _HERMES_RESULT + "{% else %}"
    "{{ '<|im_start|>' + m.role + '\\n' + m.content }}"
    "{% for call in m.tool_calls or [] %}{{ '\\n<tool_call>\\n<function=' + call.function.name }}>"
    "{% for name, value in call.function.arguments | items %}"
    "{{ '\\n<parameter=' + name + '>\\n' }}"
    "{{ value if value is string else value | tojson }}{{ '\\n</parameter>' }}{% endfor %}"
    "\n</function>\n</tool_call>{% endfor %}<|im_end|>\n{% endif %}{% endfor %}" + _CUE
)

_CHATML = ["<|im_start|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]
CHECKPOINTS = (
    Checkpoint(
        "hermes-tools",
        Vocabulary("byte-level", _CHATML, {"eos_token": "<|im_end|>"}),
        HERMES,
        write_llama,
    ),
    Checkpoint(
        "qwen3-tools",
        Vocabulary("byte-level", _CHATML, {"eos_token": "<|im_end|>"}),
        QWEN_3,
        write_qwen,
    ),
    Checkpoint(
        "llama-3.1-tools",
        Vocabulary(
            "byte-level",
            ["<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>", "<|eom_id|>"],
            {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        ),
        LLAMA_3_1,
        write_llama,
    ),
    Checkpoint(
        "mistral-tools",
        Vocabulary(
            "byte-level",
            [
                *("[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
                *("[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
            ],
            {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
        ),
        MISTRAL_TOOLS,
        write_mistral,
    ),
    Checkpoint(
        "qwen3-coder",
        Vocabulary("byte-level", _CHATML, {"eos_token": "<|im_end|>"}),
        QWEN_3_CODER,
        write_qwen,
    ),
)
