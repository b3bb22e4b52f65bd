"""A medium's tokens are written into a prompt where vLLM's processor does not do it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from service.domain.conversation import Modality
from service.domain.media import PreparedMedia
from service.engine.prepared_items import PreparedItem
from service.engine.written_places import write_places
from service.errors import InvalidRequestError

IMG, BREAK, END = 10, 12, 13
SMALL, LARGE = [IMG, END], [IMG, IMG, BREAK, IMG, IMG, END]


def medium(tokens: list[int], target: list[int]) -> PreparedMedia:
    """Return a medium whose processor replaces `target` by `tokens`."""
    from vllm.multimodal.processing.processor import PromptReplacement

    update = PromptReplacement(modality="image", target=target, replacement=tokens).resolve(0)
    item = PreparedItem(SimpleNamespace(), [update])
    return PreparedMedia("image", Modality.IMAGE, "hash", item)


def test_each_placeholder_becomes_its_mediums_tokens() -> None:
    media = [medium(LARGE, []), medium(SMALL, [])]

    assert [1, *LARGE, 2, *SMALL] == write_places([1, IMG, 2, IMG], media)
    assert [*LARGE, *SMALL, 3] == write_places((IMG, IMG, 3), media)


def test_other_processors_write_them_themselves() -> None:
    assert [1, IMG, 2] == write_places([1, IMG, 2], [medium(LARGE, [IMG])])
    assert [1, IMG] == write_places([1, IMG], [])


@pytest.mark.parametrize("token_ids", [[1], [1, IMG], [IMG, IMG, IMG], [1, BREAK, END]])
def test_as_many_placeholders_as_media(token_ids: list[int]) -> None:
    with pytest.raises(InvalidRequestError, match="placeholders do not match its media"):
        write_places(token_ids, [medium(LARGE, []), medium(SMALL, [])])
