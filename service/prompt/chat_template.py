"""The checkpoint's own chat template, rendered as Hugging Face's transformers renders it."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateSyntaxError
from transformers.utils.chat_template_utils import render_jinja_template

from service.errors import TemplateRefusedError

Messages = list[dict[str, Any]]
_PROBE, _PROBE_KEY = "triptych probe", "triptych key"
_CUTTING_METHODS = {
    *("partition", "rpartition", "rsplit", "split", "splitlines"),
    *("find", "index", "rfind", "rindex"),  # where a slice may begin or end
}


class ChatTemplate:
    """A Jinja template and the special tokens that it may name."""

    def __init__(self, source: str, special_tokens: dict[str, str]) -> None:
        # transformers keeps compiled templates; annotated as returning a string, it returns a pair.
        self._render: Any = partial(render_jinja_template, chat_template=source)
        self._special_tokens = special_tokens
        self.separators = _find_separators(source, special_tokens)
        self.takes_parts = self._renders_parts()

    def render(
        self,
        messages: Messages,
        *,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        now: datetime | None = None,
    ) -> str:
        """Render; raises TemplateRefusedError with what the template, or Jinja, complains of.

        With `now` the template's clock stands still.
        """
        clock = {"strftime_now": now.strftime} if now else {}
        try:
            rendered, _ = self._render(
                [messages],
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                **self._special_tokens,
                **clock,
            )
        except Exception as exc:  # a template is a program: it raises anything
            if continue_final_message and isinstance(exc, ValueError):
                # What transformers says of it quotes the whole prompt.
                raise TemplateRefusedError(
                    "prompt_options.continue_final_message",
                    "the model's chat template drops the end of the final message",
                ) from exc
            raise TemplateRefusedError(
                "conversation", f"the model's chat template refuses it: {exc}"
            ) from exc
        return str(rendered[0])

    def _renders_parts(self) -> bool:
        """Tell whether message content may be a list of typed parts, by trying it."""
        message = {"role": "user", "content": [{"type": "text", "text": _PROBE, _PROBE_KEY: ""}]}
        try:
            text = self.render([message])
        except TemplateRefusedError:
            return False
        # A template for strings prints the list as Python or JSON would, keys and all.
        return _PROBE in text and _PROBE_KEY not in text


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


def _find_separators(source: str, named: dict[str, str]) -> re.Pattern[str]:
    """Return what matches where the template cuts texts: at strings, `named` ones, or spaces."""
    try:
        tokens = list(Environment(autoescape=True).lexer.tokenize(source))
    except TemplateSyntaxError:
        tokens = []
    triples = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    strings = named | {
        name.value: string.value
        for name, sign, string in triples
        if sign.type == "assign" and string.type == "string"
    }
    found = set()
    for method, bracket, argument in triples:
        if method.value in _CUTTING_METHODS and bracket.type == "lparen":
            value = argument.value if argument.type == "string" else strings.get(argument.value)
            found.add(r"\s+" if argument.type == "rparen" else re.escape(value or ""))
    # The longest first; without any, what matches nowhere.
    return re.compile("|".join(sorted(found - {""}, key=len, reverse=True)) or "(?!)")


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
