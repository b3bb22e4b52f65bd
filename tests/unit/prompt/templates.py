"""Chat templates as checkpoints ship them, and the conversations that they are rendered with."""

from __future__ import annotations

from pathlib import Path

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineData,
    MediaSource,
    Message,
    Part,
    PromptOptions,
    Role,
    TextPart,
    VideoPart,
)
from service.domain.model import PromptFormat
from service.domain.prompt import RenderedPrompt
from service.prompt.chat_template import ChatTemplate
from service.prompt.formats.family import Family
from service.prompt.renderer import TemplateRenderer

DEMO_MODEL = Path(__file__).parents[3] / "demo" / "model"
SOURCE = MediaSource(InlineData(b"bytes"))
NO_CUE = PromptOptions(add_generation_prompt=False)
CONTINUE = PromptOptions(add_generation_prompt=False, continue_final_message=True)

CHATML = r"""
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}"""

# As Qwen2-VL, Qwen2.5-VL and Qwen2.5-Omni have it, with their own places for media.
PARTS = r"""{% set image_count = namespace(value=0) %}{% for message in messages %}
{% if loop.first and message['role'] != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}<|im_end|>
{% else %}{% for content in message['content'] %}PLACES{% endfor %}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
QWEN2_VL = PARTS.replace(
    "PLACES",
    r"""{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}
{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}
Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>
{%- elif content['type'] == 'video' or 'video' in content %}
<|vision_start|><|video_pad|><|vision_end|>
{%- elif 'text' in content %}{{ content['text'] }}{% endif %}""",
)
QWEN2_5_OMNI = PARTS.replace(
    "PLACES",
    r"""{% if content['type'] == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>
{%- elif content['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>
{%- elif content['type'] == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>
{%- elif 'text' in content %}{{ content['text'] }}{% endif %}""",
)

# As the thinking models of Qwen3 have it: an answer's thoughts stay only after the last question.
THINKING = r"""
{%- set ns = namespace(last=0) %}
{%- for message in messages %}
    {%- if message.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- set reasoning = '' %}
    {%- if message.role == 'assistant' and '</think>' in content %}
        {%- set reasoning = content.split('</think>')[0].rstrip('\n') %}
        {%- set reasoning = reasoning.split('<think>')[-1].lstrip('\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if loop.index0 > ns.last %}
        {{- '<think>\n' + reasoning.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
    {%- else %}
        {{- content }}
    {%- endif %}
    {{- '<|im_end|>\n' }}
{%- endfor %}"""


def writing(expression: str) -> str:
    """Return a template that writes this of each message's text `t`, between two tokens."""
    return (
        "{% for message in messages %}{% set t = message.content %}"
        f"{{{{ '<|im_start|>' + ({expression}) + '<|im_end|>' }}}}{{% endfor %}}"
    )


def user(*parts: Part | str) -> Message:
    """Return what a user says; a bare string is a text."""
    return _message(Role.USER, parts)


def assistant(*parts: Part | str) -> Message:
    """Return what the model says."""
    return _message(Role.ASSISTANT, parts)


def image(number: int = 0) -> ImagePart:
    """Return a picture that knows where it stands in the request."""
    return ImagePart(f"conversation.messages[0].parts[{number}].image", SOURCE)


def audio(number: int = 0) -> AudioPart:
    """Return a sound."""
    return AudioPart(f"conversation.messages[0].parts[{number}].audio", SOURCE)


def video(number: int = 0) -> VideoPart:
    """Return a clip."""
    return VideoPart(f"conversation.messages[0].parts[{number}].video", SOURCE)


def render(
    source: str, *messages: Message, options: PromptOptions = NO_CUE, family: Family | None = None
) -> RenderedPrompt:
    """Render messages with a template that has two special tokens to name."""
    template = ChatTemplate(source, {"bos_token": "<s>", "eos_token": "</s>"})
    renderer = TemplateRenderer(template, family, PromptFormat("tested", "the test chose it"))
    return renderer.render(Conversation(messages), options)


def literals(prompt: RenderedPrompt) -> list[str]:
    """Return what a caller wrote in a prompt."""
    data = prompt.text.encode()
    return [data[span.start : span.end].decode() for span in prompt.literal_spans]


def _message(role: Role, parts: tuple[Part | str, ...]) -> Message:
    typed = (TextPart(part) if isinstance(part, str) else part for part in parts)
    return Message(role, tuple(typed))
