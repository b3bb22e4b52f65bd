"""What is known of a family of models."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.conversation import Modality


@dataclass(frozen=True, slots=True)
class Family:
    """A format's name, the `model_type`s that use it, and the token that stands for each medium.

    vLLM replaces that token by as many as the medium takes.
    """

    name: str
    model_types: frozenset[str]
    placeholders: dict[Modality, str]
