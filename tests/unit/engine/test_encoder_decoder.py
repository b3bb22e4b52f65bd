"""Prompts where an encoder reads the sound and a decoder the prompt: those of a tiny Whisper."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from service.config import prepare_engine_environment
from service.domain.conversation import Modality
from service.domain.media import DecodedAudio, PlaceholderSpan, PreparedMedia
from service.errors import InvalidRequestError

# Each position of the encoder is 20 ms.
ENCODER_POSITIONS, DECODER_POSITIONS = 50, 40
RATE_HZ = 16_000
SPECIAL_TOKENS = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")
SIZES = {"layers": 1, "attention_heads": 2, "ffn_dim": 16}
PROMPT = [257, 258]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is needed without an engine: no weights."""
    folder = tmp_path_factory.mktemp("whisper")
    alphabet = {letter: index for index, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(alphabet, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.save(str(folder / "tokenizer.json"))
    end, start = (tokenizer.token_to_id(token) for token in SPECIAL_TOKENS[:2])
    config = {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "vocab_size": tokenizer.get_vocab_size(),
        "d_model": 8,
        "num_mel_bins": 80,
        "max_source_positions": ENCODER_POSITIONS,
        "max_target_positions": DECODER_POSITIONS,
        "decoder_start_token_id": start,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), end),
        **{f"{half}_{name}": SIZES[name] for half in ("encoder", "decoder") for name in SIZES},
    }
    features = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "chunk_length": 1,
        "feature_size": 80,
    }
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    settings = {"tokenizer_class": "WhisperTokenizer", **dict.fromkeys(names, SPECIAL_TOKENS[0])}
    for name, content in (
        ("config.json", config),
        ("preprocessor_config.json", features),
        ("tokenizer_config.json", settings),
    ):
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def args(checkpoint: Path) -> Any:
    prepare_engine_environment("info")
    from service.engine.engine_args import parse_engine_args

    return parse_engine_args(str(checkpoint), ())


@pytest.fixture
def renderer(args: Any) -> Any:
    from vllm.renderers import renderer_from_config

    return renderer_from_config(args.create_engine_config())


def test_a_sound_is_the_encoders_and_the_prompt_the_decoders(args: Any, renderer: Any) -> None:
    """Both are sent as vLLM makes them in one go, and counted together."""
    from service.engine.preprocessor import Preprocessor
    from service.engine.prompt_builder import PromptBuilder

    samples = np.random.default_rng(0).normal(0, 0.1, RATE_HZ // 2).astype(np.float32)
    item, size_bytes = Preprocessor.load(args).preprocess(
        DecodedAudio("media[0].audio", "a sound", samples, RATE_HZ)
    )
    whole: dict[str, Any] = {
        "prompt_token_ids": PROMPT,
        "multi_modal_data": {"audio": [(samples, RATE_HZ)]},
    }
    (expected,) = renderer.render_cmpl([whole], skip_mm_cache=True)
    builder = PromptBuilder(renderer)

    medium = PreparedMedia("media[0].audio", Modality.AUDIO, "a sound", item)
    prompt = asyncio.run(builder.build(PROMPT, [medium]))
    sent = builder.to_send(prompt)

    assert sent["prompt_token_ids"] == expected["prompt_token_ids"] == PROMPT
    assert sent["mm_placeholders"] == expected["mm_placeholders"]
    ours, theirs = (side["mm_kwargs"]["audio"][0].get_data() for side in (sent, expected))
    assert torch.equal(ours["input_features"], theirs["input_features"])
    assert size_bytes == ours["input_features"].nbytes
    sound = PlaceholderSpan("media[0].audio", Modality.AUDIO, 0, ENCODER_POSITIONS)
    assert prompt.placeholders == (sound,)
    assert prompt.token_count == ENCODER_POSITIONS + len(PROMPT)
    assert list(prompt.token_ids[ENCODER_POSITIONS:]) == PROMPT
    assert prompt.context_tokens == len(PROMPT)


def test_a_prompt_without_a_sound_is_refused(renderer: Any) -> None:
    """The decoder would compute from nothing, and spoil what the engine computes afterwards."""
    from service.engine.prompt_builder import PromptBuilder

    with pytest.raises(InvalidRequestError, match="answers a medium"):
        asyncio.run(PromptBuilder(renderer).build(PROMPT, []))
