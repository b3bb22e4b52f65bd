"""What is asked of a stream: ids, how they come, what is before them, and where the text ends."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tokenizers import Tokenizer

from tests.conformance.streams.vocabularies import TEXTS

_BROKEN = "\ufffd"
# More than the client sends, so that what it leaves out is seen not to matter.
_LONG_CONTEXT = 200


@dataclass(frozen=True, kw_only=True)
class Case:
    """One output of an engine."""

    context: list[int]  # the prompt
    chunks: list[list[int]]  # what each step gives
    ends_with_stop_token: bool  # the last id of the last chunk
    skip_special_tokens: bool
    stop: list[str]
    include_stop_string: bool
    min_tokens: int

    def with_stops(self, text: str, random_: random.Random) -> Case:
        """Return the case with stop strings, some of which `text`, its whole text, has."""
        stop = [*_parts(text, random_, random_.randrange(1, 5))]
        if random_.random() < 0.5:  # some that begin as others do, and overlap
            one = random_.choice(stop)
            stop += [one + "?", one[1:] + "!", one[: len(one) // 2 + 1]]
            random_.shuffle(stop)
        return replace(self, stop=[one for one in stop if one])


def random_cases(tokenizer: Tokenizer, count: int, random_: random.Random) -> Iterator[Case]:
    """Yield cases without stop strings."""
    while count:
        context = _context(tokenizer, random_)
        skip = random_.random() < 0.5
        # What `tokenizers` gives out behind an unfinished context, all of it, we do not want.
        if tokenizer.decode(context, skip_special_tokens=skip).endswith(_BROKEN):
            continue
        if context and _continues_character(tokenizer, context[0]):
            continue
        ids = _ids(tokenizer, random_, random_.randrange(1, 30))
        yield Case(
            context=context,
            chunks=list(_chunks(ids, random_)),
            ends_with_stop_token=random_.random() < 0.3,
            skip_special_tokens=skip,
            stop=[],
            include_stop_string=random_.random() < 0.4,
            min_tokens=random_.choice((0, 0, 0, 1, 2, 5, 12)),
        )
        count -= 1


def _ids(tokenizer: Tokenizer, random_: random.Random, count: int) -> list[int]:
    """Return ids: of a text, or any, or any of a few, so that what they say comes again."""
    # A model's vocabulary may be larger.
    limit = tokenizer.get_vocab_size() + (3 if random_.random() < 0.2 else 0)
    kind = random_.randrange(4)
    if kind == 0:
        of_text = tokenizer.encode(random_.choice(TEXTS), add_special_tokens=False).ids
        at = random_.randrange(len(of_text))
        return of_text[at : at + count] or [0]
    few = [random_.randrange(limit) for _ in range(3 if kind == 1 else limit)]
    ids = [random_.choice(few) for _ in range(count)]
    if kind == 2:  # broken text, in which characters are whole
        of_text = tokenizer.encode(random_.choice(TEXTS), add_special_tokens=False).ids
        at = random_.randrange(len(ids))
        ids[at:at] = of_text[: random_.randrange(1, 12)]
    return ids


def _context(tokenizer: Tokenizer, random_: random.Random) -> list[int]:
    kind = random_.randrange(5)
    if kind == 0:
        return []
    if kind == 1:  # a prompt that ends with a medium
        return [*_ids(tokenizer, random_, 3), *([random_.randrange(4)] * random_.randrange(300))]
    return _ids(tokenizer, random_, _LONG_CONTEXT if kind == 2 else random_.randrange(1, 8))


def _chunks(ids: Sequence[int], random_: random.Random) -> Iterator[list[int]]:
    longest = random_.choice((1, 1, 2, 5, len(ids)))
    begin = 0
    while begin < len(ids):
        end = begin + random_.randint(1, longest)
        yield list(ids[begin:end])
        begin = end


def _parts(text: str, random_: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        at = random_.randrange(len(text) + 1)
        part = text[at : at + random_.choice((1, 2, 3, 6, 12))]
        yield part or random_.choice(("a", " ", "never"))


def _continues_character(tokenizer: Tokenizer, token_id: int) -> bool:
    token = tokenizer.id_to_token(token_id) or ""
    return token.startswith("<0x") and 0x80 <= int(token[3:5], 16) < 0xC0
