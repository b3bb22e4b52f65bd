"""What the service makes of a conversation, with the real parts on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vllm.renderers import renderer_from_config

from service.domain.conversation import Modality
from service.domain.media import PreparedMedia
from service.domain.prompt import ByteSpan, RenderedPrompt
from service.engine.preprocessor import Preprocessor
from service.engine.prompt_builder import PromptBuilder
from service.place_encoder import PlaceEncoder
from service.prompt.renderer import choose_renderer
from tests.conformance.formats.conversations import Case
from tests.conformance.formats.media import media
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc


class _SidecarTokenizer:
    """What of the Tokenizer port is needed, asked in one call after another."""

    def __init__(self, sidecar: pb_grpc.TokenizerServiceStub) -> None:
        self._sidecar = sidecar

    async def encode(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> list[int]:
        request = pb.EncodeRequest(
            text=text.encode(),
            literal_spans=[pb.ByteSpan(begin=span.start, end=span.end) for span in literal_spans],
            add_special_tokens=add_special_tokens,
        )
        return list(self._sidecar.Encode(request).token_ids)


class OurPrompts:
    """The chosen renderer, a running sidecar, a media worker's preprocessor, a prompt builder."""

    def __init__(
        self,
        directory: Path,
        engine_args: Any,
        vllm_config: Any,
        sidecar: pb_grpc.TokenizerServiceStub,
    ) -> None:
        model = vllm_config.model_config
        self.renderer = choose_renderer(
            directory, model_type=model.hf_config.model_type, architecture=model.architecture
        )
        self._encoder = PlaceEncoder(_SidecarTokenizer(sidecar), self.renderer.places)
        self._preprocessor = Preprocessor.load(engine_args)
        self._builder = PromptBuilder(renderer_from_config(vllm_config))

    def token_ids(self, case: Case) -> list[int]:
        """Return the prompt's ids, media in their places."""
        ids = self.ids_of(self.render(case), case.modalities)
        prepared = [self._prepare(part.field) for part in case.conversation().media_parts()]
        prompt = asyncio.run(self._builder.build(ids, prepared))
        return list(self._builder.to_send(prompt)["prompt_token_ids"])

    def render(self, case: Case) -> RenderedPrompt:
        """Return the prompt's text, and what of it a user wrote."""
        return self.renderer.render(case.conversation(), case.options)

    def ids_of(self, rendered: RenderedPrompt, kinds: Sequence[Modality] = ()) -> list[int]:
        """Return the ids of a prompt's text, media of these kinds not yet in their places."""
        return asyncio.run(self._encoder.encode(rendered, kinds))

    def _prepare(self, name: str) -> PreparedMedia:
        one = media(name)
        assert self._preprocessor is not None
        item, _ = self._preprocessor.preprocess(one)
        return PreparedMedia(one.field, one.modality, one.sha256, item)
