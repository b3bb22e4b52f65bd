"""Turns the contract's conversation into the domain's, checking every part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from service.domain.conversation import (
    AudioPart,
    Conversation,
    DataUri,
    ImagePart,
    InlineData,
    MediaPart,
    MediaSource,
    Message,
    Origin,
    Part,
    PcmEncoding,
    PcmFormat,
    ReasoningPart,
    RemoteUrl,
    Role,
    ServerPath,
    StoredMedia,
    TextPart,
    VideoPart,
)
from service.rpc.tools import to_tool_call, to_tool_result
from triptych.v1 import conversation_pb2 as conversation_pb
from triptych.v1 import media_pb2

if TYPE_CHECKING:
    from service.rpc.violations import Violations
    from triptych.v1 import media_pb2 as media_pb

_ROLES = {
    conversation_pb.ROLE_SYSTEM: Role.SYSTEM,
    conversation_pb.ROLE_USER: Role.USER,
    conversation_pb.ROLE_ASSISTANT: Role.ASSISTANT,
    conversation_pb.ROLE_TOOL: Role.TOOL,
}
# In messages of which role they may be.
_ROLES_OF_KINDS = {
    "tool_call": conversation_pb.ROLE_ASSISTANT,
    "reasoning": conversation_pb.ROLE_ASSISTANT,
    "tool_result": conversation_pb.ROLE_TOOL,
}
_PCM_ENCODINGS = {
    media_pb2.PCM_ENCODING_S16: PcmEncoding.S16,
    media_pb2.PCM_ENCODING_S24: PcmEncoding.S24,
    media_pb2.PCM_ENCODING_S32: PcmEncoding.S32,
    media_pb2.PCM_ENCODING_F32: PcmEncoding.F32,
}
_NO_MEDIA = {"text", *_ROLES_OF_KINDS}
_SHA256_BYTES = 32
_MAX_URL_CHARACTERS = 8192
# Half a second of the event loop's time; more than fit any model's context.
_MAX_PARTS = 50_000
# Of all calls together; they are parsed on the event loop.
_MAX_ARGUMENT_CHARACTERS = 4 << 20


def to_conversation(
    conversation: conversation_pb.Conversation,
    violations: Violations,
    *,
    may_be_empty: bool = False,
) -> Conversation:
    """Convert; what is wrong goes to `violations`."""
    if not conversation.messages and not may_be_empty:
        violations.add("conversation.messages", "is empty; at least one message is needed")
    if _has_too_many_parts(conversation):
        violations.add(
            "conversation.messages", f"must have at most {_MAX_PARTS} messages, and parts in them"
        )
        return Conversation(())
    if _argument_characters(conversation) > _MAX_ARGUMENT_CHARACTERS:
        violations.add(
            "conversation.messages",
            f"the arguments of their calls must have at most {_MAX_ARGUMENT_CHARACTERS} characters",
        )
        return Conversation(())
    return Conversation(
        tuple(
            _to_message(message, f"conversation.messages[{index}]", violations)
            for index, message in enumerate(conversation.messages)
        )
    )


def _has_too_many_parts(conversation: conversation_pb.Conversation) -> bool:
    messages = conversation.messages
    if len(messages) > _MAX_PARTS:
        return True
    return sum(len(message.parts) for message in messages) > _MAX_PARTS


def _argument_characters(conversation: conversation_pb.Conversation) -> int:
    return sum(
        len(part.tool_call.arguments)
        for message in conversation.messages
        for part in message.parts
        if part.HasField("tool_call")
    )


def _to_message(message: conversation_pb.Message, path: str, violations: Violations) -> Message:
    if message.role not in _ROLES:
        violations.add(
            f"{path}.role", "must be ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT or ROLE_TOOL"
        )
    if not message.parts:
        violations.add(f"{path}.parts", "is empty; at least one part is needed")
    _check_kinds(message, path, violations)
    parts = (
        _to_part(part, f"{path}.parts[{index}]", violations)
        for index, part in enumerate(message.parts)
    )
    return Message(_ROLES.get(message.role, Role.USER), tuple(part for part in parts if part))


def _check_kinds(message: conversation_pb.Message, path: str, violations: Violations) -> None:
    """Demand that parts fit the role, and one `reasoning`: templates have a place for one."""
    has_reasoning = False
    for index, part in enumerate(message.parts):
        kind = part.WhichOneof("kind") or ""
        field = f"{path}.parts[{index}].{kind}"
        role = _ROLES_OF_KINDS.get(kind)
        if role is not None and message.role != role:
            violations.add(field, f"needs a message of {conversation_pb.Role.Name(role)}")
        elif kind and role is None and message.role == conversation_pb.ROLE_TOOL:
            violations.add(field, "a message of ROLE_TOOL has tool_result parts only")
        if kind == "reasoning" and has_reasoning:
            violations.add(field, "is the second of its message; join them")
        has_reasoning |= kind == "reasoning"


def _to_part(part: conversation_pb.Part, path: str, violations: Violations) -> Part | None:
    match part.WhichOneof("kind"):
        case "text":
            return TextPart(part.text)
        case None:
            violations.add(path, "is not set; set one of text, image, audio or video")
            return None
        case "tool_call":
            return to_tool_call(part.tool_call, f"{path}.tool_call", violations)
        case "tool_result":
            return to_tool_result(part.tool_result, f"{path}.tool_result", violations)
        case "reasoning":
            return ReasoningPart(part.reasoning)
        case kind:
            return to_media_part(getattr(part, kind), f"{path}.{kind}", violations)


def to_turn_part(part: conversation_pb.Part, path: str, violations: Violations) -> Part | None:
    """Convert a part of a turn in a session: what a user says, or what a tool gave."""
    kind = part.WhichOneof("kind")
    if kind in ("tool_call", "reasoning"):
        violations.add(f"{path}.{kind}", "is the model's to say")
        return None
    return _to_part(part, path, violations)


def to_media(
    parts: Iterable[conversation_pb.Part], violations: Violations
) -> tuple[MediaPart, ...]:
    """Convert the media of a finished prompt; what is wrong goes to `violations`."""
    media: list[MediaPart] = []
    for index, part in enumerate(parts):
        kind = part.WhichOneof("kind")
        if kind in _NO_MEDIA:
            violations.add(f"media[{index}].{kind}", "is no medium; text belongs into the prompt")
            continue
        found = _to_part(part, f"media[{index}]", violations)
        if isinstance(found, MediaPart):
            media.append(found)
    return tuple(media)


def to_media_part(
    message: media_pb.ImagePart | media_pb.AudioPart | media_pb.VideoPart,
    path: str,
    violations: Violations,
) -> MediaPart:
    """Convert one media part; `path` is where it stands in the request."""
    if isinstance(message, media_pb2.ImagePart):
        return _to_image(message, path, violations)
    if isinstance(message, media_pb2.AudioPart):
        return _to_audio(message, path, violations)
    return _to_video(message, path, violations)


def _to_image(image: media_pb.ImagePart, path: str, violations: Violations) -> ImagePart:
    max_pixels = _optional(image, "max_pixels")
    violations.check_range(f"{path}.max_pixels", max_pixels, 1)
    return ImagePart(path, _to_source(image.source, path, violations), max_pixels)


def _to_audio(audio: media_pb.AudioPart, path: str, violations: Violations) -> AudioPart:
    start_s, end_s = _to_cut(audio, path, violations)
    pcm = _to_pcm(audio.pcm, f"{path}.pcm", violations) if audio.HasField("pcm") else None
    return AudioPart(path, _to_source(audio.source, path, violations), start_s, end_s, pcm)


def _to_pcm(pcm: media_pb.PcmFormat, path: str, violations: Violations) -> PcmFormat:
    if pcm.encoding not in _PCM_ENCODINGS:
        violations.add(f"{path}.encoding", "must be one of PcmEncoding; it is unset")
    channels = _optional(pcm, "channels")
    violations.check_range(f"{path}.sample_rate_hz", pcm.sample_rate_hz, 1)
    violations.check_range(f"{path}.channels", channels, 1)
    encoding = _PCM_ENCODINGS.get(pcm.encoding, PcmEncoding.S16)
    return PcmFormat(encoding, pcm.sample_rate_hz, 1 if channels is None else channels)


def _to_video(video: media_pb.VideoPart, path: str, violations: Violations) -> VideoPart:
    start_s, end_s = _to_cut(video, path, violations)
    fps, num_frames = _optional(video, "fps"), _optional(video, "num_frames")
    violations.check_above(f"{path}.fps", fps, 0)
    violations.check_range(f"{path}.num_frames", num_frames, 1)
    source = _to_source(video.source, path, violations)
    return VideoPart(path, source, start_s, end_s, fps, num_frames, video.use_sound)


def _to_cut(
    part: media_pb.AudioPart | media_pb.VideoPart, path: str, violations: Violations
) -> tuple[float | None, float | None]:
    start_s, end_s = _optional(part, "start_s"), _optional(part, "end_s")
    violations.check_range(f"{path}.start_s", start_s, 0)
    violations.check_above(f"{path}.end_s", end_s, 0)
    if start_s is not None and end_s is not None and end_s <= start_s:
        violations.add(f"{path}.end_s", f"must be above start_s ({start_s:g}), got {end_s:g}")
    return start_s, end_s


def _to_source(source: media_pb.MediaSource, path: str, violations: Violations) -> MediaSource:
    sha256 = _optional(source, "sha256")
    if sha256 is not None and len(sha256) != _SHA256_BYTES:
        violations.add(f"{path}.source.sha256", f"must be 32 bytes, got {len(sha256)}")
    return MediaSource(_to_origin(source, path, violations), _optional(source, "mime_type"), sha256)


def _to_origin(source: media_pb.MediaSource, path: str, violations: Violations) -> Origin:
    kind = source.WhichOneof("source")
    if kind is None:
        violations.add(
            path, "has no source; set one of data, data_uri, url, path or media_id in `source`"
        )
        return InlineData(b"")
    value = getattr(source, kind)
    if not value:
        violations.add(path, f"source.{kind} is empty")
    if kind == "url" and len(value) > _MAX_URL_CHARACTERS:
        violations.add(f"{path}.source.url", f"must have at most {_MAX_URL_CHARACTERS} characters")
    return _ORIGINS[kind](value)


_ORIGINS: dict[str, Callable[[Any], Origin]] = {
    "data": InlineData,
    "data_uri": DataUri,
    "url": RemoteUrl,
    "path": ServerPath,
    "media_id": StoredMedia,
}


def _optional(message: Any, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None
