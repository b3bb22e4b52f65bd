"""A model's own Hugging Face processor, run in a worker process on one medium at a time."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMValidationError
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.multimodal.cache.base import MultiModalCache
from vllm.multimodal.parse import parse_mm_uuids
from vllm.multimodal.processing import BaseMultiModalProcessor, ProcessorInputs
from vllm.multimodal.processing.context import TimingContext
from vllm.utils.torch_utils import set_default_torch_num_threads

from service.domain.conversation import Modality
from service.domain.media import DecodedImage, DecodedMedia, DecodedVideo
from service.engine.hearing import Samples, find_heard_s, sample_rate_hz
from service.engine.multimodal import to_image_tensor, to_multi_modal_data
from service.engine.prepared_items import ItemCatcher, PreparedItem
from service.errors import InvalidRequestError, StartupError


class Preprocessor:
    """Turns decoded media into what the engine takes. Needs neither weights nor a GPU."""

    def __init__(self, processor: BaseMultiModalProcessor[Any], model_type: str) -> None:
        self._processor = processor
        self._hears_videos = model_type in _HEAR_VIDEOS
        self._takes_tensors = self._gives_the_same_for_tensors()
        # How many seconds of a sound the model hears; None: as many as it is given.
        self.heard_s = self._find_heard_s()

    @classmethod
    def load(cls, args: AsyncEngineArgs) -> Self | None:
        """Build the processor of the model that `args` name; None for a model of text only."""
        config = args.create_engine_config()
        if not config.model_config.supports_multimodal_inputs:
            return None
        with set_default_torch_num_threads(1):
            processor = MULTIMODAL_REGISTRY.create_processor(config.model_config)
            # The first medium loads and builds what all need: so each worker has it.
            limits = processor.info.allowed_mm_limits
            processor.get_dummy_mm_inputs(
                {kind: 1 for kind, limit in limits.items() if limit},
                cache=None,
                scheduler_config=config.scheduler_config,
            )
        return cls(processor, config.model_config.hf_config.model_type)

    def preprocess(self, media: DecodedMedia) -> tuple[PreparedItem, int]:
        """Return the item and its size in bytes; raises InvalidRequestError."""
        data: dict[str, Any] = to_multi_modal_data([media])
        if isinstance(media, DecodedImage) and self._takes_tensors:
            data = {Modality.IMAGE: [to_image_tensor(media)]}
        options: dict[str, object] = {}
        if isinstance(media, DecodedVideo) and media.sound is not None:
            self._check_hears_videos(media)
            data[Modality.AUDIO] = [(media.sound, media.sound_rate_hz)]
            options["use_audio_in_video"] = True
        caught = self._run(media.field, data, options)
        item = caught[media.modality]
        if Modality.AUDIO in caught and media.modality is Modality.VIDEO:
            item = dataclasses.replace(item, sound=caught[Modality.AUDIO])
        size_bytes = sum(MultiModalCache.get_item_size(one.kwargs) for one in caught.values())
        return item, size_bytes

    def _run(
        self, field: str, data: dict[str, Any], options: dict[str, object]
    ) -> dict[str, PreparedItem]:
        """Run the half of `apply` that works on media alone; the prompt's half is the server's."""
        catcher = ItemCatcher()
        try:
            inputs = ProcessorInputs(
                prompt=[],
                mm_data_items=self._processor.info.parse_mm_data(data),
                # Nothing is looked up by them; they save vLLM the hashing of pixels.
                mm_uuid_items=parse_mm_uuids({kind: [kind] for kind in data}),
                hf_processor_mm_kwargs=options,
                cache=catcher,
            )
            self._processor._cached_apply_hf_processor(  # noqa: SLF001 - half of a public method
                inputs, TimingContext(enabled=False)
            )
        except (VLLMValidationError, ValueError) as exc:
            raise InvalidRequestError(
                field, f"the model's processor does not take it: {_reason_of(exc)}"
            ) from exc
        if len(catcher.caught) != len(data):
            raise StartupError("the model's processor does not use vLLM's cache of processed media")
        return dict(zip(inputs.mm_data_items, catcher.caught, strict=True))

    def _gives_the_same_for_tensors(self) -> bool:
        """Tell whether a tensor of pixels gives what a PIL image gives, by trying it.

        It saves the processor of most models two thirds of its time, which are spent on turning
        a PIL image into a tensor.
        """
        if not self._processor.info.allowed_mm_limits.get(Modality.IMAGE):
            return False
        pixels = np.random.default_rng(0).integers(0, 256, _TRIAL_SIZE, np.uint8)
        trial = DecodedImage("trial", "", pixels)
        try:
            as_picture = self._run("trial", to_multi_modal_data([trial]), {})
            as_tensor = self._run("trial", {Modality.IMAGE: [to_image_tensor(trial)]}, {})
        except Exception:  # noqa: BLE001 - whatever a processor raises for what it does not take
            return False
        return _is_same(as_picture[Modality.IMAGE], as_tensor[Modality.IMAGE])

    def _find_heard_s(self) -> float | None:
        info = self._processor.info
        if not info.allowed_mm_limits.get(Modality.AUDIO):
            return None
        rate_hz = sample_rate_hz(info)

        def is_same(one: Samples, other: Samples) -> bool:
            pair = [
                self._run("trial", {Modality.AUDIO: [(samples, rate_hz)]}, {})[Modality.AUDIO]
                for samples in (one, other)
            ]
            return _is_same(*pair)

        return find_heard_s(info.get_hf_processor(), rate_hz, is_same)

    def _check_hears_videos(self, video: DecodedVideo) -> None:
        if not self._hears_videos:
            raise InvalidRequestError(
                f"{video.field}.use_sound",
                "the model does not take a video and its sound track as one; send the sound as an "
                "audio part of its own",
            )


def _reason_of(error: BaseException) -> str:
    """Return what the first error says: vLLM wraps it into one that shows the data."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)[:_REASON_CHARACTERS]


_REASON_CHARACTERS = 500
# Odd, neither square nor small: it is scaled and padded as any picture is.
_TRIAL_SIZE = (701, 1003, 3)


def _is_same(one: PreparedItem, other: PreparedItem) -> bool:
    return one.kwargs == other.kwargs and _replaced(one) == _replaced(other)


def _replaced(item: PreparedItem) -> list[Any]:
    """Return what an item's prompt updates write."""
    return [update.content.full for update in item.updates]


# Their prompts have a video's sound between its frames: `use_audio_in_video`.
_HEAR_VIDEOS = frozenset(
    {"qwen2_5_omni", "qwen2_5_omni_thinker", "qwen3_omni_moe", "qwen3_omni_moe_thinker"}
)
