"""Tokenizers whose ids are the pieces of a pre-tokenizer, so that a wrong cut is a wrong id.

The model's vocabulary is every piece that Hugging Face finds in the texts. It has no merges, and
with `ignore_merges` a piece that is in the vocabulary is one token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from tests.unit.tokenizer.running_sidecar import Sidecar
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

UNKNOWN = "[UNK]"
_BATCH = 500


def _document(pre_tokenizer: dict[str, object], vocab: dict[str, int]) -> dict[str, object]:
    model = {"type": "BPE", "unk_token": UNKNOWN, "ignore_merges": True, "vocab": vocab}
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": byte_level,
        "model": model | {"merges": []},
    }


def save_pieces_tokenizer(
    pre_tokenizer: dict[str, object], texts: Sequence[str], path: Path
) -> None:
    """Write a tokenizer.json whose tokens are the pieces of the texts."""
    empty = Tokenizer.from_str(json.dumps(_document(pre_tokenizer, {UNKNOWN: 0})))
    vocab = {UNKNOWN: 0}
    for text in texts:
        if text:
            for piece, _ in empty.pre_tokenizer.pre_tokenize_str(text):
                vocab.setdefault(piece, len(vocab))
    path.write_text(json.dumps(_document(pre_tokenizer, vocab)))


def _widened(text: str, spans: Sequence[pb.ByteSpan]) -> list[tuple[int, int]]:
    """Return byte spans as spans of characters that cover them."""
    first_byte_of = [i for i, c in enumerate(text) for _ in c.encode()]
    return [
        (first_byte_of[span.begin], first_byte_of[span.end - 1] + 1)
        if span.end > span.begin
        else (0, 0)
        for span in spans
    ]


def assert_pieces_agree(sidecar: Sidecar, texts: Sequence[str]) -> None:
    """Assert that the ids, and where each came from, are exactly those of Hugging Face."""
    encodings = sidecar.reference.encode_batch(texts, add_special_tokens=False)
    for start in range(0, len(texts), _BATCH):
        requests = [
            pb.EncodeRequest(text=text.encode(), include_token_spans=True)
            for text in texts[start : start + _BATCH]
        ]
        responses = sidecar.stub.EncodeBatch(pb.EncodeBatchRequest(requests=requests)).responses
        for response, text, encoding in zip(
            responses, texts[start:], encodings[start:], strict=False
        ):
            assert encoding.ids == list(response.token_ids), ascii(text)
            assert encoding.offsets == _widened(text, response.token_spans), ascii(text)
