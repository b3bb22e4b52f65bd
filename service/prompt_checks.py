"""What must be right with a prompt before any medium of it costs something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from service.domain.conversation import MediaPart, Modality, VideoPart
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    ModalityUnsupportedError,
    PromptTooLongError,
)

# Enough to say that it is wrong; a text may have millions.
_MOST_PLACES = 1000


def check_kinds(parts: Sequence[MediaPart], limits: Mapping[Modality, int]) -> None:
    """Refuse a kind of media that the model does not take; `limits` has those that it takes."""
    for part in parts:
        if part.modality not in limits:
            takes = ", ".join(limits) or "text only"
            raise ModalityUnsupportedError(
                part.field,
                f"the model does not take {part.modality}; it takes {takes}",
                modality=str(part.modality),
            )
        if isinstance(part, VideoPart) and part.use_sound and Modality.AUDIO not in limits:
            raise ModalityUnsupportedError(
                f"{part.field}.use_sound", "the model hears nothing", modality=Modality.AUDIO.value
            )


def check_numbers(parts: Sequence[MediaPart], limits: Mapping[Modality, int]) -> None:
    """Refuse more parts of a kind than the model takes; the first one too many is named."""
    counts: Counter[Modality] = Counter()
    for part in parts:
        counts[part.modality] += 1
        limit = limits[part.modality]
        if counts[part.modality] > limit:
            total = sum(other.modality is part.modality for other in parts)
            raise LimitExceededError(part.field, f"{part.modality} parts a request", limit, total)


def check_length(token_ids: Sequence[int], max_prompt_tokens: int) -> None:
    """Refuse a prompt that is too long even without its media."""
    if len(token_ids) > max_prompt_tokens:
        raise PromptTooLongError("prompt", "max_model_tokens", max_prompt_tokens, len(token_ids))


def check_ids(field: str, token_ids: Sequence[int], vocabulary_size: int) -> None:
    """Refuse ids that the model does not have."""
    for index, token_id in enumerate(token_ids):
        if token_id >= vocabulary_size:
            raise InvalidRequestError(
                f"{field}[{index}]",
                f"{token_id} is not below the vocabulary's size of {vocabulary_size}",
            )


def check_places(
    field: str,
    found: Iterable[Modality],
    parts: Sequence[MediaPart],
    placeholders: Mapping[Modality, str],
) -> None:
    """Refuse a prompt that has not one place for each medium; `found` are its places.

    Kinds without a placeholder are not counted.
    """
    counts = Counter(islice(found, _MOST_PLACES))
    media = Counter(part.modality for part in parts)
    is_whole = counts.total() < _MOST_PLACES
    wrong = [
        f"the prompt has {_listed(counts[kind], 'placeholder')} {placeholder} "
        f"for {_listed(media[kind], f'{kind} part')}"
        for kind, placeholder in placeholders.items()
        if counts[kind] != media[kind]
    ]
    if wrong and not is_whole:
        wrong.append(f"only its first {_MOST_PLACES} placeholders were counted")
    if wrong:
        raise InvalidRequestError(field, "; ".join(wrong))


def _listed(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
