"""A checkpoint of a family: everything but the weights, made by the tests and small."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.domain.conversation import Modality
from tests.conformance.formats.vocabulary import Vocabulary

IMAGE, AUDIO, VIDEO = Modality.IMAGE, Modality.AUDIO, Modality.VIDEO

# As small as vLLM's attention kernels allow.
_TINY_TEXT: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 8192,
}
TINY_VISION: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


@dataclass(frozen=True)
class Checkpoint:
    """How to write a family's checkpoint, and what it takes.

    `template` yields the family's documented strings and is ours; None: the checkpoint ships none.
    `write` gets the directory and the special tokens' ids, and writes config.json and what the
    processor reads. Without a `vocabulary` it writes all there is.
    """

    name: str
    vocabulary: Vocabulary | None
    template: str | None
    write: Callable[[Path, dict[str, int]], None]
    modalities: frozenset[Modality] = frozenset()
    single: frozenset[Modality] = frozenset()
    flags: Sequence[str] = field(default=())
    most_tokens: int = 4096

    def make(self, directory: Path) -> None:
        """Write all files into the directory."""
        ids = self.vocabulary.write(directory) if self.vocabulary else {}
        self.write(directory, ids)
        if self.vocabulary:
            # Again: a processor that saves itself saves its tokenizer and a template too.
            self.vocabulary.write(directory)
            (directory / "chat_template.jinja").unlink(missing_ok=True)
        if self.template is not None:
            (directory / "chat_template.jinja").write_text(self.template, encoding="utf-8")

    def takes(self, media: Sequence[Modality]) -> bool:
        """Tell whether a prompt may have these media."""
        return set(media) <= self.modalities and all(
            media.count(kind) <= self.most(kind) for kind in self.modalities
        )

    def most(self, kind: Modality) -> int:
        """Return how many media of a kind a prompt may have; vLLM takes one of `single` kinds."""
        return 1 if kind in self.single else 3

    def engine_flags(self) -> list[str]:
        """Return what vLLM is started with, besides the directory."""
        limits = {kind: self.most(kind) for kind in sorted(self.modalities)}
        flags = ["--max-model-len", str(self.most_tokens), *self.flags]
        return [*flags, "--limit-mm-per-prompt", json.dumps(limits)] if limits else flags


def tiny_text(ids: dict[str, int]) -> dict[str, Any]:
    """Return the settings of a text model with a token for each row; special ones come last."""
    return {**_TINY_TEXT, "vocab_size": max(ids.values()) + 1}


def load_tokenizer(directory: Path) -> Any:
    """Return the tokenizer that is in the directory, as processors want it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(directory, local_files_only=True)
