"""A prober in memory: it describes every medium alike, and keeps what it was asked."""

from __future__ import annotations

from service.domain.conversation import MediaPart, Modality
from service.domain.media import MediaDescription


class FakeProber:
    """Counts 7 tokens for an image, and takes no other kind."""

    def __init__(self) -> None:
        self.asked: list[tuple[MediaPart, str]] = []

    async def probe(self, part: MediaPart, caller: str) -> tuple[MediaDescription, int | None]:
        """Describe a part."""
        self.asked.append((part, caller))
        description = MediaDescription(
            modality=part.modality,
            mime_type=f"{part.modality}/fake",
            size_bytes=5,
            width=640,
            height=480,
            duration_s=2.5,
            frames=75,
            sampled_frames=4,
            channels=2,
            sample_rate_hz=44_100,
        )
        return description, 7 if part.modality is Modality.IMAGE else None

    async def usual_costs(self) -> dict[Modality, float]:
        """Tell what an image costs."""
        return {Modality.IMAGE: 7.0}
