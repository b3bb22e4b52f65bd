"""The sidecar's client: the `Tokenizer` port over its two sockets.

Knows nothing of the process; it is given their addresses. When the sidecar goes away, its streams
fail with TokenizerUnavailableError; every other call waits a moment for it to come back.

Short texts and streams travel on two long-lived calls over the plain socket (encode_call.py,
decode_call.py), apart from each other so that texts do not hold up streams. A long text, which
would hold up the short ones, and all else has a call of its own by gRPC.

Tested by tests/contract/tokenizer_contract.py (as is the fake) and tests/unit/tokenizer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import grpc

from service.domain.prompt import ByteSpan
from service.domain.tokens import EncodedText
from service.errors import InvalidRequestError, TokenizerUnavailableError
from service.ports import TokenStream
from service.tokenizer.call_keeper import CallKeeper
from service.tokenizer.decode_call import DecodeCall, SidecarTokenStream
from service.tokenizer.encode_call import EncodeCall
from service.tokenizer.sidecar_errors import to_triptych_error
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", 1 << 30),
    ("grpc.max_receive_message_length", 1 << 30),
    # The sidecar is back in a fraction of a second; do not let gRPC wait for longer.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.use_local_subchannel_pool", 1),
]
_SETTLE_S = 0.1
# Encoded in about a millisecond; what is longer gains nothing from sharing a message.
_SHORT_TEXT_BYTES = 32 << 10
# What ids add to a text depends on little of what is before them: whether it has text at all, and
# its last character. These show it, unless all are special tokens, which may have no text.
_CONTEXT_TOKENS = 64
# So few different ids may all be a medium's placeholders.
_MANY_DIFFERENT_TOKENS = 8
# Turned into spans in some milliseconds.
_TOKENS_A_TURN = 2000
_T = TypeVar("_T")
_Request = TypeVar("_Request")


class SidecarClient:
    """Text to token ids and back, by one sidecar. Belongs to one event loop."""

    def __init__(self, address: str, *, local_socket: Path, connect_timeout_s: float = 5.0) -> None:
        """Prepare; nothing is sent. Must be called inside the event loop.

        `address` is the sidecar's gRPC address, `local_socket` what its --local-socket says.
        A call waits for at most `connect_timeout_s` while there is no connection.
        """
        self._connect_timeout_s = connect_timeout_s
        self._channel = grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)
        self._stub = pb_grpc.TokenizerServiceStub(self._channel)
        self._encode_calls = CallKeeper(EncodeCall, local_socket, connect_timeout_s)
        self._decode_calls = CallKeeper(DecodeCall, local_socket, connect_timeout_s)

    async def close(self) -> None:
        """End all streams and the connections."""
        self._encode_calls.close()
        self._decode_calls.close()
        await self._channel.close(None)

    async def encode(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> list[int]:
        """Return the ids; inside `literal_spans` added and special tokens are plain text."""
        request = _encode_request(text, literal_spans, add_special_tokens=add_special_tokens)
        return (await self._encode(request)).token_ids[:]  # quicker than list()

    async def encode_with_spans(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> EncodedText:
        """Return the ids as `encode` does, and the bytes of the text that each stands for."""
        request = _encode_request(text, literal_spans, add_special_tokens=add_special_tokens)
        request.include_token_spans = True
        response = await self._encode(request)
        spans: list[ByteSpan] = []
        for done in range(0, len(response.token_spans), _TOKENS_A_TURN):
            if done:  # the loop belongs to all streams
                await asyncio.sleep(0)
            turn = response.token_spans[done : done + _TOKENS_A_TURN]
            spans += [ByteSpan(span.begin, span.end) for span in turn]
        return EncodedText(response.token_ids[:], spans)

    async def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Return the text of all ids; bytes that are no UTF-8 become U+FFFD."""
        with _field_errors("token_ids"):
            request = pb.DecodeRequest(token_ids=token_ids, skip_special_tokens=skip_special_tokens)
        response = await self._ask(self._stub.Decode, request)
        return response.text

    def open_stream(
        self,
        *,
        skip_special_tokens: bool = True,
        stop_strings: Sequence[str] = (),
        include_stop_string: bool = False,
        context_token_ids: Sequence[int] = (),
        min_tokens: int = 0,
    ) -> TokenStream:
        """Start decoding one output. Nothing is sent before the first ids."""
        with _field_errors("stop_strings"):
            options = pb.OpenStream(
                skip_special_tokens=skip_special_tokens,
                stop_strings=stop_strings,
                include_stop_string=include_stop_string,
            )
        with _field_errors("context_token_ids"):
            options.context_token_ids.extend(_end_of_context(context_token_ids))
        with _field_errors("min_tokens"):
            options.min_tokens = min_tokens
        return SidecarTokenStream(self._decode_calls, options)

    async def describe(self) -> pb.GetInfoResponse:
        """Return what the sidecar has loaded."""
        return await self._ask(self._stub.GetInfo, pb.GetInfoRequest())

    async def _encode(self, request: pb.EncodeRequest) -> pb.EncodeResponse:
        if len(request.text) > _SHORT_TEXT_BYTES:
            return await self._ask(self._stub.Encode, request)
        call = await self._encode_calls.current()
        try:
            return await call.encode(request)
        except TokenizerUnavailableError:  # as _ask: what has just broken looked alive
            call = await self._encode_calls.current()
            return await call.encode(request)

    async def _ask(self, method: Callable[[_Request], Awaitable[_T]], request: _Request) -> _T:
        """Call; when the connection breaks, once more on the next one.

        What has just broken looks alive for a moment, and asking twice changes nothing.
        """
        await self._wait_until_connected()
        try:
            return await _translated(method(request))
        except TokenizerUnavailableError:
            await self._wait_until_broken()
            await self._wait_until_connected()
            return await _translated(method(request))

    async def _wait_until_broken(self) -> None:
        ready = grpc.ChannelConnectivity.READY
        with suppress(TimeoutError):  # it is another connection already
            await asyncio.wait_for(self._channel.wait_for_state_change(ready), _SETTLE_S)

    async def _wait_until_connected(self) -> None:
        if self._channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        try:
            await asyncio.wait_for(self._channel.channel_ready(), self._connect_timeout_s)
        except TimeoutError as exc:
            raise TokenizerUnavailableError(
                f"the tokenizer sidecar cannot be reached for {self._connect_timeout_s:g} s"
            ) from exc


def _encode_request(
    text: str, literal_spans: Sequence[ByteSpan], *, add_special_tokens: bool
) -> pb.EncodeRequest:
    try:  # as _field_errors, whose generator costs as much as all the rest here
        return pb.EncodeRequest(
            text=text.encode(),
            literal_spans=[pb.ByteSpan(begin=span.start, end=span.end) for span in literal_spans],
            add_special_tokens=add_special_tokens,
        )
    except (ValueError, TypeError) as exc:
        raise InvalidRequestError("text", str(exc)) from exc


def _end_of_context(token_ids: Sequence[int]) -> Sequence[int]:
    """Return the ids at the end that tell how the text goes on: of a long prompt, mostly a few."""
    size = _CONTEXT_TOKENS
    while size < len(token_ids) and len(set(token_ids[-size:])) < _MANY_DIFFERENT_TOKENS:
        size *= 2
    return token_ids[-size:]


@contextmanager
def _field_errors(field: str) -> Iterator[None]:
    """Turn values that fit into no message (a lone surrogate, a negative id) into our error."""
    try:
        yield
    except (ValueError, TypeError) as exc:
        raise InvalidRequestError(field, str(exc)) from exc


async def _translated(call: Awaitable[_T]) -> _T:
    try:
        return await call
    except grpc.aio.AioRpcError as exc:
        raise to_triptych_error(exc.code(), exc.details() or "") from exc
