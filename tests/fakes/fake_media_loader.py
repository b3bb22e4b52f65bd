"""A media loader in memory: the bytes of a picture are its one row of grey pixels."""

from __future__ import annotations

import hashlib

import numpy as np

from service.domain.conversation import AudioPart, ImagePart, MediaPart
from service.domain.media import DecodedAudio, DecodedImage, DecodedMedia, DecodedVideo
from service.errors import MediaUndecodableError


class FakeMediaLoader:
    """Decodes anything but `b"broken"`."""

    async def load(self, part: MediaPart) -> DecodedMedia:
        """Decode one part."""
        data = part.source.data
        if data == b"broken":
            raise MediaUndecodableError(part.field, "the bytes are broken")
        values = np.frombuffer(data, np.uint8)
        digest = hashlib.sha256(data).hexdigest()
        if isinstance(part, ImagePart):
            return DecodedImage(part.field, digest, np.repeat(values, 3).reshape(1, -1, 3))
        if isinstance(part, AudioPart):
            return DecodedAudio(part.field, digest, values.astype(np.float32) / 255, 16_000)
        frames = np.repeat(values, 3).reshape(-1, 1, 1, 3)
        count = len(frames)
        return DecodedVideo(part.field, digest, frames, 1.0, count, count, tuple(range(count)))
