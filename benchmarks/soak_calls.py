"""What a soak asks: every kind of call, each drawn from a seeded generator, with its outcome."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from benchmarks.server_process import draw_blocks
from triptych.v1 import conversation_pb2 as conversation
from triptych.v1 import generation_service_pb2 as generation
from triptych.v1 import generation_service_pb2_grpc as generation_grpc
from triptych.v1 import media_pb2, media_service_pb2, media_service_pb2_grpc, sampling_pb2
from triptych.v1 import tokenizer_service_pb2 as tokenizer
from triptych.v1 import tokenizer_service_pb2_grpc as tokenizer_grpc

_MEDIA = Path(__file__).resolve().parent.parent / "demo" / "media"
_CANCELLED_SHARE = 0.3
_WORDS = ("Hello", "What is this?", "Count from one to twenty.", "Ünïcode 😀 <|im_end|>", "")
_SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}'
# What the client itself brought about, or the server says of what it was sent or of itself.
OWN_DOING = frozenset({"OK", "CANCELLED", "DEADLINE_EXCEEDED", "WROTE TOO LATE"})
# What grpc.aio says, in the client, to who writes to a call that the server has ended.
_WROTE_TOO_LATE = "Internal error from Core"


def _read(name: str) -> bytes:
    return (_MEDIA / name).read_bytes()


def _part(kind: str, data: bytes) -> conversation.Part:
    source = media_pb2.MediaSource(data=data)
    makers = {
        "image": lambda: conversation.Part(image=media_pb2.ImagePart(source=source)),
        "audio": lambda: conversation.Part(audio=media_pb2.AudioPart(source=source)),
        "video": lambda: conversation.Part(video=media_pb2.VideoPart(source=source)),
    }
    return makers[kind]()


class SoakCaller:
    """One client that asks for one thing after the other."""

    def __init__(self, channel: grpc.aio.Channel, chance: random.Random) -> None:
        self._chance = chance
        self._generation = generation_grpc.GenerationServiceStub(channel)
        self._tokenizer = tokenizer_grpc.TokenizerServiceStub(channel)
        self._media = media_service_pb2_grpc.MediaServiceStub(channel)
        self._files = {
            "image": [
                path.read_bytes()
                for path in (_MEDIA / "picture.jpg", _MEDIA / "second_picture.png")
            ],
            "audio": [(_MEDIA / "sound.wav").read_bytes()],
            "video": [(_MEDIA / "clip.mp4").read_bytes()],
        }
        self._kinds: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "generate": (10, self._generate),
            "unary": (3, self._unary),
            "slow reader": (2, self._read_slowly),
            "deadline": (3, self._with_deadline),
            "bad request": (3, self._ask_wrongly),
            "session": (2, self._converse),
            "count tokens": (1, self._count),
            "upload": (1, self._upload),
        }

    async def ask(self) -> tuple[str, str]:
        """Do one thing; return its kind and how it ended: a status, and a reason if it has one."""
        names = list(self._kinds)
        weights = [weight for weight, _ in self._kinds.values()]
        name = self._chance.choices(names, weights)[0]
        call = asyncio.ensure_future(self._kinds[name][1]())
        if self._chance.random() < _CANCELLED_SHARE:
            await asyncio.wait((call,), timeout=self._chance.expovariate(3))
            call.cancel()
        try:
            await call
        except asyncio.CancelledError:
            return name, "CANCELLED"
        except grpc.aio.AioRpcError as error:
            return name, _outcome(error)
        return name, "OK"

    async def _generate(self) -> None:
        async for _ in self._generation.Generate(self._request()):
            pass

    async def _unary(self) -> None:
        request = generation.GenerateUnaryRequest(request=self._request())
        await self._generation.GenerateUnary(request)

    async def _read_slowly(self) -> None:
        async for _ in self._generation.Generate(self._request(max_tokens=200)):
            await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def _with_deadline(self) -> None:
        request = self._request(max_tokens=600, ignore_eos=True)
        async for _ in self._generation.Generate(request, timeout=self._chance.uniform(0.01, 1.5)):
            pass

    async def _ask_wrongly(self) -> None:
        request = self._chance.choice(
            (
                generation.GenerateRequest(),
                generation.GenerateRequest(text="x", model="nobody"),
                generation.GenerateRequest(text="x " * 20_000),
                generation.GenerateRequest(text="x", media=[_part("image", b"no picture")]),
                generation.GenerateRequest(
                    text="x", media=[_part("video", self._files["video"][0][:1000])]
                ),
                generation.GenerateRequest(text="x", sampling=sampling_pb2.SamplingParams(top_p=9)),
                generation.GenerateRequest(
                    text="x", structured_output=generation.StructuredOutput(regex="((a*)*)*b")
                ),
                generation.GenerateRequest(
                    text="x", structured_output=generation.StructuredOutput(json_schema="{")
                ),
            )
        )
        async for _ in self._generation.Generate(request):
            pass

    async def _converse(self) -> None:
        async for _ in self._generation.Converse(self._session()):
            pass

    async def _session(self) -> AsyncIterator[generation.ConverseRequest]:
        opening = generation.GenerateRequest(sampling=self._sampling(max_tokens=24, n=1))
        yield generation.ConverseRequest(config=opening)
        sound = self._files["audio"][0]
        for _ in range(self._chance.randint(1, 3)):
            if self._chance.random() < 0.5:
                yield generation.ConverseRequest(begin_part=_part("audio", sound[:1000]))
                for start in range(1000, len(sound), 8000):
                    yield generation.ConverseRequest(chunk=sound[start : start + 8000])
                yield generation.ConverseRequest(end_part=generation.EndPart())
            yield generation.ConverseRequest(part=conversation.Part(text=self._words()))
            yield generation.ConverseRequest(commit=generation.Commit())
            await asyncio.sleep(self._chance.uniform(0, 0.5))
            if self._chance.random() < 0.3:
                yield generation.ConverseRequest(cancel=generation.Cancel())
            # The next turn may not begin while this one is answered.
            await asyncio.sleep(self._chance.uniform(0.5, 1.5))

    async def _count(self) -> None:
        await self._tokenizer.CountTokens(tokenizer.CountTokensRequest(request=self._request()))

    async def _upload(self) -> None:
        data = draw_blocks(self._chance.randrange(50))
        digest = hashlib.sha256(data).digest()
        messages = [
            media_service_pb2.UploadMediaRequest(
                header=media_service_pb2.UploadHeader(
                    mime_type="image/jpeg",
                    size_bytes=len(data),
                    sha256=digest,
                )
            ),
            media_service_pb2.UploadMediaRequest(chunk=data),
        ]
        stored = await self._media.UploadMedia(iter(messages))
        source = media_pb2.MediaSource(media_id=stored.media_id)
        part = conversation.Part(image=media_pb2.ImagePart(source=source))
        async for _ in self._generation.Generate(self._request_of([part])):
            pass

    def _request(self, **sampling: Any) -> generation.GenerateRequest:
        kinds = self._chance.choices(
            (*self._files, "new image"), k=self._chance.choice((0, 0, 1, 2))
        )
        return self._request_of([self._medium(kind) for kind in {*kinds}], **sampling)

    def _request_of(
        self, parts: list[conversation.Part], **sampling: Any
    ) -> generation.GenerateRequest:
        parts = [*parts, conversation.Part(text=self._words())]
        message = conversation.Message(role=conversation.ROLE_USER, parts=parts)
        request = generation.GenerateRequest(
            conversation=conversation.Conversation(messages=[message]),
            sampling=self._sampling(**sampling),
        )
        if self._chance.random() < 0.2:
            request.output_options.logprobs = 3
        if self._chance.random() < 0.1:
            request.structured_output.json_schema = _SCHEMA
        return request

    def _medium(self, kind: str) -> conversation.Part:
        if kind == "new image":
            return _part("image", draw_blocks(self._chance.randrange(1 << 30)))
        return _part(kind, self._chance.choice(self._files[kind]))

    def _sampling(self, **given: Any) -> sampling_pb2.SamplingParams:
        chance = self._chance
        values: dict[str, Any] = {"max_tokens": chance.choice((1, 16, 64)), "temperature": 0.8}
        if chance.random() < 0.3:
            values["stop"] = chance.sample(("a", "the", "red", "e ", "xyz"), k=2)
        if chance.random() < 0.2:
            values["n"] = chance.randint(2, 4)
        if chance.random() < 0.2:
            values["seed"] = chance.randrange(100)
        return sampling_pb2.SamplingParams(**{**values, **given})

    def _words(self) -> str:
        return self._chance.choice(_WORDS) + str(self._chance.randrange(100))


def _outcome(error: grpc.aio.AioRpcError) -> str:
    """Return the status; with the reason of our ErrorInfo where there is one."""
    if error.details() == _WROTE_TOO_LATE:
        return "WROTE TOO LATE"
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return f"{error.code().name} {info.reason}"
    return str(error.code().name)
