"""What isolation.py sends to each server: requests made beforehand as bytes, streams read raw.

Nothing is encoded or parsed while time is taken, so that the callers cost next to nothing. Both
servers get the same media, the same 32 frames of each video, and one connection for each request,
as many callers have.
"""

from __future__ import annotations

import asyncio
import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import grpc
import httpx
from grpc.experimental import ChannelOptions

from triptych.v1 import conversation_pb2 as conversation
from triptych.v1 import generation_service_pb2 as generation
from triptych.v1 import media_pb2, sampling_pb2

# Enough that no media request is answered before its medium was looked at, and no more.
_MEDIA_MAX_TOKENS = 2
_FRAMES = 32  # what vLLM takes of a video when nothing is said
_METHOD = "/triptych.v1.GenerationService/Generate"
_TIMEOUT_S = 600


class Calls(ABC):
    """A client of one kind of server."""

    def __init__(self, address: str, model: str) -> None:
        self.address = address
        self.model = model

    @abstractmethod
    def encode(self, kind: str, data: bytes, question: str) -> bytes:
        """Return a request about a "photo" or "video"; the question comes first."""

    @abstractmethod
    def encode_text(self, text: str, max_tokens: int) -> bytes:
        """Return a request of text only, with an answer of exactly so many tokens."""

    @abstractmethod
    async def send_all(self, requests: Sequence[bytes]) -> None:
        """Send all at once and wait for all answers; raises when one is refused."""

    @abstractmethod
    def stream(self, request: bytes) -> Iterator[bytes]:
        """Send a request and give each piece of the answer the moment it comes."""

    @abstractmethod
    def token_count(self, piece: bytes) -> int:
        """Return how many tokens a piece of an answer carries."""


class TriptychCalls(Calls):
    """Ours, over gRPC."""

    def encode(self, kind: str, data: bytes, question: str) -> bytes:
        source = media_pb2.MediaSource(data=data)
        medium = (
            conversation.Part(image=media_pb2.ImagePart(source=source))
            if kind == "photo"
            else conversation.Part(video=media_pb2.VideoPart(source=source, num_frames=_FRAMES))
        )
        return self._encode([conversation.Part(text=question), medium], _MEDIA_MAX_TOKENS)

    def encode_text(self, text: str, max_tokens: int) -> bytes:
        return self._encode([conversation.Part(text=text)], max_tokens)

    async def send_all(self, requests: Sequence[bytes]) -> None:
        await asyncio.gather(*(self._send(request) for request in requests))

    def stream(self, request: bytes) -> Iterator[bytes]:
        options = [(ChannelOptions.SingleThreadedUnaryStream, 1)]
        with grpc.insecure_channel(self.address, options=options) as channel:
            yield from channel.unary_stream(_METHOD, None, None)(request, timeout=_TIMEOUT_S)

    def token_count(self, piece: bytes) -> int:
        return len(generation.GenerateResponse.FromString(piece).text_delta.token_ids)

    async def _send(self, request: bytes) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self.address, options=options) as channel:
            async for _ in channel.unary_stream(_METHOD, None, None)(request, timeout=_TIMEOUT_S):
                pass

    @staticmethod
    def _encode(parts: list[Any], max_tokens: int) -> bytes:
        message = conversation.Message(role=conversation.ROLE_USER, parts=parts)
        return generation.GenerateRequest(
            conversation=conversation.Conversation(messages=[message]),
            sampling=sampling_pb2.SamplingParams(
                temperature=0.0, max_tokens=max_tokens, ignore_eos=True
            ),
            output_options=generation.OutputOptions(include_token_ids=True),
        ).SerializeToString()


class OpenAiCalls(Calls):
    """vLLM's OpenAI server, over HTTP; media as data URLs."""

    _HEADERS: ClassVar = {"content-type": "application/json"}

    def encode(self, kind: str, data: bytes, question: str) -> bytes:
        key, mime_type = (
            ("image_url", "image/jpeg") if kind == "photo" else ("video_url", "video/mp4")
        )
        url = f"data:{mime_type};base64,{base64.b64encode(data).decode()}"
        content = [{"type": "text", "text": question}, {"type": key, key: {"url": url}}]
        return self._encode(content, _MEDIA_MAX_TOKENS)

    def encode_text(self, text: str, max_tokens: int) -> bytes:
        return self._encode([{"type": "text", "text": text}], max_tokens)

    async def send_all(self, requests: Sequence[bytes]) -> None:
        limits = httpx.Limits(max_connections=len(requests))
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, limits=limits) as client:
            await asyncio.gather(*(self._send(client, request) for request in requests))

    def stream(self, request: bytes) -> Iterator[bytes]:
        with (
            httpx.Client(timeout=_TIMEOUT_S) as client,
            client.stream("POST", self._url, content=request, headers=self._HEADERS) as response,
        ):
            response.raise_for_status()
            yield from response.iter_raw()

    def token_count(self, piece: bytes) -> int:
        events = [line.removeprefix(b"data: ") for line in piece.split(b"\n")]
        choices = [
            choice
            for event in events
            if event.startswith(b"{")
            for choice in json.loads(event).get("choices", ())
        ]
        return sum(len(choice.get("token_ids") or ()) for choice in choices)

    @property
    def _url(self) -> str:
        return f"http://{self.address}/v1/chat/completions"

    async def _send(self, client: httpx.AsyncClient, request: bytes) -> None:
        response = await client.post(self._url, content=request, headers=self._HEADERS)
        if response.is_error:
            raise RuntimeError(f"the OpenAI server answered {response.text[:500]}")

    def _encode(self, content: list[dict[str, Any]], max_tokens: int) -> bytes:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": max_tokens,
            "temperature": 0,
            "ignore_eos": True,
            "stream": True,
            "return_token_ids": True,
        }
        return json.dumps(body).encode()
