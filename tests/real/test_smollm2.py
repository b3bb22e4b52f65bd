"""SmolLM2-135M-Instruct answers a question, through `triptych serve`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.requests import answer, ask, text
from tests.real.checkpoints import smollm2_checkpoint
from tests.real.conftest import fetched
from tests.real.running_model import serving
from tests.real.word_error_rate import words
from triptych.v1 import generation_service_pb2
from triptych.v1.generation_service_pb2_grpc import GenerationServiceStub

# The first test waits for the server too.
pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def smollm2() -> Iterator[GenerationServiceStub]:
    """A server that runs it.

    In float32: in bfloat16 it depends on the processor what vLLM makes of so small a model. Where
    there is AMX the answer begins "L'Étoile, la Marseillaise".
    """
    flags = ("--max-model-len", "1024", "--dtype", "float32")
    with serving(fetched(smollm2_checkpoint), *flags) as generation:
        yield generation


def test_the_capital_of_france_is_named(smollm2: GenerationServiceStub) -> None:
    """The checkpoint's own chat template is used, and the answer ends by itself."""
    question = "What is the capital of France?"

    output = answer(smollm2, ask(text(question))).outputs[0]

    print(f"\n{question} {output.text}")
    assert "paris" in words(output.text)
    assert output.finished.reason == generation_service_pb2.FINISH_REASON_STOP
