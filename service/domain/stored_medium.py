"""What the media store tells about a medium that it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredMedium:
    """A medium of one caller. It may be forgotten from `expires_at_s` on (seconds since 1970)."""

    media_id: str
    sha256: bytes
    expires_at_s: float
