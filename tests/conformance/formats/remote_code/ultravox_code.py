"""Ultravox' processor: a sound in pieces as long as Whisper hears; vLLM 0.32 has the config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin

# In features; 30 s.
_HEARD = 3000


class UltravoxProcessor(ProcessorMixin):
    """Whisper's feature extractor and the tokenizer.

    A place in the prompt stands for `stack_factor` frames of the encoder, which makes one of two.
    """

    def __init__(
        self,
        audio_processor: Any = None,
        tokenizer: Any = None,
        stack_factor: int = 8,
        chat_template: str | None = None,
    ) -> None:
        super().__init__(audio_processor, tokenizer, chat_template=chat_template)
        self.stack_factor = stack_factor

    def __call__(
        self,
        text: str | None = None,
        audios: Sequence[np.ndarray] | None = None,
        sampling_rate: int | None = None,
        return_tensors: str | None = None,
        **_: Any,
    ) -> BatchFeature:
        """Return each piece's features, its length in them and in places; and how many each has."""
        if audios is None:
            return BatchFeature(self.tokenizer(text))
        pieces = [self._cut(audio) for audio in audios]
        lengths = [len(piece) // self._hop for sound in pieces for piece in sound]
        features = self.audio_processor(
            [piece for sound in pieces for piece in sound],
            sampling_rate=sampling_rate,
            padding="longest",
            return_tensors="pt",
        )
        data = {
            "audio_values": features["input_features"],
            "audio_lens": torch.tensor(lengths),
            "audio_token_len": torch.tensor([self._places(length) for length in lengths]),
            "audio_num_chunks": torch.tensor([len(sound) for sound in pieces]),
        }
        return BatchFeature(data, tensor_type=return_tensors)

    @property
    def _hop(self) -> int:
        """How many samples a feature stands for."""
        return int(self.audio_processor.hop_length)

    def _cut(self, audio: np.ndarray) -> list[np.ndarray]:
        size = _HEARD * self._hop
        return [audio[start : start + size] for start in range(0, len(audio), size)]

    def _places(self, length: int) -> int:
        frames = -(-length // 2)
        return max(1, -(-frames // self.stack_factor))
