"""Checkpoints of random weights, end to end over gRPC: a family a kind always, all by night."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from service.domain.conversation import Part, TextPart
from tests.conformance.formats.checkpoints import AUDIO, IMAGE, VIDEO
from tests.conformance.formats.conftest import Families, Family
from tests.conformance.formats.conversations import CASES, Case
from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.media_files import file_of, url_of
from tests.conformance.formats.weights import write_weights
from tests.end_to_end.requests import Refusal, audio, image, kinds, text, video
from tests.real.running_model import serving
from triptych.v1 import conversation_pb2, generation_service_pb2, sampling_pb2

# The first test waits for the server too; a machine that others use needs minutes.
pytestmark = pytest.mark.timeout(900)

PARTS = {IMAGE: image, AUDIO: audio, VIDEO: video}
ALWAYS = ("llava-1.5", "qwen2-audio", "qwen2-vl")
# vLLM cannot run MiniCPM-V on a CPU (docs/models.md).
NIGHTLY = tuple(name for name in CHECKPOINTS if name not in (*ALWAYS, "minicpm-v"))
NAMES = [*ALWAYS, *(pytest.param(name, marks=pytest.mark.nightly) for name in NIGHTLY)]


@pytest.mark.parametrize("name", NAMES)
def test_every_conversation_is_answered(
    families: Families, name: str, subtests: pytest.Subtests
) -> None:
    """The streams complete, and the prompts are as long as vLLM's own server has them."""
    family = families.open(name)
    flags = family.checkpoint.engine_flags()
    if name in ALWAYS:
        write_weights(family.directory)
    else:  # vLLM makes its own
        flags += ["--load-format", "dummy"]
    with serving(family.directory, *flags) as generation:
        for case in CASES.values():
            if family.checkpoint.takes(case.modalities):
                with subtests.test(case.name):
                    _check(family, generation, case)


def _check(family: Family, generation: Any, case: Case) -> None:
    request = _request(case, takes_32_frames=family.vllm.takes_32_frames())
    expected = len(family.vllm.token_ids(case, url_of))
    if not expected:  # of an empty text, where a family writes nothing around it
        assert Refusal.of(generation, request).code is grpc.StatusCode.INVALID_ARGUMENT
        return
    events = list(generation.Generate(request))

    seen = kinds(events)
    assert (seen[0], *seen[-2:]) == ("started", "output_finished", "completed")
    assert expected == events[0].started.prompt_tokens
    assert expected == events[-1].completed.usage.prompt_tokens


def _request(case: Case, *, takes_32_frames: bool) -> generation_service_pb2.GenerateRequest:
    messages = [
        conversation_pb2.Message(
            role=conversation_pb2.Role.Value(f"ROLE_{message.role.upper()}"),
            parts=[_part(part, takes_32_frames) for part in message.parts],
        )
        for message in case.conversation().messages
    ]
    options = generation_service_pb2.PromptOptions(
        add_generation_prompt=case.options.add_generation_prompt,
        continue_final_message=case.options.continue_final_message,
    )
    return generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=messages),
        prompt_options=options,
        sampling=sampling_pb2.SamplingParams(temperature=0.0, max_tokens=4),
    )


def _part(part: Part, takes_32_frames: bool) -> conversation_pb2.Part:
    if isinstance(part, TextPart):
        return text(part.text)
    made = PARTS[part.modality](file_of(part.field))
    if part.modality is VIDEO and takes_32_frames:
        made.video.num_frames = 32
    return made
