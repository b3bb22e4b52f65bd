"""Ask vLLM itself the held-out questions: the reference for the service's own score.

    python -m demo.evaluate_engine --model demo/model --number 100

Media are decoded here in the way of the service: RGB pictures, mono sound at 16 kHz, and for videos
an even number of frames, two a second, at least 4 and at most 32, spread evenly from the first to
the last.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import soundfile
import soxr
from PIL import Image
from transformers import AutoTokenizer

from demo import scoring
from demo.model_config import SAMPLING_RATE

if TYPE_CHECKING:
    from demo.evaluation_set import Item, Media

_MARKS = {
    "image": "<|vision_bos|><|IMAGE|><|vision_eos|>",
    "audio": "<|audio_bos|><|AUDIO|><|audio_eos|>",
    "video": "<|vision_bos|><|VIDEO|><|vision_eos|>",
}
_FRAMES_A_SECOND = 2
_FEWEST_FRAMES, _MOST_FRAMES = 4, 32


def decode_sound(data: bytes) -> tuple[Any, int]:
    """Decode to mono float32 samples at 16 kHz."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, SAMPLING_RATE).astype(
        np.float32
    ), SAMPLING_RATE


def decode_video(data: bytes) -> tuple[Any, dict[str, Any]]:
    """Decode and sample to RGB frames [T, H, W, 3] with the metadata that vLLM wants."""
    with av.open(io.BytesIO(data)) as container:
        rate = float(container.streams.video[0].average_rate)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    seconds = len(frames) / rate
    wanted = round(seconds * _FRAMES_A_SECOND / 2) * 2
    number = min(max(wanted, _FEWEST_FRAMES), _MOST_FRAMES, len(frames))
    indices = np.linspace(0, len(frames) - 1, number).round().astype(int)
    metadata = {
        "fps": rate,
        "duration": seconds,
        "total_num_frames": len(frames),
        "frames_indices": indices.tolist(),
        "video_backend": "pyav",
    }
    return np.stack([frames[index] for index in indices]), metadata


def decode(media: Media) -> Any:
    """Decode one file to what vLLM takes."""
    if media.kind == "image":
        return Image.open(io.BytesIO(media.data)).convert("RGB")
    return decode_sound(media.data) if media.kind == "audio" else decode_video(media.data)


def to_prompt(tokenizer: Any, item: Item) -> dict[str, Any]:
    """Render one item with the chat template and decode its media."""
    text = "".join(part if isinstance(part, str) else _MARKS[part.kind] for part in item.parts)
    chat = [{"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, tokenize=True, return_dict=False
    )
    media: dict[str, list[Any]] = {}
    for part in item.parts:
        if not isinstance(part, str):
            media.setdefault(part.kind, []).append(decode(part))
    return {"prompt_token_ids": list(ids), **({"multi_modal_data": media} if media else {})}


def main() -> int:
    """Read the flags, load the engine, ask everything, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("demo/model"))
    parser.add_argument("--number", type=int, default=100, help="items a task")
    parser.add_argument(
        "--mistakes", type=int, default=3, help="wrong answers to show of each task"
    )
    flags = parser.parse_args()
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import vllm

    engine = vllm.LLM(
        str(flags.model),
        enforce_eager=True,
        dtype="bfloat16",
        max_model_len=2048,
        gpu_memory_utilization=0.2,
        limit_mm_per_prompt={"image": 4, "audio": 4, "video": 2},
    )
    tokenizer = AutoTokenizer.from_pretrained(flags.model)
    items = scoring.all_items(flags.number)
    greedy = vllm.SamplingParams(temperature=0, max_tokens=96)
    outputs = engine.generate([to_prompt(tokenizer, item) for item in items], greedy)
    answers = [output.outputs[0].text for output in outputs]
    return 0 if scoring.report(scoring.score(items, answers), flags.mistakes) else 1


if __name__ == "__main__":
    sys.exit(main())
