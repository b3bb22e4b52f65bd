"""ModelService: what is served, and what it can take."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from service.domain.model import EmbeddingSize, Task
from service.rpc.modalities import MODALITIES
from service.rpc.samplings import from_sampling
from service.rpc.serving import LoadedModel, Serving
from triptych.v1 import media_pb2, model_service_pb2_grpc
from triptych.v1 import model_service_pb2 as pb

_TASKS = {Task.GENERATE: pb.TASK_GENERATE, Task.EMBED: pb.TASK_EMBED}


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """Describes the model that `serving` holds, and its adapters."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def ListModels(  # noqa: N802 - the contract's name
        self, request: pb.ListModelsRequest, context: Any
    ) -> pb.ListModelsResponse:
        """List the model, then its adapters."""
        loaded = self._serving.loaded()
        names = (loaded.description.name, *loaded.description.adapters)
        return pb.ListModelsResponse(models=[await _to_message(loaded, name) for name in names])

    async def GetModel(  # noqa: N802 - the contract's name
        self, request: pb.GetModelRequest, context: Any
    ) -> pb.GetModelResponse:
        """Describe the model, or an adapter."""
        loaded = self._serving.model(request.model)
        name = request.model or loaded.description.name
        return pb.GetModelResponse(model=await _to_message(loaded, name))


async def _to_message(loaded: LoadedModel, name: str) -> pb.Model:
    """Describe the model under the name that it, or an adapter, has: all else is the same."""
    model, costs = loaded.description, await loaded.prober.usual_costs()
    return pb.Model(
        name=name,
        base_model=model.name if model.adapter_of(name) else "",
        architecture=model.architecture,
        tasks=[_TASKS[task] for task in model.tasks],
        embedding=_to_embedding(model.embedding),
        input_modalities=[
            media_pb2.MODALITY_TEXT,
            *(MODALITIES[modality] for modality in model.part_limits),
        ],
        part_limits=[
            pb.PartLimit(modality=MODALITIES[modality], max_parts=limit)
            for modality, limit in model.part_limits.items()
        ],
        max_model_tokens=model.max_model_tokens,
        vocabulary_size=model.vocabulary_size,
        prompt_format=pb.PromptFormat(
            name=loaded.prompt_format.name, reason=loaded.prompt_format.reason
        ),
        default_sampling=from_sampling(model.default_sampling),
        dtype=model.dtype,
        quantization=model.quantization,
        kv_cache_tokens=model.kv_cache_tokens,
        placeholders=[
            pb.Placeholder(modality=MODALITIES[modality], text=text)
            for modality, text in loaded.placeholders.items()
        ],
        media_costs=[
            pb.MediaCost(modality=MODALITIES[modality], tokens=tokens)
            for modality, tokens in costs.items()
        ],
        memory=pb.ModelMemory(**asdict(model.memory)),
    )


def _to_embedding(size: EmbeddingSize | None) -> pb.EmbeddingSize | None:
    if size is None:
        return None
    return pb.EmbeddingSize(
        dimensions=size.dimensions,
        can_be_shortened=size.can_be_shortened,
        shortened_dimensions=size.shortened,
    )
