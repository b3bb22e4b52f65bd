"""Two adapters beside their model, on a real engine: answers are those of vLLM with the same ones.

The checkpoint is a Qwen2-VL of random weights, the adapters are random too. Prompts repeat, so that
a prefix cache that mixed them up would show.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from tokenizers import Tokenizer

from tests.conformance import vllm_program
from tests.conformance.adapters.lora_files import write_adapter
from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.weights import write_weights
from tests.end_to_end.grpcurl_page import check, examples
from tests.end_to_end.requests import MEDIA, answer, image
from tests.real.running_model import serving_address
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1 import (
    generation_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    sampling_pb2,
)

# The first test waits for server and reference; a machine that others use needs minutes.
pytestmark = pytest.mark.timeout(900)

NAMES = ("", "french", "german")
PICTURE = MEDIA / "picture.jpg"
TEXT = "<|im_start|>user\nPlease write down what is said, word for word.<|im_end|>\n"
PROMPTS = {
    "text": TEXT,
    "picture": f"<|vision_start|><|image_pad|><|vision_end|>{TEXT}",
}
TOKENS = 24
SETTINGS = {"dtype": "float32", "max_model_len": 4096, "max_lora_rank": 8, "max_loras": 2}
FLAGS = (
    *("--dtype", "float32", "--max-model-len", "4096", "--max-lora-rank", "8"),
    *("--max-loras", "2", "--served-model-name", "base"),
)


@dataclass(frozen=True)
class Served:
    """A server with two adapters, and what vLLM answers, by prompt and adapter."""

    address: str
    channel: grpc.Channel
    expected: dict[tuple[str, str], list[int]]
    prompts: dict[str, list[int]]

    @property
    def generation(self) -> generation_service_pb2_grpc.GenerationServiceStub:
        return generation_service_pb2_grpc.GenerationServiceStub(self.channel)

    def request(self, prompt: str, model: str, tokens: int = TOKENS) -> pb.GenerateRequest:
        """Ask for a greedy answer of so many tokens."""
        return pb.GenerateRequest(
            model=model,
            token_ids=pb.TokenIds(ids=self.prompts[prompt]),
            media=[image(PICTURE.read_bytes())] if prompt == "picture" else [],
            sampling=sampling_pb2.SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True),
            output_options=pb.OutputOptions(include_token_ids=True),
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("adapted")
    CHECKPOINTS["qwen2-vl"].make(directory)
    write_weights(directory)
    folders = {
        name: write_adapter(directory / name, directory, seed)
        for seed, name in enumerate(NAMES)
        if name
    }
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    prompts = {name: tokenizer.encode(text).ids for name, text in PROMPTS.items()}
    # The model itself comes first: no adapter has been near the engine then.
    cases = [(prompt, model) for model in NAMES for prompt in PROMPTS]
    modules = [f"{name}={folder}" for name, folder in folders.items()]
    requests = [_reference_request(prompts, *case, folders) for case in cases]
    settings = {"enable_lora": True, **SETTINGS}
    with (
        vllm_program.running(directory, settings, requests) as reference,
        serving_address(directory, *FLAGS, "--lora-modules", *modules) as address,
        grpc.insecure_channel(address) as channel,
    ):
        expected = dict(zip(cases, reference.results(), strict=True))
        yield Served(address, channel, expected, prompts)


def _reference_request(
    prompts: dict[str, list[int]], prompt: str, model: str, folders: dict[str, Path]
) -> dict[str, Any]:
    request: dict[str, Any] = {
        "prompt": prompts[prompt],
        "sampling": {"temperature": 0, "max_tokens": TOKENS, "ignore_eos": True},
    }
    if prompt == "picture":
        request["image"] = str(PICTURE)
    if model:
        request["adapter"] = [model, NAMES.index(model), str(folders[model])]
    return request


def test_each_adapter_answers_as_vllm_does_with_it(served: Served) -> None:
    """Forwards and backwards, so that each prompt is asked of each when others were before."""
    cases = list(served.expected)
    for prompt, model in [*cases, *reversed(cases)]:
        whole = answer(served.generation, served.request(prompt, model))
        assert (prompt, model, list(whole.outputs[0].token_ids)) == (
            prompt,
            model,
            served.expected[prompt, model],
        )
        assert whole.started.model == (model or "base")


def test_each_adapter_has_an_answer_of_its_own(served: Served) -> None:
    """Else the comparison above would say nothing."""
    for prompt in PROMPTS:
        answers = {tuple(served.expected[prompt, model]) for model in NAMES}
        assert len(answers) == len(NAMES)


def test_adapters_and_their_model_answer_side_by_side(served: Served) -> None:
    """In one batch: each begins before another ends, and answers as it does alone."""
    spans: dict[str, tuple[float, float]] = {}
    found: dict[str, list[int]] = {}

    def read(model: str) -> None:
        ids, times = [], []
        for event in served.generation.Generate(served.request("text", model, 400)):
            if event.HasField("text_delta"):
                times.append(time.monotonic())
                ids += event.text_delta.token_ids
        found[model], spans[model] = ids, (times[0], times[-1])

    readers = [threading.Thread(target=read, args=(model,)) for model in NAMES]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert max(begin for begin, _ in spans.values()) < min(end for _, end in spans.values())
    for model in NAMES:
        assert found[model][:TOKENS] == served.expected["text", model]


def test_adapters_are_listed(served: Served) -> None:
    models = model_service_pb2_grpc.ModelServiceStub(served.channel)
    listed = models.ListModels(model_service_pb2.ListModelsRequest()).models
    assert [(one.name, one.base_model) for one in listed] == [
        ("base", ""),
        ("french", "base"),
        ("german", "base"),
    ]


def test_the_examples_for_a_shell_print_what_their_page_shows(served: Served) -> None:
    for example in examples("adapters"):
        check(example, served.address)
