"""Where a model's chat template comes from: the operator, its processor, its tokenizer, its family.

That is vLLM's order. Within a checkpoint the files are looked at in the order of transformers, so
that a checkpoint with several templates gets the same one.

Tested by tests/unit/prompt/test_checkpoint.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import StartupError
from service.prompt.formats.family import Family
from service.prompt.json_file import read_json
from service.prompt.tekken_file import read_tekken_version

# Templates in use have up to 30 KiB.
MAX_TEMPLATE_BYTES = 1 << 20
# A checkpoint with one of these has a processor; without, only its tokenizer's template counts.
_PROCESSOR_FILES = (
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
)


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """A template's text, where it was found (as `chat_template.jinja`), and who gave it.

    `leaves_open`: it leaves the final message open itself, told by `continue_final_message`.
    """

    text: str
    origin: str
    is_operators: bool = False
    leaves_open: bool = False


def find_template(
    directory: Path, *, file: Path | None = None, family: Family | None = None
) -> TemplateSource | None:
    """Return the template of a checkpoint, or None; raises StartupError for files unreadable."""
    if file is not None:
        return TemplateSource(_read_text(file), str(file), is_operators=True)
    if family is not None and family.tekken_templates:
        return _of_tekken(directory, family)
    for text, origin in _shipped(directory):
        if text:
            return TemplateSource(text, origin)
    if family is not None and family.default_template is not None:
        return TemplateSource(family.default_template, f"the default of {family.name}")
    return None


def find_tool_template(directory: Path, usual: TemplateSource | None) -> TemplateSource | None:
    """Return the template for conversations with tools; `usual` where it is the same one.

    Where tools are told, vLLM does not look at the processor's template, and takes of a
    tokenizer's several the one named `tool_use`.
    """
    if usual is None or usual.is_operators or usual.leaves_open:
        return usual
    for text, origin in _of_tokenizer(directory, "tool_use"):
        if text:
            return usual if text == usual.text else TemplateSource(text, origin)
    return usual


def _of_tekken(directory: Path, family: Family) -> TemplateSource:
    version = read_tekken_version(directory)
    template = family.tekken_templates.get(version)
    if template is None:
        known = ", ".join(family.tekken_templates)
        raise StartupError(
            f"{directory / 'tekken.json'} is of version {version}, whose prompts are not known for "
            f"{family.name} models; known are {known}; --chat-template FILE tells another's"
        )
    return TemplateSource(template, f"Mistral's format of tekken {version}", leaves_open=True)


def load_special_tokens(directory: Path) -> dict[str, str]:
    """Return `bos_token` and its like, as transformers gives them to a template."""
    config = read_json(directory / "tokenizer_config.json")
    named = {name: value for name, value in config.items() if name.endswith("_token")}
    extra = config.get("extra_special_tokens")
    named |= extra if isinstance(extra, dict) else {}
    if "added_tokens_decoder" not in config:  # older than 2023; transformers looks on here
        older = read_json(directory / "special_tokens_map.json")
        named |= {name: value for name, value in older.items() if name.endswith("_token")}
    # Older files hold objects where newer ones hold strings.
    texts = {
        name: value.get("content") if isinstance(value, dict) else value
        for name, value in named.items()
    }
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _shipped(directory: Path) -> Iterator[tuple[str | None, str]]:
    """Yield a checkpoint's templates, the one that counts first."""
    legacy = read_json(directory / "chat_template.json")
    if any((directory / name).is_file() for name in _PROCESSOR_FILES):
        processor = read_json(directory / "processor_config.json")
        yield _default(processor), "processor_config.json"
        yield _default(legacy), "chat_template.json"
    yield from _of_tokenizer(directory)


def _of_tokenizer(directory: Path, name: str = "default") -> Iterator[tuple[str | None, str]]:
    for file in (f"additional_chat_templates/{name}.jinja", "chat_template.jinja"):
        if (directory / file).is_file():
            yield _read_text(directory / file), file
    config = read_json(directory / "tokenizer_config.json")
    yield _default(config, name), "tokenizer_config.json"
    yield _default(read_json(directory / "chat_template.json")), "chat_template.json"


def _default(config: dict[str, Any], name: str = "default") -> str | None:
    """Return the template, or of several the one of that name, or the one named `default`."""
    found = config.get("chat_template")
    if isinstance(found, list):
        found = {entry["name"]: entry["template"] for entry in found}
    if isinstance(found, dict):
        found = found.get(name) or found.get("default")
    return found if isinstance(found, str) else None


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_TEMPLATE_BYTES:
            raise StartupError(f"the chat template {path} has more than {MAX_TEMPLATE_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise StartupError(f"cannot read the chat template {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise StartupError(f"the chat template {path} is not UTF-8: {exc.reason}") from exc
