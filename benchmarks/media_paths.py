"""The two ways from encoded media to vLLM's engine input that media.py compares.

Neither starts an engine. vLLM's goes through its renderer as its OpenAI server does. Ours runs the
service's own parts: resolver, worker processes, cache, and the engine's `prepare`; only the sidecar
is left out: its prompt's few token ids are made once, here.
"""

from __future__ import annotations

import base64
import time
from abc import ABC, abstractmethod
from types import SimpleNamespace
from typing import Any

import psutil
from vllm.renderers.params import ChatParams
from vllm.renderers.registry import renderer_from_config

from service.config import MediaConfig
from service.domain.conversation import (
    AudioPart,
    ImagePart,
    InlineData,
    MediaPart,
    MediaSource,
    VideoPart,
)
from service.domain.model import ModelDescription, ModelMemory
from service.domain.sampling import Sampling
from service.engine.engine_args import parse_engine_args
from service.engine.vllm_engine import VllmEngine
from service.media_app import MediaApplication

_QUESTION = "What is this?"
_FRAMES = 32  # what vLLM takes of a video when nothing is said
_AUDIO_RATE_HZ = 16_000


class PreparationPath(ABC):
    """One way. Belongs to the event loop that starts it."""

    name: str

    @abstractmethod
    async def start(self, model: str, flags: tuple[str, ...]) -> None:
        """Load what is needed for a model."""

    @abstractmethod
    def encode(self, mime_type: str, data: bytes) -> Any:
        """Return a prompt with one medium as a caller sends it; not measured."""

    @abstractmethod
    async def prepare(self, prompt: Any) -> int:
        """Make the engine's input; return how many tokens it has."""

    @abstractmethod
    def cpu_seconds(self) -> float:
        """Return the CPU time of all processes so far."""

    @abstractmethod
    async def stop(self) -> None:
        """End what was started."""


class VllmPath(PreparationPath):
    """vLLM's own."""

    name = "vLLM"

    async def start(self, model: str, flags: tuple[str, ...]) -> None:
        self._renderer = _renderer(model, flags)
        self._renderer.warmup(ChatParams())

    def encode(self, mime_type: str, data: bytes) -> Any:
        kind = f"{mime_type.partition('/')[0]}_url"
        url = f"data:{mime_type};base64,{base64.b64encode(data).decode()}"
        content = [{"type": kind, kind: {"url": url}}, {"type": "text", "text": _QUESTION}]
        return [{"role": "user", "content": content}]

    async def prepare(self, prompt: Any) -> int:
        _, (engine_input,) = await self._renderer.render_chat_async([prompt], ChatParams())
        return len(engine_input["prompt_token_ids"])

    def cpu_seconds(self) -> float:
        return time.process_time()

    async def stop(self) -> None:
        self._renderer.shutdown()


class OurPath(PreparationPath):
    """Ours, with a number of worker processes."""

    def __init__(self, workers: int) -> None:
        self.name = f"ours, {workers} worker{'s' if workers > 1 else ''}"
        self._media = MediaApplication(MediaConfig(workers=workers))

    async def start(self, model: str, flags: tuple[str, ...]) -> None:
        self._renderer = _renderer(model, flags)
        config = self._renderer.model_config
        description = _describe(self._renderer, model)
        llm: Any = SimpleNamespace(renderer=self._renderer, model_config=config)
        self._engine = VllmEngine(llm, description, adapters={})
        await self._media.open_sources()
        await self._media.start_workers(model, flags)
        self._preparer = self._media.build_preparer(description)
        self._token_ids = {
            kind: _token_ids(self._renderer.get_tokenizer(), kind)
            for kind in ("image", "audio", "video")
        }

    def encode(self, mime_type: str, data: bytes) -> Any:
        source = MediaSource(InlineData(data))
        part: MediaPart
        match mime_type.partition("/")[0]:
            case "image":
                part = ImagePart("image", source)
            case "audio":
                part = AudioPart("audio", source)
            case _:
                part = VideoPart("video", source, num_frames=_FRAMES)
        return part

    async def prepare(self, prompt: Any) -> int:
        media = await self._preparer.prepare([prompt], caller="", limits={})
        prepared = await self._engine.prepare(self._token_ids[prompt.modality], media)
        return prepared.token_count

    def cpu_seconds(self) -> float:
        children = psutil.Process().children(recursive=True)
        times = [child.cpu_times() for child in children]
        return time.process_time() + sum(one.user + one.system for one in times)

    async def stop(self) -> None:
        await self._media.stop()
        self._renderer.shutdown()


def _renderer(model: str, flags: tuple[str, ...]) -> Any:
    return renderer_from_config(parse_engine_args(model, flags).create_engine_config())


def _token_ids(tokenizer: Any, kind: str) -> list[int]:
    content = [{"type": kind}, {"type": "text", "text": _QUESTION}]
    ids: list[int] = tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    return ids


def _describe(renderer: Any, model: str) -> ModelDescription:
    config = renderer.model_config
    return ModelDescription(
        name=model,
        architecture=config.architecture,
        model_type=config.hf_config.model_type,
        directory=model,
        part_limits=dict(renderer.get_mm_processor().info.allowed_mm_limits),
        max_model_tokens=config.max_model_len,
        vocabulary_size=config.get_vocab_size(),
        default_sampling=Sampling(),
        dtype="",
        quantization="",
        kv_cache_tokens=0,
        audio_sample_rate_hz=_AUDIO_RATE_HZ,
        memory=ModelMemory(0, 0, 0, 0, 1, 1),
    )
