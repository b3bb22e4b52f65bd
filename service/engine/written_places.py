"""Writes a medium's tokens into a prompt, for those processors of vLLM's that do not.

Mistral's own form of Pixtral and Voxtral: vLLM takes their prompts from mistral-common, all tokens
of all media written out, and only looks for them (vllm/model_executor/models/pixtral.py and
voxtral.py, `_maybe_apply_prompt_updates`); what it does not find it silently leaves out. It knows
which tokens a medium takes, though: the prompt updates that these processors make say it, and have
no target.

Tested by tests/unit/engine/test_written_places.py and tests/conformance/formats.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.media import PreparedMedia
from service.errors import InvalidRequestError


def write_places(token_ids: Sequence[int], media: Sequence[PreparedMedia]) -> list[int]:
    """Replace each placeholder by all tokens of its medium, where vLLM does not.

    A placeholder is the first of the medium's tokens: `[IMG]` of a picture's rows, which end with
    others, and `[AUDIO]`. Raises InvalidRequestError unless there is one for each medium.
    """
    rows = [
        update.content.full for one in media for update in one.item.updates if update.target == []
    ]
    ids, done = list(token_ids), 0
    written: list[int] = []
    for row in rows:
        at = _find(row[0], ids, done)
        if at is None:
            raise InvalidRequestError("prompt", _MISFIT)
        written += [*ids[done:at], *row]
        done = at + 1
    if rows and _find(rows[0][0], ids, done) is not None:
        raise InvalidRequestError("prompt", _MISFIT)
    return written + ids[done:]


_MISFIT = "its placeholders do not match its media"


def _find(token_id: int, ids: list[int], start: int) -> int | None:
    try:
        return ids.index(token_id, start)
    except ValueError:
        return None
