"""A real gRPC server in the test process whose answers are scripted.

Serves the generation, media, model and health services on a free port of localhost. It keeps what
it was asked, and does nothing of its own: no engine, no decoding, no checks.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from triptych.v1 import (
    embedding_service_pb2,
    embedding_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_pb2,
    media_service_pb2,
    media_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    sampling_pb2,
    tokenizer_service_pb2,
    tokenizer_service_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.protobuf.message import Message

REQUEST_ID = "request-1"


@dataclass(frozen=True)
class Failure:
    """A status with the details that real servers send."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    metadata: Mapping[str, str] | None = None
    violations: Sequence[tuple[str, str]] = ()
    retry_after_s: float | None = None

    def to_status(self) -> grpc.Status:
        """Pack the details as google.rpc has them."""
        code: int = self.code.value[0]
        status = status_pb2.Status(code=code, message=self.message)
        for detail in self._details():
            packed = any_pb2.Any()
            packed.Pack(detail)
            status.details.append(packed)
        return rpc_status.to_status(status)

    def _details(self) -> Iterator[Message]:
        if self.reason:
            yield error_details_pb2.ErrorInfo(
                reason=self.reason, domain="triptych", metadata=dict(self.metadata or {})
            )
        if self.violations:
            yield error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=field, description=problem)
                    for field, problem in self.violations
                ]
            )
        if self.retry_after_s is not None:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(int(self.retry_after_s * 1000))
            yield error_details_pb2.RetryInfo(retry_delay=delay)


class Hang:
    """The server says nothing more until the call ends from the client's side."""


Step = generation_service_pb2.GenerateResponse | Failure | Hang


def started(prompt_tokens: int = 12) -> generation_service_pb2.GenerateResponse:
    """Return the first event of an answer to a prompt with one image."""
    part = generation_service_pb2.PartUsage(
        field="conversation.messages[0].parts[0].image", tokens=9
    )
    return generation_service_pb2.GenerateResponse(
        started=generation_service_pb2.Started(
            request_id=REQUEST_ID, model="demo", prompt_tokens=prompt_tokens, parts=[part]
        )
    )


def delta(
    text: str, index: int = 0, ids: Sequence[int] = ()
) -> generation_service_pb2.GenerateResponse:
    """Return a piece of an output."""
    return generation_service_pb2.GenerateResponse(
        text_delta=generation_service_pb2.TextDelta(output_index=index, text=text, token_ids=ids)
    )


def finished(
    index: int = 0,
    reason: generation_service_pb2.FinishReason.ValueType = (
        generation_service_pb2.FINISH_REASON_STOP
    ),
    stop_token_id: int | None = None,
) -> generation_service_pb2.GenerateResponse:
    """Return the end of an output."""
    return generation_service_pb2.GenerateResponse(
        output_finished=generation_service_pb2.OutputFinished(
            output_index=index, reason=reason, stop_token_id=stop_token_id
        )
    )


def completed() -> generation_service_pb2.GenerateResponse:
    """Return the last event, with timings for some stages only."""
    return generation_service_pb2.GenerateResponse(
        completed=generation_service_pb2.Completed(
            usage=generation_service_pb2.Usage(
                prompt_tokens=12,
                prompt_text_tokens=3,
                prompt_image_tokens=9,
                completion_tokens=2,
            ),
            timings=generation_service_pb2.Timings(
                decode=duration_pb2.Duration(nanos=250_000_000),
                generate=duration_pb2.Duration(seconds=1),
                cached_media_parts=1,
            ),
        )
    )


def answer(*texts: str) -> list[Step]:
    """Return the whole stream of an answer with those pieces."""
    return [started(), *(delta(text) for text in texts), finished(), completed()]


DEMO_MODEL = model_service_pb2.Model(
    name="demo",
    architecture="Qwen2_5OmniModel",
    input_modalities=[media_pb2.MODALITY_TEXT, media_pb2.MODALITY_IMAGE],
    part_limits=[model_service_pb2.PartLimit(modality=media_pb2.MODALITY_IMAGE, max_parts=4)],
    max_model_tokens=2048,
    vocabulary_size=512,
    prompt_format=model_service_pb2.PromptFormat(name="chatml", reason="the checkpoint has it"),
    default_sampling=sampling_pb2.SamplingParams(temperature=0.0, stop_token_ids=[7]),
    dtype="float32",
)


DESCRIPTION = media_service_pb2.ProbeMediaResponse(
    modality=media_pb2.MODALITY_VIDEO,
    mime_type="video/mp4",
    size_bytes=7,
    width=640,
    height=480,
    duration_s=2.5,
    frames=75,
    sampled_frames=4,
    channels=2,
    sample_rate_hz=44_100,
    tokens=9,
)


RENDERED = tokenizer_service_pb2.RenderPromptResponse(
    text="<image>?",
    token_ids=[5, 5, 6],
    placeholders=[
        tokenizer_service_pb2.PlaceholderSpan(
            field="media[0].image",
            length=2,
            text_span=tokenizer_service_pb2.TextSpan(end_byte=7),
        ),
        tokenizer_service_pb2.PlaceholderSpan(field="media[1].audio", offset=2),
    ],
    literal_spans=[tokenizer_service_pb2.TextSpan(start_byte=7, end_byte=8)],
    limits=[
        tokenizer_service_pb2.PromptLimit(name="max_model_tokens", limit=2, actual=3),
        tokenizer_service_pb2.PromptLimit(name="image_parts", limit=1, actual=1),
    ],
    prompt_format="llava",
)


class FakeServer:
    """Runs while its `with` block does. Change `script` before a call."""

    def __init__(self) -> None:
        """Answer with one word until told otherwise."""
        self.script: Sequence[Step] = answer("red")
        self.health: Sequence[health_pb2.HealthCheckResponse.ServingStatus.ValueType] = (
            health_pb2.HealthCheckResponse.SERVING,
        )
        self.requests: list[generation_service_pb2.GenerateRequest] = []
        #: What was uploaded, by its media_id; and each upload's messages.
        self.stored: dict[str, bytes] = {}
        self.uploads: list[list[media_service_pb2.UploadMediaRequest]] = []
        self.probes: list[media_service_pb2.ProbeMediaRequest] = []
        self.embeds: list[embedding_service_pb2.EmbedRequest] = []
        #: Set when a client ended a call that hangs.
        self.was_left = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4))
        generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(
            _Generation(self), self._server
        )
        media_service_pb2_grpc.add_MediaServiceServicer_to_server(_Media(self), self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(self), self._server)
        tokenizer_service_pb2_grpc.add_TokenizerServiceServicer_to_server(
            _Tokenizer(self), self._server
        )
        embedding_service_pb2_grpc.add_EmbeddingServiceServicer_to_server(
            _Embedding(self), self._server
        )
        health_pb2_grpc.add_HealthServicer_to_server(_Health(self), self._server)
        self.target = f"localhost:{self._server.add_insecure_port('localhost:0')}"

    def __enter__(self) -> Self:
        """Listen."""
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and with it all calls."""
        self._server.stop(None).wait()

    @property
    def request(self) -> generation_service_pb2.GenerateRequest:
        """The only request that was made."""
        (request,) = self.requests
        return request

    def play(
        self, context: grpc.ServicerContext
    ) -> Iterator[generation_service_pb2.GenerateResponse]:
        """Follow the script."""
        if any(isinstance(step, Hang) for step in self.script):
            # Not when the step is reached: gRPC drops a generator whose call ended before.
            context.add_callback(self.was_left.set)
        for step in self.script:
            if isinstance(step, Failure):
                context.abort_with_status(step.to_status())
            elif isinstance(step, Hang):
                _wait_for_end(context)
            else:
                yield step


def _wait_for_end(context: grpc.ServicerContext) -> None:
    ended = threading.Event()
    if context.add_callback(ended.set):
        ended.wait()


class _Generation(generation_service_pb2_grpc.GenerationServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def Generate(  # noqa: N802  # gRPC's name
        self, request: generation_service_pb2.GenerateRequest, context: grpc.ServicerContext
    ) -> Iterator[generation_service_pb2.GenerateResponse]:
        self._server.requests.append(request)
        yield from self._server.play(context)

    def GenerateUnary(  # noqa: N802  # gRPC's name
        self, request: generation_service_pb2.GenerateUnaryRequest, context: grpc.ServicerContext
    ) -> generation_service_pb2.GenerateUnaryResponse:
        self._server.requests.append(request.request)
        response = generation_service_pb2.GenerateUnaryResponse()
        output = generation_service_pb2.Output()
        for event in self._server.play(context):
            output.text += event.text_delta.text
            output.token_ids.extend(event.text_delta.token_ids)
            output.finished.MergeFrom(event.output_finished)
            response.started.MergeFrom(event.started)
            response.completed.MergeFrom(event.completed)
        response.outputs.append(output)
        return response

    def Converse(  # noqa: N802  # gRPC's name
        self,
        request_iterator: Iterator[generation_service_pb2.ConverseRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[generation_service_pb2.ConverseResponse]:
        """Follow the script for each turn."""
        commits = (message for message in request_iterator if message.HasField("commit"))
        for turn_index, _ in enumerate(commits):
            for event in self._server.play(context):
                yield generation_service_pb2.ConverseResponse(turn_index=turn_index, event=event)


class _Tokenizer(tokenizer_service_pb2_grpc.TokenizerServiceServicer):
    """Has one prompt, with an image; fails as the script does."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def CountTokens(  # noqa: N802  # gRPC's name
        self, request: tokenizer_service_pb2.CountTokensRequest, context: grpc.ServicerContext
    ) -> tokenizer_service_pb2.CountTokensResponse:
        list(self._server.play(context))
        self._server.requests.append(request.request)
        sizes = started().started
        return tokenizer_service_pb2.CountTokensResponse(
            prompt_tokens=sizes.prompt_tokens, parts=sizes.parts
        )

    def RenderPrompt(  # noqa: N802  # gRPC's name
        self, request: tokenizer_service_pb2.RenderPromptRequest, context: grpc.ServicerContext
    ) -> tokenizer_service_pb2.RenderPromptResponse:
        list(self._server.play(context))
        self._server.requests.append(request.request)
        return RENDERED


class _Embedding(embedding_service_pb2_grpc.EmbeddingServiceServicer):
    """Makes a vector of each input's number; fails as the script does."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def Embed(  # noqa: N802  # gRPC's name
        self, request: embedding_service_pb2.EmbedRequest, context: grpc.ServicerContext
    ) -> embedding_service_pb2.EmbedResponse:
        list(self._server.play(context))
        self._server.embeds.append(request)
        sizes = started().started
        return embedding_service_pb2.EmbedResponse(
            request_id="r2",
            model=request.model or "demo",
            embeddings=[
                embedding_service_pb2.Embedding(
                    values=[float(index), 0.5],
                    prompt_tokens=sizes.prompt_tokens,
                    parts=sizes.parts if one.media else [],
                )
                for index, one in enumerate(request.inputs)
            ],
            usage=generation_service_pb2.Usage(prompt_tokens=7, prompt_image_tokens=3),
        )


class _Media(media_service_pb2_grpc.MediaServiceServicer):
    """Names a medium by its hash; fails as the script does."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def UploadMedia(  # noqa: N802  # gRPC's name
        self,
        request_iterator: Iterator[media_service_pb2.UploadMediaRequest],
        context: grpc.ServicerContext,
    ) -> media_service_pb2.UploadMediaResponse:
        header = next(request_iterator)
        list(self._server.play(context))
        messages = [header, *request_iterator]
        media_id = header.header.sha256.hex()
        self._server.uploads.append(messages)
        self._server.stored[media_id] = b"".join(message.chunk for message in messages)
        return media_service_pb2.UploadMediaResponse(media_id=media_id)

    def FindMissingMedia(  # noqa: N802  # gRPC's name
        self, request: media_service_pb2.FindMissingMediaRequest, context: grpc.ServicerContext
    ) -> media_service_pb2.FindMissingMediaResponse:
        answer = media_service_pb2.FindMissingMediaResponse()
        for sha256 in request.sha256s:
            if sha256.hex() in self._server.stored:
                answer.found.add(sha256=sha256, media_id=sha256.hex())
            else:
                answer.sha256s.append(sha256)
        return answer

    def ProbeMedia(  # noqa: N802  # gRPC's name
        self, request: media_service_pb2.ProbeMediaRequest, context: grpc.ServicerContext
    ) -> media_service_pb2.ProbeMediaResponse:
        list(self._server.play(context))
        self._server.probes.append(request)
        return DESCRIPTION

    def DeleteMedia(  # noqa: N802  # gRPC's name
        self, request: media_service_pb2.DeleteMediaRequest, context: grpc.ServicerContext
    ) -> media_service_pb2.DeleteMediaResponse:
        list(self._server.play(context))
        self._server.stored.pop(request.media_id, None)
        return media_service_pb2.DeleteMediaResponse()


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def ListModels(  # noqa: N802  # gRPC's name
        self, _request: model_service_pb2.ListModelsRequest, context: grpc.ServicerContext
    ) -> model_service_pb2.ListModelsResponse:
        list(self._server.play(context))
        return model_service_pb2.ListModelsResponse(models=[DEMO_MODEL])

    def GetModel(  # noqa: N802  # gRPC's name
        self, request: model_service_pb2.GetModelRequest, context: grpc.ServicerContext
    ) -> model_service_pb2.GetModelResponse:
        if request.model not in ("", DEMO_MODEL.name):
            failure = Failure(
                grpc.StatusCode.NOT_FOUND,
                f"no model {request.model}",
                "MODEL_NOT_FOUND",
                {"field": "model", "model": request.model},
            )
            context.abort_with_status(failure.to_status())
        return model_service_pb2.GetModelResponse(model=DEMO_MODEL)


class _Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def Check(  # noqa: N802  # gRPC's name
        self, _request: health_pb2.HealthCheckRequest, _context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        return health_pb2.HealthCheckResponse(status=self._server.health[-1])

    def Watch(  # noqa: N802  # gRPC's name
        self, _request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        for status in self._server.health:
            yield health_pb2.HealthCheckResponse(status=status)
        _wait_for_end(context)
