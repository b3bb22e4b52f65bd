"""Vectors over gRPC are those of vLLM's `LLM.embed` on the same checkpoint and prompts, to 1e-4."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.conformance import vllm_program
from tests.conformance.embeddings.checkpoints import (
    CONVERTED,
    write_bert,
    write_qwen2,
    write_qwen2_vl,
)
from tests.end_to_end.grpcurl_page import check, examples
from tests.end_to_end.requests import MEDIA, Refusal, ask, image, text
from tests.real.running_model import serving_address
from triptych.v1 import (
    conversation_pb2,
    embedding_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
)
from triptych.v1 import embedding_service_pb2 as pb

# The first test waits for server and reference; a machine that others use needs minutes.
pytestmark = pytest.mark.timeout(900)

PICTURE = MEDIA / "picture.jpg"
TEXTS = ("What is in this picture?", "Two dogs, and a cat.", "a")
PLACE = "<|vision_start|><|image_pad|><|vision_end|>"
ACCURACY = 1e-4


@dataclass(frozen=True)
class Kind:
    """A checkpoint and how it is served; `shortened`: its vectors may be cut to so many numbers."""

    write: Callable[[Path], None]
    flags: Sequence[str] = CONVERTED
    has_pictures: bool = False
    shortened: int | None = None
    settings: dict[str, Any] = field(default_factory=lambda: {"convert": "embed"})


KINDS = {
    "qwen2-vl": Kind(write_qwen2_vl, has_pictures=True),
    "qwen2": Kind(write_qwen2, shortened=32),
    "bert": Kind(write_bert, flags=("--runner", "pooling"), settings={}),
}


@dataclass(frozen=True)
class Case:
    """One input for our server, and the same for vLLM."""

    ours: pb.EmbedRequest
    theirs: dict[str, Any]


def _cases(kind: Kind) -> list[Case]:
    cases = [Case(_of_text(one), {"prompt": one, "pooling": {}}) for one in TEXTS]
    raw = {"prompt": TEXTS[0], "pooling": {"use_activation": False}}
    cases.append(Case(_of_text(TEXTS[0], normalize=False), raw))
    ids = list(range(5, 25))
    of_ids = pb.EmbedInput(token_ids=generation_service_pb2.TokenIds(ids=ids))
    cases.append(Case(pb.EmbedRequest(inputs=[of_ids]), {"prompt": ids, "pooling": {}}))
    if kind.shortened:
        short = {"prompt": TEXTS[1], "pooling": {"dimensions": kind.shortened}}
        cases.append(Case(_of_text(TEXTS[1], dimensions=kind.shortened), short))
    if kind.has_pictures:
        cases += [Case(ours, _of_picture(prompt)) for ours, prompt in _pictures()]
    return cases


def _of_text(words: str, **options: Any) -> pb.EmbedRequest:
    return pb.EmbedRequest(inputs=[pb.EmbedInput(text=words)], **options)


def _of_picture(prompt: str) -> dict[str, Any]:
    return {"prompt": prompt, "image": str(PICTURE), "pooling": {}}


def _pictures() -> list[tuple[pb.EmbedRequest, str]]:
    """Return a picture in a text, one in front of it, and one in a conversation."""
    part = image(PICTURE.read_bytes())
    message = conversation_pb2.Message(
        role=conversation_pb2.ROLE_USER, parts=[part, text(TEXTS[0])]
    )
    conversation = conversation_pb2.Conversation(messages=[message])
    turn = (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\n{PLACE}{TEXTS[0]}<|im_end|>\n"
    )
    inputs = [
        (pb.EmbedInput(text=f"{TEXTS[1]} {PLACE} a", media=[part]), f"{TEXTS[1]} {PLACE} a"),
        (pb.EmbedInput(text=TEXTS[1], media=[part]), f"{PLACE}\n{TEXTS[1]}"),
        (pb.EmbedInput(conversation=conversation), turn),
    ]
    return [(pb.EmbedRequest(inputs=[ours]), prompt) for ours, prompt in inputs]


@dataclass(frozen=True)
class Served:
    """A server, what it is asked, and the vectors that vLLM gives for that."""

    kind: Kind
    address: str
    channel: grpc.Channel
    cases: list[Case]
    expected: list[list[float]]

    def embed(self, request: pb.EmbedRequest) -> pb.EmbedResponse:
        return embedding_service_pb2_grpc.EmbeddingServiceStub(self.channel).Embed(request)


@pytest.fixture(
    scope="module",
    params=[
        "qwen2-vl",
        pytest.param("qwen2", marks=pytest.mark.nightly),
        pytest.param("bert", marks=pytest.mark.nightly),
    ],
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    kind = KINDS[request.param]
    directory = tmp_path_factory.mktemp("embedding")
    kind.write(directory)
    cases = _cases(kind)
    settings = {"runner": "pooling", "dtype": "float32", "max_model_len": 128, **kind.settings}
    if kind.has_pictures:
        settings |= {"max_model_len": 4096, "limit_mm_per_prompt": {"image": 1, "video": 0}}
    flags = ("--dtype", "float32", "--max-model-len", str(settings["max_model_len"]))
    with (
        vllm_program.running(directory, settings, [case.theirs for case in cases]) as reference,
        serving_address(directory, *kind.flags, *flags) as address,
        grpc.insecure_channel(address) as channel,
    ):
        yield Served(kind, address, channel, cases, reference.results())


def test_vectors_are_those_of_vllm(served: Served) -> None:
    for case, expected in zip(served.cases, served.expected, strict=True):
        (found,) = served.embed(case.ours).embeddings
        assert list(found.values) == pytest.approx(expected, abs=ACCURACY), case.theirs


def test_different_inputs_have_different_vectors(served: Served) -> None:
    """Else the comparison above would say nothing."""
    distinct = {tuple(round(value, 3) for value in vector) for vector in served.expected}
    assert len(distinct) == len(served.expected)


def test_inputs_of_one_call_are_answered_in_their_order(served: Served) -> None:
    whole = [case for case in served.cases if not case.theirs["pooling"]]
    expected = [served.expected[served.cases.index(case)] for case in whole]
    inputs = [one for case in whole for one in case.ours.inputs]
    found = served.embed(pb.EmbedRequest(inputs=inputs * 5))

    for one, vector in zip(found.embeddings, expected * 5, strict=True):
        assert list(one.values) == pytest.approx(vector, abs=ACCURACY)
    assert found.usage.prompt_tokens == sum(one.prompt_tokens for one in found.embeddings)
    parts = [part for one in found.embeddings for part in one.parts]
    assert bool(parts) is served.kind.has_pictures
    assert found.usage.prompt_image_tokens == sum(part.tokens for part in parts)


def test_a_bad_input_is_named(served: Served) -> None:
    far = pb.EmbedInput(text="cat " * 5000)
    with pytest.raises(grpc.RpcError) as failure:
        served.embed(pb.EmbedRequest(inputs=[pb.EmbedInput(text="a"), far]))
    found = Refusal(failure.value)
    assert found.info.reason == "PROMPT_TOO_LONG"
    assert found.fields == ["inputs[1].prompt"]


def test_the_model_tells_what_it_does_and_does_no_other(served: Served) -> None:
    models = model_service_pb2_grpc.ModelServiceStub(served.channel)
    model = models.GetModel(model_service_pb2.GetModelRequest()).model
    assert list(model.tasks) == [model_service_pb2.TASK_EMBED]
    assert model.embedding.dimensions == len(served.expected[0])
    assert model.embedding.can_be_shortened is bool(served.kind.shortened)

    generation = generation_service_pb2_grpc.GenerationServiceStub(served.channel)
    assert Refusal.of(generation, ask(text("hi"))).info.reason == "TASK_UNSUPPORTED"
    with pytest.raises(grpc.RpcError) as failure:
        served.embed(_of_text("a", dimensions=17))
    assert Refusal(failure.value).fields == ["dimensions"]


def test_the_examples_for_a_shell_print_what_their_page_shows(served: Served) -> None:
    for example in examples("embeddings"):
        check(example, served.address)
