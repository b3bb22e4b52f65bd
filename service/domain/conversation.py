"""What a client says to a model: messages made of typed parts, or a finished prompt.

`field` on a media part is the path of the part in the request, such as
`conversation.messages[0].parts[1].image` or `media[0].image`; every error about the part names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from service.domain.tools import Tools


class Modality(StrEnum):
    """A kind of input."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class Role(StrEnum):
    """Who speaks; the values are the names that chat templates use."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class InlineData:
    """The encoded file itself."""

    data: bytes = field(repr=False)
    kind = "data"


@dataclass(frozen=True, slots=True)
class DataUri:
    """An RFC 2397 data URI."""

    uri: str = field(repr=False)
    kind = "data_uri"


@dataclass(frozen=True, slots=True)
class RemoteUrl:
    """An http or https URL, as the caller wrote it."""

    url: str
    kind = "url"


@dataclass(frozen=True, slots=True)
class ServerPath:
    """A file on the server, as the caller wrote it."""

    path: str
    kind = "path"


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """What the same caller has uploaded."""

    media_id: str
    kind = "media_id"


@dataclass(frozen=True, slots=True)
class HeldMedia:
    """A file that a session has got before, and holds; `medium` is the media's own object."""

    medium: Any = field(repr=False)
    kind = "data"


Origin = InlineData | DataUri | RemoteUrl | ServerPath | StoredMedia | HeldMedia


@dataclass(frozen=True, slots=True)
class MediaSource:
    """Where the encoded file comes from, with what the caller claims about it."""

    origin: Origin
    mime_type: str | None = None
    sha256: bytes | None = None

    @property
    def is_sent(self) -> bool:
        """Whether the bytes came with the request."""
        return isinstance(self.origin, InlineData | DataUri)


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A still picture; scaled down to `max_pixels` (width times height) when that is set."""

    field: str
    source: MediaSource
    max_pixels: int | None = None
    modality = Modality.IMAGE


class PcmEncoding(StrEnum):
    """The type of one headerless sample, little-endian; the values are libsndfile's names."""

    S16 = "PCM_16"
    S24 = "PCM_24"
    S32 = "PCM_32"
    F32 = "FLOAT"


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """What headerless samples are; channels are interleaved."""

    encoding: PcmEncoding
    sample_rate_hz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class AudioPart:
    """A sound, cut to [start_s, end_s) seconds; a file, or headerless samples if `pcm` is set."""

    field: str
    source: MediaSource
    start_s: float | None = None
    end_s: float | None = None
    pcm: PcmFormat | None = None
    modality = Modality.AUDIO


@dataclass(frozen=True, slots=True)
class VideoPart:
    """A moving picture, cut to [start_s, end_s); at most one of `fps`, `num_frames` is set."""

    field: str
    source: MediaSource
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    num_frames: int | None = None
    use_sound: bool = False
    modality = Modality.VIDEO


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A call that the model made; `arguments` is a JSON object. An empty `id` is none."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a call gave, alone or with others in a message of Role.TOOL. Empty names are none."""

    tool_call_id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """What the model thought before it answered."""

    text: str


MediaPart = ImagePart | AudioPart | VideoPart
Part = TextPart | MediaPart | ToolCallPart | ToolResultPart | ReasoningPart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one speaker."""

    role: Role
    parts: tuple[Part, ...]

    def media_parts(self) -> tuple[MediaPart, ...]:
        """Return the media parts in reading order."""
        return tuple(part for part in self.parts if isinstance(part, MediaPart))


@dataclass(frozen=True, slots=True)
class Conversation:
    """A whole exchange, oldest message first, and the tools that may be called in it."""

    messages: tuple[Message, ...]
    tools: Tools = field(default_factory=Tools)

    def media_parts(self) -> tuple[MediaPart, ...]:
        """Return the media parts in reading order."""
        return tuple(part for message in self.messages for part in message.media_parts())


@dataclass(frozen=True, slots=True)
class RawText:
    """A finished prompt; control tokens in it are obeyed, placeholders stand for `media`."""

    text: str
    media: tuple[MediaPart, ...] = ()

    def media_parts(self) -> tuple[MediaPart, ...]:
        """Return the media parts in reading order."""
        return self.media


@dataclass(frozen=True, slots=True)
class RawTokenIds:
    """A finished prompt as token ids, one placeholder in it for each of `media`."""

    token_ids: tuple[int, ...]
    media: tuple[MediaPart, ...] = ()

    def media_parts(self) -> tuple[MediaPart, ...]:
        """Return the media parts in reading order."""
        return self.media


Prompt = Conversation | RawText | RawTokenIds


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How a prompt is made (the contract's `PromptOptions`)."""

    add_generation_prompt: bool = True
    continue_final_message: bool = False
    trust_special_tokens: bool = False
    add_special_tokens: bool = False
    template_arguments: Mapping[str, Any] = field(default_factory=dict)
    # Keep the last so many ids, at most what the context takes; -1: as many as it takes.
    truncate_prompt_tokens: int | None = None
