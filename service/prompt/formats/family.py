"""What is known of a family of models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.domain.conversation import Modality

NUMBER = "{number}"


@dataclass(frozen=True, slots=True)
class Family:
    """A format's name, the `model_type`s that use it, and what stands for each medium.

    `placeholders` are what the engine replaces by as many tokens as the medium takes. One stands
    in the finished prompt for each medium.

    `strings` are what a template that takes plain text is given for a medium, where that is more
    than the placeholder: markers around it, or a name in front. `{number}`, in both, counts the
    media of that kind in the conversation, from 1.

    `order` lists the kinds whose places the family's templates put first in a message, in that
    order, wherever its parts are; empty: places are where the parts are.

    `unwritten` kinds have no place in the text: the model's own processor puts them in.

    `vision_types`, when not empty, are the `vision_config.model_type`s that tell the family from
    another of the same `model_type`.

    `default_template` is for checkpoints that ship none. None: it would be a guess.

    `tekken_templates` are those of Mistral's own format, by the version that tekken.json tells.
    They go before the checkpoint's own, which the engine does not look at either, and leave the
    final message open themselves where `continue_final_message` is true.
    """

    name: str
    model_types: frozenset[str]
    placeholders: dict[Modality, str]
    strings: dict[Modality, str] = field(default_factory=dict)
    order: tuple[Modality, ...] = ()
    unwritten: frozenset[Modality] = frozenset()
    vision_types: frozenset[str] = frozenset()
    default_template: str | None = None
    tekken_templates: dict[str, str] = field(default_factory=dict)

    def string_for(self, modality: Modality, number: int) -> str | None:
        """Return what stands for the medium in plain text; None for a kind without a place."""
        string = self.strings.get(modality) or self.placeholders.get(modality)
        return string.replace(NUMBER, str(number)) if string else None

    def find_places(self, text: str) -> Iterator[tuple[int, Modality]]:
        """Yield where a placeholder starts, and for which kind of medium, in order."""
        kinds = {f"kind_{kind}": kind for kind in self.placeholders}
        pattern = "|".join(
            f"(?P<kind_{kind}>{re.escape(token).replace(re.escape(NUMBER), '[0-9]+')})"
            for kind, token in self.placeholders.items()
        )
        for found in re.finditer(pattern or "(?!)", text):
            yield found.start(), kinds[found.lastgroup or ""]
