"""Thoughts, text and calls are those of vLLM's own server, however the output comes in pieces."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from service.domain.tools import Tool, ToolChoice, Tools
from service.errors import InvalidRequestError
from service.tokenizer.sidecar_client import SidecarClient
from tests.conformance.formats.vocabulary import Vocabulary
from tests.conformance.parsers.recordings import (
    BROKEN,
    END,
    PLAIN,
    RECORDINGS,
    SPECIAL,
    WEATHER,
    Recording,
)
from tests.conformance.parsers.steps import steps
from tests.unit.tokenizer.running_sidecar import connect, local_socket

_CHUNKINGS = [(longest, seed) for longest in (1, 2, 3, 5, 12, 10_000) for seed in range(3)]


@dataclass(frozen=True)
class Machine:
    """A sidecar, and vLLM's tokenizer, for one vocabulary."""

    socket: Path
    tokenizer: Any

    def ids(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    @property
    def stop_id(self) -> int:
        return int(self.tokenizer.convert_tokens_to_ids(END))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    from vllm.tokenizers import get_tokenizer

    directory = tmp_path_factory.mktemp("vocabulary")
    Vocabulary("byte-level", [*SPECIAL, *PLAIN], {"eos_token": END}).write(directory)
    _make_plain(directory / "tokenizer.json")
    (directory / "config.json").write_text('{"model_type": "qwen2"}')
    socket = directory / "sidecar.sock"
    with connect(directory / "tokenizer.json", socket):
        yield Machine(socket, get_tokenizer(str(directory)))


def _make_plain(path: Path) -> None:
    """Make some added tokens no special ones, as Qwen's vocabularies have them."""
    content = json.loads(path.read_text())
    for token in content["added_tokens"]:
        token["special"] = token["content"] not in PLAIN
    path.write_text(json.dumps(content))


async def _ours(machine: Machine, recording: Recording, *all_chunks: Any) -> list[dict[str, Any]]:
    """Return what is made of the output in each way of cutting it."""
    from tests.conformance.parsers.our_stream import OurStream

    ours = OurStream(machine.tokenizer, recording)
    prompt_ids = machine.ids(recording.prompt)
    client = SidecarClient(f"unix:{machine.socket}", local_socket=local_socket(machine.socket))
    try:
        return [await _one(ours, client, prompt_ids, chunks) for chunks in all_chunks]
    finally:
        await client.close()


async def _one(ours: Any, client: Any, prompt_ids: list[int], chunks: Any) -> dict[str, Any]:
    output, reasoning_tokens = await ours.stream(client, prompt_ids, chunks)
    assert list(output.token_ids) == [one for step in chunks for one in step.token_ids]
    assert all(call.id for call in output.tool_calls)
    return {
        "reasoning": output.reasoning,
        "content": output.text,
        "calls": [[call.name, call.arguments] for call in output.tool_calls],
        "reasoning_tokens": reasoning_tokens,
    }


def _theirs(machine: Machine, recording: Recording, *all_chunks: Any) -> list[dict[str, Any]]:
    from tests.conformance.parsers.vllm_server import VllmChat

    chat = VllmChat(machine.tokenizer, recording)
    return [chat.stream(machine.ids(recording.prompt), chunks) for chunks in all_chunks]


def _steps(machine: Machine, recording: Recording, longest: int, seed: int) -> Any:
    stop_id = None if recording.is_cut else machine.stop_id
    return steps(machine.ids(recording.text), stop_id, longest, seed)


@pytest.mark.parametrize("name", RECORDINGS)
async def test_one_by_one_it_is_what_was_written(machine: Machine, name: str) -> None:
    recording = RECORDINGS[name]
    (found,) = await _ours(machine, recording, _steps(machine, recording, 1, 0))

    assert found["reasoning"] == recording.reasoning
    assert found["content"] == recording.content
    calls = [(call, json.loads(arguments)) for call, arguments in found["calls"]]
    assert calls == list(recording.calls)
    # vLLM's parsers leave some of them out, such as blanks at the ends.
    assert found["reasoning_tokens"] <= len(machine.ids(recording.reasoning))
    assert (found["reasoning_tokens"] > 0) == bool(recording.reasoning)


@pytest.mark.parametrize("name", RECORDINGS)
def test_it_is_vllms_in_any_pieces(machine: Machine, name: str) -> None:
    """Also where vLLM's parser makes less of large pieces than of single ids."""
    recording = RECORDINGS[name]
    ways = [_steps(machine, recording, longest, seed) for longest, seed in _CHUNKINGS]
    all_theirs = _theirs(machine, recording, *ways)
    all_ours = asyncio.run(_ours(machine, recording, *ways))
    for theirs, ours, way in zip(all_theirs, all_ours, ways, strict=True):
        if not theirs["reasoning_tokens"]:  # it does not count thoughts that the prompt begins
            del theirs["reasoning_tokens"], ours["reasoning_tokens"]

        assert theirs == ours, way


@pytest.mark.parametrize("name", [one.name for one in RECORDINGS.values() if len(one.calls) > 1])
def test_of_several_calls_the_first_is_kept_where_one_is_wanted(
    machine: Machine, name: str
) -> None:
    recording = RECORDINGS[name]
    one = replace(recording, tools=replace(recording.tools, parallel=False))
    ways = [_steps(machine, recording, longest, 0) for longest in (1, 12, 10_000)]
    all_theirs = _theirs(machine, one, *ways)
    all_ours = asyncio.run(_ours(machine, one, *ways))

    assert [ours["calls"] for ours in all_ours] == [theirs["calls"] for theirs in all_theirs]
    assert {len(ours["calls"]) for ours in all_ours} == {1}


@pytest.mark.parametrize(
    ("parser", "text"), [(parser, text) for parser, texts in BROKEN.items() for text in texts]
)
async def test_what_is_broken_breaks_nothing(machine: Machine, parser: str, text: str) -> None:
    """Every id is told, and the stream ends."""
    recording = Recording(name="broken", text=text, tool_parser=parser)
    for is_cut in (False, True):
        one = replace(recording, is_cut=is_cut)
        await _ours(machine, one, *(_steps(machine, one, longest, 0) for longest in (1, 7, 10_000)))


async def test_what_a_parser_fails_at_is_text(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is all behind it."""
    from vllm.parser.abstract_parser import DelegatingParser

    parse_delta = DelegatingParser.parse_delta

    def fail(self: Any, delta_text: str, *args: Any, **kwargs: Any) -> Any:
        if "X" in delta_text:
            raise RecursionError
        return parse_delta(self, delta_text, *args, **kwargs)

    monkeypatch.setattr(DelegatingParser, "parse_delta", fail)
    text = 'One X <tool_call>{"name": "clock", "arguments": {}}</tool_call>'
    recording = Recording(name="failing", text=text, tool_parser="hermes")
    (found,) = await _ours(machine, recording, _steps(machine, recording, 1, 0))

    assert found["content"] == text
    assert found["calls"] == []


def _sampling(machine: Machine, recording: Recording) -> Any:
    from tests.conformance.parsers.our_stream import OurStream

    plan = OurStream(machine.tokenizer, recording)._parsers
    request = OurStream(machine.tokenizer, recording)._request
    found = plan.plan(request)
    assert found is not None
    return found.sampling


@pytest.mark.parametrize("name", ["one must be called", "this one must be called"])
def test_a_call_that_must_be_made_is_a_structured_output(machine: Machine, name: str) -> None:
    """The one that vLLM's server asks its engine for."""
    from tests.conformance.parsers.vllm_server import VllmChat

    recording = RECORDINGS[name]
    theirs = VllmChat(machine.tokenizer, recording)._adjusted_request().structured_outputs
    ours = _sampling(machine, recording).structured_output

    assert theirs is not None
    assert str(ours.kind) == "json_schema"
    expected = theirs.json if isinstance(theirs.json, dict) else json.loads(theirs.json)
    assert json.loads(ours.text) == expected


@pytest.mark.parametrize("parser", ["hermes", "qwen3_coder"])
def test_a_native_call_that_must_be_made_is_one_too(machine: Machine, parser: str) -> None:
    """For parsers that have a form of their own for it."""
    from tests.conformance.parsers.vllm_server import VllmChat

    recording = replace(RECORDINGS["one must be called"], tool_parser=parser)
    theirs = VllmChat(machine.tokenizer, recording)._adjusted_request()
    sampling = _sampling(machine, recording)

    assert theirs.structured_outputs is not None
    assert theirs.structured_outputs.structural_tag == sampling.structured_output.text
    assert str(sampling.structured_output.kind) == "structural_tag"
    assert theirs.skip_special_tokens is sampling.skip_special_tokens is False
    # The arguments are held to their schema.
    assert '"days"' in sampling.structured_output.text


def test_tools_that_vllm_does_not_take_are_refused(machine: Machine) -> None:
    """And an answer's form goes with no tool that must be called."""
    from service.domain.sampling import Sampling, StructuredOutput, StructuredOutputKind
    from tests.conformance.parsers.our_stream import OurStream

    ours = OurStream(machine.tokenizer, RECORDINGS["this one must be called"])
    regex = StructuredOutput(StructuredOutputKind.REGEX, "a+")
    request = replace(ours._request, sampling=Sampling(structured_output=regex))
    with pytest.raises(InvalidRequestError, match="tools"):
        ours._parsers.plan(request)


@pytest.mark.parametrize("choice", [ToolChoice.AUTO, ToolChoice.REQUIRED])
@pytest.mark.parametrize("name", ["hermes", "qwen3-coder", "llama-3", "mistral", "pythonic"])
async def test_an_odd_schema_is_refused_or_harmless(
    machine: Machine, name: str, choice: ToolChoice
) -> None:
    """It is an object, and nothing else is known of it."""
    for schema in (
        '{"properties": []}',
        '{"properties": {"city": []}}',
        '{"properties": {"city": {"type": {}}}, "required": 5}',
        '{"$defs": 3, "type": 5}',
        '{"$ref": "#"}',
        "{}",
    ):
        tool = replace(WEATHER, parameters_json_schema=schema)
        recording = replace(RECORDINGS[name], tools=Tools((tool, Tool("clock")), choice))
        refused = []
        try:
            await _ours(machine, recording, _steps(machine, recording, 5, 0))
        except InvalidRequestError as refusal:
            refused = [field for field, _ in refusal.violations]

        assert refused in ([], ["tools"])
