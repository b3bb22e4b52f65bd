"""What a caller may ask: media with their options, messages, and finished prompts.

Plain values; nothing here reads a file or touches the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, TypeAlias, get_args

from triptych_client._tools import ToolCall, ToolResult

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Bytes: TypeAlias = bytes | bytearray | memoryview
PcmEncoding: TypeAlias = Literal["s16", "s24", "s32", "f32"]
File: TypeAlias = str | os.PathLike[str]

_SOURCES = ("file", "data", "url", "data_uri", "server_path", "media_id")


@dataclass(frozen=True, slots=True)
class Medium:
    """Where the bytes of a medium come from; exactly one source is given."""

    #: A file on this machine; it is read when the call is made.
    file: File | None = None
    _: KW_ONLY
    #: The encoded file itself, such as the content of a PNG or WAV file.
    data: Bytes | None = field(default=None, repr=False)
    #: A URL that the server fetches, if it allows that.
    url: str | None = None
    #: An RFC 2397 data URI with base64 content.
    data_uri: str | None = field(default=None, repr=False)
    #: A file on the server's machine, if it allows that.
    server_path: str | None = None
    #: What the server's media service gave.
    media_id: str | None = None
    #: Such as `image/png`; the server checks it against the content.
    mime_type: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot name one medium."""
        if isinstance(self.file, (bytes, bytearray, memoryview)):
            message = f"the first argument is a file's name; write {type(self).__name__}(data=...)"
            raise TypeError(message)
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            wrong = " and ".join(given) or "none"
            message = (
                f"{type(self).__name__} takes exactly one of {', '.join(_SOURCES)}; got {wrong}"
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Medium):
    """A still picture: `Image("photo.jpg")`."""

    #: Upper bound for width times height; a larger picture is scaled down by the server.
    max_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class Pcm:
    """What samples without a header are: little-endian, channels interleaved."""

    #: Samples a second of each channel.
    sample_rate_hz: int
    channels: int = 1
    #: Signed integers of 16, 24 or 32 bits, or 32-bit floats.
    encoding: PcmEncoding = "s16"

    def __post_init__(self) -> None:
        """Refuse a type of sample that the contract does not have."""
        if self.encoding not in get_args(PcmEncoding):
            known = ", ".join(get_args(PcmEncoding))
            message = f"encoding is one of {known}, got {self.encoding!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(Medium):
    """A sound: `Audio("speech.wav", start_s=1.5)`."""

    #: First and last moment that are used, in seconds from the start.
    start_s: float | None = None
    end_s: float | None = None
    #: What the samples are, when they have no header to tell it.
    pcm: Pcm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(Medium):
    """A moving picture: `Video("clip.mp4", num_frames=8)`."""

    #: First and last moment that are used, in seconds from the start.
    start_s: float | None = None
    end_s: float | None = None
    #: Frames a second, or how many frames in all; at most one of the two.
    fps: float | None = None
    num_frames: int | None = None
    #: Give the model the sound too; for models that watch and listen at once.
    use_sound: bool | None = None

    def __post_init__(self) -> None:
        """Refuse two ways of choosing frames."""
        Medium.__post_init__(self)
        if self.fps is not None and self.num_frames is not None:
            message = "Video takes fps or num_frames, not both"
            raise ValueError(message)


Part: TypeAlias = str | Image | Audio | Video | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one speaker; a single part may stand without a list."""

    role: Role
    parts: Part | Sequence[Part]


@dataclass(frozen=True, slots=True)
class RawText:
    """A finished prompt: no chat format is applied, and control tokens in it are obeyed.

    Its placeholders, such as `<image>`, stand for `media`, in their order; a text without any gets
    them in front.
    """

    text: str
    media: Sequence[Image | Audio | Video] = ()


@dataclass(frozen=True, slots=True)
class TokenIds:
    """A finished prompt as token ids of the model's vocabulary, one placeholder for each medium."""

    ids: Sequence[int]
    media: Sequence[Image | Audio | Video] = ()


# One kind of list, so that type checkers know what a literal of mixed parts is; a list of both
# parts and messages is refused when it is sent.
Prompt: TypeAlias = Part | Sequence[Part | Message] | RawText | TokenIds
