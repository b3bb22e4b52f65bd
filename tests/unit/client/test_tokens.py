"""Prompts without an answer, by both clients, against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from tests.unit.client.fake_server import Failure
from triptych_client import (
    Audio,
    Image,
    InvalidRequestError,
    PartUsage,
    Placeholder,
    PromptLimit,
    RawText,
    RenderedPrompt,
    TokenCount,
    TokenIds,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.client.both_clients import Ask
    from tests.unit.client.fake_server import FakeServer


def test_a_prompt_is_counted_part_by_part(server: FakeServer, ask: Ask) -> None:
    """It is sent as for an answer, options and all."""
    counted = ask("count_tokens", "what?", images=[b"i"], system="be short")

    assert counted == TokenCount(12, (PartUsage("conversation.messages[0].parts[0].image", 9),))
    system, user = server.request.conversation.messages
    assert system.parts[0].text == "be short"
    assert [part.WhichOneof("kind") for part in user.parts] == ["image", "text"]


def test_a_prompt_is_shown_with_its_places_and_limits(server: FakeServer, ask: Ask) -> None:
    """A place that the server does not know is None."""
    shown = ask("render_prompt", RawText("<image>?", [Image(data=b"i"), Audio(data=b"a")]))

    assert shown == RenderedPrompt(
        text="<image>?",
        token_ids=(5, 5, 6),
        placeholders=(
            Placeholder("media[0].image", 0, 2, (0, 7)),
            Placeholder("media[1].audio", 2, 0, None),
        ),
        literal_spans=((7, 8),),
        limits=(PromptLimit("max_model_tokens", 2, 3), PromptLimit("image_parts", 1, 1)),
        prompt_format="llava",
    )
    assert [limit.is_broken for limit in shown.limits] == [True, False]
    assert server.request.text == "<image>?"
    assert [part.WhichOneof("kind") for part in server.request.media] == ["image", "audio"]


def test_token_ids_have_their_media_beside_them(server: FakeServer, ask: Ask) -> None:
    ask("count_tokens", TokenIds([1, 2], [Image(data=b"i")]))

    assert list(server.request.token_ids.ids) == [1, 2]
    assert server.request.media[0].image.source.data == b"i"


@pytest.mark.parametrize("method", ["count_tokens", "render_prompt"])
def test_a_refusal_names_its_field(server: FakeServer, ask: Ask, method: str) -> None:
    """As it would be named for an answer."""
    violation = ("media", "the prompt has 2 placeholders <image> for 1 image part")
    server.script = [
        Failure(grpc.StatusCode.INVALID_ARGUMENT, "no", "INVALID_FIELD", None, [violation])
    ]
    with pytest.raises(InvalidRequestError) as caught:
        ask(method, RawText("<image><image>", [Image(data=b"i")]))

    assert caught.value.field == "media"


@pytest.mark.parametrize("method", ["count_tokens", "render_prompt"])
def test_a_missing_file_is_told_before_any_network_use(
    server: FakeServer, ask: Ask, tmp_path: Path, method: str
) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        ask(method, RawText("?", [Image(tmp_path / "nothing.png")]))
    assert not server.requests
