"""What every `Tokenizer` must do: the suite that the fake and the real client both pass.

A test module subclasses TokenizerContract and provides the fixture `tokenizer`, with the special
tokens <|begin|> (which `add_special_tokens` puts in front) and <|end|>.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import NamedTuple

import pytest

from service.domain.prompt import ByteSpan
from service.domain.tokens import StreamText
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


class StopCase(NamedTuple):
    """Stop strings, and where they end "one two stop threé!"."""

    stop_strings: list[str]
    text: str
    stop_index: int | None
    include: bool = False


STOP_CASES = (
    StopCase(["stop"], "one two ", 0),
    StopCase(["stop"], "one two stop", 0, include=True),
    StopCase(["never", "two st"], "one ", 1),
    StopCase(["stop", "two"], "one ", 1),
    StopCase(["op", "stop"], "one two st", 0),
    StopCase(["é!", "never"], "one two stop thre", 0),
    StopCase(["stopper"], "one two stop threé!", None),
    StopCase(["threé!?"], "one two stop threé!", None),
    StopCase([""], "one two stop threé!", None),
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

        pieces = [(await stream.append([token_id])).text for token_id in token_ids]
        rest = await stream.flush()

        assert await tokenizer.decode(token_ids, skip_special_tokens=skip) == "".join(pieces)
        assert StreamText("") == rest

    async def test_half_a_character_at_the_end_is_no_text(self, tokenizer: Tokenizer) -> None:
        """What is never finished is left out."""
        first_byte = (await tokenizer.encode("\U0001f92f"))[:1]
        stream = tokenizer.open_stream()

        assert StreamText("", None, 1) == await stream.append(first_byte)
        assert StreamText("") == await stream.flush()

    async def test_broken_text_is_given_out_with_what_follows(self, tokenizer: Tokenizer) -> None:
        """U+FFFD may be half a character until then."""
        first_byte = (await tokenizer.encode("\U0001f92f"))[:1]
        stream = tokenizer.open_stream()

        first = await stream.append(first_byte)
        second = await stream.append(await tokenizer.encode("a"))

        assert ("", "\ufffda") == (first.text, second.text)

    async def test_a_closed_stream_gives_what_was_appended_in_the_same_turn(
        self, tokenizer: Tokenizer
    ) -> None:
        """Ids and the end of a stream may be sent without waiting between them."""
        ids = await tokenizer.encode("ab")
        stream = tokenizer.open_stream(stop_strings=["bc"])
        await stream.append([])

        appended, rest = await asyncio.gather(stream.append(ids), stream.flush())

        assert "ab" == appended.text + rest.text

    async def test_an_unfinished_character_of_the_context_is_given_out(
        self, tokenizer: Tokenizer
    ) -> None:
        """Of the context's own text nothing is."""
        euro = await tokenizer.encode("a€")
        stream = tokenizer.open_stream(context_token_ids=euro[:-1], stop_strings=["a"])

        assert StreamText("€", None, 1) == await stream.append(euro[-1:])

    async def test_stop_strings_are_not_looked_for_in_the_context(
        self, tokenizer: Tokenizer
    ) -> None:
        """Not even the beginning of one."""
        context = await tokenizer.encode("stop, st")
        stream = tokenizer.open_stream(context_token_ids=context, stop_strings=["stop"])

        result = await stream.append(await tokenizer.encode("op"))

        assert ("op", None) == (result.text, result.stop_index)

    @pytest.mark.parametrize("context", [[-1], [1 << 32]])
    async def test_impossible_ids_of_a_context_are_refused(
        self, tokenizer: Tokenizer, context: list[int]
    ) -> None:
        """A number that can be no id is an error that names the field."""
        with pytest.raises(InvalidRequestError) as caught:
            tokenizer.open_stream(context_token_ids=context)

        assert "context_token_ids" == caught.value.violations[0][0]

    @pytest.mark.parametrize("step", [1, 2, 100])
    async def test_no_stop_string_ends_the_text_within_min_tokens(
        self, tokenizer: Tokenizer, step: int
    ) -> None:
        """One that becomes complete behind them does, also where it began before."""
        ids = await tokenizer.encode("ababab")
        texts = [await tokenizer.decode(ids[: n + 1]) for n in range(len(ids))]
        for min_tokens in range(len(ids) + 1):
            certain = texts[min_tokens - 1] if min_tokens else ""
            end = next((n for n in (3, 5) if n > len(certain)), None)  # where "ba" is complete
            stream = tokenizer.open_stream(
                stop_strings=["ba"], include_stop_string=True, min_tokens=min_tokens
            )

            results = [await stream.append(ids[i : i + step]) for i in range(0, len(ids), step)]
            rest = await stream.flush()

            assert "ababab"[:end] == "".join(result.text for result in results) + rest.text
            assert (None if end is None else 0) == rest.stop_index

    @pytest.mark.parametrize("case", STOP_CASES, ids=str)
    @pytest.mark.parametrize("step", [1, 2, 100])
    async def test_stop_strings_end_the_text(
        self, tokenizer: Tokenizer, case: StopCase, step: int
    ) -> None:
        """However the ids are cut, nothing behind a stop string, nor half of one, is given out."""
        ids = await tokenizer.encode("one two stop threé!")
        stream = tokenizer.open_stream(
            stop_strings=case.stop_strings, include_stop_string=case.include
        )

        results = [await stream.append(ids[i : i + step]) for i in range(0, len(ids), step)]
        rest = await stream.flush()

        assert case.text == "".join(result.text for result in results) + rest.text
        assert case.stop_index == rest.stop_index
        used = sum(result.tokens_used for result in results)
        if case.stop_index is None:
            assert len(ids) == used
        else:
            stop = case.stop_strings[case.stop_index]
            assert stop in await tokenizer.decode(ids[:used])
            assert stop not in await tokenizer.decode(ids[: used - 1])

    async def test_what_may_become_a_stop_string_is_held_back(self, tokenizer: Tokenizer) -> None:
        """It is given out as soon as it can be none."""
        stream = tokenizer.open_stream(stop_strings=["<end>"])

        first = await stream.append(await tokenizer.encode("a<en"))
        second = await stream.append(await tokenizer.encode("e"))

        assert ("a", "<ene") == (first.text, second.text)

    async def test_spans_are_the_bytes_of_the_tokens(self, tokenizer: Tokenizer) -> None:
        """Spans lie in order, cover the text, and are exact to the byte."""
        text = "a €<|end|>naïve"

        encoded = await tokenizer.encode_with_spans(text)

        assert await tokenizer.encode(text) == encoded.token_ids
        assert len(encoded.token_ids) == len(encoded.spans)
        assert 0 == encoded.spans[0].start
        assert len(text.encode()) == encoded.spans[-1].end
        assert all(left.end == right.start for left, right in itertools.pairwise(encoded.spans))
        special = encoded.token_ids.index((await tokenizer.encode("<|end|>"))[0])
        assert ByteSpan(5, 12) == encoded.spans[special]

    async def test_an_added_token_has_an_empty_span(self, tokenizer: Tokenizer) -> None:
        """No text stands for it."""
        encoded = await tokenizer.encode_with_spans("a", add_special_tokens=True)

        assert [0, 1] == [span.end - span.start for span in encoded.spans]

    async def test_literal_spans_with_spans(self, tokenizer: Tokenizer) -> None:
        """What a user wrote is text here too."""
        literal = [ByteSpan(0, 7)]

        encoded = await tokenizer.encode_with_spans("<|end|>", literal_spans=literal)

        assert await tokenizer.encode("<|end|>", literal_spans=literal) == encoded.token_ids

    async def test_streams_do_not_mix(self, tokenizer: Tokenizer) -> None:
        """Streams that run at once each have their own text."""
        texts = [f"stream {i} é" for i in range(20)]
        ids = [await tokenizer.encode(text) for text in texts]
        streams = [tokenizer.open_stream() for _ in texts]

        first = await asyncio.gather(*(s.append(i[:3]) for s, i in zip(streams, ids, strict=True)))
        second = await asyncio.gather(*(s.append(i[3:]) for s, i in zip(streams, ids, strict=True)))

        assert texts == [a.text + b.text for a, b in zip(first, second, strict=True)]

    async def test_a_refused_append_leaves_the_stream_as_it_was(self, tokenizer: Tokenizer) -> None:
        """After a number that can be no id a stream goes on."""
        ids = await tokenizer.encode("a")
        stream = tokenizer.open_stream()
        with pytest.raises(InvalidRequestError) as caught:
            await stream.append([*ids, -1])

        assert "token_ids[1]" == caught.value.violations[0][0]
        assert StreamText("a", None, 1) == await stream.append(ids)

    async def test_ids_that_are_no_tokens_are_no_text(self, tokenizer: Tokenizer) -> None:
        """A model may give one: the last rows of many vocabularies are padding."""
        stream = tokenizer.open_stream(context_token_ids=[4_000_000_000])

        ids = [4_000_000_000, *await tokenizer.encode("a"), 1_000_000]

        assert StreamText("a", None, 3) == await stream.append(ids)

    async def test_an_unused_stream_ends_quietly(self, tokenizer: Tokenizer) -> None:
        """Flushing a stream without ids gives nothing; closing twice is harmless."""
        stream = tokenizer.open_stream()

        assert StreamText("") == await stream.flush()
        stream.close()
        stream.close()

    async def test_an_ended_stream_takes_no_ids(self, tokenizer: Tokenizer) -> None:
        """Appending to a stream that has ended is a bug, and said to be one."""
        stream = tokenizer.open_stream()
        stream.close()
        with pytest.raises(RuntimeError):
            await stream.append([97])
