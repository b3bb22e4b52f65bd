"""Turns the domain's events into the contract's messages."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration

from service.domain.conversation import Modality
from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    OutputFinished,
    PromptLogprobs,
    Started,
    TextDelta,
    Timings,
    TokenLogprob,
    TokenLogprobs,
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
        case TextDelta(output_index, text, token_ids, logprobs):
            return pb.GenerateResponse(
                text_delta=pb.TextDelta(
                    output_index=output_index,
                    text=text,
                    token_ids=token_ids,
                    logprobs=map(_from_logprobs, logprobs),
                )
            )
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


def join(events: Iterable[pb.GenerateResponse]) -> pb.GenerateUnaryResponse:
    """Put a whole stream together into one answer."""
    whole = pb.GenerateUnaryResponse()
    texts: dict[int, list[str]] = {}
    for event in events:
        match event.WhichOneof("event"):
            case "started":
                whole.started.CopyFrom(event.started)
            case "text_delta":
                output = _output(whole, event.text_delta.output_index)
                texts.setdefault(event.text_delta.output_index, []).append(event.text_delta.text)
                output.token_ids.extend(event.text_delta.token_ids)
                output.logprobs.extend(event.text_delta.logprobs)
            case "prompt_logprobs":
                whole.prompt_logprobs.first_position = 1
                whole.prompt_logprobs.tokens.extend(event.prompt_logprobs.tokens)
            case "output_finished":
                output = _output(whole, event.output_finished.output_index)
                output.finished.CopyFrom(event.output_finished)
            case "completed":
                whole.completed.CopyFrom(event.completed)
    for index, pieces in texts.items():
        whole.outputs[index].text = "".join(pieces)
    return whole


def _output(whole: pb.GenerateUnaryResponse, index: int) -> pb.Output:
    while len(whole.outputs) <= index:
        whole.outputs.add()
    return whole.outputs[index]


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
