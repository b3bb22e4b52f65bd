"""The contract's names for the kinds of input."""

from __future__ import annotations

from service.domain.conversation import Modality
from triptych.v1 import media_pb2

MODALITIES = {
    Modality.TEXT: media_pb2.MODALITY_TEXT,
    Modality.IMAGE: media_pb2.MODALITY_IMAGE,
    Modality.AUDIO: media_pb2.MODALITY_AUDIO,
    Modality.VIDEO: media_pb2.MODALITY_VIDEO,
}
