"""The checkpoint's own chat template, rendered as Hugging Face's transformers renders it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from service.errors import TemplateRefusedError

Messages = list[dict[str, Any]]
_PROBE = "triptych probe"


class ChatTemplate:
    """A Jinja template and the special tokens that it may name."""

    def __init__(self, source: str, special_tokens: dict[str, str]) -> None:
        # transformers keeps compiled templates; annotated as returning a string, it returns a pair.
        self._render: Any = partial(render_jinja_template, chat_template=source)
        self._special_tokens = special_tokens
        self.takes_parts = self._renders_parts()

    def render(self, messages: Messages, *, add_generation_prompt: bool = False) -> str:
        """Render; raises TemplateRefusedError with what the template, or Jinja, complains of."""
        try:
            rendered, _ = self._render(
                [messages], add_generation_prompt=add_generation_prompt, **self._special_tokens
            )
        except (TemplateError, TypeError, ValueError) as exc:
            raise TemplateRefusedError(
                "conversation", f"the model's chat template refuses it: {exc}"
            ) from exc
        return str(rendered[0])

    def _renders_parts(self) -> bool:
        """Tell whether message content may be a list of typed parts, by trying it."""
        message = {"role": "user", "content": [{"type": "text", "text": _PROBE}]}
        try:
            text = self.render([message])
        except TemplateRefusedError:
            return False
        # A template for strings prints the list as Python would, quotes and all.
        return _PROBE in text and repr(_PROBE) not in text


def load_chat_template(directory: Path) -> ChatTemplate | None:
    """Read a checkpoint's template from where transformers writes it; None when it has none."""
    config = _read_json(directory / "tokenizer_config.json")
    source = _find_source(directory, config)
    return ChatTemplate(source, _special_tokens(config)) if source else None


def _find_source(directory: Path, config: dict[str, Any]) -> str | None:
    jinja = directory / "chat_template.jinja"
    if jinja.is_file():
        return jinja.read_text(encoding="utf-8")
    found = _read_json(directory / "chat_template.json").get("chat_template")
    found = found or config.get("chat_template")
    if isinstance(found, list):
        named = {entry["name"]: entry["template"] for entry in found}
        found = named.get("default")
    return found


def _special_tokens(config: dict[str, Any]) -> dict[str, str]:
    """Return `bos_token` and its like; older files hold objects where newer ones hold strings."""
    tokens = {}
    for name, value in config.items():
        content = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(content, str):
            tokens[name] = content
    return tokens


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
