"""Write a checkpoint that transformers and vLLM load: weights, configuration, processor, tokenizer.

Weights carry the prefix `thinker.` and `config.json` is that of the whole family
(`Qwen2_5OmniModel`), because that is what vLLM's registry knows; talker and vocoder are left out,
as vLLM never loads them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from demo import model_config
from demo.tokenizer import SYSTEM_LINE, special_ids, tokenizer_config

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

_CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
_CLIP_STD = [0.26862954, 0.26130258, 0.27577711]

CHAT_TEMPLATE = (
    "{%- set marks = {'image': '<|vision_bos|><|IMAGE|><|vision_eos|>', "
    "'audio': '<|audio_bos|><|AUDIO|><|audio_eos|>', "
    "'video': '<|vision_bos|><|VIDEO|><|vision_eos|>'} -%}\n"
    "{%- for message in messages -%}\n"
    "{%- if loop.first and message.role != 'system' -%}"
    "{{ '<|im_start|>system\\n" + SYSTEM_LINE + "<|im_end|>\\n' }}{%- endif -%}\n"
    "{{- '<|im_start|>' + message.role + '\\n' -}}\n"
    "{%- if message.content is string -%}{{ message.content }}\n"
    "{%- else -%}\n"
    "{%- for part in message.content -%}\n"
    "{%- if part.type == 'image' or 'image' in part or 'image_url' in part -%}{{ marks.image }}\n"
    "{%- elif part.type == 'audio' or 'audio' in part or 'audio_url' in part -%}{{ marks.audio }}\n"
    "{%- elif part.type == 'video' or 'video' in part -%}{{ marks.video }}\n"
    "{%- elif 'text' in part -%}{{ part.text }}\n"
    "{%- endif -%}\n"
    "{%- endfor -%}\n"
    "{%- endif -%}\n"
    "{{- '<|im_end|>\\n' -}}\n"
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}\n"
)


def vision_processor_config(kind: str) -> dict[str, Any]:
    """Return the settings of the picture (`Image`) or video (`Video`) processor."""
    settings = {
        f"{kind.lower()}_processor_type": f"Qwen2VL{kind}Processor",
        "processor_class": "Qwen2_5OmniProcessor",
        "do_convert_rgb": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_resize": True,
        "image_mean": _CLIP_MEAN,
        "image_std": _CLIP_STD,
        "size": {"shortest_edge": model_config.MIN_PIXELS, "longest_edge": model_config.MAX_PIXELS},
        "patch_size": model_config.PATCH_SIZE,
        "merge_size": model_config.MERGE_SIZE,
        "temporal_patch_size": model_config.TEMPORAL_PATCH_SIZE,
        "resample": 3,
        "rescale_factor": 1 / 255,
    }
    if kind == "Video":
        settings |= {"do_sample_frames": False, "cap_pixels_per_frame": False}
    return settings


def audio_processor_config() -> dict[str, Any]:
    """Return the settings of the Whisper feature extractor."""
    samples = model_config.CHUNK_SECONDS * model_config.SAMPLING_RATE
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "Qwen2_5OmniProcessor",
        "chunk_length": model_config.CHUNK_SECONDS,
        "feature_size": model_config.MEL_BINS,
        "hop_length": model_config.HOP_LENGTH,
        "n_fft": model_config.N_FFT,
        "n_samples": samples,
        "nb_max_frames": samples // model_config.HOP_LENGTH,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "sampling_rate": model_config.SAMPLING_RATE,
        "dither": 0.0,
    }


def write_processors(folder: Path) -> None:
    """Write the picture, sound and video settings, each in the file that its loader looks into."""
    image, video, audio = (
        vision_processor_config("Image"),
        vision_processor_config("Video"),
        audio_processor_config(),
    )
    _write_json(folder / "preprocessor_config.json", audio | image)
    _write_json(folder / "video_preprocessor_config.json", video)
    nested = {"image_processor": image, "video_processor": video, "feature_extractor": audio}
    _write_json(
        folder / "processor_config.json", {"processor_class": "Qwen2_5OmniProcessor", **nested}
    )


def write_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    """Write tokenizer.json, its configuration and the chat template."""
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", tokenizer_config(tokenizer))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def write_model_config(folder: Path, tokenizer: Tokenizer) -> None:
    """Write config.json and generation_config.json (greedy, ends at `<|im_end|>`)."""
    ids = special_ids(tokenizer)
    thinker = model_config.thinker_config(ids, tokenizer.get_vocab_size())
    config = {
        "architectures": ["Qwen2_5OmniModel"],
        "model_type": "qwen2_5_omni",
        "enable_audio_output": False,
        "dtype": "bfloat16",
        "bos_token_id": ids["<|im_start|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "thinker_config": thinker,
    }
    _write_json(folder / "config.json", config)
    ends = [ids["<|im_end|>"], ids["<|endoftext|>"]]
    generation = {
        "do_sample": False,
        "temperature": 0.0,
        "eos_token_id": ends,
        "pad_token_id": ids["<|endoftext|>"],
    }
    _write_json(folder / "generation_config.json", generation)


def write_checkpoint(folder: Path, state: dict[str, torch.Tensor], tokenizer: Tokenizer) -> int:
    """Write the whole folder from a thinker's state; return the size of the weights in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        f"thinker.{name}": tensor.to(torch.bfloat16).contiguous() for name, tensor in state.items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    write_processors(folder)
    write_tokenizer(folder, tokenizer)
    write_model_config(folder, tokenizer)
    return (folder / "model.safetensors").stat().st_size


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
