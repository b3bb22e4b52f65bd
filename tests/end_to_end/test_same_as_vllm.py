"""Greedy and seeded answers equal those of vLLM itself: ids, text, why they ended, probabilities.

vLLM's own `LLM` runs on the same checkpoint with the same settings in a process of its own
(vllm_chat.py), and gets the same requests in its own words.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.config import resolve_model
from tests.end_to_end.conftest import PART_LIMITS, REASONING
from tests.end_to_end.requests import MEDIA, audio, image, text, video
from triptych.v1 import conversation_pb2, generation_service_pb2, sampling_pb2

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 900
LOGPROB_TOLERANCE = 1e-4
_REASONS = {"stop": "STOP", "length": "LENGTH", "repetition": "REPETITION"}


def moving_square() -> bytes:
    """Return a GIF of two frames a second: both take all of them, and see the same pixels.

    Of H.264's colours decoders make pixels that differ by one.
    """
    frames = [Image.new("RGB", (96, 96), "white") for _ in range(4)]
    for index, frame in enumerate(frames):
        frame.paste((200, 30, 40), (index * 20, 36, index * 20 + 24, 60))
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=500)
    return file.getvalue()


FILES = {
    "image": ((MEDIA / "picture.jpg").read_bytes(), "image/jpeg", image),
    "second image": ((MEDIA / "second_picture.png").read_bytes(), "image/png", image),
    "audio": ((MEDIA / "sound.wav").read_bytes(), "audio/wav", audio),
    "video": (moving_square(), "video/gif", video),
}
PARTS = {
    "text": ("What is the capital of France?",),
    "image": ("image", "What is this?"),
    "image after text": ("Describe what you see here", "image"),
    "audio": ("audio", "What do you hear?"),
    "video": ("video", "Which way does it move?"),
    "two images": ("image", "second image", "What is in the second picture?"),
    "mixed": ("audio", "and", "image", "video", "What is all this?"),
}
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"shape": {"enum": ["circle", "square"]}, "count": {"type": "integer"}},
        "required": ["shape", "count"],
        "additionalProperties": False,
    }
)


# Sampling in vLLM's words; `to_request` has ours.
VARIANTS = {
    "plain": {},
    "one token": {"max_tokens": 1},
    "stop string": {"stop": ["a"]},
    "stop string, kept": {"stop": ["e ", "is"], "include_stop_str_in_output": True},
    "stop strings that overlap": {"stop": [" is a", "is", "s a r"], "min_tokens": 3},
    "stop string, late": {"stop": ["e"], "min_tokens": 8, "ignore_eos": True},
    "stop token": {"stop_token_ids": [*range(10, 500, 7)]},
    "stop token, kept": (
        {"stop_token_ids": [*range(11, 500, 9)], "include_stop_str_in_output": True}
    ),
    "no end": {"ignore_eos": True, "max_tokens": 40, "skip_special_tokens": False},
    "no end, nothing special": {"ignore_eos": True, "max_tokens": 40},
    "penalties": {
        "repetition_penalty": 1.9,
        "presence_penalty": 2.0,
        "frequency_penalty": 2.0,
        "ignore_eos": True,
    },
    "biases": {"logit_bias": {str(token_id): -30.0 for token_id in range(0, 595, 2)}},
    "bad words": {"bad_words": ["is", "a", "the", "red"]},
    "allowed ids": {"allowed_token_ids": [*range(20, 200)], "max_tokens": 12},
    "log probabilities": {"logprobs": 3},
    "log probabilities of the chosen": {"logprobs": 0},
    "log probabilities of ids": {"logprob_token_ids": [30, 40, 50], "logprobs": 3},
    "log probabilities of the prompt": {"prompt_logprobs": 2, "max_tokens": 3},
    "seeded": {"temperature": 0.9, "seed": 7, "max_tokens": 24},
    "seeded, cut": (
        {"temperature": 1.2, "seed": 11, "top_p": 0.8, "top_k": 20, "min_p": 0.02, "max_tokens": 24}
    ),
    "several": {"temperature": 1.0, "seed": 3, "n": 3, "stop": ["o"], "max_tokens": 24},
    "repetition": (
        {
            "ignore_eos": True,
            "logit_bias": {"40": 100.0},
            "repetition_detection": {"max_pattern_size": 2, "min_pattern_size": 1, "min_count": 5},
        }
    ),
    "schema": {"structured_outputs": {"json": SCHEMA}},
    "object": {"structured_outputs": {"json_object": True}, "max_tokens": 24},
    "expression": {"structured_outputs": {"regex": r"(yes|no), [a-z]{3,9}\."}},
    "choice": {"structured_outputs": {"choice": ["left", "right", "up and down"]}},
    "grammar": {"structured_outputs": {"grammar": 'root ::= "[" [0-9]+ "]"'}},
    "thinking, cut": {"thinking_token_budget": 4},
    "no thinking": {"thinking_token_budget": 0},
    "priority": {"priority": 5},
    "prompt, cut": {"truncate_prompt_tokens": 9},
}
# A prompt with media is never cut.
TEXT_ONLY = {"prompt, cut"}
# Tells who is answered first, not what.
CHANGES_NO_ANSWER = {"plain", "priority"}
# Each variant with a text, and with every second other prompt; the plain one with all.
CASES = {
    f"{prompt}: {variant}": (prompt, variant)
    for index, variant in enumerate(VARIANTS)
    for place, prompt in enumerate(PARTS)
    if variant == "plain" or place == 0 or ((index + place) % 2 and variant not in TEXT_ONLY)
}


def to_messages(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the parts as a message of OpenAI's form."""
    return [{"role": "user", "content": [_to_openai(name) for name in names]}]


def _to_openai(name: str) -> dict[str, Any]:
    if name not in FILES:
        return {"type": "text", "text": name}
    file, mime_type, _ = FILES[name]
    data = base64.b64encode(file).decode()
    kind = f"{name.rsplit(maxsplit=1)[-1]}_url"
    return {"type": kind, kind: {"url": f"data:{mime_type};base64,{data}"}}


def to_request(
    names: tuple[str, ...], variant: dict[str, Any]
) -> generation_service_pb2.GenerateRequest:
    """Return the same in the contract's form."""
    parts = [FILES[name][2](FILES[name][0]) if name in FILES else text(name) for name in names]
    message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)
    request = generation_service_pb2.GenerateRequest(
        conversation=conversation_pb2.Conversation(messages=[message]),
        sampling=sampling_pb2.SamplingParams(temperature=0.0, max_tokens=32),
    )
    request.output_options.include_token_ids = True
    for name, value in variant.items():
        _set(request, name, value)
    return request


def _set(request: generation_service_pb2.GenerateRequest, name: str, value: Any) -> None:
    sampling, options = request.sampling, request.output_options
    match name:
        case "include_stop_str_in_output":
            sampling.include_stop_string = value
        case "logit_bias":
            sampling.logit_bias.update({int(token_id): bias for token_id, bias in value.items()})
        case "repetition_detection":
            sampling.repetition_detection.CopyFrom(sampling_pb2.RepetitionDetection(**value))
        case "structured_outputs":
            _set_structure(request.structured_output, value)
        case "logprobs" | "prompt_logprobs":
            setattr(options, name, value)
        case "logprob_token_ids":
            options.logprob_token_ids.extend(value)
        case "priority":
            request.priority = value
        case "truncate_prompt_tokens":
            request.prompt_options.truncate_prompt_tokens = value
        case _ if isinstance(value, list):
            getattr(sampling, name).extend(value)
        case _:
            setattr(sampling, name, value)


def _set_structure(
    structure: generation_service_pb2.StructuredOutput, value: dict[str, Any]
) -> None:
    ((name, wanted),) = value.items()
    if name == "choice":
        structure.choice.texts.extend(wanted)
    else:
        setattr(structure, {"json": "json_schema"}.get(name, name), wanted)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What vLLM answers, by case."""
    output = tmp_path_factory.mktemp("vllm") / "answers.json"
    requests = [
        {
            "messages": to_messages(PARTS[prompt]),
            "sampling": {"temperature": 0.0, "max_tokens": 32, **VARIANTS[variant]},
        }
        for prompt, variant in CASES.values()
    ]
    engine = {
        "enforce_eager": True,
        "gpu_memory_utilization": 0.3,
        "limit_mm_per_prompt": PART_LIMITS,
        "max_model_len": 2048,
        "reasoning_config": REASONING,
        "scheduling_policy": "priority",
        "seed": 0,
    }
    job = {
        "model": resolve_model(None)[0],
        "engine": engine,
        "requests": requests,
        "output": str(output),
    }
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.vllm_chat"],
        cwd=ROOT,
        env=environment,
        input=json.dumps(job),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return dict(zip(CASES, json.loads(output.read_text()), strict=True))


def test_the_table_is_long_and_its_parameters_bite(expected: dict[str, Any]) -> None:
    """A parameter that changes no answer would prove nothing."""
    assert len(CASES) >= 100
    same = VARIANTS.keys() - CHANGES_NO_ANSWER
    for case, (prompt, variant) in CASES.items():
        if expected[case] != expected[f"{prompt}: plain"]:
            same.discard(variant)
    assert not same


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_vllms(generation: Any, expected: dict[str, Any], case: str) -> None:
    prompt, variant = CASES[case]
    unary = generation_service_pb2.GenerateUnaryRequest(
        request=to_request(PARTS[prompt], VARIANTS[variant])
    )
    answer = generation.GenerateUnary(unary)
    wanted = expected[case]
    assert answer.completed.usage.prompt_tokens == wanted["prompt_tokens"]
    assert len(answer.outputs) == len(wanted["outputs"])
    for ours, theirs in zip(answer.outputs, wanted["outputs"], strict=True):
        assert list(ours.token_ids) == theirs["token_ids"]
        assert ours.text == theirs["text"]
        _check_end(ours.finished, theirs)
        _check_places(ours.logprobs, theirs["logprobs"])
    _check_places(answer.prompt_logprobs.tokens, wanted["prompt_logprobs"])


def _check_end(ours: generation_service_pb2.OutputFinished, theirs: dict[str, Any]) -> None:
    stop = theirs["stop_reason"]
    reason = _REASONS[theirs["finish_reason"]]
    if reason == "STOP" and isinstance(stop, str):
        reason = "STOP_STRING"
    assert generation_service_pb2.FinishReason.Name(ours.reason) == f"FINISH_REASON_{reason}"
    told = ours.stop_string if ours.HasField("stop_string") else None
    if ours.HasField("stop_token_id"):
        told = ours.stop_token_id
    assert told == (stop if isinstance(stop, str | int) and reason != "REPETITION" else None)


def _check_places(ours: Any, theirs: list[dict[str, float]] | None) -> None:
    assert len(ours) == len(theirs or ())
    for place, wanted in zip(ours, theirs or (), strict=True):
        told = {token.token_id: token.logprob for token in (place.chosen, *place.top)}
        assert told == pytest.approx(
            {int(token_id): logprob for token_id, logprob in wanted.items()}, abs=LOGPROB_TOLERANCE
        )
