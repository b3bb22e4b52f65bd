"""Token ids and prepared media to vLLM's engine input, by vLLM's own renderer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from vllm.multimodal.inputs import MultiModalKwargsItems
from vllm.multimodal.utils import argsort_mm_positions
from vllm.renderers import BaseRenderer

from service.domain.media import PreparedMedia, PreparedPrompt
from service.engine.multimodal import to_items, to_multi_modal_uuids, to_placeholder_spans
from service.engine.prepared_items import ItemLender
from service.engine.written_places import write_places
from service.errors import InvalidRequestError


class PromptBuilder:
    """Builds prompts with `renderer`, whose cache of processed media it takes over."""

    def __init__(self, renderer: BaseRenderer) -> None:
        self._renderer = renderer
        # The renderer asks this one from now on, and this one asks the renderer's.
        self._lender = ItemLender(renderer.mm_processor_cache)
        renderer._mm_processor_cache = self._lender  # noqa: SLF001 - it takes none otherwise
        # Whether a prompt is too long is the engine's to say, of prompts that are to be answered.
        self._params = dataclasses.replace(renderer.default_cmpl_tok_params, max_total_tokens=None)
        # A decoder without anything from its encoder answers with nonsense, and so it does to the
        # prompts after that one: seen with Whisper and vLLM 0.32 on a CPU.
        self._needs_media = bool(renderer.model_config.is_encoder_decoder)

    async def build(
        self, token_ids: Sequence[int], media: Sequence[PreparedMedia]
    ) -> PreparedPrompt:
        """Put media into their places; raises what vLLM raises when they do not fit."""
        if self._needs_media and not media:
            raise InvalidRequestError("prompt", "the model answers a medium, and there is none")
        prompt: Any = {"prompt_token_ids": write_places(token_ids, media)}
        if media:
            names = to_multi_modal_uuids(media)
            prompt["multi_modal_uuids"] = names
            # None: the renderer finds them by their names, in the lender.
            prompt["multi_modal_data"] = {kind: [None] * len(names[kind]) for kind in names}
        items = to_items(media)
        with self._lender.lend(items):
            (engine_input,) = await self._renderer.render_cmpl_async([prompt], self._params)
        spans = to_placeholder_spans(media, engine_input.get("mm_placeholders", {}))
        encoder_ids: list[int] = engine_input.get("encoder_prompt_token_ids", [])
        rendered_ids = encoder_ids + engine_input["prompt_token_ids"]
        return PreparedPrompt(
            len(rendered_ids), spans, engine_input, items, rendered_ids, len(encoder_ids)
        )

    def to_send(self, prompt: PreparedPrompt) -> Any:
        """Return the engine's input, without the items that the engine process has already.

        Call it when the prompt is sent, and send it: the engine is taken to have the rest then.
        """
        rendered = prompt.engine_input
        if not prompt.items:
            return rendered
        names = rendered["mm_hashes"]
        kwargs = {kind: [None] * len(names[kind]) for kind in names}
        places = argsort_mm_positions(rendered["mm_placeholders"])
        items = [(name, prompt.items[name]) for name in (names[kind][at] for kind, at in places)]
        for (kind, at), sent in zip(places, self._lender.to_send(items), strict=True):
            kwargs[kind][at] = sent
        return {**rendered, "mm_kwargs": MultiModalKwargsItems(kwargs)}
