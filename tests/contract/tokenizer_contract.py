"""What every `Tokenizer` must do: the suite that the fake and the real client both pass.

A test module subclasses TokenizerContract and provides the fixture `tokenizer`, with the special
tokens <|begin|> (which `add_special_tokens` puts in front) and <|end|>.
"""

from __future__ import annotations

import asyncio

import pytest

from service.domain.prompt import ByteSpan
from service.errors import InvalidRequestError
from service.ports import Tokenizer

TEXTS = (
    "",
    "hello world",
    "two  spaces\n\n\tand a tab",
    "naïve façade",
    "你好，世界",
    "👨‍👩‍👧‍👦 family",
    "before<|end|>after",
)


class TokenizerContract:
    """The promises of service.ports.Tokenizer."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_decoding_gives_back_the_text(self, tokenizer: Tokenizer, text: str) -> None:
        """A text survives encoding and decoding."""
        token_ids = await tokenizer.encode(text)

        assert text == await tokenizer.decode(token_ids, skip_special_tokens=False)

    async def test_special_tokens_are_single_ids(self, tokenizer: Tokenizer) -> None:
        """A special token outside literal spans is one id."""
        assert 1 == len(await tokenizer.encode("<|end|>"))

    async def test_literal_special_tokens_are_text(self, tokenizer: Tokenizer) -> None:
        """A special token inside a literal span is characters, and still the same text."""
        text = "é<|end|><|end|>"
        special = (await tokenizer.encode("<|end|>"))[0]

        token_ids = await tokenizer.encode(text, literal_spans=[ByteSpan(2, 9)])

        assert 1 == token_ids.count(special)
        assert special == token_ids[-1]
        assert text == await tokenizer.decode(token_ids, skip_special_tokens=False)

    async def test_a_partly_literal_special_token_is_text(self, tokenizer: Tokenizer) -> None:
        """A user cannot complete a special token that the template began."""
        special = (await tokenizer.encode("<|end|>"))[0]

        assert special not in await tokenizer.encode("<|end|>", literal_spans=[ByteSpan(6, 7)])

    async def test_ordinary_text_is_the_same_when_literal(self, tokenizer: Tokenizer) -> None:
        """Spans over text without special tokens change no id."""
        text = "don't split 12345 naïve"

        literal = await tokenizer.encode(text, literal_spans=[ByteSpan(3, 12), ByteSpan(12, 20)])

        assert await tokenizer.encode(text) == literal

    async def test_special_tokens_are_added_on_request(self, tokenizer: Tokenizer) -> None:
        """`add_special_tokens` puts <|begin|> in front."""
        begin = await tokenizer.encode("<|begin|>")

        assert begin + await tokenizer.encode("a") == await tokenizer.encode(
            "a", add_special_tokens=True
        )

    async def test_special_tokens_can_be_left_out(self, tokenizer: Tokenizer) -> None:
        """Decoding leaves special tokens out unless told otherwise."""
        assert "ab" == await tokenizer.decode(await tokenizer.encode("a<|end|>b"))

    @pytest.mark.parametrize(
        ("spans", "field"),
        [
            ([ByteSpan(0, 4)], "literal_spans[0]"),
            ([ByteSpan(0, 1), ByteSpan(1, 2)], "literal_spans[1]"),
            ([ByteSpan(1, 3), ByteSpan(0, 1)], "literal_spans[1]"),
            ([ByteSpan(3, 1)], "literal_spans[0]"),
        ],
    )
    async def test_bad_spans_are_refused(
        self, tokenizer: Tokenizer, spans: list[ByteSpan], field: str
    ) -> None:
        """A span out of range, out of order or inside a character is an error that names it."""
        with pytest.raises(InvalidRequestError) as caught:
            await tokenizer.encode("aé", literal_spans=spans)

        assert field == caught.value.violations[0][0]

    async def test_a_lone_surrogate_is_refused(self, tokenizer: Tokenizer) -> None:
        """Text that is no Unicode is an error that names the field."""
        with pytest.raises(InvalidRequestError) as caught:
            await tokenizer.encode("\ud800")

        assert "text" == caught.value.violations[0][0]

    @pytest.mark.parametrize("token_id", [4_000_000_000, 1_000_000])
    async def test_unknown_ids_are_refused(self, tokenizer: Tokenizer, token_id: int) -> None:
        """An id that is not a token is an error that tells its place."""
        with pytest.raises(InvalidRequestError) as caught:
            await tokenizer.decode([97, token_id])

        assert "token_ids[1]" == caught.value.violations[0][0]

    @pytest.mark.parametrize("token_id", [-1, 1 << 32])
    async def test_impossible_ids_are_refused(self, tokenizer: Tokenizer, token_id: int) -> None:
        """A number that can be no id is an error, not a crash."""
        with pytest.raises(InvalidRequestError):
            await tokenizer.decode([token_id])

    @pytest.mark.parametrize("text", TEXTS)
    @pytest.mark.parametrize("skip", [False, True])
    async def test_streams_give_the_same_text(
        self, tokenizer: Tokenizer, text: str, skip: bool
    ) -> None:
        """A stream's texts joined are the text of all ids; none ends in half a character."""
        token_ids = await tokenizer.encode(text)
        stream = tokenizer.open_stream(skip_special_tokens=skip)

        pieces = [await stream.append([token_id]) for token_id in token_ids]
        rest = await stream.flush()

        assert await tokenizer.decode(token_ids, skip_special_tokens=skip) == "".join(pieces)
        assert "" == rest

    async def test_flush_gives_out_what_is_held_back(self, tokenizer: Tokenizer) -> None:
        """A character that is never finished becomes one U+FFFD at the end."""
        first_byte = (await tokenizer.encode("\U0001f92f"))[:1]
        stream = tokenizer.open_stream()

        assert "" == await stream.append(first_byte)
        assert "\ufffd" == await stream.flush()

    async def test_streams_do_not_mix(self, tokenizer: Tokenizer) -> None:
        """Streams that run at once each have their own text."""
        texts = [f"stream {i} é" for i in range(20)]
        ids = [await tokenizer.encode(text) for text in texts]
        streams = [tokenizer.open_stream() for _ in texts]

        first = await asyncio.gather(*(s.append(i[:3]) for s, i in zip(streams, ids, strict=True)))
        second = await asyncio.gather(*(s.append(i[3:]) for s, i in zip(streams, ids, strict=True)))

        assert texts == [a + b for a, b in zip(first, second, strict=True)]

    async def test_a_refused_append_leaves_the_stream_as_it_was(self, tokenizer: Tokenizer) -> None:
        """After an unknown id a stream goes on."""
        stream = tokenizer.open_stream()
        with pytest.raises(InvalidRequestError):
            await stream.append([4_000_000_000])

        assert "a" == await stream.append(await tokenizer.encode("a"))

    async def test_an_unused_stream_ends_quietly(self, tokenizer: Tokenizer) -> None:
        """Flushing a stream without ids gives nothing; closing twice is harmless."""
        stream = tokenizer.open_stream()

        assert "" == await stream.flush()
        stream.close()
        stream.close()

    async def test_an_ended_stream_takes_no_ids(self, tokenizer: Tokenizer) -> None:
        """Appending to a stream that has ended is a bug, and said to be one."""
        stream = tokenizer.open_stream()
        stream.close()
        with pytest.raises(RuntimeError):
            await stream.append([97])
