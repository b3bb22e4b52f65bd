"""The client for asyncio; `_client` is its twin for plain code.

Only the calls themselves are here: requests, answers and errors are in the modules that both share.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from triptych.v1 import (
    embedding_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    media_service_pb2,
    media_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    tokenizer_service_pb2_grpc,
)
from triptych_client._channel import DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_TARGET, channel_options
from triptych_client._embeddings import Embeddings, build_embed_request, embeddings_from_proto
from triptych_client._errors import CancelledError, error_from_rpc, raised_as_ours
from triptych_client._media import (
    MediaDescription,
    build_probe_request,
    build_question,
    build_upload_header,
    description_from_proto,
    found_media_id,
    upload_messages,
)
from triptych_client._readiness import PAUSE_S, ReadinessWait
from triptych_client._requests import (
    build_generate_request,
    build_session_config,
    build_unary_request,
)
from triptych_client._results import (
    Answer,
    AnswerReader,
    Event,
    Model,
    answer_from_proto,
    first_output_text,
    model_from_proto,
)
from triptych_client._server_status import ServerStatus
from triptych_client._session import AsyncSession
from triptych_client._tokens import (
    RenderedPrompt,
    TokenCount,
    build_count_request,
    build_render_request,
    count_from_proto,
    rendered_from_proto,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from typing import Self, TypeAlias, Unpack

    from triptych_client._options import GenerateOptions
    from triptych_client._prompt import Audio, Bytes, File, Image, Message, Prompt, Video

    _Call: TypeAlias = grpc.aio.UnaryStreamCall[
        generation_service_pb2.GenerateRequest, generation_service_pb2.GenerateResponse
    ]


class AsyncGeneration(AnswerReader):
    """An answer while it is made: iterating gives the first output's text, piece by piece.

    The call begins with the first read, after local files were read in a thread.
    """

    def __init__(
        self,
        build_request: Callable[[], generation_service_pb2.GenerateRequest],
        begin_call: Callable[[generation_service_pb2.GenerateRequest], _Call],
    ) -> None:
        """Keep what is needed to begin the call."""
        super().__init__()
        self._build_request = build_request
        self._begin_call = begin_call
        self._call: _Call | None = None
        self._responses: AsyncIterator[generation_service_pb2.GenerateResponse] | None = None
        self._is_cancelled = False

    async def __aiter__(self) -> AsyncIterator[str]:
        """Give the pieces of the first output's text that were not read yet."""
        async for event in self.events():
            if text := first_output_text(event):
                yield text

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel what was not read to its end."""
        self.cancel()

    async def events(self) -> AsyncIterator[Event]:
        """Give the events that were not read yet, of all outputs."""
        while (response := await self._next_response()) is not None:
            event = self._read(response)
            if event is not None:
                yield event
        self._require_completed()

    async def text(self) -> str:
        """Read to the end and return the first output's text that was not read yet."""
        return "".join([text async for text in self])

    def cancel(self) -> None:
        """Stop the answer, here and in the engine; reading on raises CancelledError."""
        self._is_cancelled = True
        if self._call is not None:
            self._call.cancel()

    async def _next_response(self) -> generation_service_pb2.GenerateResponse | None:
        """Return the next message of the call, begun if need be; None at its end."""
        if self._responses is None:
            request = await asyncio.to_thread(self._build_request)
            self._raise_if_cancelled()
            self._call = self._begin_call(request)
            self._responses = aiter(self._call)
        try:
            return await anext(self._responses, None)
        except grpc.RpcError as error:
            raise error_from_rpc(error) from error
        except asyncio.CancelledError:
            # gRPC raises the same for the reader's own task and for a call that was cancelled.
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                self._raise_if_cancelled()
            raise

    def _raise_if_cancelled(self) -> None:
        if self._is_cancelled:
            message = "the call was cancelled here"
            raise CancelledError(message, grpc.StatusCode.CANCELLED) from None


class AsyncClient:
    """A connection to one server, made when first used, of one event loop."""

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout_s: float | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
    ) -> None:
        """Name the server; without credentials the connection is not encrypted.

        `timeout_s` holds for each whole call that does not give its own; None: no limit.
        """
        options = channel_options(max_message_bytes)
        self._target = target
        self._timeout_s = timeout_s
        self._channel = (
            grpc.aio.insecure_channel(target, options)
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, options)
        )
        self._generation = generation_service_pb2_grpc.GenerationServiceStub(self._channel)
        self._embedding = embedding_service_pb2_grpc.EmbeddingServiceStub(self._channel)
        self._media = media_service_pb2_grpc.MediaServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._tokenizer = tokenizer_service_pb2_grpc.TokenizerServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection and cancel its calls."""
        await self._channel.close(None)

    def generate(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> AsyncGeneration:
        """Ask the model and return its answer while it is made.

        A missing local file raises FileNotFoundError at the first read; nothing was sent then.
        """
        return AsyncGeneration(
            partial(build_generate_request, prompt, options),
            partial(self._generation.Generate, timeout=self._timeout(options)),
        )

    async def generate_unary(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Answer:
        """Ask the model and return its whole answer.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = await asyncio.to_thread(build_unary_request, prompt, options)
        with raised_as_ours():
            response = await self._generation.GenerateUnary(request, timeout=self._timeout(options))
        return answer_from_proto(response)

    def converse(
        self, history: Sequence[Message] = (), **options: Unpack[GenerateOptions]
    ) -> AsyncSession:
        """Hold a conversation of several turns: `async with client.converse() as s`, then `s.say`.

        `history` is what was said before. The options hold for all turns; `timeout_s` is for the
        whole session, without it the client's own does not count.
        """
        return AsyncSession(
            partial(build_session_config, history, options),
            partial(self._generation.Converse, timeout=options.get("timeout_s")),
            AsyncGeneration,
        )

    async def count_tokens(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> TokenCount:
        """Count the tokens of a prompt, part by part; nothing is generated.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = await asyncio.to_thread(build_count_request, prompt, options)
        timeout_s = self._timeout(options)
        with raised_as_ours():
            response = await self._tokenizer.CountTokens(request, timeout=timeout_s)
        return count_from_proto(response)

    async def render_prompt(
        self, prompt: Prompt, **options: Unpack[GenerateOptions]
    ) -> RenderedPrompt:
        """Return the prompt that the model would get, and whether it fits.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = await asyncio.to_thread(build_render_request, prompt, options)
        timeout_s = self._timeout(options)
        with raised_as_ours():
            response = await self._tokenizer.RenderPrompt(request, timeout=timeout_s)
        return rendered_from_proto(response)

    async def embed(
        self,
        inputs: Sequence[Prompt],
        *,
        dimensions: int | None = None,
        normalize: bool | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Embeddings:
        """Make one vector of each input, by a model that embeds.

        A text is read as it is; parts or messages are written in the model's chat format. Of the
        options, those that make a prompt count.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = await asyncio.to_thread(
            build_embed_request, inputs, dimensions, normalize, options
        )
        timeout_s = self._timeout(options)
        with raised_as_ours():
            response = await self._embedding.Embed(request, timeout=timeout_s)
        return embeddings_from_proto(response)

    async def upload(self, medium: File | Bytes, *, mime_type: str = "") -> str:
        """Store a file or bytes on the server, and return the `media_id` for parts.

        What the server has already is not sent again. The file is read in threads.

        Raises:
            FileNotFoundError: the local file is missing; nothing was sent.

        """
        header = await asyncio.to_thread(build_upload_header, medium, mime_type)
        question = build_question(header)
        with raised_as_ours():
            found = await self._media.FindMissingMedia(question, timeout=self._timeout_s)
            if media_id := found_media_id(found):
                return media_id
            messages = _read_in_threads(upload_messages(medium, header))
            call = self._media.UploadMedia(messages, timeout=self._timeout_s)
            with ServerStatus(call).raised():
                response = await call
        return response.media_id

    async def delete_media(self, media_id: str) -> None:
        """Make the server forget what was uploaded; no error when it is not there."""
        request = media_service_pb2.DeleteMediaRequest(media_id=media_id)
        with raised_as_ours():
            await self._media.DeleteMedia(request, timeout=self._timeout_s)

    async def probe(self, part: Image | Audio | Video) -> MediaDescription:
        """Describe a medium, and tell how many tokens the model would spend on it.

        Raises:
            FileNotFoundError: the local file is missing; nothing was sent.

        """
        request = await asyncio.to_thread(build_probe_request, part)
        with raised_as_ours():
            response = await self._media.ProbeMedia(request, timeout=self._timeout_s)
        return description_from_proto(response)

    async def list_models(self) -> list[Model]:
        """Describe the models that the server serves."""
        request = model_service_pb2.ListModelsRequest()
        with raised_as_ours():
            response = await self._models.ListModels(request, timeout=self._timeout_s)
        return [model_from_proto(model) for model in response.models]

    async def get_model(self, model: str = "") -> Model:
        """Describe one model; without a name the server's only one."""
        request = model_service_pb2.GetModelRequest(model=model)
        with raised_as_ours():
            response = await self._models.GetModel(request, timeout=self._timeout_s)
        return model_from_proto(response.model)

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Return when the server can answer.

        Raises:
            DeadlineExceededError: it could not within the time; the message tells its state.

        """
        wait = ReadinessWait(self._target, timeout_s)
        while not await self._watch_health(wait):  # noqa: ASYNC110  # the event is elsewhere
            await asyncio.sleep(min(PAUSE_S, wait.remaining_s()))

    async def _watch_health(self, wait: ReadinessWait) -> bool:
        """Follow the server's health until it serves; False when the stream broke before."""
        request = health_pb2.HealthCheckRequest()
        call = self._health.Watch(request, timeout=wait.remaining_s(), wait_for_ready=True)
        try:
            async for response in call:
                if wait.is_ready(response):
                    return True
        except grpc.RpcError as error:
            if failure := wait.after_failure(error):
                raise failure from error
        finally:
            call.cancel()
        return False

    def _timeout(self, options: GenerateOptions) -> float | None:
        timeout_s = options.get("timeout_s")
        return self._timeout_s if timeout_s is None else timeout_s


async def _read_in_threads(
    messages: Iterator[media_service_pb2.UploadMediaRequest],
) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    while (message := await asyncio.to_thread(next, messages, None)) is not None:
        yield message
