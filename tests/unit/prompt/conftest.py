"""The demo model's template and tokenizer, and folders as checkpoints have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from service.prompt.chat_template import ChatTemplate
from service.prompt.template_source import find_template, load_special_tokens
from tests.unit.prompt.templates import DEMO_MODEL


@pytest.fixture(scope="session")
def demo_tokenizer() -> Any:
    """Load the demo's tokenizer as transformers does, which is what we are compared with."""
    return AutoTokenizer.from_pretrained(DEMO_MODEL, local_files_only=True)


@pytest.fixture(scope="session")
def demo_template() -> ChatTemplate:
    source = find_template(DEMO_MODEL)
    assert source is not None
    return ChatTemplate(source.text, load_special_tokens(DEMO_MODEL))


@pytest.fixture
def write_checkpoint(tmp_path: Path) -> Callable[[dict[str, object]], Path]:
    """Write a checkpoint's files: a string as it is, anything else as JSON."""

    def write(files: dict[str, object]) -> Path:
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write
