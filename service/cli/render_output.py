"""How `triptych render` shows a prompt to a person.

`RenderPromptResponse` says which bytes of the text a user wrote and where media stand; the rest is
the model's format. Colours are left out where stdout is no terminal (or NO_COLOR is set).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from service.cli.client_call import for_terminal

if TYPE_CHECKING:
    from triptych.v1 import tokenizer_service_pb2 as pb

_FORMAT, _USER, _PLACEHOLDER = "dim", "bold green", "magenta"


def coloured_prompt(rendered: pb.RenderPromptResponse) -> str:
    """Return the text, with each medium's tokens behind its placeholder: `<image>⟨64 tokens⟩`."""
    console = Console(file=sys.stdout, highlight=False)
    with console.capture() as capture:
        pieces = (Text(for_terminal(text), style=style) for text, style in _pieces(rendered))
        console.print(Text.assemble(*pieces), soft_wrap=True, end="")
    return capture.get()


def _pieces(rendered: pb.RenderPromptResponse) -> Iterator[tuple[str, str]]:
    """Yield the texts and their styles, in order."""
    text = rendered.text.encode()
    done = 0
    for start, end, style, note in sorted(_spans(rendered), key=itemgetter(0)):
        yield text[done:start].decode(), _FORMAT
        yield text[start:end].decode(), style
        yield note, _PLACEHOLDER
        done = end
    yield text[done:].decode(), _FORMAT


def _spans(rendered: pb.RenderPromptResponse) -> Iterator[tuple[int, int, str, str]]:
    for span in rendered.literal_spans:
        yield span.start_byte, span.end_byte, _USER, ""
    for placeholder in rendered.placeholders:
        if placeholder.HasField("text_span"):
            span = placeholder.text_span
            note = f"⟨{_counted(placeholder.length)}⟩"
            yield span.start_byte, span.end_byte, _PLACEHOLDER, note


def size_lines(rendered: pb.RenderPromptResponse) -> Iterator[str]:
    """Yield what the prompt takes: all of it, each medium, and what is too much."""
    kept = {limit.name: limit for limit in rendered.limits}
    tokens = kept.get("max_model_tokens")
    most = f" of {tokens.limit}" if tokens else ""
    yield f"{_counted(len(rendered.token_ids))}{most}, format {rendered.prompt_format}"
    for placeholder in rendered.placeholders:
        yield f"  {placeholder.field}: {_counted(placeholder.length)}, from {placeholder.offset} on"
    for limit in broken_limits(rendered):
        yield f"too much: {limit.name} is {limit.limit}, this has {limit.actual}"


def broken_limits(rendered: pb.RenderPromptResponse) -> list[pb.PromptLimit]:
    """Return the limits that `Generate` would refuse the prompt for."""
    return [limit for limit in rendered.limits if limit.actual > limit.limit]


def _counted(tokens: int) -> str:
    return f"{tokens} token" if tokens == 1 else f"{tokens} tokens"
