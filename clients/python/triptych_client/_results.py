"""What a server answers, as plain values, and how they are read from `triptych.v1` messages.

Both clients use it: `AnswerReader` follows the events of one answer and is the base of their
`Generation` classes. Knows nothing of channels or calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import grpc

from triptych.v1 import generation_service_pb2, media_pb2, model_service_pb2
from triptych_client._errors import InternalError
from triptych_client._tools import ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.message import Message

_T = TypeVar("_T")


class FinishReason(StrEnum):
    """Why an answer ended."""

    UNSPECIFIED = "unspecified"
    STOP = "stop"
    LENGTH = "length"
    ABORTED = "aborted"
    STOP_STRING = "stop_string"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    REPETITION = "repetition"


class Modality(StrEnum):
    """A kind of input that a model may take."""

    UNSPECIFIED = "unspecified"
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class PartUsage:
    """The size of one media part of the prompt, in tokens."""

    field: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt was accepted; the first event."""

    request_id: str
    model: str
    prompt_tokens: int
    parts: tuple[PartUsage, ...]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """How likely a token was: natural logarithm, and rank from 1 (0: not known)."""

    token_id: int
    text: str
    logprob: float
    rank: int


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """How likely the token of one place was, and the likeliest, in order."""

    chosen: TokenLogprob
    top: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """How likely the prompt's tokens were from `first_position` on."""

    first_position: int
    tokens: tuple[TokenLogprobs, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of one output."""

    output_index: int
    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprobs, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of what the model thinks before it answers."""

    output_index: int
    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[TokenLogprobs, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call; `id` and `name` only in its first."""

    output_index: int
    call_index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class OutputFinished:
    """One output is whole."""

    output_index: int
    reason: FinishReason
    stop_token_id: int | None
    stop_string: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written."""

    prompt_tokens: int
    prompt_text_tokens: int
    prompt_image_tokens: int
    prompt_audio_tokens: int
    prompt_video_tokens: int
    cached_tokens: int
    completion_tokens: int
    #: Of those, thought before answering.
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time went, in seconds; None for a stage that did not happen."""

    fetch_s: float | None
    decode_s: float | None
    preprocess_s: float | None
    queue_s: float | None
    prefill_s: float | None
    generate_s: float | None
    #: Media that were not fetched, decoded or preprocessed again.
    cached_media_parts: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """Everything is whole; the last event."""

    usage: Usage
    timings: Timings


Event: TypeAlias = (
    Started
    | PromptLogprobs
    | TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | OutputFinished
    | Completed
)


@dataclass(frozen=True, slots=True)
class Output:
    """One whole answer text."""

    text: str
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    stop_token_id: int | None
    stop_string: str | None = None
    logprobs: tuple[TokenLogprobs, ...] = ()
    #: What the model thought before it answered.
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """All of an answer, as `generate_unary` gives it."""

    started: Started
    outputs: tuple[Output, ...]
    usage: Usage
    timings: Timings
    prompt_logprobs: tuple[TokenLogprobs, ...] = ()

    @property
    def text(self) -> str:
        """The text of the first output."""
        return self.outputs[0].text

    @property
    def finish_reason(self) -> FinishReason:
        """Why the first output ended."""
        return self.outputs[0].finish_reason


@dataclass(frozen=True, slots=True)
class Model:
    """A served model."""

    name: str
    architecture: str
    input_modalities: tuple[Modality, ...]
    #: How many parts of each kind one request may have.
    part_limits: Mapping[Modality, int]
    max_model_tokens: int
    vocabulary_size: int
    prompt_format: str
    prompt_format_reason: str
    #: What options that are not given mean for this model; only those that it sets.
    default_sampling: Mapping[str, float | int | bool | tuple[int, ...]]
    dtype: str
    quantization: str
    kv_cache_tokens: int
    #: Of an adapter: the model that it adapts. Empty: this is no adapter.
    base_model: str
    #: What it does, such as `generate` and `embed`.
    tasks: tuple[str, ...]
    #: How many numbers its vectors have; 0 for a model that makes none.
    embedding_dimensions: int


@dataclass(slots=True)
class _OpenOutput:
    """An output that still grows."""

    texts: list[str] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprobs] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: dict[int, list[ToolCallDelta]] = field(default_factory=dict)
    finished: OutputFinished | None = None


class AnswerReader:
    """Follows the events of one answer and tells what is known of it so far."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._started: Started | None = None
        self._open: dict[int, _OpenOutput] = {}
        self._completed: Completed | None = None

    @property
    def started(self) -> Started:
        """The prompt's size and the request's id; known with the first event."""
        return _known(self._started, "nothing was read of the answer yet")

    @property
    def usage(self) -> Usage:
        """Tokens read and written; known when the answer was read to its end."""
        return self._whole().usage

    @property
    def timings(self) -> Timings:
        """Where the time went; known when the answer was read to its end."""
        return self._whole().timings

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Every output with its whole text; known when the answer was read to its end."""
        self._whole()
        return tuple(_close_output(self._open[index]) for index in sorted(self._open))

    @property
    def finish_reason(self) -> FinishReason:
        """Why the first output ended; known when that output was read to its end."""
        first = self._open.get(0, _OpenOutput())
        return _known(first.finished, "the answer was not read to its end").reason

    def _read(self, response: generation_service_pb2.GenerateResponse) -> Event | None:
        """Take in one message; None for an event that this client does not know."""
        event = event_from_proto(response)
        if isinstance(event, Started):
            self._started = event
        elif isinstance(event, Completed):
            self._completed = event
        elif isinstance(event, (TextDelta, ReasoningDelta)):
            output = self._open.setdefault(event.output_index, _OpenOutput())
            texts = output.texts if isinstance(event, TextDelta) else output.thoughts
            texts.append(event.text)
            output.token_ids.extend(event.token_ids)
            output.logprobs.extend(event.logprobs)
        elif isinstance(event, ToolCallDelta):
            output = self._open.setdefault(event.output_index, _OpenOutput())
            output.calls.setdefault(event.call_index, []).append(event)
        elif isinstance(event, OutputFinished):
            self._open.setdefault(event.output_index, _OpenOutput()).finished = event
        return event

    def _require_completed(self) -> None:
        """Refuse a stream that ends well but before its last event."""
        if self._completed is None:
            message = "the server ended the stream before the answer was complete"
            raise InternalError(message, grpc.StatusCode.INTERNAL)

    def _whole(self) -> Completed:
        return _known(self._completed, "the answer was not read to its end")


def _known(value: _T | None, why_not: str) -> _T:
    if value is None:
        raise RuntimeError(why_not)
    return value


def _close_output(output: _OpenOutput) -> Output:
    finished = output.finished
    return Output(
        text="".join(output.texts),
        token_ids=tuple(output.token_ids),
        finish_reason=finished.reason if finished else FinishReason.UNSPECIFIED,
        stop_token_id=finished.stop_token_id if finished else None,
        stop_string=finished.stop_string if finished else None,
        logprobs=tuple(output.logprobs),
        reasoning="".join(output.thoughts),
        tool_calls=tuple(_join_call(output.calls[index]) for index in sorted(output.calls)),
    )


def _join_call(pieces: list[ToolCallDelta]) -> ToolCall:
    arguments = "".join(piece.arguments for piece in pieces)
    return ToolCall(pieces[0].name, arguments, pieces[0].id)


def first_output_text(event: Event) -> str:
    """Return the text that an event adds to the first output; empty for all others."""
    return event.text if isinstance(event, TextDelta) and event.output_index == 0 else ""


def event_from_proto(response: generation_service_pb2.GenerateResponse) -> Event | None:
    """Return the event of a message; None for one that a newer server added."""
    kind = response.WhichOneof("event")
    reader = None if kind is None else _EVENT_READERS.get(kind)
    return None if kind is None or reader is None else reader(getattr(response, kind))


def answer_from_proto(response: generation_service_pb2.GenerateUnaryResponse) -> Answer:
    """Return the whole answer of `GenerateUnary`."""
    completed = _completed_from_proto(response.completed)
    return Answer(
        started=_started_from_proto(response.started),
        outputs=tuple(_output_from_proto(output) for output in response.outputs),
        usage=completed.usage,
        timings=completed.timings,
        prompt_logprobs=_logprobs(response.prompt_logprobs.tokens),
    )


def model_from_proto(model: model_service_pb2.Model) -> Model:
    """Return the description of a model."""
    return Model(
        name=model.name,
        architecture=model.architecture,
        input_modalities=tuple(modality_from_proto(number) for number in model.input_modalities),
        part_limits={
            modality_from_proto(limit.modality): limit.max_parts for limit in model.part_limits
        },
        max_model_tokens=model.max_model_tokens,
        vocabulary_size=model.vocabulary_size,
        prompt_format=model.prompt_format.name,
        prompt_format_reason=model.prompt_format.reason,
        default_sampling={
            descriptor.name: tuple(value) if descriptor.name == "stop_token_ids" else value
            for descriptor, value in model.default_sampling.ListFields()
        },
        dtype=model.dtype,
        quantization=model.quantization,
        kv_cache_tokens=model.kv_cache_tokens,
        base_model=model.base_model,
        tasks=tuple(_task_from_proto(number) for number in model.tasks),
        embedding_dimensions=model.embedding.dimensions,
    )


def _task_from_proto(number: int) -> str:
    names = model_service_pb2.Task.DESCRIPTOR.values_by_number
    name = names[number].name if number in names else "TASK_UNSPECIFIED"
    return name.removeprefix("TASK_").lower()


def _started_from_proto(started: generation_service_pb2.Started) -> Started:
    return Started(
        request_id=started.request_id,
        model=started.model,
        prompt_tokens=started.prompt_tokens,
        parts=tuple(PartUsage(part.field, part.tokens) for part in started.parts),
    )


def _finished_from_proto(finished: generation_service_pb2.OutputFinished) -> OutputFinished:
    has_token = finished.HasField("stop_token_id")
    return OutputFinished(
        output_index=finished.output_index,
        reason=_finish_reason(finished.reason),
        stop_token_id=finished.stop_token_id if has_token else None,
        stop_string=finished.stop_string if finished.HasField("stop_string") else None,
    )


def _output_from_proto(output: generation_service_pb2.Output) -> Output:
    finished = _finished_from_proto(output.finished)
    return Output(
        output.text,
        tuple(output.token_ids),
        finished.reason,
        finished.stop_token_id,
        finished.stop_string,
        _logprobs(output.logprobs),
        output.reasoning,
        tuple(ToolCall(call.name, call.arguments, call.id) for call in output.tool_calls),
    )


def _logprobs(places: Iterable[generation_service_pb2.TokenLogprobs]) -> tuple[TokenLogprobs, ...]:
    return tuple(
        TokenLogprobs(_logprob(place.chosen), tuple(map(_logprob, place.top))) for place in places
    )


def _logprob(token: generation_service_pb2.TokenLogprob) -> TokenLogprob:
    return TokenLogprob(token.token_id, token.text, token.logprob, token.rank)


def _completed_from_proto(completed: generation_service_pb2.Completed) -> Completed:
    return Completed(usage_from_proto(completed.usage), _timings_from_proto(completed.timings))


def _text_from_proto(delta: generation_service_pb2.TextDelta) -> TextDelta:
    return TextDelta(
        delta.output_index, delta.text, tuple(delta.token_ids), _logprobs(delta.logprobs)
    )


def _reasoning_from_proto(delta: generation_service_pb2.ReasoningDelta) -> ReasoningDelta:
    return ReasoningDelta(
        delta.output_index, delta.text, tuple(delta.token_ids), _logprobs(delta.logprobs)
    )


def _call_from_proto(delta: generation_service_pb2.ToolCallDelta) -> ToolCallDelta:
    return ToolCallDelta(
        delta.output_index, delta.call_index, delta.id, delta.name, delta.arguments
    )


def _prompt_from_proto(told: generation_service_pb2.PromptLogprobs) -> PromptLogprobs:
    return PromptLogprobs(told.first_position, _logprobs(told.tokens))


_EVENT_READERS: dict[str, Callable[[Any], Event]] = {
    "started": _started_from_proto,
    "prompt_logprobs": _prompt_from_proto,
    "text_delta": _text_from_proto,
    "reasoning_delta": _reasoning_from_proto,
    "tool_call_delta": _call_from_proto,
    "output_finished": _finished_from_proto,
    "completed": _completed_from_proto,
}


def usage_from_proto(usage: generation_service_pb2.Usage) -> Usage:
    """Return the tokens read and written."""
    return Usage(**{name: getattr(usage, name) for name in Usage.__slots__})


def _timings_from_proto(timings: generation_service_pb2.Timings) -> Timings:
    """Return the stages; `fetch` becomes `fetch_s`, and so on."""
    stages: dict[str, Any] = {
        name: _seconds(timings, name.removesuffix("_s"))
        for name in Timings.__slots__
        if name.endswith("_s")
    }
    return Timings(**stages, cached_media_parts=timings.cached_media_parts)


def _seconds(timings: Message, stage: str) -> float | None:
    if not timings.HasField(stage):
        return None
    duration: Duration = getattr(timings, stage)
    return duration.ToTimedelta().total_seconds()


def _finish_reason(number: int) -> FinishReason:
    names = generation_service_pb2.FinishReason.DESCRIPTOR.values_by_number
    name = names[number].name if number in names else "FINISH_REASON_UNSPECIFIED"
    return FinishReason[name.removeprefix("FINISH_REASON_")]


def modality_from_proto(number: int) -> Modality:
    """Return a kind; UNSPECIFIED for one that a newer server added."""
    names = media_pb2.Modality.DESCRIPTOR.values_by_number
    name = names[number].name if number in names else "MODALITY_UNSPECIFIED"
    return Modality[name.removeprefix("MODALITY_")]
