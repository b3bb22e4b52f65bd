"""Turns the domain's events into the contract's messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration

from service.domain.conversation import Modality
from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    OutputFinished,
    PromptLogprobs,
    ReasoningDelta,
    Started,
    TextDelta,
    Timings,
    TokenLogprob,
    TokenLogprobs,
    ToolCallDelta,
    Usage,
)
from service.domain.media import PlaceholderSpan
from triptych.v1 import generation_service_pb2 as pb

_FINISH_REASONS = {
    FinishReason.STOP: pb.FINISH_REASON_STOP,
    FinishReason.LENGTH: pb.FINISH_REASON_LENGTH,
    FinishReason.ABORTED: pb.FINISH_REASON_ABORTED,
    FinishReason.STOP_STRING: pb.FINISH_REASON_STOP_STRING,
    FinishReason.DEADLINE: pb.FINISH_REASON_DEADLINE,
    FinishReason.CANCELLED: pb.FINISH_REASON_CANCELLED,
    FinishReason.REPETITION: pb.FINISH_REASON_REPETITION,
}


def from_event(event: Event) -> pb.GenerateResponse:
    """Convert one event."""
    match event:
        case Started():
            return pb.GenerateResponse(started=_from_started(event))
        case PromptLogprobs(first_position, tokens):
            return pb.GenerateResponse(
                prompt_logprobs=pb.PromptLogprobs(
                    first_position=first_position, tokens=map(_from_logprobs, tokens)
                )
            )
        case TextDelta() | ReasoningDelta() | ToolCallDelta():
            return _from_delta(event)
        case OutputFinished():
            return pb.GenerateResponse(
                output_finished=pb.OutputFinished(
                    output_index=event.output_index,
                    reason=_FINISH_REASONS[event.reason],
                    stop_token_id=event.stop_token_id,
                    stop_string=event.stop_string,
                )
            )
        case Completed(usage, timings):
            return pb.GenerateResponse(
                completed=pb.Completed(usage=from_usage(usage), timings=_from_timings(timings))
            )


def _from_delta(delta: TextDelta | ReasoningDelta | ToolCallDelta) -> pb.GenerateResponse:
    match delta:
        case TextDelta(output_index, text, token_ids, logprobs):
            return pb.GenerateResponse(
                text_delta=pb.TextDelta(
                    output_index=output_index,
                    text=text,
                    token_ids=token_ids,
                    logprobs=map(_from_logprobs, logprobs),
                )
            )
        case ReasoningDelta(output_index, text, token_ids, logprobs):
            return pb.GenerateResponse(
                reasoning_delta=pb.ReasoningDelta(
                    output_index=output_index,
                    text=text,
                    token_ids=token_ids,
                    logprobs=map(_from_logprobs, logprobs),
                )
            )
        case ToolCallDelta(output_index, call_index, call_id, name, arguments):
            return pb.GenerateResponse(
                tool_call_delta=pb.ToolCallDelta(
                    output_index=output_index,
                    call_index=call_index,
                    id=call_id,
                    name=name,
                    arguments=arguments,
                )
            )


def join(events: Iterable[pb.GenerateResponse]) -> pb.GenerateUnaryResponse:
    """Put a whole stream together into one answer."""
    whole = pb.GenerateUnaryResponse()
    outputs: dict[int, _JoinedOutput] = defaultdict(_JoinedOutput)
    for event in events:
        match event.WhichOneof("event"):
            case "started":
                whole.started.CopyFrom(event.started)
            case "text_delta":
                outputs[event.text_delta.output_index].add_text(event.text_delta)
            case "reasoning_delta":
                outputs[event.reasoning_delta.output_index].add_reasoning(event.reasoning_delta)
            case "tool_call_delta":
                outputs[event.tool_call_delta.output_index].add_call(event.tool_call_delta)
            case "prompt_logprobs":
                whole.prompt_logprobs.first_position = 1
                whole.prompt_logprobs.tokens.extend(event.prompt_logprobs.tokens)
            case "output_finished":
                output = outputs[event.output_finished.output_index].output
                output.finished.CopyFrom(event.output_finished)
            case "completed":
                whole.completed.CopyFrom(event.completed)
    whole.outputs.extend(outputs[index].join() for index in range(max(outputs, default=-1) + 1))
    return whole


class _JoinedOutput:
    """One output while it is put together; texts are joined once, for there may be thousands."""

    def __init__(self) -> None:
        self.output = pb.Output()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._arguments: dict[int, list[str]] = defaultdict(list)

    def add_text(self, delta: pb.TextDelta) -> None:
        self._text.append(delta.text)
        self._add_tokens(delta)

    def add_reasoning(self, delta: pb.ReasoningDelta) -> None:
        self._reasoning.append(delta.text)
        self._add_tokens(delta)

    def add_call(self, delta: pb.ToolCallDelta) -> None:
        while len(self.output.tool_calls) <= delta.call_index:
            self.output.tool_calls.add()
        call = self.output.tool_calls[delta.call_index]
        call.id = call.id or delta.id
        call.name = call.name or delta.name
        self._arguments[delta.call_index].append(delta.arguments)

    def join(self) -> pb.Output:
        self.output.text = "".join(self._text)
        self.output.reasoning = "".join(self._reasoning)
        for index, pieces in self._arguments.items():
            self.output.tool_calls[index].arguments = "".join(pieces)
        return self.output

    def _add_tokens(self, delta: pb.TextDelta | pb.ReasoningDelta) -> None:
        self.output.token_ids.extend(delta.token_ids)
        self.output.logprobs.extend(delta.logprobs)


def _from_logprobs(place: TokenLogprobs) -> pb.TokenLogprobs:
    return pb.TokenLogprobs(chosen=_from_logprob(place.chosen), top=map(_from_logprob, place.top))


def _from_logprob(token: TokenLogprob) -> pb.TokenLogprob:
    return pb.TokenLogprob(
        token_id=token.token_id, text=token.text, logprob=token.logprob, rank=token.rank
    )


def _from_started(started: Started) -> pb.Started:
    return pb.Started(
        request_id=started.request_id,
        model=started.model,
        prompt_tokens=started.prompt_tokens,
        parts=to_part_usages(started.placeholders),
    )


def to_part_usages(placeholders: Iterable[PlaceholderSpan]) -> list[pb.PartUsage]:
    """Tell the size of each media part."""
    return [pb.PartUsage(field=span.field, tokens=span.length) for span in placeholders]


def from_usage(usage: Usage) -> pb.Usage:
    """Convert; what is left of the prompt without its media is text."""
    media = usage.media_tokens
    return pb.Usage(
        prompt_tokens=usage.prompt_tokens,
        prompt_text_tokens=usage.prompt_tokens - sum(media.values()),
        prompt_image_tokens=media.get(Modality.IMAGE, 0),
        prompt_audio_tokens=media.get(Modality.AUDIO, 0),
        prompt_video_tokens=media.get(Modality.VIDEO, 0),
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def _from_timings(timings: Timings) -> pb.Timings:
    return pb.Timings(
        fetch=_from_seconds(timings.fetch_s),
        decode=_from_seconds(timings.decode_s),
        preprocess=_from_seconds(timings.preprocess_s),
        queue=_from_seconds(timings.queue_s),
        prefill=_from_seconds(timings.prefill_s),
        generate=_from_seconds(timings.generate_s),
        cached_media_parts=timings.cached_media_parts,
    )


def _from_seconds(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
