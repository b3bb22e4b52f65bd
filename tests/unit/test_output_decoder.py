"""What becomes of the engine's deltas, on the fake tokenizer whose ids are bytes."""

from __future__ import annotations

import pytest

from service.domain.conversation import RawText
from service.domain.events import (
    EngineDelta,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    PromptLogprobs,
    TextDelta,
    TokenLogprob,
    TokenLogprobs,
)
from service.domain.sampling import Sampling
from service.output_decoder import OutputDecoder
from service.token_texts import TokenTexts
from tests.fakes.fake_tokenizer import FakeTokenizer


def make(*, include_token_ids: bool = False, **sampling: object) -> OutputDecoder:
    tokenizer = FakeTokenizer()
    request = GenerationRequest(
        model="",
        prompt=RawText("hi", ()),
        sampling=Sampling(**sampling),
        include_token_ids=include_token_ids,
    )
    return OutputDecoder(tokenizer, TokenTexts(tokenizer), request, ())


async def feed(decoder: OutputDecoder, *deltas: EngineDelta) -> list[Event]:
    return [event for delta in deltas for event in await decoder.decode(delta)]


def text_of(events: list[Event], output_index: int = 0) -> str:
    deltas = (event for event in events if isinstance(event, TextDelta))
    return "".join(delta.text for delta in deltas if delta.output_index == output_index)


def place(token_id: int) -> TokenLogprobs:
    return TokenLogprobs(TokenLogprob(token_id, -0.5, 1), ())


async def test_a_stop_string_ends_the_output_wherever_it_is_cut() -> None:
    decoder = make(stop=("never", "END"))
    events = await feed(decoder, *(EngineDelta(0, (byte,)) for byte in b"one END two"))
    assert text_of(events) == "one "
    assert events[-1] == OutputFinished(0, FinishReason.STOP_STRING, stop_string="END")
    assert decoder.has_finished(0)
    assert decoder.completion_tokens == len("one END")


@pytest.mark.parametrize(("includes", "text"), [(False, "one "), (True, "one END")])
async def test_nothing_behind_a_stop_string_is_told(includes: bool, text: str) -> None:
    """Neither text nor ids nor log probabilities, when one step gave several tokens."""
    ids = tuple(b"one END two")
    decoder = make(stop=("END",), include_stop_string=includes, include_token_ids=True, logprobs=0)
    events = await feed(decoder, EngineDelta(0, ids, logprobs=tuple(map(place, ids))))
    (delta, _) = events
    assert delta.text == text
    assert bytes(delta.token_ids) == b"one END"
    assert [one.chosen.text for one in delta.logprobs] == [*"one END"]


async def test_a_stop_string_in_the_last_step_goes_before_the_engines_reason() -> None:
    events = await feed(make(stop=("END",)), EngineDelta(0, tuple(b"END"), FinishReason.LENGTH))
    assert events == [OutputFinished(0, FinishReason.STOP_STRING, stop_string="END")]


async def test_what_could_have_become_a_stop_string_is_told_at_the_end() -> None:
    events = await feed(
        make(stop=("END",)),
        EngineDelta(0, tuple(b"the EN")),
        EngineDelta(0, (1,), FinishReason.STOP),
    )
    assert [event.text for event in events[:-1]] == ["the ", "EN"]
    assert events[-1] == OutputFinished(0, FinishReason.STOP)


async def test_what_the_engine_gives_behind_a_stop_string_is_dropped() -> None:
    decoder = make(n=2, stop=("END",))
    await feed(decoder, EngineDelta(1, tuple(b"END")))
    assert await feed(decoder, EngineDelta(1, tuple(b"more"), FinishReason.ABORTED)) == []
    assert text_of(await feed(decoder, EngineDelta(0, tuple(b"other")))) == "other"
    assert not decoder.has_finished(0)


async def test_the_token_that_stops_is_text_only_where_it_is_asked_for() -> None:
    last = EngineDelta(0, (ord("!"),), FinishReason.STOP, stop_token_id=ord("!"))
    for includes, text in ((False, ""), (True, "!")):
        events = await feed(make(include_stop_string=includes), last)
        assert text_of(events) == text
        assert events[-1] == OutputFinished(0, FinishReason.STOP, ord("!"))


async def test_the_prompt_is_told_of_once_and_in_pieces() -> None:
    decoder = make(prompt_logprobs=0)
    places = tuple(place(ord("p")) for _ in range(600))
    delta = EngineDelta(0, tuple(b"a"), prompt_logprobs=places)
    told = [e for e in await feed(decoder, delta, delta) if isinstance(e, PromptLogprobs)]
    assert [one.first_position for one in told] == [1, 257, 513]
    assert sum(len(one.tokens) for one in told) == 600
    assert told[0].tokens[0].chosen.text == "p"


async def test_ending_early_gives_what_was_held_back() -> None:
    decoder = make(n=2, stop=("END",))
    await feed(decoder, EngineDelta(0, tuple(b"E")), EngineDelta(1, tuple(b"END")))
    assert await decoder.end(FinishReason.DEADLINE) == [
        TextDelta(0, "E"),
        OutputFinished(0, FinishReason.DEADLINE),
    ]
    assert await decoder.end(FinishReason.DEADLINE) == []
