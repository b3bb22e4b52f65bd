"""What was said, told by many events, is one message that templates can show."""

from __future__ import annotations

from service.domain.conversation import ReasoningPart, Role, TextPart, ToolCallPart
from service.domain.events import (
    Event,
    FinishReason,
    OutputFinished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from service.sessions.said import Said


def parts_of(*events: Event) -> tuple[object, ...]:
    said = Said()
    for event in events:
        said.add(event)
    message = said.message()
    assert message.role is Role.ASSISTANT
    return message.parts


def test_pieces_are_joined() -> None:
    events = (TextDelta(0, "one "), TextDelta(0, ""), TextDelta(0, "two"))
    assert parts_of(*events, OutputFinished(0, FinishReason.STOP)) == (TextPart("one two"),)


def test_only_the_first_output_is_said() -> None:
    assert parts_of(TextDelta(1, "other"), TextDelta(0, "one")) == (TextPart("one"),)


def test_silence_is_an_empty_text() -> None:
    assert parts_of() == (TextPart(""),)


def test_thoughts_stand_before_what_is_said() -> None:
    events = (ReasoningDelta(0, "let me "), ReasoningDelta(0, "see"), TextDelta(0, "one"))
    assert parts_of(*events) == (ReasoningPart("let me see"), TextPart("one"))


def test_calls_are_put_together() -> None:
    """Two at once; one takes no arguments."""
    events = (
        ToolCallDelta(0, 0, "a", "clock", '{"city": '),
        ToolCallDelta(0, 1, "b", "date"),
        ToolCallDelta(0, 0, arguments='"Rome"}'),
    )
    assert parts_of(*events) == (
        ToolCallPart("a", "clock", '{"city": "Rome"}'),
        ToolCallPart("b", "date", "{}"),
    )


def test_a_call_that_was_cut_off_is_left_out() -> None:
    """Its arguments are no JSON object, which templates and tools want."""
    whole = ToolCallDelta(0, 0, "a", "clock", "{}")
    cut = ToolCallDelta(0, 1, "b", "clock", '{"city": "Ro')
    assert parts_of(TextDelta(0, "hm"), whole, cut) == (
        TextPart("hm"),
        ToolCallPart("a", "clock", "{}"),
    )
    assert parts_of(cut) == (TextPart(""),)


def test_a_call_of_a_million_levels_is_left_out() -> None:
    """A model may go on with `[` as long as its context is."""
    deep = ToolCallDelta(0, 0, "a", "clock", '{"city": ' * 1_000_000 + "1" + "}" * 1_000_000)
    assert parts_of(TextDelta(0, "hm"), deep) == (TextPart("hm"),)
