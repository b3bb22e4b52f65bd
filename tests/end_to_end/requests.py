"""Requests in one line, and answers put together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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
    *parts: conversation_pb2.Part, model: str = "", **sampling: object
) -> generation_service_pb2.GenerateRequest:
    """One user message; greedy unless told otherwise."""
    message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)
    return generation_service_pb2.GenerateRequest(
        model=model,
        conversation=conversation_pb2.Conversation(messages=[message]),
        sampling=sampling_pb2.SamplingParams(**{"temperature": 0.0, "max_tokens": 64, **sampling}),
    )


def kinds(events: Iterable[generation_service_pb2.GenerateResponse]) -> list[str]:
    """Name each event."""
    return [event.WhichOneof("event") for event in events]


def joined_text(events: Iterable[generation_service_pb2.GenerateResponse]) -> str:
    """Join the deltas of the first output."""
    return "".join(event.text_delta.text for event in events if not event.text_delta.output_index)
