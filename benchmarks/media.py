"""From encoded media to the engine's input: our worker processes beside vLLM's own path.

    python -m benchmarks.media [--count 8] [--repeats 3] [--pixels demo real]

Measured are photos (JPEG, 12 megapixels), sounds (30 s, MP3 and WAV) and videos (H.264, 10 s,
1280x720), one of them in each prompt, all prompts at once:

* vLLM's path, as its OpenAI server goes it: a chat message with a base64 data URL, decoded in
  vLLM's threads, preprocessed in its renderer's thread;
* ours, with 1 and with 2 workers: source, worker, and vLLM's renderer for the prompt's half;
* `again`: the same media a second time, which both have in their caches.

No engine and no network take part. Both paths end with the same object, vLLM's engine input, and
take the same 32 frames of a video. `demo` is the demo model's own processor, which shrinks all
pictures to 9500 pixels; `real` is the same with bounds that Qwen2-VL is used with (1280 tokens).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import media_samples
from benchmarks.media_paths import OurPath, PreparationPath, VllmPath

_DEMO_MODEL = Path(__file__).resolve().parent.parent / "demo" / "model"
# What Qwen2-VL's authors recommend: 256 to 1280 tokens of 28 x 28 pixels for a picture or a frame.
_REAL_SIZE = {"shortest_edge": 256 * 28 * 28, "longest_edge": 1280 * 28 * 28}
_FLAGS = {
    "demo": ("--max-model-len", "4096"),
    "real": (
        *("--max-model-len", "32768"),
        *("--mm-processor-kwargs", json.dumps({"size": _REAL_SIZE})),
    ),
}


@dataclass(frozen=True)
class Kind:
    """One kind of media: how to get them, and how much each counts."""

    name: str
    make: Callable[[range], list[bytes]]
    units: int  # of each medium
    unit: str


KINDS = (
    Kind("image/jpeg", media_samples.photos, 1, "photos/s"),
    Kind("audio/mpeg", media_samples.mp3_sounds, media_samples.SOUND_SECONDS, "sound seconds/s"),
    Kind("audio/wav", media_samples.wav_sounds, media_samples.SOUND_SECONDS, "sound seconds/s"),
    Kind(
        "video/mp4",
        media_samples.videos,
        media_samples.VIDEO_SECONDS * media_samples.VIDEO_FPS,
        "frames/s",
    ),
)


@dataclass(frozen=True)
class Cost:
    """What one medium took, in seconds: of the clock, and of all processes' CPU time."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Row:
    """One kind of media on one path."""

    path: str
    kind: Kind
    first: Cost
    again: Cost


def main() -> None:
    """Run everything and print a table for each set of pixel bounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8, help="media at once")
    parser.add_argument("--repeats", type=int, default=3, help="medians are over these")
    parser.add_argument("--pixels", nargs="+", choices=list(_FLAGS), default=list(_FLAGS))
    arguments = parser.parse_args()
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    print(f"load average before: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}")
    with tempfile.TemporaryDirectory() as directory:
        for pixels in arguments.pixels:
            model = _model(pixels, Path(directory))
            rows = asyncio.run(
                _measure_all(str(model), _FLAGS[pixels], arguments.count, arguments.repeats)
            )
            for line in _table_lines(pixels, rows):
                print(line, flush=True)


def _model(pixels: str, directory: Path) -> Path:
    """Return the demo model; for real bounds a copy, whose prompts may be longer."""
    if pixels == "demo":
        return _DEMO_MODEL
    copy = directory / pixels
    shutil.copytree(_DEMO_MODEL, copy)
    path = copy / "config.json"
    config = json.loads(path.read_text())
    # A video takes 19,000 tokens. No weights are loaded, so the positions need not be real.
    config["thinker_config"]["text_config"]["max_position_embeddings"] = 32768
    path.write_text(json.dumps(config))
    return copy


async def _measure_all(model: str, flags: tuple[str, ...], count: int, repeats: int) -> list[Row]:
    rows = []
    paths: list[PreparationPath] = [VllmPath(), OurPath(workers=1), OurPath(workers=2)]
    for path in paths:
        await path.start(model, flags)
        try:
            rows += [await _measure(path, kind, count, repeats) for kind in KINDS]
        finally:
            await path.stop()
    return rows


async def _measure(path: PreparationPath, kind: Kind, count: int, repeats: int) -> Row:
    def encoded(numbers: range) -> list[Any]:
        return [path.encode(kind.name, data) for data in kind.make(numbers)]

    await _prepare_all(path, encoded(range(repeats * count, repeats * count + 1)))
    firsts: list[Cost] = []
    agains: list[Cost] = []
    for repeat in range(repeats):
        prompts = encoded(range(repeat * count, (repeat + 1) * count))
        for costs in (firsts, agains):
            costs.append(await _cost(path, prompts))
    row = Row(path.name, kind, _median(firsts), _median(agains))
    print(row, flush=True)
    return row


async def _prepare_all(path: PreparationPath, prompts: list[Any]) -> None:
    await asyncio.gather(*(path.prepare(prompt) for prompt in prompts))


async def _cost(path: PreparationPath, prompts: list[Any]) -> Cost:
    before, started = path.cpu_seconds(), time.monotonic()
    await _prepare_all(path, prompts)
    wall_s = time.monotonic() - started
    return Cost(wall_s / len(prompts), (path.cpu_seconds() - before) / len(prompts))


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall_s for cost in costs),
        statistics.median(cost.cpu_s for cost in costs),
    )


def _table_lines(pixels: str, rows: list[Row]) -> Iterator[str]:
    yield ""
    yield f"Pixel bounds: {pixels}"
    yield ""
    yield (
        "| media | path | a second | to vLLM's | CPU ms each | to vLLM's "
        "| again: wall ms (share) | again: CPU ms (share) |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    vllm = {row.kind.name: row for row in rows if row.path == VllmPath.name}
    for row in sorted(rows, key=lambda row: [kind.name for kind in KINDS].index(row.kind.name)):
        base = vllm[row.kind.name]
        first, again = row.first, row.again
        yield (
            f"| {row.kind.name} | {row.path} | {row.kind.units / first.wall_s:.1f} {row.kind.unit} "
            f"| {base.first.wall_s / first.wall_s:.2f}x "
            f"| {1000 * first.cpu_s:.1f} | {first.cpu_s / base.first.cpu_s:.2f}x "
            f"| {1000 * again.wall_s:.2f} ({again.wall_s / first.wall_s:.1%}) "
            f"| {1000 * again.cpu_s:.2f} ({again.cpu_s / first.cpu_s:.1%}) |"
        )


if __name__ == "__main__":
    main()
