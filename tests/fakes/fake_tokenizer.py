"""A tokenizer in memory: the token ids of a text are its bytes in UTF-8.

Special tokens have ids from 256 on. It keeps the promises of the `Tokenizer` port, proved by the
contract suite that the real client passes too (tests/contract/tokenizer_contract.py).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from service.domain.prompt import ByteSpan
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
        self._reject_unavailable()
        try:
            data = text.encode()
        except UnicodeEncodeError as exc:
            raise InvalidRequestError("text", str(exc)) from exc
        _reject_bad_spans(data, literal_spans)
        token_ids = [_FIRST_SPECIAL_ID] if add_special_tokens else []
        done = 0
        for match in re.finditer("|".join(map(re.escape, self._ids)).encode(), data):
            if any(s.start < match.end() and match.start() < s.end for s in literal_spans):
                continue
            token_ids += [*data[done : match.start()], self._ids[match[0].decode()]]
            done = match.end()
        return [*token_ids, *data[done:]]

    async def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Return the text of all ids."""
        self._reject_unavailable()
        return self.bytes_of(token_ids, skip_special_tokens).decode(errors="replace")

    def open_stream(self, *, skip_special_tokens: bool = True) -> FakeTokenStream:
        """Start decoding one output."""
        return FakeTokenStream(self, skip_special_tokens)

    def bytes_of(self, token_ids: Sequence[int], skip_special_tokens: bool) -> bytes:
        """Return the bytes of the ids; raise where one is not a token."""
        parts = []
        for index, token_id in enumerate(token_ids):
            if not (0 <= token_id < _FIRST_SPECIAL_ID or token_id in self._tokens):
                raise InvalidRequestError(f"token_ids[{index}]", f"{token_id} is not a token")
            if token_id < _FIRST_SPECIAL_ID:
                parts.append(bytes([token_id]))
            elif not skip_special_tokens:
                parts.append(self._tokens[token_id].encode())
        return b"".join(parts)

    def _reject_unavailable(self) -> None:
        if not self.is_available:
            raise TokenizerUnavailableError("the fake tokenizer is switched off")


class FakeTokenStream:
    """One growing output."""

    def __init__(self, tokenizer: FakeTokenizer, skip_special_tokens: bool) -> None:
        """Begin with nothing."""
        self._tokenizer = tokenizer
        self._skip_special_tokens = skip_special_tokens
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.is_closed = False

    async def append(self, token_ids: Sequence[int]) -> str:
        """Add ids; return the text that is now certain."""
        self._reject_closed()
        return self._decoder.decode(self._tokenizer.bytes_of(token_ids, self._skip_special_tokens))

    async def flush(self) -> str:
        """End the stream; return what was held back."""
        self._reject_closed()
        self.is_closed = True
        return self._decoder.decode(b"", final=True)

    def close(self) -> None:
        """Forget the stream without flushing."""
        self.is_closed = True

    def _reject_closed(self) -> None:
        if self.is_closed:
            raise RuntimeError("the token stream has ended")


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
