"""A tokenizer in memory: the token ids of a text are its bytes in UTF-8.

Special tokens have ids from 256 on. It keeps the promises of the `Tokenizer` port, proved by the
contract suite that the real client passes too (tests/contract/tokenizer_contract.py).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from service.domain.prompt import ByteSpan
from service.domain.tokens import EncodedText, StreamText
from service.errors import InvalidRequestError, TokenizerUnavailableError

_FIRST_SPECIAL_ID = 256


class FakeTokenizer:
    """Bytes as token ids, and a few special tokens."""

    def __init__(self, special_tokens: Sequence[str] = ("<|begin|>", "<|end|>")) -> None:
        """The first special token is the one that `add_special_tokens` puts in front."""
        self._ids = {token: _FIRST_SPECIAL_ID + i for i, token in enumerate(special_tokens)}
        self._tokens = {token_id: token for token, token_id in self._ids.items()}
        self.is_available = True  # False: every call fails, as while the sidecar is away

    async def encode(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> list[int]:
        """Return the bytes, and the ids of special tokens outside `literal_spans`."""
        encoded = await self.encode_with_spans(
            text, literal_spans=literal_spans, add_special_tokens=add_special_tokens
        )
        return encoded.token_ids

    async def encode_with_spans(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> EncodedText:
        """Return the ids as `encode` does, and the bytes of the text that each stands for."""
        self._reject_unavailable()
        try:
            data = text.encode()
        except UnicodeEncodeError as exc:
            raise InvalidRequestError("text", str(exc)) from exc
        _reject_bad_spans(data, literal_spans)
        ids = [_FIRST_SPECIAL_ID] if add_special_tokens else []
        spans = [ByteSpan(0, 0) for _ in ids]
        done = 0
        for match in re.finditer("|".join(map(re.escape, self._ids)).encode(), data):
            if any(s.start < match.end() and match.start() < s.end for s in literal_spans):
                continue
            ids += [*data[done : match.start()], self._ids[match[0].decode()]]
            spans += [*_each_byte(done, match.start()), ByteSpan(*match.span())]
            done = match.end()
        return EncodedText([*ids, *data[done:]], [*spans, *_each_byte(done, len(data))])

    async def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Return the text of all ids."""
        self._reject_unavailable()
        return self.bytes_of(token_ids, skip_special_tokens).decode(errors="replace")

    def open_stream(
        self,
        *,
        skip_special_tokens: bool = True,
        stop_strings: Sequence[str] = (),
        include_stop_string: bool = False,
        context_token_ids: Sequence[int] = (),
        min_tokens: int = 0,
    ) -> FakeTokenStream:
        """Start decoding one output."""
        _reject_impossible_ids("context_token_ids", context_token_ids)
        stops = FakeStopFinder(stop_strings, include=include_stop_string)
        stream = FakeTokenStream(
            self, stops, skip_special_tokens=skip_special_tokens, min_tokens=min_tokens
        )
        stream.begin_behind(context_token_ids)
        return stream

    def bytes_of(self, token_ids: Sequence[int], skip_special_tokens: bool) -> bytes:
        """Return the bytes of the ids; raise where one is not a token."""
        for index, token_id in enumerate(token_ids):
            if not (0 <= token_id < _FIRST_SPECIAL_ID or token_id in self._tokens):
                raise InvalidRequestError(f"token_ids[{index}]", f"{token_id} is not a token")
        return b"".join(self.bytes_of_one(i, skip_special_tokens) for i in token_ids)

    def bytes_of_one(self, token_id: int, skip_special_tokens: bool) -> bytes:
        """Return the bytes of an id; none where it is not a token."""
        if token_id < _FIRST_SPECIAL_ID:
            return bytes([token_id])
        return b"" if skip_special_tokens else self._tokens.get(token_id, "").encode()

    def _reject_unavailable(self) -> None:
        if not self.is_available:
            raise TokenizerUnavailableError("the fake tokenizer is switched off")


class FakeStopFinder:
    """Ends a text at a stop string, in the plainest way: it looks through the whole text again."""

    def __init__(self, stop_strings: Sequence[str], *, include: bool) -> None:
        """Begin with no text."""
        self._stop_strings = stop_strings
        self._include = include
        self._text = ""
        self._given = 0  # characters of the text that were given out
        self.stop_index: int | None = None

    def add(self, text: str, *, may_stop: bool = True, is_last: bool = False) -> str:
        """Return what can be given out now."""
        stop_strings = self._stop_strings if may_stop else ()
        for character in text:
            self._text += character
            self.stop_index = next(
                (i for i, s in enumerate(stop_strings) if s and self._text.endswith(s)), None
            )
            if self.stop_index is not None:
                left_out = 0 if self._include else len(self._stop_strings[self.stop_index])
                return self._give_up_to(len(self._text) - left_out)
        held = (
            0
            if is_last
            else max((self._size_of_beginning(s) for s in self._stop_strings), default=0)
        )
        return self._give_up_to(len(self._text) - held)

    def _size_of_beginning(self, stop: str) -> int:
        if self._include:  # what begins a stop string belongs to the text, whatever follows
            return 0
        return next((n for n in range(len(stop) - 1, 0, -1) if self._text.endswith(stop[:n])), 0)

    def _give_up_to(self, end: int) -> str:
        given, self._given = self._given, max(end, self._given)
        return self._text[given:end]


class FakeTokenStream:
    """One growing output."""

    def __init__(
        self,
        tokenizer: FakeTokenizer,
        stops: FakeStopFinder,
        *,
        skip_special_tokens: bool,
        min_tokens: int,
    ) -> None:
        """Begin with nothing."""
        self._tokenizer = tokenizer
        self._stops = stops
        self._skip_special_tokens = skip_special_tokens
        self._min_tokens = min_tokens
        self._token_count = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""  # decoded, but it looks like half a character
        self.is_closed = False

    def begin_behind(self, token_ids: Sequence[int]) -> None:
        """Take ids as context: what they leave unfinished is all that is kept of them."""
        for token_id in token_ids:
            self._decoder.decode(self._bytes_of(token_id))

    async def append(self, token_ids: Sequence[int]) -> StreamText:
        """Add ids; return the text that is now certain."""
        self._reject_closed()
        _reject_impossible_ids("token_ids[{index}]", token_ids)
        text = ""
        used = 0
        while used < len(token_ids) and self._stops.stop_index is None:
            text += self._add(token_ids[used])
            used += 1
        return StreamText(text, self._stops.stop_index, used)

    def _add(self, token_id: int) -> str:
        self._token_count += 1
        self._held += self._decoder.decode(self._bytes_of(token_id))
        is_half_a_character = bool(self._decoder.getstate()[0])
        if is_half_a_character or self._held.endswith("\ufffd"):
            return ""
        text, self._held = self._held, ""
        return self._stops.add(text, may_stop=self._token_count > self._min_tokens)

    def _bytes_of(self, token_id: int) -> bytes:
        return self._tokenizer.bytes_of_one(token_id, self._skip_special_tokens)

    async def flush(self) -> StreamText:
        """End the stream; return what could have become a stop string."""
        self._reject_closed()
        self.is_closed = True
        text = "" if self._stops.stop_index is not None else self._stops.add("", is_last=True)
        return StreamText(text, self._stops.stop_index)

    def close(self) -> None:
        """Forget the stream without flushing."""
        self.is_closed = True

    def _reject_closed(self) -> None:
        if self.is_closed:
            raise RuntimeError("the token stream has ended")


def _reject_impossible_ids(field: str, token_ids: Sequence[int]) -> None:
    for index, token_id in enumerate(token_ids):
        if not 0 <= token_id < 1 << 32:
            raise InvalidRequestError(field.format(index=index), f"not a token id: {token_id}")


def _each_byte(begin: int, end: int) -> list[ByteSpan]:
    return [ByteSpan(at, at + 1) for at in range(begin, end)]


def _reject_bad_spans(data: bytes, spans: Sequence[ByteSpan]) -> None:
    end = 0
    for index, span in enumerate(spans):
        try:
            data[: span.start].decode()
            data[: span.end].decode()
        except UnicodeDecodeError as exc:
            raise InvalidRequestError(f"literal_spans[{index}]", "cuts a character") from exc
        if not end <= span.start <= span.end <= len(data):
            raise InvalidRequestError(f"literal_spans[{index}]", "is not within the text in order")
        end = span.end
