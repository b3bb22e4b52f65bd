"""SentencePiece models, small ones, and the Precompiled normalizer that they hold."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path

from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2
from tokenizer_files import Json

# From and to, as code points: a ligature, a letter and its accent, a wide blank, a soft hyphen.
RULES = "FB01\t66 69\n41 30A\tC5\n3000\t20\nAD\t\n"
LINES = ["the cat in the hat", "a cat ate the hat", "12 caf\u00e9s \ufb01t in"]


def piece_model(**options: object) -> bytes:
    """Return a tokenizer.model, trained with `options`; always the same for the same ones."""
    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.tsv"
        rules.write_text(RULES)
        SentencePieceTrainer.train(
            sentence_iterator=iter(LINES * 5),
            model_writer=model,
            vocab_size=320 if options.get("byte_fallback") else 40,
            hard_vocab_limit=False,
            normalization_rule_tsv=str(rules),
            num_threads=1,
            minloglevel=2,
            **options,
        )
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    proto.normalizer_spec.ClearField("normalization_rule_tsv")  # where the file was
    return proto.SerializeToString(deterministic=True)


def precompiled() -> Json:
    """Return the normalizer of tokenizer.json."""
    model = sentencepiece_model_pb2.ModelProto.FromString(piece_model())
    rules = base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
    return {"type": "Precompiled", "precompiled_charsmap": rules}


def piece_models() -> dict[str, bytes]:
    """Return models of both kinds."""
    return {
        "unigram": piece_model(),
        "unigram_bytes": piece_model(byte_fallback=True, treat_whitespace_as_suffix=True),
        "bpe": piece_model(model_type="bpe", user_defined_symbols="<sep>,ab"),
        "bpe_bytes": piece_model(model_type="bpe", byte_fallback=True, add_dummy_prefix=False),
    }
