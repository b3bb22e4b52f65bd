"""The client for plain code; `_async_client` is its twin for asyncio.

Only the calls themselves are here: requests, answers and errors are in the modules that both share.
"""

from __future__ import annotations

import time
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
from triptych_client._errors import raised_as_ours
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
from triptych_client._session import Session
from triptych_client._tokens import (
    RenderedPrompt,
    TokenCount,
    build_count_request,
    build_render_request,
    count_from_proto,
    rendered_from_proto,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Self, Unpack

    from triptych_client._options import GenerateOptions
    from triptych_client._prompt import Audio, Bytes, File, Image, Message, Prompt, Video


class Generation(AnswerReader):
    """An answer while it is made: iterating gives the first output's text, piece by piece.

    Thread-compatible: one thread reads; `cancel` may come from any.
    """

    def __init__(self, call: grpc.CallIterator[generation_service_pb2.GenerateResponse]) -> None:
        """Follow a call that has begun."""
        super().__init__()
        self._call = call
        self._responses = iter(call)

    def __iter__(self) -> Iterator[str]:
        """Give the pieces of the first output's text that were not read yet."""
        return (text for event in self.events() if (text := first_output_text(event)))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what was not read to its end."""
        self.cancel()

    def events(self) -> Iterator[Event]:
        """Give the events that were not read yet, of all outputs."""
        while True:
            with raised_as_ours():
                response = next(self._responses, None)
            if response is None:
                self._require_completed()
                return
            event = self._read(response)
            if event is not None:
                yield event

    def text(self) -> str:
        """Read to the end and return the first output's text that was not read yet."""
        return "".join(self)

    def cancel(self) -> None:
        """Stop the answer, here and in the engine; reading on raises CancelledError."""
        self._call.cancel()  # type: ignore[no-untyped-call]  # a gap in grpc-stubs


class Client:
    """A connection to one server, made when first used. Thread-safe."""

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
            grpc.insecure_channel(target, options)
            if credentials is None
            else grpc.secure_channel(target, credentials, options)
        )
        self._generation = generation_service_pb2_grpc.GenerationServiceStub(self._channel)
        self._embedding = embedding_service_pb2_grpc.EmbeddingServiceStub(self._channel)
        self._media = media_service_pb2_grpc.MediaServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._tokenizer = tokenizer_service_pb2_grpc.TokenizerServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection and cancel its calls."""
        self._channel.close()

    def generate(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """Ask the model and return its answer while it is made.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = build_generate_request(prompt, options)
        return Generation(self._generation.Generate(request, timeout=self._timeout(options)))

    def generate_unary(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Answer:
        """Ask the model and return its whole answer.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = build_unary_request(prompt, options)
        with raised_as_ours():
            response = self._generation.GenerateUnary(request, timeout=self._timeout(options))
        return answer_from_proto(response)

    def converse(
        self, history: Sequence[Message] = (), **options: Unpack[GenerateOptions]
    ) -> Session:
        """Hold a conversation of several turns: `with client.converse() as s`, then `s.say`.

        `history` is what was said before. The options hold for all turns; `timeout_s` is for the
        whole session, without it the client's own does not count.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        config = build_session_config(history, options)
        timeout_s = options.get("timeout_s")

        def begin_call(messages: Iterator[generation_service_pb2.ConverseRequest]) -> Any:
            return self._generation.Converse(messages, timeout=timeout_s)

        return Session(config, begin_call, Generation)

    def count_tokens(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> TokenCount:
        """Count the tokens of a prompt, part by part; nothing is generated.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = build_count_request(prompt, options)
        timeout_s = self._timeout(options)
        with raised_as_ours():
            response = self._tokenizer.CountTokens(request, timeout=timeout_s)
        return count_from_proto(response)

    def render_prompt(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> RenderedPrompt:
        """Return the prompt that the model would get, and whether it fits.

        Raises:
            FileNotFoundError: a local file is missing; nothing was sent.

        """
        request = build_render_request(prompt, options)
        timeout_s = self._timeout(options)
        with raised_as_ours():
            response = self._tokenizer.RenderPrompt(request, timeout=timeout_s)
        return rendered_from_proto(response)

    def embed(
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
        request = build_embed_request(inputs, dimensions, normalize, options)
        timeout_s = self._timeout(options)
        with raised_as_ours():
            response = self._embedding.Embed(request, timeout=timeout_s)
        return embeddings_from_proto(response)

    def upload(self, medium: File | Bytes, *, mime_type: str = "") -> str:
        """Store a file or bytes on the server, and return the `media_id` for parts.

        What the server has already is not sent again.

        Raises:
            FileNotFoundError: the local file is missing; nothing was sent.

        """
        header = build_upload_header(medium, mime_type)
        question = build_question(header)
        with raised_as_ours():
            found = self._media.FindMissingMedia(question, timeout=self._timeout_s)
            if media_id := found_media_id(found):
                return media_id
            messages = upload_messages(medium, header)
            return self._media.UploadMedia(messages, timeout=self._timeout_s).media_id

    def delete_media(self, media_id: str) -> None:
        """Make the server forget what was uploaded; no error when it is not there."""
        request = media_service_pb2.DeleteMediaRequest(media_id=media_id)
        with raised_as_ours():
            self._media.DeleteMedia(request, timeout=self._timeout_s)

    def probe(self, part: Image | Audio | Video) -> MediaDescription:
        """Describe a medium, and tell how many tokens the model would spend on it.

        Raises:
            FileNotFoundError: the local file is missing; nothing was sent.

        """
        request = build_probe_request(part)
        with raised_as_ours():
            response = self._media.ProbeMedia(request, timeout=self._timeout_s)
        return description_from_proto(response)

    def list_models(self) -> list[Model]:
        """Describe the models that the server serves."""
        request = model_service_pb2.ListModelsRequest()
        with raised_as_ours():
            response = self._models.ListModels(request, timeout=self._timeout_s)
        return [model_from_proto(model) for model in response.models]

    def get_model(self, model: str = "") -> Model:
        """Describe one model; without a name the server's only one."""
        request = model_service_pb2.GetModelRequest(model=model)
        with raised_as_ours():
            response = self._models.GetModel(request, timeout=self._timeout_s)
        return model_from_proto(response.model)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return when the server can answer.

        Raises:
            DeadlineExceededError: it could not within the time; the message tells its state.

        """
        wait = ReadinessWait(self._target, timeout_s)
        while not self._watch_health(wait):
            time.sleep(min(PAUSE_S, wait.remaining_s()))

    def _watch_health(self, wait: ReadinessWait) -> bool:
        """Follow the server's health until it serves; False when the stream broke before."""
        request = health_pb2.HealthCheckRequest()
        call = self._health.Watch(request, timeout=wait.remaining_s(), wait_for_ready=True)
        try:
            return any(wait.is_ready(response) for response in call)
        except grpc.RpcError as error:
            if failure := wait.after_failure(error):
                raise failure from error
            return False
        finally:
            call.cancel()

    def _timeout(self, options: GenerateOptions) -> float | None:
        timeout_s = options.get("timeout_s")
        return self._timeout_s if timeout_s is None else timeout_s
