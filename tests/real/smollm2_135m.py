"""SmolLM2-135M-Instruct: from GGUF to a checkpoint as Hugging Face's transformers has it.

GGUF's Llamas have the rows of each head's queries and keys in another order: transformers turns
pairs that are half a head apart, GGUF pairs that lie side by side.

The library that reads GGUF is in no requirements file, but a package as the weights are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

_TENSORS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_SPECIAL = {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}
# Of `tokenizer.ggml.token_type`: what is not split and not printed.
_CONTROL = 3


def write_checkpoint(source: Path, library: Path, folder: Path) -> None:
    """Write the checkpoint of the GGUF file in `source` into a folder."""
    sys.path.insert(0, str(library))
    try:
        from gguf import GGUFReader, dequantize
    finally:
        sys.path.remove(str(library))
    (path,) = source.glob("*.gguf")
    reader = GGUFReader(path)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    heads = {
        "attn_q": facts["llama.attention.head_count"],
        "attn_k": facts["llama.attention.head_count_kv"],
    }
    weights = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        name = _name(tensor.name)
        kind = tensor.name.split(".")[-2]
        if kind in heads:
            values = _in_halves(values, heads[kind])
        weights[name] = np.ascontiguousarray(values, dtype=np.float16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _tokenizer(facts).save(str(folder / "tokenizer.json"))
    special = {
        f"{ours}_token_id": facts[f"tokenizer.ggml.{theirs}_token_id"]
        for ours, theirs in _SPECIAL.items()
    }
    files = {
        "config.json": {**_sizes(facts), **special},
        "generation_config.json": special,
        "tokenizer_config.json": _tokenizer_config(facts),
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2))


def _sizes(facts: dict[str, Any]) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float16",
        "vocab_size": facts["llama.vocab_size"],
        "hidden_size": facts["llama.embedding_length"],
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": facts["llama.attention.head_count"],
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "max_position_embeddings": facts["llama.context_length"],
        "rms_norm_eps": facts["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": facts["llama.rope.freq_base"],
        "tie_word_embeddings": True,  # the file has no output matrix of its own
    }


def _name(old: str) -> str:
    """`blk.3.attn_q.weight` -> `model.layers.3.self_attn.q_proj.weight`."""
    *block, kind, ending = old.split(".")
    layer = f"model.layers.{block[1]}." if block else ""
    return f"{layer}{_TENSORS[kind]}.{ending}"


def _in_halves(rows: NDArray, heads: int) -> NDArray:
    """Order each head's rows 0, 2, 4 … 1, 3, 5 …."""
    pairs = rows.reshape(heads, -1, 2, rows.shape[1])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def _tokenizer(facts: dict[str, Any]) -> Tokenizer:
    """Build the tokenizer; `smollm`, its kind of words, is GPT-2's with each digit by itself."""
    if facts["tokenizer.ggml.pre"] != "smollm":
        raise ValueError(f"not SmolLM's way to words: {facts['tokenizer.ggml.pre']}")
    tokens = facts["tokenizer.ggml.tokens"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    merges = [tuple(merge.split(" ")) for merge in facts["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(BPE(vocabulary, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    types = facts["tokenizer.ggml.token_type"]
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in control])
    return tokenizer


def _tokenizer_config(facts: dict[str, Any]) -> dict[str, str]:
    tokens = facts["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": facts["tokenizer.chat_template"],
        **{
            f"{ours}_token": tokens[facts[f"tokenizer.ggml.{theirs}_token_id"]]
            for ours, theirs in _SPECIAL.items()
        },
    }
