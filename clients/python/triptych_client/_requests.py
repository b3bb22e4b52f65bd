"""Turns what a caller asks into `triptych.v1` requests; both clients use it.

Reads local files, so that a missing one is told before any network use. Does not check values:
the server does, and its answer names the field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2, sampling_pb2
from triptych_client._options import GenerateOptions
from triptych_client._prompt import (
    Audio,
    Image,
    Message,
    Pcm,
    PcmEncoding,
    RawText,
    Role,
    TokenIds,
    Video,
)
from triptych_client._tools import ToolCall, ToolResult, choice_to_proto, tool_to_proto

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from triptych_client._prompt import Bytes, File, Medium, Part, Prompt

_ROLES: dict[Role, conversation_pb2.Role.ValueType] = {
    "system": conversation_pb2.ROLE_SYSTEM,
    "user": conversation_pb2.ROLE_USER,
    "assistant": conversation_pb2.ROLE_ASSISTANT,
    "tool": conversation_pb2.ROLE_TOOL,
}
_PCM_ENCODINGS: dict[PcmEncoding, media_pb2.PcmEncoding.ValueType] = {
    "s16": media_pb2.PCM_ENCODING_S16,
    "s24": media_pb2.PCM_ENCODING_S24,
    "s32": media_pb2.PCM_ENCODING_S32,
    "f32": media_pb2.PCM_ENCODING_F32,
}
_BYTES = (bytes, bytearray, memoryview)
_STRUCTURES = ("json_schema", "json_object", "regex", "choice", "grammar")
_OPTIONS = frozenset(GenerateOptions.__annotations__)

_Settings: TypeAlias = (
    sampling_pb2.SamplingParams
    | generation_service_pb2.PromptOptions
    | generation_service_pb2.OutputOptions
)
_SettingsT = TypeVar("_SettingsT", bound=_Settings)
_MediumT = TypeVar("_MediumT", Image, Audio, Video)


def build_generate_request(
    prompt: Prompt, options: GenerateOptions
) -> generation_service_pb2.GenerateRequest:
    """Return the request for a prompt; options that are not given stay unset."""
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        message = f"unknown option {', '.join(unknown)}; known are {', '.join(sorted(_OPTIONS))}"
        raise TypeError(message)
    request = generation_service_pb2.GenerateRequest(
        model=options.get("model") or "",
        sampling=_settings(sampling_pb2.SamplingParams, options),
        prompt_options=_settings(generation_service_pb2.PromptOptions, options),
        output_options=_settings(generation_service_pb2.OutputOptions, options),
        priority=options.get("priority"),
        tools=[tool_to_proto(tool) for tool in options.get("tools") or ()],
        structured_output=_structured_output(options),
    )
    tool_choice = options.get("tool_choice")
    if tool_choice is not None:
        request.tool_choice.CopyFrom(choice_to_proto(tool_choice))
    if options.get("parallel_tool_calls") is not None:
        request.tool_choice.parallel = options["parallel_tool_calls"]
    media = _media_of(options)
    if isinstance(prompt, (RawText, TokenIds)):
        _refuse_beside(prompt, media or options.get("system"), "system or media arguments")
        request.media.extend(part_to_proto(medium) for medium in prompt.media)
    if isinstance(prompt, RawText):
        request.text = prompt.text
    elif isinstance(prompt, TokenIds):
        request.token_ids.ids.extend(prompt.ids)
    else:
        messages = [*_system_messages(options), *_to_messages(prompt, media)]
        request.conversation.messages.extend(_message_to_proto(message) for message in messages)
    return request


def build_session_config(
    history: Sequence[Message], options: GenerateOptions
) -> generation_service_pb2.ConverseRequest:
    """Return a session's first message; `history` is what was said before, maybe nothing."""
    request = build_generate_request([*history, Message("user", "")], options)
    del request.conversation.messages[-1]
    return generation_service_pb2.ConverseRequest(config=request)


def build_unary_request(
    prompt: Prompt, options: GenerateOptions
) -> generation_service_pb2.GenerateUnaryRequest:
    """Return the same request, wrapped for `GenerateUnary`."""
    return generation_service_pb2.GenerateUnaryRequest(
        request=build_generate_request(prompt, options)
    )


def _settings(kind: type[_SettingsT], options: Mapping[str, Any]) -> _SettingsT | None:
    """Return the message with the options that it has fields for, or None when none is given."""
    names = [field.name for field in kind.DESCRIPTOR.fields]
    given = {name: options[name] for name in names if options.get(name) is not None}
    return kind(**given) if given else None


def _structured_output(options: GenerateOptions) -> generation_service_pb2.StructuredOutput | None:
    """Return the form of the answer, or None when none is given."""
    given = [name for name in _STRUCTURES if _option(options, name) is not None]
    if not given:
        return None
    if len(given) > 1:
        message = f"an answer has one form; given are {' and '.join(given)}"
        raise TypeError(message)
    (name,) = given
    value = _option(options, name)
    if name == "choice":
        value = generation_service_pb2.Choice(texts=value)
    elif name == "json_schema" and not isinstance(value, str):
        value = json.dumps(value)
    return generation_service_pb2.StructuredOutput(**{name: value})


def _option(options: Mapping[str, Any], name: str) -> Any:
    return options.get(name)


def _media_of(options: GenerateOptions) -> list[Part]:
    """Return the media arguments as parts: images, then audios, then videos."""
    return [
        *_each_as(Image, options.get("images")),
        *_each_as(Audio, options.get("audios")),
        *_each_as(Video, options.get("videos")),
    ]


def _each_as(
    kind: type[_MediumT], given: Iterable[File | Bytes | _MediumT] | None
) -> list[_MediumT]:
    if isinstance(given, (str, Path, kind, *_BYTES)):
        message = f"{kind.__name__.lower()}s takes a list; write [{kind.__name__}(...)]"
        raise TypeError(message)
    return [_as(kind, one) for one in given or ()]


def _as(kind: type[_MediumT], given: File | Bytes | _MediumT) -> _MediumT:
    if isinstance(given, kind):
        return given
    if isinstance(given, _BYTES):
        return kind(data=given)
    if isinstance(given, (Image, Audio, Video)):
        message = f"{given!r} is no {kind.__name__}"
        raise TypeError(message)
    return kind(given)


def _system_messages(options: GenerateOptions) -> list[Message]:
    system = options.get("system")
    return [] if system is None else [Message("system", system)]


def _to_messages(prompt: Part | Sequence[Part | Message], media: list[Part]) -> Sequence[Message]:
    """Return the conversation; media arguments go before a prompt that is one text."""
    if isinstance(prompt, str):
        return [Message("user", [*media, prompt])]
    _refuse_beside(prompt, media, "images, audios or videos; put them into the list")
    if isinstance(prompt, (Image, Audio, Video)):
        return [Message("user", prompt)]
    messages = [one for one in prompt if isinstance(one, Message)]
    parts = [one for one in prompt if not isinstance(one, Message)]
    if messages and parts:
        message = "a prompt is a list of parts or a list of messages, not both"
        raise TypeError(message)
    return messages or [Message("user", parts)]


def _refuse_beside(prompt: object, given: object, what: str) -> None:
    if given:
        message = f"a prompt of type {type(prompt).__name__} does not go with {what}"
        raise TypeError(message)


def _message_to_proto(message: Message) -> conversation_pb2.Message:
    if message.role not in _ROLES:
        problem = f"role is one of {', '.join(_ROLES)}, got {message.role!r}"
        raise ValueError(problem)
    single = isinstance(message.parts, (str, Image, Audio, Video, ToolCall, ToolResult))
    parts: Any = [message.parts] if single else message.parts
    return conversation_pb2.Message(
        role=_ROLES[message.role], parts=[part_to_proto(part) for part in parts]
    )


def part_to_proto(part: Part) -> conversation_pb2.Part:
    """Return the part; a local file is read here."""
    if isinstance(part, str):
        return conversation_pb2.Part(text=part)
    if isinstance(part, Image):
        image = media_pb2.ImagePart(source=_source_to_proto(part), max_pixels=part.max_pixels)
        return conversation_pb2.Part(image=image)
    if isinstance(part, Audio):
        audio = media_pb2.AudioPart(
            source=_source_to_proto(part),
            start_s=part.start_s,
            end_s=part.end_s,
            pcm=_pcm_to_proto(part.pcm),
        )
        return conversation_pb2.Part(audio=audio)
    if isinstance(part, Video):
        return conversation_pb2.Part(video=_video_to_proto(part))
    if isinstance(part, ToolCall):
        call = conversation_pb2.ToolCall(id=part.id, name=part.name, arguments=part.arguments)
        return conversation_pb2.Part(tool_call=call)
    if isinstance(part, ToolResult):
        result = conversation_pb2.ToolResult(
            tool_call_id=part.tool_call_id, name=part.name, text=part.text
        )
        return conversation_pb2.Part(tool_result=result)
    message = f"a part is text, Image, Audio, Video, ToolCall or ToolResult, not {type(part)}"
    raise TypeError(message)


def _pcm_to_proto(pcm: Pcm | None) -> media_pb2.PcmFormat | None:
    if pcm is None:
        return None
    return media_pb2.PcmFormat(
        encoding=_PCM_ENCODINGS[pcm.encoding],
        sample_rate_hz=pcm.sample_rate_hz,
        channels=pcm.channels,
    )


def _video_to_proto(video: Video) -> media_pb2.VideoPart:
    part = media_pb2.VideoPart(
        source=_source_to_proto(video),
        start_s=video.start_s,
        end_s=video.end_s,
        use_sound=video.use_sound,
    )
    if video.fps is not None:
        part.fps = video.fps
    if video.num_frames is not None:
        part.num_frames = video.num_frames
    return part


def _source_to_proto(medium: Medium) -> media_pb2.MediaSource:
    """Return the source; only the one that is given gets set, and a file is read here."""
    data = medium.data
    if medium.file is not None:
        data = Path(medium.file).expanduser().read_bytes()
    given: dict[str, Any] = {
        "data": None if data is None else bytes(data),
        "url": medium.url,
        "data_uri": medium.data_uri,
        "path": medium.server_path,
        "media_id": medium.media_id,
        "mime_type": medium.mime_type,
    }
    return media_pb2.MediaSource(
        **{name: value for name, value in given.items() if value is not None}
    )
