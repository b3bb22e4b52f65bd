"""A model's own Hugging Face processor, run in a worker process on one medium at a time."""

from __future__ import annotations

from typing import Any, Self

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMValidationError
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.multimodal.cache.base import MultiModalCache
from vllm.multimodal.parse import parse_mm_uuids
from vllm.multimodal.processing import BaseMultiModalProcessor, ProcessorInputs
from vllm.multimodal.processing.context import TimingContext
from vllm.utils.torch_utils import set_default_torch_num_threads

from service.domain.media import DecodedMedia
from service.engine.multimodal import to_multi_modal_data, to_multi_modal_uuids
from service.engine.prepared_items import ItemCatcher, PreparedItem
from service.errors import InvalidRequestError, StartupError


class Preprocessor:
    """Turns decoded media into what the engine takes. Needs neither weights nor a GPU."""

    def __init__(self, processor: BaseMultiModalProcessor[Any]) -> None:
        self._processor = processor

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
        return cls(processor)

    def preprocess(self, media: DecodedMedia) -> tuple[PreparedItem, int]:
        """Return the item and its size in bytes; raises InvalidRequestError."""
        catcher = ItemCatcher()
        inputs = ProcessorInputs(
            prompt=[],
            mm_data_items=self._processor.info.parse_mm_data(to_multi_modal_data([media])),
            mm_uuid_items=parse_mm_uuids(to_multi_modal_uuids([media])),
            cache=catcher,
        )
        try:
            # The half of `apply` that works on media alone; the prompt's half is the server's.
            self._processor._cached_apply_hf_processor(  # noqa: SLF001
                inputs, TimingContext(enabled=False)
            )
        except (VLLMValidationError, ValueError) as exc:
            raise InvalidRequestError(
                media.field, f"the model's processor does not take it: {exc}"
            ) from exc
        if catcher.caught is None:
            raise StartupError("the model's processor does not use vLLM's cache of processed media")
        return catcher.caught, MultiModalCache.get_item_size(catcher.caught.kwargs)
