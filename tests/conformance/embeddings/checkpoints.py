"""Embedding models of random weights: one that was made for it, two that are converted."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.weights import write_weights

CONVERTED = ("--runner", "pooling", "--convert", "embed")
_BERT_WORDS = "what is in this picture a cat two dogs tell please write down said word for one"


def write_qwen2_vl(directory: Path) -> None:
    """Write one that answers, of text and pictures; to be converted."""
    CHECKPOINTS["qwen2-vl"].make(directory)
    write_weights(directory)


def write_qwen2(directory: Path) -> None:
    """Write one that answers, of text; converted, its vectors may be cut, as its config says."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    CHECKPOINTS["qwen2"].make(directory)
    config = AutoConfig.from_pretrained(directory, local_files_only=True)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.save_pretrained(directory)
    file = directory / "config.json"
    settings = json.loads(file.read_text()) | {"matryoshka_dimensions": [16, 32, 64]}
    file.write_text(json.dumps(settings))


def write_bert(directory: Path) -> None:
    """Write a BERT, whose tokenizer puts [CLS] and [SEP] around a text."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = [*special, *letters, *(f"##{one}" for one in letters), *_BERT_WORDS.split()]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=special[1]))
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(one, vocabulary[one]) for one in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    named = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    (directory / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **named})
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        architectures=["BertModel"],
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(directory)
