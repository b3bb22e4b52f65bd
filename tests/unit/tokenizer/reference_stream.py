"""What Hugging Face `tokenizers` gives for ids that come one by one."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

_INVALID_PREFIX = "Invalid prefix encountered"


def step_texts(
    reference: Tokenizer, ids: Sequence[int], *, skip: bool, context: Sequence[int] = ()
) -> list[str]:
    """Return the text that each id adds.

    DecodeStream fails where a broken run of byte tokens changes what it gave out; then it begins
    again with the id at which it failed, as vLLM lets it.
    """
    decode_stream = DecodeStream(ids=list(context), skip_special_tokens=skip)
    texts = []
    for token_id in ids:
        try:
            text = decode_stream.step(reference, token_id)
        except Exception as failure:
            if not str(failure).startswith(_INVALID_PREFIX):
                raise
            decode_stream = DecodeStream(skip_special_tokens=skip)
            text = decode_stream.step(reference, token_id)
        texts.append(text or "")
    return texts
