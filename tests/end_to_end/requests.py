"""Requests in one line, and answers put together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2, sampling_pb2

MEDIA = Path(__file__).resolve().parents[2] / "demo" / "media"


def image(data: bytes) -> conversation_pb2.Part:
    return conversation_pb2.Part(image=media_pb2.ImagePart(source=media_pb2.MediaSource(data=data)))


def audio(data: bytes) -> conversation_pb2.Part:
    return conversation_pb2.Part(audio=media_pb2.AudioPart(source=media_pb2.MediaSource(data=data)))


def video(data: bytes) -> conversation_pb2.Part:
    return conversation_pb2.Part(video=media_pb2.VideoPart(source=media_pb2.MediaSource(data=data)))


def text(words: str) -> conversation_pb2.Part:
    return conversation_pb2.Part(text=words)


def ask(
    *parts: conversation_pb2.Part,
    model: str = "",
    limits: dict[str, float] | None = None,
    **sampling: object,
) -> generation_service_pb2.GenerateRequest:
    """One user message; greedy unless told otherwise. `limits` are `MediaLimits` by name."""
    message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)
    return generation_service_pb2.GenerateRequest(
        model=model,
        conversation=conversation_pb2.Conversation(messages=[message]),
        sampling=sampling_pb2.SamplingParams(**{"temperature": 0.0, "max_tokens": 64, **sampling}),
        media_options=media_pb2.MediaOptions(limits=media_pb2.MediaLimits(**(limits or {}))),
    )


def kinds(events: Iterable[generation_service_pb2.GenerateResponse]) -> list[str]:
    """Name each event."""
    return [event.WhichOneof("event") for event in events]


def joined_text(events: Iterable[generation_service_pb2.GenerateResponse]) -> str:
    """Join the deltas of the first output."""
    return "".join(event.text_delta.text for event in events if not event.text_delta.output_index)


def answer(generation: Any, request: generation_service_pb2.GenerateRequest) -> Any:
    """Return the whole answer to a request."""
    return generation.GenerateUnary(generation_service_pb2.GenerateUnaryRequest(request=request))


def start_answer(generation: Any, request: generation_service_pb2.GenerateRequest) -> Any:
    """Send a request without waiting; return the call, which is a future."""
    return generation.GenerateUnary.future(
        generation_service_pb2.GenerateUnaryRequest(request=request)
    )


def started(
    generation: Any, request: generation_service_pb2.GenerateRequest
) -> generation_service_pb2.Started:
    """Return the first event, and give up the rest."""
    call = generation.Generate(request)
    first = next(iter(call)).started
    call.cancel()
    return first


class Refusal:
    """A failed call with the details of its status."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code: grpc.StatusCode = error.code()
        self.message: str = error.details()
        status = rpc_status.from_call(error)
        self._details = [] if status is None else status.details

    @classmethod
    def of(cls, generation: Any, request: generation_service_pb2.GenerateRequest) -> Refusal:
        """Send a request that must fail."""
        with pytest.raises(grpc.RpcError) as failure:
            answer(generation, request)
        return cls(failure.value)

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        """The reason, and what belongs to it."""
        return self._detail(error_details_pb2.ErrorInfo())

    @property
    def fields(self) -> list[str]:
        """The paths of the wrong fields."""
        return [
            violation.field
            for violation in self._detail(error_details_pb2.BadRequest()).field_violations
        ]

    @property
    def retry_after_s(self) -> float:
        """When to try again; 0: never."""
        return self._detail(error_details_pb2.RetryInfo()).retry_delay.ToTimedelta().total_seconds()

    def _detail(self, detail: Any) -> Any:
        """Unpack the detail of that type, or return it empty."""
        for packed in self._details:
            if packed.Is(detail.DESCRIPTOR):
                packed.Unpack(detail)
        return detail
