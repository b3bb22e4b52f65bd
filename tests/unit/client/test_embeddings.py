"""Vectors, by both clients, against a scripted server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from tests.unit.client.fake_server import Failure
from triptych_client import (
    Embedding,
    Image,
    Message,
    PartUsage,
    RawText,
    TaskUnsupportedError,
    TokenIds,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.client.both_clients import Ask
    from tests.unit.client.fake_server import FakeServer


def test_each_input_has_its_vector(server: FakeServer, ask: Ask) -> None:
    """A text is sent as it is, for it is no message of a user."""
    found = ask("embed", ["a cat", RawText("<image>", [Image(data=b"i")])])

    part = PartUsage("conversation.messages[0].parts[0].image", 9)
    assert found.embeddings == (Embedding((0.0, 0.5), 12, ()), Embedding((1.0, 0.5), 12, (part,)))
    assert (found.model, found.request_id) == ("demo", "r2")
    assert (found.usage.prompt_tokens, found.usage.prompt_image_tokens) == (7, 3)
    (request,) = server.embeds
    assert [one.text for one in request.inputs] == ["a cat", "<image>"]
    assert request.inputs[1].media[0].image.source.data == b"i"
    assert not request.HasField("prompt_options")
    assert not request.HasField("dimensions")
    assert not request.HasField("normalize")


def test_inputs_may_be_all_that_prompts_may_be(server: FakeServer, ask: Ask) -> None:
    ask("embed", [[Image(data=b"i"), "cat?"], [Message("user", "hi")], TokenIds([1, 2])])

    parts, message, ids = server.embeds[0].inputs
    kinds = [part.WhichOneof("kind") for part in parts.conversation.messages[0].parts]
    assert kinds == ["image", "text"]
    assert message.conversation.messages[0].parts[0].text == "hi"
    assert list(ids.token_ids.ids) == [1, 2]


def test_options_hold_for_all_inputs(server: FakeServer, ask: Ask) -> None:
    options = {"model": "bert", "add_special_tokens": False}
    ask("embed", ["a", "b"], dimensions=64, normalize=False, **options)

    request = server.embeds[0]
    assert (request.model, request.dimensions, request.normalize) == ("bert", 64, False)
    assert request.prompt_options.HasField("add_special_tokens")
    assert not request.prompt_options.add_special_tokens


@pytest.mark.parametrize("alone", ["a cat", Image(data=b"i"), TokenIds([1])])
def test_one_input_alone_is_no_list(server: FakeServer, ask: Ask, alone: object) -> None:
    """A text would be a list of its letters."""
    with pytest.raises(TypeError, match="list"):
        ask("embed", alone)
    assert server.embeds == []


def test_a_missing_file_is_told_before_anything_is_sent(
    server: FakeServer, ask: Ask, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        ask("embed", [[Image(tmp_path / "none.png")]])
    assert server.embeds == []


def test_a_model_that_answers_is_told_by_the_exception(server: FakeServer, ask: Ask) -> None:
    code = grpc.StatusCode.FAILED_PRECONDITION
    server.script = [Failure(code, "is loaded to generate", "TASK_UNSUPPORTED")]
    with pytest.raises(TaskUnsupportedError, match="generate"):
        ask("embed", ["a"])
