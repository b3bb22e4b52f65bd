"""Turns the contract's conversation into the domain's, checking every part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.conversation import (
    AudioPart,
    Conversation,
    ImagePart,
    InlineSource,
    Message,
    Part,
    Role,
    TextPart,
    VideoPart,
)
from service.errors import MediaSourceUnsupportedError
from triptych.v1 import conversation_pb2 as conversation_pb

if TYPE_CHECKING:
    from service.rpc.violations import Violations
    from triptych.v1 import media_pb2 as media_pb

_ROLES = {
    conversation_pb.ROLE_SYSTEM: Role.SYSTEM,
    conversation_pb.ROLE_USER: Role.USER,
    conversation_pb.ROLE_ASSISTANT: Role.ASSISTANT,
}
_SHA256_BYTES = 32


def to_conversation(
    conversation: conversation_pb.Conversation, violations: Violations
) -> Conversation:
    """Convert; raises MediaSourceUnsupportedError for a source that is not served yet."""
    if not conversation.messages:
        violations.add("conversation.messages", "is empty; at least one message is needed")
    return Conversation(
        tuple(
            _to_message(message, f"conversation.messages[{index}]", violations)
            for index, message in enumerate(conversation.messages)
        )
    )


def _to_message(message: conversation_pb.Message, path: str, violations: Violations) -> Message:
    if message.role not in _ROLES:
        violations.add(
            f"{path}.role", "must be ROLE_SYSTEM, ROLE_USER or ROLE_ASSISTANT; it is unset"
        )
    if not message.parts:
        violations.add(f"{path}.parts", "is empty; at least one part is needed")
    parts = (
        _to_part(part, f"{path}.parts[{index}]", violations)
        for index, part in enumerate(message.parts)
    )
    return Message(_ROLES.get(message.role, Role.USER), tuple(part for part in parts if part))


def _to_part(part: conversation_pb.Part, path: str, violations: Violations) -> Part | None:
    match part.WhichOneof("kind"):
        case "text":
            return TextPart(part.text)
        case "image":
            return _to_image(part.image, f"{path}.image", violations)
        case "audio":
            return _to_audio(part.audio, f"{path}.audio", violations)
        case "video":
            return _to_video(part.video, f"{path}.video", violations)
        case _:
            violations.add(path, "is not set; set one of text, image, audio or video")
            return None


def _to_image(image: media_pb.ImagePart, path: str, violations: Violations) -> ImagePart:
    max_pixels = _optional(image, "max_pixels")
    violations.check_range(f"{path}.max_pixels", max_pixels, 1)
    return ImagePart(path, _to_source(image.source, path, violations), max_pixels)


def _to_audio(audio: media_pb.AudioPart, path: str, violations: Violations) -> AudioPart:
    start_s, end_s = _to_cut(audio, path, violations)
    return AudioPart(path, _to_source(audio.source, path, violations), start_s, end_s)


def _to_video(video: media_pb.VideoPart, path: str, violations: Violations) -> VideoPart:
    start_s, end_s = _to_cut(video, path, violations)
    fps, num_frames = _optional(video, "fps"), _optional(video, "num_frames")
    violations.check_above(f"{path}.fps", fps, 0)
    violations.check_range(f"{path}.num_frames", num_frames, 1)
    source = _to_source(video.source, path, violations)
    return VideoPart(path, source, start_s, end_s, fps, num_frames)


def _to_cut(
    part: media_pb.AudioPart | media_pb.VideoPart, path: str, violations: Violations
) -> tuple[float | None, float | None]:
    start_s, end_s = _optional(part, "start_s"), _optional(part, "end_s")
    violations.check_range(f"{path}.start_s", start_s, 0)
    violations.check_above(f"{path}.end_s", end_s, 0)
    if start_s is not None and end_s is not None and end_s <= start_s:
        violations.add(f"{path}.end_s", f"must be above start_s ({start_s:g}), got {end_s:g}")
    return start_s, end_s


def _to_source(source: media_pb.MediaSource, path: str, violations: Violations) -> InlineSource:
    kind = source.WhichOneof("source")
    if kind is None:
        violations.add(path, "has no source; set source.data to the bytes of the file")
    elif kind != "data":
        raise MediaSourceUnsupportedError(
            f"{path}.source.{kind}: this server version takes media only as source.data "
            "(the bytes of the file)",
            field=f"{path}.source.{kind}",
        )
    elif not source.data:
        violations.add(path, "source.data is empty; set it to the bytes of the file")
    sha256 = _optional(source, "sha256")
    if sha256 is not None and len(sha256) != _SHA256_BYTES:
        violations.add(f"{path}.source.sha256", f"must be 32 bytes, got {len(sha256)}")
    return InlineSource(source.data, _optional(source, "mime_type"), sha256)


def _optional(message: Any, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None
