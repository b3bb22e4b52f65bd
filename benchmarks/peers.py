"""The servers that are compared: how each is started, and how each is asked.

All three get the same checkpoint, the same engine flags and the same pictures. What each does
for the caller differs: Triptych and the OpenAI server take a conversation and give text; vLLM's
gRPC server takes token ids with placeholders (made here, outside its process) and gives ids.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import grpc
import httpx

QUESTION = "What is this?"
MAX_TOKENS = 32
ENGINE_FLAGS = (
    *("--max-model-len", "1024", "--enforce-eager", "--dtype", "bfloat16"),
    *("--gpu-memory-utilization", "0.2", "--max-num-seqs", "64"),
)
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]


class Peer(ABC):
    """One server to measure."""

    name: str
    environment: ClassVar[dict[str, str]] = {}

    def __init__(
        self, model: Path, port: int, engine_flags: tuple[str, ...] = ENGINE_FLAGS
    ) -> None:
        self.model = model
        self.port = port
        self.engine_flags = engine_flags

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that starts the server."""

    @abstractmethod
    async def connect(self) -> None:
        """Open the client; called when the server's port answers."""

    @abstractmethod
    async def ask(self, picture: bytes) -> float:
        """Send one request, read its whole stream; return seconds to the first token."""

    @abstractmethod
    async def close(self) -> None:
        """Close the client."""

    def full_environment(self) -> dict[str, str]:
        """Return the environment for the server's process."""
        defaults = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
        return {**os.environ, **defaults, "HF_HUB_OFFLINE": "1", **self.environment}


class Triptych(Peer):
    """Ours."""

    name = "Triptych"

    def command(self) -> list[str]:
        serve = [sys.executable, "-m", "service", "serve", str(self.model)]
        return [*serve, "--listen", f"127.0.0.1:{self.port}", *self.engine_flags]

    async def connect(self) -> None:
        from triptych.v1 import generation_service_pb2_grpc

        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}")
        self._stub = generation_service_pb2_grpc.GenerationServiceStub(self._channel)

    async def ask(self, picture: bytes) -> float:
        from triptych.v1 import conversation_pb2 as conversation
        from triptych.v1 import generation_service_pb2 as generation
        from triptych.v1 import media_pb2, sampling_pb2

        image = media_pb2.ImagePart(source=media_pb2.MediaSource(data=picture))
        parts = [conversation.Part(image=image), conversation.Part(text=QUESTION)]
        message = conversation.Message(role=conversation.ROLE_USER, parts=parts)
        request = generation.GenerateRequest(
            conversation=conversation.Conversation(messages=[message]),
            sampling=sampling_pb2.SamplingParams(
                temperature=0.0, max_tokens=MAX_TOKENS, ignore_eos=True
            ),
        )
        return await _first_token_s(
            self._stub.Generate(request), lambda event: event.HasField("text_delta")
        )

    async def close(self) -> None:
        await self._channel.close(None)


class OpenAiServer(Peer):
    """vLLM's own OpenAI-compatible HTTP server."""

    name = "vLLM OpenAI server"

    def command(self) -> list[str]:
        module = "vllm.entrypoints.openai.api_server"
        place = ["--model", str(self.model), "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", module, *place, *self.engine_flags]

    async def connect(self) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=300,
            limits=httpx.Limits(max_connections=100),
        )

    async def ask(self, picture: bytes) -> float:
        url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
        content = [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": QUESTION},
        ]
        body = {
            "model": str(self.model),
            "messages": [{"role": "user", "content": content}],
            "max_tokens": MAX_TOKENS,
            "temperature": 0,
            "ignore_eos": True,
            "stream": True,
        }
        started = time.monotonic()
        first: float | None = None
        async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if first is None and line.startswith("data: {") and _has_content(line):
                    first = time.monotonic() - started
        return first if first is not None else time.monotonic() - started

    async def close(self) -> None:
        await self._client.aclose()


class GrpcServer(Peer):
    """vLLM's gRPC server (smg-grpc-servicer): token ids in and out, media as a data URI."""

    name = "vLLM gRPC server"
    environment: ClassVar[dict[str, str]] = {"SMG_VLLM_MM_PROCESSOR": "inprocess"}

    def command(self) -> list[str]:
        module = "vllm.entrypoints.launchers.grpc_server"
        place = ["--model", str(self.model), "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", module, *place, *self.engine_flags]

    async def connect(self) -> None:
        from smg_grpc_proto.generated import vllm_engine_pb2_grpc
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.model)
        content = [{"type": "image"}, {"type": "text", "text": QUESTION}]
        self._prompt_ids = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            return_dict=True,
        )["input_ids"]
        self._channel = grpc.aio.insecure_channel(
            f"127.0.0.1:{self.port}", options=_CHANNEL_OPTIONS
        )
        self._stub = vllm_engine_pb2_grpc.VllmEngineStub(self._channel)
        self._count = 0

    async def ask(self, picture: bytes) -> float:
        from smg_grpc_proto.generated import common_pb2
        from smg_grpc_proto.generated import vllm_engine_pb2 as pb

        self._count += 1
        url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
        request = pb.GenerateRequest(
            request_id=f"bench-{self._count}",
            tokenized=pb.TokenizedInput(input_ids=self._prompt_ids),
            sampling_params=pb.SamplingParams(
                temperature=0.0,
                top_p=1.0,
                max_tokens=MAX_TOKENS,
                ignore_eos=True,
                n=1,
                repetition_penalty=1.0,
            ),
            stream=True,
            media_refs=pb.MediaRefs(items=[pb.MediaRef(modality=common_pb2.IMAGE, url=url)]),
        )
        return await _first_token_s(
            self._stub.Generate(request), lambda event: event.HasField("chunk")
        )

    async def close(self) -> None:
        await self._channel.close(None)


async def _first_token_s(stream: Any, is_token: Any) -> float:
    """Read a whole gRPC stream; return seconds until the first event that is a token."""
    started = time.monotonic()
    first: float | None = None
    async for event in stream:
        if first is None and is_token(event):
            first = time.monotonic() - started
    return first if first is not None else time.monotonic() - started


def _has_content(line: str) -> bool:
    choices = json.loads(line.removeprefix("data: ")).get("choices") or [{}]
    return bool(choices[0].get("delta", {}).get("content"))


PEERS: tuple[type[Peer], ...] = (Triptych, OpenAiServer, GrpcServer)
