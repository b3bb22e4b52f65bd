"""What a client says to a model: messages made of typed parts, or a finished prompt.

`field` on a media part is the path of the part in the request, such as
`conversation.messages[0].parts[1].image`; every error about the part names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class InlineSource:
    """The encoded file itself, with what the caller claims about it."""

    data: bytes = field(repr=False)
    mime_type: str | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A still picture; scaled down to `max_pixels` (width times height) when that is set."""

    field: str
    source: InlineSource
    max_pixels: int | None = None
    modality = Modality.IMAGE


@dataclass(frozen=True, slots=True)
class AudioPart:
    """A sound, cut to [start_s, end_s) seconds."""

    field: str
    source: InlineSource
    start_s: float | None = None
    end_s: float | None = None
    modality = Modality.AUDIO


@dataclass(frozen=True, slots=True)
class VideoPart:
    """A moving picture, cut to [start_s, end_s); at most one of `fps`, `num_frames` is set."""

    field: str
    source: InlineSource
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    num_frames: int | None = None
    modality = Modality.VIDEO


MediaPart = ImagePart | AudioPart | VideoPart
Part = TextPart | MediaPart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one speaker."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A whole exchange, oldest message first."""

    messages: tuple[Message, ...]

    def media_parts(self) -> tuple[MediaPart, ...]:
        """Return the media parts in reading order."""
        return tuple(
            part
            for message in self.messages
            for part in message.parts
            if not isinstance(part, TextPart)
        )


@dataclass(frozen=True, slots=True)
class RawText:
    """A finished prompt; control tokens in it are obeyed."""

    text: str


@dataclass(frozen=True, slots=True)
class RawTokenIds:
    """A finished prompt as token ids."""

    token_ids: tuple[int, ...]


Prompt = Conversation | RawText | RawTokenIds


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How a conversation becomes a prompt (the contract's `PromptOptions`)."""

    add_generation_prompt: bool = True
    continue_final_message: bool = False
    trust_special_tokens: bool = False
